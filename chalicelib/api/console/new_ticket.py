"""GET and POST /new: a ticket made by hand."""

import secrets
from typing import Literal

from chalice.app import Blueprint, Response

from chalicelib.api.console.screen import list_beside, show_screen, the_desk
from chalicelib.api.web import WRITERS, Form, Visit, console_route
from chalicelib.domain.message import Party
from chalicelib.domain.recipients import parse_parties
from chalicelib.errors import InvalidInput
from chalicelib.services import create_ticket
from chalicelib.services.permissions import allowed

blueprint = Blueprint(__name__)

NOTHING = Form({})


@console_route(blueprint, "/new", allow=WRITERS)
def show_form(visit: Visit) -> Response:
    return _form(visit, NOTHING, {}, "")


@console_route(blueprint, "/new", methods=["POST"], allow=WRITERS)
def create(visit: Visit) -> Response:
    form = visit.form
    direction: Literal["in", "out"] = "in" if form.value("direction") == "in" else "out"
    named = parse_parties(form.value("customer"))
    customer = Party(form.value("name").strip() or named[0].name, named[0].address) if named else Party("", "")
    try:
        ticket, _ = create_ticket.create(
            visit.actor,
            form.value("inbox_id"),
            customer,
            form.value("subject"),
            form.value("text"),
            direction,
            visit.at,
            seed=form.value("seed") or None,
        )
    except InvalidInput as error:
        return _form(visit, form, error.fields, error.message)
    return visit.go(f"/tickets/{ticket.id}")


def _form(visit: Visit, typed: Form, errors: dict[str, str], problem: str) -> Response:
    desk = the_desk()
    return show_screen(
        visit,
        desk,
        list_beside(visit, desk),
        "New ticket",
        status=422 if problem else 200,
        blank="ticket/new.html",
        typed=typed,
        errors=errors,
        problem=problem,
        seed=typed.value("seed") or secrets.token_urlsafe(12),
        inboxes=[(inbox.id, f"{inbox.name} ({inbox.address})") for inbox in desk.inboxes.values() if inbox.active],
        may_set_up=allowed(visit.agent.role, "inboxes.manage"),
    )
