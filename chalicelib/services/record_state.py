"""What providers say about our messages: delivered, delayed, bounced, complained; a bounce re-opens its ticket."""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.message import DeliveryState, Message, StateChange
from chalicelib.domain.moments import whole_milliseconds
from chalicelib.domain.people import SYSTEM
from chalicelib.domain.ticket import Status, Ticket, nobody_waits
from chalicelib.errors import Conflict
from chalicelib.services import breaker, notices
from chalicelib.services.change_ticket import event_message
from chalicelib.services.said import answers_to, speaks_to_customer, stands
from chalicelib.store import customers, directory, messages, sources, tickets
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5
COMES_FROM: dict[str, list[DeliveryState]] = {
    "sent": ["queued", "sending", "unclear"],
    "delivered": ["sending", "sent", "delayed", "unclear"],
    "delayed": ["sending", "sent", "unclear"],
    "bounced": ["sending", "sent", "delivered", "delayed", "unclear"],
    "complained": ["sending", "sent", "delivered", "delayed", "unclear"],
    "failed": ["sending", "sent", "delayed", "unclear"],
}
"""A bounce may follow a delivery; a late "sent" never hides what came after it.  A state that comes back from the
provider also settles an unclear message: it is the proof that was missing."""
BAD = frozenset({"bounced", "complained", "failed"})
BECAME = {"unclear": "may not have arrived", "complained": "was reported as unwanted"}
"""In words; whatever else is bad did not arrive."""


def record(change: StateChange, at: datetime, channel: str = "email") -> bool:
    """Apply what a provider says; False when it concerns nothing of ours, or was applied before."""
    if change.state in ("unreachable", "reachable"):
        reason = change.reason if change.state == "unreachable" else ""
        customers.mark_handle(customers.handle_name(channel, change.handle or ""), unreachable=reason)
        return True
    found = _find(change)
    if found is None:
        return False
    ticket_id, message_id = found
    before = messages.delivery_state(ticket_id, message_id)
    if before is None:
        return False
    state: DeliveryState = change.state  # type: ignore[assignment]  # "unreachable" and "reachable" returned above
    again = before.state == state  # the same news of another recipient
    known = before.flagged is not None
    moved = messages.move_delivery(
        ticket_id, message_id, state, [*COMES_FROM[state], *([state] if again else [])], change.at,
        _both(before.reason, change.reason) if again else change.reason,
        event_id=change.event_id or None, settled=state not in BAD, provider_id=change.provider_id,
    )  # fmt: skip
    # An event told again moves nothing; but whoever wrote its state may have died before the rest.  Bad news may not be
    # told again (a report that kills its reader is read from its headers alone): by its pending mark repair goes on.
    if change.state in BAD and (moved or (again and not known)):
        _bad_news(change, ticket_id, message_id, at, channel, known)
    elif state in messages.ARRIVED_STATES and (
        (moved and (known or before.state == "unclear")) or (again and not moved)
    ):
        note_arrival(ticket_id, message_id, at)
    return moved


def _both(first: str | None, second: str) -> str:
    return f"{first} {second}" if first and second not in first else first or second


def _find(change: StateChange) -> tuple[str, str] | None:
    """Our ids where the provider echoed them, else whatever we sent under the provider's id."""
    if change.ticket_id and change.our_message_id:
        return change.ticket_id, change.our_message_id
    if change.provider_id:
        for source in sources.find(f"ses:{change.provider_id.lower()}"):
            if source.outgoing:
                return source.ticket_id, source.message_id
    return None


def _bad_news(change: StateChange, ticket_id: str, message_id: str, at: datetime, channel: str, known: bool) -> None:
    """``known``: the ticket says so already; this is about one more of the message's recipients.

    The breaker counts messages, and believes the provider alone: else a stranger's mails could stop the inbox.
    """
    message = messages.get(ticket_id, message_id)
    if change.permanent or change.state == "complained":
        written_to = {party.address.lower() for party in (*message.to, *message.cc, *message.bcc)}
        named = {each.lower() for each in change.recipients}
        for address in sorted(written_to & named):  # a forged bounce may name anybody
            customers.mark_handle(customers.handle_name(channel, address), unreachable=change.reason)
    if not known and not change.hearsay:
        breaker.note_failure(directory.inbox(message.inbox_id), at)
    if known or message.author_kind == "system":
        messages.settle_delivery(ticket_id, message_id)  # an acknowledgement that bounced is nobody's work
        return
    flag_undelivered(ticket_id, message_id, change.reason, at)


def flag_undelivered(ticket_id: str, message_id: str, reason: str, at: datetime) -> None:
    """Open the ticket again, put it on the "undelivered" list, tell its assignee or the author.

    Whoever was answered by the message waits again: the answer never came.  One transaction with the end of the
    delivery's pending mark, refused once the message has arrived or was sent again: news may overtake the doubt.
    """
    message = messages.get(ticket_id, message_id)
    for _ in range(ATTEMPTS):
        concerned = tickets.concerned(ticket_id)
        transaction = Transaction()
        messages.settle_undelivered(transaction, ticket_id, message_id, at)
        for each in concerned:
            reopened = _reopened(each.ticket, _waits_since(each.ticket, message), at)
            tickets.put_changed(transaction, each, reopened, at, keep_seen=False)
        before, after = concerned[0], _reopened(concerned[0].ticket, None, at)
        if after.status != before.ticket.status:
            event = event_message(
                before.ticket, SYSTEM, whole_milliseconds(at), message_id.encode(), status=after.status
            )
            transaction.put("event", messages.as_item(event))
        to_tell = before.ticket.assignee_id or (message.author_id if message.author_kind == "agent" else None)
        if to_tell:
            what = BECAME.get(message.delivery.state if message.delivery else "failed", "was not delivered")
            text = f"Your message on #{before.ticket.id} {what}: {reason}"
            transaction.put("notice", notices.item(to_tell, "undelivered", before.ticket.id, text, at))
        try:
            transaction.commit()
        except Lost as lost:
            if "delivery" in lost.labels:
                messages.settle_delivery(ticket_id, message_id)
                return
            continue
        return
    raise Conflict("the ticket is changing too quickly to note the failed delivery")


def _waits_since(ticket: Ticket, failed: Message) -> datetime | None:
    """Since when somebody waits: from the question on, unless another answer to it is on its way or arrived."""
    if ticket.waiting_since is not None or not _answers_newest(ticket, failed):
        return ticket.waiting_since
    question_id = ticket.last_inbound_id
    if any(stands(each) for each in answers_to(ticket, question_id) if each.id != failed.id):
        return None
    return messages.get(ticket.id, question_id).at


def _answers_newest(ticket: Ticket, message: Message) -> bool:
    """Is it what we say to the customer's newest message?"""
    question_id = ticket.last_inbound_id
    return bool(question_id) and speaks_to_customer(message) and message.event.get("answers") == question_id


def _reopened(ticket: Ticket, waiting_since: datetime | None, at: datetime) -> Ticket:
    status: Status = ticket.status if ticket.status in ("spam", "trash") else "open"
    return replace(
        ticket, status=status, closed_at=None if status == "open" else ticket.closed_at, undelivered=True,
        updated_at=max(ticket.updated_at, at), snoozed_until=None, waiting_since=waiting_since,
    )  # fmt: skip


def note_arrival(ticket_id: str, message_id: str, at: datetime) -> None:
    """A message that was unclear did arrive: whoever it answers waits no more, and the ticket leaves the
    "undelivered" list once nothing of it is undelivered any more.

    Not when it came back meanwhile: its state is looked at after the ticket, so whoever flags it later changes a
    version that we then lose by.
    """
    message = messages.get(ticket_id, message_id)
    for _ in range(ATTEMPTS):
        found = tickets.concerned(ticket_id)
        delivery = messages.delivery_state(ticket_id, message_id)
        if delivery is not None and delivery.state in messages.UNDELIVERED_STATES:
            return
        told = [(each, _arrived(each.ticket, message)) for each in found]
        if all(after == before.ticket for before, after in told):
            return
        transaction = Transaction()
        for before, after in told:
            tickets.put_changed(transaction, before, after, at)
        try:
            transaction.commit()
        except Lost:
            continue
        return
    raise Conflict("the ticket is changing too quickly to note that the message arrived")


def _arrived(ticket: Ticket, message: Message) -> Ticket:
    after = nobody_waits(ticket) if _answers_newest(ticket, message) else ticket
    return replace(after, undelivered=ticket.undelivered and messages.is_undelivered(ticket.id, ticket.merged))
