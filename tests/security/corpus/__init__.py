"""Hostile mail of our own composing: written vectors, and vectors made of a kind and a place.

A vector is data with four words to fill in: ``$RUN`` a call that tells us that a script ran, ``$URL`` and ``$HOST`` a
server that tells us what was fetched (every vector has a host name of its own), ``$NAME`` a name that nobody knows,
``$ID`` the vector's number.  ``$ENT[…]``,
``$HEX[…]``, ``$PCT[…]`` and ``$B64[…]`` write what stands in the brackets as entities, per cent or base 64.
"""

import base64
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

HERE = Path(__file__).parent
RAN = re.compile(r"/ran(\d+)/")
HOST = re.compile(r"\bv(\d+)\.(?:localhost|unknown\.example)\b")
WRITTEN = ("script", "foreign", "mutation", "load", "clobber")
ENCODED = re.compile(r"\$(ENT|HEX|PCT|B64)\[((?:[^\[\]]|\[[^\]]*\])*)\]")
WAYS: dict[str, Callable[[str], str]] = {
    "ENT": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "HEX": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    "PCT": lambda text: quote(text, safe=""),
    "B64": lambda text: base64.b64encode(text.encode()).decode(),
}
DEPTHS = (10, 100, 390, 600, 5_000)
DEEP = ("div", "b", "a", "font", "blockquote", "table><tr><td", "svg", "math", "ul><li", "form")


@dataclass(frozen=True)
class Vector:
    """``template`` is HTML of a mail, or words for a field; ``made``: by a generator, of a kind and a place."""

    number: int
    kind: str
    template: str
    made: bool = False

    @property
    def host(self) -> str:
        return f"v{self.number}.localhost"

    def filled(self, port: int, template: str = "") -> str:
        """The vector for a watching server on ``port``."""
        text = template or self.template
        for word, value in (
            ("$URL", f"http://{self.host}:{port}"),
            ("$NAME", f"v{self.number}.unknown.example"),
            ("$HOST", f"{self.host}:{port}"),
            ("$RUN", f"console.log(/ran{self.number}/)"),
            ("$ID", str(self.number)),
        ):
            text = text.replace(word, value)
        return ENCODED.sub(lambda found: WAYS[found[1]](found[2]), text)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))


def _written() -> Iterator[tuple[str, str, bool]]:
    for name in WRITTEN:
        found = _read(name)
        yield from ((found["kind"], each, False) for each in found["vectors"])


def _handlers() -> Iterator[tuple[str, str, bool]]:
    """Every event's name once, in turn in each way to write an attribute."""
    found = _read("handlers")
    yield from (("handler", each, False) for each in found["self_firing"])
    for name, syntax in zip(found["names"].split(), cycle(found["syntaxes"]), strict=False):
        yield "handler", syntax.replace("{on}", name), True


def _urls() -> Iterator[tuple[str, str, bool]]:
    """Every spelling in every place."""
    found = _read("urls")
    for place in found["places"]:
        yield from (("url", place.replace("{url}", spelling), True) for spelling in found["spellings"])


def _styles() -> Iterator[tuple[str, str, bool]]:
    """Every way to write an address for ``background`` and ``list-style``, and in turn for every other property."""
    found = _read("css")
    yield from (("css", each, False) for each in found["inline"])
    names, spellings = found["properties"].split(), found["spellings"]
    pairs = [(name, spelling) for name in names[:1] for spelling in spellings]
    pairs += [(name, spellings[(n + step) % len(spellings)]) for n, name in enumerate(names[1:]) for step in (0, 3, 7)]
    for name, spelling in pairs:
        quote_mark = "'" if '"' in spelling else '"'
        yield "css", f"<p style={quote_mark}{name}:{spelling}{quote_mark} title=x>x</p>", True


def _nested() -> Iterator[tuple[str, str, bool]]:
    """An attack below so many open elements that parsers give up, or flatten the tree."""
    for opened in DEEP:
        for depth in DEPTHS:
            yield "nesting", f"<{opened}>" * depth + "<img src=x onerror=$RUN><img src=$URL/deep>", True


def html_vectors() -> list[Vector]:
    """All that stand in the HTML of a mail, each once."""
    sources = (*_written(), *_handlers(), *_urls(), *_styles(), *_nested())
    unique = {template: (kind, made) for kind, template, made in reversed(sources)}
    return [
        Vector(number, kind, template, made)
        for number, (template, (kind, made)) in enumerate(reversed(unique.items()), start=1)
    ]


def word_vectors(first: int) -> list[Vector]:
    """Markup for places where only words belong, numbered from ``first``."""
    return [Vector(first + n, "words", each) for n, each in enumerate(_read("words")["vectors"])]


def charset_mails(first: int) -> list[tuple[Vector, str, str]]:
    """Vectors with the charset that the mail declares and the one it is written in."""
    return [
        (Vector(first + n, "charset", each["html"]), each["declared"], each["encoded"])
        for n, each in enumerate(_read("charsets")["mails"])
    ]


def files(first: int) -> list[tuple[Vector, str, str]]:
    """Vectors that are a file's content, with the name and the type that the mail says."""
    return [
        (Vector(first + n, "file", each["body"]), each["name"], each["type"])
        for n, each in enumerate(_read("files")["files"])
    ]
