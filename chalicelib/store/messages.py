"""Messages of a ticket, their long bodies and their deliveries."""

import secrets
import zlib
from base64 import b85decode, b85encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.message import Delivery, DeliveryState, Message
from chalicelib.domain.moments import from_stamp, stamp
from chalicelib.errors import NotFound
from chalicelib.store import objects, tickets
from chalicelib.store.codec import decode, encode
from chalicelib.store.models import DeliveryItem, DocumentItem
from chalicelib.store.pending import pending_key
from chalicelib.store.tickets import ticket_key
from chalicelib.store.transaction import Transaction

INLINE_TEXT_CHARS = 2_000
MAX_BODY_BYTES = 300_000
"""DynamoDB takes 400 KB an item; a longer body lies in S3."""
CONVERSATION_PAGE = 30
SENT_AGAIN = "sent-again"
ARRIVED_STATES = frozenset({"sent", "delivered"})
UNDELIVERED_STATES = frozenset({"bounced", "complained", "failed", "unclear"})
NOT_SENT_AGAIN: Condition = DeliveryItem.event_ids.does_not_exist() | ~DeliveryItem.event_ids.contains(SENT_AGAIN)


@dataclass(frozen=True)
class Body:
    """All of a message's words.  ``html`` is the customer's own, unsafe until ``domain.safe_html`` has seen it."""

    text: str
    full_text: str
    html: str = ""


def stored_body(message: Message, html: str) -> tuple[Message, DocumentItem | None]:
    """Split what a page of messages shows from what is read on demand.

    Returns the message as it is stored inline and the body item, None when everything fits inline.  A body over
    MAX_BODY_BYTES goes to S3 at once (before the transaction: an object nobody names does no harm).
    """
    short = len(message.text) <= INLINE_TEXT_CHARS
    if short and not html and message.full_text in ("", message.text):
        return replace(message, full_text=""), None
    body = Body(message.text, message.full_text or message.text, html)
    packed = b85encode(zlib.compress(encode(body).encode(), 6)).decode()
    if len(packed) > MAX_BODY_BYTES:
        key = f"bodies/{message.ticket_id}/{message.id}"
        objects.put_attachment(key, zlib.compress(encode(body).encode(), 6), "application/octet-stream")
        packed = f"s3:{key}"
    inline = message.text if short else message.text[:INLINE_TEXT_CHARS]
    item = DocumentItem(ticket_key(message.ticket_id), f"BODY#{message.id}", data=packed)
    folded = not short or " ".join(body.full_text.split()) != " ".join(message.text.split())
    return replace(message, text=inline, full_text="", has_html=bool(html), folded=folded), item


def as_item(message: Message) -> DocumentItem:
    return DocumentItem(
        ticket_key(message.ticket_id), f"MESSAGE#{message.id}", data=encode(replace(message, delivery=None))
    )


def add(transaction: Transaction, message: Message, html: str = "") -> Message:
    """Add the writes of a new message; label "message" refuses a second one with the same id."""
    stored, body = stored_body(message, html)
    transaction.put_new("message", as_item(stored))
    if body is not None:
        transaction.put("body", body)
    return stored


def add_delivery(
    transaction: Transaction, message: Message, inbox_id: str, send_at: datetime, origin: str | None = None
) -> None:
    """Queue a message for sending at ``send_at``; pending until ``deliver`` is through with it."""
    time_key, time_at = pending_key(message.id, send_at)
    transaction.put_new(
        "delivery",
        DeliveryItem(
            ticket_key(message.ticket_id), f"DELIVERY#{message.id}", state="queued", at=stamp(message.at),
            send_at=stamp(send_at), inbox_id=inbox_id, attempts=0, origin=origin, time_key=time_key, time_at=time_at,
        ),
    )  # fmt: skip


def _as_delivery(item: DeliveryItem) -> Delivery:
    state: DeliveryState = item.state  # type: ignore[assignment]  # as it was written
    return Delivery(
        state, item.reason or "", from_stamp(item.at) if item.at else None, item.provider_id, int(item.attempts),
        from_stamp(item.send_at),
    )  # fmt: skip


@dataclass(frozen=True)
class Conversation:
    """Messages oldest first; ``earlier`` is the cursor for those before them, None when these are all."""

    messages: tuple[Message, ...]
    earlier: str | None


def newest(
    ticket_id: str,
    before: str | None = None,
    limit: int = CONVERSATION_PAGE,
    consistent: bool = False,
    merged: Sequence[str] = (),
) -> Conversation:
    """The newest messages (before message id ``before``), with their delivery states.

    consistent: for whoever decides by them, at twice the price; what is merely shown may be a second old.
    merged: the tickets whose messages belong to the conversation too; each costs a page of its own.
    """
    lying = _newest_of(ticket_id, before, limit, consistent)
    for place in merged:
        lying += [each for each in _newest_of(place, before, limit, consistent) if not _is_told_there(each)]
    found = sorted(lying, key=lambda message: message.id)[-limit - 1 :]  # ids are in order of time, wherever they lie
    page, more = found[-limit:], len(found) > limit
    return Conversation(_with_deliveries(page, consistent), page[0].id if more and page else None)


def _is_told_there(message: Message) -> bool:
    """The line that says where a ticket was merged into: there the survivor's own line says it."""
    return message.kind == "event" and "merged_into" in message.event


def _newest_of(ticket_id: str, before: str | None, limit: int, consistent: bool) -> list[Message]:
    edge = (
        DocumentItem.sk.between("MESSAGE#", f"MESSAGE#{before}") if before else DocumentItem.sk.startswith("MESSAGE#")
    )
    items = list(
        DocumentItem.query(
            ticket_key(ticket_id), edge, scan_index_forward=False, limit=limit + 2, page_size=limit + 2,
            consistent_read=consistent,
        )
    )  # fmt: skip
    found = [decode(Message, item.data or "") for item in items]
    return [message for message in found if message.id != before][: limit + 1]


def oldest(
    ticket_id: str,
    after: str | None = None,
    limit: int = 50,
    merged: Sequence[str] = (),
    consistent: bool = False,
) -> tuple[tuple[Message, ...], str | None]:
    """Messages oldest first behind ``after``, and the cursor of the next page.  merged: as in ``newest``."""
    lying = _oldest_of(ticket_id, after, limit, consistent)
    for place in merged:
        lying += [each for each in _oldest_of(place, after, limit, consistent) if not _is_told_there(each)]
    found = sorted(lying, key=lambda message: message.id)[: limit + 1]
    page = found[:limit]
    return _with_deliveries(page), page[-1].id if len(found) > limit else None


def _oldest_of(ticket_id: str, after: str | None, limit: int, consistent: bool) -> list[Message]:
    edge, most = DocumentItem.sk.between(f"MESSAGE#{after or ''}", "MESSAGE#~"), limit + 2
    items = DocumentItem.query(ticket_key(ticket_id), edge, limit=most, page_size=most, consistent_read=consistent)
    return [message for message in (decode(Message, item.data or "") for item in items) if message.id != after]


def _with_deliveries(page: Sequence[Message], consistent: bool = False) -> tuple[Message, ...]:
    outgoing = [message for message in page if message.direction == "out" and message.kind == "message"]
    states: dict[str, Delivery] = {}
    for place in dict.fromkeys(message.ticket_id for message in outgoing):
        ids = [message.id for message in outgoing if message.ticket_id == place]
        states |= _deliveries(place, ids[0], ids[-1], consistent)
    return tuple(replace(message, delivery=states.get(message.id)) for message in page) if states else tuple(page)


def _deliveries(ticket_id: str, first: str, last: str, consistent: bool) -> dict[str, Delivery]:
    return {
        str(item.sk).removeprefix("DELIVERY#"): _as_delivery(item)
        for item in DeliveryItem.query(
            ticket_key(ticket_id),
            DeliveryItem.sk.between(f"DELIVERY#{first}", f"DELIVERY#{last}"),
            consistent_read=consistent,
        )
    }


def get(ticket_id: str, message_id: str) -> Message:
    """A message of the ticket, wherever merges left it."""
    try:
        item = DocumentItem.get(ticket_key(ticket_id), f"MESSAGE#{message_id}", consistent_read=True)
    except DocumentItem.DoesNotExist as error:
        elsewhere = _among_merged(ticket_id, message_id)
        if elsewhere is None:
            raise NotFound("There is no such message.") from error
        item = elsewhere
    return _with_deliveries([decode(Message, item.data or "")], consistent=True)[0]


def _among_merged(ticket_id: str, message_id: str) -> DocumentItem | None:
    """Only whoever does not find a message under its ticket pays for the look at the others."""
    try:
        ticket = tickets.get(ticket_id)
    except NotFound:
        return None
    places = [each for each in (ticket.id, *ticket.merged) if each != ticket_id]
    keys = [(ticket_key(each), f"MESSAGE#{message_id}") for each in places]
    return next(iter(DocumentItem.batch_get(keys, consistent_read=True)), None) if keys else None


def body_of(message: Message) -> Body:
    """All of a message's words, wherever they lie."""
    try:
        item = DocumentItem.get(ticket_key(message.ticket_id), f"BODY#{message.id}", consistent_read=True)
    except DocumentItem.DoesNotExist as error:
        if message.folded or message.has_html:  # half a message must never pass for a whole one
            raise NotFound("The rest of this message cannot be read.") from error
        return Body(message.text, message.full_text or message.text)
    packed = item.data or ""
    raw = objects.get_attachment(packed.removeprefix("s3:")) if packed.startswith("s3:") else b85decode(packed)
    return decode(Body, zlib.decompress(raw).decode())


def replace_message(transaction: Transaction, message: Message, html: str = "") -> None:
    """Overwrite a message that exists (an edit by the customer, a note corrected)."""
    stored, body = stored_body(message, html)
    transaction.put("message", as_item(stored), DocumentItem.pk.exists())
    if body is not None:
        transaction.put("body", body)


def remove(transaction: Transaction, message: Message) -> None:
    """Take a message back that was never sent."""
    transaction.delete("message", DocumentItem(ticket_key(message.ticket_id), f"MESSAGE#{message.id}"))


# Deliveries


def _delivery(ticket_id: str, message_id: str) -> DeliveryItem:
    return DeliveryItem(ticket_key(ticket_id), f"DELIVERY#{message_id}")


def get_delivery(ticket_id: str, message_id: str) -> Delivery:
    try:
        return _as_delivery(DeliveryItem.get(ticket_key(ticket_id), f"DELIVERY#{message_id}", consistent_read=True))
    except DeliveryItem.DoesNotExist as error:
        raise NotFound("There is no such delivery.") from error


def move_delivery(
    ticket_id: str,
    message_id: str,
    to: DeliveryState,
    allowed_from: Sequence[DeliveryState],
    at: datetime,
    reason: str = "",
    provider_id: str | None = None,
    event_id: str | None = None,
    attempts: int | None = None,
    send_at: datetime | None = None,
    settled: bool | None = None,
    claimed_attempt: int | None = None,
) -> bool:
    """Move a delivery to another state in one conditional write; False when it is not in ``allowed_from``.

    settled True removes the pending mark, False sets it anew.  event_id: the provider's event, applied once.
    claimed_attempt: only while this many attempts were made (a claim that a later one overtook changes nothing).

    The SDK repeats a request whose answer was lost: ``moved_by``, made anew by each call, lets the repetition find its
    own effect in place of a refusal, while of two callers still only one is let through.
    """
    moved_by = secrets.token_urlsafe(12)
    actions: list[Action] = [
        DeliveryItem.moved_by.set(moved_by),
        DeliveryItem.state.set(to),
        DeliveryItem.at.set(stamp(at)),
        DeliveryItem.reason.set(reason),
        DeliveryItem.origin.remove(),  # it says where the last state came from: the relay passes this one on
    ]
    condition: Condition = DeliveryItem.state.is_in(*allowed_from)
    if to in ARRIVED_STATES:
        actions.append(DeliveryItem.flagged.remove())  # should it bounce now, that is news to its ticket
    if provider_id is not None:
        actions.append(DeliveryItem.provider_id.set(provider_id))
    if attempts is not None:
        actions.append(DeliveryItem.attempts.set(attempts))
    if send_at is not None:
        actions.append(DeliveryItem.send_at.set(stamp(send_at)))
    if claimed_attempt is not None:
        condition = condition & (DeliveryItem.attempts == claimed_attempt)
    if event_id:
        actions.append(DeliveryItem.event_ids.add({event_id}))
        condition = condition & (DeliveryItem.event_ids.does_not_exist() | ~DeliveryItem.event_ids.contains(event_id))
    if settled is True:
        actions += [DeliveryItem.time_key.remove(), DeliveryItem.time_at.remove()]
    if settled is False:
        time_key, time_at = pending_key(message_id, send_at or at)
        actions += [DeliveryItem.time_key.set(time_key), DeliveryItem.time_at.set(time_at)]
    try:
        _delivery(ticket_id, message_id).update(
            actions=actions, condition=condition | (DeliveryItem.moved_by == moved_by)
        )
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def is_undelivered(ticket_id: str, merged: Sequence[str] = (), newest: int = 50) -> bool:
    """Is there, among the newest deliveries of a ticket, one that did not arrive and was not sent again?"""
    return any(_is_undelivered(place, newest) for place in (ticket_id, *merged))


def flagged_since(ticket_ids: Sequence[str], moment: datetime, newest: int = 50) -> bool:
    """Was one of these tickets put on the "undelivered" list since, for one of its newest messages?"""
    return any(
        item.flagged is not None and from_stamp(item.flagged) >= moment and item.state in UNDELIVERED_STATES
        for place in ticket_ids
        for item in _newest_deliveries(place, newest)
    )


def _is_undelivered(ticket_id: str, newest: int) -> bool:
    found = _newest_deliveries(ticket_id, newest)
    return any(item.state in UNDELIVERED_STATES and SENT_AGAIN not in (item.event_ids or ()) for item in found)


def _newest_deliveries(ticket_id: str, newest: int) -> list[DeliveryItem]:
    of_ticket = DeliveryItem.sk.startswith("DELIVERY#")
    return list(
        DeliveryItem.query(
            ticket_key(ticket_id), of_ticket, scan_index_forward=False, limit=newest, consistent_read=True
        )
    )


def delivery_state(ticket_id: str, message_id: str) -> DeliveryItem | None:
    try:
        return DeliveryItem.get(ticket_key(ticket_id), f"DELIVERY#{message_id}", consistent_read=True)
    except DeliveryItem.DoesNotExist:
        return None


def cancel(transaction: Transaction, ticket_id: str, message_id: str, at: datetime, reason: str) -> None:
    """Take a delivery back for good; label "delivery" when it is no longer queued."""
    actions: list[Action] = [
        DeliveryItem.state.set("cancelled"),
        DeliveryItem.at.set(stamp(at)),
        DeliveryItem.reason.set(reason),
        DeliveryItem.time_key.remove(),
        DeliveryItem.time_at.remove(),
    ]
    transaction.update("delivery", _delivery(ticket_id, message_id), actions, DeliveryItem.state == "queued")


def supersede(transaction: Transaction, ticket_id: str, message_id: str, at: datetime, reason: str) -> None:
    """End a delivery for good because a copy goes out instead; label "first" when that was done, or is not due."""
    condition = DeliveryItem.state.is_in("failed", "bounced", "unclear") & NOT_SENT_AGAIN
    actions: list[Action] = [
        DeliveryItem.state.set("failed"),
        DeliveryItem.at.set(stamp(at)),
        DeliveryItem.reason.set(reason),
        DeliveryItem.event_ids.add({SENT_AGAIN}),
        DeliveryItem.origin.remove(),
        DeliveryItem.time_key.remove(),
        DeliveryItem.time_at.remove(),
    ]
    transaction.update("first", _delivery(ticket_id, message_id), actions, condition)


def settle_undelivered(transaction: Transaction, ticket_id: str, message_id: str, at: datetime) -> None:
    """Its ticket says that it did not arrive: nothing is pending; label "delivery" when it did, or was sent again."""
    condition = DeliveryItem.state.is_in(*sorted(UNDELIVERED_STATES)) & NOT_SENT_AGAIN
    actions: list[Action] = [
        DeliveryItem.time_key.remove(),
        DeliveryItem.time_at.remove(),
        DeliveryItem.flagged.set(stamp(at)),
    ]
    transaction.update("delivery", _delivery(ticket_id, message_id), actions, condition)


def settle_delivery(ticket_id: str, message_id: str) -> None:
    """Remove the pending mark of a delivery that is through."""
    _delivery(ticket_id, message_id).update(
        actions=[DeliveryItem.time_key.remove(), DeliveryItem.time_at.remove()], condition=DeliveryItem.pk.exists()
    )
