"""API tokens: shown once, kept as a hash, revocable."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.moments import random_id
from chalicelib.domain.people import Actor
from chalicelib.errors import InvalidInput, NotFound, NotSignedIn
from chalicelib.services import audit
from chalicelib.services.permissions import SCOPES
from chalicelib.store import documents

PREFIX = "dbell_"
"""Names the secret's kind to whoever (or whatever scanner) finds it."""
SECRET_BYTES = 32
NOTE_USE_EVERY = timedelta(minutes=5)
MAX_NAME_CHARS = 80
MAX_BEARER_CHARS = 200


@dataclass(frozen=True)
class Token:
    """``last_used_at`` is right within five minutes: one write per call would be too many."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    hash: str
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Used:
    """When a token was last used; written by calls, where the list of tokens is written by people."""

    at: datetime


@dataclass(frozen=True)
class NewToken:
    """``bearer`` is the secret itself: this is the only time anybody sees it."""

    token: Token
    bearer: str


def create(name: str, scopes: tuple[str, ...], actor: Actor, now: datetime) -> NewToken:
    """Raise InvalidInput with the field that is wrong."""
    wanted = " ".join(name.split())
    fields = {}
    if not wanted or len(wanted) > MAX_NAME_CHARS:
        fields["name"] = f"Give the token a name of 1 to {MAX_NAME_CHARS} characters, say the program that uses it."
    if not scopes or any(scope not in SCOPES for scope in scopes):
        fields["scopes"] = "Choose what the token may do: read, write or admin."
    if fields:
        raise InvalidInput("The token was not created.", fields)
    bearer = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    held = tuple(scope for scope in SCOPES if scope in scopes)
    token = Token(random_id("tok_", secrets.token_bytes(7)), wanted, held, now, actor.name, _hash(bearer))
    _write(token)
    audit.record(actor, "API token created", f"{token.name} ({', '.join(held)})", now)
    return NewToken(token, bearer)


def listing() -> tuple[Token, ...]:
    """All of them, revoked ones too, newest first."""
    used = {token_id: use.at for token_id, use in documents.under(Used, "TOKENS_USED")}
    found = [replace(token, last_used_at=used.get(token_id)) for token_id, token in documents.under(Token, "TOKENS")]
    return tuple(sorted(found, key=lambda token: token.created_at, reverse=True))


def revoke(token_id: str, actor: Actor, now: datetime) -> Token:
    """The next call with it is refused."""
    token = documents.read(Token, "TOKENS", token_id)
    if token is None:
        raise NotFound("There is no such API token.")
    documents.delete(*_key(token.hash))
    if token.revoked_at is not None:
        return token
    revoked = replace(token, revoked_at=now)
    documents.write("TOKENS", token_id, revoked)
    audit.record(actor, "API token revoked", token.name, now)
    return revoked


def authenticate(bearer: str, now: datetime) -> Token:
    """The token behind an ``Authorization: Bearer`` value (with or without the word).  One read.

    Raises:
        NotSignedIn: there is none, or it was revoked.
    """
    given = bearer.strip()
    if given[:7].lower() == "bearer ":
        given = given[7:].strip()
    if not given.startswith(PREFIX) or len(given) > MAX_BEARER_CHARS:
        raise NotSignedIn("This call needs an API token: Authorization: Bearer dbell_…")
    token = documents.read(Token, *_key(_hash(given)))
    if token is None:
        raise NotSignedIn("This API token does not exist or was revoked. Create one under Settings, API tokens.")
    if token.last_used_at is None or now - token.last_used_at >= NOTE_USE_EVERY:
        _note_use(replace(token, last_used_at=now))
    return token


def _hash(bearer: str) -> str:
    """Plain SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(bearer.encode()).hexdigest()


def _key(token_hash: str) -> tuple[str, str]:
    return f"TOKEN#{token_hash}", "TOKEN"


def _write(token: Token) -> None:
    documents.write("TOKENS", token.id, token)
    documents.write(*_key(token.hash), token)


def _note_use(token: Token) -> None:
    """Only over what is there, and beside the list: a token revoked this moment stays revoked in both."""
    if token.last_used_at is not None and documents.replace(*_key(token.hash), token):
        documents.write("TOKENS_USED", token.id, Used(token.last_used_at))
