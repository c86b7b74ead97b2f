"""POST /tickets/…: status, assignee, team, priority, tags, subject, snooze; spam, block, trash; unread."""

from datetime import UTC, datetime
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.api.console.screen import list_beside, the_desk
from chalicelib.api.console.ticket import head_context
from chalicelib.api.web import WRITERS, Form, Visit, console_route, html
from chalicelib.domain.people import Agent
from chalicelib.domain.ticket import Ticket
from chalicelib.errors import InvalidInput
from chalicelib.services import change_ticket, read_ticket
from chalicelib.services.change_ticket import Changes
from chalicelib.store import messages, tickets
from chalicelib.web.desk import Desk
from chalicelib.web.words import STATUS_WORDS, clock, zone_of

TOAST_SECONDS = 8
FIELDS = ("status", "assignee_id", "team_id", "priority", "tags", "subject", "snoozed_until")

blueprint = Blueprint(__name__)


@console_route(blueprint, "/tickets/{ticket_id}/change", methods=["POST"], allow=WRITERS)
def change(visit: Visit, ticket_id: str) -> Response:
    """One field of the ticket; the toast says what it is now and offers to go back."""
    field = next((name for name in FIELDS if visit.form.has(name)), None)
    if field is None:
        raise InvalidInput("Nothing was chosen. Choose what to change.")
    before = tickets.get(ticket_id)
    after = change_ticket.change(ticket_id, visit.actor, _changes(field, visit.form, visit.agent), visit.at)
    was = _as_field(field, before, visit.agent)
    undo = {"path": f"/tickets/{ticket_id}/change", "target": "#ticket-head", "fields": {field: was}}
    if field == "status" and after.status in ("spam", "trash"):
        undo = {"path": f"/tickets/{ticket_id}/restore", "target": "#ticket-head", "fields": {}}
    return _changed(visit, after, lambda desk: _words(field, after, desk, visit), undo if after != before else None)


@console_route(blueprint, "/tickets/{ticket_id}/restore", methods=["POST"], allow=WRITERS)
def restore(visit: Visit, ticket_id: str) -> Response:
    after = change_ticket.restore(ticket_id, visit.actor, visit.at)
    return _changed(visit, after, lambda _: f"Back in {STATUS_WORDS[after.status].lower()}.", None)


@console_route(blueprint, "/tickets/{ticket_id}/block", methods=["POST"], allow=WRITERS)
def block(visit: Visit, ticket_id: str) -> Response:
    after = change_ticket.block_sender(ticket_id, visit.actor, visit.at)
    undo = {"path": f"/tickets/{ticket_id}/restore", "target": "#ticket-head", "fields": {}}
    return _changed(visit, after, lambda _: f"{after.customer_handle} is blocked: new mail goes to spam.", undo)


@console_route(blueprint, "/tickets/{ticket_id}/unread", methods=["POST"], allow=WRITERS)
def unread(visit: Visit, ticket_id: str) -> Response:
    read_ticket.mark_unread(ticket_id, visit.agent.id)
    named = list_beside(visit, the_desk())
    if visit.wants_fragment:
        return html("", 204, {"HX-Trigger": '{"desk:unread": {"ticket": "' + ticket_id + '"}}'})
    return visit.go(named.path, **named.query)


@console_route(blueprint, "/tickets/{ticket_id}/seen", methods=["POST"])
def seen(visit: Visit, ticket_id: str) -> Response:
    """A message came while the agent looked at the ticket."""
    tickets.mark_seen(ticket_id, visit.agent.id)
    return html("", 204)


def _changes(field: str, form: Form, agent: Agent) -> Changes:
    value: Any = form.value(field).strip()
    if field in ("assignee_id", "team_id"):
        value = value or None
    elif field == "tags":
        value = tuple(tag for tag in value.split(",") if tag.strip())
    elif field == "snoozed_until":
        value = _local_time(value, agent) if value else None
    return Changes(**{field: value})


def _local_time(text: str, agent: Agent) -> datetime:
    """What a datetime-local field says, in the agent's zone, as UTC."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput("That is no time.", {"snoozed_until": "Write it like 2026-11-21T09:00."}) from error
    return (local if local.tzinfo else local.replace(tzinfo=zone_of(agent.time_zone))).astimezone(UTC)


def _as_field(field: str, ticket: Ticket, agent: Agent) -> str:
    """A ticket's value as the form would send it."""
    value = getattr(ticket, field)
    if field == "tags":
        return ", ".join(value)
    if field == "snoozed_until" and value is not None:
        return f"{value.astimezone(zone_of(agent.time_zone)):%Y-%m-%dT%H:%M:%S}"
    return value or ""


def _words(field: str, ticket: Ticket, desk: Desk, visit: Visit) -> str:
    if field == "status":
        return f"Set to {STATUS_WORDS[ticket.status].lower()}."
    if field == "assignee_id":
        name = "you" if ticket.assignee_id == visit.agent.id else desk.agent_name(ticket.assignee_id)
        return f"Assigned to {name}." if name else "Nobody has it now."
    if field == "team_id":
        team = desk.teams.get(ticket.team_id or "")
        return f"Moved to the team {team.name}." if team else "No team has it now."
    if field == "snoozed_until":
        until = ticket.snoozed_until
        return f"Comes back {clock(until, visit.at, visit.agent.time_zone)}." if until else "It is awake again."
    return {"priority": f"Priority {ticket.priority}.", "tags": "Tags set.", "subject": "Renamed."}[field]


def _changed(visit: Visit, ticket: Ticket, words: Any, undo: dict[str, Any] | None) -> Response:
    desk = the_desk(visit.at)
    named = list_beside(visit, desk)
    if not visit.wants_fragment:
        return visit.go(f"/tickets/{ticket.id}", **{"in": named.key})
    context = head_context(visit, ticket, desk, named)
    newest = messages.newest(ticket.id, limit=1, merged=ticket.merged).messages
    event = newest[-1] if newest and newest[-1].kind == "event" else None
    return visit.page(
        "ticket/changed.html", **context, event=event, words=words(desk), undo=undo, seconds=TOAST_SECONDS
    )
