"""Tickets about one matter go on as one, and are taken apart again.  The rule is in ``domain.merging``.

Each is one transaction that names the version of every ticket it touches: two merges at once cannot make a circle, and
nobody sees half of one.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.merging import Merge, check_may_merge, joined, kept_of, outermost, parted
from chalicelib.domain.moments import whole_milliseconds
from chalicelib.domain.people import Actor
from chalicelib.domain.ticket import AnsweredElsewhere, Ticket, wait_of
from chalicelib.errors import Conflict, InvalidInput, NotFound
from chalicelib.services.change_ticket import event_message, snooze_timer
from chalicelib.services.said import answers_to, find, left_waiting, stands
from chalicelib.store import merges, messages, tickets
from chalicelib.store.tickets import Loaded
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5
TOO_QUICK = "These tickets are changing too quickly. Look at them again, then repeat."


@dataclass(frozen=True)
class MergedTicket:
    """A ticket that goes on in another.  ``outermost``: it can be taken out again; the others came along with one."""

    ticket: Ticket
    outermost: bool


def merge(survivor_id: str, ticket_ids: Sequence[str], actor: Actor, at: datetime) -> Ticket:
    """Let these tickets go on in the survivor, or in whatever that was merged into; repeatable.

    Raises:
        NotFound: one of them is not there.
        InvalidInput, Conflict: they cannot be merged; the sentence says why.
    """
    at = whole_milliseconds(at)
    wanted = list(dict.fromkeys(_number(each) for each in ticket_ids))
    for _ in range(ATTEMPTS):
        survivor = tickets.load(survivor_id)
        if survivor.ticket.id != survivor_id and survivor.ticket.id in wanted:
            raise Conflict(f"Ticket {survivor_id} was merged into ticket {survivor.ticket.id} already.")
        missing = [each for each in wanted if each not in survivor.ticket.merged]
        if wanted and not missing:
            return survivor.ticket
        members = _all(missing)
        check_may_merge(survivor.ticket, [each.ticket for each in members])
        try:
            return _merge_once(survivor, members, actor, at)
        except Lost:
            continue
    raise Conflict(TOO_QUICK)


def _number(ticket_id: str) -> str:
    """As people write it, with or without its #."""
    number = ticket_id.strip().removeprefix("#")
    if not (number.isascii() and number.isdecimal()):
        raise InvalidInput("That is no ticket number.", {"ticket_ids": "Write numbers like 1042."})
    return str(int(number))


def _all(ticket_ids: Sequence[str]) -> list[Loaded]:
    found = tickets.get_many(ticket_ids, consistent=True)
    gone = next((each for each in ticket_ids if each not in found), None)
    if gone is not None:
        raise NotFound(f"There is no ticket {gone}.")
    return [found[each] for each in ticket_ids]


def _merge_once(survivor: Loaded, members: Sequence[Loaded], actor: Actor, at: datetime) -> Ticket:
    transaction, seed = Transaction(), secrets.token_bytes(16)
    ticket, seen = survivor.ticket, survivor.seen_by
    place = max(merges.of(ticket.id), default=0) + 1
    for n, member in enumerate(members):
        before, seen_before = ticket, seen
        ticket = joined(before, member.ticket)
        ticket = tickets.with_clock(_who_waited(before, member.ticket, ticket), ticket, at)
        if ticket.last_message_id != before.last_message_id:
            seen = member.seen_by | ({actor.id} if actor.kind == "agent" else frozenset())
        record = Merge(member.ticket.id, at, actor.name, kept_of(before), kept_of(ticket),
                       tuple(sorted(seen_before)), tuple(sorted(seen)))  # fmt: skip
        merges.put(transaction, ticket.id, place + n, record)
        _point(transaction, member, ticket.id, at)
        for along in _along(member, member.ticket.id):
            if along.ticket.id == ticket.id:  # the survivor went into the member between our two looks
                raise Lost(frozenset())
            _point(transaction, along, ticket.id, at)
        event = event_message(member.ticket, actor, at, seed + member.ticket.id.encode(), merged_into=ticket.id)
        transaction.put("event", messages.as_item(event))
    stored = tickets.put_changed(transaction, survivor, ticket, at, seen_by=seen)
    names = ", ".join(each.ticket.id for each in members)
    transaction.put("event", messages.as_item(event_message(ticket, actor, at, seed, merged=names)))
    _set_timer(transaction, stored, survivor.ticket)
    transaction.commit()
    return stored


def _who_waited(survivor: Ticket, member: Ticket, together: Ticket) -> Ticket:
    """The ticket whose customer waits for us in the merged one: its clock goes on."""
    return member if wait_of(member) == wait_of(together) != wait_of(survivor) else survivor


def _along(member: Loaded, survivor_id: str) -> list[Loaded]:
    """The tickets that go where this one goes; Lost when somebody took one of them elsewhere between our two looks."""
    found = _all(member.ticket.merged)
    if any(each.ticket.merged_into != survivor_id for each in found):
        raise Lost(frozenset())
    return found


def _point(transaction: Transaction, member: Loaded, survivor_id: str | None, at: datetime) -> None:
    """From now on this ticket goes on there; None: in itself."""
    tickets.put_changed(transaction, member, replace(member.ticket, merged_into=survivor_id), at)


def _set_timer(transaction: Transaction, after: Ticket, before: Ticket) -> None:
    """A ticket that sleeps again needs its timer: while it was awake the one it had may have come and gone."""
    if after.snoozed_until is not None and after.snoozed_until != before.snoozed_until:
        transaction.put("timer", snooze_timer(after.id, after.snoozed_until))


def unmerge(survivor_id: str, ticket_ids: Sequence[str], actor: Actor, at: datetime) -> Ticket:
    """Take these tickets out again: each is what it was, and the survivor what it would be without them; repeatable.

    What came or was written meanwhile stays with the survivor.
    """
    at = whole_milliseconds(at)
    wanted = list(dict.fromkeys(_number(each) for each in ticket_ids))
    if not wanted:
        raise InvalidInput("There is nothing to take out.", {"ticket_ids": "Name at least one merged ticket."})
    for ticket_id in wanted:
        _unmerge_one(survivor_id, ticket_id, actor, at)
    return tickets.get(survivor_id)


def _unmerge_one(survivor_id: str, ticket_id: str, actor: Actor, at: datetime) -> None:
    for _ in range(ATTEMPTS):
        survivor = tickets.load(survivor_id)
        gone = tickets.exactly(ticket_id)
        if gone.ticket.merged_into is None:
            return
        if gone.ticket.merged_into != survivor.ticket.id:
            raise Conflict(f"Ticket {ticket_id} was merged into ticket {gone.ticket.merged_into}, not into this one.")
        try:
            _unmerge_once(survivor, gone, actor, at)
        except Lost:
            continue
        return
    raise Conflict(TOO_QUICK)


def _unmerge_once(survivor: Loaded, gone: Loaded, actor: Actor, at: datetime) -> None:
    ticket = survivor.ticket
    others = {each.ticket.id: each for each in _along(survivor, ticket.id)}
    if not {gone.ticket.id, *gone.ticket.merged} <= others.keys():
        raise Lost(frozenset())  # what we read of the two does not fit together: look again
    with_it = next((each for each in others.values() if gone.ticket.id in each.ticket.merged), None)
    if with_it is not None:
        came_with = f"Ticket {gone.ticket.id} came along with ticket {with_it.ticket.id}. Take that one out first."
        raise Conflict(came_with)
    records = merges.of(ticket.id)
    record = next((each for each in records.values() if each.member_id == gone.ticket.id), None)
    if record is None:
        raise Lost(frozenset())
    out = {gone.ticket.id, *gone.ticket.merged}
    trouble = messages.flagged_since([ticket.id, *(each for each in ticket.merged if each not in out)], record.at)
    result = parted(ticket, list(records.values()), gone.ticket, {each: others[each].ticket for each in others},
                    survivor.seen_by, trouble)  # fmt: skip
    transaction, seed = Transaction(), secrets.token_bytes(16)
    members = (gone, *(others[along] for along in gone.ticket.merged))
    there = {each.ticket.id: _answered_there(each.ticket, ticket, out) for each in members}
    for each in members:
        told = replace(each, ticket=replace(each.ticket, answered_elsewhere=there[each.ticket.id]))
        _point(transaction, told, None if each is gone else gone.ticket.id, at)
    if gone.ticket.snoozed_until is not None:
        transaction.put("timer", snooze_timer(gone.ticket.id, gone.ticket.snoozed_until))
    left = result.ticket
    if not any(stands(each) for each in answers_to(left, left.last_inbound_id)):
        left = left_waiting(left)  # what was said since may have answered the ticket that goes, and nothing here
    stored = tickets.put_changed(transaction, survivor, left, at, seen_by=result.seen_by)
    _set_timer(transaction, stored, ticket)
    _keep_records(transaction, ticket.id, records, result.records)
    from_it = event_message(gone.ticket, actor, at, seed, unmerged_from=ticket.id, **_in_words(there[gone.ticket.id]))
    transaction.put("event", messages.as_item(from_it))
    behind = event_message(ticket, actor, at, seed + b"survivor", unmerged=gone.ticket.id)
    transaction.put("event", messages.as_item(behind))
    transaction.commit()


def _answered_there(member: Ticket, survivor: Ticket, out: Collection[str]) -> AnsweredElsewhere | None:
    """An answer to the member's customer that stays behind.  ``out``: the tickets that leave."""
    question_id = member.last_inbound_id
    stays = [each for each in answers_to(survivor, question_id) if each.ticket_id not in out]
    if stays:
        return AnsweredElsewhere(question_id, stays[-1].ticket_id, stays[-1].id)
    before = (member.answered_elsewhere, survivor.answered_elsewhere)  # either was taken out of another one before
    return next((each for each in before if each is not None and each.question_id == question_id), None)


def _in_words(there: AnsweredElsewhere | None) -> dict[str, str]:
    """For the history of the ticket that was taken out."""
    answer = find(there.ticket_id, there.message_id) if there else None
    return {"answered_there": answer.author_name} if answer else {}


def _keep_records(transaction: Transaction, ticket_id: str, before: dict[int, Merge], after: Sequence[Merge]) -> None:
    """The records of those that stay, each in its place; what it says may have changed."""
    left = {each.member_id: each for each in after}
    for place, record in before.items():
        stays = left.get(record.member_id)
        if stays is None:
            merges.delete(transaction, ticket_id, place)
        elif stays != record:
            merges.put(transaction, ticket_id, place, stays)


def merged_tickets(ticket: Ticket) -> tuple[MergedTicket, ...]:
    """The tickets that go on in this one, in the order in which they came."""
    if not ticket.merged:
        return ()
    found = tickets.get_many(ticket.merged)
    known = {each: found[each].ticket for each in ticket.merged if each in found}
    direct = frozenset(outermost(known))
    return tuple(MergedTicket(each, each.id in direct) for each in known.values())
