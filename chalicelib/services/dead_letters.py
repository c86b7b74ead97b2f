"""What could not be processed: letters on the dead-letter queues and records the relay parked."""

import json
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.moments import stamp
from chalicelib.domain.people import Actor
from chalicelib.errors import Conflict, InvalidInput, NotFound
from chalicelib.store import directory, objects
from chalicelib.store.directory import AuditEntry

Queues = Mapping[str, tuple[str, str]]
"""Name → (dead-letter queue URL, URL of the queue its letters go back to)."""
MAX_LISTED = 100
HELD_SECONDS = 30
WAIT_SECONDS = 1
"""Long polling: SQS then asks all its servers.  A short poll of a nearly empty queue often misses what lies there."""
NOTHING_NEW = 2
"""So many answers in a row without a letter that was not seen before, and the queue is believed to hold no more."""
MOST_ASKED = 20
"""Of one queue: with a second each it stays below what API Gateway waits for a page."""


@dataclass(frozen=True)
class DeadLetter:
    """``key``: the original it is about, where it is about one."""

    id: str
    queue: str
    at: datetime
    attempts: int
    body: str
    key: str | None = None


def listing(sqs: Any, queues: Queues) -> tuple[DeadLetter, ...]:
    """Everything that waits for a decision, newest first.  Looking hides it from others for seconds at most."""
    found = []
    for name, letters in _look_everywhere(sqs, queues).items():
        found += [_as_letter(name, message) for message in letters]
    parked = [DeadLetter(key, "parked", at, 0, "", key) for key, at in objects.list_originals(objects.PARKED)]
    return tuple(sorted((*found, *parked), key=lambda letter: letter.at, reverse=True)[:MAX_LISTED])


def _look_everywhere(sqs: Any, queues: Queues, taken: str = "") -> dict[str, list[dict[str, Any]]]:
    """Letters by queue, the one with the id ``taken`` hidden from others; the waiting is done once for all queues."""

    def look(url: str) -> list[dict[str, Any]]:
        letters = _look(sqs, url)
        for each in letters:
            if each["MessageId"] != taken:
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0)
        return letters

    with ThreadPoolExecutor(len(queues)) as pool:
        found = pool.map(look, (dead for dead, _ in queues.values()))
        return dict(zip(queues, found, strict=True))


def _look(sqs: Any, url: str) -> list[dict[str, Any]]:
    seen: dict[str, dict[str, Any]] = {}
    nothing_new = 0
    for _ in range(MOST_ASKED):
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=HELD_SECONDS, WaitTimeSeconds=WAIT_SECONDS,
            AttributeNames=["All"],
        )  # fmt: skip
        fresh = {each["MessageId"]: each for each in answer.get("Messages", ()) if each["MessageId"] not in seen}
        seen |= fresh
        nothing_new = 0 if fresh else nothing_new + 1
        if nothing_new == NOTHING_NEW or len(seen) >= MAX_LISTED:
            break
    return list(seen.values())


def _as_letter(queue: str, message: Mapping[str, Any]) -> DeadLetter:
    attributes = message.get("Attributes", {})
    sent = datetime.fromtimestamp(int(attributes.get("SentTimestamp", "0")) / 1000, UTC)
    attempts = int(attributes.get("ApproximateReceiveCount", "0"))
    return DeadLetter(message["MessageId"], queue, sent, attempts, message["Body"], _key_in(message["Body"]))


def _key_in(body: str) -> str | None:
    """The S3 key a letter names, however deeply it is wrapped."""
    try:
        document = json.loads(body)
        if isinstance(document, dict) and isinstance(document.get("Message"), str):
            document = json.loads(document["Message"])
        key = document.get("key") or document.get("receipt", {}).get("action", {}).get("objectKey")
    except (ValueError, AttributeError):
        return None
    return key if isinstance(key, str) else None


def retry(sqs: Any, queues: Queues, letter_id: str, actor: Actor, at: datetime) -> None:
    """Send a letter back to its queue, with a fresh deduplication id, then take it off the dead-letter queue."""
    if letter_id.startswith(objects.PARKED):
        _unpark(sqs, queues, letter_id)
        _audit(actor, "parked record sent on", letter_id, at)
        return
    name, message = _take(sqs, queues, letter_id)
    dead, target = queues[name]
    extra: dict[str, str] = {}
    if target.endswith(".fifo"):
        group = message.get("Attributes", {}).get("MessageGroupId", "retry")
        extra = {"MessageGroupId": group, "MessageDeduplicationId": secrets.token_hex(16)}
    sqs.send_message(QueueUrl=target, MessageBody=message["Body"], **extra)
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
    _audit(actor, "dead letter retried", f"{name} {letter_id}", at)


def _unpark(sqs: Any, queues: Queues, key: str) -> None:
    parked = json.loads(objects.get_original(key).body)
    url = next((target for _, target in queues.values() if target.endswith(f"/{parked.get('queue')}")), None)
    if url is None:
        raise Conflict("This record cannot be sent on by hand. Whatever it stood for is repaired by itself.")
    entry = parked["entry"]
    if "MessageDeduplicationId" in entry:
        entry["MessageDeduplicationId"] = secrets.token_hex(16)
    sqs.send_message(QueueUrl=url, **entry)
    objects.delete_original(key)


def discard(sqs: Any, queues: Queues, letter_id: str, reason: str, actor: Actor, at: datetime) -> None:
    """Throw a letter away; the reason stays in the audit.  Its original, where it has one, is kept."""
    if not reason.strip():
        raise InvalidInput("Say why.", {"reason": "The reason is kept in the audit."})
    if letter_id.startswith(objects.PARKED):
        objects.delete_original(letter_id)
        _audit(actor, "parked record discarded", f"{letter_id}: {reason.strip()}", at)
        return
    name, message = _take(sqs, queues, letter_id)
    sqs.delete_message(QueueUrl=queues[name][0], ReceiptHandle=message["ReceiptHandle"])
    _audit(actor, "dead letter discarded", f"{name} {letter_id}: {reason.strip()}", at)


def _take(sqs: Any, queues: Queues, letter_id: str) -> tuple[str, dict[str, Any]]:
    for name, letters in _look_everywhere(sqs, queues, taken=letter_id).items():
        for each in letters:
            if each["MessageId"] == letter_id:
                return name, each
    raise NotFound("This letter is not there: somebody dealt with it, or is looking at it now. Look again.")


def _audit(actor: Actor, what: str, detail: str, at: datetime) -> None:
    directory.audit(AuditEntry(at, actor.name, what, detail), f"{stamp(at)}#{secrets.token_hex(4)}")
