"""The circuit breaker of each inbox: a storm of mail is stopped before providers blacklist the shop.

Open: nothing is sent, everything stays queued, one alarm, one button resumes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.people import Actor, Inbox
from chalicelib.observability import count
from chalicelib.services import notices
from chalicelib.store import directory, documents
from chalicelib.store.models import CounterItem

MINUTES_KEPT = 10
GRACE_HOURS = 2
FAILURES_TO_OPEN = 20
"""Sends that failed or bounced within a minute."""


@dataclass(frozen=True)
class Opened:
    """The breaker of an inbox is open since ``at``; ``reason`` is a sentence for the agents."""

    at: datetime
    reason: str


@dataclass(frozen=True)
class Resumed:
    """Somebody closed the breaker again."""

    at: datetime
    by: str


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


def verdict(inbox: Inbox, at: datetime) -> Literal["go", "wait", "held"]:
    """May one more message of this inbox go out now?  Opens the breaker above the inbox's limit a minute.

    "wait": for GRACE_HOURS after a resume the backlog is paced, not stopped: come back in a minute.
    """
    if state(inbox.id) is not None:
        return "held"
    if _count(inbox.id, "sent", at) <= inbox.sends_per_minute:
        return "go"
    if documents.read(Resumed, _key(inbox.id), "RESUMED", now=at) is not None:
        return "wait"
    _open(inbox, f"More than {inbox.sends_per_minute} messages went out within a minute.", at)
    return "held"


def note_failure(inbox: Inbox, at: datetime) -> None:
    """A send failed or bounced; too many within a minute open the breaker."""
    if _count(inbox.id, "failed", at) > FAILURES_TO_OPEN:
        _open(inbox, f"More than {FAILURES_TO_OPEN} messages failed within a minute.", at)


def _open(inbox: Inbox, reason: str, at: datetime) -> None:
    """Stop the inbox and tell every admin and leader, once."""
    if not documents.write_new(_key(inbox.id), "OPENED", Opened(at, reason)):
        return
    text = f"Sending from {inbox.name} is stopped: {reason} Nothing is lost; resume it when the cause is gone."
    for agent in directory.agents():
        if agent.active and agent.role in ("admin", "leader"):
            notices.item(agent.id, "breaker", "", text, at).save()
    count("BreakerOpened")


def open_breakers() -> tuple[tuple[Inbox, Opened], ...]:
    """The inboxes that may not send now, and why."""
    return tuple((inbox, opened) for inbox in directory.inboxes() if (opened := state(inbox.id)) is not None)


def resume(inbox_id: str, actor: Actor, at: datetime) -> bool:
    """Close the breaker again; what was held goes out, paced, from the next repair on.  False: it was not open."""
    documents.write(_key(inbox_id), "RESUMED", Resumed(at, actor.id), at + timedelta(hours=GRACE_HOURS))
    return documents.take(_key(inbox_id), "OPENED")
