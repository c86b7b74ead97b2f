"""Who has a ticket, how it stands, its tags: every change is one conditional write with its line in the history."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from chalicelib.domain.message import Message
from chalicelib.domain.moments import sortable_id, stamp, whole_milliseconds
from chalicelib.domain.people import SYSTEM, Actor
from chalicelib.domain.ticket import (
    DONE,
    LIVE,
    PRIORITIES,
    STATUSES,
    Priority,
    SetAside,
    Status,
    Ticket,
    checked_subject,
    checked_tags,
)
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.services import notices
from chalicelib.store import customers, directory, documents, messages, tickets
from chalicelib.store.models import DocumentItem
from chalicelib.store.pending import timer_key
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5
MAX_SNOOZE_DAYS = 370


class _Keep:
    """Leave it as it is (None means nobody, or never)."""


KEEP: Final = _Keep()


@dataclass(frozen=True)
class Changes:
    """What to change; a field left out stays."""

    status: Status | None = None
    assignee_id: str | _Keep | None = KEEP
    team_id: str | _Keep | None = KEEP
    priority: Priority | None = None
    tags: tuple[str, ...] | None = None
    subject: str | None = None
    snoozed_until: datetime | _Keep | None = KEEP


def change(ticket_id: str, actor: Actor, wanted: Changes, at: datetime, expected_version: int | None = None) -> Ticket:
    """Change a ticket and write its history.

    Raises:
        InvalidInput: a value that cannot be; ``fields`` says which.
        Conflict: somebody changed it since ``expected_version``, or too many at once.
    """
    at = whole_milliseconds(at)
    for _ in range(ATTEMPTS):
        before = tickets.load(ticket_id)
        if expected_version is not None and before.ticket.version != expected_version:
            raise Conflict("Somebody changed this ticket meanwhile. Look at it again.")
        after, changed = _changed(before.ticket, wanted, at)
        if not changed:
            return before.ticket
        transaction = Transaction()
        stored = tickets.put_changed(transaction, before, after, at)
        event = event_message(before.ticket, actor, at, secrets.token_bytes(16), **changed)
        transaction.put("event", messages.as_item(event))
        _set_snooze_timer(transaction, stored, before.ticket)
        _tell_assignee(transaction, before.ticket, stored, actor, at)
        try:
            transaction.commit()
        except Lost:
            continue
        return stored
    raise Conflict("The ticket is changing too quickly. Look at it again, then repeat.")


def _changed(ticket: Ticket, wanted: Changes, at: datetime) -> tuple[Ticket, dict[str, str]]:
    """The ticket with the changes, and what the history says of each."""
    values: dict[str, Any] = {}
    said: dict[str, str] = {}

    def note(field: str, value: Any, words: str) -> None:
        if getattr(ticket, field) != value:
            values[field] = value
            said[field] = words

    if wanted.status is not None:
        if wanted.status not in STATUSES:
            raise InvalidInput("That status is not one of ours.", {"status": f"One of {', '.join(STATUSES)}."})
        note("status", wanted.status, wanted.status)
    if wanted.priority is not None:
        if wanted.priority not in PRIORITIES:
            raise InvalidInput("That priority is not one of ours.", {"priority": f"One of {', '.join(PRIORITIES)}."})
        note("priority", wanted.priority, wanted.priority)
    if not isinstance(wanted.assignee_id, _Keep):
        note("assignee_id", wanted.assignee_id, _agent_name(wanted.assignee_id))
    if not isinstance(wanted.team_id, _Keep):
        note("team_id", wanted.team_id, _team_name(wanted.team_id))
    if wanted.tags is not None:
        tags = checked_tags(wanted.tags)
        note("tags", tags, ", ".join(tags))
    if wanted.subject is not None:
        subject = checked_subject(wanted.subject)
        note("subject", subject, subject)
    if not isinstance(wanted.snoozed_until, _Keep):
        until = _checked_snooze(wanted.snoozed_until, at)
        note("snoozed_until", until, stamp(until) if until else "")
    after: Ticket = replace(ticket, **values)
    if "status" not in values:
        return after, said
    if after.status not in LIVE:
        return _put_away(ticket, after, at), said
    back = _brought_back(ticket, after, at, keeps_snooze=isinstance(wanted.snoozed_until, _Keep))
    if back.snoozed_until is not None and back.snoozed_until != after.snoozed_until:
        said["snoozed_until"] = stamp(back.snoozed_until)
    return back, said


def _put_away(ticket: Ticket, after: Ticket, at: datetime) -> Ticket:
    before = ticket.status if ticket.status in LIVE or ticket.status in DONE else ticket.status_before
    aside = ticket.set_aside or SetAside()
    aside = SetAside(
        ticket.waiting_since or aside.waiting_since,
        ticket.snoozed_until or aside.snoozed_until,
    )
    return replace(
        after,
        closed_at=at,
        status_before=before,
        snoozed_until=None,
        waiting_since=None if after.status in DONE else ticket.waiting_since,
        set_aside=aside if aside != SetAside() else None,
    )


def _brought_back(ticket: Ticket, after: Ticket, at: datetime, keeps_snooze: bool) -> Ticket:
    """Whoever waited waits on; a snooze goes on only while its time lies ahead, and gives way to a new one."""
    aside = ticket.set_aside or SetAside()
    until = after.snoozed_until
    if until is None and keeps_snooze and aside.snoozed_until is not None and aside.snoozed_until > at:
        until = aside.snoozed_until
    return replace(
        after,
        closed_at=None,
        snoozed_until=until,
        waiting_since=ticket.waiting_since or aside.waiting_since,
        set_aside=None,
    )


def _agent_name(agent_id: str | None) -> str:
    if agent_id is None:
        return ""
    agent = directory.agent(agent_id)
    if not agent.may_take:
        raise InvalidInput(f"{agent.name} cannot take tickets.", {"assignee_id": "Choose an active agent."})
    return agent.name


def _team_name(team_id: str | None) -> str:
    return directory.team(team_id).name if team_id else ""


def _checked_snooze(until: datetime | None, at: datetime) -> datetime | None:
    if until is None:
        return None
    if until <= at:
        raise InvalidInput("That time is past.", {"snoozed_until": "Choose a time that lies ahead."})
    if until > at + timedelta(days=MAX_SNOOZE_DAYS):
        raise InvalidInput("That is too far ahead.", {"snoozed_until": "Choose a time within a year."})
    return whole_milliseconds(until)


def event_message(ticket: Ticket, actor: Actor, at: datetime, seed: bytes, **changed: str) -> Message:
    """One grey line of the history: what changed, to what, by whom."""
    return Message(
        id=sortable_id("m", at, b"event" + seed), ticket_id=ticket.id, kind="event", direction="out",
        author_kind=actor.kind, author_id=actor.id, author_name=actor.name, at=at, sent_at=at, text="",
        inbox_id=ticket.inbox_id, event=changed,
    )  # fmt: skip


# Snooze


@dataclass(frozen=True)
class Timer:
    """What wakes when: ``due`` as a stamp, so that a timer set anew is another one."""

    kind: str
    ticket_id: str
    due: str


def _set_snooze_timer(transaction: Transaction, after: Ticket, before: Ticket) -> None:
    until = after.snoozed_until
    if until is None or until == before.snoozed_until:
        return  # a timer that finds its ticket awake, or snoozed to another time, does nothing
    transaction.put("timer", snooze_timer(after.id, until))


def snooze_timer(ticket_id: str, until: datetime) -> DocumentItem:
    """What wakes a snoozed ticket; one for another time is another timer."""
    timer = Timer("snooze", ticket_id, stamp(until))
    item = documents.item(tickets.ticket_key(ticket_id), "TIMER#snooze", timer)
    item.time_key, item.time_at = timer_key(f"{ticket_id}#snooze", until)
    return item


def wake(timer: Timer, at: datetime) -> bool:
    """A snoozed ticket comes back, once; False when it was not snoozed to this time any more."""
    for _ in range(ATTEMPTS):
        before = tickets.load(timer.ticket_id)
        until = before.ticket.snoozed_until
        if until is None or stamp(until) != timer.due:
            return False
        after = replace(before.ticket, snoozed_until=None, updated_at=max(before.ticket.updated_at, until))
        transaction = Transaction()
        tickets.put_changed(transaction, before, after, at, keep_seen=False)
        event = event_message(before.ticket, SYSTEM, at, timer.due.encode(), woke="1")
        transaction.put("event", messages.as_item(event))
        try:
            transaction.commit()
        except Lost:
            continue
        return True
    raise Conflict("the ticket is changing too quickly to wake it")


# Telling the assignee


def _tell_assignee(transaction: Transaction, before: Ticket, after: Ticket, actor: Actor, at: datetime) -> None:
    if not after.assignee_id or after.assignee_id in (before.assignee_id, actor.id):
        return
    if directory.agent(after.assignee_id).notify:
        text = f"{actor.name} assigned ticket #{after.id} to you: {after.subject}"
        transaction.put("notice", notices.item(after.assignee_id, "assigned", after.id, text, at))


# Spam, trash, block


def restore(ticket_id: str, actor: Actor, at: datetime) -> Ticket:
    """Back out of spam or trash to where it was; not spam unblocks the sender too."""
    ticket = tickets.get(ticket_id)
    if ticket.status not in ("spam", "trash"):
        raise Conflict("This ticket is neither spam nor in the trash.")
    if ticket.status == "spam":
        customers.mark_handle(customers.handle_name(ticket.channel, ticket.customer_handle), blocked=False)
    back: Status = ticket.status_before if ticket.status_before not in (None, "spam", "trash") else "open"
    return change(ticket_id, actor, Changes(status=back), at)


def block_sender(ticket_id: str, actor: Actor, at: datetime) -> Ticket:
    """What this sender writes goes to spam from now on; so does this ticket."""
    ticket = tickets.get(ticket_id)
    customers.mark_handle(customers.handle_name(ticket.channel, ticket.customer_handle), blocked=True)
    return change(ticket_id, actor, Changes(status="spam"), at)
