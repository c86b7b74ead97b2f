"""An agent's HTML as the plain text that goes beside it in the mail."""

import re
from html.parser import HTMLParser

BLOCKS = frozenset({"p", "div", "blockquote", "ul", "ol", "pre", "table", "h1", "h2", "h3", "h4", "h5", "h6"})
LINES = frozenset({"li", "tr"})
SILENT = frozenset({"script", "style", "title", "head"})
SPACED = frozenset({"p", "blockquote", "ul", "ol", "pre", "table"})


def text_of(html: str) -> str:
    """Words, line breaks, ``- `` and ``1. `` before list items, ``> `` before quotes, addresses after links."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return writer.text()


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.line = ""
        self.quotes = 0
        self.lists: list[int | None] = []
        self.link = ""
        self.link_from = 0
        self.silent = 0
        self.preformatted = 0

    def text(self) -> str:
        self._end_line()
        joined = "\n".join(line.rstrip() for line in self.lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self.silent += 1
        elif tag == "br":
            self._end_line(even_empty=True)
        elif tag in BLOCKS or tag in LINES:
            self._begin_block(tag)
        elif tag == "a":
            self.link, self.link_from = dict(attrs).get("href") or "", len(self.line)

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag == "a" and self.link:
            self._end_link()
        elif tag in BLOCKS or tag in LINES:
            self._end_block(tag)

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        if self.preformatted:
            first, *others = data.split("\n")
            self.line += first
            for other in others:
                self._end_line(even_empty=True)
                self.line = other
            return
        words = re.sub(r"\s+", " ", data)
        self.line += words.lstrip() if not self.line or self.line.endswith(" ") else words

    def _begin_block(self, tag: str) -> None:
        self._end_line()
        if tag in SPACED and not (tag in {"ul", "ol"} and self.lists):
            self._blank_line()
        if tag == "blockquote":
            self.quotes += 1
        elif tag in {"ul", "ol"}:
            self.lists.append(0 if tag == "ol" else None)
        elif tag == "pre":
            self.preformatted += 1
        elif tag == "li":
            self.line = self._bullet()

    def _end_block(self, tag: str) -> None:
        self._end_line()
        if tag == "blockquote":
            self.quotes = max(0, self.quotes - 1)
        elif tag in {"ul", "ol"} and self.lists:
            self.lists.pop()
        elif tag == "pre":
            self.preformatted = max(0, self.preformatted - 1)
        if tag in SPACED and not self.lists:
            self._blank_line()

    def _bullet(self) -> str:
        indent = "  " * max(0, len(self.lists) - 1)
        if not self.lists or self.lists[-1] is None:
            return f"{indent}- "
        self.lists[-1] += 1
        return f"{indent}{self.lists[-1]}. "

    def _end_link(self) -> None:
        shown = self.line[self.link_from :].strip()
        target = self.link.removeprefix("mailto:").removeprefix("tel:")
        if shown.rstrip("/") not in {target.rstrip("/"), re.sub(r"^https?://", "", target).rstrip("/")}:
            self.line += f" <{target}>"
        self.link = ""

    def _end_line(self, even_empty: bool = False) -> None:
        if self.line.strip() or even_empty:
            self.lines.append("> " * self.quotes + self.line)
        self.line = ""

    def _blank_line(self) -> None:
        """One between two blocks, quoted no deeper than the shallower of them."""
        blank = ("> " * self.quotes).rstrip()
        if self.lines and not self.lines[-1].strip("> "):
            self.lines[-1] = blank
        elif self.lines:
            self.lines.append(blank)
