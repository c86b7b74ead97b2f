"""HTML that no parser should be given: parsers take time that grows with the square of the nesting."""

import re

MAX_HTML_CHARS = 3_000_000
MAX_DEPTH = 400
MAX_DISORDER = 3_000
"""HTML parsers take time that grows with the square of the nesting; beyond these we show the words only."""
MAX_ENTITIES = 200_000
MAX_OPEN_ENTITIES = 20_000
"""Without their semicolon: of these, twice as many take four times as long."""
OPEN_ENTITY = re.compile(r"&(?!#?[0-9A-Za-z]{1,32};)")
MAX_TAG_CHARS = 3_000
"""Of one tag, values aside: some hundreds of attributes."""


def is_tangled(html: str) -> bool:
    """Would parsing this take more than moments?  Errs towards yes; real mail nests some 50 deep."""
    entities = html.count("&")
    if len(html) > MAX_HTML_CHARS or entities > MAX_ENTITIES:
        return True
    if entities > MAX_OPEN_ENTITIES and len(OPEN_ENTITY.findall(html)) > MAX_OPEN_ENTITIES:
        return True
    return len(html) > MAX_TAG_CHARS and _Nesting().measure(html)


class _Nesting:
    """An estimate, in one pass, of how deep a parser would have to go and how often it would have to repair.

    It reads tags, quotes and comments roughly as HTML does; what looks like a tag where there should be none counts as
    disorder, so hiding tags from this estimate does not help.
    """

    MARK = re.compile(r"<!---?>|<!--|--!?>|<(/?)([a-zA-Z][^\s/>\"']{0,60})|[\"'>]")
    LEAVES = frozenset(
        re.split(
            r"\s+",
            "area base br col embed hr img input link meta param source track wbr "
            "dd dt li option p tbody td tfoot th thead tr",
        )
    )
    """Empty elements, and those that end without being told to: they hardly nest by themselves."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.disorder = 0
        self.inside = ""  # "<" a tag, a quotation mark a value, "!" a comment
        self.tag_chars = 0
        self.read_to = 0

    def measure(self, html: str) -> bool:
        for mark in self.MARK.finditer(html):
            self._count_tag(mark.start(), mark.end())
            self._read(mark[0], mark[1] == "/", (mark[2] or "").lower())
            if len(self.open) > MAX_DEPTH or self.disorder > MAX_DISORDER or self.tag_chars > MAX_TAG_CHARS:
                return True
        return self.inside == "<" and len(html) - self.read_to > MAX_TAG_CHARS

    def _count_tag(self, start: int, end: int) -> None:
        """How much of the tag we are in stands outside of quoted values."""
        if self.inside == "<":
            self.tag_chars += start - self.read_to
        elif self.inside not in {'"', "'"}:
            self.tag_chars = 0
        self.read_to = end

    def _read(self, mark: str, closes: bool, name: str) -> None:
        if self.inside == "!":
            self.inside = "" if mark in {"-->", "--!>"} else "!"
        elif self.inside:
            self.disorder += bool(name)
            if self.inside == "<":
                self.inside = {">": "", '"': '"', "'": "'"}.get(mark, "<")
            elif mark == self.inside:
                self.inside = "<"
        elif name:
            self.inside = "<"
            if name not in self.LEAVES:
                self._close(name) if closes else self.open.append(name)
        elif mark == "<!--":
            self.inside = "!"

    def _close(self, name: str) -> None:
        if self.open and self.open[-1] == name:
            self.open.pop()
            return
        self.disorder += 1
        if name in self.open[-20:]:
            while self.open.pop() != name:
                pass
