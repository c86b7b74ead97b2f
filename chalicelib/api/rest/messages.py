"""/tickets/{ticket_id}/messages: the conversation, replies and notes."""

from collections.abc import Mapping
from typing import Any

from chalicelib.api.operations import PAGING, Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import (
    AS_IN,
    ATTACHMENTS_IN,
    HTML_IN,
    ID_IN,
    MESSAGE,
    PARTIES_IN,
    TEXT_IN,
    UNDO_IN,
    WHOLE_MESSAGE,
)
from chalicelib.api.schema import Choice, Flag, Json, Record, Shape, page_of
from chalicelib.domain.message import Message, Party
from chalicelib.domain.ticket import AGENT_STATUSES
from chalicelib.errors import InvalidInput
from chalicelib.services.permissions import require_scope
from chalicelib.store import messages, tickets

MAX_PAGE_CHARS = 1_000_000
"""Lambda answers at most 6 MB, and a character takes up to four bytes; a page ends before it grows over that."""


@operation(
    Operation(
        "list_messages",
        "Read the conversation, oldest first",
        "Messages",
        "tickets.read",
        page_of(MESSAGE),
        query=PAGING,
        about="A page of long messages may hold fewer than `limit`.",
    )
)
def list_messages(call: Call, ticket_id: str) -> Json:
    ticket = tickets.get(ticket_id)
    found, behind = messages.oldest(ticket.id, call.cursor, call.limit, ticket.merged)
    items: list[Json] = []
    chars = 0
    for each in found:
        shown = render.message(each)
        chars += len(shown["text"]) + len(shown["html"])
        if items and chars > MAX_PAGE_CHARS:
            return {"items": items, "next": items[-1]["id"]}
        items.append(shown)
    return {"items": items, "next": behind}


@operation(
    Operation(
        "get_message",
        "Read one message with everything it quotes",
        "Messages",
        "tickets.read",
        WHOLE_MESSAGE,
    )
)
def get_message(call: Call, ticket_id: str, message_id: str) -> Json:
    return render.message(messages.get(ticket_id, message_id), whole=True)


ONLY_REPLIES: dict[str, Shape] = {
    "html": HTML_IN,
    "undo_seconds": UNDO_IN,
    "to": PARTIES_IN,
    "cc": PARTIES_IN,
    "bcc": PARTIES_IN,
    "quote_history": Flag("Put the earlier conversation below the text."),
    "last_seen_message_id": ID_IN,
    "send_anyway": Flag("Send although somebody wrote after `last_seen_message_id`, or has answered already."),
    "then_status": Choice(AGENT_STATUSES, "Status the ticket gets with the reply."),
    "forward": Flag("Pass the conversation on to third parties named in `to`."),
}
NEW_MESSAGE = Record(
    "NewMessage",
    {"kind": Choice(("reply", "note"), "A `reply` goes to the customer, a `note` to nobody."), "text": TEXT_IN},
    {"as": AS_IN, "attachment_ids": ATTACHMENTS_IN, **ONLY_REPLIES},
    about=(
        "`to` left out: the recipients of the message that is answered, without our own addresses. With "
        "`last_seen_message_id` (the ticket's `last_message_id`) the reply is refused (409) when somebody wrote after "
        "it; without, when another agent or bot has answered the customer's newest message already."
    ),
    example={"kind": "reply", "text": "It left our house this morning."},
)


@operation(
    Operation(
        "create_message",
        "Reply to the customer, or add a note",
        "Messages",
        "tickets.write",
        MESSAGE,
        201,
        NEW_MESSAGE,
    )
)
def create_message(call: Call, ticket_id: str) -> Json:
    from chalicelib.services import reply_to_ticket

    ticket = tickets.get(ticket_id)
    if call.body["kind"] == "note":
        return render.message(_add_note(call, ticket_id))
    _check_channel(reply_to_ticket.lane_of(ticket).channel, call.body)
    if call.body.get("send_anyway"):
        require_scope(call.scopes, "tickets.send_anyway")
    return render.message(_reply(call, ticket_id))


def _add_note(call: Call, ticket_id: str) -> Message:
    from chalicelib.services import add_note

    faults = {name: "A note goes to nobody: leave this out." for name in call.body if name in ONLY_REPLIES}
    if faults:
        raise InvalidInput("This is no part of a note.", faults)
    files = tuple(call.body.get("attachment_ids", ()))
    return add_note.add_note(ticket_id, call.actor(), call.body["text"], call.at, files, call.seed)


def _reply(call: Call, ticket_id: str) -> Message:
    from chalicelib.services import reply_to_ticket

    body = call.body
    wanted = reply_to_ticket.Reply(
        text=body["text"],
        html=body.get("html", ""),
        to=_parties(body, "to") if "to" in body else None,
        cc=_parties(body, "cc"),
        bcc=_parties(body, "bcc"),
        attachment_ids=tuple(body.get("attachment_ids", ())),
        quote_history=body.get("quote_history", False),
        undo_seconds=body.get("undo_seconds", 0),
        last_seen_message_id=body.get("last_seen_message_id"),
        send_anyway=body.get("send_anyway", False),
        then_status=body.get("then_status"),
        forward=body.get("forward", False),
    )
    return reply_to_ticket.reply(ticket_id, call.actor(), wanted, call.at, call.seed)


def _parties(body: Mapping[str, Any], name: str) -> tuple[Party, ...]:
    return tuple(Party(each.get("name", ""), each["address"]) for each in body.get(name, ()))


def _check_channel(channel_name: str, body: Mapping[str, Any]) -> None:
    """What a channel cannot carry is refused, never dropped in silence."""
    from chalicelib import wiring

    able = wiring.channel(channel_name).capabilities
    faults = {}
    if len(body["text"]) > able.max_text_chars:
        faults["text"] = f"Keep it to {able.max_text_chars} characters on {channel_name}; it has {len(body['text'])}."
    if body.get("html") and not able.html:
        faults["html"] = f"{channel_name.capitalize()} carries plain text only: leave this out."
    if body.get("attachment_ids") and not able.attachments:
        faults["attachment_ids"] = f"{channel_name.capitalize()} carries no files: send a link instead."
    for name in ("to", "cc", "bcc"):
        if body.get(name) and not able.cc:
            faults[name] = f"On {channel_name} only the customer can be answered: leave this out."
    if faults:
        raise InvalidInput("The channel cannot carry this.", faults)


@operation(
    Operation(
        "undo_message",
        "Take a reply back before it goes out",
        "Messages",
        "tickets.write",
        MESSAGE,
        about="Only within the `undo_seconds` the reply was made with; 409 when it is on its way.",
    )
)
def undo_message(call: Call, ticket_id: str, message_id: str) -> Json:
    from chalicelib.services import take_back

    found = messages.get(ticket_id, message_id)
    if found.delivery is None or found.delivery.state != "cancelled":
        take_back.undo(ticket_id, message_id, call.bot, call.at)
    return render.message(messages.get(ticket_id, message_id))
