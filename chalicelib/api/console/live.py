"""POST /live-pass: a fresh pass for the socket; GET /session: a fresh form token, after signing in again elsewhere."""

import json

from chalice.app import Blueprint, Response

from chalicelib.api.web import Visit, console_route, html
from chalicelib.services import live_pass

blueprint = Blueprint(__name__)


@console_route(blueprint, "/live-pass", methods=["POST"])
def renew_pass(visit: Visit) -> Response:
    fresh = {"pass": live_pass.issue(visit.agent.id, visit.at, visit.signed_in.session_id, visit.header("host"))}
    return html(json.dumps(fresh), 200, {"Content-Type": "application/json"})


@console_route(blueprint, "/session")
def session(visit: Visit) -> Response:
    """For a page that outlived its session: it goes on with what was typed in it."""
    known = {"agent": visit.agent.id, "csrf": visit.signed_in.csrf}
    return html(json.dumps(known), 200, {"Content-Type": "application/json"})
