"""Links that let one agent choose a password once: for invitations, and for who forgot it.

A link is signed, so that guessing costs us no read, and its hash is kept, so that it works once and only the newest
one works.  It is mailed by our own outbox; opening it shows a form, only sending the form uses it up (mail scanners
open links).
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from chalicelib import observability
from chalicelib.domain.people import Agent, actor_of
from chalicelib.errors import DeskbellError, InvalidInput, NotFound
from chalicelib.services import attempts, audit, passwords, sessions
from chalicelib.services.attempts import RESET_ACCOUNT, RESET_SOURCE
from chalicelib.services.user_pool import PoorPassword, UserPool, Wrong
from chalicelib.store import directory
from chalicelib.store import sessions as store
from chalicelib.store.sessions import PasswordLink

RESET_LASTS = timedelta(hours=1)
INVITATION_LASTS = timedelta(days=7)
REQUEST_SECONDS = 1.5
"""Every request for a link takes as long as one that sends a mail."""
PURPOSE = b"deskbell password link v1"
MAX_CHARS = 200

SendMail = Callable[[str, str, str], object]
"""(to, subject, text): the outbox's system mail."""


@dataclass(frozen=True)
class LinkMaker:
    """What it takes to make a link.  ``page``: the full URL of the page that takes ``?link=…``."""

    key: bytes
    page: str


def new_link(maker: LinkMaker, agent: Agent, lasts: timedelta, now: datetime) -> str:
    """A link for this agent; earlier ones stop working."""
    ends_at = now + lasts
    claim = f"{agent.id}.{int(ends_at.timestamp())}.{secrets.token_urlsafe(18)}"
    token = f"{claim}.{_mac(maker.key, claim)}"
    store.keep_password_link(agent.id, PasswordLink(sessions.hashed(token)), ends_at)
    return f"{maker.page}?link={quote(token, safe='')}"


def request_reset(maker: LinkMaker, email: str, source: str, send: SendMail, now: datetime) -> None:
    """Mail a link to the agent with this address; nothing for anybody else, in the same time.

    Raises:
        TooMany: too many requests for this address or from this source, known or not.
    """
    address = email.strip().lower()
    if "@" not in address:
        raise InvalidInput("No link was sent.", {"email": "Enter the mail address you sign in with."})
    started = time.monotonic()
    attempts.count(RESET_SOURCE, attempts.source_key(RESET_SOURCE, source), now)
    attempts.count(RESET_ACCOUNT, attempts.counter(RESET_ACCOUNT, address, source, now), now)
    agent = directory.agent_by_email(address)
    if agent is not None and agent.active:
        _send_reset(maker, agent, send, now)
    attempts.wait_until(started + REQUEST_SECONDS)


def agent_of(maker: LinkMaker, token: str, now: datetime) -> Agent:
    """Whose password the link may set.  Raises NotFound when it is wrong, used or too old."""
    gone = NotFound("This link is no longer good. It works once and for a limited time; ask for a new one.")
    agent_id = _agent_id(maker.key, token, now)
    kept = store.password_link(agent_id, now) if agent_id else None
    if kept is None or not hmac.compare_digest(kept.token_hash, sessions.hashed(token)):
        raise gone
    try:
        agent = directory.agent(agent_id)
    except NotFound as error:
        raise gone from error
    if not agent.active:
        raise gone
    return agent


def use(
    pool: UserPool, maker: LinkMaker, token: str, password: str, again: str, now: datetime, source: str = ""
) -> Agent:
    """Set the password and sign the agent out everywhere.

    source: known from now on, so that a stranger who goes on guessing elsewhere locks nobody out there.

    Raises:
        InvalidInput: with the sentence beside the field; the link stays good.
        NotFound: the link is wrong, used or too old.
    """
    agent = agent_of(maker, token, now)
    passwords.check(password, again, agent)
    if not store.take_password_link(agent.id):
        raise NotFound("This link was used a moment ago.")
    try:
        _set(pool, agent, password)
    except PoorPassword as error:
        store.keep_password_link(agent.id, PasswordLink(sessions.hashed(token)), now + RESET_LASTS)
        raise InvalidInput("The password was not changed.", {"password": passwords.RULE}) from error
    attempts.forget_account(agent.email, now)
    attempts.remember(agent.email, source, now)
    sessions.end_all(agent.id, now)
    audit.record(actor_of(agent), "Password set", "by a link", now)
    return agent


def _set(pool: UserPool, agent: Agent, password: str) -> None:
    """A pool that was made anew (another region, a restored table) does not have its agents yet."""
    try:
        pool.set_password(agent.email, password)
    except Wrong:
        pool.add(agent.email, passwords.temporary())
        pool.set_password(agent.email, password)


def withdraw(agent_id: str) -> None:
    """No link of this agent works any more."""
    store.take_password_link(agent_id)


def mail(send: SendMail, to: str, subject: str, text: str) -> bool:
    """Send a mail of the desk's own; False, and a line in the log, when it could not be sent."""
    try:
        send(to, subject, text)
    except DeskbellError as error:
        observability.warn("system mail not sent", code=error.code)
        return False
    return True


def _send_reset(maker: LinkMaker, agent: Agent, send: SendMail, now: datetime) -> None:
    link = new_link(maker, agent, RESET_LASTS, now)
    text = (
        f"Hello {agent.name},\n\n"
        "somebody, hopefully you, asked for a new password for the help desk. Choose one here within an hour:\n\n"
        f"{link}\n\n"
        "The link works once. If you did not ask for it, do nothing: your password stays as it is.\n"
    )
    mail(send, agent.email, "Choose a new password", text)


def _agent_id(key: bytes, token: str, now: datetime) -> str:
    """ "" unless we signed this and its time is not over."""
    claim, _, mac = token.rpartition(".")
    if len(token) > MAX_CHARS or claim.count(".") != 2 or not hmac.compare_digest(_mac(key, claim), mac):
        return ""
    agent_id, ends_at, _ = claim.split(".")
    return agent_id if now < datetime.fromtimestamp(int(ends_at), UTC) else ""


def _mac(key: bytes, claim: str) -> str:
    own = hmac.new(key, PURPOSE, hashlib.sha256).digest()  # the key also signs reply addresses: keep the two apart
    return hmac.new(own, claim.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
