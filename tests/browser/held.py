"""Requests of a window that a test holds back, to let go when it wants."""

import re

from playwright.sync_api import Page, Route

from tests.browser.conftest import STEP_MS

LOOK_MS = 20


class Held:
    """``most``: what the window asks for beyond so many passes."""

    def __init__(self, page: Page, asked: str, most: int | None = None) -> None:
        self._page, self._most = page, most
        self.routes: list[Route] = []
        page.route(re.compile(asked), self._hold)

    def _hold(self, route: Route) -> None:
        if self._most is not None and len(self.routes) >= self._most:
            route.continue_()
        else:
            self.routes.append(route)

    def one(self, n: int = 0) -> Route:
        """The request of that number, from 0.  The window may be about to ask: it is waited for."""
        for _ in range(STEP_MS // LOOK_MS):
            if len(self.routes) > n:
                return self.routes[n]
            self._page.wait_for_timeout(LOOK_MS)
        raise AssertionError(f"the window asked {len(self.routes)} times, not {n + 1}")
