"""S/MIME in one part (RFC 8551, 3.5.2): the mail inside an opaque signature, read without checking the signature.

Only BER's nesting is followed (X.690): short, long and indefinite lengths, strings in pieces.
"""

from dataclasses import dataclass

MAX_NESTING = 32
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
ENVELOPED_DATA = bytes.fromhex("2a864886f70d010703")
AUTH_ENVELOPED_DATA = bytes.fromhex("2a864886f70d0109100117")
COMPRESSED_DATA = bytes.fromhex("2a864886f70d0109100109")
OCTETS = 0x04
CONSTRUCTED = 0x20
SEQUENCE = 0x30
TAGGED_ZERO = 0xA0


@dataclass(frozen=True)
class Value:
    """``content`` of a constructed value still holds its members."""

    tag: int
    content: bytes
    size: int


class NotBer(ValueError):
    """These bytes are no BER, or nest deeper than any certificate does."""


def is_encrypted(data: bytes) -> bool:
    """True when only the recipient's key opens it."""
    head = data[:64]
    return any(kind in head for kind in (ENVELOPED_DATA, AUTH_ENVELOPED_DATA, COMPRESSED_DATA))


def signed_entity(data: bytes) -> bytes | None:
    """The MIME entity inside SignedData; None for anything else, and for a detached signature."""
    try:
        kind, *rest = _members(_value(data, 0, 0).content)
        if kind.content != SIGNED_DATA or not rest:
            return None
        signed = _members(rest[0].content)[0]
        inner = next(value for value in _members(signed.content) if value.tag == SEQUENCE)
        content = next(value for value in _members(inner.content) if value.tag == TAGGED_ZERO)
        return b"".join(_octets(value) for value in _members(content.content))
    except (NotBer, StopIteration, ValueError, IndexError):
        return None


def _octets(value: Value) -> bytes:
    if value.tag & CONSTRUCTED:
        return b"".join(_octets(piece) for piece in _members(value.content))
    return value.content if value.tag == OCTETS else b""


def _members(content: bytes) -> list[Value]:
    members: list[Value] = []
    position = 0
    while position < len(content):
        value = _value(content, position, 0)
        members.append(value)
        position += value.size
    return members


def _value(data: bytes, position: int, depth: int) -> Value:
    if depth > MAX_NESTING or position + 2 > len(data):
        raise NotBer
    tag, length = data[position], data[position + 1]
    start = position + 2
    if length == 0x80:
        end = _end_of_contents(data, start, depth)
        return Value(tag, data[start:end], end + 2 - position)
    if length > 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + length > len(data):
        raise NotBer
    return Value(tag, data[start : start + length], start + length - position)


def _end_of_contents(data: bytes, position: int, depth: int) -> int:
    while data[position : position + 2] != b"\0\0":
        position += _value(data, position, depth + 1).size
    return position
