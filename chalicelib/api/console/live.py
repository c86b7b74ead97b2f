"""POST /live-pass: a fresh pass for the socket, when the page's own is used up."""

import json

from chalice.app import Blueprint, Response

from chalicelib.api.web import Visit, console_route, html
from chalicelib.services import live_pass

blueprint = Blueprint(__name__)


@console_route(blueprint, "/live-pass", methods=["POST"])
def renew_pass(visit: Visit) -> Response:
    fresh = {"pass": live_pass.issue(visit.agent.id, visit.at)}
    return html(json.dumps(fresh), 200, {"Content-Type": "application/json"})
