"""/search: what the console's search box finds."""

from chalicelib.api.operations import PAGING, Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import TICKET
from chalicelib.api.schema import Json, Text, page_of


@operation(
    Operation(
        "search_tickets",
        "Find tickets by words, phrases, numbers, addresses and filters",
        "Search",
        "tickets.read",
        page_of(TICKET),
        query={
            "q": Text(
                'Words, "phrases", numbers, addresses; from: order: tag: is: in: assignee: before: after:.',
                max_chars=200,
                blank=False,
            ),
            "cursor": PAGING["cursor"],
        },
        needs=("q",),
        about="25 tickets a page: the exact number first, then the newest. A page may hold fewer and still have a next "
        "one: it has looked as far as one page may. Days are those of UTC.",
    )
)
def search_tickets(call: Call) -> Json:
    from chalicelib.services import search

    found = search.find(call.query["q"], call.at, call.cursor)
    return {"items": [render.ticket(each.ticket, call.at) for each in found.tickets], "next": found.next}
