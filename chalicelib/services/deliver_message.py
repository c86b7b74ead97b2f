"""Claim an outgoing message, make it ready for its connector, and record what became of it: at most one send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Literal

from chalicelib.domain.message import Message, Outbound, Sent
from chalicelib.domain.moments import from_stamp
from chalicelib.domain.people import Inbox
from chalicelib.domain.ticket import Ticket
from chalicelib.errors import NotFound, Refused, Unclear
from chalicelib.services import attachments, breaker, lanes
from chalicelib.services.record_state import flag_undelivered
from chalicelib.store import directory, messages, sources, tickets
from chalicelib.store.sources import Source

MAX_ATTEMPTS = 8
MAX_RETRY_SECONDS = 900
STUCK_MINUTES = 5
HISTORY_MESSAGES = 20


@dataclass(frozen=True)
class Ready:
    """A queued message, read and complete; nothing is claimed yet."""

    outbound: Outbound
    inbox: Inbox
    attempts: int


@dataclass(frozen=True)
class Claimed:
    """A message that this caller alone may send now."""

    outbound: Outbound
    inbox: Inbox
    attempt: int


@dataclass(frozen=True)
class NotNow:
    """Why nothing is to be sent by this caller.  again_at: when to come back; None: never."""

    reason: Literal["early", "gone", "taken", "held"]
    again_at: datetime | None = None


def prepare(ticket_id: str, message_id: str, at: datetime) -> Ready | NotNow:
    """Everything that can fail without a send: reading the message, its files, who may send."""
    delivery = messages.delivery_state(ticket_id, message_id)
    if delivery is None or delivery.state != "queued":
        return NotNow("gone")
    send_at = from_stamp(delivery.send_at)
    if send_at > at:
        return NotNow("early", send_at)
    message = messages.get(ticket_id, message_id)
    inbox = directory.inbox(delivery.inbox_id or message.inbox_id)
    allowed = breaker.verdict(inbox, at)
    if allowed != "go":
        return NotNow("held") if allowed == "held" else NotNow("early", at + timedelta(minutes=1))
    return Ready(_outbound(message, inbox), inbox, int(delivery.attempts))


def claim(ready: Ready, at: datetime) -> Claimed | NotNow:
    """``queued → sending`` in one conditional write, before any provider is called."""
    outbound, attempt = ready.outbound, ready.attempts + 1
    claimed = messages.move_delivery(
        outbound.ticket_id, outbound.message_id, "sending", ["queued"], at, attempts=attempt,
        claimed_attempt=ready.attempts,
    )  # fmt: skip
    return Claimed(outbound, ready.inbox, attempt) if claimed else NotNow("taken")


def _outbound(message: Message, inbox: Inbox) -> Outbound:
    body = messages.body_of(message)
    ticket = tickets.exactly(message.ticket_id).ticket
    answers = message.event.get("answers")
    answered = _answered(message.ticket_id, answers) if answers else None
    quoted = _history(message, ticket) if message.event.get("quoted") else ""
    text, html = signed(body.text, body.html, _signature(message, inbox))
    return Outbound(
        message_id=message.id, ticket_id=message.ticket_id, from_name=_from_name(message, inbox),
        from_address=inbox.address, to=message.to, subject=message.subject or ticket.subject,
        text=text, html=html, cc=message.cc, bcc=message.bcc,
        files=attachments.contents(message.attachments), at=message.at,
        in_reply_to=_mail_id(answered), references=message.references, thread_index=message.thread_index,
        quoted=quoted, automatic=message.author_kind == "system", forward=bool(message.event.get("forward")),
        thread_key=lanes.thread_of(message, ticket),
        reply_to_key=answered.own_keys[0] if answered and answered.own_keys else None,
    )  # fmt: skip


def _answered(ticket_id: str, message_id: str) -> Message | None:
    try:
        return messages.get(ticket_id, message_id)
    except NotFound:
        return None


def _mail_id(answered: Message | None) -> str | None:
    return answered.references[-1] if answered and answered.references else None


def _from_name(message: Message, inbox: Inbox) -> str:
    """«Lena at Northwind Mugs»: the person, and for whom they speak."""
    return f"{message.author_name} · {inbox.name}" if message.author_kind == "agent" else inbox.name


def _signature(message: Message, inbox: Inbox) -> str:
    agent = directory.agent(message.author_id) if message.author_kind == "agent" else None
    return signature_of(agent.signature if agent else "", inbox.signature)


def signature_of(agents: str, inboxs: str) -> str:
    """The agent's signature above the inbox's own; either may be empty."""
    return "\n".join(part for part in (agents.strip(), inboxs.strip()) if part)


def signed(text: str, html: str, signature: str) -> tuple[str, str]:
    """Both parts with the signature below, behind the usual mark; ``html`` stays empty when there is none."""
    if not signature.strip():
        return text, html
    lines = "<br>".join(escape(line) for line in signature.strip().splitlines())
    return f"{text}\n\n-- \n{signature.strip()}", f"{html}<p>-- <br>{lines}</p>" if html else ""


def _history(message: Message, ticket: Ticket) -> str:
    """The conversation before this message, newest first, as plain text to hang below it.

    Only what the customer who is answered wrote or was sent, also where tickets of several were merged: never notes,
    forwards to third parties, or their answers.
    """
    customer = message.event.get("customer", ticket.customer_handle)
    said = messages.newest(ticket.id, before=message.id, limit=HISTORY_MESSAGES, merged=ticket.merged).messages
    return "\n\n".join(
        f"{each.author_name}, {each.at:%Y-%m-%d %H:%M} UTC:\n{messages.body_of(each).text}"
        for each in reversed(said)
        if _was_between_us(each, customer)
    )


def _was_between_us(each: Message, customer: str) -> bool:
    if each.kind != "message" or each.event.get("forward"):
        return False
    if each.delivery is not None and each.delivery.state == "cancelled":
        return False
    parties = (*((each.sender,) if each.sender else ()), *each.to, *each.cc)
    return customer.lower() in {party.address.lower() for party in parties}


def record_sent(claimed: Claimed, sent: Sent, at: datetime) -> None:
    """``sending → sent``.  The keys that answers will name are noted first: an answer may come within the second."""
    outbound = claimed.outbound
    note_keys(outbound.ticket_id, outbound.message_id, claimed.inbox.id, sent.own_keys, outbound.automatic)
    messages.move_delivery(
        outbound.ticket_id, outbound.message_id, "sent", ["sending", "unclear"], at,
        provider_id=sent.provider_id, settled=True,
    )  # fmt: skip


def note_keys(ticket_id: str, message_id: str, inbox_id: str, keys: Sequence[str], automatic: bool = False) -> None:
    for key in keys:
        sources.note(key, Source(ticket_id, message_id, inbox_id, outgoing=True, automatic=automatic))


def record_refused(claimed: Claimed, refused: Refused, at: datetime) -> datetime | None:
    """Proof that nothing was sent: back to ``queued`` for later, or ``failed``.  Returns when to try again."""
    outbound = claimed.outbound
    if refused.retry_after_seconds is None or claimed.attempt >= MAX_ATTEMPTS:
        _undelivered(outbound.ticket_id, outbound.message_id, "failed", refused.message, at, ["sending"])
        breaker.note_failure(claimed.inbox, at)
        return None
    wait = min(MAX_RETRY_SECONDS, refused.retry_after_seconds * 2 ** (claimed.attempt - 1))
    again_at = at + timedelta(seconds=wait)
    messages.move_delivery(
        outbound.ticket_id, outbound.message_id, "queued", ["sending"], at, refused.message, send_at=again_at,
        settled=False, claimed_attempt=claimed.attempt,
    )  # fmt: skip
    return again_at


def record_unclear(claimed: Claimed, unclear: Unclear, at: datetime) -> None:
    """Nobody knows: shown to the agent, never sent again by itself."""
    outbound = claimed.outbound
    _undelivered(outbound.ticket_id, outbound.message_id, "unclear", unclear.message, at, ["sending"])


def give_up_on_stuck(ticket_id: str, message_id: str, at: datetime) -> bool:
    """A claim whose holder died: after STUCK_MINUTES nobody knows whether it was sent."""
    delivery = messages.get_delivery(ticket_id, message_id)
    if delivery.state != "sending" or delivery.at is None or at - delivery.at < timedelta(minutes=STUCK_MINUTES):
        return False
    reason = "Sending was interrupted: it may or may not have gone out."
    return _undelivered(ticket_id, message_id, "unclear", reason, at, ["sending"])


def finish_interrupted(ticket_id: str, message_id: str, at: datetime) -> None:
    """A delivery that is over but still carries its pending mark: the function ended between two writes.

    The flag takes the mark off in its own transaction, so a mark on what did not arrive says that it was not laid, even
    where the ticket carries another message's.
    """
    delivery = messages.delivery_state(ticket_id, message_id)
    ours = messages.get(ticket_id, message_id).author_kind != "system"
    if ours and delivery and delivery.state in messages.UNDELIVERED_STATES and not delivery.flagged:
        flag_undelivered(ticket_id, message_id, delivery.reason or "", at)
    else:
        messages.settle_delivery(ticket_id, message_id)


def _undelivered(
    ticket_id: str,
    message_id: str,
    state: Literal["failed", "unclear"],
    reason: str,
    at: datetime,
    allowed_from: Sequence[Literal["sending"]],
) -> bool:
    moved = messages.move_delivery(ticket_id, message_id, state, allowed_from, at, reason)
    if moved and messages.get(ticket_id, message_id).author_kind == "system":
        messages.settle_delivery(ticket_id, message_id)  # an acknowledgement that was not sent is nobody's work
    elif moved:  # the pending mark goes with it: if this ends in between, repair flags the ticket
        flag_undelivered(ticket_id, message_id, reason, at)
    return moved
