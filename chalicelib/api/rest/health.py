"""/health: open to everybody."""

from chalicelib import __version__
from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest.shapes import HEALTH
from chalicelib.api.schema import Json


@operation(Operation("get_health", "Is the desk there, and which version", "Desk", None, HEALTH))
def get_health(call: Call) -> Json:
    return {"ok": True, "version": __version__}
