"""Signatures: what follows the mark "-- ", lines that only name a device, footers of lists, "-Ada"."""

import re
from collections.abc import Sequence

from chalicelib.domain.quote_words import DEVICE, SENT_FROM, SENT_WITH
from chalicelib.domain.quoting import MAX_EXAMINED_LINES, Piece

MAX_SIGNATURE_LINES = 14
UNDERSCORES = re.compile(r"^\s*_{10,}\s*$")
SIGNATURE_MARK = re.compile(r"^(?:--|—|–|__|-- ?-)\s*$")
SENT_FROM_START = re.compile(r"^(?:sent from|gesendet von|envoyé de|enviado desde|inviato da|verzonden vanaf)\b", re.I)
NAME_AFTER_DASH = re.compile(r"^\s*[-–—~]{1,2}\s?[^\W\d_][\w.'’-]+(?:\s[\w.'’-]+){0,2}\s*$")


def mark_signatures(lines: Sequence[str], pieces: list[Piece]) -> None:
    start = 0
    while start < len(lines):
        stop = start
        while stop < len(lines) and pieces[stop] is Piece.NEW:
            stop += 1
        if stop > start:
            _mark_signature(lines, pieces, start, stop)
        start = max(stop, start + 1)


def _mark_signature(lines: Sequence[str], pieces: list[Piece], start: int, stop: int) -> None:
    """Within one stretch of new text: from a signature mark on, and lines that only name the device."""
    filled = [index for index in range(start, stop) if lines[index].strip()]
    for place, index in enumerate(filled[-MAX_EXAMINED_LINES:], start=max(0, len(filled) - MAX_EXAMINED_LINES)):
        if _begins_signature(lines, filled, place):
            pieces[index:stop] = [Piece.SIGNATURE] * (stop - index)
            filled = filled[:place]
            break
    for index in filled[-MAX_EXAMINED_LINES:]:
        if _names_device(lines[index], last=index == filled[-1]):
            pieces[index] = Piece.SIGNATURE
    left = [index for index in filled if pieces[index] is Piece.NEW]
    if len(left) > 1 and _is_name_after_dash(lines, left):
        pieces[left[-1]] = Piece.SIGNATURE


def _begins_signature(lines: Sequence[str], filled: Sequence[int], place: int) -> bool:
    line = lines[filled[place]]
    rest = len(filled) - place - 1
    if line.rstrip("\r") == "-- ":
        return True
    if SIGNATURE_MARK.match(line):
        return rest <= MAX_SIGNATURE_LINES
    return UNDERSCORES.match(line) is not None and 0 < rest <= 6 and _is_list_footer(lines, filled[place + 1 :])


def _is_list_footer(lines: Sequence[str], below: Sequence[int]) -> bool:
    text = "\n".join(lines[index] for index in below).casefold()
    return "mailing list" in text or "unsubscribe" in text or ("http" in text and "@" in text)


def _names_device(line: str, *, last: bool) -> bool:
    """ "Sent from my iPhone"; as the very last line also "Sent from" whatever people like to say there."""
    text = line.strip()
    if not text or len(text) > 120:
        return False
    if SENT_WITH.match(text):
        return True
    device = DEVICE.search(text) or (last and SENT_FROM_START.match(text))
    return bool(device) and SENT_FROM.search(text) is not None and len(text.split()) <= 10 and "?" not in text


def _is_name_after_dash(lines: Sequence[str], left: Sequence[int]) -> bool:
    last, before = left[-1], left[-2]
    return (
        NAME_AFTER_DASH.match(lines[last]) is not None
        and last - before > 1
        and not lines[before].lstrip().startswith(("-", "–", "—", "*", "•"))
    )
