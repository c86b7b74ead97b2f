"""The console: server-rendered pages and the fragments htmx swaps into them."""

from chalice.app import Blueprint


def blueprints() -> list[Blueprint]:
    """Lists, tickets, writing, changing and what they need.  Sign-in and settings register themselves beside them."""
    from chalicelib.api.console import changing, for_you, lists, live, new_ticket, static, ticket, writing

    rooms = (lists, ticket, writing, changing, new_ticket, for_you, live, static)
    return [room.blueprint for room in rooms]
