"""Drafts, kept on the server so that another device shows them; and the seeds of repeated requests."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.message import Party
from chalicelib.errors import TooLarge
from chalicelib.store import documents
from chalicelib.store.models import DocumentItem
from chalicelib.store.tickets import ticket_key

DRAFT_DAYS = 90
SEED_HOURS = 48
MAX_DRAFT_CHARS = 150_000


@dataclass(frozen=True)
class Draft:
    """What an agent was writing."""

    kind: Literal["reply", "note"]
    text: str
    updated_at: datetime
    html: str = ""
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    attachment_ids: tuple[str, ...] = ()
    forward: bool = False


def _sk(agent_id: str) -> str:
    return f"DRAFT#{agent_id}"


def stored(ticket_id: str, agent_id: str) -> DocumentItem | None:
    """The draft as it lies there, for who will put another in its place."""
    return documents.stored(ticket_key(ticket_id), _sk(agent_id))


def item_key(ticket_id: str, agent_id: str) -> DocumentItem:
    return DocumentItem(ticket_key(ticket_id), _sk(agent_id))


def save(ticket_id: str, agent_id: str, draft: Draft) -> None:
    """Keep the draft; an empty one is discarded."""
    if len(draft.text) + len(draft.html) > MAX_DRAFT_CHARS:
        raise TooLarge("The draft is too long to keep. Send part of it first, or attach it as a file.")
    if not draft.text.strip() and not draft.html.strip() and not draft.attachment_ids:
        discard(ticket_id, agent_id)
        return
    documents.write(ticket_key(ticket_id), _sk(agent_id), draft, draft.updated_at + timedelta(days=DRAFT_DAYS))


def load(ticket_id: str, agent_id: str) -> Draft | None:
    return documents.read(Draft, ticket_key(ticket_id), _sk(agent_id))


def discard(ticket_id: str, agent_id: str) -> None:
    documents.delete(ticket_key(ticket_id), _sk(agent_id))


@dataclass(frozen=True)
class Seeded:
    """Which message a request with this seed wrote."""

    message_id: str


def seed_item(seeded_id: str, message_id: str, at: datetime) -> DocumentItem:
    return documents.item(f"SEED#{seeded_id}", "SEED", Seeded(message_id), at + timedelta(hours=SEED_HOURS))


def seeded_message(seeded_id: str) -> str | None:
    found = documents.read(Seeded, f"SEED#{seeded_id}", "SEED")
    return found.message_id if found else None
