"""Sources: keys of messages that later messages refer to.  The same item is the duplicate check.

``SOURCE#<key>`` holds one item per different message under that key: carriers reuse Message-IDs
(docs/adr/0002-one-source-item.md).
"""

import hashlib
from dataclasses import dataclass

from chalicelib.store import documents
from chalicelib.store.codec import decode
from chalicelib.store.models import DocumentItem
from chalicelib.store.transaction import Transaction

MAX_KEY_CHARS = 300


@dataclass(frozen=True)
class Source:
    """Which message a key means."""

    ticket_id: str
    message_id: str
    inbox_id: str
    outgoing: bool = False
    automatic: bool = False


def partition(key: str) -> str:
    return f"SOURCE#{key if len(key) <= MAX_KEY_CHARS else hashlib.sha256(key.encode()).hexdigest()}"


def key_item(key: str, fingerprint: str, source: Source) -> DocumentItem:
    return documents.item(partition(key), fingerprint, source)


def claim(transaction: Transaction, key: str, fingerprint: str, source: Source) -> None:
    """Add the duplicate check; label "source" when the same message is stored already."""
    transaction.put_new("source", key_item(key, fingerprint, source))


def note(key: str, source: Source) -> None:
    """Remember a key of an outgoing message (its provider's id is known only after the send)."""
    documents.write(partition(key), f"out#{source.message_id}", source)


def find(key: str, limit: int = 10) -> tuple[Source, ...]:
    """The messages under a key, consistent: an answer may follow its question within milliseconds."""
    found = DocumentItem.query(partition(key), consistent_read=True, limit=limit, page_size=limit)
    return tuple(decode(Source, item.data or "{}") for item in found)


NEWEST = "newest"


@dataclass(frozen=True)
class Newest:
    """The newest ticket's message under a key, as it was read; ``source`` is None when there is none yet."""

    key: str
    source: Source | None
    data: str | None


def newest(key: str) -> Newest:
    try:
        data = DocumentItem.get(partition(key), NEWEST, consistent_read=True).data or "{}"
    except DocumentItem.DoesNotExist:
        return Newest(key, None, None)
    return Newest(key, decode(Source, data), data)


def replace_newest(transaction: Transaction, read: Newest, source: Source) -> None:
    """Point the key to another message; label "newest" when somebody did so since it was read."""
    unchanged = DocumentItem.pk.does_not_exist() if read.data is None else DocumentItem.data == read.data
    transaction.put("newest", key_item(read.key, NEWEST, source), unchanged)


def find_exact(key: str, fingerprint: str) -> Source | None:
    return documents.read(Source, partition(key), fingerprint)
