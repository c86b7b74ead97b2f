"""GET /lists/…, /search: tickets in a list."""

import json
from urllib.parse import unquote

from chalice.app import Blueprint, Response

from chalicelib.api.console import rail
from chalicelib.api.console.screen import list_context, show_screen, the_desk
from chalicelib.api.web import Visit, console_route, html
from chalicelib.services import notices
from chalicelib.store import counters

MAX_SEARCH_CHARS = 200

blueprint = Blueprint(__name__)


@console_route(blueprint, "/")
def home(visit: Visit) -> Response:
    return visit.go("/lists/mine")


@console_route(blueprint, "/lists/{key}")
def show_list(visit: Visit, key: str) -> Response:
    desk = the_desk(visit.at)
    named = rail.named(unquote(key), visit.agent, desk, visit.at)
    return show_screen(visit, desk, named, named.label)


@console_route(blueprint, "/lists/{key}/rows")
def show_rows(visit: Visit, key: str) -> Response:
    """Further rows; without a cursor the first page, for a console that cannot listen."""
    desk = the_desk(visit.at)
    named = rail.named(unquote(key), visit.agent, desk, visit.at)
    return visit.page("lists/rows.html", **list_context(visit, desk, named, visit.query("cursor") or None))


@console_route(blueprint, "/search")
def search(visit: Visit) -> Response:
    text = visit.query("q").strip()[:MAX_SEARCH_CHARS]
    named = rail.search_results(text)
    desk = the_desk(visit.at)
    if visit.query("part") == "rows":
        return visit.page("lists/rows.html", **list_context(visit, desk, named, visit.query("cursor") or None))
    return show_screen(visit, desk, named, named.label, query=text)


@console_route(blueprint, "/counts")
def counts(visit: Visit) -> Response:
    """For a console that cannot listen."""
    found = {**counters.all_counts(), "notices": len(notices.of(visit.agent.id))}
    return html(json.dumps(found), 200, {"Content-Type": "application/json"})
