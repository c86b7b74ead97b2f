"""Which of the desk's lists a call means, and reading on from one list into the next.

The desk has no list of everything: each list lies in a few bounded partitions.  A call names one of them, or several
that follow each other; further filters only leave rows out of a page, so a page may hold fewer rows than asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from chalicelib.domain.ticket import TicketRow
from chalicelib.errors import InvalidInput
from chalicelib.store import directory, lists
from chalicelib.store.lists import ListKind, ListName

LIVE_LISTS = (ListName("open"), ListName("pending"), ListName("snoozed"))
OF_SOMEBODY: tuple[ListKind, ...] = ("mine", "inbox", "team")
"""Lists that belong to somebody: asked for by assignee_id, inbox_id or team_id."""
LIST_KINDS: tuple[ListKind, ...] = tuple(kind for kind in get_args(ListKind) if kind not in OF_SOMEBODY)
FILED = ("resolved", "closed", "spam", "trash")
RESOLVED: tuple[ListKind, ...] = ("resolved", "closed")
MONTHS_READ = 2
"""Filed tickets lie by month; without ``month`` the present and the last one are read."""


@dataclass(frozen=True)
class Section:
    """One list within an answer.  ``name`` stands in the cursor."""

    name: str
    of: ListName


def months(at: datetime, asked: str | None) -> tuple[str, ...]:
    if asked:
        return (asked,)
    before = (at.year, at.month - 1) if at.month > 1 else (at.year - 1, 12)
    return (f"{at:%Y-%m}", f"{before[0]:04d}-{before[1]:02d}")[:MONTHS_READ]


def sections(query: Mapping[str, Any], at: datetime) -> tuple[Section, ...]:
    """The lists that hold what is asked for, the narrowest that there are; ``keeps`` leaves out the rest."""
    named: ListKind | None = query.get("list")
    kind = named or query.get("status")
    if kind in FILED:
        return tuple(_section(ListName(kind, each)) for each in months(at, query.get("month")))
    if named == "unassigned" and "team_id" in query:
        return (_section(ListName("team", query["team_id"])),)
    if named:
        return (_section(ListName(named)),)
    if "assignee_id" in query:
        return (_section(ListName("mine", query["assignee_id"])), _section(ListName("snoozed")))
    if "inbox_id" in query:
        return (_section(ListName("inbox", query["inbox_id"])), _section(ListName("snoozed")))
    if kind in ("open", "pending"):
        return (_section(ListName(kind)), _section(ListName("snoozed")))
    if "team_id" in query:
        return tuple(_section(each) for each in LIVE_LISTS)
    filed = [ListName(each, month) for month in months(at, query.get("month")) for each in RESOLVED]
    return tuple(_section(each) for each in (*LIVE_LISTS, *filed))


def _section(of: ListName) -> Section:
    return Section(f"{of.kind}~{of.of}" if of.of else of.kind, of)


def keeps(query: Mapping[str, Any]) -> Callable[[TicketRow], bool]:
    """Whether a row of the list is among what was asked for."""
    wanted = {name: query[name] for name in ("status", "assignee_id", "team_id", "inbox_id") if name in query}
    return lambda row: all(getattr(row, name) == value for name, value in wanted.items())


def read(
    chosen: tuple[Section, ...], cursor: str | None, limit: int, keep: Callable[[TicketRow], bool]
) -> tuple[list[TicketRow], str | None]:
    """Rows from ``cursor`` on, and the cursor of those behind them.

    Stops at a full page, or at the end of a list that gave something but fewer: an answer costs a page or two.
    """
    start, inner = _position(chosen, cursor)
    needs_teams = any(each.of.kind == "unassigned" for each in chosen)
    team_ids = tuple(team.id for team in directory.teams()) if needs_teams else ()
    rows: list[TicketRow] = []
    for index in range(start, len(chosen)):
        found = lists.page(chosen[index].of, team_ids, inner, limit - len(rows))
        rows += [row for row in found.rows if keep(row)]
        if found.next is not None:
            return rows, f"{chosen[index].name}.{found.next}"
        inner = None
        if len(rows) >= limit:
            behind = chosen[index + 1].name if index + 1 < len(chosen) else None
            return rows, f"{behind}." if behind else None
    return rows, None


def _position(chosen: tuple[Section, ...], cursor: str | None) -> tuple[int, str | None]:
    if not cursor:
        return 0, None
    name, _, inner = cursor.rpartition(".")
    index = next((index for index, each in enumerate(chosen) if each.name == name), None)
    if index is None:
        raise InvalidInput(
            "The cursor does not belong to this list.",
            {"cursor": "Give the `next` of the page before, with the same filters."},
        )
    return index, inner or None
