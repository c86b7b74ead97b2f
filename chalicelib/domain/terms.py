"""What a message is found by: words, numbers and addresses, each in one form whatever form they were written in.

A term is a folded word ("muller"), two characters of a script without spaces ("注文"), an address and its domain
("jo@buyer.example", "@buyer.example"), the digits of a number, or a number's last digits ("tel:30123456"), which all
ways to write a telephone number have in common.  docs/domain/search.md has the rules with their reasons.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain, islice

from chalicelib.domain.message import Message

MAX_TERM_CHARS = 60
MAX_TERMS = 1_500
"""Of one message; what comes behind is not indexed."""
MAX_TEXT_CHARS = 100_000
MAX_GROUPS = 6
"""Of digits that are looked at as one number."""
MAX_NUMBERS = 200
"""Also of codes and of addresses."""
TEL_DIGITS = 8
PHONE_CHARS = range(8, 16)
"""How many digits a telephone number has; ITU-T E.164 allows 15."""
JOINED_CHARS = (7, *range(16, 23))
"""Of other numbers that are written in groups: a short telephone number, Amazon's orders (17), parcels (up to 22)."""
NO_SPACES = "々-〇぀-ヿ㐀-䶿一-鿿豈-﫿가-힯฀-໿"
"""Han, kana, Hangul, Thai and Lao: words stand together there, or carry their endings."""
# Compiled when first used: together they take longer than all else that a cold start imports of the domain.
WORD = f"[{NO_SPACES}]+|(?:(?![{NO_SPACES}])[^\\W_])+"
UNSPACED = f"[{NO_SPACES}]"
DIGITS = r"\d+"
NUMBER = r"(?<!\w)[+(]{0,2}\d(?:[\s().\-/‐-―]{0,3}\d)*"
"""Digits in groups, as people write telephone, order and parcel numbers."""
ADDRESS = r"[\w.+'-]{0,64}@[\w-]+(?:\.[\w-]+)+"
PARCEL = r"(?<!\w)(?:1z(?:[ -]?[0-9a-z]){16}|[a-z]{2}[ -]?(?:\d[ -]?){9}[a-z]{2})(?!\w)"
"""UPS, and the post's S10: letters and digits, which are often written with gaps."""
CODE = r"(?<!\w)([a-z]{1,5})-?(\d{3,12})(?!\w)"
"""An order number with the shop's prefix: "SHOP-1042" is "SHOP1042" is "1042"."""
LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h", "’": "'"}
)
VOICED = "\u3099\u309a"
"""Not an accent: without it か stands for が."""


def folded(text: str) -> str:
    """Lower case, accents dropped, full and half width the same: "Müller" finds "muller"."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(LETTERS)
    return unicodedata.normalize("NFC", "".join(c for c in plain if c in VOICED or not unicodedata.combining(c)))


def words(text: str) -> list[str]:
    """The words of a folded text in their order, with repeats; pairs of characters where a script has no spaces."""
    found: list[str] = []
    for match in re.finditer(WORD, text):
        word = match.group()
        if re.match(UNSPACED, word):
            found += [word[n : n + 2] for n in range(max(1, len(word) - 1))]
        elif len(word) > 1:
            found.append(word[:MAX_TERM_CHARS])
    return found


def of_text(text: str) -> dict[str, None]:
    """All terms of a text, each once: what only few texts hold comes first, for of a long one the last are left out."""
    plain = folded(text[:MAX_TEXT_CHARS])
    rare = (islice(terms, MAX_NUMBERS) for terms in (_numbers(plain), _codes(plain), _addresses(plain)))
    return dict.fromkeys(chain(*rare, words(plain)))


def of_message(message: Message, text: str) -> tuple[str, ...]:
    """What a message makes its ticket findable by; ``text``: all its words, of which it may hold the beginning alone.

    A line of the history counts only where it gives the ticket another subject.
    """
    if message.kind == "event":
        return tuple(of_text(message.event.get("subject", "")))[:MAX_TERMS]
    people = (message.sender, *message.to, *message.cc, *message.bcc)
    names = "\n".join(f"{each.name} {each.address}" for each in people if each is not None)
    files = "\n".join(each.name for each in message.attachments)
    found = of_text(f"{message.subject}\n{message.author_name}\n{names}\n{files}")
    found.update(of_text(text))
    return tuple(found)[:MAX_TERMS]


def _addresses(plain: str) -> Iterator[str]:
    for match in re.finditer(ADDRESS, plain):
        name, _, domain = match.group().strip(".'-").rpartition("@")
        if name:
            yield f"{name}@{domain}"[-2 * MAX_TERM_CHARS :]
        yield f"@{domain}"[: 2 * MAX_TERM_CHARS]


def _numbers(plain: str) -> Iterator[str]:
    """Each row of neighbouring groups that may be one number: nobody says where it ends."""
    told = 0
    for match in re.finditer(NUMBER, plain):
        groups = re.findall(DIGITS, match.group())
        for first in range(len(groups)):
            for last in range(first + 1, min(len(groups), first + MAX_GROUPS) + 1):
                term = number_term("".join(groups[first:last]), last - first)
                if term:
                    yield term
                    told += 1
        if told > MAX_NUMBERS:
            return


def number_term(digits: str, groups: int) -> str | None:
    """The term of a number in so many groups; None when its words say as much."""
    if len(digits) in PHONE_CHARS:
        return f"tel:{digits[-TEL_DIGITS:]}"
    return digits if groups > 1 and len(digits) in JOINED_CHARS else None


def _codes(plain: str) -> Iterator[str]:
    for match in re.finditer(CODE, plain):
        yield match.group(1) + match.group(2)
        yield match.group(2)
    for match in re.finditer(PARCEL, plain):
        yield joined(match.group())


def joined(code: str) -> str:
    """A code without its gaps."""
    return code.replace(" ", "").replace("-", "")
