"""Tickets and the lists they show in."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from pynamodb.exceptions import UpdateError

from chalicelib.domain.moments import from_stamp, stamp
from chalicelib.domain.ticket import LIVE, Status, Ticket, TicketRow
from chalicelib.errors import InvalidInput, NotFound
from chalicelib.store.codec import decode, encode
from chalicelib.store.models import CounterItem, TicketItem, connection
from chalicelib.store.transaction import Transaction

SHARDS = 2
"""A live list lies in two partitions: bounded for the engine, cheap to merge (docs/architecture.md)."""
PAGE_SIZE = 50
RawRow = dict[str, dict[str, Any]]
"""An item as DynamoDB answers it: ``{"subject": {"S": …}}``."""
NUMBER_BLOCK = 10
FIRST_NUMBER = 1001

ListKind = Literal[
    "mine",
    "unassigned",
    "team",
    "open",
    "waiting",
    "snoozed",
    "pending",
    "inbox",
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


@dataclass(frozen=True)
class _Rest:
    """What no list shows: kept as JSON in ``data``."""

    customer_handle: str
    created_at: datetime
    other_inbox_ids: tuple[str, ...] = ()
    last_inbound_id: str = ""
    message_count: int = 0
    closed_at: datetime | None = None
    linked_ticket_ids: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    status_before: Status | None = None
    participants: tuple[str, ...] = ()
    conversation_key: str | None = None


REST_FIELDS = (
    "customer_handle", "created_at", "other_inbox_ids", "last_inbound_id", "message_count", "closed_at",
    "linked_ticket_ids", "flags", "status_before", "participants", "conversation_key",
)  # fmt: skip


def ticket_key(ticket_id: str) -> str:
    return f"TICKET#{ticket_id}"


def _shard(ticket_id: str) -> int:
    return int(ticket_id) % SHARDS


def list_keys(ticket: Ticket, at: datetime) -> dict[str, str | None]:
    """The index keys of a ticket; None keeps it out of that index.

    A snoozed ticket shows in "snoozed" alone.  Filed statuses lie by the month in which they were filed.
    """
    snoozed = ticket.snoozed_until is not None and ticket.snoozed_until > at
    live = ticket.status in LIVE
    shard = _shard(ticket.id)
    month = f"{ticket.closed_at or ticket.updated_at:%Y-%m}"
    group = "snoozed" if snoozed else ticket.status
    holder = f"agent#{ticket.assignee_id}" if ticket.assignee_id else f"team#{ticket.team_id or '-'}"
    waits = live and not snoozed and ticket.waiting_since is not None
    return {
        "status_key": f"{group}#{shard}" if live else f"{ticket.status}#{month}",
        "activity_key": f"{stamp(ticket.updated_at)}#{ticket.id}",
        "holder_key": holder if live and not snoozed else None,
        "inbox_key": f"{ticket.inbox_id}#{shard}" if live and not snoozed else None,
        "wait_key": f"wait#{shard}" if waits else None,
        "waiting_key": f"{stamp(ticket.waiting_since)}#{ticket.id}" if waits and ticket.waiting_since else None,
        "customer_key": ticket.customer_id,
        "created_key": f"{stamp(ticket.created_at)}#{ticket.id}",
    }


def as_item(ticket: Ticket, at: datetime, seen_by: Iterable[str] = (), origin: str | None = None) -> TicketItem:
    """The whole item; ``seen_by`` are the agents for whom it is not unread."""
    rest = _Rest(**{name: getattr(ticket, name) for name in REST_FIELDS})
    item = TicketItem(
        ticket_key(ticket.id), "TICKET",
        version=ticket.version, subject=ticket.subject, status=ticket.status, priority=ticket.priority,
        inbox_id=ticket.inbox_id, channel=ticket.channel, customer_id=ticket.customer_id,
        customer_name=ticket.customer_name, assignee_id=ticket.assignee_id, team_id=ticket.team_id,
        snippet=ticket.snippet, tags="\n".join(ticket.tags) or None, updated_at=stamp(ticket.updated_at),
        waiting_since=stamp(ticket.waiting_since) if ticket.waiting_since else None,
        snoozed_until=stamp(ticket.snoozed_until) if ticket.snoozed_until else None,
        undelivered=1 if ticket.undelivered else None, last_message_id=ticket.last_message_id,
        seen_by=set(seen_by) or None, data=encode(rest), origin=origin,
    )  # fmt: skip
    for name, value in list_keys(ticket, at).items():
        setattr(item, name, value)
    return item


def _moment(text: str | None) -> datetime | None:
    return from_stamp(text) if text else None


def _tags(text: str | None) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()


def _id(item: TicketItem) -> str:
    return str(item.pk).removeprefix("TICKET#")


def as_ticket(item: TicketItem) -> Ticket:
    rest = decode(_Rest, item.data or "{}")
    return Ticket(
        id=_id(item), subject=item.subject or "", status=item.status, priority=item.priority,  # type: ignore[arg-type]
        inbox_id=item.inbox_id or "", channel=item.channel or "", customer_id=item.customer_id or "",
        customer_name=item.customer_name or "", updated_at=from_stamp(item.updated_at or ""), version=int(item.version),
        assignee_id=item.assignee_id, team_id=item.team_id, tags=_tags(item.tags), snippet=item.snippet or "",
        waiting_since=_moment(item.waiting_since), snoozed_until=_moment(item.snoozed_until),
        undelivered=bool(item.undelivered), last_message_id=item.last_message_id or "",
        **{name: getattr(rest, name) for name in REST_FIELDS},
    )  # fmt: skip


def row_of(ticket: Ticket) -> TicketRow:
    """The row a list shows for a ticket already loaded."""
    return TicketRow(**{name: getattr(ticket, name) for name in TicketRow.__dataclass_fields__})


@dataclass(frozen=True)
class Loaded:
    """A ticket with the agents who have seen its newest message."""

    ticket: Ticket
    seen_by: frozenset[str]


def load(ticket_id: str, consistent: bool = True) -> Loaded:
    """Raise NotFound when there is no such ticket."""
    if not ticket_id.isdigit():
        raise NotFound(f"There is no ticket {ticket_id}.")
    try:
        item = TicketItem.get(ticket_key(ticket_id), "TICKET", consistent_read=consistent)
    except TicketItem.DoesNotExist as error:
        raise NotFound(f"There is no ticket {ticket_id}.") from error
    return Loaded(as_ticket(item), frozenset(item.seen_by or ()))


def get(ticket_id: str) -> Ticket:
    return load(ticket_id).ticket


def get_many(ticket_ids: Sequence[str]) -> dict[str, Loaded]:
    """Those of the tickets that exist, by id."""
    keys = [(ticket_key(each), "TICKET") for each in dict.fromkeys(ticket_ids)]
    return {_id(item): Loaded(as_ticket(item), frozenset(item.seen_by or ())) for item in TicketItem.batch_get(keys)}


def put_changed(
    transaction: Transaction, before: Loaded, after: Ticket, at: datetime, keep_seen: bool = True
) -> Ticket:
    """Add to ``transaction`` the write of ``after``, refused (label "ticket") when ``before`` is no longer current.

    ``keep_seen`` False makes it unread for everybody.  Returns the ticket as it will be stored.
    """
    stored = replace(after, version=before.ticket.version + 1)
    item = as_item(stored, at, before.seen_by if keep_seen else ())
    transaction.put("ticket", item, TicketItem.version == before.ticket.version)
    return stored


def mark_seen(ticket_id: str, agent_id: str, seen: bool = True) -> None:
    """Note that the agent has (or, for "mark unread", has not) seen the newest message."""
    change = TicketItem.seen_by.add({agent_id}) if seen else TicketItem.seen_by.delete({agent_id})
    try:
        TicketItem(ticket_key(ticket_id), "TICKET").update(actions=[change], condition=TicketItem.pk.exists())
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise NotFound(f"There is no ticket {ticket_id}.") from error
        raise


# Lists


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
    index, partitions, ascending = _partitions(name, team_ids)
    after = _read_cursor(cursor)
    streams = [_Stream(index, each, ascending, after, max(8, limit // len(partitions) + 4)) for each in partitions]
    found: list[RawRow] = []
    while len(found) < limit:
        heads = [(stream.head_key, stream) for stream in streams if stream.has_head()]
        if not heads:
            return _as_page(found, None)
        chosen = (min if ascending else max)(heads, key=lambda each: each[0])[1]
        found.append(chosen.take())
    more = any(stream.has_head(without_reading=True) for stream in streams)
    return _as_page(found, _write_cursor(_sort_key(found[-1], ascending)) if more else None)


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

    return TicketRow(
        id=raw["pk"]["S"].removeprefix("TICKET#"), subject=text("subject") or "", status=raw["status"]["S"],
        priority=raw["priority"]["S"], inbox_id=text("inbox_id") or "", channel=text("channel") or "",
        customer_id=text("customer_id") or "", customer_name=text("customer_name") or "",
        assignee_id=text("assignee_id"), team_id=text("team_id"), snippet=text("snippet") or "",
        tags=_tags(text("tags")), updated_at=from_stamp(raw["updated_at"]["S"]),
        waiting_since=_moment(text("waiting_since")), snoozed_until=_moment(text("snoozed_until")),
        undelivered="undelivered" in raw, last_message_id=text("last_message_id") or "",
    )  # fmt: skip


def _sort_key(raw: RawRow, ascending: bool) -> str:
    return str(raw["waiting_key" if ascending else "activity_key"]["S"])


class _Stream:
    """One partition of a list, read a step at a time from behind ``after``."""

    def __init__(self, index: str, partition: str, ascending: bool, after: str | None, step: int) -> None:
        self._ascending = ascending
        self._partition = partition
        self._index = index
        self._after = after
        self._step = step
        self._items: list[RawRow] = []
        self._exhausted = False

    @property
    def head_key(self) -> str:
        return _sort_key(self._items[0], self._ascending)

    def has_head(self, without_reading: bool = False) -> bool:
        if without_reading:
            return bool(self._items) or not self._exhausted
        if not self._items and not self._exhausted:
            self._read()
        return bool(self._items)

    def take(self) -> RawRow:
        item = self._items.pop(0)
        self._after = _sort_key(item, self._ascending)
        return item

    def _read(self) -> None:
        sort = TicketItem.waiting_key if self._ascending else TicketItem.activity_key
        behind = None
        if self._after is not None:
            behind = sort > self._after if self._ascending else sort < self._after
        answer = connection().query(
            str(TicketItem.Meta.table_name),
            self._partition,
            range_key_condition=behind,
            index_name=self._index,
            limit=self._step,
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


@dataclass(frozen=True)
class EarlierTicket:
    id: str
    subject: str
    status: Status
    channel: str
    created_at: datetime


def of_customer(customer_id: str, limit: int = 20) -> tuple[EarlierTicket, ...]:
    """A customer's tickets, newest first."""
    items = TicketItem.by_customer.query(customer_id, scan_index_forward=False, limit=limit, page_size=limit)
    return tuple(
        EarlierTicket(
            _id(item), item.subject or "", item.status, item.channel or "",  # type: ignore[arg-type]
            from_stamp(str(item.created_key).split("#")[0]),
        )
        for item in items
    )  # fmt: skip


# Numbers


_leased: list[int] = []


def next_number() -> str:
    """A fresh ticket number out of a block this function leased: short, human, never one counter in a transaction."""
    if not _leased:
        counter = CounterItem("SEQUENCE", "ticket")
        counter.update(actions=[CounterItem.amount.set((CounterItem.amount | (FIRST_NUMBER - 1)) + NUMBER_BLOCK)])
        last = int(counter.amount)
        _leased.extend(range(last - NUMBER_BLOCK + 1, last + 1))
    return str(_leased.pop(0))


def forget_leases() -> None:
    """Drop the leased block (tests that empty the table)."""
    _leased.clear()
