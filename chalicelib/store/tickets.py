"""Tickets: reading them, writing them with their index keys, leasing their numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pynamodb.exceptions import UpdateError

from chalicelib.domain.moments import from_stamp, stamp, whole_milliseconds
from chalicelib.domain.ticket import (
    DONE,
    LIVE,
    AnsweredElsewhere,
    Counted,
    SetAside,
    Status,
    Ticket,
    TicketRow,
    is_counted_anew,
)
from chalicelib.errors import NotFound
from chalicelib.store.clock_tail import tail_of
from chalicelib.store.codec import decode, encode
from chalicelib.store.models import CounterItem, DocumentItem, TicketItem
from chalicelib.store.transaction import Transaction

SHARDS = 2
"""A live list lies in two partitions: bounded for the engine, cheap to merge (docs/architecture.md)."""
UNDELIVERED = "LIST#undelivered"
NUMBER_BLOCK = 10
FIRST_NUMBER = 1001
OLDEST_LOOKED_AT = 20


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
    set_aside: SetAside | None = None
    merged_into: str | None = None
    merged: tuple[str, ...] = ()
    answered_elsewhere: AnsweredElsewhere | None = None
    counted: Counted | None = None


REST_FIELDS = (
    "customer_handle", "created_at", "other_inbox_ids", "last_inbound_id", "message_count", "closed_at",
    "linked_ticket_ids", "flags", "status_before", "participants", "conversation_key", "set_aside",
    "merged_into", "merged", "answered_elsewhere", "counted",
)  # fmt: skip


def ticket_key(ticket_id: str) -> str:
    return f"TICKET#{ticket_id}"


def _shard(ticket_id: str) -> int:
    return int(ticket_id) % SHARDS


LIST_KEYS = (
    "status_key", "activity_key", "holder_key", "inbox_key", "wait_key", "waiting_key", "customer_key", "created_key",
)  # fmt: skip


def list_keys(ticket: Ticket, at: datetime) -> dict[str, str | None]:
    """The index keys of a ticket; None keeps it out of that index.

    A snoozed ticket shows in "snoozed" alone.  Filed statuses lie by the month in which they were filed.  A merged
    ticket shows among its customer's alone, and there its key names the ticket that goes on.  The keys that lists sort
    by end with what a row must know of its clock beyond its columns: an index's columns can never be added to.
    """
    if ticket.merged_into is not None:
        keys = dict.fromkeys(LIST_KEYS)
        created = f"{stamp(ticket.created_at)}#{ticket.id}#{ticket.merged_into}"
        return {**keys, "customer_key": ticket.customer_id, "created_key": created}
    snoozed = ticket.snoozed_until is not None and ticket.snoozed_until > at
    live = ticket.status in LIVE
    shard = _shard(ticket.id)
    month = f"{ticket.closed_at or ticket.updated_at:%Y-%m}"
    group = "snoozed" if snoozed else ticket.status
    holder = f"agent#{ticket.assignee_id}" if ticket.assignee_id else f"team#{ticket.team_id or '-'}"
    waits = live and not snoozed and ticket.waiting_since is not None
    tail = f"{ticket.id}{tail_of(ticket)}"
    return {
        "status_key": f"{group}#{shard}" if live else f"{ticket.status}#{month}",
        "activity_key": f"{stamp(ticket.updated_at)}#{tail}",
        "holder_key": holder if live and not snoozed else None,
        "inbox_key": f"{ticket.inbox_id}#{shard}" if live and not snoozed else None,
        "wait_key": f"wait#{shard}" if waits else None,
        "waiting_key": f"{stamp(ticket.waiting_since)}#{tail}" if waits and ticket.waiting_since else None,
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


def moment_of(text: str | None) -> datetime | None:
    return from_stamp(text) if text else None


def tags_of(text: str | None) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()


def _id(item: TicketItem) -> str:
    return str(item.pk).removeprefix("TICKET#")


def as_ticket(item: TicketItem) -> Ticket:
    rest = decode(_Rest, item.data or "{}")
    return Ticket(
        id=_id(item), subject=item.subject or "", status=item.status, priority=item.priority,  # type: ignore[arg-type]  # as written
        inbox_id=item.inbox_id or "", channel=item.channel or "", customer_id=item.customer_id or "",
        customer_name=item.customer_name or "", updated_at=from_stamp(item.updated_at or ""), version=int(item.version),
        assignee_id=item.assignee_id, team_id=item.team_id, tags=tags_of(item.tags), snippet=item.snippet or "",
        waiting_since=moment_of(item.waiting_since), snoozed_until=moment_of(item.snoozed_until),
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


def load(ticket_id: str) -> Loaded:
    """The ticket, or the one that it was merged into; raise NotFound when there is none."""
    found = exactly(ticket_id)
    while found.ticket.merged_into is not None:  # more than one step only where it was merged on between two reads
        found = exactly(found.ticket.merged_into)
    return found


def exactly(ticket_id: str) -> Loaded:
    """The very ticket, merged or not; raise NotFound when there is none."""
    if not ticket_id.isdigit():
        raise NotFound(f"There is no ticket {ticket_id}.")
    try:
        item = TicketItem.get(ticket_key(ticket_id), "TICKET", consistent_read=True)
    except TicketItem.DoesNotExist as error:
        raise NotFound(f"There is no ticket {ticket_id}.") from error
    return Loaded(as_ticket(item), frozenset(item.seen_by or ()))


def get(ticket_id: str) -> Ticket:
    return load(ticket_id).ticket


def get_many(ticket_ids: Sequence[str], consistent: bool = False) -> dict[str, Loaded]:
    """Those of the tickets that exist, by id: merged ones as they are."""
    keys = [(ticket_key(each), "TICKET") for each in dict.fromkeys(ticket_ids)]
    found = TicketItem.batch_get(keys, consistent_read=consistent)
    return {_id(item): Loaded(as_ticket(item), frozenset(item.seen_by or ())) for item in found}


def survivors(ticket_ids: Sequence[str], consistent: bool = False) -> dict[str, Loaded]:
    """Those of the tickets that exist, merges followed, each under the id it was asked by."""
    found = get_many(ticket_ids, consistent)
    return {asked: load(asked) if each.ticket.merged_into is not None else each for asked, each in found.items()}


def concerned(ticket_id: str) -> list[Loaded]:
    """Every ticket that tells of a message kept under this id: the one that goes on first.

    Of a merged ticket it is also that ticket itself, and whichever had taken it in before it was merged in turn: what
    becomes of a message must be true of each when they are taken apart again.
    """
    own = exactly(ticket_id)
    survivor = load(ticket_id) if own.ticket.merged_into is not None else own
    if survivor.ticket.id == ticket_id:
        return [survivor]
    others = [each for each in survivor.ticket.merged if each != ticket_id]
    between = [
        each for each in get_many(others, consistent=True).values()
        if ticket_id in each.ticket.merged and each.ticket.merged_into == survivor.ticket.id
    ] if others else []  # fmt: skip
    return [survivor, *between, own]


def put_changed(
    transaction: Transaction,
    before: Loaded,
    after: Ticket,
    at: datetime,
    keep_seen: bool = True,
    seen_by: Iterable[str] | None = None,
) -> Ticket:
    """Add to ``transaction`` the write of ``after``, refused (label "ticket") when ``before`` is no longer current.

    ``keep_seen`` False makes it unread for everybody; ``seen_by``: for whom alone it is not.  Returns the ticket as it
    will be stored.
    """
    after = _wait_in_place(after)
    stored = replace(with_clock(before.ticket, after, at), version=before.ticket.version + 1)
    if stored.is_undelivered and not before.ticket.is_undelivered:
        transaction.put("undelivered", DocumentItem(UNDELIVERED, f"{int(stored.id):012d}"))
    if before.ticket.is_undelivered and not stored.is_undelivered:
        transaction.delete("undelivered", DocumentItem(UNDELIVERED, f"{int(stored.id):012d}"))
    seen = before.seen_by if seen_by is None else seen_by
    item = as_item(stored, at, seen if keep_seen else ())
    transaction.put("ticket", item, TicketItem.version == before.ticket.version)
    return stored


def with_clock(before: Ticket, after: Ticket, at: datetime) -> Ticket:
    """Whoever pauses the clock or hands the ticket on, and by what: how far it had come is not forgotten."""
    if not is_counted_anew(before, after):
        return after
    from chalicelib.domain import promises  # calendars and zones cost a cold start, and few writes need them
    from chalicelib.store import clocks

    return replace(after, counted=promises.counted(before, after, clocks.read(), whole_milliseconds(at)))


def _wait_in_place(ticket: Ticket) -> Ticket:
    """Whoever brings a ticket back or ends its work, and by what: who waited and was not answered is not forgotten.

    Of a live ticket its own fields tell, of one whose work is over what was set aside.
    """
    aside = ticket.set_aside or SetAside()
    since = ticket.waiting_since or aside.waiting_since
    if ticket.status in LIVE:
        return replace(ticket, waiting_since=since, set_aside=None)
    if ticket.status in DONE and ticket.waiting_since is not None:
        return replace(ticket, waiting_since=None, set_aside=replace(aside, waiting_since=since))
    return ticket


def mark_seen(ticket_id: str, agent_id: str, seen: bool = True) -> None:
    """Note that the agent has (or, for "mark unread", has not) seen the newest message."""
    change = TicketItem.seen_by.add({agent_id}) if seen else TicketItem.seen_by.delete({agent_id})
    try:
        TicketItem(ticket_key(ticket_id), "TICKET").update(actions=[change], condition=TicketItem.pk.exists())
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise NotFound(f"There is no ticket {ticket_id}.") from error
        raise


@dataclass(frozen=True)
class EarlierTicket:
    id: str
    subject: str
    status: Status
    channel: str
    created_at: datetime
    merged_into: str | None = None


def of_customer(customer_id: str, limit: int = 20) -> tuple[EarlierTicket, ...]:
    """A customer's tickets, newest first."""
    items = TicketItem.by_customer.query(customer_id, scan_index_forward=False, limit=limit, page_size=limit)
    return tuple(
        EarlierTicket(
            _id(item), item.subject or "", item.status, item.channel or "",  # type: ignore[arg-type]  # as written
            from_stamp(str(item.created_key).split("#")[0]), next(iter(str(item.created_key).split("#")[2:]), None),
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


def last_number() -> int:
    """The highest number that was ever leased; below it are all tickets there are."""
    try:
        return int(CounterItem.get("SEQUENCE", "ticket", consistent_read=True).amount)
    except CounterItem.DoesNotExist:
        return FIRST_NUMBER - 1


def oldest() -> Ticket | None:
    """The ticket with the lowest number (a block whose function died before it used any holds none)."""
    for first in range(FIRST_NUMBER, last_number() + 1, OLDEST_LOOKED_AT):
        found = get_many([str(number) for number in range(first, first + OLDEST_LOOKED_AT)])
        if found:
            return min((each.ticket for each in found.values()), key=lambda ticket: ticket.number)
    return None


def forget_leases() -> None:
    """Drop the leased block (tests that empty the table)."""
    _leased.clear()
