"""New text, quotes, signatures and forwards as plain text; clients and languages are in the mail corpus."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.text import Forwarded, Split, forwarded, new_text, split_text

OURS = "Hello Lina,\n\nyour mug left our warehouse this morning and should reach you by Friday.\n\nKind regards\nTom"
WROTE = "On Fri, Jan 5, 2024 at 10:00 AM Tom <support@shop.example> wrote:"


def test_a_text_is_split_in_three_and_nothing_is_lost() -> None:
    text = f"Thanks!\n\n-- \nLina\n\n{WROTE}\n> Hello"
    assert split_text(text) == Split(new="Thanks!", quoted=f"{WROTE}\n> Hello", signature="-- \nLina")


@pytest.mark.parametrize(
    "quote",
    [
        OURS,
        OURS.replace("\n", "\n    "),
        "| " + OURS.replace("\n", "\n| "),
        "zzz qqq:\n" + OURS.replace(" and should", "\nand should"),
    ],
    ids=["as sent", "indented", "with bars", "wrapped again"],
)
def test_our_own_words_are_recognised_without_any_mark(quote: str) -> None:
    split = split_text(f"It has not come.\n\n{quote}", known=["Something else entirely, long enough to count.", OURS])
    assert split.new.removesuffix("zzz qqq:").strip() == "It has not come."
    assert "warehouse" in split.quoted


def test_an_answer_between_our_own_lines_survives() -> None:
    text = f"{OURS.splitlines()[2]}\nNo, it did not.\n"
    assert new_text(text, known=[OURS]) == "No, it did not."


def test_a_customer_may_repeat_a_short_word_of_ours() -> None:
    assert new_text("Tom", known=[OURS]) == "Tom"
    assert new_text("Dear Tom,\nKind regards\nLina", known=[OURS]) == "Dear Tom,\nKind regards\nLina"


@pytest.mark.parametrize("text", ["> only\n> quoted", f"{WROTE}\n> Hello", "-- \nLina", "Sent from my iPhone", OURS])
def test_a_text_never_becomes_empty(text: str) -> None:
    assert new_text(text, known=[OURS]) == text


def test_an_empty_text_stays_empty() -> None:
    assert new_text(" \n ") == ""
    assert split_text("") == Split("", "", "")
    assert forwarded("", "") is None


def test_a_forward_tells_who_wrote_the_original() -> None:
    text = "FYI\n\n---------- Forwarded message ---------\nFrom: Ada <ada@example.net>\nSubject: Broken\nTo: x\n\nHi"
    assert forwarded(text, "Fwd: Broken") == Forwarded("ada@example.net", "Ada", "Broken")


def test_a_forward_in_a_language_nobody_listed_is_read_by_its_shape() -> None:
    text = (
        "________________________________\nQqq: Ada <ada@example.net>\nWww: 5 xyz 2024 10:00\n"
        "Eee: lina@example.com\nRrr: Broken handle\n\nHi"
    )
    assert forwarded(text, "Ttt: Broken handle") == Forwarded("ada@example.net", "Ada", "Broken handle")


def test_a_reply_in_a_language_nobody_listed_is_cut_by_its_shape() -> None:
    assert new_text("Qwe rty.\n\nXx 5 yyy 2024, 10:00 Zz Tom <support@shop.example> vvvvv:\n\nHello") == "Qwe rty."


LINES = ("> q", "new", "", WROTE, "-- ", "From: a@b.example", "Sent: 5.1.2024", "To: x", "--")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(LINES)))
def test_every_line_is_in_exactly_one_piece(lines: list[str]) -> None:
    split = split_text("\n".join(lines))
    pieces = f"{split.new}\n{split.quoted}\n{split.signature}".split("\n")
    assert sorted(filter(None, map(str.rstrip, pieces))) == sorted(filter(None, map(str.rstrip, lines)))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=500), st.text(max_size=60), st.lists(st.text(max_size=80), max_size=3))
def test_any_text_is_split(text: str, subject: str, known: list[str]) -> None:
    assert bool(new_text(text, known)) == bool(text.strip())
    forwarded(text, subject)


HUGE = 767_000


@pytest.mark.parametrize(
    "text",
    [
        "Thanks\n\n" + WROTE + "\n" + "> your mug left our warehouse this morning\n" * (HUGE // 43),
        "a" * HUGE,
        ":" * HUGE,
        "a@" * (HUGE // 2),
        "On " * (HUGE // 3),
        "\n" * HUGE,
        "From: x\n" * (HUGE // 8),
        "abc 2024 1:\n> x\n" * (HUGE // 16),
        "--- x ---\n" * (HUGE // 10),
    ],
    ids=["quote", "letters", "colons", "at signs", "On", "blank lines", "labels", "introductions", "rules"],
)
def test_huge_and_pathological_texts_take_little_time(text: str) -> None:
    started = time.thread_time()
    split_text(text)
    forwarded(text, "Fwd: x")
    assert time.thread_time() - started < 1.5  # measured below 0.2 s; a shared machine is given room
