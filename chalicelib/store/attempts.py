"""Failed attempts, counted so that a hundred tries at the same moment count as a hundred."""

from dataclasses import dataclass
from datetime import datetime

from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from chalicelib.store import documents
from chalicelib.store.codec import decode
from chalicelib.store.models import DocumentItem


@dataclass(frozen=True)
class Attempts:
    """failures: since the last lock.  locked_until: no attempt is looked at before.  locks: so far, each longer."""

    failures: int = 0
    locked_until: datetime | None = None
    locks: int = 0


@dataclass(frozen=True)
class Counted:
    """``version``: of the item as it was read, 0 when there is none."""

    attempts: Attempts
    version: int


def _key(name: str) -> tuple[str, str]:
    return f"ATTEMPTS#{name}", "ATTEMPTS"


def read(name: str, now: datetime) -> Counted:
    """What is counted under ``name``; nothing once it has expired."""
    try:
        found = DocumentItem.get(*_key(name), consistent_read=True)
    except DocumentItem.DoesNotExist:
        return Counted(Attempts(), 0)
    if found.expires_at is not None and found.expires_at <= now:
        return Counted(Attempts(), int(found.version or 0))
    return Counted(decode(Attempts, found.data or "{}"), int(found.version or 0))


def write(name: str, attempts: Attempts, before: Counted, expires_at: datetime) -> bool:
    """Write over what was read; False when somebody else counted meanwhile."""
    unchanged: Condition = DocumentItem.version == before.version
    condition = unchanged if before.version else DocumentItem.pk.does_not_exist()
    try:
        documents.item(*_key(name), attempts, expires_at, before.version + 1).save(condition=condition)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def forget(name: str) -> None:
    documents.delete(*_key(name))


@dataclass(frozen=True)
class Places:
    """Where an account was signed in from lately: hashes."""

    known: tuple[str, ...] = ()


def places(name: str, now: datetime) -> tuple[str, ...]:
    """Oldest first; none once the account has not been used for long."""
    found = documents.read(Places, f"PLACES#{name}", "PLACES", now=now)
    return found.known if found else ()


def keep_places(name: str, known: tuple[str, ...], expires_at: datetime) -> None:
    """Written over what others wrote meanwhile: what is lost is known again with the next sign-in."""
    documents.write(f"PLACES#{name}", "PLACES", Places(known), expires_at)
