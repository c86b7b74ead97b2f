"""What a colleague does to an open ticket shows without a reload; tables keep their headings on a phone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Window, listens
from tests.stack import LocalStack, mail


def test_a_colleagues_spam_mark_and_its_end_show_at_once(stack: LocalStack, window: Window) -> None:
    stack.send(mail("Marked by a colleague"))
    number = stack.ticket_about("Marked by a colleague")["number"]
    ben, chloe = window("ben", f"/tickets/{number}?in=open"), window("chloe", f"/tickets/{number}?in=open")
    for page in (ben, chloe):
        listens(page)
    ben.get_by_label("More").click()
    ben.get_by_role("button", name="Mark as spam").click()
    expect(chloe.get_by_text("This ticket is marked as spam.")).to_be_visible(timeout=40_000)
    expect(chloe.get_by_label("Status")).to_have_value("spam")
    ben.get_by_role("button", name="Undo").last.click()
    expect(chloe.get_by_text("This ticket is marked as spam.")).to_have_count(0, timeout=40_000)
    expect(chloe.get_by_label("Status")).to_have_value("open")


def test_a_tables_headings_stay_with_its_cells_on_a_phone(window: Window) -> None:
    page = window("ada", "/settings/agents", phone=True)
    row = page.get_by_role("row").or_(page.locator("tbody tr")).filter(has_text="ben@northwind-mugs.example").first
    label = "(cell) => getComputedStyle(cell, '::before').content"
    shown = [cell.evaluate(label) for cell in row.locator("td").all()]
    assert [re.sub(r"[^A-Za-z ]", "", each).strip() for each in shown] == ["Role", "Teams", "Second factor", "State"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_row_that_was_overtaken_on_its_way_changes_nothing(stack: LocalStack, window: Window) -> None:
    """Two workers push at once: what was read earlier may come later."""
    stack.send(mail("Overtaken"))
    number = str(stack.ticket_about("Overtaken")["number"])
    page = window("ben", "/lists/open")
    row = page.locator(f"#t-{number}")
    expect(row).to_be_visible()
    push = """([ticket, version, lists]) => desk.frame({ row: {
        ticket, version, lists, html: document.getElementById(`t-${ticket}`).outerHTML,
    } })"""
    page.evaluate(push, [number, 1000, ["open"]])
    page.evaluate(push, [number, 999, []])
    expect(row).to_be_visible()
    page.evaluate(push, [number, 1001, []])
    expect(row).to_have_count(0)
