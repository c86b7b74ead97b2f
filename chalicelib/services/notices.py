"""What an agent is told: assigned to you, a message of yours bounced."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.moments import sortable_id
from chalicelib.store import documents
from chalicelib.store.models import DocumentItem

NOTICE_DAYS = 14


@dataclass(frozen=True)
class Notice:
    id: str
    kind: str
    ticket_id: str
    text: str
    at: datetime

    @property
    def page(self) -> str:
        """Where the console leads to: the ticket; without one it tells of an inbox whose sending is stopped."""
        return f"/tickets/{self.ticket_id}" if self.ticket_id else "/operations/stopped"


def item(agent_id: str, kind: str, ticket_id: str, text: str, at: datetime) -> DocumentItem:
    """The notice as an item, to stand in the transaction that causes it."""
    notice = Notice(sortable_id("n", at, secrets.token_bytes(8)), kind, ticket_id, text, at)
    return documents.item(f"NOTICES#{agent_id}", notice.id, notice, at + timedelta(days=NOTICE_DAYS))


def get(agent_id: str, notice_id: str) -> Notice | None:
    """None when it was dismissed meanwhile."""
    return documents.read(Notice, f"NOTICES#{agent_id}", notice_id)


def of(agent_id: str, limit: int = 30) -> tuple[Notice, ...]:
    """An agent's notices, newest first."""
    return tuple(notice for _, notice in documents.under(Notice, f"NOTICES#{agent_id}", newest_first=True, limit=limit))


def dismiss(agent_id: str, notice_id: str) -> None:
    documents.delete(f"NOTICES#{agent_id}", notice_id)
