"""Stream edge: send each committed fact on, and nothing else.

It never raises: a record it cannot send on is parked in S3 with its full image, because a failing record would stop
its shard for a day.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib import config, wiring
from chalicelib.config import settings
from chalicelib.domain.moments import from_stamp
from chalicelib.observability import count, failed, flush, warn
from chalicelib.store import objects
from chalicelib.store.codec import decode

MAX_DELAY_SECONDS = 900
IGNORED_ORIGINS = frozenset({"import", "rebuild", "migration", "demo"})


@dataclass(frozen=True)
class Parcel:
    """One SQS entry and the queue it is for."""

    queue_url: str
    entry: Mapping[str, Any]


@dataclass(frozen=True)
class _Message:
    """What the relay looks at of a message."""

    kind: str = ""
    direction: str = ""
    event: Mapping[str, str] = field(default_factory=dict)
    original_key: str = ""
    at: datetime | None = None


def relay(event: dict[str, Any], context: object) -> None:
    """DynamoDB stream batch."""
    parcels: list[Parcel] = []
    try:
        wiring.begin()
        at = config.now()
    except Exception:  # without the clock everything still goes on its way
        failed("relay could not begin")
        at = datetime.now().astimezone()
    for record in event["Records"]:
        try:
            parcels += parcels_of(record, at)
        except Exception:
            failed("record not understood")
            _park(record)
    _send(parcels)
    flush()


def parcels_of(record: Mapping[str, Any], at: datetime) -> list[Parcel]:
    """What one change of the table means for the queues; most changes mean nothing."""
    image = record["dynamodb"]
    new, old = image.get("NewImage", {}), image.get("OldImage", {})
    pk, sk = _text(image["Keys"], "pk"), _text(image["Keys"], "sk")
    if not new or _text(new, "origin") in IGNORED_ORIGINS:
        return []
    if pk.startswith("RECEIPTS#"):
        return [_work(kind="receipt", day=pk.removeprefix("RECEIPTS#"), name=sk)] if _is_new(old, new) else []
    if pk.startswith("NOTICES#") and not old:
        return [_work(kind="notice", agent=pk.removeprefix("NOTICES#"), notice=sk)]
    if pk.startswith("LEAVING#"):
        return [] if old else [_work(kind="leaving", agent=pk.removeprefix("LEAVING#"), since=sk)]
    if not pk.startswith("TICKET#"):
        return []
    ticket_id = pk.removeprefix("TICKET#")
    if sk == "TICKET":
        if _text(new, "version") == _text(old, "version"):
            return []
        return [_work(kind="ticket", ticket=ticket_id)]
    if sk.startswith("MESSAGE#"):
        return [_work(kind="message", ticket=ticket_id, message=sk.removeprefix("MESSAGE#"), **_told(new, bool(old)))]
    if sk.startswith("DELIVERY#"):
        return _delivery(ticket_id, sk.removeprefix("DELIVERY#"), new, old, at)
    return []


def _text(image: Mapping[str, Any], name: str) -> str:
    value = image.get(name, {})
    return str(next(iter(value.values()))) if value else ""


def _told(new: Mapping[str, Any], edited: bool) -> dict[str, str]:
    """What follows from a message beside that it is shown, without reading it.

    received: when it came in by a channel; how long it took to be shown is measured from then.  said: it has words by
    which its ticket is to be found, and no receipt sees to that.
    """
    message = decode(_Message, _text(new, "data") or "{}")
    if edited:  # it shows nothing that was not received before
        return {"said": "1"}
    if message.direction == "out":
        return {"said": "1"} if message.kind != "event" or "subject" in message.event else {}
    if not message.original_key or message.at is None:
        return {}
    return {"received": message.at.isoformat()}


def _is_new(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """A receipt that carries a pending mark for the first time; removing the mark is no fact."""
    return not old and bool(_text(new, "time_key"))


def _delivery(
    ticket_id: str, message_id: str, new: Mapping[str, Any], old: Mapping[str, Any], at: datetime
) -> list[Parcel]:
    if _text(new, "state") == _text(old, "state") and _text(new, "attempts") == _text(old, "attempts"):
        return []
    shown = _work(kind="delivery", ticket=ticket_id, message=message_id)
    if _text(new, "state") != "queued":
        return [shown]
    send_at = from_stamp(_text(new, "send_at"))
    return [shown, outgoing(ticket_id, message_id, send_at, at, _text(new, "attempts"))]


def _work(**fact: str) -> Parcel:
    return Parcel(settings().work_queue_url, {"MessageBody": json.dumps(fact)})


def outgoing(ticket_id: str, message_id: str, send_at: datetime, at: datetime, attempts: str) -> Parcel:
    """To ``outbound`` now, or to ``later`` while its time lies ahead (undo window, waiting after a refusal)."""
    body = {"kind": "deliver", "ticket": ticket_id, "message": message_id, "attempts": attempts}
    ahead = (send_at - at).total_seconds()
    if ahead > 0:
        body["at"] = send_at.isoformat()
        delay = min(MAX_DELAY_SECONDS, int(ahead) + 1)
        return Parcel(settings().later_queue_url, {"MessageBody": json.dumps(body), "DelaySeconds": delay})
    return Parcel(
        settings().outbound_queue_url,
        {
            "MessageBody": json.dumps(body),
            "MessageGroupId": ticket_id,
            "MessageDeduplicationId": f"{message_id}-{attempts}-{uuid.uuid4().hex[:8]}",
        },
    )


def _send(parcels: Iterable[Parcel]) -> None:
    by_queue: dict[str, list[Mapping[str, Any]]] = {}
    for parcel in parcels:
        by_queue.setdefault(parcel.queue_url, []).append(parcel.entry)
    for url, entries in by_queue.items():
        try:
            refused = wiring.send_batch(url, entries)
        except Exception:
            failed("queue not reached", entries=len(entries))
            refused = entries
        for entry in refused:
            _park({"queue": url.rsplit("/", 1)[-1], "entry": entry})


def _park(what: Mapping[str, Any]) -> None:
    """Keep what could not be sent; its pending mark lets the repair sweep do the work, and people see it listed."""
    key = f"{objects.PARKED}{config.now():%Y/%m/%d}/{uuid.uuid4().hex}"
    try:
        objects.put_original(key, json.dumps(what, default=str).encode(), {})
        warn("record parked", key=key)
        count("Parked")
    except Exception:  # both SQS and S3 are away: the pending marks alone bring it back
        failed("record could not be parked")
