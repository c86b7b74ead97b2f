"""/customers: by handle, by id, and their tickets."""

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import CUSTOMER, EARLIER_TICKET
from chalicelib.api.schema import Json, Number, Text, page_of
from chalicelib.store import customers, tickets


@operation(
    Operation(
        "find_customers",
        "Find the customer who writes from an address",
        "Customers",
        "tickets.read",
        page_of(CUSTOMER),
        query={
            "handle": Text(
                "A mail address, or `channel:address`.", max_chars=300, blank=False, example="telegram:5120987341"
            )
        },
        needs=("handle",),
        about="The desk keeps no list of all customers: at most one item.",
    )
)
def find_customers(call: Call) -> Json:
    asked = call.query["handle"].strip()
    channel, colon, address = asked.partition(":")
    found = customers.by_handle(customers.handle_name(*((channel, address) if colon else ("email", asked))))
    return {"items": [render.customer(found[0])] if found else [], "next": None}


@operation(Operation("get_customer", "Read a customer", "Customers", "tickets.read", CUSTOMER))
def get_customer(call: Call, customer_id: str) -> Json:
    return render.customer(customers.get(customer_id))


@operation(
    Operation(
        "list_customer_tickets",
        "List a customer's newest tickets",
        "Customers",
        "tickets.read",
        page_of(EARLIER_TICKET),
        query={"limit": Number(1, 100, "Newest tickets to list, 50 unless said.")},
    )
)
def list_customer_tickets(call: Call, customer_id: str) -> Json:
    customers.get(customer_id)
    found = tickets.of_customer(customer_id, call.limit)
    return {"items": [render.earlier_ticket(each) for each in found], "next": None}
