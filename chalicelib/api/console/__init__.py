"""The console: server-rendered pages and the fragments htmx swaps into them."""

from chalice.app import Blueprint


def blueprints() -> list[Blueprint]:
    """Lists, tickets, writing, changing and what they need; sign-in, Settings and operations."""
    from chalicelib.api.console import (
        changing,
        for_you,
        lists,
        live,
        merging,
        new_ticket,
        on_demand,
        static,
        ticket,
        writing,
    )

    rooms = (lists, ticket, writing, changing, merging, new_ticket, for_you, live, static, on_demand)
    return [room.blueprint for room in rooms]
