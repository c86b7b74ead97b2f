"""Pictures of the console: ``python -m tests.browser.screenshots`` (about a minute)."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.conftest import CHROMIUM, PHONE, QUIET, WIDE, sign_in
from tests.stack import LocalStack, running_stack

TARGET = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
SUBJECT = "Charged twice"
COUNTED_SECONDS = 20
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PICTURES = tuple((name, size, scheme) for name, size in (("wide", WIDE), ("phone", PHONE)) for scheme in SCHEMES)


def main() -> int:
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for stack in running_stack(Path(folder) / "desk", seed=True):
            time.sleep(COUNTED_SECONDS)  # until the lists are counted
            for name, size, scheme in PICTURES:
                _take(browser, stack, name, size, scheme)
        browser.close()
    return 0


def _take(browser: Browser, stack: LocalStack, name: str, size: ViewportSize, scheme: Scheme) -> None:
    """A list, and a ticket, beside its list where there is room."""
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    sign_in(page, stack, "chloe")
    page.goto(f"{stack.credentials['console_url']}/lists/open")
    page.locator("html[data-live]").wait_for(state="attached")
    page.screenshot(path=TARGET / f"list-{name}-{scheme}.png")
    page.locator("#rows a", has_text=SUBJECT).click()
    page.locator("#messages").wait_for()
    page.wait_for_timeout(300)
    page.screenshot(path=TARGET / f"ticket-{name}-{scheme}.png")
    context.close()


if __name__ == "__main__":
    sys.exit(main())
