"""What a console weighs, and that it asks for nothing while nothing happens."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from bench import page as bench
from tests.browser.conftest import Window, listens
from tests.stack import LocalStack, mail

IDLE_SECONDS = 15
HOUR_MS = 3_600_000
HEARTBEATS_AN_HOUR = 7
"""One every eight minutes: API Gateway closes a socket that is silent for ten."""


@pytest.fixture
def measured(stack: LocalStack, chromium: Browser, cookies: Callable[[str], Any]) -> Iterator[BrowserContext]:
    context = bench.window(chromium, stack.credentials, cookies("ben"))
    yield context
    context.close()


def test_a_first_load_and_an_opened_ticket_keep_to_their_limits(stack: LocalStack, measured: BrowserContext) -> None:
    for subject in ("Weighed first", "Weighed second"):
        stack.send(mail(subject))
        stack.ticket_about(subject)

    figures: dict[str, float] = {}

    def over() -> dict[str, float]:
        figures.update(bench.first_load(measured, stack.credentials) | bench.moving(measured, stack.credentials))
        return {name: figures[name] for name, limit in bench.LIMITS.items() if figures.get(name, 0) > limit}

    # What the mails bring about may come between a page and its socket, which then asks for it: so once it is quiet.
    assert any(over() == {} for _ in range(4))
    assert figures["script_bytes"] > 0 and figures["ticket_fragment_bytes"] > 0


def test_a_console_left_alone_asks_for_nothing(measured: BrowserContext) -> None:
    figures = bench.idle(measured.new_page(), IDLE_SECONDS)
    assert (figures["idle_requests"], figures["idle_frames_sent"]) == (0, 0)


def test_in_an_hour_of_its_clock_it_only_keeps_the_socket_open(window: Window) -> None:
    """Every timer of the page runs as in an hour; the socket and the desk keep their own time."""
    page = window("ben", "/notices")
    page.clock.install()
    traffic = bench.Traffic().follow(page)
    page.goto("/lists/open", wait_until="networkidle")
    listens(page)
    traffic.requests.clear()
    before = traffic.frames_out
    page.clock.run_for(HOUR_MS)
    page.wait_for_load_state("networkidle")
    assert [each.url for each in traffic.requests] == []
    assert traffic.frames_out - before == HEARTBEATS_AN_HOUR
