"""Small things kept whole under one key: agents, inboxes, sessions, listings …"""

from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from pynamodb.exceptions import DeleteError, PutError
from pynamodb.expressions.condition import Condition

from chalicelib import config
from chalicelib.store.codec import decode, encode
from chalicelib.store.models import DocumentItem

T = TypeVar("T")


def item(
    pk: str, sk: str, value: object, expires_at: datetime | None = None, version: int | None = None
) -> DocumentItem:
    return DocumentItem(pk, sk, data=encode(value), expires_at=expires_at, version=version)


def read(shape: type[T], pk: str, sk: str, now: datetime | None = None, consistent: bool = True) -> T | None:
    """The document, or None; with ``now`` also None once it has expired (DynamoDB deletes hours late)."""
    found = stored(pk, sk, consistent)
    if found is None or (now is not None and found.expires_at is not None and found.expires_at <= now):
        return None
    return decode(shape, found.data or "{}")


def stored(pk: str, sk: str, consistent: bool = True) -> DocumentItem | None:
    """The item itself, expired or not; None when there is none."""
    try:
        return DocumentItem.get(pk, sk, consistent_read=consistent)
    except DocumentItem.DoesNotExist:
        return None


def write(pk: str, sk: str, value: object, expires_at: datetime | None = None) -> None:
    item(pk, sk, value, expires_at).save()


def write_new(pk: str, sk: str, value: object, expires_at: datetime | None = None, now: datetime | None = None) -> bool:
    """Write unless it exists (with ``now``: unless an unexpired one exists); False when it did."""
    condition: Condition = DocumentItem.pk.does_not_exist()
    if now is not None:
        condition = condition | (DocumentItem.expires_at <= now)
    try:
        item(pk, sk, value, expires_at).save(condition=condition)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def write_newer(pk: str, sk: str, value: object, at: datetime) -> bool:
    """Write what was found at that moment; False when what is kept there was found later."""
    version = int(at.timestamp() * 1000)
    condition = DocumentItem.version.does_not_exist() | (DocumentItem.version <= version)
    try:
        item(pk, sk, value, version=version).save(condition=condition)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def replace(pk: str, sk: str, value: object, expires_at: datetime | None = None) -> bool:
    """Write only over one that exists; False when there is none."""
    try:
        item(pk, sk, value, expires_at).save(condition=DocumentItem.pk.exists())
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def delete(pk: str, sk: str) -> None:
    DocumentItem(pk, sk).delete()


def take(pk: str, sk: str) -> bool:
    """Delete it; True for the one caller who found it there (a single-use thing is used once)."""
    try:
        DocumentItem(pk, sk).delete(condition=DocumentItem.pk.exists())
    except DeleteError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def under(
    shape: type[T], pk: str, prefix: str = "", newest_first: bool = False, limit: int | None = None, after: str = ""
) -> Iterator[tuple[str, T]]:
    """Sort key and document of everything under ``pk`` (a bounded partition), behind sort key ``after``.

    What has expired is left out.  It counts towards ``limit``: it lies where the list ends, for lists go by age.
    """
    now = config.now()
    edge: Condition | None = DocumentItem.sk.startswith(prefix) if prefix else None
    if after:
        edge = DocumentItem.sk < after if newest_first else DocumentItem.sk > after
    for found in DocumentItem.query(pk, edge, scan_index_forward=not newest_first, limit=limit, consistent_read=False):
        if found.expires_at is None or found.expires_at > now:
            yield str(found.sk), decode(shape, found.data or "{}")
