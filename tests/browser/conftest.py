"""A real Chromium on a whole local stack with demo data.  Each test has windows of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from tests.stack import LocalStack, running_stack

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
STEP_MS = 40_000
expect.set_options(timeout=STEP_MS)

Window = Callable[..., Page]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    yield from running_stack(tmp_path_factory.mktemp("desk"), seed=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, "--disable-sync"])
        yield browser
        browser.close()


def password_of(stack: LocalStack, name: str) -> tuple[str, str]:
    """Address and password of a demo agent by first name."""
    agents: list[dict[str, str]] = stack.credentials["agents"]
    found = next(each for each in agents if each["email"].startswith(name))
    return found["email"], found["password"]


def sign_in(page: Page, stack: LocalStack, name: str) -> None:
    email, password = password_of(stack, name)
    page.goto(f"{stack.credentials['console_url']}/sign-in")
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Mine").wait_for()


@pytest.fixture(scope="session")
def cookies(stack: LocalStack, chromium: Browser) -> Callable[[str], Any]:
    """The cookies of a signed-in agent; each signs in once."""
    known: dict[str, Any] = {}

    def of(name: str) -> Any:
        if name not in known:
            context = chromium.new_context()
            sign_in(context.new_page(), stack, name)
            known[name] = context.cookies()
            context.close()
        return known[name]

    return of


@pytest.fixture
def window(stack: LocalStack, chromium: Browser, cookies: Callable[[str], Any]) -> Iterator[Window]:
    """Open a window as an agent: ``window("ben", "/lists/open")``.  A script error or a refused resource fails."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(name: str, path: str = "/lists/open", phone: bool = False, **options: Any) -> Page:
        size = PHONE if phone else WIDE
        context = chromium.new_context(base_url=stack.credentials["console_url"], viewport=size, **options)
        contexts.append(context)
        context.add_cookies(cookies(name))
        context.set_default_timeout(STEP_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(path)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def listens(page: Page) -> None:
    """Wait until the window's socket is open."""
    page.locator("html[data-live]").wait_for(state="attached")


def read_out(page: Page) -> None:
    """Wait until what the window asked for so far has left it, and every answer it got is dealt with."""
    page.evaluate("() => fetch('/session').then((answer) => answer.text())")
