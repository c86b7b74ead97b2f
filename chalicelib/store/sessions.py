"""Signed-in browsers and half-finished sign-ins, by the hash of what the browser holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.store import documents
from chalicelib.store.models import DocumentItem
from chalicelib.store.transaction import Transaction


@dataclass(frozen=True)
class Session:
    """``created_at`` bounds its whole life, ``seen_at`` its idle time; ``csrf`` stands in each of its forms."""

    agent_id: str
    csrf: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class OpenSession:
    """The agent's list of open sessions; its sort key is the session's id."""

    created_at: datetime


def _key(session_id: str) -> tuple[str, str]:
    return f"SESSION#{session_id}", "SESSION"


def _list_of(agent_id: str) -> str:
    return f"SESSIONS#{agent_id}"


def add(session_id: str, session: Session, expires_at: datetime, ends_at: datetime) -> None:
    """``expires_at``: when idle; ``ends_at``: at the latest.  Written together, or "sign out everywhere" missed one."""
    transaction = Transaction()
    transaction.put_new("session", documents.item(*_key(session_id), session, expires_at))
    listed = documents.item(_list_of(session.agent_id), session_id, OpenSession(session.created_at), ends_at)
    transaction.put("listed", listed)
    transaction.commit()


def get(session_id: str, now: datetime) -> Session | None:
    return documents.read(Session, *_key(session_id), now=now)


def extend(session_id: str, session: Session, expires_at: datetime) -> None:
    """Note that it was used; nothing when it was ended meanwhile."""
    documents.replace(*_key(session_id), session, expires_at)


def end(session_id: str, agent_id: str) -> None:
    documents.delete(*_key(session_id))
    documents.delete(_list_of(agent_id), session_id)


def open_sessions(agent_id: str, now: datetime) -> tuple[str, ...]:
    """Ids of the agent's sessions; read consistently, since ending "all" of them must mean all."""
    found = DocumentItem.query(_list_of(agent_id), consistent_read=True)
    return tuple(str(item.sk) for item in found if item.expires_at is None or item.expires_at > now)


Purpose = Literal["sign_in", "own"]


@dataclass(frozen=True)
class HalfSignedIn:
    """The password was right; one step is left.

    step: which.  challenge: Cognito's session of that step.  access_token: of an agent who is in but must set up a
    second factor first; its secret lies with Cognito and in the page alone.  wrong_codes: tries so far.
    purpose: "own": an agent who is signed in sets up a second factor.
    epoch: the agent's as the sign-in began; what ends all sessions begins another one.  source: whence it comes.
    """

    agent_id: str
    step: Literal["new_password", "code", "set_up"]
    challenge: str = ""
    access_token: str = ""
    wrong_codes: int = 0
    purpose: Purpose = "sign_in"
    epoch: str = ""
    source: str = ""


@dataclass(frozen=True)
class Epoch:
    """Sign-ins under way are not listed anywhere; each carries ``mark`` instead, and is good while it is the newest.

    No time, but a random word: a step that begins in the very moment of the ending is told from one that began before.
    """

    mark: str


def epoch(agent_id: str) -> str:
    """The mark of the agent's present epoch, empty before the first; one more read for unknown agents too."""
    found = documents.read(Epoch, f"SIGNINS#{agent_id}", "SIGNINS")
    return found.mark if found else ""


def begin_epoch(agent_id: str, mark: str) -> None:
    """No sign-in that is under way now comes to its end."""
    documents.write(f"SIGNINS#{agent_id}", "SIGNINS", Epoch(mark))


def keep_half(half_id: str, half: HalfSignedIn, expires_at: datetime) -> None:
    documents.write(f"SIGNIN#{half_id}", "SIGNIN", half, expires_at)


def half(half_id: str, now: datetime) -> HalfSignedIn | None:
    return documents.read(HalfSignedIn, f"SIGNIN#{half_id}", "SIGNIN", now=now)


def take_half(half_id: str) -> bool:
    """True for the one caller who goes on from here."""
    return documents.take(f"SIGNIN#{half_id}", "SIGNIN")


@dataclass(frozen=True)
class PasswordLink:
    """The one link that may set an agent's password now; ``token_hash`` of what it carries."""

    token_hash: str


def keep_password_link(agent_id: str, link: PasswordLink, expires_at: datetime) -> None:
    """Put it in the place of an earlier one."""
    documents.write(f"PASSWORDLINK#{agent_id}", "PASSWORDLINK", link, expires_at)


def password_link(agent_id: str, now: datetime) -> PasswordLink | None:
    return documents.read(PasswordLink, f"PASSWORDLINK#{agent_id}", "PASSWORDLINK", now=now)


def take_password_link(agent_id: str) -> bool:
    """True for the one caller who may use it."""
    return documents.take(f"PASSWORDLINK#{agent_id}", "PASSWORDLINK")
