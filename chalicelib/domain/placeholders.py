"""Placeholders of saved replies: ``{customer.first_name}`` stands for what the desk knows of the ticket at hand.

Only the names below are placeholders: any other braces are words like any others.  Doubled braces, as other desks write
them, mean the same, and so do capitals.  A backslash before the brace makes it words: ``\\{customer.name}`` leaves the
desk as ``{customer.name}``.  A placeholder that is left in an answer is not sent: the customer would read our braces.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Placeholder:
    """``later``: nothing is known for it yet, so it always waits for the agent; the name is kept for shops' data."""

    name: str
    stands_for: str
    later: bool = False


PLACEHOLDERS = (
    Placeholder("customer.name", "the customer's name"),
    Placeholder("customer.first_name", "the customer's first name"),
    Placeholder("customer.email", "the customer's mail address"),
    Placeholder("ticket.number", "the ticket's number"),
    Placeholder("ticket.subject", "the ticket's subject"),
    Placeholder("agent.name", "the name of the agent who answers"),
    Placeholder("agent.first_name", "the agent's first name"),
    Placeholder("shop.name", "the shop's name, as set below the saved replies"),
    Placeholder("shop.email", "the mail address of the ticket's inbox"),
    Placeholder("order.number", "the order's number", later=True),
    Placeholder("order.date", "the day of the order", later=True),
    Placeholder("order.total", "what the order came to", later=True),
    Placeholder("order.status", "how far the order is", later=True),
    Placeholder("tracking.number", "the parcel's number", later=True),
    Placeholder("tracking.url", "where the parcel can be followed", later=True),
    Placeholder("tracking.carrier", "who carries the parcel", later=True),
)
KNOWN = frozenset(each.name for each in PLACEHOLDERS)
MAX_VALUE_CHARS = 200

_SPACES = "[ \t\u00a0]{0,4}"
_WRITTEN = re.compile(rf"(\\?)\{{\{{?{_SPACES}([A-Za-z]{{1,30}}\.[A-Za-z_]{{1,30}}){_SPACES}\}}\}}?")
"""What has the form of a placeholder.  Every part is bounded, so that no text takes long to look through."""


@dataclass(frozen=True)
class Filled:
    """``missing``: names that nothing is known for; they still stand in the text, in braces."""

    text: str
    missing: tuple[str, ...]


def placeholders(text: str) -> tuple[str, ...]:
    """The placeholders of a text by name, in order, each once; those behind a backslash are none."""
    return tuple(dict.fromkeys(name for escape, name in _found(text) if not escape and name in KNOWN))


def unknown(text: str) -> tuple[str, ...]:
    """What looks like a placeholder and is none: most likely misspelt."""
    return tuple(dict.fromkeys(name for escape, name in _found(text) if not escape and name not in KNOWN))


def nearest(name: str) -> str:
    """The placeholder that was likely meant; "" when none is near."""
    return next(iter(get_close_matches(name, sorted(KNOWN), 1, cutoff=0.7)), "")


def filled(text: str, values: Mapping[str, str]) -> Filled:
    """The text with what is known put in, in one pass: a value is never read for placeholders of its own."""
    known = {name: line for name, value in values.items() if (line := " ".join(value.split())[:MAX_VALUE_CHARS])}

    def put_in(found: re.Match[str]) -> str:
        name = found[2].lower()
        if found[1] or name not in KNOWN:
            return found[0]
        return escaped(known[name]) if name in known else "{" + name + "}"

    return Filled(_WRITTEN.sub(put_in, text), tuple(name for name in placeholders(text) if name not in known))


def escaped(text: str) -> str:
    """The text as one writes it so that it leaves the desk as it is now."""
    return _WRITTEN.sub(lambda found: f"\\{found[0]}" if _is_ours(found) else found[0], text)


def unescaped(text: str) -> str:
    """The text as it leaves the desk: without the backslash before what would be a placeholder.  Others stay."""
    return _WRITTEN.sub(lambda found: found[0].removeprefix(found[1]) if _is_ours(found) else found[0], text)


def _found(text: str) -> list[tuple[str, str]]:
    return [(found[1], found[2].lower()) for found in _WRITTEN.finditer(text)]


def _is_ours(found: re.Match[str]) -> bool:
    return found[2].lower() in KNOWN
