"""Many vectors to one mail, each followed by a word that shows that nothing swallowed it."""

from collections.abc import Iterable, Iterator

from selectolax.lexbor import LexborHTMLParser

from tests.security.corpus import Vector

PER_MAIL = 40
MAX_CHARS = 40_000


def mark(vector: Vector) -> str:
    return f"mark{vector.number}."


def stands_alone(html: str) -> bool:
    """Would it swallow or change what follows it in the same document?"""
    tree = LexborHTMLParser(f'<!doctype html><body><div>{html}</div><p id="behind">behind</p><b id="last">x</b>')
    behind, last = tree.css_first("p#behind"), tree.css_first("b#last")
    if behind is None or last is None or behind.parent is None or last.parent is None:
        return True
    between = LexborHTMLParser(f"<!doctype html><body><div>{html}</div>").css("base,plaintext,frameset")
    return behind.parent.tag != "body" or last.parent.tag != "body" or behind.html != HONEST or bool(between)


HONEST = '<p id="behind">behind</p>'


def packed(vectors: Iterable[Vector], port: int) -> Iterator[tuple[list[Vector], str]]:
    """Mails' HTML with the vectors in it; of several vectors each is marked."""
    together: list[Vector] = []
    html = ""
    for vector in vectors:
        filled = vector.filled(port)
        if vector.kind == "nesting" or stands_alone(filled):
            yield [vector], filled
            continue
        if together and (len(together) == PER_MAIL or len(html) + len(filled) > MAX_CHARS):
            yield together, html
            together, html = [], ""
        together.append(vector)
        html += f"<div>{filled}</div>\n<p>{mark(vector)}</p>\n"
    if together:
        yield together, html
