"""/search: exact things, as the console's search box finds them."""

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import TICKET
from chalicelib.api.schema import Json, Text, page_of
from chalicelib.store import tickets


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

    rows = search.find(call.query["q"], call.at)
    whole = tickets.get_many([row.id for row in rows])
    return {"items": [render.ticket(whole[row.id].ticket) for row in rows if row.id in whole], "next": None}
