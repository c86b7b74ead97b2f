"""Shapes: what each refuses and in which words, and that the JSON Schema says the same."""

from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest

from chalicelib.api.schema import (
    Choice,
    Faults,
    Flag,
    ListOf,
    MapOf,
    Moment,
    Nullable,
    Number,
    Record,
    Shape,
    Text,
    as_moment,
    from_text,
    records_in,
)

PERSON = Record("Person", {"name": Text("Who it is.", max_chars=10, blank=False)}, {"age": Number(0, 150)})
ONE_OF = Record("OneOf", optional={"email": Text(), "handle": Text()}, either=("email", "handle"))
SOME = Record("Some", optional={"a": Flag(), "b": Flag()}, some=True)


def checked(shape: Shape, value: object) -> tuple[Any, Faults]:
    faults: Faults = {}
    return shape.check(value, "", faults), faults


def by_json_schema(shape: Shape, value: object) -> bool:
    definitions = {name: record.definition() for name, record in records_in(shape).items()}
    schema = {**shape.schema(), "components": {"schemas": definitions}}
    return bool(jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(value))


CASES: list[tuple[Shape, object, bool]] = [
    (Text(), "", True),
    (Text(), "Zürich 🐈 日本", True),
    (Text(), "two\nlines", False),
    (Text(lines=True), "two\r\nlines\tand a tab", True),
    (Text(lines=True), "a bell \x07", False),
    (Text(), "nul \x00", False),
    (Text(), 5, False),
    (Text(), None, False),
    (Text(min_chars=2), "a", False),
    (Text(max_chars=2), "abc", False),
    (Text(max_chars=2), "🐈🐈", True),
    (Text(blank=False), "  ", False),
    (Text(blank=False), " x ", True),
    (Text(blank=False, lines=True), "\n \n", False),
    (Text(pattern="[a-z]+"), "abc", True),
    (Text(pattern="[a-z]+"), "abc!", False),
    (Number(1, 5), 5, True),
    (Number(1, 5), 6, False),
    (Number(1, 5), 2.0, True),
    (Number(1, 5), 2.5, False),
    (Number(1), True, False),
    (Number(1), "2", False),
    (Flag(), True, True),
    (Flag(), 1, False),
    (Flag(), "true", False),
    (Choice(("a", "b")), "a", True),
    (Choice(("a", "b")), "c", False),
    (Choice(("a", "b")), ["a"], False),
    (Nullable(Choice(("a", "b"))), None, True),
    (Nullable(Text()), None, True),
    (Nullable(PERSON), None, True),
    (Nullable(PERSON), {"name": "Ada"}, True),
    (Nullable(PERSON), {}, False),
    (Moment(), "2026-05-04T09:30:00Z", True),
    (Moment(), "2026-05-04t09:30:00.123456789z", True),
    (Moment(), "2026-05-04T09:30:00+02:00", True),
    (Moment(), "2026-05-04T09:30:00", False),
    (Moment(), "2026-05-04", False),
    (Moment(), "2026-13-04T09:30:00Z", False),
    (Moment(), 1795200300, False),
    (ListOf(Text(), 2), ["a", "b"], True),
    (ListOf(Text(), 2), ["a", "b", "c"], False),
    (ListOf(Text()), "a", False),
    (ListOf(Number(0)), ["a"], False),
    (MapOf(Text()), {"base_url": "x"}, True),
    (MapOf(Text()), {"Base URL": "x"}, False),
    (MapOf(Text()), {"base_url": 1}, False),
    (MapOf(Text()), [], False),
    (PERSON, {"name": "Ada", "age": 36}, True),
    (PERSON, {"age": 36}, False),
    (PERSON, {"name": "Ada", "nmae": "x"}, False),
    (PERSON, [], False),
    (ONE_OF, {"email": "a"}, True),
    (ONE_OF, {"email": "a", "handle": "b"}, False),
    (ONE_OF, {}, False),
    (SOME, {"a": True}, True),
    (SOME, {}, False),
]


@pytest.mark.parametrize(("shape", "value", "good"), CASES)
def test_check_and_json_schema_agree(shape: Shape, value: object, good: bool) -> None:
    _, faults = checked(shape, value)
    assert (not faults) is good, faults
    assert by_json_schema(shape, value) is good


def test_every_fault_names_its_field_with_a_sentence() -> None:
    team = Record("Team", {"members": ListOf(PERSON), "lead": Nullable(PERSON)})
    _, faults = checked(team, {"members": [{"name": "Ada"}, {"name": "", "aeg": 3}], "laed": None})
    assert faults == {
        "laed": "There is no such field. Did you mean “lead”?",
        "lead": "This is missing.",
        "members.1.aeg": "There is no such field. Did you mean “age”?",
        "members.1.name": "This must not be empty.",
    }


@pytest.mark.parametrize(
    ("shape", "value", "sentence"),
    [
        (Text(), 5, "This must be text, not a number."),
        (Text(), None, "This must be text, not null."),
        (Text(max_chars=3), "abcd", "Keep it to 3 characters; it has 4."),
        (Text(), "a\nb", "Keep it on one line."),
        (Text(), "half \ud83d", "This holds half a character (an unpaired surrogate). Send whole Unicode characters."),
        (Text(pattern="x", hint="Write x."), "y", "Write x."),
        (Number(1, 9), 12, "This must be a whole number from 1 to 9."),
        (Number(1), 0, "This must be a whole number of at least 1."),
        (Number(1), "1", "This must be a whole number, not text."),
        (Flag(), "yes", "This must be true or false, not text."),
        (Choice(("low", "high")), "urgnet", "Choose one of low, high."),
        (Moment(), "tomorrow", "Write a date and time with its offset, like 2026-05-04T09:30:00Z."),
        (ListOf(Text(), 1), ["a", "b"], "Give at most 1; there are 2."),
        (ListOf(Text()), {}, "This must be a list, not an object."),
    ],
)
def test_sentences(shape: Shape, value: object, sentence: str) -> None:
    faults: Faults = {}
    shape.check(value, "field", faults)
    assert faults == {"field": sentence}


def test_a_missing_field_says_what_it_is_for() -> None:
    assert checked(PERSON, {})[1] == {"name": "This is missing. Who it is."}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-04T09:30:00+02:00", datetime(2026, 5, 4, 7, 30, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2026-05-04T09:30:00.1Z", datetime(2026, 5, 4, 9, 30, 0, 100_000, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:60Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("2026-05-04T24:00:00Z", None),
        ("2026-05-04T09:30:00Z\n", None),
    ],
)
def test_moments(text: str, moment: datetime | None) -> None:
    assert as_moment(text) == moment


@pytest.mark.parametrize(
    ("shape", "text", "value"),
    [
        (Number(1), "5", 5),
        (Number(1), "-5", -5),
        (Number(1), "5.0", "5.0"),
        (Number(1), "٥", "٥"),
        (Number(1), "9" * 400, "9" * 400),
        (Flag(), "true", True),
        (Flag(), "True", "True"),
        (Text(), "5", "5"),
    ],
)
def test_query_parameters_are_read_as_their_shape(shape: Shape, text: str, value: object) -> None:
    assert from_text(shape, text) == value
