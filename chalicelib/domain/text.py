"""What a customer newly wrote, what they only quoted, and whose mail they forwarded.

Language comes last.  In this order: lines of our own earlier messages (``known``), ">" marks, blocks of labels,
a date with an address before a colon, then words (``quote_words``).  Every line is looked at a bounded number of times,
so time grows with length only.  Nothing is deleted: ``split_text`` hands back all three pieces.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from chalicelib.domain.quote_words import (
    DEVICE,
    FORWARD_PREFIXES,
    FORWARDED,
    LABELS,
    OPENS,
    ORIGINAL,
    REPLY_ABOVE,
    REPLY_PREFIXES,
    SENT_FROM,
    SENT_WITH,
    TO_ITSELF,
    WROTE,
)

MAX_LINES = 25_000
MAX_EXAMINED_LINES = 1_000
"""Filled lines without ">" that are tried as the beginning of a quote: nobody writes more above one."""
MAX_LINE_CHARS = 1_000
MAX_INTRO_CHARS = 400
MAX_INTRO_LINES = 4
MAX_VERB_CHARS = 60
MAX_BLOCK_LINES = 14
MAX_SIGNATURE_LINES = 14
MAX_KNOWN_MESSAGES = 10
MAX_KNOWN_CHARS = 50_000
MAX_MATCHED_CHARS = 200_000
SHINGLE = 24
"""Characters, blanks not counted, that must agree before a stretch counts as ours."""

BIDI = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"))
QUOTED_LINE = re.compile(r"^\s{0,4}>")
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
UNDERSCORES = re.compile(r"^\s*_{10,}\s*$")
LABEL = re.compile(r"^([^:：<>@\d]{1,30}?)\s*[:：](?!//)\s*(.*)$")
BLOCK_MARKS = " \t>*_|\xa0"
IS_ORIGINAL = re.compile(ORIGINAL, re.IGNORECASE)
IS_FORWARDED = re.compile(FORWARDED, re.IGNORECASE)
WROTE_BETWEEN_RULES = re.compile(r"^\W{0,3}-{3,}\s.{0,300}-{3,}\s*$")
OLD_YAHOO = re.compile(r"^-{2,3} (?=.{0,200}\d)")
SIGNATURE_MARK = re.compile(r"^(?:--|—|–|__|-- ?-)\s*$")
SENT_FROM_START = re.compile(r"^(?:sent from|gesendet von|envoyé de|enviado desde|inviato da|verzonden vanaf)\b", re.I)
AFTER_A_SENTENCE = re.compile(r"(?<=[.!?]) {1,3}(?=On [^\n]{6,200}wrote:[ \t]{0,9}\n)")
"""Some gateways lose the break before the introduction."""
NAME_AFTER_DASH = re.compile(r"^\s*[-–—~]{1,2}\s?[^\W\d_][\w.'’-]+(?:\s[\w.'’-]+){0,2}\s*$")
PREFIX = re.compile(r"^\s*\[?([^\s:：\]\[]{1,20}(?:\s[^\s:：]{1,12})?)\s?(?:\[\d+\])?\s?[:：]\]?\s*")
GLUED = re.compile(r"(?<=\S)(?=(?:From|To|Sent|Cc|Subject|Date):\s)")


class Piece(Enum):
    NEW = "new"
    QUOTED = "quoted"
    SIGNATURE = "signature"


@dataclass(frozen=True)
class Split:
    """A text in three: what is new, what was quoted, what signs it.  Lines keep their order within each."""

    new: str
    quoted: str
    signature: str


@dataclass(frozen=True)
class Forwarded:
    """The original of a forwarded mail.  ``from_address`` is "" when the client showed only a name."""

    from_address: str
    from_name: str
    subject: str


@dataclass(frozen=True)
class _Block:
    """Labelled lines as clients put them above what they quote: (kind or "", value) each; ``end`` is one past."""

    rows: tuple[tuple[str, str], ...]
    end: int

    def value(self, kind: str) -> str:
        return next((value for found, value in self.rows if found == kind), "")


def new_text(text: str, known: Sequence[str] = ()) -> str:
    """What the sender newly wrote, quote and signature cut; the whole text when nothing else would be left.

    ``known``: texts of our own last messages of the ticket, newest first.
    """
    return split_text(text, known).new.strip() or _lines_joined(_lines(text)).strip()


def split_text(text: str, known: Sequence[str] = ()) -> Split:
    """Every line of the text is in exactly one of the three pieces."""
    lines = _lines(text)
    plain = [line.translate(BIDI) for line in lines]
    pieces = [Piece.QUOTED if QUOTED_LINE.match(line) else Piece.NEW for line in plain]
    for index in _known_lines(plain, known):
        pieces[index] = Piece.QUOTED
    _mark_quotes(plain, pieces)
    _mark_signatures(plain, pieces)
    return Split(*(_gathered(lines, pieces, piece) for piece in Piece))


def _lines(text: str) -> list[str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    text = AFTER_A_SENTENCE.sub("\n", text)
    return text.split("\n", MAX_LINES)


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


# --- our own words coming back -----------------------------------------------------------------------------------


def _known_lines(lines: Sequence[str], known: Sequence[str]) -> list[int]:
    """Lines that repeat what we wrote, however they were wrapped again or marked."""
    shingles: set[str] = set()
    short: set[str] = set()
    for message in known[:MAX_KNOWN_MESSAGES]:
        squeezed = _squeezed(message[:MAX_KNOWN_CHARS])
        shingles.update(squeezed[start : start + SHINGLE] for start in range(max(0, len(squeezed) - SHINGLE + 1)))
        short.update(filter(None, map(_squeezed, message[:MAX_KNOWN_CHARS].split("\n"))))
    if not shingles:
        return []
    covered = _covered(lines, shingles)
    return _with_short_neighbours(lines, covered, short)


def _squeezed(text: str) -> str:
    return re.sub(r"[\s>*_|]+", "", text).casefold()


def _covered(lines: Sequence[str], shingles: set[str]) -> list[bool]:
    """True for lines four fifths of whose characters lie in a stretch of ours."""
    squeezed: list[str] = []
    total = 0
    for line in lines:
        squeezed.append(_squeezed(line) if total < MAX_MATCHED_CHARS else "")
        total += len(squeezed[-1])
    stream = "".join(squeezed)[: 2 * MAX_MATCHED_CHARS]
    hits = bytearray(len(stream) + SHINGLE)
    reach = 0
    for start in range(len(stream) - SHINGLE + 1):
        if stream[start : start + SHINGLE] in shingles:
            for place in range(max(reach, start), start + SHINGLE):
                hits[place] = 1
            reach = start + SHINGLE
    covered: list[bool] = []
    position = 0
    for line in squeezed:
        inside = hits.count(1, position, position + len(line))
        covered.append(bool(line) and inside * 5 >= len(line) * 4)
        position += len(line)
    return covered


def _with_short_neighbours(lines: Sequence[str], covered: Sequence[bool], short: set[str]) -> list[int]:
    """Greetings and names are too short to match alone; next to matched lines they are part of the quote."""
    marked = list(covered)
    squeezed = [_squeezed(line[:MAX_LINE_CHARS]) for line in lines]
    for order in (range(1, len(lines)), range(len(lines) - 2, -1, -1)):
        step = -1 if order.step == 1 else 1
        for index in order:
            neighbour = index + step
            while 0 <= neighbour < len(lines) and not squeezed[neighbour] and abs(neighbour - index) < 3:
                neighbour += step
            inside = 0 <= neighbour < len(lines)
            if not marked[index] and inside and marked[neighbour] and squeezed[index] in short:
                marked[index] = True
    filled = [index for index, line in enumerate(squeezed) if line]
    for above, below in pairwise(filled):
        if marked[above] and marked[below]:
            marked[above:below] = [True] * (below - above)
    return [index for index, mark in enumerate(marked) if mark]


# --- quotes ------------------------------------------------------------------------------------------------------


def _mark_quotes(lines: Sequence[str], pieces: list[Piece]) -> None:
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
        intro = _introduction(lines, pieces, index)
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
        if below is not None and _block_at(lines, below) is not None:
            return True
    if OLD_YAHOO.match(line) and WROTE.search(line) and _has_date(line):
        return True
    return ":" in line or "：" in line if _block_at(lines, index) is not None else False


def _next_filled(lines: Sequence[str], start: int) -> int | None:
    return next((at for at in range(start, min(start + 4, len(lines))) if lines[at].strip(BLOCK_MARKS)), None)


def _introduction(lines: Sequence[str], pieces: Sequence[Piece], index: int) -> tuple[int, bool] | None:
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
    if not _has_date(joined) or TO_ITSELF.search(joined):
        return False
    if ADDRESS_IN_BRACKETS.search(joined):
        return True
    return WROTE.search(joined[-MAX_VERB_CHARS:]) is not None and (
        CLOCK.search(joined) is not None or OPENS.match(joined) is not None
    )


def _is_weak(joined: str) -> bool:
    """Enough above a line with ">": a date, an address or a verb."""
    return _has_date(joined) or ADDRESS.search(joined) is not None or WROTE.search(joined) is not None


def _has_date(text: str) -> bool:
    if SHORT_DATE.search(text):
        return True
    return YEAR.search(text) is not None and NUMBER.search(YEAR.sub(" ", text, count=1)) is not None


# --- blocks of labels --------------------------------------------------------------------------------------------


def _block_at(lines: Sequence[str], start: int) -> _Block | None:
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
    block = _Block(tuple(rows), index)
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


def _is_header_block(block: _Block) -> bool:
    kinds = {kind for kind, _ in block.rows if kind}
    values = [value for _, value in block.rows]
    addressed = any(ADDRESS.search(value) for value in values)
    dated = any(YEAR.search(value) or SHORT_DATE.search(value) for value in values)
    if "from" in kinds and len(kinds) >= 3 and kinds & {"sent", "subject"} and (addressed or dated):
        return True
    if {"from", "subject"} <= kinds and addressed:
        return True
    return len(block.rows) >= 3 and dated and any(ADDRESS.search(value) for value in values[:3])


# --- signatures --------------------------------------------------------------------------------------------------


def _mark_signatures(lines: Sequence[str], pieces: list[Piece]) -> None:
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


# --- forwarded mail ----------------------------------------------------------------------------------------------


def forwarded(text: str, subject: str) -> Forwarded | None:
    """The mail that this one passes on; None for replies and for mail that only talks about another.

    ``subject`` is the forwarding mail's: its prefix tells a forward from a reply where the text looks the same.
    """
    lines = _unglued([line.translate(BIDI) for line in _lines(text)])
    pieces = [Piece.NEW] * len(lines)
    examined = 0
    for index, line in enumerate(lines):
        if not line[:MAX_LINE_CHARS].strip():
            continue
        examined += 1
        if examined > MAX_EXAMINED_LINES:
            return None
        block = _block_at(lines, index)
        if block is not None:
            return _original(block, subject) if _is_forward(lines, index, block, subject) else None
        if not _is_forward_mark(line) and _starts_reply(lines, pieces, index):
            return None
    return None


def _unglued(lines: list[str]) -> list[str]:
    """Yahoo's plain text loses the line breaks of its block."""
    out: list[str] = []
    for line in lines:
        rule = RULE.match(line[:MAX_LINE_CHARS])
        if rule is None or not IS_FORWARDED.search(rule[1]) or rule.end() >= len(line.rstrip()):
            out.append(line)
            continue
        out += [line[: rule.end()], *GLUED.sub("\n", line[rule.end() :]).split("\n")]
    return out


def _is_forward_mark(line: str) -> bool:
    return len(line) < 200 and IS_FORWARDED.search(line) is not None


def _starts_reply(lines: Sequence[str], pieces: Sequence[Piece], index: int) -> bool:
    """A "… wrote:" above the block: the forward is part of what a reply quotes."""
    intro = _introduction(lines, pieces, index)
    return intro is not None and intro[1]


def _is_forward(lines: Sequence[str], index: int, block: _Block, subject: str) -> bool:
    above = [line for line in lines[max(0, index - 4) : index] if line.strip()]
    if any(_is_forward_mark(line) for line in above):
        return True
    prefix = PREFIX.match(subject)
    if prefix is None:
        nothing_said = not any(line.strip() for line in lines[: max(0, index - 4)]) and len(above) == 1
        return nothing_said and IS_ORIGINAL.search(above[0]) is not None
    word = "_".join(prefix[1].casefold().split())
    if word in FORWARD_PREFIXES:
        return True
    rest = subject[prefix.end() :].strip()
    return word not in REPLY_PREFIXES and bool(rest) and any(value == rest for _, value in block.rows)


def _original(block: _Block, subject: str) -> Forwarded:
    sender = block.value("from") or next((value for _, value in block.rows if ADDRESS.search(value)), "")
    address = ADDRESS.search(sender)
    name = re.split(r"[<\[(]", sender)[0].strip(" \"'") if address else sender.strip(" \"'")
    return Forwarded(
        address[0].removeprefix("mailto:").rstrip(".") if address else "",
        "" if address and name == address[0] else name,
        _original_subject(block, subject),
    )


def _original_subject(block: _Block, subject: str) -> str:
    """By its label, else the row that is neither a person nor a date, else the forward's own without its prefix."""
    found = block.value("subject")
    if found:
        return found
    bare = PREFIX.sub("", subject, count=1).strip()
    others = [value for kind, value in block.rows if not kind and value and not ADDRESS.search(value)
              and not _has_date(value)]  # fmt: skip
    return bare if bare in others or not others else others[-1]
