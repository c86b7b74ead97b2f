"""What of an inbound message is kept on its item: whatever a sender writes, it can be stored.

DynamoDB takes 400 KB an item and only well-formed Unicode.  What does not fit is named in a banner and stays in the
original: nothing vanishes without a word.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from chalicelib.domain.files import checked_name
from chalicelib.domain.message import Inbound, IncomingFile, Party

T = TypeVar("T")

MAX_NAME_CHARS = 120
MAX_ADDRESS_CHARS = 320
"""RFC 5321: 64 before the @, 255 behind it."""
MAX_SUBJECT_CHARS = 1_000
MAX_TYPE_CHARS = 100
MAX_THREAD_INDEX_CHARS = 2_000
MAX_RECIPIENTS = 100
"""In To, and as many in Cc."""
RECIPIENT_BYTES = 40_000
REFERENCE_BYTES = 30_000
MAX_BANNERS = 20
MAX_BANNER_CHARS = 400
FILE_BYTES = 120_000
"""Of all names and types together; one file's beside those are FILE_EXTRA_BYTES."""
FILE_EXTRA_BYTES = 400
TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Embeddings, overrides and isolates (Unicode Annex 9)."""


def whole(text: str) -> str:
    """Halves of characters joined to their other half, or replaced: JSON can name them, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def straight(text: str) -> str:
    """Without the characters that turn the reading direction: in a name they would turn our own words behind it too.

    The marks that letters of right-to-left scripts need stay.
    """
    return text.translate(TURNING)


def within_limits(inbound: Inbound) -> Inbound:
    """The message as it can be stored; keys that other messages are found by stay as they are."""
    clean = _clean(inbound)
    to, cc = _parties(clean.to), _parties(clean.cc)
    files = _fitting([_file(each) for each in clean.files], FILE_BYTES, _file_bytes)
    recipients_left = len(clean.to) + len(clean.cc) - len(to) - len(cc)
    banners = (
        *(_shortened(each) for each in clean.banners[:MAX_BANNERS]),
        *_left_out(len(clean.banners[MAX_BANNERS:]), "remark", "remarks"),
        *_left_out(len(clean.files) - len(files), "file", "files"),
        *_left_out(recipients_left, "recipient", "recipients"),
    )
    return replace(
        clean,
        sender=_party(clean.sender),
        subject=straight(clean.subject)[:MAX_SUBJECT_CHARS],
        to=to,
        cc=cc,
        reply_to=_parties(clean.reply_to),
        files=files,
        banners=banners,
        references=_fitting(clean.references[::-1], REFERENCE_BYTES, _bytes)[::-1],
        thread_index=clean.thread_index if len(clean.thread_index or "") <= MAX_THREAD_INDEX_CHARS else None,
    )


def _clean(value: T) -> T:
    return cast(T, _cleaned(value))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _cleaned(getattr(value, field.name)) for field in fields(value)})
    return value


def _party(party: Party) -> Party:
    return Party(straight(party.name)[:MAX_NAME_CHARS].strip(), party.address[:MAX_ADDRESS_CHARS])


def _parties(parties: Sequence[Party]) -> tuple[Party, ...]:
    kept = [_party(each) for each in parties[:MAX_RECIPIENTS]]
    return _fitting(kept, RECIPIENT_BYTES, lambda each: _bytes(each.name, each.address) + 30)


def _file(file: IncomingFile) -> IncomingFile:
    return replace(file, name=checked_name(file.name), content_type=file.content_type[:MAX_TYPE_CHARS])


def _file_bytes(file: IncomingFile) -> int:
    return _bytes(file.name, file.content_type, file.content_id or "") + FILE_EXTRA_BYTES


def _bytes(*texts: str) -> int:
    """As JSON, for control characters grow."""
    return len(json.dumps(texts, ensure_ascii=False).encode())


def _fitting(values: Sequence[T], room: int, size: Callable[[T], int]) -> tuple[T, ...]:
    """The first of them that fit together."""
    kept: list[T] = []
    for value in values:
        room -= size(value)
        if room < 0:
            break
        kept.append(value)
    return tuple(kept)


def _shortened(sentence: str) -> str:
    """Cut in the middle: what a sender wrote stands there, and what we say of it at the end."""
    if len(sentence) <= MAX_BANNER_CHARS:
        return sentence
    half = MAX_BANNER_CHARS // 2
    return f"{sentence[: half - 1]}…{sentence[-half:]}"


def _left_out(count: int, one: str, many: str) -> tuple[str, ...]:
    if not count:
        return ()
    return (f"{count:,} more {one if count == 1 else many}: download the original to see them.",)
