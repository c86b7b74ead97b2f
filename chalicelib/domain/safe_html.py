"""HTML of a customer made safe to show, and HTML of an agent made fit to send.

nh3 decides what is an element and what is an attribute; this module decides which of them stay and what their values
may be.  Its filter sees every value last, so nothing reaches the page that it did not write.  The page shows the result
in a sandboxed frame on top of that.

Removed: everything that runs, loads, asks for input, leaves its box or lies about where a link leads.
"""

import html as html_entities
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import nh3

from chalicelib.domain.hosts import machine_name
from chalicelib.domain.safe_style import safe_style
from chalicelib.domain.tangled import MAX_HTML_CHARS, is_tangled

MAX_DATA_URL_CHARS = 1_400_000
"""About 1 MB of picture."""
MAX_URL_CHARS = 4_000
MAX_LINK_CHARS = 20_000
"""How much of what a link shows is compared with where it leads."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BLOCKS = _words(
    "address article aside blockquote center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li "
    "main ol p pre section table tr ul"
)
INLINE = _words(
    "a abbr b bdi bdo big br cite code del dfn em font i img ins kbd mark q rp rt ruby s samp small span strike "
    "strong sub sup time tt u var wbr"
)
TABLE = _words("caption col colgroup tbody td tfoot th thead")
SHOWN_TAGS = BLOCKS | INLINE | TABLE
AGENT_TAGS = _words("a b blockquote br code div em i li ol p pre s strong u ul")
WITH_CONTENT = _words(
    "applet audio button canvas datalist embed frame frameset head iframe math noembed noframes noscript object "
    "option plaintext script select style svg template textarea title video xmp"
)
"""Removed with everything inside; of other unknown elements the words stay."""

EVERYWHERE = {"align", "dir", "lang", "style", "title"}
BOX = {"bgcolor", "height", "valign", "width"}
SHOWN_ATTRIBUTES: dict[str, set[str]] = {
    "*": EVERYWHERE,
    "a": {"href"},
    "img": {"alt", "border", "height", "hspace", "src", "vspace", "width"},
    "table": {"border", "cellpadding", "cellspacing", *BOX},
    **{tag: {"colspan", "nowrap", "rowspan", *BOX} for tag in ("td", "th")},
    **{tag: set(BOX) for tag in ("col", "colgroup", "tbody", "tfoot", "thead", "tr")},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
    "li": {"value"},
    "ul": {"type"},
}
SIZE = re.compile(r"\d{1,4}(\.\d{1,3})?(px|%)?")
WORD = re.compile(r"[#\w ,.'\"-]{1,100}")
VALUES: dict[str, re.Pattern[str]] = {
    "align": re.compile(r"[a-z]{1,10}", re.IGNORECASE),
    "valign": re.compile(r"[a-z]{1,10}", re.IGNORECASE),
    "dir": re.compile(r"ltr|rtl|auto", re.IGNORECASE),
    "lang": re.compile(r"[A-Za-z0-9-]{1,35}"),
    "colspan": re.compile(r"\d{1,3}"),
    "rowspan": re.compile(r"\d{1,4}"),
    "nowrap": re.compile(r"(nowrap)?", re.IGNORECASE),
    **dict.fromkeys(("border", "cellpadding", "cellspacing", "height", "hspace", "vspace", "width"), SIZE),
    **dict.fromkeys(("bgcolor", "color", "face", "size", "start", "type", "value"), WORD),
}
OF_LINKS = {"target": "_blank", "rel": "noopener noreferrer"}
FREE_TEXT = frozenset({"alt", "title"})

DATA_IMAGE = re.compile(r"data:image/(png|jpe?g|gif|webp|bmp);base64,[A-Za-z0-9+/=\s%]*", re.IGNORECASE)
WEB = re.compile(r"(https?):[/\\]*", re.IGNORECASE)
MAIL_OR_PHONE = re.compile(r"(mailto|tel):", re.IGNORECASE)
INVISIBLE = re.compile(r"[\x00-\x20\x7f\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")

ANCHOR = re.compile(r'<a(?: href="([^"]*)"| [a-z-]+="[^"]*")*>|</a>')
TAG = re.compile(r"<[^<>]*>")
LINE_END = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^<>]*>", re.IGNORECASE)
HIDDEN = re.compile(r"<(/?)(?:script|style|title)\b", re.IGNORECASE)
SHOWN_HOST = re.compile(
    r"(?:(?:https?|ftp)://|www\.)[^\s/<>\"'@]*|(?<![\w.-])(?:[\w-]+\.)+[a-z]{2,24}(?![\w-])", re.IGNORECASE
)
FILE_ENDINGS = frozenset(
    ["csv", "doc", "docx", "gif", "htm", "html", "jpeg", "jpg", "pdf", "png", "txt", "xls", "xlsx"]
)


@dataclass(frozen=True)
class SafeHtml:
    """``html`` is a fragment for the inside of a body.

    blocked_images: pictures from the web that were left out (ask again with ``remote_images``).
    missing_images: pictures that name a part the mail does not have.
    relabelled_links: links whose words named another place than they lead to; the true one now stands beside them.
    words_only: the mail was too tangled to show as it is; these are its words.
    """

    html: str
    blocked_images: int = 0
    missing_images: int = 0
    relabelled_links: int = 0
    words_only: bool = False


def safe_html(html: str, *, remote_images: bool, cid_url: Callable[[str], str | None]) -> SafeHtml:
    """What of a customer's HTML an agent's browser may get.

    Args:
        remote_images: load pictures from the web; False until the agent asks, for loading tells the sender.
        cid_url: where the picture with this Content-ID lies; None when the mail has none such.
    """
    if is_tangled(html):
        return SafeHtml(_as_paragraphs(_without_tags(html[:MAX_HTML_CHARS])), words_only=True)
    filtering = _Filter(remote_images, cid_url)
    clean = nh3.clean(
        html,
        tags=set(SHOWN_TAGS),
        clean_content_tags=set(WITH_CONTENT),
        attributes=SHOWN_ATTRIBUTES,
        attribute_filter=filtering,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel=OF_LINKS["rel"],
        set_tag_attribute_values={"a": {"target": OF_LINKS["target"]}},
        strip_comments=True,
    )
    labelled, relabelled = _with_true_links(clean)
    return SafeHtml(labelled, filtering.blocked, filtering.missing, relabelled)


def agent_html(html: str) -> str:
    """What of an agent's composer goes out: bold, italics, lists, links, quotes, line breaks."""
    if is_tangled(html):
        return _as_paragraphs(_without_tags(html[:MAX_HTML_CHARS]))
    return nh3.clean(
        html,
        tags=set(AGENT_TAGS),
        clean_content_tags=set(WITH_CONTENT),
        attributes={"a": {"href"}},
        attribute_filter=lambda tag, name, value: _href(value),
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
        strip_comments=True,
    )


# values


@dataclass
class _Filter:
    """nh3 asks it for every attribute it would keep; the answer is what stands on the page.  It must not raise."""

    remote_images: bool
    cid_url: Callable[[str], str | None]
    blocked: int = field(default=0, init=False)
    missing: int = field(default=0, init=False)

    def __call__(self, tag: str, name: str, value: str) -> str | None:
        if name == "style":
            return safe_style(value) or None
        if name == "href":
            return _href(value)
        if name == "src":  # nh3 asks for elements too that it then removes: those are no pictures to count
            return self._source(value) if tag == "img" else None
        if name in OF_LINKS:
            return OF_LINKS[name]
        if name in FREE_TEXT:
            return value[:500]
        allowed = VALUES.get(name)
        trimmed = value.strip()
        return trimmed if allowed is not None and allowed.fullmatch(trimmed) else None

    def _source(self, value: str) -> str | None:
        url = INVISIBLE.sub("", value)
        scheme = url.partition(":")[0].lower()
        if scheme == "cid":
            return self._part(url[4:])
        if scheme == "data":
            return url if len(url) <= MAX_DATA_URL_CHARS and DATA_IMAGE.fullmatch(url) else None
        remote = _web("https:" + url if url.startswith(("//", "\\\\")) else url)
        if remote is None:  # no scheme of the web: it would be read as an address of ours
            return None
        if self.remote_images:
            return remote
        self.blocked += 1
        return None

    def _part(self, content_id: str) -> str | None:
        found = self.cid_url(unquote(content_id).strip("<> "))
        self.missing += found is None
        return found


def _href(value: str) -> str | None:
    url = INVISIBLE.sub("", value) if not MAIL_OR_PHONE.match(value.strip()) else value.strip()
    if MAIL_OR_PHONE.match(url):
        return re.sub(r"[\x00-\x1f\x7f]", "", url)[:MAX_URL_CHARS]
    return _web(url)


def _web(url: str) -> str | None:
    """The URL as browsers read it: any slashes after the scheme, backslashes as slashes.  None for other schemes."""
    found = WEB.match(url)
    if found is None or len(url) > MAX_URL_CHARS:
        return None
    rest = url[found.end() :]
    place, mark, tail = _split_at(rest, "?#")
    return f"{found[1].lower()}://{place.replace(chr(92), '/')}{mark}{tail}" if place else None


def _split_at(text: str, marks: str) -> tuple[str, str, str]:
    at = next((position for position, letter in enumerate(text) if letter in marks), len(text))
    return text[:at], text[at : at + 1], text[at + 1 :]


# links


def _with_true_links(clean: str) -> tuple[str, int]:
    """Put the true target beside every link whose words name another.

    ``clean`` is nh3's own writing, so a pattern can read it: values stand in double quotes, every anchor is closed.
    Through a table one anchor can stand inside another; hence the stack.
    """
    written: list[str] = []
    opened: list[tuple[str, int]] = []
    relabelled = copied = 0
    for anchor in ANCHOR.finditer(clean):
        if anchor[0] != "</a>":
            opened.append((html_entities.unescape(anchor[1] or ""), anchor.end()))
            continue
        href, start = opened.pop() if opened else ("", anchor.start())
        truth = _misleading(_words_in(clean[start : min(anchor.start(), start + MAX_LINK_CHARS)]), href) if href else ""
        if truth:
            written += [clean[copied : anchor.end()], f'<small dir="ltr"> [{html_entities.escape(truth)}]</small>']
            copied = anchor.end()
            relabelled += 1
    return "".join((*written, clean[copied:])), relabelled


def _words_in(fragment: str) -> str:
    return html_entities.unescape(TAG.sub("", fragment))


def _misleading(words: str, href: str) -> str:
    """Where the link really goes, when its words name a place and it is another; else ""."""
    shown = [host for match in SHOWN_HOST.findall(INVISIBLE.sub(" ", words)[:2_000]) if (host := _host_in(match))]
    target = _target(href)
    if "@" in _netloc(href) and WEB.match(href):
        return target  # https://bank.example@evil.example
    differing = [host for host in shown if not _same_place(host, target)]
    return target if differing else ""


def _host_in(text: str) -> str:
    """The host that a piece of visible text names, "" for a file name."""
    bare = re.sub(r"^(?:https?|ftp)://", "", text, flags=re.IGNORECASE).partition(":")[0].lower().rstrip(".,;!?)")
    return "" if bare.rpartition(".")[2] in FILE_ENDINGS or "." not in bare else bare.removeprefix("www.")


def _target(href: str) -> str:
    if href.lower().startswith("mailto:"):
        return unquote(href[7:].partition("?")[0]).rpartition("@")[2].lower()
    if href.lower().startswith("tel:"):
        return href[4:]
    place = _netloc(href).rpartition("@")[2]
    if place.isascii():
        return place.lower()
    host, colon, port = place.partition(":")
    return f"{machine_name(host) or host}{colon}{port}"  # a look-alike letter shows as xn--…


def _netloc(href: str) -> str:
    """The authority of a URL, "" where it cannot be read."""
    try:
        return urlsplit(href).netloc
    except ValueError:
        return href.partition("://")[2].partition("/")[0]


def _same_place(shown: str, target: str) -> bool:
    place = target.partition(":")[0].removeprefix("www.")
    return place == shown or place.endswith(f".{shown}") or shown == target


def _without_tags(html: str) -> str:
    """The words, line by line.  No pattern here may look further than the next bracket: the input is hostile."""
    pieces = HIDDEN.split(html)
    shown = [pieces[0], *(piece for mark, piece in zip(pieces[1::2], pieces[2::2], strict=True) if mark == "/")]
    return html_entities.unescape(TAG.sub(" ", LINE_END.sub("\n", "<".join(shown))))


def _as_paragraphs(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "".join(f"<p>{html_entities.escape(line)}</p>" for line in lines if line)
