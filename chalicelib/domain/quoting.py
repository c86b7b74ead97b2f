"""Where a quote begins: introductions ("On … wrote:"), blocks of labels, rules with words between them.

Shapes decide before words, so that a language nobody listed is read as well.  Every line is looked at a bounded
number of times, whatever a text holds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from chalicelib.domain.quote_words import FORWARDED, LABELS, OPENS, ORIGINAL, REPLY_ABOVE, TO_ITSELF, WROTE

BIDI = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"))
MAX_LINES = 25_000
MAX_EXAMINED_LINES = 1_000
"""Filled lines without ">" that are tried as the beginning of a quote: nobody writes more above one."""
MAX_LINE_CHARS = 1_000
MAX_INTRO_CHARS = 400
MAX_INTRO_LINES = 4
MAX_VERB_CHARS = 60
MAX_BLOCK_LINES = 14
ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'@]{1,128}@[^\s<>()\[\],;:\"'@]{2,255}")
ADDRESS_IN_BRACKETS = re.compile(rf"[<(\[](?:mailto:)?{ADDRESS.pattern}")
YEAR = re.compile(r"(?<!\d)(?:19|20|25)\d\d(?!\d)|[۱۲١٢][۰-۹٠-٩]{3}")
SHORT_DATE = re.compile(r"(?<!\d)\d{1,2}[./-]\s?\d{1,2}[./-]\s?\d{2,4}(?!\d)")
NUMBER = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
CLOCK = re.compile(r"(?<![\d.])\d{1,2}[:.h٫]\d{2}(?![\d.])")
ENDS_WITH_COLON = re.compile(r"[:：]\W{0,6}$")
COLON_INSIDE = re.compile(r"[:：](?=\s|$)")
RULE = re.compile(r"^\W{0,3}[-_=‐–—*]{2,}\s*(\S.{0,80}?)\s*[-_=‐–—*]{2,}\W{0,3}(?=$|\S+:)")
ONLY_RULE = re.compile(r"^\s*[_\-=*]{5,}\s*$")
LABEL = re.compile(r"^([^:：<>@\d]{1,30}?)\s*[:：](?!//)\s*(.*)$")
BLOCK_MARKS = " \t>*_|\xa0"
IS_ORIGINAL = re.compile(ORIGINAL, re.IGNORECASE)
IS_FORWARDED = re.compile(FORWARDED, re.IGNORECASE)
WROTE_BETWEEN_RULES = re.compile(r"^\W{0,3}-{3,}\s.{0,300}-{3,}\s*$")
OLD_YAHOO = re.compile(r"^-{2,3} (?=.{0,200}\d)")
AFTER_A_SENTENCE = re.compile(r"(?<=[.!?]) {1,3}(?=On [^\n]{6,200}wrote:[ \t]{0,9}\n)")
"""Some gateways lose the break before the introduction."""


class Piece(Enum):
    NEW = "new"
    QUOTED = "quoted"
    SIGNATURE = "signature"


@dataclass(frozen=True)
class Block:
    """Labelled lines as clients put them above what they quote: (kind or "", value) each; ``end`` is one past."""

    rows: tuple[tuple[str, str], ...]
    end: int

    def value(self, kind: str) -> str:
        return next((value for found, value in self.rows if found == kind), "")


def lines_of(text: str) -> list[str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    text = AFTER_A_SENTENCE.sub("\n", text)
    return text.split("\n", MAX_LINES)


def mark_quotes(lines: Sequence[str], pieces: list[Piece]) -> None:
    """Mark introductions of quotes; from a quote without ">" marks everything to the end belongs to it."""
    examined = 0
    for index, line in enumerate(lines):
        if pieces[index] is not Piece.NEW or not line[:MAX_LINE_CHARS].strip():
            continue
        examined += 1
        if examined > MAX_EXAMINED_LINES:
            return
        if _quote_to_end(lines, index):
            pieces[index:] = [Piece.QUOTED] * (len(lines) - index)
            return
        intro = introduction(lines, pieces, index)
        if intro is None:
            continue
        start, lasts = intro
        stop = len(lines) if lasts else index + 1
        pieces[start:stop] = [Piece.QUOTED] * (stop - start)
        if lasts:
            return


def _quote_to_end(lines: Sequence[str], index: int) -> bool:
    line = lines[index][:MAX_LINE_CHARS]
    if REPLY_ABOVE.search(line):
        return True
    rule = RULE.match(line)
    if rule is not None and (IS_ORIGINAL.search(rule[1]) or IS_FORWARDED.search(rule[1])):
        return True
    if WROTE_BETWEEN_RULES.match(line) and WROTE.search(line):
        return True
    if rule is not None or ONLY_RULE.match(line) or (IS_FORWARDED.search(line) and ENDS_WITH_COLON.search(line)):
        below = _next_filled(lines, index + 1)
        if below is not None and block_at(lines, below) is not None:
            return True
    if OLD_YAHOO.match(line) and WROTE.search(line) and has_date(line):
        return True
    return ":" in line or "：" in line if block_at(lines, index) is not None else False


def _next_filled(lines: Sequence[str], start: int) -> int | None:
    return next((at for at in range(start, min(start + 4, len(lines))) if lines[at].strip(BLOCK_MARKS)), None)


def introduction(lines: Sequence[str], pieces: Sequence[Piece], index: int) -> tuple[int, bool] | None:
    """(first line, does the quote last to the end) when the line ends or holds the colon of "… wrote:"."""
    line = lines[index]
    below = next((at for at in range(index + 1, min(index + 5, len(lines))) if lines[at].strip()), None)
    marked = below is not None and pieces[below] is Piece.QUOTED
    if len(line) > MAX_LINE_CHARS or ENDS_WITH_COLON.search(line[-20:]) is None:
        if marked and len(line) < MAX_INTRO_CHARS and line.rstrip().endswith((">", ")")) and _is_strong(line):
            return index, False  # old clients leave the colon out: "2011/4/7 Ada <ada@a.example>"
        return _glued_introduction(line[:MAX_INTRO_CHARS], index)
    start = index
    weak: int | None = None
    while True:
        joined = " ".join(part.strip() for part in lines[start : index + 1])
        if len(joined) > MAX_INTRO_CHARS:
            break
        if _is_strong(joined):
            return _first_line(lines, pieces, start), not marked
        if marked and _is_weak(joined):
            weak = start
        above = start - 1
        if above < 0 or index - above >= MAX_INTRO_LINES or pieces[above] is not Piece.NEW or not lines[above].strip():
            break
        start = above
    if weak is None:
        return None
    return _first_line(lines, pieces, weak), False


def _first_line(lines: Sequence[str], pieces: Sequence[Piece], start: int) -> int:
    """A wrapped introduction begins a line earlier, where its weekday or "On" stands."""
    above = start - 1
    if above < 0 or pieces[above] is not Piece.NEW or OPENS.match(lines[start].strip()):
        return start
    text = lines[above].strip()
    opens = OPENS.match(text) is not None and NUMBER.search(text) is not None and len(text) < 120
    return above if opens and not text.endswith((".", "!", "?")) else start


def _glued_introduction(head: str, index: int) -> tuple[int, bool] | None:
    """Some phones put the quote on the same line: "On 5 Jan 2024, Ada <a@b.example> wrote: Hello"."""
    if "@" not in head:
        return None
    for colon in list(COLON_INSIDE.finditer(head))[:5]:
        before = head[: colon.start()]
        if WROTE.search(before[-30:]) and _is_strong(before) and ADDRESS.search(before) and OPENS.match(before.strip()):
            return index, True
    return None


def _is_strong(joined: str) -> bool:
    """Enough to take all that follows for a quote: a full date, and an address in brackets or a verb near the end.

    Customers write dates and bare addresses before a colon as well.
    """
    if not has_date(joined) or TO_ITSELF.search(joined):
        return False
    if ADDRESS_IN_BRACKETS.search(joined):
        return True
    return WROTE.search(joined[-MAX_VERB_CHARS:]) is not None and (
        CLOCK.search(joined) is not None or OPENS.match(joined) is not None
    )


def _is_weak(joined: str) -> bool:
    """Enough above a line with ">": a date, an address or a verb."""
    return has_date(joined) or ADDRESS.search(joined) is not None or WROTE.search(joined) is not None


def has_date(text: str) -> bool:
    if SHORT_DATE.search(text):
        return True
    return YEAR.search(text) is not None and NUMBER.search(YEAR.sub(" ", text, count=1)) is not None


def block_at(lines: Sequence[str], start: int) -> Block | None:
    """The block of labels that begins at this line; None when these are just lines with colons.

    Known labels decide, else the shape: an address in the first rows, a date with a year, three labels or more.
    """
    first = LABEL.match(lines[start][:MAX_LINE_CHARS].strip(BLOCK_MARKS))
    if first is None:
        return None
    rows: list[tuple[str, str]] = []
    index = start
    while index < len(lines) and index - start < MAX_BLOCK_LINES and len(rows) < 9:
        line = lines[index][:MAX_LINE_CHARS].strip(BLOCK_MARKS)
        if not line:
            if len(rows) > 1:
                break
            index += 1
            continue
        found = LABEL.match(line)
        if found is not None:
            label = " ".join(found[1].strip(BLOCK_MARKS).split()).casefold()
            rows.append((LABELS.get(label, ""), found[2].strip(BLOCK_MARKS)))
        elif rows and _continues(lines[index], rows[-1]):
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {line}".strip())
        else:
            break
        index += 1
    block = Block(tuple(rows), index)
    return block if _is_header_block(block) else None


def _continues(line: str, row: tuple[str, str]) -> bool:
    """A value goes on when its line is indented, or when a long list or subject was wrapped."""
    kind, value = row
    unquoted = re.sub(r"^(?:> ?)+", "", line)
    if unquoted[:1] in (" ", "\t") and value:
        return True
    if kind in ("to", "cc") and value.endswith((",", ";")):
        return True
    return kind in ("to", "cc", "subject") and len(value) > 60


def _is_header_block(block: Block) -> bool:
    kinds = {kind for kind, _ in block.rows if kind}
    values = [value for _, value in block.rows]
    addressed = any(ADDRESS.search(value) for value in values)
    dated = any(YEAR.search(value) or SHORT_DATE.search(value) for value in values)
    if "from" in kinds and len(kinds) >= 3 and kinds & {"sent", "subject"} and (addressed or dated):
        return True
    if {"from", "subject"} <= kinds and addressed:
        return True
    return len(block.rows) >= 3 and dated and any(ADDRESS.search(value) for value in values[:3])
