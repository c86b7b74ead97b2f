"""Texts that make a regular expression try hard: what each of its repeats likes, over and over, and then no match."""

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from re import _constants as kinds  # type: ignore[attr-defined]  # no part of the stubs
    from re import _parser as parser  # type: ignore[attr-defined]  # no part of the stubs

REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
STOPS = ("\x00", "")
MOST_PUMPS = 12


def attacks(pattern: str, flags: int) -> Iterator[Callable[[int], str]]:
    """Makers of a text of a wanted length: prefix, what a repeat repeats, and an end that does not fit."""
    parsed = parser.parse(pattern, flags)
    pumps: dict[str, None] = {}
    prefixes: dict[str, None] = {"": None}
    _collect(parsed, "", pumps, prefixes)
    for pump in list(pumps)[:MOST_PUMPS]:
        for prefix in list(prefixes)[-1:]:
            for stop in STOPS:
                yield _maker(prefix, pump, stop)


def _maker(prefix: str, pump: str, stop: str) -> Callable[[int], str]:
    return lambda length: prefix + (pump * (length // len(pump) + 1))[:length] + stop


def _collect(parsed: Any, before: str, pumps: dict[str, None], prefixes: dict[str, None]) -> str:
    """Walk through; return a text that fits.  What stands before a repeat becomes a prefix."""
    text = before
    for kind, value in parsed:
        name = str(kind)
        if name in REPEATS:
            low, high, inner = value
            prefixes[text] = None
            sample = _collect(inner, "", pumps, prefixes)
            if sample and (high is kinds.MAXREPEAT or high > 20):
                pumps[sample] = None
                pumps[sample[0]] = None
            text += sample * max(1, min(low, 3))
        elif name == "SUBPATTERN":
            text += _collect(value[-1], "", pumps, prefixes)
        elif name == "ATOMIC_GROUP":
            text += _collect(value, "", pumps, prefixes)
        elif name == "BRANCH":
            samples = [_collect(branch, "", pumps, prefixes) for branch in value[1]]
            text += samples[0]
        elif name in ("ASSERT", "ASSERT_NOT"):
            _collect(value[1], "", pumps, prefixes)
        else:
            text += _one(name, value)
    return text


def _one(name: str, value: Any) -> str:
    if name == "LITERAL":
        return chr(value)
    if name == "NOT_LITERAL":
        return "a" if value != ord("a") else "b"
    if name == "ANY":
        return "a"
    return _of_set(value) if name == "IN" else ""


def _of_set(items: Any) -> str:
    """One character of a set; for a negated one, some character that it does not name."""
    listed = [(str(kind), value) for kind, value in items]
    negated = bool(listed) and listed[0][0] == "NEGATE"
    for kind, value in listed:
        found = _of_item(kind, value)
        if found and not negated:
            return found
    return next(each for each in "a <b0\t" if not _names(listed, each)) if negated else ""


def _of_item(kind: str, value: Any) -> str:
    if kind == "LITERAL":
        return chr(value)
    if kind == "RANGE":
        return chr(value[0])
    category = {"SPACE": " ", "DIGIT": "1", "WORD": "a", "NOT_SPACE": "a", "NOT_DIGIT": "a", "NOT_WORD": " "}
    return category.get(str(value).removeprefix("CATEGORY_").removeprefix("UNI_"), "") if kind == "CATEGORY" else ""


def _names(listed: list[tuple[str, Any]], character: str) -> bool:
    for kind, value in listed:
        if kind == "LITERAL" and chr(value) == character:
            return True
        if kind == "RANGE" and value[0] <= ord(character) <= value[1]:
            return True
        if kind == "CATEGORY":
            known = {
                "SPACE": r"\s",
                "DIGIT": r"\d",
                "WORD": r"\w",
                "NOT_SPACE": r"\S",
                "NOT_DIGIT": r"\D",
                "NOT_WORD": r"\W",
            }
            if re.match(known[str(value).removeprefix("CATEGORY_")], character):
                return True
    return False
