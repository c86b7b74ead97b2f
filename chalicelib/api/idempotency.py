"""``Idempotency-Key``: a POST that is repeated has no second effect, whatever broke in between.

The first attempt claims the key, then works with a *seed* made of token, key and the claim's time; services derive the
ids of what they write from the seed.  So an attempt that died between its commit and its answer does no harm: the next
one takes the claim over, works with the same seed and the same time, and finds what is there already.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.errors import Conflict, DeskbellError, InvalidInput
from chalicelib.store import idempotency as kept_requests
from chalicelib.store.idempotency import Kept

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_HOURS = 24
ATTEMPT_SECONDS = 30
"""No attempt lives longer: API Gateway gives up after 29 seconds, and so does the function."""


class StillRunning(Conflict):
    """The first request with this key has not been answered yet."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("The first request with this Idempotency-Key is still being worked on. Try again shortly.")
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Attempt:
    """seed: None without a key.  at: the time to work with, that of the first attempt.

    repeated: an earlier attempt died; what it was to do may have been done.
    """

    seed: str | None
    at: datetime
    repeated: bool = False


def checked_key(header: str | None) -> str | None:
    """The key, None without the header; raise InvalidInput for what cannot be a key, be it nothing."""
    if header is None:
        return None
    key = header.strip(" \t")
    if not KEY.fullmatch(key):
        raise InvalidInput(
            "The Idempotency-Key is not valid.", {HEADER: "Use 1 to 255 visible ASCII characters, say a UUID."}
        )
    return key


def fingerprint(method: str, path: str, body: Mapping[str, Any]) -> str:
    """Equal for equal requests, however their JSON is laid out."""
    canonical = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def once(
    token_id: str, key: str | None, print_of_request: str, now: datetime, act: Callable[[Attempt], tuple[int, str]]
) -> tuple[int, str, bool]:
    """Call ``act`` at most once with effect; return its status and answer, and whether they are a replay.

    Raises:
        InvalidInput: the key was used for another request.
        StillRunning: the first request with this key is under way.
    """
    if key is None:
        return (*act(Attempt(None, now)), False)
    name = hashlib.sha256(f"{token_id}\n{key}".encode()).hexdigest()
    claim = _claimed(name, print_of_request, now)
    if claim.status:
        return claim.status, kept_requests.answer_of(claim), True
    seed = hashlib.sha256(f"{name}\n{claim.first_at.isoformat()}".encode()).hexdigest()
    try:
        status, answer = act(Attempt(seed, claim.first_at, claim.attempt > 1))
    except DeskbellError as error:
        if error.status < 500:
            kept_requests.release(name, claim)
        else:
            kept_requests.give_up(name, claim, now)
        raise
    except Exception:
        kept_requests.give_up(name, claim, now)
        raise
    kept_requests.finish(name, claim, status, answer)
    return status, answer, False


def _claimed(name: str, print_of_request: str, now: datetime) -> Kept:
    """Our claim to work on the request, or the finished answer of an earlier one."""
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    held_until = now + timedelta(seconds=ATTEMPT_SECONDS)
    fresh = Kept(print_of_request, now, now + timedelta(hours=KEPT_HOURS), held_until)
    if kept_requests.claim(name, fresh, now):
        return fresh
    found = kept_requests.read(name, now)
    if found is None:  # released or expired this very moment
        raise StillRunning(1)
    if found.fingerprint != print_of_request:
        raise InvalidInput(
            "This Idempotency-Key was used for another request.",
            {HEADER: "Use a new key for each new request, the same one only to repeat a request unchanged."},
        )
    if found.status:
        return found
    if found.held_until > now:
        raise StillRunning(max(1, round((found.held_until - now).total_seconds())))
    taken = kept_requests.take_over(name, found, held_until)
    if taken is None:
        raise StillRunning(1)
    return taken
