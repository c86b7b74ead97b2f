"""/search: exact things, as the console's search box finds them."""

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import TICKET
from chalicelib.api.schema import Json, Text, page_of


@operation(
    Operation(
        "search_tickets",
        "Find tickets by number, address, order number or words",
        "Search",
        "tickets.read",
        page_of(TICKET),
        query={"q": Text("A number, an address, an order number or words.", max_chars=200, blank=False)},
        needs=("q",),
        about="At most 50 tickets, the exact number first, then the newest.",
    )
)
def search_tickets(call: Call) -> Json:
    from chalicelib.services import search

    found = search.find_whole(call.query["q"], call.at)
    return {"items": [render.ticket(each.ticket) for each in found], "next": None}
