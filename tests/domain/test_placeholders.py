"""Placeholders: which there are, what fills them, and that no text breaks them."""

import time

import pytest

from chalicelib.domain.placeholders import (
    KNOWN,
    MAX_VALUE_CHARS,
    PLACEHOLDERS,
    escaped,
    filled,
    nearest,
    placeholders,
    unescaped,
    unknown,
)

LINA = {"customer.first_name": "Lina", "ticket.number": "1042"}
ODD = (
    "", "{", "}", "{}", "{{}}", "{.}", "{a.}", "{.b}", "\\", "\\{", "{customer.}", "{customer.name", "customer.name}",
    "{customer.name}{", "{ customer . name }", "{\ncustomer.name}", "\ud83d{customer.name}", "{customer.name\u0000}",
    "{{{{{{customer.name}}}}}}", "{" * 5_000, "{customer." * 5_000, "\\" * 5_000 + "{customer.name}",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Hello {customer.first_name},", ["customer.first_name"]),
        ("{customer.name} and {ticket.number} and {customer.name}", ["customer.name", "ticket.number"]),
        ("{{customer.name}}", ["customer.name"]),
        ("{{ customer.name }}", ["customer.name"]),
        ("{ Customer.First_Name }", ["customer.first_name"]),
        ("{\u00a0order.number\u00a0}", ["order.number"]),
        ("\\{customer.name}", []),
        ("\\{customer.name} {ticket.number}", ["ticket.number"]),
        ("Use {SAVE10}, or {name}, or {customer.shoe_size}.", []),
        ('{"customer": {"name": "Lina"}}', []),
        ("customer.name", []),
        ("{customer.name", []),
        ("{customer\n.name}", []),
    ],
)
def test_only_our_names_in_braces_are_placeholders(text: str, names: list[str]) -> None:
    assert list(placeholders(text)) == names


@pytest.mark.parametrize(
    ("text", "result", "missing"),
    [
        ("Hello {customer.first_name}.", "Hello Lina.", []),
        ("#{ticket.number}/{ticket.number}", "#1042/1042", []),
        ("{{customer.first_name}}", "Lina", []),
        ("Your order {{ Order.Number }} left.", "Your order {order.number} left.", ["order.number"]),
        ("{order.number} {tracking.url} {order.number}", None, ["order.number", "tracking.url"]),
        ("Code {SAVE10} and {some.thing}", None, []),
        ("\\{customer.first_name}", None, []),
    ],
)
def test_what_is_known_is_put_in_and_the_rest_is_named(text: str, result: str | None, missing: list[str]) -> None:
    found = filled(text, LINA)
    assert (found.text, list(found.missing)) == (text if result is None else result, missing)
    assert list(placeholders(found.text)) == missing


def test_a_value_is_one_line_and_never_a_placeholder_itself() -> None:
    found = filled("Dear {customer.name}", {"customer.name": " {agent.name}\n Meyer ", "agent.name": "Ben"})
    assert found.text == "Dear \\{agent.name} Meyer"
    assert placeholders(found.text) == ()
    assert unescaped(found.text) == "Dear {agent.name} Meyer"
    assert filled("{customer.name}", {"customer.name": " \n "}).missing == ("customer.name",)
    assert len(filled("{customer.name}", {"customer.name": "x" * 999}).text) == MAX_VALUE_CHARS


@pytest.mark.parametrize(
    "text", ["{customer.name}", "\\{customer.name}", "\\\\{order.number} {x.y} \\{x.y}", "a\\b", *ODD]
)
def test_what_is_escaped_leaves_as_it_was_and_is_no_placeholder(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert placeholders(escaped(text)) == ()


def test_a_backslash_elsewhere_stays() -> None:
    path = "C:\\{temp}\\{some.file} \\alpha"
    assert unescaped(path) == path


@pytest.mark.parametrize("text", ODD)
def test_no_text_breaks_it_or_takes_long(text: str) -> None:
    began = time.process_time()
    names = placeholders(text)
    found = filled(text, {})
    assert set(found.missing) == set(names) <= KNOWN
    assert unknown(text) == ()
    unescaped(text)
    assert time.process_time() - began < 1


def test_a_hundred_thousand_characters_take_no_longer_than_they_are() -> None:
    for piece in ("{customer.name", "{{ customer.", "\\{ ", "{ \t \t", "{a.b"):
        began = time.process_time()
        text = (piece * 100_000)[:100_000]
        placeholders(text), filled(text, LINA), escaped(text)
        assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{customer.frist_name} {SAVE10} {customer.name}", ["customer.frist_name"]),
        ("{ticket.customer}", ["ticket.customer"]),
        ("\\{customer.frist_name}", []),
    ],
)
def test_what_looks_like_one_and_is_none_is_told(text: str, names: list[str]) -> None:
    assert list(unknown(text)) == names


def test_a_misspelt_one_finds_the_right_one() -> None:
    assert nearest("customer.frist_name") == "customer.first_name"
    assert nearest("weather.today") == ""


def test_what_comes_with_a_later_release_is_marked() -> None:
    assert {each.name.partition(".")[0] for each in PLACEHOLDERS if each.later} == {"order", "tracking"}
    assert len(KNOWN) == len(PLACEHOLDERS)
