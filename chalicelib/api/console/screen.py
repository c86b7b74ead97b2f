"""What the agent's screen is made of: the rail with its counts, a list, and what lies beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from chalice.app import Response

from chalicelib.api.console import rail
from chalicelib.api.console.rail import Named
from chalicelib.api.console.searching import search_context
from chalicelib.api.web import Visit
from chalicelib.config import settings
from chalicelib.errors import NotFound
from chalicelib.services import live_pass, notices
from chalicelib.services.permissions import allowed
from chalicelib.store import counters, directory, lists
from chalicelib.store.counters import DayCounted
from chalicelib.web.desk import Desk

if TYPE_CHECKING:
    from chalicelib.domain.promises import InForce


def the_desk(at: datetime | None = None) -> Desk:
    """``at``: with what is promised, for a page that shows deadlines."""
    named = directory.agents(), directory.teams(), directory.inboxes()
    return Desk.of(*named, None if at is None else partial(_promised, at))


def _promised(at: datetime) -> InForce:
    from chalicelib.store import clocks

    return clocks.in_force(at)


def list_beside(visit: Visit, desk: Desk) -> Named:
    """The list a ticket was opened from: ``in`` of this URL, or of the page that htmx or a form was on."""
    for address in (visit.path, visit.header("hx-current-url"), visit.header("referer")):
        parts = urlsplit(address)
        key = parse_qs(parts.query).get("in", [""])[0] or parts.path.rpartition("/lists/")[2]
        if "/" in key or not key:
            continue
        try:
            return rail.named(key, visit.agent, desk, visit.at)
        except NotFound:
            continue
    return rail.named(rail.DEFAULT_LIST, visit.agent, desk, visit.at)


def list_context(visit: Visit, desk: Desk, named: Named, cursor: str | None = None) -> dict[str, Any]:
    """A page of a list, or of what a search found."""
    beside = {"desk": desk, "ticket_id": None, "may_write": visit.may_write}
    if named.name is None:
        return {**beside, **search_context(visit, named, cursor)}
    page = lists.page(named.name, tuple(desk.teams), cursor)
    shown = {"list": named, "rows": page.rows, "seen_by": page.seen_by, "next": page.next}
    return {**beside, **shown, "sought": None, "mark": None}


def rail_context(visit: Visit, desk: Desk) -> dict[str, Any]:
    counts, counted = counters.with_day()
    return {
        "rail": rail.groups(visit.agent, desk, visit.at),
        "counts": counts,
        "today": _today(counted, visit.at),
        "may_see_ledger": allowed(visit.agent.role, "operations.read"),
        "notices_count": len(notices.of(visit.agent.id)),
        "live_url": settings().websocket_url,
        "live_pass": live_pass.issue(visit.agent.id, visit.at, visit.signed_in.session_id, visit.header("host")),
    }


def _today(counted: DayCounted | None, at: datetime) -> DayCounted | None:
    """What the ledger counted of this day; None where it has not yet, or nothing has come."""
    if counted is None or counted.day != f"{at.astimezone(UTC):%Y-%m-%d}":
        return None
    return counted if counted.received or counted.difference else None


def show_screen(visit: Visit, desk: Desk, named: Named, title: str, /, *, status: int = 200, **beside: Any) -> Response:
    """The whole screen, or for htmx the list with what lies beside it (``view`` a ticket, ``blank`` a template)."""
    context = {
        **list_context(visit, desk, named, visit.query("cursor") or None),
        "title": title,
        "view": None,
        "blank": None,
        **beside,
    }
    if visit.wants_fragment:
        return visit.page("lists/work.html", status=status, fragment=True, **context)
    return visit.page("desk.html", status=status, fragment=False, **rail_context(visit, desk), **context)
