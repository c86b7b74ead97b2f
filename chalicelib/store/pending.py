"""Pending marks: what still has a consequence outstanding, findable without the stream."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib.domain.moments import stamp
from chalicelib.store.codec import decode
from chalicelib.store.models import DocumentItem, TicketItem

PENDING_SHARDS = 4
TIMER_SHARDS = 4
PAGE_SIZE = 100

T = TypeVar("T")


def pending_key(seed: str, due: datetime) -> tuple[str, str]:
    """Index keys of a pending mark: ``repair`` looks at it once ``due`` is well past."""
    return f"PENDING#{zlib.crc32(seed.encode()) % PENDING_SHARDS}", f"{stamp(due)}#{seed}"


def timer_key(seed: str, due: datetime) -> tuple[str, str]:
    return f"TIMER#{zlib.crc32(seed.encode()) % TIMER_SHARDS}", f"{stamp(due)}#{seed}"


@dataclass(frozen=True)
class Due:
    """The key of an item whose time has come."""

    pk: str
    sk: str
    time_key: str
    time_at: str


def _due(prefix: str, shards: int, until: datetime, limit: int) -> Iterator[Due]:
    for shard in range(shards):
        key = f"{prefix}#{shard}"
        below = TicketItem.time_at < stamp(until)
        for item in TicketItem.by_time.query(key, below, limit=limit, page_size=min(limit, PAGE_SIZE)):
            yield Due(str(item.pk), str(item.sk), key, str(item.time_at))


def overdue(until: datetime, limit: int = 500) -> Iterator[Due]:
    """Items whose pending mark is older than ``until``, oldest first, at most ``limit`` of each shard.

    Read page by page while the caller works: what it postpones does not come again.
    """
    return _due("PENDING", PENDING_SHARDS, until, limit)


def timers_due(until: datetime, limit: int = 500) -> Iterator[Due]:
    return _due("TIMER", TIMER_SHARDS, until, limit)


def marked(shape: type[T], pk: str, sk: str) -> tuple[T, Due] | None:
    """A document and the mark it carries now (the index may lag behind); None when it carries none."""
    try:
        found = DocumentItem.get(pk, sk, consistent_read=True)
    except DocumentItem.DoesNotExist:
        return None
    if not found.time_key or not found.time_at:
        return None
    return decode(shape, found.data or "{}"), Due(pk, sk, found.time_key, found.time_at)


def release(due: Due) -> bool:
    """Take the mark off an item; False when somebody did, or set it anew, meanwhile."""
    return _change(due, [DocumentItem.time_key.remove(), DocumentItem.time_at.remove()])


def postpone(due: Due, until: datetime) -> bool:
    """Let the mark come up again at ``until``; False when somebody took it off, or set it anew, meanwhile."""
    seed = due.time_at.partition("#")[2]
    return _change(due, [DocumentItem.time_at.set(f"{stamp(until)}#{seed}")])


def _change(due: Due, actions: list[Action]) -> bool:
    try:
        DocumentItem(due.pk, due.sk).update(actions=actions, condition=DocumentItem.time_at == due.time_at)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True
