"""winmail.dat: what Outlook packs into one application/ms-tnef part.

Source: [MS-OXTNEF] (attributes) and [MS-OXCDATA] 2.11 (property values).  Only names, contents and the message's own
text are read.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chalicelib.connectors.email.charsets import clean, decode

SIGNATURE = b"\x78\x9f\x3e\x22"
ATTACH_BEGINS = 0x00069002
ATTACH_TITLE = 0x00018010
ATTACH_DATA = 0x0006800F
ATTACH_PROPERTIES = 0x00069005
MESSAGE_BODY = 0x0002800C
MESSAGE_PROPERTIES = 0x00069003

PLAIN_BODY, HTML_BODY = 0x1000, 0x1013
DATA_PROPERTY, SHORT_NAME, LONG_NAME, DISPLAY_NAME = 0x3701, 0x3704, 0x3707, 0x3001
MIME_TYPE, CONTENT_ID = 0x370E, 0x3712
OBJECT_TYPE = 0x000D
FIXED_SIZES = {0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8,
               0x0040: 8, 0x0048: 16}  # fmt: skip
TEXT_TYPES = {0x001E, 0x001F}
BINARY_TYPES = {0x0102, OBJECT_TYPE}
MULTIPLE = 0x1000
MAX_VALUES = 10_000


@dataclass(frozen=True)
class TnefFile:
    name: str
    data: bytes
    content_type: str
    content_id: str | None


@dataclass(frozen=True)
class Tnef:
    """``complete`` is False when the stream broke off: what stands here is what came before."""

    files: tuple[TnefFile, ...]
    text: str
    html: str
    complete: bool


def read_tnef(data: bytes) -> Tnef | None:
    """None when these bytes are no TNEF at all."""
    if not data.startswith(SIGNATURE):
        return None
    files: list[dict[int, bytes]] = []
    message: dict[int, bytes] = {}
    complete = True
    for identifier, value in _attributes(data):
        if identifier is None:
            complete = False
        elif identifier == ATTACH_BEGINS:
            files.append({})
        elif identifier in (MESSAGE_BODY, MESSAGE_PROPERTIES):
            message |= {PLAIN_BODY: value} if identifier == MESSAGE_BODY else dict(_properties(value))
        elif files and identifier == ATTACH_TITLE:
            files[-1][SHORT_NAME] = value
        elif files and identifier == ATTACH_DATA:
            files[-1][DATA_PROPERTY] = value
        elif files and identifier == ATTACH_PROPERTIES:
            found = dict(_properties(value))
            files[-1] = (
                found
                | {key: kept for key, kept in files[-1].items() if key == DATA_PROPERTY}
                | {key: kept for key, kept in files[-1].items() if key not in found}
            )
    complete = complete and all(DATA_PROPERTY in found for found in files)
    files = [found for found in files if DATA_PROPERTY in found]
    return Tnef(tuple(_file(found) for found in files), _text(message, PLAIN_BODY), _text(message, HTML_BODY), complete)


def _attributes(data: bytes) -> Iterator[tuple[int | None, bytes]]:
    """(id, value) of each attribute; id None once when the stream breaks off."""
    position = 6
    while position < len(data):
        if position + 9 > len(data):
            yield None, b""
            return
        _, identifier, size = struct.unpack_from("<BII", data, position)
        value = data[position + 9 : position + 9 + size]
        if len(value) < size:
            yield None, b""
            return
        yield identifier, value
        position += 9 + size + 2


def _properties(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(property id, bytes) of the values that matter, text as UTF-8; ends quietly where the encoding breaks."""
    position = 4
    try:
        for _ in range(min(struct.unpack_from("<I", data)[0], MAX_VALUES)):
            kind, identifier = struct.unpack_from("<HH", data, position)
            position += 4
            if identifier >= 0x8000:
                position = _after_name(data, position)
            base = kind & ~MULTIPLE
            counted = kind & MULTIPLE or base in TEXT_TYPES or base in BINARY_TYPES
            values = struct.unpack_from("<I", data, position)[0] if counted else 1
            position += 4 if counted else 0
            for _ in range(min(values, MAX_VALUES)):
                value, position = _value(data, position, base)
                if base == 0x001F:
                    value = value.decode("utf-16-le", "replace").encode("utf-8", "replace")
                elif base == OBJECT_TYPE:
                    value = value[16:]  # the interface id comes first
                yield identifier, value.rstrip(b"\0") if base in TEXT_TYPES else value
    except (struct.error, KeyError):
        return


def _after_name(data: bytes, position: int) -> int:
    """Named properties carry a GUID and a number or a padded name."""
    kind, size = struct.unpack_from("<II", data, position + 16)
    return position + 24 + (size + -size % 4 if kind else 0)


def _value(data: bytes, position: int, base: int) -> tuple[bytes, int]:
    if base in TEXT_TYPES or base in BINARY_TYPES:
        size = struct.unpack_from("<I", data, position)[0]
        position += 4
        return data[position : position + size], position + size + -size % 4
    size = FIXED_SIZES[base]
    return data[position : position + size], position + size


def _text(found: Mapping[int, bytes], identifier: int) -> str:
    return decode(found.get(identifier, b"").rstrip(b"\0"))


def _file(found: Mapping[int, bytes]) -> TnefFile:
    name = next((text for key in (LONG_NAME, DISPLAY_NAME, SHORT_NAME) if (text := _text(found, key))), "")
    return TnefFile(
        clean(name),
        found.get(DATA_PROPERTY, b""),
        _text(found, MIME_TYPE) or "application/octet-stream",
        _text(found, CONTENT_ID).strip("<>") or None,
    )
