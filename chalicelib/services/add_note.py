"""A note on a ticket: seen by agents only."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.message import Message
from chalicelib.domain.moments import sortable_id, whole_milliseconds
from chalicelib.domain.people import Actor
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.services import attachments, drafts
from chalicelib.services.said import MAX_TEXT_CHARS, said_before, seeded_id, whole_text
from chalicelib.store import messages, tickets
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5


def add_note(
    ticket_id: str, actor: Actor, text: str, at: datetime, attachment_ids: Sequence[str] = (), seed: str | None = None
) -> Message:
    """A note: seen by agents only."""
    said = whole_text(text).strip()
    if not said and not attachment_ids:
        raise InvalidInput("The note is empty.", {"text": "Write something first."})
    if len(said) > MAX_TEXT_CHARS:
        raise InvalidInput("The note is too long.", {"text": f"Keep it under {MAX_TEXT_CHARS:,} characters."})
    at = whole_milliseconds(at)
    seed_bytes = seed.encode() if seed else secrets.token_bytes(16)
    for _ in range(ATTEMPTS):
        before = tickets.load(ticket_id)
        repeated = said_before(ticket_id, seed_bytes) if seed else None
        if repeated is not None:
            return repeated
        note = Message(
            id=sortable_id("m", at, seed_bytes), ticket_id=before.ticket.id, kind="note", direction="out",
            author_kind=actor.kind, author_id=actor.id, author_name=actor.name, at=at, sent_at=at, text=said,
            attachments=attachments.uploaded(before.ticket.id, actor, attachment_ids), inbox_id=before.ticket.inbox_id,
        )  # fmt: skip
        transaction = Transaction()
        stored = messages.add(transaction, note)
        transaction.put_new("seed", drafts.seed_item(seeded_id(ticket_id, seed_bytes), note.id, at))
        after = replace(before.ticket, message_count=before.ticket.message_count + 1)
        tickets.put_changed(transaction, before, after, at)
        if actor.kind == "agent":
            transaction.delete("draft", drafts.item_key(ticket_id, actor.id))
        try:
            transaction.commit()
        except Lost:
            continue
        return stored
    raise Conflict("The ticket is changing too quickly. Look at it again, then save the note.")
