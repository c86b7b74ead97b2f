"""Instants as text that sorts, and ids that sort by time."""

import hashlib
from datetime import UTC, datetime, timedelta

from chalicelib.errors import InvalidInput

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case: survives mail systems that fold case
TIME_CHARS = 9  # 45 bits of milliseconds: enough until the year 3084


def stamp(moment: datetime) -> str:
    """UTC with milliseconds and fixed width: ``2026-11-21T22:00:00.000Z``."""
    if moment.tzinfo is None:
        raise InvalidInput("an instant needs a time zone")
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def from_stamp(text: str) -> datetime:
    """The instant that ``stamp`` wrote."""
    return datetime.fromisoformat(text)


def whole_milliseconds(moment: datetime) -> datetime:
    """The same instant without what ``stamp`` drops."""
    return moment - timedelta(microseconds=moment.microsecond % 1000)


def _base32(number: int, chars: int) -> str:
    digits = []
    for _ in range(chars):
        digits.append(ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(digits))


def sortable_id(prefix: str, moment: datetime, seed: bytes, chars: int = 8) -> str:
    """An id that sorts by ``moment``; equal for equal arguments, so a repeated attempt names the same thing."""
    milliseconds = int(moment.timestamp() * 1000)
    tail = int.from_bytes(hashlib.sha256(seed).digest()[:10], "big")
    return prefix + _base32(milliseconds, TIME_CHARS) + _base32(tail, chars)


def random_id(prefix: str, entropy: bytes, chars: int = 10) -> str:
    """A short id out of random bytes (5 bits a character)."""
    return prefix + _base32(int.from_bytes(entropy, "big"), chars)
