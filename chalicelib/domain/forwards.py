"""Whose mail was forwarded: read from the block of labels that every client puts above it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.quote_words import FORWARD_PREFIXES, REPLY_PREFIXES
from chalicelib.domain.quoting import (
    ADDRESS,
    BIDI,
    IS_FORWARDED,
    IS_ORIGINAL,
    MAX_EXAMINED_LINES,
    MAX_LINE_CHARS,
    RULE,
    Block,
    Piece,
    block_at,
    has_date,
    introduction,
    lines_of,
)

PREFIX = re.compile(r"^\s*\[?([^\s:：\]\[]{1,20}(?:\s[^\s:：]{1,12})?)\s?(?:\[\d+\])?\s?[:：]\]?\s*")
GLUED = re.compile(r"(?<=\S)(?=(?:From|To|Sent|Cc|Subject|Date):\s)")


@dataclass(frozen=True)
class Forwarded:
    """The original of a forwarded mail.  ``from_address`` is "" when the client showed only a name."""

    from_address: str
    from_name: str
    subject: str


def forwarded(text: str, subject: str) -> Forwarded | None:
    """The mail that this one passes on; None for replies and for mail that only talks about another.

    ``subject`` is the forwarding mail's: its prefix tells a forward from a reply where the text looks the same.
    """
    lines = _unglued([line.translate(BIDI) for line in lines_of(text)])
    pieces = [Piece.NEW] * len(lines)
    examined = 0
    for index, line in enumerate(lines):
        if not line[:MAX_LINE_CHARS].strip():
            continue
        examined += 1
        if examined > MAX_EXAMINED_LINES:
            return None
        block = block_at(lines, index)
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
    intro = introduction(lines, pieces, index)
    return intro is not None and intro[1]


def _is_forward(lines: Sequence[str], index: int, block: Block, subject: str) -> bool:
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


def _original(block: Block, subject: str) -> Forwarded:
    sender = block.value("from") or next((value for _, value in block.rows if ADDRESS.search(value)), "")
    address = ADDRESS.search(sender)
    name = re.split(r"[<\[(]", sender)[0].strip(" \"'") if address else sender.strip(" \"'")
    return Forwarded(
        address[0].removeprefix("mailto:").rstrip(".") if address else "",
        "" if address and name == address[0] else name,
        _original_subject(block, subject),
    )


def _original_subject(block: Block, subject: str) -> str:
    """By its label, else the row that is neither a person nor a date, else the forward's own without its prefix."""
    found = block.value("subject")
    if found:
        return found
    bare = PREFIX.sub("", subject, count=1).strip()
    others = [value for kind, value in block.rows if not kind and value and not ADDRESS.search(value)
              and not has_date(value)]  # fmt: skip
    return bare if bare in others or not others else others[-1]
