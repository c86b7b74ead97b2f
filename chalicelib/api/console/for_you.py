"""GET /notices: what an agent is told; GET /keys: the keyboard map, for browsers without scripts."""

from chalice.app import Blueprint, Response

from chalicelib.api.web import Visit, console_route
from chalicelib.services import notices

blueprint = Blueprint(__name__)


@console_route(blueprint, "/notices")
def show_notices(visit: Visit) -> Response:
    return visit.page("notices.html", notices=notices.of(visit.agent.id))


@console_route(blueprint, "/notices/{notice_id}/dismiss", methods=["POST"])
def dismiss(visit: Visit, notice_id: str) -> Response:
    notices.dismiss(visit.agent.id, notice_id)
    return visit.go("/notices")


@console_route(blueprint, "/keys")
def show_keys(visit: Visit) -> Response:
    return visit.page("keys.html")
