"""The circuit breaker of each inbox: a storm of mail is stopped before providers blacklist the shop (features d40).

Open: nothing is sent, everything stays queued, one alarm, one button resumes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.people import Actor, Inbox
from chalicelib.store import documents
from chalicelib.store.models import CounterItem

MINUTES_KEPT = 10
FAILURES_TO_OPEN = 20
"""Sends that failed or bounced within a minute."""


@dataclass(frozen=True)
class Opened:
    """The breaker of an inbox is open since ``at``; ``reason`` is a sentence for the agents."""

    at: datetime
    reason: str


def _key(inbox_id: str) -> str:
    return f"BREAKER#{inbox_id}"


def state(inbox_id: str) -> Opened | None:
    """None while the inbox may send."""
    return documents.read(Opened, _key(inbox_id), "OPENED")


def _count(inbox_id: str, what: str, at: datetime) -> int:
    counter = CounterItem(_key(inbox_id), f"{what}#{at:%Y-%m-%dT%H:%M}")
    expires = at + timedelta(minutes=MINUTES_KEPT)
    counter.update(actions=[CounterItem.amount.add(1), CounterItem.expires_at.set(expires)])
    return int(counter.amount)


def lets_through(inbox: Inbox, at: datetime) -> bool:
    """May one more message go out now?  Opens the breaker above the inbox's limit a minute."""
    if state(inbox.id) is not None:
        return False
    if _count(inbox.id, "sent", at) <= inbox.sends_per_minute:
        return True
    _open(inbox.id, f"More than {inbox.sends_per_minute} messages went out within a minute.", at)
    return False


def note_failure(inbox_id: str, at: datetime) -> None:
    """A send failed or bounced; too many within a minute open the breaker."""
    if _count(inbox_id, "failed", at) > FAILURES_TO_OPEN:
        _open(inbox_id, f"More than {FAILURES_TO_OPEN} messages failed within a minute.", at)


def _open(inbox_id: str, reason: str, at: datetime) -> None:
    documents.write_new(_key(inbox_id), "OPENED", Opened(at, reason))


def resume(inbox_id: str, actor: Actor) -> bool:
    """Close the breaker again; what was held goes out with the next repair.  False when it was not open."""
    return documents.take(_key(inbox_id), "OPENED")
