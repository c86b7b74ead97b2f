"""Where a web address leads, read as browsers read it (https://url.spec.whatwg.org/).

Python's own codec ``idna`` is that of 2003: it makes "ss" of "ß", a name that may be somebody else's.  Browsers map by
Unicode's UTS 46 and keep the letters that changed their meaning since then.
"""

import re
import unicodedata
from urllib.parse import unquote

HOST_END = re.compile(r"[/?#\\]")
PORT = re.compile(r":\d*$")
KEPT = frozenset("ß\u03c2\u200c\u200d")
"""Sharp s, final sigma and the two joiners: names with them are names of their own since 2008."""
IGNORED = dict.fromkeys(
    (0xAD, 0x34F, *range(0x180B, 0x1810), 0x200B, 0x2060, 0x2064, *range(0xFE00, 0xFE10), 0xFEFF,
     *range(0xE0100, 0xE01F0))
)  # fmt: skip
"""Soft hyphen, spaces without width, variants of a letter's look: dropped from a name."""
OTHER_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
FORBIDDEN = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7f\ufffd]")
MAX_LABEL_CHARS = 63


def host_of(address: str) -> str:
    """The host in an http or https address, without user, password and port; as written, but for %-signs."""
    behind = address.partition("://")[2].lstrip("/\\")  # browsers take any number of slashes, leaning either way
    authority = HOST_END.split(behind, maxsplit=1)[0]
    return unquote(PORT.sub("", authority.rpartition("@")[2]))


def machine_name(host: str) -> str | None:
    """The name that is looked up, with ``xn--`` for what lies beyond ASCII; None for one no browser goes to."""
    if host.isascii():
        return host.lower()
    mapped = _mapped(host)
    if FORBIDDEN.search(mapped):
        return None
    labels = [_machine_label(label) for label in mapped.split(".")]
    return ".".join(labels) if all(len(label) <= MAX_LABEL_CHARS for label in labels) else None


def _mapped(host: str) -> str:
    """One way of writing for each name: no capitals, no wide or joined forms."""
    plain = unicodedata.normalize("NFKC", host.translate(OTHER_DOTS).translate(IGNORED))
    # One by one, for lower() would make the final sigma of a capital at a word's end.
    folded = "".join(_folded(char) for char in plain)
    return unicodedata.normalize("NFKC", folded)


def _folded(char: str) -> str:
    if char in KEPT:
        return char
    return "ß" if char == "\u1e9e" else char.casefold()


def _machine_label(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
