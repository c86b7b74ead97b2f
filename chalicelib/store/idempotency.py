"""What became of requests that carry an idempotency key, so that a repeated one has no second effect."""

import zlib
from base64 import b85decode, b85encode
from dataclasses import dataclass, replace
from datetime import datetime

from pynamodb.exceptions import PutError

from chalicelib.store import documents, objects
from chalicelib.store.models import DocumentItem

MAX_INLINE_BYTES = 300_000
"""DynamoDB takes 400 KB an item; a longer answer lies in S3."""


@dataclass(frozen=True)
class Kept:
    """One request by its key.  ``status`` 0: an attempt is under way, or died; ``held_until`` says when to try again.

    fingerprint: of method, path and body.  first_at: when the first attempt began; all attempts work with that time.
    """

    fingerprint: str
    first_at: datetime
    expires_at: datetime
    held_until: datetime
    attempt: int = 1
    status: int = 0
    answer: str = ""


def _key(name: str) -> tuple[str, str]:
    return f"IDEMPOTENCY#{name}", "IDEMPOTENCY"


def _put(name: str, kept: Kept, before: Kept) -> bool:
    item = documents.item(*_key(name), kept, kept.expires_at, version=kept.attempt)
    try:
        item.save(condition=DocumentItem.version == before.attempt)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def claim(name: str, kept: Kept, now: datetime) -> bool:
    """Begin the first attempt; False when there is one already."""
    item = documents.item(*_key(name), kept, kept.expires_at, version=kept.attempt)
    try:
        item.save(condition=DocumentItem.pk.does_not_exist() | (DocumentItem.expires_at <= now))
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def read(name: str, now: datetime) -> Kept | None:
    return documents.read(Kept, *_key(name), now=now)


def take_over(name: str, before: Kept, held_until: datetime) -> Kept | None:
    """Begin another attempt after one that died; None when somebody else was quicker."""
    after = replace(before, attempt=before.attempt + 1, held_until=held_until)
    return after if _put(name, after, before) else None


def give_up(name: str, kept: Kept, now: datetime) -> None:
    """This attempt broke with an unknown effect: the next may begin at once, with the same time."""
    _put(name, replace(kept, held_until=now), kept)


def release(name: str, kept: Kept) -> None:
    """This attempt had no effect: forget it, so that the caller may correct the request and use the key again."""
    current = documents.read(Kept, *_key(name))
    if current is not None and current.attempt == kept.attempt:
        documents.delete(*_key(name))


def finish(name: str, kept: Kept, status: int, answer: str) -> None:
    """Keep the answer for those who ask again."""
    packed = b85encode(zlib.compress(answer.encode(), 6)).decode()
    if len(packed) > MAX_INLINE_BYTES:
        objects.put_attachment(f"answers/{name}", zlib.compress(answer.encode(), 6), "application/octet-stream")
        packed = f"s3:answers/{name}"
    _put(name, replace(kept, status=status, answer=packed), kept)


def answer_of(kept: Kept) -> str:
    """The answer that ``finish`` kept."""
    stored = kept.answer
    raw = objects.get_attachment(stored.removeprefix("s3:")) if stored.startswith("s3:") else b85decode(stored)
    return zlib.decompress(raw).decode()
