"""GET and POST /new: a ticket made by hand."""

import secrets
from typing import Literal

from chalice.app import Blueprint, Response

from chalicelib.api.console.rail import Named
from chalicelib.api.console.screen import list_beside, show_screen, the_desk
from chalicelib.api.web import WRITERS, Form, Visit, console_route
from chalicelib.domain.message import Party
from chalicelib.domain.recipients import checked_address, parse_parties
from chalicelib.errors import InvalidInput
from chalicelib.services import create_ticket
from chalicelib.services.permissions import allowed
from chalicelib.web.desk import Desk

blueprint = Blueprint(__name__)

NOTHING = Form({})


@console_route(blueprint, "/new", allow=WRITERS)
def show_form(visit: Visit) -> Response:
    return _form(visit, NOTHING, {}, "")


@console_route(blueprint, "/new", methods=["POST"], allow=WRITERS)
def create(visit: Visit) -> Response:
    form = visit.form
    direction: Literal["in", "out"] = "in" if form.value("direction") == "in" else "out"
    inbox = the_desk().inboxes.get(form.value("inbox_id"))
    try:
        ticket, message = create_ticket.create(
            visit.actor,
            form.value("inbox_id"),
            _customer(form),
            form.value("subject"),
            form.value("text"),
            direction,
            visit.at,
            seed=form.value("seed") or None,
            undo_seconds=inbox.undo_seconds if inbox and direction == "out" else 0,
        )
    except InvalidInput as error:
        return _form(visit, form, error.fields, error.message)
    named = list_beside(visit, the_desk())
    return visit.go(f"/tickets/{ticket.id}", **{"in": named.key, "sent": message.id})


def _customer(form: Form) -> Party:
    """Name and address as typed; what is no one address stays whole, for the check to quote it."""
    whole = form.value("customer").strip()
    named = parse_parties(whole)
    try:
        checked_address(named[0].address if len(named) == 1 else whole)
    except InvalidInput:
        return Party(form.value("name").strip(), whole)
    return Party(form.value("name").strip() or named[0].name, named[0].address)


def _form(visit: Visit, typed: Form, errors: dict[str, str], problem: str) -> Response:
    desk = the_desk(visit.at)
    named = list_beside(visit, desk)
    return show_screen(
        visit,
        desk,
        named,
        "New ticket",
        status=422 if problem else 200,
        blank="ticket/new.html",
        typed=typed,
        errors=errors,
        problem=problem,
        seed=typed.value("seed") or secrets.token_urlsafe(12),
        inboxes=[(inbox.id, f"{inbox.name} ({inbox.address})") for inbox in desk.inboxes.values() if inbox.active],
        inbox_id=_likely_inbox(named, visit, desk),
        may_set_up=allowed(visit.agent.role, "inboxes.manage"),
    )


def _likely_inbox(named: Named, visit: Visit, desk: Desk) -> str:
    """The inbox of the list that the agent comes from, else one of a team: of that list, then of the agent."""
    kind, _, of = named.key.partition(":")
    if kind == "inbox":
        return of
    teams = [of] if kind == "team" else []
    for team_id in (*teams, *visit.agent.team_ids):
        found = next((each.id for each in desk.inboxes.values() if each.active and each.team_id == team_id), None)
        if found:
            return found
    return ""
