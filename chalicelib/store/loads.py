"""What routing gave to whom lately, and the line of a team."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.moments import from_stamp
from chalicelib.domain.ticket import TicketRow
from chalicelib.store import documents
from chalicelib.store.codec import decode, encode
from chalicelib.store.models import DocumentItem, TicketItem
from chalicelib.store.tickets import moment_of, tags_of
from chalicelib.store.transaction import Transaction

LOADS = "LOADS"


@dataclass(frozen=True)
class Given:
    """A ticket that was given, and its version by that."""

    ticket_id: str
    version: int


@dataclass(frozen=True)
class Load:
    """``lately``: what the counters may not know yet."""

    at: datetime
    lately: tuple[Given, ...] = ()


@dataclass(frozen=True)
class Stored:
    """A load as it was read: it is written only over itself, so no two workers fill the same place."""

    load: Load
    data: str


def loads() -> dict[str, Stored]:
    """By agent: those to whom routing ever gave something."""
    found = DocumentItem.query(LOADS, consistent_read=True)
    return {str(item.sk): Stored(decode(Load, item.data or "{}"), item.data or "{}") for item in found}


def as_stored(load: Load) -> Stored:
    return Stored(load, encode(load))


def put(transaction: Transaction, agent_id: str, before: Stored | None, after: Load) -> None:
    """Refused (label "load") when somebody else gave this agent something meanwhile."""
    unchanged = DocumentItem.data == before.data if before else DocumentItem.pk.does_not_exist()
    transaction.put("load", documents.item(LOADS, agent_id, after), unchanged)


def line(team_id: str, limit: int) -> list[TicketRow]:
    """Tickets of a team that nobody has: those without news for longest, at most ``limit``."""
    found = TicketItem.by_holder.query(f"team#{team_id}", scan_index_forward=True, limit=limit, page_size=limit)
    return [_row(item) for item in found]


def _row(item: TicketItem) -> TicketRow:
    return TicketRow(
        id=str(item.pk).removeprefix("TICKET#"), subject=item.subject or "", status=item.status, priority=item.priority,  # type: ignore[arg-type]  # as written
        inbox_id=item.inbox_id or "", channel=item.channel or "", customer_id=item.customer_id or "",
        customer_name=item.customer_name or "", assignee_id=item.assignee_id, team_id=item.team_id,
        snippet=item.snippet or "", tags=tags_of(item.tags), updated_at=from_stamp(item.updated_at or ""),
        waiting_since=moment_of(item.waiting_since), snoozed_until=moment_of(item.snoozed_until),
        undelivered=bool(item.undelivered), last_message_id=item.last_message_id or "",
    )  # fmt: skip
