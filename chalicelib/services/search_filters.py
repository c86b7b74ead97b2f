"""What a ticket's own fields decide in a search: ``from:``, ``is:``, ``in:``, ``tag:``, ``assignee:`` and the days."""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta

from chalicelib.domain import terms
from chalicelib.domain.query import Clause, Query
from chalicelib.domain.ticket import DONE, LIVE, STATUSES, Ticket, TicketRow
from chalicelib.errors import InvalidInput
from chalicelib.store import directory
from chalicelib.store.lists import ListName

MONTHS = 12
"""So far back go filters without words, unless they say since when."""
MOST_MONTHS = 120
NOBODY = ("nobody", "none", "-")

Fits = Callable[[Ticket | TicketRow], bool]


def filter_of(query: Query, at: datetime, me: str, zone: str) -> Fits:
    """Raise InvalidInput for an inbox or an agent that is not there."""
    from zoneinfo import ZoneInfo

    inboxes, holders = _inbox_ids(query.inboxes), _agent_ids(query.assignees, me)
    days = (query.before, query.after)
    before, after = (datetime.combine(day, time(), ZoneInfo(zone)) if day else None for day in days)
    statuses, tags = {*query.states} & {*STATUSES}, set(query.tags)
    is_late = _lateness(at) if "late" in query.states else None

    def fits(ticket: Ticket | TicketRow) -> bool:
        snoozed = ticket.snoozed_until is not None and ticket.snoozed_until > at
        began = ticket.created_at if isinstance(ticket, Ticket) else None  # a row does not say; its ticket will
        other_inboxes = ticket.other_inbox_ids if isinstance(ticket, Ticket) else ()
        return (
            (not statuses or ticket.status in statuses)
            and ("snoozed" not in query.states or snoozed)
            and ("unassigned" not in query.states or ticket.assignee_id is None)
            and ("undelivered" not in query.states or ticket.undelivered)
            and (is_late is None or is_late(ticket))
            and (not inboxes or not inboxes.isdisjoint((ticket.inbox_id, *other_inboxes)))
            and (not query.senders or (isinstance(ticket, Ticket) and _is_from(ticket, query.senders)))
            and (not holders or ticket.assignee_id in holders)
            and tags <= set(ticket.tags)
            and (before is None or began is None or began < before)
            and (after is None or ticket.updated_at >= after)
        )

    return fits


def _lateness(at: datetime) -> Fits:
    from chalicelib.domain.promises import deadline_of  # calendars and zones, which few searches need
    from chalicelib.store import clocks

    in_force = clocks.in_force(at)

    def is_late(ticket: Ticket | TicketRow) -> bool:
        promised = deadline_of(ticket, in_force, at)
        return promised is not None and promised.late

    return is_late


def _is_from(ticket: Ticket, senders: Sequence[Clause]) -> bool:
    """``from:`` is no term of its own: the ticket says who its customer is, and the index is a quarter smaller."""
    carried = terms.of_text(f"{ticket.customer_name}\n{ticket.customer_handle}")
    return all(any(all(term in carried for term in way) for way in clause) for clause in senders)


def _inbox_ids(named: Sequence[str]) -> set[str]:
    known = directory.inboxes() if named else ()
    found: set[str] = set()
    for name in named:
        asked = terms.folded(name)
        ids = {
            each.id
            for each in known
            if asked in (each.id, terms.folded(each.name), each.address, each.address.partition("@")[0])
        }
        if not ids:
            there = ", ".join(each.name for each in known[:10])
            raise InvalidInput(f"There is no inbox “{name}”. There are: {there}.", {"q": "There is no such inbox."})
        found |= ids
    return found


def _agent_ids(named: Sequence[str], me: str) -> set[str | None]:
    known = directory.agents() if named else ()
    found: set[str | None] = set()
    for name in named:
        asked = terms.folded(name)
        if asked in NOBODY or (asked == "me" and me):
            found.add(me if asked == "me" else None)
            continue
        ids = {each.id for each in known if asked in (each.id, each.email.lower(), *_names(each.name))}
        if not ids:
            raise InvalidInput(f"There is no agent “{name}”.", {"q": "There is no such agent."})
        found |= ids
    return found


def _names(name: str) -> tuple[str, ...]:
    plain = terms.folded(name)
    return (plain, *plain.split())


def lists_of(query: Query, at: datetime) -> list[ListName]:
    """The lists that hold such tickets, the live ones first, then month by month back."""
    marks = {*query.states} - {*STATUSES}
    if "undelivered" in marks:
        return [ListName("undelivered")]
    if "snoozed" in marks:
        return [ListName("snoozed")]
    if "late" in marks:  # who has waited longest comes first, and a snooze stops no clock
        return [ListName("waiting"), ListName("snoozed")]
    unfiled = LIVE if "unassigned" in marks else LIVE | DONE
    statuses = [each for each in STATUSES if each in (query.statuses or unfiled)]
    found = [ListName(each) for each in statuses if each in LIVE]
    if found:
        found.append(ListName("snoozed"))
    filed = [each for each in statuses if each not in LIVE]
    return found + [ListName(each, month) for month in _months(query, at) for each in filed]


def _months(query: Query, at: datetime) -> list[str]:
    """Those in which what is meant may have been filed, newest first."""
    last = at - timedelta(days=31 * (MONTHS - 1))
    if query.after is not None:
        last = datetime.combine(query.after, time(), at.tzinfo)
    found, month = [f"{at:%Y-%m}"], at
    while len(found) < MOST_MONTHS and found[-1] > f"{last:%Y-%m}":
        month = month.replace(day=1) - timedelta(days=1)
        found.append(f"{month:%Y-%m}")
    return found
