"""Signing in step by step: password, first change of it, six digits, setting up the six digits.

Between the steps the browser holds a random token of this one sign-in (a hidden field, never the session's cookie).
Wrong, unknown and deactivated get the same answer after the same time.
"""

import re
import secrets
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote

from chalicelib import observability
from chalicelib.domain.people import Agent, actor_of
from chalicelib.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from chalicelib.services import attempts, audit, passwords, sessions
from chalicelib.services.attempts import ACCOUNT, SOURCE
from chalicelib.services.user_pool import Asked, Entered, PoorPassword, UserPool, Wrong, WrongCode
from chalicelib.store import directory, staff
from chalicelib.store import sessions as store
from chalicelib.store.sessions import HalfSignedIn

REFUSAL_SECONDS = 0.8
"""Every refusal takes at least as long as the slowest usual one."""
STEP_LASTS = timedelta(minutes=15)
MAX_WRONG_CODES = 5
MAX_FIELD_CHARS = 320
TOTP_SECRET = re.compile(r"[A-Za-z0-9]{16,256}")
"""As Cognito writes it (AssociateSoftwareToken)."""
REFUSED = "The address or the password is not right."
START_AGAIN = "This sign-in has expired. Start again."
WRONG_CODE = (
    "These digits are not right. Wait for the next six in your app, and check that your phone's clock is right."
)


@dataclass(frozen=True)
class Step:
    """What comes next.

    done: ``token`` is the new session's cookie value (empty when an agent who is signed in set up the second factor).
    Otherwise ``token`` goes into the next form.  totp_secret, totp_uri: for "set_up".
    """

    kind: Literal["done", "new_password", "code", "set_up"]
    token: str = ""
    agent_id: str = ""
    totp_secret: str = ""
    totp_uri: str = ""


def begin(pool: UserPool, email: str, password: str, source: str, now: datetime) -> Step:
    """Check a password.

    Raises:
        InvalidInput: a field is empty.
        NotSignedIn: wrong; the same for unknown and deactivated accounts.
        TooMany: this account or this source has failed too often.
    """
    address = email.strip().lower()
    _need_fields(address, password)
    _count(address, source, now)
    return _checked(pool, address, password, source, now)


def set_first_password(pool: UserPool, token: str, password: str, again: str, now: datetime) -> Step:
    """The forced change.  Raises InvalidInput with the sentence beside the field; the step stays open."""
    half, agent = _open_step(token, "new_password", now)
    passwords.check(password, again, agent)
    try:
        answer = pool.answer(agent.email, "NEW_PASSWORD_REQUIRED", half.challenge, NEW_PASSWORD=password)
    except PoorPassword as error:
        raise InvalidInput("The password was not changed.", {"password": passwords.RULE}) from error
    except Wrong as error:
        raise NotSignedIn(START_AGAIN) from error
    _close_step(token)
    sessions.end_all(agent.id, now)
    audit.record(actor_of(agent), "Password set", "first sign-in", now)
    return _after(pool, agent, answer, replace(half, epoch=store.epoch(agent.id)), now)


def enter_code(pool: UserPool, token: str, code: str, source: str, now: datetime) -> Step:
    """The six digits.  Raises InvalidInput after a wrong code, NotSignedIn after too many of them."""
    half, agent = _open_step(token, "code", now)
    digits = _digits(code)
    _count(agent.email, source, now)
    try:
        answer = pool.answer(agent.email, "SOFTWARE_TOKEN_MFA", half.challenge, SOFTWARE_TOKEN_MFA_CODE=digits)
    except WrongCode as error:
        _note_wrong_code(token, half, now)
        raise InvalidInput("You are not signed in yet.", {"code": WRONG_CODE}) from error
    except Wrong as error:
        _close_step(token)
        raise NotSignedIn(START_AGAIN) from error
    _close_step(token)
    _forgive_source(source, now)
    return _after(pool, agent, answer, half, now, passed_code=True)


def finish_set_up(pool: UserPool, token: str, code: str, now: datetime, by: str = "") -> Step:
    """Prove that the app has the secret.  Raises InvalidInput after a wrong code; the same secret stays good.

    by: id of the agent who is signed in, who can finish nobody else's step; what was begun in their own settings is
    finished by nobody but them.
    """
    half, agent = _open_step(token, "set_up", now)
    if by != agent.id and (by or half.purpose == "own"):
        raise NotSignedIn(START_AGAIN)
    digits = _digits(code)
    try:
        challenge = pool.verify_totp(digits, half.access_token, half.challenge)
    except WrongCode as error:
        _note_wrong_code(token, half, now)
        raise InvalidInput("The second factor is not set up yet.", {"code": WRONG_CODE}) from error
    except Wrong as error:
        _close_step(token)
        raise NotSignedIn(START_AGAIN) from error
    _close_step(token)
    pool.use_totp(agent.email, True)
    _note_totp(agent, True, now)
    if half.purpose == "own":
        return Step("done", "", agent.id)
    if half.access_token:
        return _enter(agent, half, now)
    answer = pool.answer(agent.email, "MFA_SETUP", challenge)
    return _after(pool, agent, answer, half, now, passed_code=True)


def step_waiting(token: str, now: datetime, totp_secret: str = "") -> Step:
    """The step a token stands for, to show its form again.  Raises NotSignedIn when it has expired.

    totp_secret: of "set_up", as the form brought it back.  Nothing but that page is made of it: what the digits are
    checked against lies with Cognito.
    """
    half, agent = _half(token, now)
    if half.step == "set_up":
        if not TOTP_SECRET.fullmatch(totp_secret):
            raise NotSignedIn(START_AGAIN)
        return Step("set_up", token, agent.id, totp_secret, totp_uri(agent, totp_secret))
    return Step(half.step, token, agent.id)


# An agent who is signed in


def begin_own_set_up(pool: UserPool, agent: Agent, password: str, source: str, now: datetime) -> Step:
    """Set up a second factor from one's own settings; the password is asked again."""
    if agent.totp:
        raise Conflict("A second factor is set up already. Turn it off first to use another phone.")
    epoch = store.epoch(agent.id)
    answer = _own_password(pool, agent, password, source, now)
    if not isinstance(answer, Entered):
        raise Conflict("Sign out and in again, then set up the second factor.")
    half = HalfSignedIn(agent.id, "set_up", "", answer.access_token, purpose="own", epoch=epoch, source=source)
    return _begin_set_up(pool, half, agent, now)


def turn_off_own(pool: UserPool, agent: Agent, password: str, source: str, now: datetime) -> None:
    """Turn the second factor off; refused where the desk requires one."""
    if directory.desk_settings().require_totp:
        raise Conflict("This desk requires a second factor. An admin can reset yours if you change your phone.")
    _own_password(pool, agent, password, source, now)
    pool.use_totp(agent.email, False)
    _note_totp(agent, False, now)


def change_own_password(
    pool: UserPool, who: sessions.SignedIn, old: str, password: str, again: str, source: str, now: datetime
) -> None:
    """Change the password of an agent who is signed in; other browsers are signed out.

    Raises:
        InvalidInput: with the sentence beside the field.
    """
    passwords.check(password, again, who.agent)
    _own_password(pool, who.agent, old, source, now, field="old")
    try:
        pool.set_password(who.agent.email, password)
    except PoorPassword as error:
        raise InvalidInput("The password was not changed.", {"password": passwords.RULE}) from error
    sessions.end_all(who.agent.id, now, but=who.session_id)
    audit.record(actor_of(who.agent), "Password changed", "by its owner", now)


def totp_uri(agent: Agent, secret: str) -> str:
    """What the QR code holds (Google's "Key URI Format", which all apps read)."""
    label = quote(f"Deskbell:{agent.email}", safe="")
    return f"otpauth://totp/{label}?secret={secret}&issuer=Deskbell"


# Steps


def _checked(pool: UserPool, address: str, password: str, source: str, now: datetime) -> Step:
    """Cognito is asked about unknown accounts too: what is left out would show in the time it takes."""
    started = time.monotonic()
    agent = directory.agent_by_email(address)
    epoch = store.epoch(agent.id if agent else "")  # first: a password that is changed behind this look counts too
    try:
        answer: Entered | Asked | None = pool.check_password(address, password)
    except Wrong:
        answer = None
    if answer is None or agent is None or not agent.active:
        attempts.wait_until(started + REFUSAL_SECONDS)
        observability.warn("sign-in refused", account=attempts.account_key(ACCOUNT, address))
        raise NotSignedIn(REFUSED)
    _forgive_source(source, now)
    return _after(pool, agent, answer, HalfSignedIn(agent.id, "code", epoch=epoch, source=source), now)


def _after(
    pool: UserPool, agent: Agent, answer: Entered | Asked, way: HalfSignedIn, now: datetime, passed_code: bool = False
) -> Step:
    """Go where Cognito points; an agent who is in may still owe the desk a second factor.

    way: this sign-in so far.
    """
    ahead = HalfSignedIn(agent.id, "set_up", epoch=way.epoch, source=way.source)
    if isinstance(answer, Entered):
        if directory.desk_settings().require_totp and not passed_code:
            return _begin_set_up(pool, replace(ahead, access_token=answer.access_token), agent, now)
        if passed_code and not agent.totp:
            _note_totp(agent, True, now)
        return _enter(agent, way, now)
    if answer.challenge == "MFA_SETUP":
        return _begin_set_up(pool, replace(ahead, challenge=answer.session), agent, now)
    step: Literal["code", "new_password"] = "code" if answer.challenge == "SOFTWARE_TOKEN_MFA" else "new_password"
    return _wait_for(replace(ahead, step=step, challenge=answer.session), now)


def _enter(agent: Agent, way: HalfSignedIn, now: datetime) -> Step:
    token = sessions.open_session(agent, now)
    if (
        store.epoch(agent.id) != way.epoch
    ):  # all sessions were ended since the password was looked at, and missed this one
        store.end(sessions.hashed(token), agent.id)
        raise NotSignedIn(START_AGAIN)
    attempts.entered(agent.email, way.source, now)
    observability.log("signed in", agent=agent.id, second_factor=agent.totp)
    return Step("done", token, agent.id)


def _begin_set_up(pool: UserPool, half: HalfSignedIn, agent: Agent, now: datetime) -> Step:
    secret, challenge = pool.new_totp_secret(half.access_token, half.challenge)
    waiting = _wait_for(replace(half, challenge=challenge), now)
    return replace(waiting, totp_secret=secret, totp_uri=totp_uri(agent, secret))


def _wait_for(half: HalfSignedIn, now: datetime) -> Step:
    token = secrets.token_urlsafe(sessions.TOKEN_BYTES)
    store.keep_half(sessions.hashed(token), half, now + STEP_LASTS)
    return Step(half.step, token, half.agent_id)


def _open_step(token: str, step: str, now: datetime) -> tuple[HalfSignedIn, Agent]:
    half, agent = _half(token, now)
    if half.step != step:
        raise NotSignedIn(START_AGAIN)
    return half, agent


def _half(token: str, now: datetime) -> tuple[HalfSignedIn, Agent]:
    """The step, unless its time is over or all sessions of its agent were ended since it began."""
    half = store.half(sessions.hashed(token), now) if token else None
    if half is None or half.epoch != store.epoch(half.agent_id):
        raise NotSignedIn(START_AGAIN)
    return half, _agent(half.agent_id)


def _close_step(token: str) -> None:
    """Each step is gone through once."""
    if not store.take_half(sessions.hashed(token)):
        raise NotSignedIn(START_AGAIN)


def _agent(agent_id: str) -> Agent:
    try:
        agent = directory.agent(agent_id)
    except NotFound as error:
        raise NotSignedIn(START_AGAIN) from error
    if not agent.active:
        raise NotSignedIn(START_AGAIN)
    return agent


def _note_wrong_code(token: str, half: HalfSignedIn, now: datetime) -> None:
    observability.warn("wrong code", agent=half.agent_id, tries=half.wrong_codes + 1)
    if half.wrong_codes + 1 >= MAX_WRONG_CODES:
        store.take_half(sessions.hashed(token))
        raise NotSignedIn("Too many wrong codes. Start again.")
    store.keep_half(sessions.hashed(token), replace(half, wrong_codes=half.wrong_codes + 1), now + STEP_LASTS)


def _note_totp(agent: Agent, totp: bool, now: datetime) -> None:
    staff.change_agent(agent.id, lambda before: replace(before, totp=totp))
    audit.record(actor_of(agent), "Second factor set up" if totp else "Second factor turned off", agent.email, now)


def _own_password(
    pool: UserPool, agent: Agent, password: str, source: str, now: datetime, field: str = "password"
) -> Entered | Asked:
    started = time.monotonic()
    _count(agent.email, source, now)
    try:
        answer = pool.check_password(agent.email, password)
    except Wrong as error:
        attempts.wait_until(started + REFUSAL_SECONDS)
        observability.warn("wrong password", agent=agent.id)
        raise InvalidInput("Nothing was changed.", {field: "This is not your present password."}) from error
    _forgive_source(source, now)
    attempts.entered(agent.email, source, now)
    return answer


def _count(email: str, source: str, now: datetime) -> None:
    attempts.count(SOURCE, attempts.source_key(SOURCE, source), now)
    attempts.count(ACCOUNT, attempts.counter(ACCOUNT, email, source, now), now)


def _forgive_source(source: str, now: datetime) -> None:
    attempts.take_back(SOURCE, attempts.source_key(SOURCE, source), now)


def _need_fields(email: str, password: str) -> None:
    fields = {}
    if not email or len(email) > MAX_FIELD_CHARS:
        fields["email"] = "Enter your mail address."
    if not password or len(password) > MAX_FIELD_CHARS:
        fields["password"] = "Enter your password."  # noqa: S105 - a sentence
    if fields:
        raise InvalidInput("You are not signed in yet.", fields)


def _digits(code: str) -> str:
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        raise InvalidInput("You are not signed in yet.", {"code": "Enter the six digits that your app shows."})
    return digits
