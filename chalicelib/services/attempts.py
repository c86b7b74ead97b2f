"""Guessing is slow: failed attempts lock an account and a source, each time for longer, up to an hour.

When a lock has run out, as many attempts are free as before it: one wrong guess an hour must not keep an agent out.
Where an account was signed in from lately is counted apart, so strangers elsewhere cannot lock it there at all.

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
KNOWN_FOR = timedelta(days=30)
MAX_PLACES = 10
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
    """Count one attempt, or raise TooMany while locked.  Call ``entered`` or ``take_back`` when it was a good one."""
    for _ in range(TRIES_TO_COUNT):
        before = store.read(key, now)
        locked_until, locks = before.attempts.locked_until, before.attempts.locks
        if locked_until is not None and locked_until > now:
            raise _too_many(locked_until - now)
        failures = 1 if locked_until is not None else before.attempts.failures + 1
        lock = _lock(locks) if failures >= limit.free else None
        after = Attempts(failures, now + lock, locks + 1) if lock else Attempts(failures, None, locks)
        if store.write(key, after, before, now + FORGET_AFTER):
            if lock:
                observability.warn("locked", limit=limit.name, failures=failures, seconds=int(lock.total_seconds()))
            return
    raise _too_many(timedelta(seconds=2))


def counter(limit: Limit, email: str, source: str, now: datetime) -> str:
    """The key under which this source's attempts at this account are counted: one of its own where it is known."""
    account, place = account_key(limit, email), _place(source)
    return f"{account}:{place}" if place in store.places(account_key(ACCOUNT, email), now) else account


def entered(email: str, source: str, now: datetime) -> None:
    """Who came in starts from nothing, and is known there from now on."""
    store.forget(counter(ACCOUNT, email, source, now))
    remember(email, source, now)


def remember(email: str, source: str, now: datetime) -> None:
    """Somebody proved to be this agent there."""
    account, place = account_key(ACCOUNT, email), _place(source)
    if place:
        others = tuple(each for each in store.places(account, now) if each != place)
        store.keep_places(account, (*others, place)[-MAX_PLACES:], now + KNOWN_FOR)


def take_back(limit: Limit, key: str, now: datetime) -> None:
    """Take back the one attempt that ``count`` counted for a source.

    Not all of them: a password of one's own must not wipe what one's address did to others' accounts.
    """
    for _ in range(TRIES_TO_COUNT):
        before = store.read(key, now)
        if not before.attempts.failures or _take_one_back(key, before, limit, now):
            return


def forget_account(email: str, now: datetime) -> None:
    """A new password starts from nothing, wherever it is used."""
    places = store.places(account_key(ACCOUNT, email), now)
    for limit in (ACCOUNT, RESET_ACCOUNT):
        account = account_key(limit, email)
        for key in (account, *(f"{account}:{place}" for place in places)):
            store.forget(key)


def wait_until(monotonic_seconds: float) -> None:
    """An answer's time must not tell whether the account exists: sleep until this reading of the monotonic clock."""
    time.sleep(max(0.0, monotonic_seconds - time.monotonic()))


def _take_one_back(key: str, before: Counted, limit: Limit, now: datetime) -> bool:
    failures, locks = before.attempts.failures - 1, before.attempts.locks
    undone = before.attempts.locked_until is not None and failures < limit.free
    after = Attempts(failures, None if undone else before.attempts.locked_until, locks - 1 if undone else locks)
    return store.write(key, after, before, now + FORGET_AFTER)


def _lock(locks: int) -> timedelta:
    factor: int = 2 ** min(locks, 12)  # beyond the longest lock anyway
    return min(FIRST_LOCK * factor, LONGEST_LOCK)


def _place(source: str) -> str:
    """Hashed, for an address is about a person; empty when it is none, which is known nowhere."""
    key = source_key(SOURCE, source)
    return "" if key.endswith(":unknown") else hashlib.sha256(key.encode()).hexdigest()[:16]


def _too_many(wait: timedelta) -> TooMany:
    seconds = max(1, int(wait.total_seconds()))
    said = f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"
    return TooMany(f"Too many attempts. Wait {said}, then try again.", seconds)
