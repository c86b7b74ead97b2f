"""The customer changed what they wrote: the new words are shown, the old ones stay in the history."""

import secrets
from dataclasses import replace
from datetime import datetime
from typing import Literal

from chalicelib.domain.inbound_limits import whole
from chalicelib.domain.message import Edited, Message
from chalicelib.domain.moments import whole_milliseconds
from chalicelib.domain.people import SYSTEM
from chalicelib.errors import Conflict
from chalicelib.services.change_ticket import event_message
from chalicelib.services.said import snippet_of
from chalicelib.store import documents, messages, sources, tickets
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5
KEPT_CHARS = 10_000
"""Of the words before: more than a chat message holds."""


def edit(change: Edited, at: datetime) -> Literal["edited", "same", "unknown"]:
    """Show the new text; "unknown" while the message itself has not come (an edit can overtake it), so try again.

    "same": it says so already, or a later edit came first.  The words before stand as an event in the conversation, so
    that nothing an agent answered to is lost.
    """
    source = next((each for each in sources.find(change.own_key) if not each.outgoing), None)
    if source is None:
        return "unknown"
    text = whole(change.text)
    for _ in range(ATTEMPTS):
        before = tickets.load(source.ticket_id)
        message = messages.get(source.ticket_id, source.message_id)
        if message.edited_at is not None and change.at < message.edited_at:
            return "same"
        said = messages.body_of(message).text if message.folded else message.text
        if said == text:
            return "same"
        transaction = Transaction()
        _replace(transaction, replace(message, text=text, full_text=text, edited_at=whole_milliseconds(change.at)))
        event = replace(
            event_message(before.ticket, SYSTEM, at, secrets.token_bytes(8), edited=said[:KEPT_CHARS]),
            ticket_id=message.ticket_id, author_kind=message.author_kind, author_id=message.author_id,
            author_name=message.author_name,
        )  # fmt: skip
        transaction.put("event", messages.as_item(event))
        ticket = before.ticket
        if message.id == ticket.last_message_id:  # what lists show of it
            ticket = replace(ticket, snippet=snippet_of(text) or ticket.snippet)
        tickets.put_changed(transaction, before, ticket, at, keep_seen=False)
        try:
            transaction.commit()
        except Lost:
            continue
        return "edited"
    raise Conflict("the ticket is changing too quickly to note the edit")


def _replace(transaction: Transaction, edited: Message) -> None:
    """The new words are all there is: no longer body, no HTML of the old ones."""
    plain = replace(edited, delivery=None, folded=False, has_html=False, rich=False)
    messages.replace_message(transaction, plain)
    if len(plain.text) <= messages.INLINE_TEXT_CHARS:
        body = documents.item(tickets.ticket_key(plain.ticket_id), f"BODY#{plain.id}", "")
        transaction.delete("old body", body)
