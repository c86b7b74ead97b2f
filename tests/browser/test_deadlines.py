"""An agent sees by when to answer and why; an open page counts on by itself, and turns red when it is too late."""

import re
from datetime import UTC, datetime

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Window
from tests.stack import LocalStack, mail

BAD = re.compile(r"\bbad\b")
DUE, LATE = re.compile(r"due in \d+ (min|h|d)"), re.compile(r"late since .*\d\d:\d\d")


def test_a_deadline_is_seen_and_runs_out_on_an_open_page(stack: LocalStack, window: Window) -> None:
    stack.send(mail("By when to answer", "When will it come?"))
    number = str(stack.ticket_about("By when to answer")["number"])
    page = window("ben", "/notices")
    page.clock.install()
    page.goto("/lists/open")
    row = page.locator(f"#t-{number}")
    expect(row.locator(".due")).to_have_text(DUE)
    row.get_by_role("link").click()
    head = page.locator("#deadline")
    expect(head).to_contain_text("Answer by")
    head.locator("summary").click()
    expect(head).to_contain_text("Promised: 1 h")
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    answer_by = datetime.fromisoformat(head.locator("time").first.get_attribute("datetime") or "")
    page.clock.fast_forward(int((answer_by - datetime.now(UTC)).total_seconds() + 90) * 1000)
    expect(row.locator(".due")).to_have_text(LATE)
    expect(row.locator(".due")).to_have_class(BAD)
    expect(head.locator(".due")).to_have_text(LATE)
    expect(head.locator(".due")).to_have_class(BAD)
    page.get_by_label("Status").select_option("pending")
    expect(head).to_contain_text("The clock stands while it is pending")
    expect(row.locator(".due")).to_have_count(0)
