"""Domain values as the API writes them (``shapes`` says what each field is)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.api.schema import Json
from chalicelib.domain.message import Attachment, Delivery, Message, Party
from chalicelib.domain.moments import stamp
from chalicelib.domain.people import Agent, Customer, Inbox, Team
from chalicelib.domain.ticket import Ticket, TicketRow
from chalicelib.store import messages
from chalicelib.store.tickets import EarlierTicket

if TYPE_CHECKING:
    from chalicelib.domain.promises import Deadline

MAX_TEXT_CHARS = 300_000
MAX_HTML_CHARS = 600_000
"""Of one message in an answer; the original holds the rest."""
CHANNELS_WITHOUT_HOOK = frozenset({"email"})


def when(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None


def _promised(found: Ticket | TicketRow, at: datetime) -> Deadline | None:
    from chalicelib.domain.promises import deadline_of
    from chalicelib.store import clocks

    return deadline_of(found, clocks.in_force(at), at) if found.waiting_since else None


def row(found: Ticket | TicketRow, at: datetime) -> Json:
    """What a list shows of a ticket."""
    return _row(found, _promised(found, at))


def _row(found: Ticket | TicketRow, promised: Deadline | None) -> Json:
    return {
        "id": found.id,
        "number": int(found.id),
        "subject": found.subject,
        "status": found.status,
        "priority": found.priority,
        "channel": found.channel,
        "inbox_id": found.inbox_id,
        "customer_id": found.customer_id,
        "customer_name": found.customer_name,
        "assignee_id": found.assignee_id,
        "team_id": found.team_id,
        "tags": list(found.tags),
        "snippet": found.snippet,
        "last_message_id": found.last_message_id,
        "undelivered": found.undelivered,
        "waiting_since": when(found.waiting_since),
        "answer_by": when(promised.due) if promised else None,
        "late": promised is not None and promised.late,
        "snoozed_until": when(found.snoozed_until),
        "updated_at": stamp(found.updated_at),
    }


def ticket(found: Ticket, at: datetime) -> Json:
    from chalicelib.domain.sla_words import explanation

    promised = _promised(found, at)
    return {
        **_row(found, promised),
        "deadline_explained": explanation(promised.clock, UTC) if promised else "",
        "customer_handle": found.customer_handle,
        "message_count": found.message_count,
        "closed_at": when(found.closed_at),
        "linked_ticket_ids": list(found.linked_ticket_ids),
        "merged_ticket_ids": list(found.merged),
        "flags": list(found.flags),
        "version": found.version,
        "created_at": stamp(found.created_at),
    }


def party(found: Party) -> Json:
    return {"name": found.name, "address": found.address}


def _parties(found: Iterable[Party]) -> list[Json]:
    return [party(each) for each in found]


def attachment(found: Attachment) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "content_type": found.content_type,
        "size_bytes": found.size_bytes,
        "sha256": found.sha256,
        "inline": found.inline,
        "warning": found.warning,
    }


def delivery(found: Delivery) -> Json:
    return {
        "state": found.state,
        "reason": found.reason,
        "at": when(found.at),
        "send_at": when(found.send_at),
    }


def _left_at(found: Message) -> datetime | None:
    """When it was sent: what the sender says; of ours, when it was due to go, once it has."""
    if found.sent_at or not found.delivery:
        return found.sent_at
    gone = found.delivery.state not in ("queued", "sending", "failed", "cancelled")
    return found.delivery.send_at if gone else None


def message(found: Message, whole: bool = False) -> Json:
    """One message with all its words.  ``whole``: with the quoted text as well."""
    text, html, full_text = found.text, "", found.full_text or found.text
    if whole or found.folded or found.has_html:
        body = messages.body_of(found)
        text, full_text = _bounded(body.text), _bounded(body.full_text)
        html = _bounded_html(safe(found, body.html))
    shown = {
        "id": found.id,
        "ticket_id": found.ticket_id,
        "kind": found.kind,
        "direction": found.direction,
        "author": {"kind": found.author_kind, "id": found.author_id, "name": found.author_name},
        "subject": found.subject,
        "text": text,
        "html": html,
        "from": party(found.sender) if found.sender else None,
        "to": _parties(found.to),
        "cc": _parties(found.cc),
        "bcc": _parties(found.bcc),
        "attachments": [attachment(each) for each in found.attachments],
        "banners": list(found.banners),
        "mail_kind": found.mail_kind,
        "event": dict(found.event) if found.kind == "event" else {},
        "created_at": stamp(found.at),
        "edited_at": when(found.edited_at),
        "sent_at": when(_left_at(found)),
        "delivery": delivery(found.delivery) if found.delivery else None,
    }
    return {**shown, "full_text": full_text} if whole else shown


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARS else text[:MAX_TEXT_CHARS] + "\n[…]"


def _bounded_html(html: str) -> str:
    """All or nothing: HTML cut in the middle is no HTML."""
    return html if len(html) <= MAX_HTML_CHARS else ""


def safe(found: Message, html: str) -> str:
    """HTML that may stand in somebody's page, without pictures from elsewhere: loading them tells the sender.

    What agents write was cleaned when it was stored.
    """
    if not html or found.direction == "out":
        return html
    from chalicelib.domain.safe_html import safe_html

    return safe_html(html, remote_images=False, cid_url=lambda content_id: None).html


def customer(found: Customer) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "handles": list(found.handles),
        "unreachable_handles": list(found.unreachable_handles),
        "note": found.note,
        "blocked": found.blocked,
        "created_at": stamp(found.created_at),
    }


def earlier_ticket(found: EarlierTicket) -> Json:
    return {
        "id": found.id,
        "subject": found.subject,
        "status": found.status,
        "channel": found.channel,
        "created_at": stamp(found.created_at),
        "merged_into": found.merged_into,
    }


def inbox(found: Inbox, public_url: str) -> Json:
    return {
        "id": found.id,
        "channel": found.channel,
        "address": found.address,
        "name": found.name,
        "team_id": found.team_id,
        "active": found.active,
        "signature": found.signature,
        "acknowledgement": found.acknowledgement,
        "separated": found.separated,
        "reopen_days": found.reopen_days,
        "undo_seconds": found.undo_seconds,
        "settings": dict(found.settings),
        "hook_url": None if found.channel in CHANNELS_WITHOUT_HOOK else f"{public_url}/hooks/{found.id}",
    }


def agent(found: Agent, at: datetime) -> Json:
    away = found.away if found.is_away(at) else None
    return {
        "id": found.id,
        "email": found.email,
        "name": found.name,
        "role": found.role,
        "active": found.active,
        "team_ids": list(found.team_ids),
        "initials": found.initials,
        "time_zone": found.time_zone,
        "away": {"since": stamp(away.since), "until": when(away.until)} if away else None,
        "capacity": found.capacity,
        "languages": list(found.languages),
        "skills": list(found.skills),
        "created_at": stamp(found.created_at),
    }


def team(found: Team) -> Json:
    return {"id": found.id, "name": found.name, "assignment": found.assignment}
