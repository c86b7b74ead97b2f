"""Who is away, and what becomes of the tickets they hold (docs/domain/routing.md)."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.moments import from_stamp, stamp, whole_milliseconds
from chalicelib.domain.people import SYSTEM, Actor, Agent, Away
from chalicelib.domain.ticket import Ticket
from chalicelib.errors import Conflict, InvalidInput, NotFound
from chalicelib.services import audit
from chalicelib.services.change_ticket import ATTEMPTS, event_message
from chalicelib.store import directory, documents, lists, messages, staff, tickets
from chalicelib.store.lists import ListName
from chalicelib.store.models import DocumentItem
from chalicelib.store.pending import pending_key
from chalicelib.store.transaction import Lost, Transaction

MAX_AWAY_DAYS = 370
SECOND_LOOK = timedelta(minutes=1)
"""The tickets of who leaves are looked for at once, and again by the repair: an index may not have known one yet."""
PAGE = 100
GONE = "cannot take tickets any more"


@dataclass(frozen=True)
class Leaving:
    """Somebody stopped taking tickets: what they hold is to be handed back.  The item goes when that is done."""

    since: datetime


def leave(agent_id: str, until: datetime | None, actor: Actor, at: datetime) -> Agent:
    """Note that the agent is away; the worker hands back what waits with them.

    Raises:
        InvalidInput: a time that is past or too far ahead; ``fields`` names ``until``.
        Conflict: somebody to whom no ticket can be given.
    """
    at = whole_milliseconds(at)
    until = _checked(until, at)

    def apply(before: Agent) -> Agent:
        if not before.may_take:
            raise Conflict(f"{before.name} takes no tickets.")
        since = before.away.since if before.away is not None and before.is_away(at) else at
        return replace(before, away=Away(since, until))

    before, after = staff.change_agent(agent_id, apply, note_leaving(at))
    if after != before:
        audit.record(actor, "Went away", f"{after.name}{f' until {stamp(until)}' if until else ''}", at)
    return after


def come_back(agent_id: str, actor: Actor, at: datetime) -> Agent:
    """Note that the agent is there again."""
    before, after = staff.change_agent(agent_id, lambda before: replace(before, away=None))
    if before.is_away(at):
        audit.record(actor, "Came back", after.name, at)
    return after


def _checked(until: datetime | None, at: datetime) -> datetime | None:
    if until is None:
        return None
    if until <= at:
        raise InvalidInput("That time is past.", {"until": "Choose a time that lies ahead."})
    if until > at + timedelta(days=MAX_AWAY_DAYS):
        raise InvalidInput("That is too far ahead.", {"until": "Choose a time within a year."})
    return whole_milliseconds(until)


def note_leaving(at: datetime) -> staff.Beside:
    """An item for whoever is absent now and was not before: its consequence is carried by a pending mark."""

    def beside(transaction: Transaction, before: Agent, after: Agent) -> None:
        if absence(after, at) and not absence(before, at):
            transaction.put("leaving", leaving_item(after.id, at))

    return beside


def leaving_item(agent_id: str, at: datetime) -> DocumentItem:
    item = documents.item(_key(agent_id), stamp(at), Leaving(at))
    item.time_key, item.time_at = pending_key(f"{agent_id}#leaving", at)
    return item


def _key(agent_id: str) -> str:
    return f"LEAVING#{agent_id}"


def absence(agent: Agent, at: datetime) -> str:
    """Why nothing is given to this agent by itself, as the rest of a sentence; "" when something can be."""
    if not agent.may_take:
        return GONE
    return "is away" if agent.is_away(at) else ""


# What they hold


def hand_over(agent_id: str, since: str, at: datetime) -> int:
    """Hand back what waits with somebody who left; returns how many tickets.  Whoever is back keeps theirs."""
    if documents.read(Leaving, _key(agent_id), since) is None:
        return 0
    why = _why_absent(agent_id, at)
    handed = sum(_hand_back(each, agent_id, why, at) for each in _waiting_with(agent_id)) if why else 0
    if not why or at >= from_stamp(since) + SECOND_LOOK:
        documents.delete(_key(agent_id), since)
    return handed


def _waiting_with(agent_id: str) -> list[str]:
    """Longest waiting first."""
    found, cursor = [], None
    while True:
        page = lists.page(ListName("mine", agent_id), cursor=cursor, limit=PAGE)
        found += [(each.waiting_since, each.id) for each in page.rows if each.status == "open" and each.waiting_since]
        cursor = page.next
        if cursor is None:
            return [ticket_id for _, ticket_id in sorted(found)]


def hand_back_of_absent(ticket_id: str, at: datetime) -> bool:
    """The customer wrote again, or the snooze is over: the ticket does not wait for somebody who is not there."""
    ticket = tickets.get(ticket_id)
    if not _waits(ticket) or not ticket.assignee_id:
        return False
    why = _why_absent(ticket.assignee_id, at)
    return bool(why) and _hand_back(ticket.id, ticket.assignee_id, why, at)


def _why_absent(agent_id: str, at: datetime) -> str:
    try:
        agent = directory.agent(agent_id)
    except NotFound:
        return f"who had it {GONE}"
    why = absence(agent, at)
    return f"{agent.name} {why}" if why else ""


def _waits(ticket: Ticket) -> bool:
    return ticket.status == "open" and ticket.waiting_since is not None


def _hand_back(ticket_id: str, agent_id: str, why: str, at: datetime) -> bool:
    """Nobody's again, with the reason in its history; False when it does not wait with this agent any more."""
    for _ in range(ATTEMPTS):
        before = tickets.load(ticket_id)
        if before.ticket.assignee_id != agent_id or not _waits(before.ticket):
            return False
        transaction = Transaction()
        tickets.put_changed(transaction, before, replace(before.ticket, assignee_id=None), at)
        event = event_message(before.ticket, SYSTEM, at, secrets.token_bytes(16), assignee_id="", why=why)
        transaction.put("event", messages.as_item(event))
        try:
            transaction.commit()
        except Lost:
            continue
        return True
    raise Conflict("the ticket is changing too quickly to hand it back")
