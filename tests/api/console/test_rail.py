"""The foot of the rail: what came in today and what was shown, for everybody, at no call more."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

import pytest

from chalicelib.domain.people import Role
from chalicelib.jobs import clock, inbound
from chalicelib.store import counters, models, objects
from chalicelib.store.counters import DayCounted
from tests.api.console.browser import Browser
from tests.api.console.test_tickets import HTMX, signed_in
from tests.engine import Desk

pytestmark = pytest.mark.engine


def count(desk: Desk, **values: Any) -> DayCounted:
    """As the hourly count of the ledger notes it."""
    even = DayCounted(f"{desk.now:%Y-%m-%d}", 412, 412, kept_out=0, waiting=0, difference=0, counted_at=desk.now)
    counted = replace(even, **values)
    counters.note_day(counted)
    return counted


def foot(browser: Browser) -> tuple[str, str]:
    """What it says, and where it leads ("": nowhere)."""
    found = re.search(r'<p [^>]*id="today".*?</p>', browser.get("/lists/open").html, re.DOTALL)
    if found is None:
        return "", ""
    link = re.search(r'href="([^"]+)"', found[0])
    return re.sub(r"<[^>]+>", "", found[0]).strip(), link[1] if link else ""


@pytest.mark.parametrize("role", get_args(Role))
def test_everybody_sees_both_numbers_and_who_may_open_the_ledger_a_link(desk: Desk, role: Role) -> None:
    browser = signed_in(desk, role=role)
    count(desk)
    leads = "/operations/ledger" if role in ("admin", "leader") else ""
    assert foot(browser) == ("Today (UTC) until 09:00: 412 received, 412 shown", leads)
    assert "title=" not in browser.page.html.split('id="today"')[1].split("</p>")[0]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"shown": 409, "kept_out": 3}, ", 409 shown, 3 kept out"),
        ({"shown": 411, "waiting": 1}, ", 411 shown, 1 waiting"),
        ({"shown": 410, "difference": 2}, ", 410 shown, 2 missing"),
        ({"received": 411, "difference": -1}, ", 412 shown, 1 too many"),
    ],
)
def test_what_is_not_shown_is_named_and_a_difference_is_marked(desk: Desk, values: dict[str, int], says: str) -> None:
    browser = signed_in(desk)
    counted = count(desk, **values)
    assert foot(browser)[0] == f"Today (UTC) until 09:00: {counted.received} received{says}"
    assert ('aria-label="Attention"' in browser.page.html) == ("difference" in values)


def test_an_empty_desk_and_another_days_count_say_nothing(desk: Desk) -> None:
    browser = signed_in(desk)
    assert foot(browser) == ("", "")
    count(desk, received=0, shown=0)
    assert foot(browser) == ("", "")
    desk.advance(hours=1)
    count(desk)
    assert foot(browser)[0]
    desk.advance(hours=14)
    assert foot(browser) == ("", "")


def test_the_part_that_htmx_swaps_has_no_rail(desk: Desk) -> None:
    browser = signed_in(desk)
    count(desk)
    assert "received" not in browser.get("/lists/open", **HTMX).html


def test_it_costs_no_call(desk: Desk) -> None:
    browser = signed_in(desk)
    asked: list[str] = []

    def note(model: Any, **_: Any) -> None:
        asked.append(model.name)

    browser.get("/lists/open")
    events = models.connection().client.meta.events
    events.register("before-call.dynamodb", note)
    try:
        browser.get("/lists/open")
        before, asked[:] = list(asked), []
        count(desk)
        asked.clear()
        assert foot(browser)[0]
    finally:
        events.unregister("before-call.dynamodb", note)
    assert sorted(asked) == sorted(before)


def test_the_hour_keeps_it_true(desk: Desk) -> None:
    desk.inbox()
    for name in "ab":
        raw = f"From: ada@example.com\r\nMessage-ID: <{name}@example.com>\r\nSubject: Hi\r\n\r\nHi".encode()
        objects.put_original(f"raw/{name}", raw, {"recipients": "support@shop.example"})
        inbound.take_in(f'{{"key": "raw/{name}"}}')
    day = next(key for key, _ in objects.list_originals(objects.KEPT))[5:15].replace("/", "-")
    desk.now = datetime.fromisoformat(f"{day}T23:00:00+00:00")  # the engine's own clock stamps the objects
    browser = signed_in(desk)
    assert foot(browser) == ("", "")
    clock.hourly()
    assert foot(browser) == ("Today (UTC) until 23:00: 2 received, 2 shown", "")


def test_an_earlier_count_that_ends_later_takes_no_newer_ones_place(desk: Desk) -> None:
    count(desk)
    earlier = desk.now
    desk.advance(minutes=1)
    count(desk, received=413, shown=413)
    counters.note_day(DayCounted("2026-11-20", 412, 412, 0, 0, 0, earlier))
    noted = counters.with_day()[1]
    assert noted is not None and noted.received == 413


def test_it_is_no_lists_count(desk: Desk) -> None:
    count(desk)
    assert counters.all_counts() == {} and counters.totals() == {}
