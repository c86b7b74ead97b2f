"""A reply is taken back before it goes out, as if it had not been written."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from chalicelib.domain.message import Message
from chalicelib.domain.moments import from_stamp, whole_milliseconds
from chalicelib.domain.people import Actor
from chalicelib.domain.placeholders import escaped
from chalicelib.domain.ticket import DONE, SetAside, Status, Ticket
from chalicelib.errors import Conflict
from chalicelib.services import drafts
from chalicelib.services.attachments import id_within
from chalicelib.services.change_ticket import event_message
from chalicelib.services.said import MAX_OWN_STEPS, answers_to, find, left_waiting, snippet_of, standing, stands
from chalicelib.store import documents, messages, tickets
from chalicelib.store.codec import decode, encode
from chalicelib.store.models import DocumentItem
from chalicelib.store.tickets import Loaded
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5
MAX_DRAFT_BYTES = 350_000


def undo(ticket_id: str, message_id: str, actor: Actor, at: datetime) -> drafts.Draft | None:
    """Take a reply back before it goes out, and give its text back to its author as their draft.

    A draft that holds other words already stays as it is: the text stands in the conversation too.
    One transaction: delivery, ticket, history and draft.  Repeated, it returns the draft again.
    Returns what the actor has to write on now; None when that is not this text.
    Raises Conflict when it is too late.
    """
    at = whole_milliseconds(at)
    for _ in range(ATTEMPTS):
        message = messages.get(ticket_id, message_id)
        concerned = tickets.concerned(message.ticket_id)
        writer = _writer(message, actor)
        lies = drafts.stored(ticket_id, writer) if writer else None
        kept = decode(drafts.Draft, lies.data or "{}") if lies else None
        draft = draft_of(message, at)
        if message.delivery is not None and message.delivery.state == "cancelled":
            return (kept or draft) if writer == actor.id else None
        if message.delivery is None or message.delivery.state != "queued":
            break
        try:
            new = None if _says_other(kept, draft) else draft
            _undo_once(concerned, ticket_id, message, actor, at, new, lies)
        except Lost:
            continue
        return None if writer != actor.id or _says_other(kept, draft) else draft
    else:
        raise Conflict("The ticket is changing too quickly. Try again.")
    raise Conflict("It is too late: the message is on its way.")


def _writer(message: Message, actor: Actor) -> str | None:
    """Whose words they are: the author's, or, of what a program wrote, the agent's who took it back."""
    by = (message.author_kind, message.author_id) if message.author_kind == "agent" else (actor.kind, actor.id)
    return by[1] if by[0] == "agent" else None


def _says_other(kept: drafts.Draft | None, draft: drafts.Draft) -> bool:
    """A draft of the very text is one that was kept while it was being sent."""
    return kept is not None and kept.text.strip() != draft.text.strip()


def draft_of(message: Message, at: datetime) -> drafts.Draft:
    """A message's words, to be written on."""
    body = messages.body_of(message)
    return drafts.Draft(
        kind="reply", text=escaped(body.text), html=escaped(body.html), to=message.to, cc=message.cc, bcc=message.bcc,
        attachment_ids=tuple(id_within(message, each) for each in message.attachments), updated_at=at,
        forward=bool(message.event.get("forward")),
    )  # fmt: skip


def _undo_once(
    concerned: Sequence[Loaded],
    asked: str,
    taken_back: Message,
    actor: Actor,
    at: datetime,
    draft: drafts.Draft | None,
    lies: DocumentItem | None,
) -> None:
    """``asked``: the ticket it was taken back on: the draft belongs there.  ``lies``: the draft there, as read."""
    ticket = concerned[0].ticket
    transaction = Transaction()
    messages.cancel(transaction, taken_back.ticket_id, taken_back.id, at, f"Taken back by {actor.name}.")
    after, *_ = [
        tickets.put_changed(transaction, each, _as_before(each.ticket, taken_back, at), at) for each in concerned
    ]
    if after.status != ticket.status:
        event = event_message(ticket, actor, at, taken_back.id.encode(), status=after.status)
        transaction.put("event", messages.as_item(event))
    writer = _writer(taken_back, actor)
    if writer and draft and len(encode(draft).encode()) <= MAX_DRAFT_BYTES:  # a longer one stays in the conversation
        key = drafts.item_key(asked, writer)
        item = documents.item(str(key.pk), str(key.sk), draft, at + timedelta(days=drafts.DRAFT_DAYS))
        as_read = DocumentItem.data == lies.data if lies else DocumentItem.pk.does_not_exist()
        transaction.put("draft", item, as_read)  # not over what is being kept at this moment, perhaps in another tab
    transaction.commit()


def _as_before(ticket: Ticket, taken_back: Message, at: datetime) -> Ticket:
    """As if it had not been written: what it changed is put back, what others changed since stays."""
    remembered = _first_taken_back(taken_back).event
    after = ticket
    if ticket.last_message_id == taken_back.id:
        followed = remembered.get("after", ticket.last_inbound_id)
        behind = standing(ticket.id, followed)
        shown = find(ticket.id, behind)
        after = replace(after, last_message_id=behind, snippet=snippet_of(shown.text) if shown else ticket.snippet)
    if remembered.get("undelivered"):
        after = replace(after, undelivered=True)
    waited = from_stamp(remembered["waited"]) if remembered.get("waited") else None
    questions = {ticket.last_inbound_id, taken_back.event.get("answers", "")} - {""}
    said = [each for question in questions for each in answers_to(ticket, question) if each.id != taken_back.id]
    others = [each for each in said if stands(each)]
    if remembered.get("aside") and not others:
        after = replace(after, set_aside=decode(SetAside, remembered["aside"]))
    status = ticket.status
    if waited is not None and not taken_back.event.get("forward") and not others:
        after = replace(after, waiting_since=min(ticket.waiting_since or waited, waited))
        status = "open" if status in DONE else status
    if ticket.last_message_id == taken_back.id and ticket.status == taken_back.event.get("then"):
        status = cast(Status, remembered.get("status", ticket.status))
    if status != ticket.status:
        after = replace(after, status=status, closed_at=(ticket.closed_at or at) if status in DONE else None)
    return after if others else left_waiting(after)


def _first_taken_back(message: Message) -> Message:
    """Of answers written one upon the other and all taken back, the first: it remembers the ticket without them."""
    for _ in range(MAX_OWN_STEPS):
        earlier = find(message.ticket_id, message.event.get("after", ""))
        if earlier is None or earlier.delivery is None or earlier.delivery.state != "cancelled":
            break
        message = earlier
    return message
