"""A raw mail as a tree of parts, in bounded time and memory.

Parts are ranges of one buffer, so nesting copies nothing.  The standard library's parser is not used: it holds a mail
several times over as text, and its time grows with lines times depth.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from chalicelib.connectors.email.transfer import decode_transfer, plausible_base64
from chalicelib.connectors.email.words import header_text, parameters

MAX_MAIL_BYTES = 40_000_000
MAX_PARTS = 1_000
MAX_DEPTH = 50
MAX_HEADER_BYTES = 1_000_000
MAX_VALUE_BYTES = 100_000
MAX_CPU_SECONDS = 5.0
LOOK_AHEAD_BYTES = 2_000
LOOK_UP_EVERY = 4_096

HEADER = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
MAILBOX_LINE = re.compile(rb">?From (?![ \t]*:)")
WELL_KNOWN = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]+|received|reply-to|return-path|references"
    rb"|in-reply-to|x-[a-z0-9-]+)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
LEADING_BLANKS = re.compile(rb"[ \t\r\n]*")
BLANK_LINE = re.compile(rb"\n[ \t]*\r*\n")
GUESSED_BOUNDARY = re.compile(
    rb"^--([^\s-][^\r\n]{0,99}?|-{1,99}[^\r\n]{1,99}?)[ \t]*\r?\n(?:[!-9;-~]{1,99}:|\r?\n)", re.MULTILINE
)


class Budget:
    """What one mail may still cost, and the sentences the agent is shown about what was left out."""

    def __init__(self, cpu_seconds: float = MAX_CPU_SECONDS) -> None:
        self._deadline = time.thread_time() + cpu_seconds
        self._parts = 0
        self._notes: dict[str, None] = {}

    def note(self, sentence: str) -> None:
        self._notes[sentence] = None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def spent(self) -> bool:
        """True when the time is used up; says so once."""
        if time.thread_time() <= self._deadline:
            return False
        self.note("This mail took too long to read. Open the original for the rest.")
        return True

    def another_part(self) -> bool:
        """Count a part; False when there are too many."""
        self._parts += 1
        if self._parts <= MAX_PARTS:
            return not self.spent()
        self.note(f"This mail has more than {MAX_PARTS:,} parts. Open the original for the rest.")
        return False

    def within_depth(self, depth: int) -> bool:
        if depth <= MAX_DEPTH:
            return True
        self.note(f"This mail is nested more than {MAX_DEPTH} levels deep. Open the original for the rest.")
        return False


@dataclass(frozen=True)
class Part:
    """One entity.  ``start`` and ``end`` bound its body in ``source``; names of ``fields`` are lower case."""

    fields: tuple[tuple[str, bytes], ...]
    source: bytes = field(repr=False)
    start: int
    end: int
    content_type: str
    type_parameters: Mapping[str, str]
    encoding: str
    disposition: str
    disposition_parameters: Mapping[str, str]
    children: tuple["Part", ...] = ()

    def first(self, name: str) -> bytes:
        """The first value of a header, b"" when there is none."""
        return next((value for field_name, value in self.fields if field_name == name), b"")

    def all(self, name: str) -> tuple[bytes, ...]:
        return tuple(value for field_name, value in self.fields if field_name == name)

    def has(self, name: str) -> bool:
        return any(field_name == name for field_name, _ in self.fields)

    def text_of(self, name: str) -> str:
        """A header's value as people read it."""
        return header_text(self.first(name), self.charset_hint)

    @property
    def charset_hint(self) -> str:
        """What raw 8-bit headers are probably written in: the charset of the first text."""
        part = self
        for _ in range(MAX_DEPTH):
            if "charset" in part.type_parameters or not part.children:
                break
            part = part.children[0]
        return part.type_parameters.get("charset", "")

    @property
    def maintype(self) -> str:
        return self.content_type.partition("/")[0]

    @property
    def raw_body(self) -> bytes:
        return self.source[self.start : self.end]

    @property
    def data(self) -> bytes:
        """The body with its transfer encoding undone."""
        return decode_transfer(self.raw_body, self.encoding, is_text=self.maintype == "text")

    @property
    def file_name(self) -> str:
        """As given, not yet safe; "" when the part has no name."""
        return self.disposition_parameters.get("filename") or self.type_parameters.get("name") or ""

    def walk(self) -> Iterator["Part"]:
        """This part and everything below it, not looking into attached mails."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))


def read_tree(raw: bytes, budget: Budget, depth: int = 0) -> Part:
    """The tree of a whole mail, of an attached one, or of an entity that was unpacked."""
    position = 0
    if raw.startswith(b"\xef\xbb\xbf"):
        position = 3
    position = LEADING_BLANKS.match(raw, position).end()  # type: ignore[union-attr]  # it matches nothing, too
    while MAILBOX_LINE.match(raw, position):
        position = _line_end(raw, position, len(raw))
    return _part(raw, position, len(raw), budget, depth, "text/plain")


def _part(source: bytes, start: int, end: int, budget: Budget, depth: int, default_type: str) -> Part:
    fields, body = _read_fields(source, start, end, budget)
    values = dict(reversed(fields))
    content_type, type_parameters = parameters(values.get("content-type", b""))
    if not re.fullmatch(r"[^/\s]+/[^/\s]+", content_type):
        content_type = default_type if not content_type else "text/plain"
    disposition, disposition_parameters = parameters(values.get("content-disposition", b""))
    encoding = re.split(r"[\s;(]", header_text(values.get("content-transfer-encoding", b"")).strip("'\" ").lower())[0]
    part = Part(
        tuple(fields), source, body, end, content_type, type_parameters, encoding.strip("'\""), disposition,
        disposition_parameters,
    )  # fmt: skip
    if part.maintype != "multipart":
        return part
    return _with_children(part, budget, depth)


def _with_children(part: Part, budget: Budget, depth: int) -> Part:
    if not budget.within_depth(depth + 1):
        return _as_type(part, "application/octet-stream")
    source, start, end = part.source, part.start, part.end
    if part.encoding == "base64" and plausible_base64(part.raw_body):
        source = part.data  # forbidden by RFC 2045, 6.4, and sent nevertheless
        start, end = 0, len(source)
    ranges = _ranges(source, start, end, part.type_parameters.get("boundary", ""), budget)
    if ranges is None:
        return _as_type(part, "text/plain")
    default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    children: list[Part] = []
    for first, last in ranges:
        if not budget.another_part():
            break
        children.append(_part(source, first, last, budget, depth + 1, default))
    return Part(
        part.fields, source, start, end, part.content_type, part.type_parameters, "", part.disposition,
        part.disposition_parameters, tuple(children),
    )  # fmt: skip


def _as_type(part: Part, content_type: str) -> Part:
    return Part(
        part.fields, part.source, part.start, part.end, content_type, part.type_parameters, part.encoding,
        part.disposition, part.disposition_parameters,
    )  # fmt: skip


def _ranges(source: bytes, start: int, end: int, boundary: str, budget: Budget) -> Iterator[tuple[int, int]] | None:
    """Where each part begins and ends; None when no boundary line can be found at all."""
    mark = b"--" + boundary.encode("utf-8", "replace")
    if not boundary or next(_delimiters(source, start, end, mark, budget), None) is None:
        guessed = GUESSED_BOUNDARY.search(source, start, min(end, start + 100_000))
        if guessed is None:
            return None
        mark = b"--" + guessed[1]
    return _between(source, start, end, mark, budget)


def _between(source: bytes, start: int, end: int, mark: bytes, budget: Budget) -> Iterator[tuple[int, int]]:
    opened = -1
    for line, after, closes in _delimiters(source, start, end, mark, budget):
        if opened >= 0:
            yield opened, max(opened, _before_break(source, line))
        opened = -1 if closes else after
        if closes:
            break
    if opened >= 0 and opened < end:
        yield opened, end  # the last part was never closed


def _delimiters(source: bytes, start: int, end: int, mark: bytes, budget: Budget) -> Iterator[tuple[int, int, bool]]:
    """(start of the line, start of the next line, is it the closing one) of each boundary line."""
    seen = 0
    position = source.find(mark, start, end)
    while position >= 0:
        seen += 1
        if seen % LOOK_UP_EVERY == 0 and budget.spent():
            return
        after = _line_end(source, position, end)
        tail = source[position + len(mark) : min(after, position + len(mark) + 200)]
        rest = tail.strip()
        at_line_start = position == start or source[position - 1] in b"\r\n"
        if at_line_start and rest in (b"", b"--"):
            yield position, after, rest == b"--"
        position = source.find(mark, max(position + 2, after if at_line_start else position + 2), end)


def _before_break(source: bytes, line: int) -> int:
    """The line break before a boundary belongs to the boundary."""
    if source[line - 1 : line] == b"\n":
        line -= 1
    if source[line - 1 : line] == b"\r":
        line -= 1
    return line


def _line_end(source: bytes, position: int, end: int) -> int:
    found = source.find(b"\n", position, end)
    return end if found < 0 else found + 1


def _read_fields(source: bytes, start: int, end: int, budget: Budget) -> tuple[list[tuple[str, bytes]], int]:
    """(fields, start of the body).

    A line that is no header ends the section, unless well-known headers follow before a blank line: then somebody
    broke a long header without indenting it.
    """
    fields: list[tuple[str, bytearray]] = []
    position = start
    while position < end:
        after = _line_end(source, position, end)
        line = source[position : min(after, position + MAX_VALUE_BYTES)].rstrip(b"\r\n")
        if not line or (not line.strip() and not HEADER.match(source, after)):
            position = after
            break
        if position - start <= MAX_HEADER_BYTES:
            found = HEADER.match(line)
            if line[:1] in b" \t" and fields:
                _append(fields[-1][1], b"\n" + line)
            elif found is not None:
                fields.append((found[1].decode("ascii").lower(), bytearray(line[found.end() :])))
            elif fields and _headers_follow(source, after, end):
                _append(fields[-1][1], b" " + line)
            else:
                break
        else:
            budget.note("The headers of this mail are larger than 1 MB. Open the original for the rest.")
            blank = BLANK_LINE.search(source, position, end)
            position = blank.end() if blank else end
            break
        if after - position > MAX_HEADER_BYTES:
            budget.note("The headers of this mail are larger than 1 MB. Open the original for the rest.")
            start += after - position  # the endless line is cut; those after it still count
        position = after
    return [(name, bytes(value)) for name, value in fields], position


def _append(value: bytearray, more: bytes) -> None:
    if len(value) < MAX_VALUE_BYTES:
        value += more


def _headers_follow(source: bytes, position: int, end: int) -> bool:
    ahead = source[position : min(end, position + LOOK_AHEAD_BYTES)]
    blank = BLANK_LINE.search(ahead)
    return bool(WELL_KNOWN.search(ahead[: blank.start() + 1] if blank else ahead))
