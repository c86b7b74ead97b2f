"""GET /tickets/…: a conversation, its messages in full, as sent, and their files."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.api.console.composing import Composer, composer_of
from chalicelib.api.console.merging import toast_about
from chalicelib.api.console.rail import Named
from chalicelib.api.console.screen import list_beside, show_screen, the_desk
from chalicelib.api.web import WRITERS, Visit, bucket_origins, console_route, html, security_headers
from chalicelib.domain.message import Message
from chalicelib.domain.people import Agent
from chalicelib.domain.safe_html import safe_html
from chalicelib.domain.ticket import Ticket
from chalicelib.services import attachments, originals, read_ticket
from chalicelib.services.read_ticket import TicketView
from chalicelib.store import live, messages, tickets
from chalicelib.web.desk import Desk
from chalicelib.web.render import url
from chalicelib.web.words import away_words, zone_of

MORNING_HOUR = 9
SENT_SECONDS = 10
SHORT_SECONDS = 4

blueprint = Blueprint(__name__)


@console_route(blueprint, "/tickets/{ticket_id}")
def show_ticket(visit: Visit, ticket_id: str) -> Response:
    view = read_ticket.open_ticket(ticket_id, visit.agent.id, visit.query("before") or None)
    if view.ticket.id != ticket_id:
        return _to_survivor(visit, view.ticket.id, ticket_id)
    return show_view(visit, view)


def _to_survivor(visit: Visit, survivor_id: str, ticket_id: str) -> Response:
    """A merged ticket's address leads to the ticket that goes on, which says so."""
    return visit.go(f"/tickets/{survivor_id}", **{"in": visit.query("in") or None, "from": ticket_id})


def show_view(visit: Visit, view: TicketView, composer: Composer | None = None, status: int = 200) -> Response:
    """The ticket beside its list; for htmx the ticket alone."""
    desk = the_desk(visit.at)
    named = list_beside(visit, desk)
    context = {
        **ticket_context(visit, view, desk, named),
        "composer": composer or composer_of(view, desk, visit.agent, visit.query("mode")),
    }
    sent = next((each for each in view.conversation.messages if each.id == visit.query("sent")), None)
    toast = toast_of(sent, visit) if sent else toast_about(visit, view.ticket) or {}
    if toast.get("undo") or not sent:
        context["toast"] = toast
    title = f"#{view.ticket.id} {view.ticket.subject}"
    if visit.wants_fragment:
        return visit.page("ticket/alone.html", status=status, title=title, **context)
    return show_screen(visit, desk, named, title, status=status, **context)


def ticket_context(visit: Visit, view: TicketView, desk: Desk, named: Named) -> dict[str, Any]:
    return {
        "view": view,
        "conversation": view.conversation,
        "customer": view.customer,
        "earlier": view.earlier,
        "ticket_id": view.ticket.id,
        "merged": view.merged,
        "came_from": next((each for each in view.ticket.merged if each == visit.query("from")), None),
        **head_context(visit, view.ticket, desk, named, view.viewers),
    }


def head_context(
    visit: Visit, ticket: Ticket, desk: Desk, named: Named, viewers: Collection[str] | None = None
) -> dict[str, Any]:
    """What stands above a conversation.  viewers: ids of other agents who have it open; None: look."""
    me = visit.agent
    others = [(each.id, _named(each, visit)) for each in desk.may_take() if each.id != me.id]
    return {
        "ticket": ticket,
        "desk": desk,
        "list": named,
        "may_write": visit.may_write,
        "assignees": [("", "Unassigned"), *([(me.id, f"{me.name} (me)")] if visit.may_write else []), *others],
        "teams": [("", "No team"), *((team.id, team.name) for team in desk.teams.values())],
        "snoozed": ticket.snoozed_until is not None and ticket.snoozed_until > visit.at,
        "snoozes": snoozes(visit.at, me),
        "viewers": tuple(desk.agent_name(each) for each in (_viewers(visit, ticket) if viewers is None else viewers)),
    }


def _named(agent: Agent, visit: Visit) -> str:
    """Whoever gives a ticket to somebody sees that they are not there."""
    away = away_words(agent, visit.at, visit.agent.time_zone)
    return f"{agent.name} ({away})" if away else agent.name


def _viewers(visit: Visit, ticket: Ticket) -> list[str]:
    return sorted({each.agent_id for each in live.connections() if each.ticket_id == ticket.id} - {visit.agent.id})


def toast_of(message: Message, visit: Visit) -> dict[str, Any]:
    """What is said about a message just written, with Undo while it can be taken back."""
    until = message.delivery.send_at if message.delivery else None
    if message.kind == "note" or until is None or until <= visit.at:
        words = "Note saved." if message.kind == "note" else "Sending."
        return {"words": words, "undo": None, "seconds": SHORT_SECONDS, "until": None}
    names = ", ".join(party.name or party.address for party in message.to)
    path = f"/tickets/{message.ticket_id}/messages/{message.id}/undo"
    undo = {"path": path, "target": "#composer", "fields": {}}
    return {"words": f"Sending to {names}", "undo": undo, "seconds": SENT_SECONDS, "until": until}


@console_route(blueprint, "/tickets/{ticket_id}/head")
def show_head(visit: Visit, ticket_id: str) -> Response:
    """What stands above the conversation, when somebody else changed it."""
    ticket, desk = tickets.get(ticket_id), the_desk(visit.at)
    if ticket.id != ticket_id:
        return _to_survivor(visit, ticket.id, ticket_id)
    return visit.page("ticket/above.html", **head_context(visit, ticket, desk, list_beside(visit, desk)))


def snoozes(at: datetime, agent: Agent) -> tuple[tuple[str, str], ...]:
    """Words and local times, in the agent's zone, as a datetime-local field writes them."""
    local = at.astimezone(zone_of(agent.time_zone))
    morning = local.replace(hour=MORNING_HOUR, minute=0, second=0, microsecond=0)
    tomorrow = morning + timedelta(days=1)
    monday = morning + timedelta(days=7 - local.weekday())
    choices = [(f"In 3 hours, {local + timedelta(hours=3):%H:%M}", local + timedelta(hours=3))]
    choices += [(f"Tomorrow {tomorrow:%H:%M}", tomorrow)]
    choices += [(f"Monday {monday:%H:%M}", monday)] if monday != tomorrow else []
    return tuple((words, f"{moment:%Y-%m-%dT%H:%M}") for words, moment in choices)


@console_route(blueprint, "/tickets/{ticket_id}/messages")
def show_messages(visit: Visit, ticket_id: str) -> Response:
    """Entries before ``before``; without it the newest, for a console that cannot listen."""
    ticket = tickets.get(ticket_id)
    conversation = messages.newest(ticket.id, visit.query("before") or None, merged=ticket.merged)
    return visit.page("ticket/messages.html", conversation=conversation, ticket=ticket, desk=the_desk())


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}")
def show_message(visit: Visit, ticket_id: str, message_id: str) -> Response:
    """One entry, for a console to which it was too long to push."""
    message = messages.get(ticket_id, message_id)
    return visit.page("ticket/one.html", message=message, desk=the_desk())


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}/full")
def show_full(visit: Visit, ticket_id: str, message_id: str) -> Response:
    """All of a message's words: what was newly written, then what was quoted."""
    message = messages.get(ticket_id, message_id)
    body = messages.body_of(message)
    new, everything = body.text.strip(), body.full_text.strip()
    rest = everything.removeprefix(new) if everything.startswith(new) else everything
    template = "ticket/full.html" if visit.wants_fragment else "ticket/whole.html"
    return visit.page(template, text=new, rest=rest.strip("\n"), message=message)


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}/formatted")
def show_formatted(visit: Visit, ticket_id: str, message_id: str) -> Response:
    message = messages.get(ticket_id, message_id)
    here = f"/tickets/{ticket_id}/messages/{message_id}"
    return visit.page("ticket/framed.html", here=here, author=message.author_name)


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}/html")
def show_html(visit: Visit, ticket_id: str, message_id: str) -> Response:
    """The message as it was sent, made safe, for a sandboxed frame.  ``images=1``: with pictures from the web."""
    message = messages.get(ticket_id, message_id)
    body = messages.body_of(message)
    remote = visit.query("images") == "1"
    here = f"/tickets/{ticket_id}/messages/{message_id}"
    safe = safe_html(body.html, remote_images=remote, cid_url=lambda cid: _picture(message, here, cid))
    page = visit.render("ticket/html.html", safe=safe, here=here, title=message.author_name)
    return html(page, 200, _frame_headers(remote))


def _picture(message: Message, here: str, content_id: str) -> str | None:
    """Where the picture lies that a mail's HTML names by its Content-ID."""
    wanted = content_id.strip("<>")
    found = next((each for each in message.attachments if (each.content_id or "").strip("<>") == wanted), None)
    return url(f"{here}/files/{found.id}", inline="1") if found else None


def _frame_headers(remote_images: bool) -> dict[str, str]:
    """Only our own frame may hold it; nothing in it runs; pictures from the web only when asked for."""
    pictures = " ".join(["'self'", "data:", *bucket_origins(), *(["https:", "http:"] if remote_images else [])])
    policy = (
        f"default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; frame-ancestors 'self'; "
        "form-action 'none'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    )
    kept = {name: value for name, value in security_headers().items() if name != "Cross-Origin-Opener-Policy"}
    framed = {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "no-referrer"}
    return {**kept, **framed}


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}/files/{file_id}")
def show_file(visit: Visit, ticket_id: str, message_id: str, file_id: str) -> Response:
    """To a link that works for some minutes; the file never passes through us."""
    message = messages.get(ticket_id, message_id)
    return html("", 303, {"Location": attachments.link(message, file_id, visit.query("inline") == "1")})


@console_route(blueprint, "/tickets/{ticket_id}/messages/{message_id}/original", allow=WRITERS)
def show_original(visit: Visit, ticket_id: str, message_id: str) -> Response:
    return html("", 303, {"Location": originals.link_of(messages.get(ticket_id, message_id))})
