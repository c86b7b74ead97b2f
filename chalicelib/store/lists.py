"""The lists that tickets show in: one page at a time, at the cost of one page however long the list is."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.domain.moments import from_stamp
from chalicelib.domain.ticket import TicketRow
from chalicelib.errors import InvalidInput
from chalicelib.store.clock_tail import read_tail
from chalicelib.store.models import DocumentItem, TicketItem, connection
from chalicelib.store.tickets import SHARDS, UNDELIVERED, get_many, moment_of, row_of, tags_of

PAGE_SIZE = 50
LEAST_ROWS = 6
"""About what one read unit holds: asking for fewer saves nothing."""
SPARE_ROWS = 3
"""The shards of a list seldom stand exactly side by side; a few rows more save most of the second reads."""
RawRow = dict[str, dict[str, Any]]
"""An item as DynamoDB answers it: ``{"subject": {"S": …}}``."""

ListKind = Literal[
    "mine",
    "unassigned",
    "team",
    "open",
    "waiting",
    "snoozed",
    "pending",
    "inbox",
    "undelivered",
    "resolved",
    "closed",
    "spam",
    "trash",
]


@dataclass(frozen=True)
class ListName:
    """Which list.  ``of``: agent ("mine"), team ("team"), inbox ("inbox") id, or yyyy-mm for a filed status."""

    kind: ListKind
    of: str = ""


@dataclass(frozen=True)
class Page:
    """Rows in the list's order, who of ``rows`` is unread for whom, and the cursor of the next page or None."""

    rows: tuple[TicketRow, ...]
    seen_by: tuple[frozenset[str], ...]
    next: str | None


def _partitions(name: ListName, team_ids: Sequence[str]) -> tuple[str, list[str], bool]:
    """The index, its partitions, and whether the order is ascending."""
    both = range(SHARDS)
    if name.kind == "mine":
        return "by_holder", [f"agent#{name.of}"], False
    if name.kind == "team":
        return "by_holder", [f"team#{name.of}"], False
    if name.kind == "unassigned":
        return "by_holder", [f"team#{each}" for each in ("-", *team_ids)], False
    if name.kind == "inbox":
        return "by_inbox", [f"{name.of}#{shard}" for shard in both], False
    if name.kind == "waiting":
        return "by_wait", [f"wait#{shard}" for shard in both], True
    if name.kind in ("open", "pending", "snoozed"):
        return "by_status", [f"{name.kind}#{shard}" for shard in both], False
    return "by_status", [f"{name.kind}#{name.of}"], False


def page(name: ListName, team_ids: Sequence[str] = (), cursor: str | None = None, limit: int = PAGE_SIZE) -> Page:
    """One page of a list: newest activity first ("waiting": longest waiting first).

    ``team_ids``: all teams, for "unassigned".  A page is merged from the list's few partitions; each is read in
    small steps so that the units stay those of one page however long the list is.
    """
    if name.kind == "undelivered":
        return _undelivered(cursor, limit)
    index, partitions, ascending = _partitions(name, team_ids)
    after = _read_cursor(cursor)
    fair_share = max(LEAST_ROWS, limit // len(partitions) + (SPARE_ROWS if len(partitions) > 1 else 0))
    streams = [_Stream(index, each, ascending, after, fair_share) for each in partitions]
    found: list[RawRow] = []
    while len(found) < limit:
        heads = [(stream.head_key, stream) for stream in streams if stream.has_head(limit - len(found))]
        if not heads:
            return _as_page(found, None)
        chosen = (min if ascending else max)(heads, key=lambda each: each[0])[1]
        found.append(chosen.take())
    more = any(stream.may_have_more for stream in streams)
    return _as_page(found, _write_cursor(_sort_key(found[-1], ascending)) if more else None)


def _undelivered(cursor: str | None, limit: int) -> Page:
    """Live tickets with a message that did not arrive, newest ticket first: few, so each is read whole."""
    after = _read_cursor(cursor)
    edge = DocumentItem.sk < after if after else None
    query = DocumentItem.query(UNDELIVERED, edge, scan_index_forward=False, limit=limit, page_size=limit)
    marks = [str(item.sk) for item in query]
    loaded = get_many([str(int(mark)) for mark in marks])
    found = [loaded[ticket_id] for ticket_id in (str(int(mark)) for mark in marks) if ticket_id in loaded]
    return Page(
        tuple(row_of(each.ticket) for each in found),
        tuple(each.seen_by for each in found),
        _write_cursor(marks[-1]) if len(marks) == limit else None,
    )


def _as_page(found: list[RawRow], next_cursor: str | None) -> Page:
    return Page(
        tuple(_row_of_raw(raw) for raw in found),
        tuple(frozenset(raw["seen_by"]["SS"]) if "seen_by" in raw else frozenset() for raw in found),
        next_cursor,
    )


def _row_of_raw(raw: RawRow) -> TicketRow:
    """A row straight from DynamoDB's answer: PynamoDB's models cost twice the query itself on a page of fifty."""

    def text(name: str) -> str | None:
        return raw[name]["S"] if name in raw else None

    waiting_since = moment_of(text("waiting_since"))
    key = text("activity_key") or text("waiting_key") or ""
    first_wait, counted = read_tail(key, waiting_since)
    return TicketRow(
        id=raw["pk"]["S"].removeprefix("TICKET#"), subject=text("subject") or "", status=raw["status"]["S"],
        priority=raw["priority"]["S"], inbox_id=text("inbox_id") or "", channel=text("channel") or "",
        customer_id=text("customer_id") or "", customer_name=text("customer_name") or "",
        assignee_id=text("assignee_id"), team_id=text("team_id"), snippet=text("snippet") or "",
        tags=tags_of(text("tags")), updated_at=from_stamp(raw["updated_at"]["S"]),
        waiting_since=waiting_since, snoozed_until=moment_of(text("snoozed_until")),
        undelivered="undelivered" in raw, last_message_id=text("last_message_id") or "", first_wait=first_wait,
        counted=counted,
    )  # fmt: skip


def _sort_key(raw: RawRow, ascending: bool) -> str:
    return str(raw["waiting_key" if ascending else "activity_key"]["S"])


class _Stream:
    """One partition of a list, read a step at a time from behind ``after``."""

    def __init__(self, index: str, partition: str, ascending: bool, after: str | None, fair_share: int) -> None:
        self._ascending = ascending
        self._partition = partition
        self._index = index
        self._after = after
        self._fair_share = fair_share
        self._items: list[RawRow] = []
        self._exhausted = False

    @property
    def head_key(self) -> str:
        return _sort_key(self._items[0], self._ascending)

    @property
    def may_have_more(self) -> bool:
        """Without reading on."""
        return bool(self._items) or not self._exhausted

    def has_head(self, missing: int) -> bool:
        """Reads on when it has to: at first a fair share of the page, later what is ``missing`` of it."""
        if not self._items and not self._exhausted:
            self._read(self._fair_share or max(LEAST_ROWS, missing))
            self._fair_share = 0
        return bool(self._items)

    def take(self) -> RawRow:
        item = self._items.pop(0)
        self._after = _sort_key(item, self._ascending)
        return item

    def _read(self, rows: int) -> None:
        sort = TicketItem.waiting_key if self._ascending else TicketItem.activity_key
        behind = None
        if self._after is not None:
            behind = sort > self._after if self._ascending else sort < self._after
        answer = connection().query(
            str(TicketItem.Meta.table_name),
            self._partition,
            range_key_condition=behind,
            index_name=self._index,
            limit=rows,
            scan_index_forward=self._ascending,
        )
        self._items = answer["Items"]
        self._exhausted = "LastEvaluatedKey" not in answer


def _write_cursor(sort_key: str) -> str:
    return base64.urlsafe_b64encode(sort_key.encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> str | None:
    if not cursor:
        return None
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as error:
        raise InvalidInput("The cursor is not one of ours. Start again from the first page.") from error
