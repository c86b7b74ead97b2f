"""What the table says twice: a ticket's list keys, and the list of undelivered tickets.  Looked at, and put right.

A ticket is put right only while it is the one that was read, and at its version, so no queue hears of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from chalicelib.domain.ticket import Ticket
from chalicelib.store.models import DocumentItem, TicketItem
from chalicelib.store.tickets import LIST_KEYS, UNDELIVERED, as_ticket, list_keys, ticket_key
from chalicelib.store.transaction import Lost, Transaction

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
"""A ticket stays in "snoozed" until its timer wakes it, however late that is."""


def _mark(ticket_id: str) -> str:
    return f"{int(ticket_id):012d}"


def stored(ticket_ids: Sequence[str]) -> list[TicketItem]:
    """The tickets as they are stored, those that exist."""
    return list(TicketItem.batch_get([(ticket_key(each), "TICKET") for each in ticket_ids], consistent_read=True))


def put_lists_right(items: Iterable[TicketItem]) -> int:
    """Returns how many of the tickets were not, or not rightly, in their lists."""
    read = [(item, as_ticket(item)) for item in items]
    marks = _marks([ticket.id for _, ticket in read if ticket.is_undelivered])
    return sum(_put_right(item, ticket, ticket.is_undelivered and ticket.id not in marks) for item, ticket in read)


def take_stale_marks() -> int:
    """Take off the "undelivered" list what has no business there; returns how many."""
    taken = 0
    for marks in _pages():
        listed = list(dict.fromkeys(str(int(mark)) for mark in marks))
        found = {ticket.id: (item, ticket) for item in stored(listed) for ticket in [as_ticket(item)]}
        for ticket_id in listed:
            if ticket_id not in found:
                DocumentItem(UNDELIVERED, _mark(ticket_id)).delete()
                taken += 1
            elif not found[ticket_id][1].is_undelivered:
                taken += _write(*found[ticket_id], mark=False)
    return taken


def _marks(ticket_ids: Sequence[str]) -> set[str]:
    found = DocumentItem.batch_get([(UNDELIVERED, _mark(each)) for each in ticket_ids], consistent_read=True)
    return {str(int(item.sk)) for item in found}


def _pages(size: int = 100) -> Iterator[list[str]]:
    page: list[str] = []
    for item in DocumentItem.query(UNDELIVERED, consistent_read=True, page_size=size):
        page.append(str(item.sk))
        if len(page) == size:
            yield page
            page = []
    yield page


def _put_right(item: TicketItem, ticket: Ticket, mark_missing: bool) -> bool:
    wanted = list_keys(ticket, BEFORE_ALL)
    if not mark_missing and all(getattr(item, name) == wanted[name] for name in LIST_KEYS):
        return False
    return _write(item, ticket, mark=True if mark_missing else None)


def _write(item: TicketItem, ticket: Ticket, mark: bool | None) -> bool:
    """Write the list keys, and put or take the mark; False when the ticket moved meanwhile, and so was put right."""
    keys = list_keys(ticket, BEFORE_ALL)
    attributes = {name: getattr(TicketItem, name) for name in LIST_KEYS}
    actions = [
        attributes[name].remove() if keys[name] is None else attributes[name].set(keys[name]) for name in LIST_KEYS
    ]
    transaction = Transaction()
    transaction.update("ticket", item, actions, TicketItem.version == item.version)
    marked = DocumentItem(UNDELIVERED, _mark(ticket.id))
    if mark is not None:
        (transaction.put if mark else transaction.delete)("undelivered", marked)
    try:
        transaction.commit()
    except Lost:
        return False
    return True
