"""Shapes of what the API takes and gives: one declaration, from which come both the checks and the OpenAPI document.

``check`` returns the clean value and notes in ``faults`` what is wrong, by field, each a sentence for whoever wrote the
call.  ``schema`` is the same rule in JSON Schema 2020-12, which OpenAPI 3.1 speaks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Protocol

Json = dict[str, Any]
Faults = dict[str, str]

CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
LINE = rf"[^{CONTROL}\t\n\r]*"
LINES = rf"[^{CONTROL}]*"
MARK = rf"[^\s\u0085{CONTROL}]"
"""Something that is seen: neither white space nor control."""
WORDS = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
DATE_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


class Shape(Protocol):
    """``about``: a sentence for the document, and what a caller reads when the field is missing."""

    @property
    def about(self) -> str: ...

    def check(self, value: object, at: str, faults: Faults) -> Any:
        """The clean value; what is wrong goes into ``faults`` under ``at``."""

    def schema(self) -> Json: ...


def _wrong_type(wanted: str, value: object, at: str, faults: Faults) -> None:
    given = "null" if value is None else WORDS.get(type(value), "something else")
    faults[at] = f"This must be {wanted}, not {given}."


def _described(schema: Json, about: str) -> Json:
    return {**schema, "description": about} if about else schema


@dataclass(frozen=True)
class Text:
    """``pattern`` must match the whole text; ``hint`` is the sentence for one that does not.

    ``lines`` allows line breaks and tabs; other control characters are never text.  ``blank`` allows text of nothing
    but white space.
    """

    about: str = ""
    min_chars: int = 0
    max_chars: int | None = None
    pattern: str | None = None
    hint: str = ""
    lines: bool = False
    blank: bool = True
    example: str | None = None

    def check(self, value: object, at: str, faults: Faults) -> str:
        if not isinstance(value, str):
            _wrong_type("text", value, at, faults)
            return ""
        fault = self._fault(value)
        if fault:
            faults[at] = fault
        return value

    def _fault(self, value: str) -> str:
        if len(value) < self.min_chars or not (self.blank or re.search(MARK, value)):
            return "This must not be empty."
        if self.max_chars is not None and len(value) > self.max_chars:
            return f"Keep it to {self.max_chars} characters; it has {len(value)}."
        if any("\ud800" <= c <= "\udfff" for c in value):
            return "This holds half a character (an unpaired surrogate). Send whole Unicode characters."
        if not re.fullmatch(LINES if self.lines else LINE, value):
            return "This holds control characters. Remove them." if self.lines else "Keep it on one line."
        if self.pattern and not re.fullmatch(self.pattern, value, re.ASCII):
            return self.hint or "This is not in the form that is expected."
        return ""

    def schema(self) -> Json:
        found: Json = {"type": "string"}
        if self.min_chars or not self.blank:
            found["minLength"] = max(self.min_chars, 1)
        if self.max_chars is not None:
            found["maxLength"] = self.max_chars
        free = LINES if self.lines else LINE
        found["pattern"] = f"^{self.pattern or (free if self.blank else free + MARK + free)}$"
        if self.example is not None:
            found["examples"] = [self.example]
        return _described(found, self.about)


@dataclass(frozen=True)
class Words:
    """Text in an answer: whatever is stored, as it is."""

    about: str = ""

    def check(self, value: object, at: str, faults: Faults) -> str:
        if not isinstance(value, str):
            _wrong_type("text", value, at, faults)
            return ""
        return value

    def schema(self) -> Json:
        return _described({"type": "string"}, self.about)


@dataclass(frozen=True)
class Number:
    """A whole number within bounds, both included.  ``hint``: what to do with one that is beyond them."""

    low: int
    high: int | None = None
    about: str = ""
    hint: str = ""

    def check(self, value: object, at: str, faults: Faults) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON knows one kind of number: 5.0 is 5
        if isinstance(value, bool) or not isinstance(value, int):
            _wrong_type("a whole number", value, at, faults)
            return self.low
        if value < self.low or (self.high is not None and value > self.high):
            bounds = f"from {self.low} to {self.high}" if self.high is not None else f"of at least {self.low}"
            faults[at] = f"This must be a whole number {bounds}. {self.hint}".strip()
        return value

    def schema(self) -> Json:
        found: Json = {"type": "integer", "minimum": self.low}
        if self.high is not None:
            found["maximum"] = self.high
        return _described(found, self.about)


@dataclass(frozen=True)
class Flag:
    about: str = ""

    def check(self, value: object, at: str, faults: Faults) -> bool:
        if not isinstance(value, bool):
            _wrong_type("true or false", value, at, faults)
            return False
        return value

    def schema(self) -> Json:
        return _described({"type": "boolean"}, self.about)


@dataclass(frozen=True)
class Choice:
    options: tuple[str, ...]
    about: str = ""

    def check(self, value: object, at: str, faults: Faults) -> str:
        if not isinstance(value, str) or value not in self.options:
            faults[at] = f"Choose one of {', '.join(self.options)}."
            return self.options[0]
        return value

    def schema(self) -> Json:
        return _described({"type": "string", "enum": list(self.options)}, self.about)


@dataclass(frozen=True)
class Moment:
    """An instant as RFC 3339 writes it, with its offset from UTC."""

    about: str = ""

    def check(self, value: object, at: str, faults: Faults) -> datetime:
        moment = as_moment(value) if isinstance(value, str) else None
        if moment is None:
            faults[at] = "Write a date and time with its offset, like 2026-05-04T09:30:00Z."
            return datetime(1970, 1, 1, tzinfo=UTC)
        return moment

    def schema(self) -> Json:
        return _described({"type": "string", "format": "date-time"}, self.about)


def as_moment(text: str) -> datetime | None:
    """The instant that an RFC 3339 text names, in UTC; None when it names none that we can count with."""
    found = DATE_TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    leap = second == 60
    offset = "+00:00" if found[8] in "Zz" else found[8]
    fraction = (found[7] or "")[:7]
    try:
        written = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{59 if leap else second:02}{fraction}{offset}"
        return (datetime.fromisoformat(written) + timedelta(seconds=1 if leap else 0)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class Nullable:
    """``inner`` or null."""

    inner: Shape

    @property
    def about(self) -> str:
        return self.inner.about

    def check(self, value: object, at: str, faults: Faults) -> Any:
        return None if value is None else self.inner.check(value, at, faults)

    def schema(self) -> Json:
        inner = self.inner.schema()
        if "$ref" in inner:
            return {"anyOf": [inner, {"type": "null"}]}
        if "enum" in inner:
            inner = {**inner, "enum": [*inner["enum"], None]}
        return {**inner, "type": [inner["type"], "null"]}


@dataclass(frozen=True)
class ListOf:
    each: Shape
    max_items: int | None = None
    about: str = ""

    def check(self, value: object, at: str, faults: Faults) -> list[Any]:
        if not isinstance(value, list):
            _wrong_type("a list", value, at, faults)
            return []
        if self.max_items is not None and len(value) > self.max_items:
            faults[at] = f"Give at most {self.max_items}; there are {len(value)}."
            return []
        return [self.each.check(item, f"{at}.{index}", faults) for index, item in enumerate(value)]

    def schema(self) -> Json:
        found: Json = {"type": "array", "items": self.each.schema()}
        if self.max_items is not None:
            found["maxItems"] = self.max_items
        return _described(found, self.about)


@dataclass(frozen=True)
class MapOf:
    """An object with free names and values of one shape."""

    each: Shape
    names: Shape = field(default_factory=lambda: Text(pattern="[a-z][a-z0-9_-]{0,59}"))
    max_items: int = 30
    about: str = ""

    def check(self, value: object, at: str, faults: Faults) -> dict[str, Any]:
        if not isinstance(value, dict):
            _wrong_type("an object", value, at, faults)
            return {}
        if len(value) > self.max_items:
            faults[at] = f"Give at most {self.max_items} entries; there are {len(value)}."
            return {}
        found = {}
        for name, item in value.items():
            self.names.check(name, f"{at}.{name}", faults)
            found[name] = self.each.check(item, f"{at}.{name}", faults)
        return found

    def schema(self) -> Json:
        names = {name: rule for name, rule in self.names.schema().items() if name != "description"}
        found: Json = {
            "type": "object",
            "additionalProperties": self.each.schema(),
            "propertyNames": names,
            "maxProperties": self.max_items,
        }
        return _described(found, self.about)


@dataclass(frozen=True)
class Record:
    """An object with named fields.  Fields that are neither required nor optional are refused.

    ``either``: exactly one of these (optional) fields must be there.  ``some``: at least one of any must be there.
    """

    name: str
    required: Mapping[str, Shape] = field(default_factory=dict)
    optional: Mapping[str, Shape] = field(default_factory=dict)
    about: str = ""
    either: tuple[str, ...] = ()
    some: bool = False
    example: Mapping[str, Any] | None = None

    def check(self, value: object, at: str, faults: Faults) -> dict[str, Any]:
        """The fields that were given; those that were not are not in it."""
        if not isinstance(value, dict):
            _wrong_type("an object", value, at or "body", faults)
            return {}
        inside = f"{at}." if at else ""
        known = {**self.required, **self.optional}
        for name in value:
            if name not in known:
                faults[f"{inside}{name}"] = self._unknown(name, known)
        for name, shape in self.required.items():
            if name not in value:
                faults[f"{inside}{name}"] = f"This is missing. {shape.about}".strip()
        if self.either and sum(name in value for name in self.either) != 1:
            faults[f"{inside}{self.either[0]}"] = f"Give exactly one of {' and '.join(self.either)}."
        if self.some and not value:
            faults[at or "body"] = f"Give at least one of {', '.join(known)}."
        return {
            name: shape.check(value[name], f"{inside}{name}", faults) for name, shape in known.items() if name in value
        }

    @staticmethod
    def _unknown(name: str, known: Mapping[str, Shape]) -> str:
        near = get_close_matches(name, known, 1)
        return f"There is no such field. Did you mean “{near[0]}”?" if near else "There is no such field."

    def schema(self) -> Json:
        return {"$ref": f"#/components/schemas/{self.name}"}

    def definition(self) -> Json:
        """What the document says under ``components/schemas``."""
        found: Json = {
            "type": "object",
            "properties": {name: shape.schema() for name, shape in {**self.required, **self.optional}.items()},
            "additionalProperties": False,
        }
        if self.required:
            found["required"] = list(self.required)
        if self.either:
            found["oneOf"] = [{"required": [name]} for name in self.either]
        if self.some:
            found["minProperties"] = 1
        if self.example is not None:
            found["examples"] = [dict(self.example)]
        return _described(found, self.about)


def records_in(shape: Shape) -> dict[str, Record]:
    """Every record that a shape is made of, by name, itself included."""
    if isinstance(shape, Record):
        found = {shape.name: shape}
        for inner in (*shape.required.values(), *shape.optional.values()):
            found |= records_in(inner)
        return found
    if isinstance(shape, Nullable):
        return records_in(shape.inner)
    if isinstance(shape, (ListOf, MapOf)):
        return records_in(shape.each)
    return {}


def page_of(record: Record) -> Record:
    """A page of a list: ``next`` is the cursor of the page behind it, null on the last one."""
    return Record(
        f"{record.name}Page",
        {"items": ListOf(record), "next": Nullable(Words("Give it as `cursor` to get the next page."))},
    )


def from_text(shape: Shape, text: str) -> object:
    """A query parameter as the value its shape checks; the text itself when it cannot be read as one."""
    if isinstance(shape, Number) and re.fullmatch(r"-?[0-9]{1,15}", text):
        return int(text)
    if isinstance(shape, Flag) and text in ("true", "false"):
        return text == "true"
    return text
