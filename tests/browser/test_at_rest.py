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
def measured(
    stack: LocalStack, chromium: Browser, cookies: Callable[[str], Any]
) -> Iterator[Callable[[], BrowserContext]]:
    contexts: list[BrowserContext] = []

    def window() -> BrowserContext:
        contexts.append(bench.window(chromium, stack.credentials, cookies("ben")))
        return contexts[-1]

    yield window
    for each in contexts:
        each.close()


def test_a_first_load_and_an_opened_ticket_keep_to_their_limits(
    stack: LocalStack, measured: Callable[[], BrowserContext]
) -> None:
    for subject in ("Weighed first", "Weighed second"):
        stack.send(mail(subject))
        stack.ticket_about(subject)
    figures = bench.undisturbed(measured(), stack.credentials)
    figures |= bench.moving(measured(), stack.credentials)
    over = {name: figures[name] for name, limit in bench.LIMITS.items() if name in figures and figures[name] > limit}
    assert over == {}
    assert figures["script_bytes"] > 0 and figures["ticket_fragment_bytes"] > 0


def test_a_console_left_alone_asks_for_nothing(measured: Callable[[], BrowserContext]) -> None:
    figures = bench.idle(measured().new_page(), IDLE_SECONDS)
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
