"""Which language a reply is taken in, who sees it, and how people are greeted."""

from datetime import UTC, datetime

import pytest

from chalicelib.domain.saved_reply import (
    ReplyEntry,
    ReplySettings,
    Scope,
    chosen_language,
    first_name,
    language_code,
    matching,
    person_name,
    visible_to,
)

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def entry(name: str, scope: Scope = "everyone", owner: str = "", shortcut: str = "") -> ReplyEntry:
    return ReplyEntry(name, name, shortcut, scope, owner, ("en",), f"About {name}", AT, "Dana")


@pytest.mark.parametrize(
    ("texts", "wanted", "languages", "chosen"),
    [
        (["en", "de"], "de", ("en",), "de"),
        (["en", "de"], "fr", ("de", "en"), "de"),
        (["en", "de"], "", ("en",), "en"),
        (["fr", "es"], "", ("en", "de"), "fr"),
        ([], "de", ("en",), ""),
    ],
)
def test_the_customers_language_then_the_desks_first(
    texts: list[str], wanted: str, languages: tuple[str, ...], chosen: str
) -> None:
    settings = ReplySettings(languages)
    assert chosen_language(dict.fromkeys(texts, "x"), wanted, settings=settings) == chosen


@pytest.mark.parametrize(
    ("tag", "code"),
    [("de", "de"), ("de-AT", "de"), ("EN_us", "en"), (" fr ", "fr"), ("", ""), (None, ""), ("german", ""), ("*", "")],
)
def test_a_language_tag_is_its_code(tag: str | None, code: str) -> None:
    assert language_code(tag) == code


def test_agents_see_everyones_their_teams_and_their_own() -> None:
    entries = [
        entry("all"), entry("first", "team", "t1"), entry("second", "team", "t2"), entry("mine", "personal", "lina"),
        entry("yours", "personal", "ben"),
    ]  # fmt: skip
    assert [each.name for each in visible_to(entries, "lina", ("t1",))] == ["all", "first", "mine"]


@pytest.mark.parametrize(("words", "found"), [("", 2), ("/shi", 1), ("ABOUT", 2), ("about returns", 1), ("parcel", 0)])
def test_every_word_must_be_there(words: str, found: int) -> None:
    entries = [entry("Shipping", shortcut="ship"), entry("Returns")]
    assert len(matching(entries, words)) == found


@pytest.mark.parametrize(
    ("name", "first"),
    [("Lina Meyer", "Lina"), ("Meyer, Lina Marie", "Lina"), ("Lina", "Lina"), ("Meyer,", "Meyer"), ("", "")],
)
def test_the_given_name(name: str, first: str) -> None:
    assert first_name(name) == first


@pytest.mark.parametrize(
    ("name", "address", "known"),
    [("Lina  Meyer", "lina@x.example", "Lina Meyer"), ("lina@x.example", "lina@x.example", ""), ("4711", "4711", "")],
)
def test_an_address_is_no_name(name: str, address: str, known: str) -> None:
    assert person_name(name, address) == known
