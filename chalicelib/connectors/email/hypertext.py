"""HTML of mails to text, and the marks by which known clients fence off what they quote.

Quoted blocks come out with "> " before each line, so that ``domain.text`` sees them like any plain quote.
"""

import re
from dataclasses import dataclass, field
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_HTML_CHARS = 3_000_000
MAX_TAGS = 100_000
MAX_TAGS_UNSEEN = 300
MAX_TAG_CHARS = 3_000  # it compares every attribute of an element with all before it; values do not count
MAX_OPEN_TAGS = 1_000  # the parser's time grows with the square of the nesting
MAX_OPEN_FORMATS = 60  # it copies every open <font> into every following block

SKIPPED = frozenset({"head", "title", "style", "script", "template", "-comment", "noscript", "svg", "math", "object"})
PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "pre", "blockquote"})
BLOCKS = frozenset({"div", "table", "tr", "section", "article", "header", "footer", "address", "center", "form", "hr",
                    "dt", "dd", "fieldset", "figure", "main", "nav", "body", "caption", "li"}) | PARAGRAPHS  # fmt: skip
CELLS = frozenset({"td", "th"})
FORMATS = frozenset({"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"})
VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "area", "base", "wbr", "source"})

QUOTE_CLASSES = frozenset(
    {"gmail_quote", "gmail_quote_container", "gmail_attr", "yahoo_quoted", "protonmail_quote",
     "tutanota_quote", "moz-cite-prefix", "moz-forward-container", "zmail_extra", "outlookmessageheader",
     "mail_quote", "mailru-blockquote", "ms-outlook-mobile-reference-message", "skiff_quote", "hmmessage_quote"}
)  # fmt: skip
SIGNATURE_CLASSES = frozenset(
    {"gmail_signature", "gmail_signature_prefix", "moz-signature", "protonmail_signature_block", "tutanota_signature",
     "ms-outlook-mobile-signature"}
)  # fmt: skip
QUOTE_IDS = re.compile(r"^(?:x_)*(?:yahoo_quoted|isreplycontent|reply-intro|ms-outlook-mobile-reference|qt$)", re.I)
QUOTE_FROM_HERE = re.compile(
    r"^(?:x_)*(?:divrplyfwdmsg|appendonsend|olk_src_body_section|mail-editor-reference-message-container)", re.I
)
OUTLOOK_BORDER = re.compile(r"border-top:\s*solid\s+(?:#e1e1e1|#b5c4df|windowtext)\s+[\d.]+pt", re.I)
HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden", re.I)
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u2060\ufeff\u00ad\u034f"))
WHITE = re.compile(r"[ \t\r\n\f\xa0]+")
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)")
WHOLE_TAG = re.compile(r"""<[a-zA-Z](?:[^"'>]++|"[^"]*+"|'[^']*+')*+""")
QUOTED = re.compile(r""""[^"]*+"|'[^']*+'""")
LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class ReadHtml:
    """text: everything, quotes marked with ">".  new: without what the client's marks fence off; None without marks."""

    text: str
    new: str | None


@dataclass
class _Line:
    text: str
    depth: int
    quoted: bool


@dataclass
class _Page:
    """Lines under construction.  ``gap`` is how many blank lines are due before the next words."""

    lines: list[_Line] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    gap: int = 0
    depth: int = 0
    quoted: bool = False
    marked: bool = False
    lasting: bool = False
    """The quote goes on to the end of the mail, whatever closes before."""
    line_quoted: bool = False
    line_depth: int = 0
    pre: int = 0

    def say(self, text: str) -> None:
        text = text.translate(INVISIBLE)
        if self.pre:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self._add(first)
            for line in rest:
                self.break_line()
                self._add(line)
            return
        self._add(WHITE.sub(" ", text))

    def _add(self, text: str) -> None:
        if not text or (not self.words and not self.pre and text == " "):
            return
        if not self.words:
            self.line_quoted, self.line_depth = self.quoted, self.depth
        if text.startswith(" ") and self.words and self.words[-1].endswith(" ") and not self.pre:
            text = text[1:]
        self.words.append(text)

    def break_line(self) -> None:
        """End the line; an empty one counts as a blank line."""
        if not self.end_line():
            self.lines.append(_Line("", self.depth, self.quoted))

    def end_line(self) -> bool:
        text = "".join(self.words).rstrip() if self.pre else "".join(self.words).strip()
        self.words.clear()
        if not text:
            return False
        if self.gap and self.lines and self.lines[-1].text:
            self.lines.append(_Line("", min(self.line_depth, self.lines[-1].depth), self.line_quoted))
        self.gap = 0
        self.lines.append(_Line(text, self.line_depth, self.line_quoted))
        return True


def read_html(html: str) -> ReadHtml:
    """Never raises; beyond limits the tags are cut out without building a tree."""
    html = html[:MAX_HTML_CHARS].replace("\0", "")
    if _too_tangled(html):
        return ReadHtml(_without_tags(html), None)
    body = LexborHTMLParser(html).body
    if body is None:
        return ReadHtml(_without_tags(html), None)
    page = _Page()
    _read(body, page)
    page.end_line()
    text = _joined([("> " * line.depth + line.text).rstrip() if line.depth else line.text for line in page.lines])
    if not page.marked:
        return ReadHtml(text, None)
    return ReadHtml(text, _joined(_new_lines(page.lines)))


def _new_lines(lines: list[_Line]) -> list[str]:
    """Lines that no mark fences off, one blank line where something was taken out between them."""
    kept: list[str] = []
    gap = False
    for line in lines:
        if line.quoted:
            gap = True
            continue
        if gap and kept and kept[-1] and line.text:
            kept.append("")
        gap = False
        kept.append(line.text)
    return kept


def _joined(lines: list[str]) -> str:
    text = "\n".join(lines)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n")


def _too_tangled(html: str) -> bool:
    if any(len(tag) > MAX_TAG_CHARS < len(QUOTED.sub("", tag)) for tag in WHOLE_TAG.findall(html)):
        return True
    tags = html.count("<")
    if not MAX_TAGS_UNSEEN <= tags <= MAX_TAGS:
        return tags > MAX_TAGS
    depth = formats = 0
    for closing, name in TAG.findall(html):
        tag = name.lower()
        step = -1 if closing else 1
        if tag in FORMATS:
            formats = max(0, formats + step)
        elif tag not in VOID and tag not in ("p", "li", "tr", "td", "th", "tbody", "option", "dt", "dd"):
            depth = max(0, depth + step)
        if depth > MAX_OPEN_TAGS or formats > MAX_OPEN_FORMATS:
            return True
    return False


def _without_tags(html: str) -> str:
    html = re.sub(r"<(style|script|head)\b.*?(?:</\1\s*>|$)", " ", html, flags=re.I | re.S)
    html = re.sub(r"<(?:br|/p|/div|/tr|/li)\b[^<>]{0,2000}>", "\n", html, flags=re.I)
    text = unescape(re.sub(r"<[^<>]{0,20000}>", "", html)).translate(INVISIBLE)
    lines = (WHITE.sub(" ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _read(body: LexborNode, page: _Page) -> None:
    """Walk the tree without recursion: enter a node, its children, leave it."""
    node: LexborNode | None = body
    leaving: list[tuple[LexborNode, _Restore]] = []
    while node is not None:
        below = _enter(node, page, leaving)
        following = below if below is not None else node.next
        while following is None and leaving:
            parent, restore = leaving.pop()
            _leave(parent, page, restore)
            following = parent.next if leaving else None
        node = following


@dataclass(frozen=True)
class _Restore:
    """What held before an element, to hold again after it."""

    quoted: bool
    depth: int
    tag: str


def _enter(node: LexborNode, page: _Page, leaving: list[tuple[LexborNode, _Restore]]) -> LexborNode | None:
    """Say what this node says and return its first child, or None when there is nothing to go into."""
    tag = node.tag or ""
    if tag == "-text":
        page.say(node.text_content or "")
        return None
    if tag == "br":
        page.break_line()
        return None
    if tag in SKIPPED:
        return None
    attributes = node.attributes
    if HIDDEN.search(attributes.get("style") or ""):
        return None
    restore = _Restore(page.quoted, page.depth, tag)
    _open_block(tag, page)
    _mark_quote(node, tag, attributes, page)
    if tag == "blockquote":
        page.depth += 1
    if tag == "li":
        page.say("- ")
    child = node.child
    if child is None:
        _leave(node, page, restore)
        return None
    leaving.append((node, restore))
    return child


def _leave(node: LexborNode, page: _Page, restore: _Restore) -> None:
    tag = restore.tag
    _close_block(tag, page)
    page.depth = restore.depth
    if not page.lasting:
        page.quoted = restore.quoted and not _ends_gmail_quote(node, restore)


def _ends_gmail_quote(node: LexborNode, restore: _Restore) -> bool:
    """After Gmail's inner blockquote the rest of its quote block is an answer, not a quote."""
    return restore.tag == "blockquote" and restore.depth == 0 and "gmail_quote" in _names(node.attributes)


def _open_block(tag: str, page: _Page) -> None:
    if tag in BLOCKS:
        page.end_line()
    if tag in PARAGRAPHS:
        page.gap = 1
    if tag in CELLS and page.words:
        page.say(" ")
    if tag == "pre":
        page.pre += 1


def _close_block(tag: str, page: _Page) -> None:
    if tag in BLOCKS:
        page.end_line()
    if tag in PARAGRAPHS:
        page.gap = 1
    if tag == "pre":
        page.pre -= 1


def _names(attributes: dict[str, str | None]) -> set[str]:
    """Class names; Outlook puts "x_" before those of others."""
    return {re.sub(r"^(?:x_)+", "", name) for name in (attributes.get("class") or "").lower().split()}


def _mark_quote(node: LexborNode, tag: str, attributes: dict[str, str | None], page: _Page) -> None:
    """Note that a quote or a signature begins here."""
    if page.quoted or not (attributes or tag == "blockquote"):
        return
    names = _names(attributes)
    identifier = attributes.get("id") or ""
    if QUOTE_FROM_HERE.match(identifier) or _is_outlook_border(node, attributes):
        page.quoted = page.marked = page.lasting = True
        return
    cited = tag == "blockquote" and (attributes.get("type") or "").lower() == "cite"
    fenced = names & QUOTE_CLASSES or (attributes.get("name") or "").lower() == "quote"
    if cited or fenced or names & SIGNATURE_CLASSES or QUOTE_IDS.match(identifier):
        page.quoted = page.marked = True
    elif tag == "blockquote":
        page.quoted = True  # somebody's own indentation, or a client we do not know: ">" says it well enough


def _is_outlook_border(node: LexborNode, attributes: dict[str, str | None]) -> bool:
    """Outlook draws a line above "From: … Sent: …"; people draw lines too, without two labels below."""
    if not OUTLOOK_BORDER.search(attributes.get("style") or ""):
        return False
    text = node.text(deep=True)[:2_000]
    return text.count(":") >= 2 and LETTERS.search(text) is not None
