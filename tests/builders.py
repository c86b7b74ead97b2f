"""Valid values for tests: override what the test is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.message import Attachment, Delivery, DeliveryState, Message, Party
from chalicelib.domain.people import Agent, Inbox, Team
from chalicelib.domain.ticket import Ticket, TicketRow
from chalicelib.web.desk import Desk

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LINA = Party("Lina Meyer", "lina.meyer@example.com")


def a_ticket(**values: Any) -> Ticket:
    wanted: dict[str, Any] = {
        "id": "1042", "subject": "Where is my parcel?", "status": "open", "priority": "normal", "inbox_id": "support",
        "channel": "email", "customer_id": "c1", "customer_name": LINA.name, "customer_handle": LINA.address,
        "created_at": NOON, "updated_at": NOON, "version": 1, "waiting_since": NOON, "last_message_id": "m1",
        "last_inbound_id": "m1", "snippet": "It should be here by now.",
    }  # fmt: skip
    return Ticket(**wanted | values)


def a_row(**values: Any) -> TicketRow:
    ticket = a_ticket(**values)
    return TicketRow(**{name: getattr(ticket, name) for name in TicketRow.__dataclass_fields__})


def a_message(**values: Any) -> Message:
    """What a customer wrote by mail."""
    wanted: dict[str, Any] = {
        "id": "m1", "ticket_id": "1042", "kind": "message", "direction": "in", "author_kind": "customer",
        "author_id": "c1", "author_name": LINA.name, "at": NOON, "sent_at": NOON, "text": "It should be here by now.",
        "subject": "Where is my parcel?", "sender": LINA, "to": (Party("", "support@shop.example"),),
        "inbox_id": "support",
    }  # fmt: skip
    return Message(**wanted | values)


def a_reply(state: DeliveryState = "sent", reason: str = "", **values: Any) -> Message:
    """What an agent answered, with how far it got."""
    ours: dict[str, Any] = {
        "id": "m2", "direction": "out", "author_kind": "agent", "author_id": "ben", "author_name": "Ben Okafor",
        "text": "It is on its way.", "sender": None, "to": (LINA,), "at": NOON + timedelta(minutes=5),
        "delivery": Delivery(state, reason, NOON + timedelta(minutes=5), send_at=NOON + timedelta(minutes=6)),
    }  # fmt: skip
    return a_message(**ours | values)


def a_note(**values: Any) -> Message:
    return replace(a_reply(), **{"kind": "note", "delivery": None, "to": (), "text": "Called the carrier."} | values)


def an_event(**changed: str) -> Message:
    return replace(a_reply(), kind="event", delivery=None, to=(), text="", event=changed)


def an_attachment(**values: Any) -> Attachment:
    wanted: dict[str, Any] = {
        "id": "a0", "name": "photo.png", "content_type": "image/png", "size_bytes": 120_000, "sha256": "0" * 64,
        "key": "files/m1/0",
    }  # fmt: skip
    return Attachment(**wanted | values)


def an_agent(**values: Any) -> Agent:
    wanted: dict[str, Any] = {
        "id": "ben", "email": "ben@shop.example", "name": "Ben Okafor", "role": "agent", "active": True,
        "created_at": NOON, "initials": "BO",
    }  # fmt: skip
    return Agent(**wanted | values)


def an_inbox(**values: Any) -> Inbox:
    wanted = {"id": "support", "channel": "email", "address": "support@shop.example", "name": "Support"}
    return Inbox(**wanted | values)


def a_desk(*agents: Agent) -> Desk:
    return Desk.of(agents or (an_agent(),), (Team("first", "First line"),), (an_inbox(),))
