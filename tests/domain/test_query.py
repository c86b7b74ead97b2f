"""The search box: what is typed is understood as people mean it, or refused in words."""

from datetime import date

import pytest

from chalicelib.domain import terms
from chalicelib.domain.query import MAX_CLAUSES, Query, parse
from chalicelib.errors import InvalidInput
from tests.domain.test_terms import PHONES

TODAY = date(2026, 11, 22)


def asked(text: str) -> Query:
    return parse(text, TODAY)


def words(text: str) -> list[str]:
    """The clauses that have but one way and one word."""
    return [clause[0][0] for clause in asked(text).clauses]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("parcel mug", ["parcel", "mug"]), ("Größe", ["grosse"]), ("parcel parcel", ["parcel"]), ("I am", ["am"]),
        ("湯のみ 注文", ["湯の", "のみ", "注文"]), ("foo:bar", ["foo", "bar"]),
        ("http://shop.example", ["http", "shop", "example"]),
        ("1042", ["1042"]), ("#1042", ["1042"]), ("SHOP-1042", ["shop1042"]), ("order:#1042", ["1042"]),
        ("302-1234567-7654321", ["30212345677654321"]), ("1Z 999 AA1 01 2345 6784", ["1z999aa10123456784"]),
        ("RR 123 456 789 DE", ["rr123456789de"]), ("@Example.com", ["@example.com"]),
        ("ada@example.com mug", ["ada@example.com", "mug"]), ("from:ada@example.com", ["ada@example.com"]),
        ('from:"Ada Lovelace"', ["ada", "lovelace"]), ("a ? !", []), ("", []), ("IS:", ["is"]),
    ],
)  # fmt: skip
def test_words_numbers_and_addresses(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize("typed", PHONES)
@pytest.mark.parametrize("written", PHONES)
def test_a_telephone_number_finds_each_form_of_itself(typed: str, written: str) -> None:
    there = terms.of_text(f"Please call {written} after 5 pm.")
    assert all(any(all(term in there for term in way) for way in clause) for clause in asked(typed).clauses)


def test_two_numbers_beside_each_other_are_one_number_or_two() -> None:
    [clause] = asked("10482 2026").clauses
    assert clause == (("tel:04822026",), ("10482", "2026"))


@pytest.mark.parametrize("quotes", ['"{}" soon', "“{}” soon", "„{}“ soon", "«{}» soon", 'soon "{}'])
def test_phrases_in_any_quotes(quotes: str) -> None:
    query = asked(quotes.format("Broken Mug"))
    assert query.phrases == (("broken", "mug"),)
    assert {clause[0][0] for clause in query.clauses} == {"broken", "mug", "soon"}


def test_a_phrase_of_one_word_is_a_word() -> None:
    assert asked('"mug"') == Query('"mug"', clauses=((("mug",),),))


def test_a_sender_is_looked_up_like_a_word_and_then_held_against_the_customer() -> None:
    query = asked("from:ada mug")
    assert query.senders == ((("ada",),),) and query.clauses == ((("ada",),), (("mug",),))


def test_filters() -> None:
    query = asked('is:OPEN is:pending in:support tag:"Address  Change" assignee:me before:2026-11 after:7d')
    assert query.states == ("open", "pending") and query.statuses == ("open", "pending")
    assert (query.inboxes, query.tags, query.assignees) == (("support",), ("address change",), ("me",))
    assert (query.before, query.after) == (date(2026, 11, 1), date(2026, 11, 15))
    assert query.clauses == () and query.has_filter


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-02-03", date(2026, 2, 3)), ("2026-2", date(2026, 2, 1)), ("2025", date(2025, 1, 1)), ("today", TODAY),
        ("yesterday", date(2026, 11, 21)), ("2w", date(2026, 11, 8)), ("1y", date(2025, 11, 22)),
    ],
)  # fmt: skip
def test_days(typed: str, day: date) -> None:
    assert asked(f"before:{typed}").before == day


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("is:lost", "“is:lost” is not known"), ("before:soon", "is no day"), ("after:2026-02-30", "is no day"),
        ("after:9999y", "is no day"), ('tag:""', "Say what tag: is to be, as in tag:refund."),
        (" ".join(f"word{n}x" for n in range(MAX_CLAUSES + 1)), "at most 12 words"),
        ('"a1 b1" "a2 b2" "a3 b3" "a4 b4"', "3 phrases"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence.replace("(", r"\(")) as caught:
        asked(text)
    assert caught.value.fields.keys() == {"q"}


@pytest.mark.parametrize(
    ("text", "ticket"), [("1042", "1042"), ("#1042", "1042"), ("#0001042", "1042"), ("0", ""), ("1042 mug", "")]
)
def test_a_number_alone_may_be_a_ticket(text: str, ticket: str) -> None:
    assert asked(text).ticket_id == ticket
