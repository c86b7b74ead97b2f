"""Outlook's Thread-Index, continued, so that our answers stand in the thread there.

Source: [MS-OXOMSG] 2.2.1.3, PidTagConversationIndex: 22 bytes (the six high bytes of the first mail's FILETIME and a
GUID), then 5 bytes for each answer (31 bits of the time since, one byte of chance and sequence).
"""

import base64
import binascii
import hashlib
from datetime import UTC, datetime

HEADER_BYTES = 22
CHILD_BYTES = 5
MAX_BYTES = HEADER_BYTES + 60 * CHILD_BYTES
FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def continued(parent: str | None, at: datetime, ticket_id: str, seed: str) -> str:
    """The index of a mail that answers the one whose index is ``parent``; a fresh one where that is none or broken.

    Fresh ones of one ticket share their GUID.  ``seed`` stands in for chance: the same mail has the same index.
    """
    known = _decoded(parent)
    if known is None:
        return _text(_fresh(at, ticket_id))
    if len(known) + CHILD_BYTES > MAX_BYTES:
        return _text(known)
    return _text(known + _child(known, at, seed))


def _decoded(text: str | None) -> bytes | None:
    try:
        index = base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    whole = len(index) >= HEADER_BYTES and (len(index) - HEADER_BYTES) % CHILD_BYTES == 0
    return index if whole and len(index) <= MAX_BYTES else None


def _fresh(at: datetime, ticket_id: str) -> bytes:
    return _filetime(at).to_bytes(8, "big")[:6] + hashlib.sha256(f"deskbell ticket {ticket_id}".encode()).digest()[:16]


def _child(index: bytes, at: datetime, seed: str) -> bytes:
    started = int.from_bytes(index[:6] + b"\0\0", "big")
    since = max(0, _filetime(at) - started)
    recent = since >> 49 == 0  # under 1.7 years: drop the low 18 bits; else the low 23
    bits = (since >> 18) & 0x7FFFFFFF if recent else 0x80000000 | ((since >> 23) & 0x7FFFFFFF)
    return bits.to_bytes(4, "big") + hashlib.sha256(seed.encode()).digest()[:1]


def _filetime(at: datetime) -> int:
    """100 ns since 1601."""
    since = at.astimezone(UTC) - FILETIME_EPOCH
    return (since.days * 86_400 + since.seconds) * 10_000_000 + since.microseconds * 10


def _text(index: bytes) -> str:
    return base64.b64encode(index).decode("ascii")
