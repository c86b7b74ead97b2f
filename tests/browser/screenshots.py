"""Pictures of the console for the documentation: ``python -m tests.browser.screenshots`` (about a minute)."""

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, PHONE, QUIET, WIDE, sign_in
from tests.stack import LocalStack, running_stack

TARGET = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
SUBJECT = "Charged twice"
COUNTED_SECONDS = 20
SIZES = {"wide": WIDE, "phone": PHONE}


def main() -> int:
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for stack in running_stack(Path(folder) / "desk", seed=True):
            time.sleep(COUNTED_SECONDS)  # until the lists are counted
            for size in SIZES:
                for scheme in ("light", "dark"):
                    _take(browser, stack, size, scheme)
        browser.close()
    return 0


def _take(browser: Browser, stack: LocalStack, size: str, scheme: str) -> None:
    """The list and a ticket in one size and scheme."""
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, stack, "chloe")
    page.goto(f"{stack.credentials['console_url']}/lists/open")
    page.locator("html[data-live]").wait_for(state="attached")
    page.screenshot(path=TARGET / f"list-{size}-{scheme}.png")
    page.locator("#rows a", has_text=SUBJECT).click()
    page.locator("#messages").wait_for()
    page.wait_for_timeout(300)
    page.screenshot(path=TARGET / f"ticket-{size}-{scheme}.png")
    context.close()


if __name__ == "__main__":
    sys.exit(main())
