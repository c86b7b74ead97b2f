"""/saved-replies: text that agents insert; and one of them, filled for a ticket."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest.shapes import ID
from chalicelib.api.schema import (
    Choice,
    Json,
    ListOf,
    MapOf,
    Moment,
    Nullable,
    Number,
    Record,
    Shape,
    Text,
    Words,
    page_of,
)
from chalicelib.domain.moments import stamp
from chalicelib.domain.people import Agent
from chalicelib.domain.saved_reply import (
    MAX_LANGUAGES,
    SCOPES,
    ReplyEntry,
    SavedReply,
    Scope,
    matching,
    visible_to,
)
from chalicelib.errors import InvalidInput, NotFound
from chalicelib.services import fill_reply, saved_replies
from chalicelib.services.permissions import allowed_by_scopes
from chalicelib.services.saved_replies import MAX_NAME_CHARS, MAX_SHORTCUT_CHARS, MAX_TEXT_CHARS, Keeper, ReplyForm
from chalicelib.store import directory, tickets
from chalicelib.store import saved_replies as kept

TAG = "Saved replies"
LANGUAGE_IN = Text("Code of a language, like `de`.", pattern="[a-z]{2,3}", hint="Write a code like de.")

ROW: dict[str, Shape] = {
    "id": ID,
    "name": Words(),
    "shortcut": Words("What is typed behind the slash; may be empty."),
    "scope": Choice(SCOPES, "Who may insert it."),
    "team_id": Nullable(Words("The team, for scope `team`.")),
    "agent_id": Nullable(Words("The agent, for scope `personal`.")),
    "languages": ListOf(Words()),
    "beginning": Words("Of the first text."),
    "changed_at": Moment(),
    "changed_by": Words(),
    "version": Number(1),
}
SAVED_REPLY_ROW = Record("SavedReplyRow", {**ROW, "used": Number(0, about="How often it was inserted.")})
SAVED_REPLY = Record("SavedReply", {**ROW, "texts": MapOf(Words(), Words(), about="By language.")})
FILLED = Record(
    "FilledReply",
    {
        "text": Words("With what is known put in."),
        "language": Words("The language taken; empty when the reply has no text."),
        "missing": ListOf(Words(), about="Placeholders left in the text: a reply that holds one is refused."),
    },
)

FIELDS: dict[str, Shape] = {
    "name": Text("What agents find it by.", max_chars=MAX_NAME_CHARS, blank=False),
    "texts": MapOf(
        Text(max_chars=MAX_TEXT_CHARS, lines=True), LANGUAGE_IN, MAX_LANGUAGES,
        "The words by language, with placeholders like `{customer.first_name}`; they replace those there are.",
    ),
}  # fmt: skip
SHORTCUT = Text("What is typed behind the slash.", max_chars=MAX_SHORTCUT_CHARS)
OWNERS: dict[str, Shape] = {
    "scope": Choice(SCOPES, "Who may insert it; `everyone` unless said. Only `personal` without scope `admin`."),
    "team_id": Text("The team, for scope `team`.", min_chars=1, max_chars=64),
    "agent_id": Text("The agent, for scope `personal`.", min_chars=1, max_chars=64),
}
NEW_REPLY = Record(
    "NewSavedReply",
    FIELDS,
    {"shortcut": SHORTCUT, **OWNERS},
    example={"name": "Shipping", "shortcut": "shipping", "texts": {"en": "Hello {customer.first_name}, it left."}},
)
CHANGED_REPLY = Record(
    "SavedReplyChange",
    {},
    {**FIELDS, "shortcut": SHORTCUT, **OWNERS, "version": Number(1, about="As you read it: 409 if it changed since.")},
    some=True,
)


def _keeper(call: Call) -> Keeper:
    return Keeper(call.bot, allowed_by_scopes(call.scopes, "replies.manage"))


@operation(
    Operation(
        "list_saved_replies",
        "List saved replies",
        TAG,
        "tickets.read",
        page_of(SAVED_REPLY_ROW),
        query={
            "q": Text("Words of name, shortcut or beginning.", max_chars=200),
            "agent_id": Text("Only what this agent may insert.", min_chars=1, max_chars=64),
        },
        about="All of them at once, by name.",
    )
)
def list_saved_replies(call: Call) -> Json:
    found = kept.entries()
    if "agent_id" in call.query:
        agent = _agent(call.query["agent_id"])
        found = visible_to(found, agent.id, agent.team_ids)
    uses = kept.uses()
    items = [{**_row(each), "used": uses.get(each.id, 0)} for each in matching(found, call.query.get("q", ""))]
    return {"items": items, "next": None}


@operation(Operation("get_saved_reply", "Read a saved reply", TAG, "tickets.read", SAVED_REPLY))
def get_saved_reply(call: Call, reply_id: str) -> Json:
    return _whole(kept.get(reply_id, call.at))


@operation(
    Operation("create_saved_reply", "Keep a saved reply", TAG, "replies.own", SAVED_REPLY, 201, NEW_REPLY)
)  # fmt: skip
def create_saved_reply(call: Call) -> Json:
    return _whole(_checked(lambda: saved_replies.create(_form(call.body), _keeper(call), call.at, call.seed)))


@operation(
    Operation(
        "change_saved_reply",
        "Change a saved reply",
        TAG,
        "replies.own",
        SAVED_REPLY,
        body=CHANGED_REPLY,
        errors=(409,),
        about="What is left out stays.",
    )
)
def change_saved_reply(call: Call, reply_id: str) -> Json:
    before, body = kept.get(reply_id, call.at), dict(call.body)
    entry = before.entry
    if "scope" not in body:
        body = {"scope": entry.scope, "team_id": entry.owner_id, "agent_id": entry.owner_id, **body}
    given = {"name": entry.name, "shortcut": entry.shortcut, "texts": before.texts, **body}
    version = body.get("version")
    return _whole(_checked(lambda: saved_replies.change(reply_id, _form(given), _keeper(call), call.at, version)))


@operation(
    Operation(
        "delete_saved_reply",
        "Delete a saved reply",
        TAG,
        "replies.own",
        SAVED_REPLY,
        errors=(409,),
        about=f"Answers it as it was; it can be restored for {saved_replies.RESTORE_DAYS} days.",
    )
)
def delete_saved_reply(call: Call, reply_id: str) -> Json:
    return _whole(saved_replies.delete(reply_id, _keeper(call), call.at))


@operation(
    Operation("restore_saved_reply", "Take the deletion of a saved reply back", TAG, "replies.own", SAVED_REPLY)
)  # fmt: skip
def restore_saved_reply(call: Call, reply_id: str) -> Json:
    return _whole(saved_replies.restore(reply_id, _keeper(call), call.at))


@operation(
    Operation(
        "fill_saved_reply",
        "Read a saved reply filled for a ticket",
        TAG,
        "tickets.read",
        FILLED,
        query={
            "agent_id": Text("Who is to say it: fills `{agent.name}`.", min_chars=1, max_chars=64),
            "language": LANGUAGE_IN,
        },
        about="Without `language`: the customer's where it is known, else the desk's first. Nothing is sent.",
    )
)
def fill_saved_reply(call: Call, ticket_id: str, reply_id: str) -> Json:
    ticket, reply = tickets.get(ticket_id), kept.get(reply_id, call.at)
    agent = _agent(call.query["agent_id"]) if "agent_id" in call.query else None
    found = fill_reply.fill(reply, ticket, agent, call.query.get("language", ""))
    return {"text": found.text, "language": found.language, "missing": list(found.missing)}


def _agent(agent_id: str) -> Agent:
    try:
        return directory.agent(agent_id)
    except NotFound as error:
        raise InvalidInput("There is no such agent.", {"agent_id": "Give the id of an agent."}) from error


def _form(given: Mapping[str, Any]) -> ReplyForm:
    scope: Scope = given.get("scope", "everyone")
    owner_id = {"team": given.get("team_id", ""), "personal": given.get("agent_id", "")}.get(scope, "")
    if scope == "personal" and owner_id:
        _agent(owner_id)
    return ReplyForm(given["name"], given.get("shortcut", ""), scope, owner_id, given["texts"])


def _checked(act: Callable[[], SavedReply]) -> SavedReply:
    """The service names fields flat, as the console's form has them."""
    try:
        return act()
    except InvalidInput as error:
        raise InvalidInput(error.message, {_where(name): said for name, said in error.fields.items()}) from error


def _where(field: str) -> str:
    kind, _, code = field.partition("_")
    return f"texts.{code}" if kind == "text" else {"languages": "texts"}.get(field, field)


def _row(entry: ReplyEntry) -> Json:
    return {
        "id": entry.id,
        "name": entry.name,
        "shortcut": entry.shortcut,
        "scope": entry.scope,
        "team_id": entry.owner_id if entry.scope == "team" else None,
        "agent_id": entry.owner_id if entry.scope == "personal" else None,
        "languages": list(entry.languages),
        "beginning": entry.beginning,
        "changed_at": stamp(entry.changed_at),
        "changed_by": entry.changed_by,
        "version": entry.version,
    }


def _whole(reply: SavedReply) -> Json:
    return {**_row(reply.entry), "texts": dict(reply.texts)}
