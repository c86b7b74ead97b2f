"""Single-use passes with which a signed-in page opens its socket (the socket is another host: no cookie there)."""

import hashlib
import secrets
from datetime import datetime, timedelta

from chalicelib.store import live

PASS_SECONDS = 60


def issue(agent_id: str, now: datetime) -> str:
    """A fresh pass for this agent, good once and for PASS_SECONDS."""
    live_pass = secrets.token_urlsafe(24)
    live.issue(_hash(live_pass), agent_id, now + timedelta(seconds=PASS_SECONDS))
    return live_pass


def redeem(live_pass: str, now: datetime) -> str | None:
    """The agent whose pass it is; None when it is unknown, used or too old."""
    return live.redeem(_hash(live_pass), now)


def _hash(live_pass: str) -> str:
    return hashlib.sha256(live_pass.encode()).hexdigest()
