"""What a customer newly wrote, what they only quoted, and whose mail they forwarded.

Language comes last.  In this order: lines of our own earlier messages (``repeats``), ">" marks, blocks of labels, a
date with an address before a colon, then words (``quoting``, ``quote_words``).  Time grows with length only, and
nothing is deleted: ``split_text`` hands back all three pieces.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.forwards import Forwarded, forwarded
from chalicelib.domain.quoting import BIDI, Piece, lines_of, mark_quotes
from chalicelib.domain.repeats import repeated_lines
from chalicelib.domain.signatures import mark_signatures

__all__ = ["Forwarded", "Split", "forwarded", "new_text", "split_text"]

QUOTED_LINE = re.compile(r"^\s{0,4}>")


@dataclass(frozen=True)
class Split:
    """A text in three: what is new, what was quoted, what signs it.  Lines keep their order within each."""

    new: str
    quoted: str
    signature: str


def new_text(text: str, known: Sequence[str] = ()) -> str:
    """What the sender newly wrote, quote and signature cut; the whole text when nothing else would be left.

    ``known``: texts of our own last messages of the ticket, newest first.
    """
    return split_text(text, known).new.strip() or _lines_joined(lines_of(text)).strip()


def split_text(text: str, known: Sequence[str] = ()) -> Split:
    """Every line of the text is in exactly one of the three pieces."""
    lines = lines_of(text)
    plain = [line.translate(BIDI) for line in lines]
    pieces = [Piece.QUOTED if QUOTED_LINE.match(line) else Piece.NEW for line in plain]
    for index in repeated_lines(plain, known):
        pieces[index] = Piece.QUOTED
    mark_quotes(plain, pieces)
    mark_signatures(plain, pieces)
    return Split(*(_gathered(lines, pieces, piece) for piece in Piece))


def _lines_joined(lines: Sequence[str]) -> str:
    return "\n".join(lines)


def _gathered(lines: Sequence[str], pieces: Sequence[Piece], wanted: Piece) -> str:
    """The lines of one piece; where others were taken out between them, at most one blank line remains."""
    kept: list[str] = []
    gap = False
    for line, piece in zip(lines, pieces, strict=True):
        if piece is not wanted:
            gap = True
            continue
        if gap and kept and not line.strip() and not kept[-1].strip():
            continue
        gap = gap and not line.strip()
        kept.append(line)
    return _lines_joined(kept).strip("\n").rstrip()
