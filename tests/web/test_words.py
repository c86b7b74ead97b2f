from datetime import timedelta

import pytest

from chalicelib.web import words
from tests.builders import NOON, a_reply, an_event


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(0, "now"), (0.9, "now"), (1, "1 min"), (59, "59 min"), (60, "1 h"), (47 * 60, "47 h"), (48 * 60, "2 d")],
)
def test_a_span_in_words(minutes: float, expected: str) -> None:
    assert words.short_span(NOON - timedelta(minutes=minutes), NOON) == expected


@pytest.mark.parametrize(
    ("hours_ago", "zone", "expected"),
    [
        (1, "UTC", "11:00"),
        (1, "Asia/Tokyo", "20:00"),
        (13, "UTC", "yesterday 23:00"),
        (24 * 6, "UTC", "14 Nov 12:00"),
        (24 * 365, "UTC", "20 Nov 2025 12:00"),
        (1, "No/Where", "11:00"),
    ],
)
def test_a_moment_in_the_agents_zone(hours_ago: float, zone: str, expected: str) -> None:
    assert words.clock(NOON - timedelta(hours=hours_ago), NOON, zone) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-86_400, "late since yesterday 12:00"),
        (-1, "late since 11:59"),
        (0, "due in now"),
        (1, "due in 1 min"),
        (60, "due in 1 min"),
        (61, "due in 2 min"),
        (3_600, "due in 1 h"),
        (2 * 86_400, "due in 2 d"),
    ],
)
def test_a_deadline_counts_begun_minutes_until_it_is_past(seconds: int, expected: str) -> None:
    assert words.due(NOON + timedelta(seconds=seconds), NOON, "UTC") == expected


@pytest.mark.parametrize(("count", "expected"), [(0, "0"), (99, "99"), (100, "99+")])
def test_counts_are_exact_up_to_99(count: int, expected: str) -> None:
    assert words.capped(count) == expected


def test_links_are_shown_truly_and_everything_else_is_escaped() -> None:
    assert words.with_links('See https://shop.example/a?b=1&c=2. <b onclick="x">') == (
        'See <a href="https://shop.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">'
        "https://shop.example/a?b=1&amp;c=2</a>. &lt;b onclick=&#34;x&#34;&gt;"
    )


@pytest.mark.parametrize(("name", "expected"), [("Ben Okafor", "BO"), ("lina", "L"), ("", "?"), ("Émile Z.", "ÉZ")])
def test_initials(name: str, expected: str) -> None:
    assert words.initials(name) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"status": "resolved"}, "set the status to resolved"),
        ({"edited": "Two mugs"}, "edited a message, which said before: “Two mugs”"),
        ({"edited": ""}, "added words to a message"),
        ({"assignee_id": ""}, "took the assignee off"),
        ({"assignee_id": "Ben", "priority": "high"}, "assigned it to Ben, set the priority to high"),
        ({"snoozed_until": "2026-11-21T08:00:00.000Z"}, "snoozed it until 21 Nov 09:00"),
    ],
)
def test_an_event_is_the_rest_of_a_sentence(changed: dict[str, str], expected: str) -> None:
    assert words.event_words(an_event(**changed), NOON, "Europe/Berlin") == expected


def test_every_state_of_a_delivery_has_words_and_a_tone() -> None:
    for state in words.DELIVERY_WORDS:
        delivery = a_reply(state).delivery  # type: ignore[arg-type]  # the table names the states as plain words
        assert delivery is not None
        assert words.delivery_words(delivery)
        assert words.delivery_tone(delivery) in ("good", "calm", "warn", "bad")


def test_a_link_with_look_alike_letters_names_the_true_place_beside_it() -> None:
    shown = words.with_links("https://b\u0430nk.example/a")
    assert shown.endswith('</a><small dir="ltr"> [xn--bnk-6cd.example]</small>')
    assert words.with_links("https://user:b\u0430@shop.example").endswith("</a>")
    assert "[no valid address]" in words.with_links("https://" + "\u0430" * 80 + ".example")


@pytest.mark.parametrize(
    ("address", "truth"),
    [
        ("https://gro\u00dfbank.de", "xn--grobank-2va.de"),  # grossbank.de is somebody else
        ("https://\u0435vil.com#@good.com/", "xn--vil-qdd.com"),
        ("https://\u0435vil.com\\@good.com/", "xn--vil-qdd.com"),
        ("https:///\u0435vil.com/", "xn--vil-qdd.com"),
        ("https://good.com:p@\u0435vil.com:8443/", "xn--vil-qdd.com"),
        ("https://good.com\uff0f.\u0435vil.com/", "no valid address"),
    ],
)
def test_the_place_named_beside_a_link_is_where_a_browser_goes(address: str, truth: str) -> None:
    assert words.with_links(f"See {address} now").endswith(f'</a><small dir="ltr"> [{truth}]</small> now')
