"""What becomes of a message that failed or whose fate nobody knows: it is settled, or sent again as a copy."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.message import Message, Party
from chalicelib.domain.moments import sortable_id, whole_milliseconds
from chalicelib.domain.people import Actor
from chalicelib.domain.threading import AUTOMATIC
from chalicelib.domain.ticket import SetAside, Ticket
from chalicelib.errors import Conflict, NotFound
from chalicelib.services import lanes, record_state
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
    place = messages.get(ticket_id, message_id).ticket_id
    if not messages.move_delivery(place, message_id, "sent", ["unclear"], at, reason, settled=True):
        raise Conflict("This message is no longer unclear. Look at its state.")
    record_state.note_arrival(place, message_id, at)
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
        concerned = tickets.concerned(first.ticket_id)
        try:
            return _copy(concerned, first, wanted, actor, whole_milliseconds(at), body)
        except Lost as lost:
            if "first" in lost.labels:
                raise Conflict("This message cannot be sent again: look at its state.") from lost
    raise Conflict("The ticket is changing too quickly. Try again.")


def _copy(
    concerned: Sequence[Loaded], first: Message, wanted: Reply, actor: Actor, at: datetime, body: messages.Body
) -> Message:
    before = concerned[0]
    lane = lanes.seen_from(before.ticket, first)
    inbox = directory.inbox(lane.inbox_id)
    recipients = recipients_of(inbox, None, lane, wanted)
    message = replace(
        first, ticket_id=before.ticket.id, id=sortable_id("m", at, secrets.token_bytes(16)), at=at,
        author_kind=actor.kind, author_id=actor.id, author_name=actor.name, to=recipients.to, cc=recipients.cc,
        bcc=recipients.bcc, text=body.text, delivery=None,
        event={
            **first.event, "repeats": first.id, **memory(before.ticket, before.ticket.status),
            **lanes.mark_outgoing(before.ticket, lane),
        },
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
        participants=with_participants(before.ticket, took_part(recipients)),
    )
    for each, now in ((before, after), *((each, each.ticket) for each in concerned[1:])):
        tickets.put_changed(transaction, each, _settled(now, each.ticket, first), at)
    transaction.commit()
    return stored


def _settled(now: Ticket, before: Ticket, first: Message) -> Ticket:
    return replace(
        now,
        undelivered=before.undelivered and _others_undelivered(before, first),
        waiting_since=_still_waits(before, before.waiting_since, first),
        set_aside=_set_aside(before, first),
    )


def _others_undelivered(ticket: Ticket, first: Message) -> bool:
    """Did another message fail that was neither sent again nor answered over by a new one since?"""
    newest = messages.newest(ticket.id, limit=RECENT_MESSAGES, consistent=True, merged=ticket.merged)
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
