"""/tickets: lists, one ticket, making and changing one."""

from typing import Any

from chalicelib.api.operations import PAGING, Call, Operation, operation
from chalicelib.api.rest import lists, render
from chalicelib.api.rest.referring import referring
from chalicelib.api.rest.shapes import (
    ADDRESS_IN,
    AS_IN,
    HTML_IN,
    ID_IN,
    LISTED_TICKET,
    NAME_IN,
    SUBJECT_IN,
    TAGS_IN,
    TEXT_IN,
    TICKET,
    UNDO_IN,
)
from chalicelib.api.schema import Choice, Json, Moment, Nullable, Number, Record, Text, page_of
from chalicelib.domain.message import Party
from chalicelib.domain.ticket import PRIORITIES, STATUSES
from chalicelib.errors import InvalidInput
from chalicelib.store import directory, tickets

MONTH = Text("Month in which the tickets were filed, yyyy-mm.", pattern="[0-9]{4}-(0[1-9]|1[0-2])", example="2026-11")


@operation(
    Operation(
        "list_tickets",
        "List tickets, newest activity first",
        "Tickets",
        "tickets.read",
        page_of(LISTED_TICKET),
        query={
            "list": Choice(
                lists.LIST_KINDS,
                "One of the desk's lists. `unassigned` (with team_id: of that team) holds what nobody has taken; "
                "`waiting` has the longest waiting first.",
            ),
            "status": Choice(STATUSES),
            "assignee_id": ID_IN,
            "team_id": ID_IN,
            "inbox_id": ID_IN,
            "month": MONTH,
            "fields": Choice(
                ("all", "row"),
                "`row`: what the desk's lists show of a ticket, without its `created_at`, `version`, … ; a page then "
                "costs a sixth of the reads. `all` unless said.",
            ),
            **PAGING,
        },
        about=(
            "Without a filter: what is open, then pending, then snoozed, then resolved and closed in this month and "
            "the last; spam and trash only by their status. With assignee_id, team_id or inbox_id: live tickets, "
            "unless a `status` says otherwise. Resolved, closed, spam and trash are filed by month: name a `month` for "
            "older ones. A page may hold fewer tickets than `limit`; the list ends when `next` is null."
        ),
    )
)
def list_tickets(call: Call) -> Json:
    chosen = lists.sections(call.query, call.at)
    rows, behind = lists.read(chosen, call.cursor, call.limit, lists.keeps(call.query))
    if call.query.get("fields") == "row":
        return {"items": [render.row(row, call.at) for row in rows], "next": behind}
    whole = tickets.get_many([row.id for row in rows])
    return {"items": [render.ticket(whole[row.id].ticket, call.at) for row in rows if row.id in whole], "next": behind}


CUSTOMER_IN = Record(
    "TicketCustomer",
    optional={
        "name": NAME_IN,
        "email": ADDRESS_IN,
        "handle": Text("Address on a channel other than mail.", max_chars=254, blank=False),
    },
    about="Who writes, or is written to.",
    either=("email", "handle"),
    example={"name": "Ada Example", "email": "ada@customer.example"},
)
NEW_TICKET = Record(
    "NewTicket",
    {"inbox_id": ID_IN, "customer": CUSTOMER_IN, "subject": SUBJECT_IN, "text": TEXT_IN},
    {
        "html": HTML_IN,
        "direction": Choice(("in", "out"), "`in` (unless said) records what the customer said and sends nothing."),
        "as": AS_IN,
        "undo_seconds": UNDO_IN,
    },
    example={
        "inbox_id": "support",
        "customer": {"name": "Ada Example", "email": "ada@customer.example"},
        "subject": "Where is my parcel?",
        "text": "It was to come on Monday.",
    },
)


@operation(
    Operation(
        "create_ticket",
        "Make a ticket with its first message",
        "Tickets",
        "tickets.write",
        TICKET,
        201,
        NEW_TICKET,
    )
)
def create_ticket(call: Call) -> Json:
    from chalicelib.services import create_ticket as service

    body = call.body
    direction = body.get("direction", "in")
    _check_inbox(body["inbox_id"], direction)
    customer = body["customer"]
    party = Party(customer.get("name", ""), customer.get("email") or customer.get("handle", ""))
    ticket, _ = service.create(
        call.actor(),
        body["inbox_id"],
        party,
        body["subject"],
        body["text"],
        direction,
        call.at,
        body.get("html", ""),
        call.seed,
        body.get("undo_seconds", 0),
    )
    return render.ticket(ticket, call.at)


def _check_inbox(inbox_id: str, direction: str) -> None:
    from chalicelib import wiring

    with referring("inbox_id"):
        inbox = directory.inbox(inbox_id)
    if not inbox.active:
        raise InvalidInput("This inbox is switched off.", {"inbox_id": "Choose an active inbox."})
    if direction == "out" and not wiring.channel(inbox.channel).capabilities.first_message:
        raise InvalidInput(
            "On this channel the customer writes first.", {"direction": f"An {inbox.channel} inbox can only answer."}
        )


@operation(Operation("get_ticket", "Read a ticket", "Tickets", "tickets.read", TICKET))
def get_ticket(call: Call, ticket_id: str) -> Json:
    return render.ticket(tickets.get(ticket_id), call.at)


TICKET_CHANGES = Record(
    "TicketChanges",
    optional={
        "status": Choice(STATUSES),
        "priority": Choice(PRIORITIES),
        "assignee_id": Nullable(Text("An active agent; null: nobody.", min_chars=1, max_chars=64)),
        "team_id": Nullable(Text("A team; null: none.", min_chars=1, max_chars=64)),
        "tags": TAGS_IN,
        "subject": SUBJECT_IN,
        "snoozed_until": Nullable(Moment("A time ahead, within a year; null: awake.")),
        "version": Number(1, about="The ticket's version that you saw; 409 when somebody changed it since."),
        "as": AS_IN,
    },
    about="What to change; what is left out stays.",
    some=True,
    example={"status": "resolved", "tags": ["parcel"]},
)


@operation(
    Operation(
        "change_ticket",
        "Change a ticket",
        "Tickets",
        "tickets.write",
        TICKET,
        body=TICKET_CHANGES,
        errors=(409,),
    )
)
def change_ticket(call: Call, ticket_id: str) -> Json:
    from chalicelib.services import change_ticket as service

    tickets.get(ticket_id)  # so that a 404 is about the ticket, and not about what the body names
    wanted: dict[str, Any] = {
        name: value for name, value in call.body.items() if name in service.Changes.__dataclass_fields__
    }
    _check_named(wanted)
    if "tags" in wanted:
        wanted["tags"] = tuple(wanted["tags"])
    changed = service.change(ticket_id, call.actor(), service.Changes(**wanted), call.at, call.body.get("version"))
    return render.ticket(changed, call.at)


def _check_named(wanted: dict[str, Any]) -> None:
    if wanted.get("assignee_id"):
        with referring("assignee_id"):
            directory.agent(wanted["assignee_id"])
    if wanted.get("team_id"):
        with referring("team_id"):
            directory.team(wanted["team_id"])
