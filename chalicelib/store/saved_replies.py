"""Saved replies in the table: a short entry each for the lists, the texts beside it, and how often it was used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.domain.saved_reply import ReplyEntry, ReplySettings, SavedReply
from chalicelib.errors import NotFound
from chalicelib.store import documents
from chalicelib.store.models import CounterItem, DocumentItem
from chalicelib.store.transaction import Transaction

USES_DAYS = 400
"""A count that nothing was added to for so long is forgotten."""


@dataclass(frozen=True)
class ReplyTexts:
    texts: Mapping[str, str] = field(default_factory=dict)


def entries() -> tuple[ReplyEntry, ...]:
    """All that are not deleted, by name."""
    found = (entry for _, entry in documents.under(ReplyEntry, "REPLIES") if entry.deleted_at is None)
    return tuple(sorted(found, key=lambda each: (each.name.lower(), each.id)))


def get(reply_id: str, now: datetime, deleted: bool = False) -> SavedReply:
    """Raise NotFound when there is none; with ``deleted`` one whose deletion can still be undone is found too."""
    entry = documents.read(ReplyEntry, "REPLIES", reply_id, now)
    if entry is None or (entry.deleted_at is not None and not deleted):
        raise NotFound("There is no such saved reply.")
    kept = documents.read(ReplyTexts, _key(reply_id), "REPLY", now)
    return SavedReply(entry, dict(kept.texts) if kept else {})


def save(reply: SavedReply, expires_at: datetime | None = None) -> None:
    """Write it as new (version 1), or over the version before its own; raise Lost when that is not there any more."""
    entry = reply.entry
    item = documents.item("REPLIES", entry.id, entry, expires_at, entry.version)
    transaction = Transaction()
    if entry.version == 1:
        transaction.put_new("entry", item)
    else:
        transaction.put("entry", item, DocumentItem.version == entry.version - 1)
    transaction.put("texts", documents.item(_key(entry.id), "REPLY", ReplyTexts(reply.texts), expires_at))
    transaction.commit()


def _key(reply_id: str) -> str:
    return f"REPLY#{reply_id}"


def count_use(reply_id: str, at: datetime) -> None:
    forgotten_at = at + timedelta(days=USES_DAYS)
    counter = CounterItem("REPLYUSES", reply_id)
    counter.update(actions=[CounterItem.amount.add(1), CounterItem.expires_at.set(forgotten_at)])


def uses() -> dict[str, int]:
    """How often each was inserted, by id; those never used are left out."""
    found = CounterItem.query("REPLYUSES", consistent_read=False)
    return {str(each.sk): int(each.amount) for each in found}


def settings() -> ReplySettings:
    return documents.read(ReplySettings, "SETTINGS", "replies", consistent=False) or ReplySettings()


def save_settings(new: ReplySettings) -> None:
    documents.write("SETTINGS", "replies", new)
