"""POST /tickets/…: merge tickets, and take them apart again."""

from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.api.web import WRITERS, Visit, console_route
from chalicelib.domain.ticket import Ticket
from chalicelib.errors import InvalidInput

UNDO_SECONDS = 15

blueprint = Blueprint(__name__)


def _numbers(visit: Visit, name: str) -> list[str]:
    """Every number that was typed or ticked, whatever stands between them."""
    typed = " ".join(visit.form.values(name)).replace(",", " ")
    return typed.split()


@console_route(blueprint, "/tickets/{ticket_id}/merge", methods=["POST"], allow=WRITERS)
def merge(visit: Visit, ticket_id: str) -> Response:
    """``into``: this ticket goes on in that one; ``ticket_ids``: those go on in this one."""
    from chalicelib.services import merge_tickets

    into, others = _numbers(visit, "into"), _numbers(visit, "ticket_ids")
    if len(into) > 1 or bool(into) == bool(others):
        raise InvalidInput("Say which ticket.", {"into": "Write one ticket number, like 1042."})
    survivor, members = (into[0].removeprefix("#"), [ticket_id]) if into else (ticket_id, others)
    ticket = merge_tickets.merge(survivor, members, visit.actor, visit.at)
    named = ",".join(each.removeprefix("#") for each in members)
    return visit.go(f"/tickets/{ticket.id}", **{"in": visit.query("in") or None, "merged": named})


@console_route(blueprint, "/tickets/{ticket_id}/unmerge", methods=["POST"], allow=WRITERS)
def unmerge(visit: Visit, ticket_id: str) -> Response:
    """Those of ``ticket_ids`` stand for themselves again."""
    from chalicelib.services import merge_tickets

    numbers = _numbers(visit, "ticket_ids")
    ticket = merge_tickets.unmerge(ticket_id, numbers, visit.actor, visit.at)
    return visit.go(f"/tickets/{ticket.id}", **{"in": visit.query("in") or None, "apart": ",".join(numbers)})


def toast_about(visit: Visit, ticket: Ticket) -> dict[str, Any] | None:
    """What is said on the page that a merge leads to, with Undo; None when it says nothing of it."""
    merged = [each for each in visit.query("merged").split(",") if each in ticket.merged]
    if merged:
        undo = {"path": f"/tickets/{ticket.id}/unmerge", "target": "#ticket-head",
                "fields": {"ticket_ids": ",".join(merged)}}  # fmt: skip
        words = f"Merged {_named(merged)} into this ticket."
        return {"words": words, "undo": undo if visit.may_write else None, "seconds": UNDO_SECONDS, "until": None}
    apart = [each for each in visit.query("apart").split(",") if each.isdecimal() and each not in ticket.merged]
    if not apart:
        return None
    words = f"Took {_named(apart)} out again. What was written meanwhile stays here."
    return {"words": words, "undo": None, "seconds": UNDO_SECONDS, "until": None}


def _named(numbers: list[str]) -> str:
    return ", ".join(f"#{each}" for each in numbers)
