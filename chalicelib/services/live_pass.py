"""Single-use passes with which a signed-in page opens its socket (the socket is another host: no cookie there)."""

import hashlib
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from chalicelib.config import settings
from chalicelib.errors import NotFound
from chalicelib.observability import log
from chalicelib.store import directory, live, sessions
from chalicelib.store.live import LiveTicket

PASS_SECONDS = 60


def issue(agent_id: str, now: datetime, session_id: str = "", host: str = "") -> str:
    """A fresh pass for this agent, good once and for PASS_SECONDS, and no longer than the session it was made in.

    host: of the page that will use it; a page of another host cannot.
    """
    live_pass = secrets.token_urlsafe(24)
    live.issue(_hash(live_pass), LiveTicket(agent_id, session_id, host), now + timedelta(seconds=PASS_SECONDS))
    return live_pass


def redeem(live_pass: str, now: datetime, origin: str = "") -> LiveTicket | None:
    """Whose pass it is; None when it is unknown, used, too old, of an ended session, or brought by another site.

    origin: what the browser says of the page that opens the socket; programs say nothing.
    """
    found = live.redeem(_hash(live_pass), now)
    why = _refusal(found, now, origin)
    if why:
        log("socket refused", reason=why)
        return None
    return found


def _refusal(found: LiveTicket | None, now: datetime, origin: str) -> str:
    """Why a pass opens nothing, for whoever operates the desk; empty when it does."""
    if found is None:
        return "the pass is unknown, used or too old"
    if not _is_ours(origin, found.host):
        # An origin is an address of a site, never of a person; cut, for a browser did not have to write it.
        return f"origin {origin[:100]!r} is neither {found.host!r} nor ConsoleOrigin nor the desk's public address"
    if found.session_id and sessions.get(found.session_id, now) is None:
        return "the session has ended"
    return "" if _is_active(found.agent_id) else "the agent is not active"


def _is_ours(origin: str, host: str) -> bool:
    """The page's own host, or an address of the desk's: a CDN before API Gateway changes the host we see."""
    if not origin or not host:
        return True
    theirs = _host(origin)
    if theirs in (host, _host(settings().console_origin) or host):
        return True
    return theirs != "" and theirs == _host(directory.desk_settings().public_url)


def _host(address: str) -> str:
    return urlsplit(address).netloc


def _is_active(agent_id: str) -> bool:
    try:
        return directory.agent(agent_id).active
    except NotFound:
        return False


def _hash(live_pass: str) -> str:
    return hashlib.sha256(live_pass.encode()).hexdigest()
