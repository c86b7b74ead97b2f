"""/tickets/{ticket_id}/merge and /unmerge: tickets about one matter go on as one, and are taken apart again."""

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.referring import referring
from chalicelib.api.rest.shapes import AS_IN, TICKET
from chalicelib.api.schema import Json, ListOf, Record, Text
from chalicelib.domain.merging import MAX_AT_ONCE
from chalicelib.store import tickets

TICKET_IDS = ListOf(Text(pattern="[1-9][0-9]{0,11}", example="1042"), max_items=MAX_AT_ONCE)
MERGED = Record("TicketsToMerge", {"ticket_ids": TICKET_IDS}, {"as": AS_IN}, example={"ticket_ids": ["1041", "1042"]})


@operation(
    Operation(
        "merge_tickets",
        "Let other tickets go on in this one",
        "Tickets",
        "tickets.write",
        TICKET,
        body=MERGED,
        about=(
            "Their numbers, addresses, references and chats lead to this ticket from now on, which shows their "
            "messages among its own; an answer goes by the channel of the message that it answers. All or none. "
            "409 when one of them is in spam or trash, or was merged into another ticket."
        ),
    )
)
def merge_tickets(call: Call, ticket_id: str) -> Json:
    from chalicelib.services import merge_tickets as service

    tickets.get(ticket_id)  # so that a 404 is about the ticket, and not about what the body names
    with referring("ticket_ids"):
        return render.ticket(service.merge(ticket_id, call.body["ticket_ids"], call.actor(), call.at), call.at)


@operation(
    Operation(
        "unmerge_tickets",
        "Take merged tickets out of this one again",
        "Tickets",
        "tickets.write",
        TICKET,
        body=MERGED,
        about=(
            "Each is what it was before the merge, and this ticket what it would be without it. What was received or "
            "written meanwhile stays here. 409 for a ticket that came along with another: take that one out first."
        ),
    )
)
def unmerge_tickets(call: Call, ticket_id: str) -> Json:
    from chalicelib.services import merge_tickets as service

    tickets.get(ticket_id)
    with referring("ticket_ids"):
        return render.ticket(service.unmerge(ticket_id, call.body["ticket_ids"], call.actor(), call.at), call.at)
