"""Guessing is slow: failed attempts lock an account and a source for a time that doubles.

An attempt is counted before the password is looked at, so that many at once are as slow as one after the other.
Unknown accounts are counted like known ones: the answer must not tell which is which.
"""

import hashlib
import ipaddress
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib import observability
from chalicelib.errors import TooMany
from chalicelib.store import attempts as store
from chalicelib.store.attempts import Attempts, Counted

FORGET_AFTER = timedelta(hours=24)
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(hours=1)
TRIES_TO_COUNT = 4
"""How often a lost race is run again before the attempt is refused."""


@dataclass(frozen=True)
class Limit:
    """``free``: how many may fail before the first lock."""

    name: str
    free: int


ACCOUNT = Limit("account", 5)
SOURCE = Limit("source", 30)
"""A shop's agents share one address, so this is wider."""
RESET_ACCOUNT = Limit("reset-account", 3)
RESET_SOURCE = Limit("reset-source", 10)


def account_key(limit: Limit, email: str) -> str:
    """Hashed: what was typed may be a stranger's address, or a password in the wrong field."""
    return f"{limit.name}:{hashlib.sha256(email.strip().lower().encode()).hexdigest()[:32]}"


def source_key(limit: Limit, address: str) -> str:
    """An IPv4 address, or the /64 that one IPv6 customer holds."""
    try:
        parsed = ipaddress.ip_address(address.strip())
    except ValueError:
        return f"{limit.name}:unknown"
    if parsed.version == 6:
        return f"{limit.name}:{ipaddress.ip_network((parsed, 64), strict=False).network_address}"
    return f"{limit.name}:{parsed}"


def count(limit: Limit, key: str, now: datetime) -> None:
    """Count one attempt, or raise TooMany while locked.  Call ``succeeded`` when it was a good one."""
    for _ in range(TRIES_TO_COUNT):
        before = store.read(key, now)
        locked_until = before.attempts.locked_until
        if locked_until is not None and locked_until > now:
            raise _too_many(locked_until - now)
        failures = before.attempts.failures + 1
        lock = _lock(limit, failures)
        after = Attempts(failures, now + lock if lock else None)
        if store.write(key, after, before, now + FORGET_AFTER):
            if lock:
                observability.warn("locked", limit=limit.name, failures=failures, seconds=int(lock.total_seconds()))
            return
    raise _too_many(timedelta(seconds=2))


def succeeded(limit: Limit, key: str, now: datetime) -> None:
    """Take back what ``count`` counted: everything for an account, this one attempt for a source.

    Somebody with a password of their own must not be able to wipe what their address did to others' accounts.
    """
    if limit.name == ACCOUNT.name:
        store.forget(key)
        return
    for _ in range(TRIES_TO_COUNT):
        before = store.read(key, now)
        if not before.attempts.failures or _take_one_back(key, before, limit, now):
            return


def forget_account(email: str) -> None:
    """A new password starts from nothing."""
    store.forget(account_key(ACCOUNT, email))


def wait_until(monotonic_seconds: float) -> None:
    """An answer's time must not tell whether the account exists: sleep until this reading of the monotonic clock."""
    time.sleep(max(0.0, monotonic_seconds - time.monotonic()))


def _take_one_back(key: str, before: Counted, limit: Limit, now: datetime) -> bool:
    failures = before.attempts.failures - 1
    locked = before.attempts.locked_until if _lock(limit, failures) else None
    return store.write(key, Attempts(failures, locked), before, now + FORGET_AFTER)


def _lock(limit: Limit, failures: int) -> timedelta | None:
    over = failures - limit.free
    if over < 0:
        return None
    factor: int = 2 ** min(over, 12)  # beyond the longest lock anyway
    return min(FIRST_LOCK * factor, LONGEST_LOCK)


def _too_many(wait: timedelta) -> TooMany:
    seconds = max(1, int(wait.total_seconds()))
    said = f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"
    return TooMany(f"Too many attempts. Wait {said}, then try again.", seconds)
