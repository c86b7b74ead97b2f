"""HTTP edge: public webhooks, the REST API and the console."""

from chalice.app import Blueprint


def blueprints() -> list[Blueprint]:
    """Every route of the desk, in the order in which they are registered."""
    from chalicelib.api import console, health, hooks, rest

    return [health.blueprint, hooks.blueprint, *rest.blueprints(), *console.blueprints()]


def public_blueprints() -> list[Blueprint]:
    """What strangers may call: all that the hooks function serves, so all that it loads."""
    from chalicelib.api import hooks

    return [hooks.blueprint]
