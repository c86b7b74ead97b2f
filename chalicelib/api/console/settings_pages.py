"""What all pages of Settings share: who may see them, the menu at the side, and a form that was refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalice.app import Response

from chalicelib.api.web import Form, Visit
from chalicelib.domain.people import Agent
from chalicelib.errors import DeskbellError, InvalidInput
from chalicelib.services import presence
from chalicelib.services.permissions import Action, allowed
from chalicelib.web.words import zone_of

NOTHING = Form({})


@dataclass(frozen=True)
class MenuItem:
    path: str
    words: str
    action: Action
    group: str


MENU = (
    MenuItem("/settings/me", "You", "own.settings", "Settings"),
    MenuItem("/settings/replies", "Saved replies", "replies.own", "Settings"),
    MenuItem("/settings/agents", "Agents", "agents.manage", "Settings"),
    MenuItem("/settings/teams", "Teams", "teams.manage", "Settings"),
    MenuItem("/settings/calendars", "Business hours", "calendars.manage", "Settings"),
    MenuItem("/settings/inboxes", "Inboxes", "inboxes.manage", "Settings"),
    MenuItem("/settings/texts", "Signatures and acknowledgements", "inbox_texts.manage", "Settings"),
    MenuItem("/settings/tokens", "API tokens", "tokens.manage", "Settings"),
    MenuItem("/settings/desk", "Desk", "desk.manage", "Settings"),
    MenuItem("/settings/audit", "What was changed", "audit.read", "Settings"),
    MenuItem("/settings/costs", "Costs", "costs.read", "Operations"),
    MenuItem("/operations/ledger", "Received and shown", "operations.read", "Operations"),
    MenuItem("/operations/kept-out", "Kept out", "operations.read", "Operations"),
    MenuItem("/operations/failed", "Could not be processed", "operations.read", "Operations"),
    MenuItem("/operations/stopped", "Stopped sending", "operations.read", "Operations"),
)


@dataclass(frozen=True)
class Refusal:
    """What goes above a form and beside its fields."""

    message: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


FINE = Refusal()


def refusal_of(error: DeskbellError) -> Refusal:
    return Refusal(error.message, error.fields if isinstance(error, InvalidInput) else {}, error.status)


def set_presence(visit: Visit, agent: Agent) -> None:
    """What a form says of an agent: away, until a time of the visitor's own clock or until they are back, or back."""
    if not visit.form.has("away"):
        presence.come_back(agent.id, visit.actor, visit.at)
        return
    until = visit.form.value("until")
    try:
        local = datetime.fromisoformat(until) if until else None
    except ValueError as error:
        raise InvalidInput("That is no time.", {"until": "Write it like 2026-11-21T09:00."}) from error
    if local is not None and local.tzinfo is None:
        local = local.replace(tzinfo=zone_of(visit.agent.time_zone))
    presence.leave(agent.id, local.astimezone(UTC) if local else None, visit.actor, visit.at)


def show(visit: Visit, template: str, current: str, refusal: Refusal = FINE, **context: Any) -> Response:
    """A page with the menu; ``done`` of the query is said above it."""
    role = visit.agent.role
    return visit.page(
        template,
        status=refusal.status,
        menu=[item for item in MENU if allowed(role, item.action)],
        current=current,
        problem=refusal.message,
        errors=refusal.fields,
        may=lambda action: allowed(role, action),
        done=DONE.get(visit.query("done"), ""),
        **context,
    )


DONE = {
    "saved": "Saved.",
    "invited": "Invited.",
    "deleted": "Deleted.",
    "restored": "It is back.",
    "revoked": "Revoked: the next call with this token is refused.",
    "password": "Your password is changed. Other browsers are signed out.",
    "factor-on": "The second factor is set up. You are asked for six digits from your app at the next sign-in.",
    "factor-off": "The second factor is off.",
    "factor-reset": "The second factor is reset, and the agent is signed out.",
    "signed-out": "Signed out everywhere else.",
    "replayed": "It is being read again.",
    "retried": "It is being processed again.",
    "resumed": "Sending goes on. What was held back goes out within the next minutes.",
    "discarded": "Discarded. The reason is kept under “What was changed”.",
}
"""Sentences by their name in the URL after a form was taken: nobody else writes on our pages."""
