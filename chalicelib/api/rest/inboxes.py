"""/inboxes: the configured accounts of the channels."""

from collections.abc import Mapping
from typing import Any

from chalicelib import wiring
from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import INBOX
from chalicelib.api.schema import Choice, Flag, Json, MapOf, Number, Record, Text, page_of
from chalicelib.errors import InvalidInput
from chalicelib.store import directory


@operation(Operation("list_inboxes", "List all inboxes", "Inboxes", "tickets.read", page_of(INBOX)))
def list_inboxes(call: Call) -> Json:
    return {"items": [render.inbox(each, call.public_url) for each in directory.inboxes()], "next": None}


@operation(Operation("get_inbox", "Read an inbox", "Inboxes", "tickets.read", INBOX))
def get_inbox(call: Call, inbox_id: str) -> Json:
    return render.inbox(directory.inbox(inbox_id), call.public_url)


NEW_INBOX = Record(
    "NewInbox",
    {
        "channel": Choice(tuple(wiring.CONNECTORS)),
        "name": Text("What agents call it, say “Support”.", max_chars=60, blank=False),
    },
    {
        "address": Text("Mail address; bots tell theirs themselves.", max_chars=254),
        "team_id": Text("The team that gets its tickets.", max_chars=64),
        "signature": Text(max_chars=4_000, lines=True),
        "acknowledgement": Text("The one automatic answer to a new mail; empty: none.", max_chars=4_000, lines=True),
        "separated": Flag("Never share its tickets with other inboxes."),
        "reopen_days": Number(0, 365, "A reply to a ticket closed longer ago opens a new one; 30 unless said."),
        "undo_seconds": Number(0, 60, "How long a reply of the console can be taken back: 10 for mail, 0 for chats."),
        "sends_per_minute": Number(1, 1_000, "Above this the desk stops sending and asks; 120 unless said."),
        "settings": MapOf(Text(max_chars=2_000, lines=True), about="The channel's own, say `forward_to` for mail."),
        "secrets": MapOf(Text(max_chars=4_000), about="What proves us to the provider, say `bot_token`; never shown."),
        "base_url": Text(
            "Where the provider's API lies, when not at its usual address.",
            max_chars=300,
            pattern=r"https?://[A-Za-z0-9._~:/\[\]@-]{1,280}",
            hint="Write an address that begins with https://.",
        ),
    },
    example={"channel": "email", "name": "Sales", "address": "sales@shop.example"},
)
FORM_FIELDS = (
    "channel", "name", "address", "team_id", "signature", "acknowledgement", "separated", "reopen_days",
    "undo_seconds", "sends_per_minute",
)  # fmt: skip


@operation(
    Operation(
        "create_inbox",
        "Connect an account of a channel",
        "Inboxes",
        "inboxes.manage",
        INBOX,
        201,
        NEW_INBOX,
        errors=(502, 503),
    )
)
def create_inbox(call: Call) -> Json:
    from chalicelib.api.inbox_tools import inbox_tools
    from chalicelib.services import inboxes

    body = call.body
    given = dict(body.get("settings", {}))
    if "base_url" in body:
        given["base_url"] = body["base_url"]
    values = {name: body[name] for name in FORM_FIELDS if name in body}
    values.setdefault("undo_seconds", wiring.channel(body["channel"]).capabilities.undo_seconds)
    form = inboxes.InboxForm(**values, settings=given, secrets=body.get("secrets", {}))
    try:
        tools = inbox_tools(call.public_url, body.get("base_url", ""))
        return render.inbox(inboxes.create(form, tools, call.bot, call.at), call.public_url)
    except InvalidInput as error:
        made_before = _made_before(call, form.address) if "address" in error.fields else None
        if made_before is not None:
            return made_before
        raise InvalidInput(error.message, {_where(name, body): error.fields[name] for name in error.fields}) from error


def _made_before(call: Call, address: str) -> Json | None:
    """What an attempt made that died before it could answer; None when the address is simply taken."""
    found = directory.inbox_at(address) if call.repeated and address else None
    if found is None or (found.name, found.channel) != (call.body["name"], call.body["channel"]):
        return None
    return render.inbox(found, call.public_url)


def _where(field: str, body: Mapping[str, Any]) -> str:
    """The service names fields flat, as the console's form has them."""
    from chalicelib.services.inboxes import SECRETS, SETTINGS

    if field in body or field in NEW_INBOX.required:
        return field
    if field in {*SECRETS[body["channel"]], *body.get("secrets", ())}:
        return f"secrets.{field}"
    return f"settings.{field}" if field in {*SETTINGS[body["channel"]], *body.get("settings", ())} else field


@operation(
    Operation(
        "resume_inbox",
        "Send again from an inbox whose circuit breaker is open",
        "Inboxes",
        "operations.retry",
        INBOX,
        errors=(404,),
        about="Does nothing when the inbox is not stopped. What was held back goes out within the next minutes.",
    )
)
def resume_inbox(call: Call, inbox_id: str) -> Json:
    from chalicelib.services import audit, breaker

    inbox = directory.inbox(inbox_id)
    if breaker.resume(inbox.id, call.bot, call.at):
        audit.record(call.bot, "Sending resumed", inbox.name, call.at)
    return render.inbox(inbox, call.public_url)
