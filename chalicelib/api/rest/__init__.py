"""The REST API, one blueprint per noun; every call is declared with ``operations.operation``."""

from chalice.app import Blueprint


def blueprints() -> list[Blueprint]:
    from chalicelib.api.rest import (
        attachments,
        customers,
        dead_letters,
        document,
        inboxes,
        ledger,
        messages,
        people,
        search,
        tickets,
    )

    return [
        tickets.blueprint,
        messages.blueprint,
        attachments.blueprint,
        customers.blueprint,
        inboxes.blueprint,
        people.blueprint,
        search.blueprint,
        ledger.blueprint,
        dead_letters.blueprint,
        document.blueprint,
    ]
