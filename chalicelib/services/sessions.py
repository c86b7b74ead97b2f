"""Who is signed in: a random token in a cookie, its hash in the table.

A token is made here when everything was proven, and nowhere else: what a browser brought along is never adopted, so
nobody can plant a session.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.people import Agent
from chalicelib.errors import NotFound, NotSignedIn
from chalicelib.store import directory, live
from chalicelib.store import sessions as store
from chalicelib.store.sessions import Session

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
EXTEND_EVERY = timedelta(minutes=5)
EPOCH_BYTES = 12
TOKEN_BYTES = 32
MAX_COOKIE_CHARS = 200


@dataclass(frozen=True)
class SignedIn:
    """``csrf`` must come back with every form."""

    agent: Agent
    session_id: str
    csrf: str


def hashed(token: str) -> str:
    """Plain SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(agent: Agent, now: datetime) -> str:
    """Start a session and return the cookie's value."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session = Session(agent.id, secrets.token_urlsafe(TOKEN_BYTES), now, now)
    store.add(hashed(token), session, now + IDLE, now + LONGEST)
    return token


def signed_in(cookie_value: str, now: datetime) -> SignedIn:
    """Two reads; a write at most every five minutes, which moves the end of an idle session.

    Raises:
        NotSignedIn: no session, or it has ended, or its agent was deactivated.
    """
    if not cookie_value or len(cookie_value) > MAX_COOKIE_CHARS:
        raise NotSignedIn("Sign in to go on.")
    session_id = hashed(cookie_value)
    session = store.get(session_id, now)
    if session is None or now >= session.created_at + LONGEST:
        raise NotSignedIn("Your session has ended. Sign in again.")
    agent = _active_agent(session.agent_id)
    if now - session.seen_at >= EXTEND_EVERY:
        ends_at = min(now + IDLE, session.created_at + LONGEST)
        store.extend(session_id, replace(session, seen_at=now), ends_at)
    return SignedIn(agent, session_id, session.csrf)


def end(who: SignedIn) -> None:
    """Sign out here; this browser's console goes dark."""
    store.end(who.session_id, who.agent.id)
    for connection in live.connections():
        if connection.session_id == who.session_id:
            live.close_connection(connection.id)


def end_all(agent_id: str, now: datetime, but: str = "") -> int:
    """Sign the agent out everywhere, except in session ``but``; return from how many.  Their consoles go dark.

    Sign-ins that are under way end first: one that comes to its end meanwhile finds that (``sign_in``) or is listed.
    """
    store.begin_epoch(agent_id, secrets.token_urlsafe(EPOCH_BYTES))
    ended = [each for each in store.open_sessions(agent_id, now) if each != but]
    for session_id in ended:
        store.end(session_id, agent_id)
    for connection in live.connections():
        if connection.agent_id == agent_id and not (but and connection.session_id == but):
            live.close_connection(connection.id)
    return len(ended)


def how_many(agent_id: str, now: datetime) -> int:
    """In how many browsers the agent is signed in."""
    return len(store.open_sessions(agent_id, now))


def _active_agent(agent_id: str) -> Agent:
    try:
        agent = directory.agent(agent_id)
    except NotFound as error:
        raise NotSignedIn("Your account is gone. Ask an admin.") from error
    if not agent.active:
        raise NotSignedIn("Your account is deactivated. Ask an admin.")
    return agent
