"""POST /tickets/…: answers and notes, drafts, files to send, and what can be done about a sent message."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.api.console.composing import (
    Composer,
    Mode,
    Typed,
    composer_for,
    holds_words,
    joined,
    mode_of,
    typed_of,
    uploads,
)
from chalicelib.api.console.screen import list_beside, the_desk
from chalicelib.api.console.ticket import head_context, show_view, toast_of
from chalicelib.api.web import WRITERS, Form, Visit, console_route, html
from chalicelib.domain.message import Message
from chalicelib.domain.recipients import parse_parties
from chalicelib.domain.safe_html import agent_html
from chalicelib.domain.ticket import AGENT_STATUSES, Status
from chalicelib.errors import Conflict, DeskbellError, InvalidInput
from chalicelib.services import add_note, attachments, drafts, read_ticket, reply_to_ticket, send_again, take_back
from chalicelib.services.drafts import Draft
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import messages, tickets

blueprint = Blueprint(__name__)


def typed_in(visit: Visit) -> Typed:
    """The composer's fields as they were posted."""
    form = visit.form
    return Typed(
        mode=mode_of(form.value("mode")), text=form.value("text").replace("\r\n", "\n"),
        html=agent_html(form.value("html")),
        to=form.value("to") if form.has("to") else None, cc=form.value("cc"), bcc=form.value("bcc"),
        file_ids=form.values("attachment"), quote_history=form.has("quote"),
        last_seen=form.value("last_seen"), seed=form.value("seed"),
        passed=tuple(form.values("pass")) if form.has("offered") else None, own_recipients=_chose_recipients(form),
        took=form.values("took"),
    )  # fmt: skip


def _chose_recipients(form: Form) -> bool:
    """Others than the composer proposed, which it sends along."""
    if not form.has("proposed") or not form.has("to"):
        return False
    typed = parse_parties(",".join(form.value(name) for name in ("to", "cc", "bcc")))
    return {each.address.lower() for each in typed} != set(form.value("proposed").lower().split(",")) - {""}


@console_route(blueprint, "/tickets/{ticket_id}/write", methods=["POST"], allow=WRITERS)
def write(visit: Visit, ticket_id: str) -> Response:
    """Send an answer, or save a note.  What cannot be sent comes back as it was typed, with what is wrong."""
    typed = typed_in(visit)
    try:
        message = _note(visit, ticket_id, typed) if typed.mode == "note" else _reply(visit, ticket_id, typed)
    except InvalidInput as error:
        left = {name: each for name, each in error.fields.items() if name not in ("to", "cc", "bcc", "text")}
        problem = "" if error.fields and not left else error.message
        return _composer_again(visit, ticket_id, typed, error.status, errors=error.fields, problem=problem)
    except Conflict as error:
        latest = error.latest_message_id
        place = {"conflict_id": latest, "conflict_ticket": error.latest_ticket_id or ""}
        trouble = {"conflict": error.message, **place} if latest else {"problem": error.message}
        return _composer_again(visit, ticket_id, typed, error.status, **trouble)
    except DeskbellError as error:
        return _composer_again(visit, ticket_id, typed, error.status, problem=error.message)
    _let_go(visit, ticket_id, typed)
    if not visit.wants_fragment:
        return visit.go(f"/tickets/{ticket_id}", **{"in": visit.query("in") or None})
    return _written(visit, message)


def _let_go(visit: Visit, ticket_id: str, typed: Typed) -> None:
    """Drafts of merged tickets that went into this text have no life of their own any more."""
    places = [each for each in tickets.get(ticket_id).merged if each in typed.took] if typed.took else []
    for each in places:
        drafts.discard(each, visit.agent.id)


def _note(visit: Visit, ticket_id: str, typed: Typed) -> Message:
    return add_note.add_note(ticket_id, visit.actor, typed.text, visit.at, typed.all_files, seed=typed.seed or None)


def _reply(visit: Visit, ticket_id: str, typed: Typed) -> Message:
    wanted = Reply(
        text=typed.text,
        html=typed.html,
        to=None if typed.to is None else parse_parties(typed.to),
        cc=parse_parties(typed.cc),
        bcc=parse_parties(typed.bcc),
        attachment_ids=typed.all_files,
        quote_history=typed.quote_history or typed.mode == "forward",
        last_seen_message_id=typed.last_seen or None,
        send_anyway=visit.form.has("send_anyway"),
        then_status=_then(visit.form.value("then")),
        forward=typed.mode == "forward",
    )
    return reply_to_ticket.reply(ticket_id, visit.actor, wanted, visit.at, seed=typed.seed or None)


def _then(text: str) -> Status | None:
    return next((status for status in AGENT_STATUSES if status == text), None)


def _composer(visit: Visit, ticket_id: str, typed: Typed, **trouble: Any) -> Composer:
    ticket = tickets.get(ticket_id)
    shown = messages.newest(ticket.id, merged=ticket.merged).messages
    return composer_for(ticket, shown, the_desk(), visit.agent, typed, **trouble)


def _composer_again(visit: Visit, ticket_id: str, typed: Typed, status: int = 200, **trouble: Any) -> Response:
    """The composer with what was typed: alone for htmx, else within its page."""
    composer = _composer(visit, ticket_id, typed, **trouble)
    if visit.wants_fragment:
        ticket = {"id": ticket_id}
        return visit.page("ticket/composer.html", status=status, composer=composer, ticket=ticket)
    return show_view(visit, read_ticket.open_ticket(ticket_id, visit.agent.id), composer, status)


def _written(visit: Visit, message: Message) -> Response:
    """An empty composer; the message joins the conversation, the head its new status, and a toast offers undo."""
    ticket, desk = tickets.get(message.ticket_id), the_desk(visit.at)
    shown = messages.newest(ticket.id, merged=ticket.merged).messages
    composer = composer_for(ticket, shown, desk, visit.agent, Typed())
    return visit.page(
        "ticket/written.html",
        **head_context(visit, ticket, desk, list_beside(visit, desk)),
        composer=composer,
        message=message,
        **toast_of(message, visit),
    )


@console_route(blueprint, "/tickets/{ticket_id}/composer", methods=["POST"], allow=WRITERS)
def change_mode(visit: Visit, ticket_id: str) -> Response:
    """The same words as an answer to all, to the sender, forwarded, or as a note; recipients are proposed anew."""
    before = typed_in(visit)
    mode: Mode = mode_of(visit.form.value("to_mode"))
    typed = Typed(
        mode, before.text, before.html, None, file_ids=before.file_ids, quote_history=before.quote_history,
        last_seen=before.last_seen, seed=before.seed, passed=before.passed, took=before.took,
    )  # fmt: skip
    return _composer_again(visit, ticket_id, typed)


@console_route(blueprint, "/tickets/{ticket_id}/draft", methods=["POST"], allow=WRITERS)
def save_draft(visit: Visit, ticket_id: str) -> Response:
    tickets.get(ticket_id)  # nothing is kept of a ticket that is not there
    keep_draft(visit, ticket_id, typed_in(visit))
    return html("", 204) if visit.wants_fragment else visit.go(f"/tickets/{ticket_id}")


def keep_draft(visit: Visit, ticket_id: str, typed: Typed) -> None:
    draft = Draft(
        kind="note" if typed.mode == "note" else "reply", text=typed.text, updated_at=visit.at, html=typed.html,
        to=parse_parties(typed.to or ""), cc=parse_parties(typed.cc), bcc=parse_parties(typed.bcc),
        attachment_ids=typed.all_files if holds_words(typed) else (), forward=typed.mode == "forward",
    )  # fmt: skip
    drafts.save(ticket_id, visit.agent.id, draft)
    _let_go(visit, ticket_id, typed)


@console_route(blueprint, "/tickets/{ticket_id}/uploads", methods=["POST"], allow=WRITERS)
def start_upload(visit: Visit, ticket_id: str) -> Response:
    """Where the browser puts a file, and the line that stands for it in the composer."""
    tickets.get(ticket_id)
    form = visit.form
    size_bytes = int(form.value("size")) if form.value("size").isdecimal() else 0
    upload = attachments.start_upload(
        ticket_id, visit.actor, form.value("name"), form.value("type"), size_bytes, visit.at, secrets.token_bytes(16)
    )
    (file,) = uploads([upload.attachment_id], ticket_id)
    answer = {"url": upload.url, "fields": upload.fields, "html": visit.render("ticket/upload.html", file=file)}
    return html(json.dumps(answer), 200, {"Content-Type": "application/json"})


# After sending


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}/undo", methods=["POST"], allow=WRITERS)
def undo(visit: Visit, ticket_id: str, message_id: str) -> Response:
    """Take an answer back; its words return to the composer, unless that holds others by now: those stay."""
    ticket_id = _written_on(visit, ticket_id)
    typed = _typed_since(visit, ticket_id)
    if typed:
        keep_draft(visit, ticket_id, typed)
    draft = take_back.undo(ticket_id, message_id, visit.actor, visit.at)
    if not visit.wants_fragment:
        return visit.go(f"/tickets/{ticket_id}")
    ticket, desk = tickets.get(ticket_id), the_desk(visit.at)
    returns = draft is not None and typed is None
    return visit.page(
        "ticket/undone.html",
        headers=None if returns else {"HX-Reswap": "none"},
        **head_context(visit, ticket, desk, list_beside(visit, desk)),
        composer=_composer(visit, ticket_id, typed_of(draft)) if draft and returns else None,
        message=messages.get(ticket_id, message_id),
    )


def _written_on(visit: Visit, ticket_id: str) -> str:
    """The ticket whose composer stands on the page: a merged ticket's messages stand on that of another."""
    of = visit.form.value("of")
    return of if of not in ("", ticket_id) and tickets.get(ticket_id).id == of else ticket_id


def _typed_since(visit: Visit, ticket_id: str) -> Typed | None:
    """What the ticket's composer holds, which the page sends along; None when it is empty, or another ticket's."""
    typed = typed_in(visit)
    return typed if visit.form.value("of") == ticket_id and holds_words(typed) else None


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}/use", methods=["POST"], allow=WRITERS)
def use_again(visit: Visit, ticket_id: str, message_id: str) -> Response:
    """The text of an answer that was taken back, behind whatever the agent is writing."""
    message = messages.get(ticket_id, message_id)
    ticket_id = _written_on(visit, ticket_id)
    if message.delivery is None or message.delivery.state != "cancelled":
        raise Conflict("This answer was not taken back.")
    kept = None if visit.form.has("of") else drafts.load(ticket_id, visit.agent.id)
    typed = typed_of(kept) if kept else _typed_since(visit, ticket_id) or Typed()
    whole = joined(typed, typed_of(take_back.draft_of(message, visit.at)))
    if visit.wants_fragment:
        return _composer_again(visit, ticket_id, whole)
    keep_draft(visit, ticket_id, whole)
    return visit.go(f"/tickets/{ticket_id}")


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}/settle", methods=["POST"], allow=WRITERS)
def settle(visit: Visit, ticket_id: str, message_id: str) -> Response:
    """The agent knows what became of a message whose fate is unclear."""
    arrived = visit.form.value("arrived") == "yes"
    return _acted(
        visit,
        ticket_id,
        message_id,
        lambda: send_again.settle_unclear(ticket_id, message_id, visit.actor, arrived, visit.at),
    )


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}/again", methods=["POST"], allow=WRITERS)
def send_once_more(visit: Visit, ticket_id: str, message_id: str) -> Response:
    """Send what bounced or failed once more, perhaps to another address."""
    to = parse_parties(visit.form.value("to")) or None
    return _acted(
        visit,
        ticket_id,
        message_id,
        lambda: send_again.send_again(ticket_id, message_id, visit.actor, visit.at, to),
    )


def _acted(visit: Visit, ticket_id: str, message_id: str, act: Callable[[], Message]) -> Response:
    """The message in its new state, and the one that was sent instead, if any."""
    result = act()
    if not visit.wants_fragment:
        return visit.go(f"/tickets/{ticket_id}")
    new = result if result.id != message_id else None
    before = messages.get(ticket_id, message_id)
    return visit.page("ticket/acted.html", message=before, new=new, desk=the_desk())
