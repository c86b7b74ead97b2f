"""What becomes of a message that failed or whose fate nobody knows: it is settled, or sent again as a copy."""

import secrets
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.message import Message, Party
from chalicelib.domain.moments import sortable_id, whole_milliseconds
from chalicelib.domain.people import Actor
from chalicelib.domain.threading import AUTOMATIC
from chalicelib.domain.ticket import SetAside, Ticket
from chalicelib.errors import Conflict, NotFound
from chalicelib.services import record_state
from chalicelib.services.receive_message import with_participants
from chalicelib.services.reply_to_ticket import Reply, recipients_of, took_part
from chalicelib.services.said import is_ours, memory, speaks_to_customer
from chalicelib.store import directory, messages, tickets
from chalicelib.store.tickets import Loaded
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5
RECENT_MESSAGES = 50


def settle_unclear(ticket_id: str, message_id: str, actor: Actor, arrived: bool, at: datetime) -> Message:
    """An agent decides about a message nobody knows the fate of: it arrived, or send it again."""
    if not arrived:
        return send_again(ticket_id, message_id, actor, at)
    reason = f"{actor.name} says that it arrived."
    if not messages.move_delivery(ticket_id, message_id, "sent", ["unclear"], at, reason, settled=True):
        raise Conflict("This message is no longer unclear. Look at its state.")
    record_state.note_arrival(ticket_id, message_id, at)
    return messages.get(ticket_id, message_id)


def send_again(
    ticket_id: str, message_id: str, actor: Actor, at: datetime, to: tuple[Party, ...] | None = None
) -> Message:
    """Queue a copy of a message that failed, bounced or stayed unclear, perhaps to another address.

    The first one keeps its state, with the reason that it was sent again: each outgoing message is sent at most once.
    """
    first = messages.get(ticket_id, message_id)
    if first.delivery is None:
        raise NotFound("This message was never sent.")
    body = messages.body_of(first)
    wanted = Reply(body.text, body.html, to or first.to, first.cc, first.bcc, undo_seconds=0, send_anyway=True)
    for _ in range(ATTEMPTS):
        before = tickets.load(ticket_id)
        try:
            return _copy(before, first, wanted, actor, whole_milliseconds(at), body)
        except Lost as lost:
            if "first" in lost.labels:
                raise Conflict("This message cannot be sent again: look at its state.") from lost
    raise Conflict("The ticket is changing too quickly. Try again.")


def _copy(before: Loaded, first: Message, wanted: Reply, actor: Actor, at: datetime, body: messages.Body) -> Message:
    inbox = directory.inbox(before.ticket.inbox_id)
    recipients = recipients_of(inbox, None, before.ticket, wanted)
    message = replace(
        first, id=sortable_id("m", at, secrets.token_bytes(16)), at=at, author_kind=actor.kind, author_id=actor.id,
        author_name=actor.name, to=recipients.to, cc=recipients.cc, bcc=recipients.bcc, text=body.text, delivery=None,
        event={**first.event, "repeats": first.id, **memory(before.ticket, before.ticket.status)},
    )  # fmt: skip
    if first.author_kind == "system":
        message = replace(message, event={**message.event, "automatic": "1"})
    transaction = Transaction()
    stored = messages.add(transaction, message, body.html)
    messages.add_delivery(transaction, message, inbox.id, at)
    messages.supersede(transaction, first.ticket_id, first.id, at, f"Sent again by {actor.name}.")
    after = replace(
        before.ticket,
        updated_at=max(before.ticket.updated_at, at),
        last_message_id=message.id,
        message_count=before.ticket.message_count + 1,
        undelivered=before.ticket.undelivered and _others_undelivered(first),
        waiting_since=_still_waits(before.ticket, before.ticket.waiting_since, first),
        set_aside=_set_aside(before.ticket, first),
        participants=with_participants(before.ticket, took_part(recipients)),
    )
    tickets.put_changed(transaction, before, after, at)
    transaction.commit()
    return stored


def _others_undelivered(first: Message) -> bool:
    """Did another message fail that was neither sent again nor answered over by a new one since?"""
    newest = messages.newest(first.ticket_id, limit=RECENT_MESSAGES, consistent=True)
    said = [each for each in newest.messages if is_ours(each)]
    repeated = {each.event["repeats"] for each in said if "repeats" in each.event}
    new = [each.at for each in said if speaks_to_customer(each) and "repeats" not in each.event]
    failed = [each for each in said if each.delivery and each.delivery.state in messages.UNDELIVERED_STATES]
    return any(
        each.id != first.id
        and each.id not in repeated
        and each.delivery
        and (each.delivery.at or each.at) >= max(new, default=each.at)
        for each in failed
    )


def _set_aside(ticket: Ticket, first: Message) -> SetAside | None:
    aside = ticket.set_aside
    return replace(aside, waiting_since=_still_waits(ticket, aside.waiting_since, first)) if aside else None


def _still_waits(ticket: Ticket, waiting_since: datetime | None, first: Message) -> datetime | None:
    """Who was answered by the message being repeated waits no more; who asked anew since does, from then on."""
    if waiting_since is None or not speaks_to_customer(first):
        return waiting_since
    if ticket.last_inbound_id in ("", first.event.get("answers")):
        return None
    newest = messages.get(ticket.id, ticket.last_inbound_id)
    since = newest.at if newest.mail_kind not in AUTOMATIC else None
    return waiting_since if waiting_since > first.at else since
