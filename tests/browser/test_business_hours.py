"""An admin says when the shop answers: mistakes are shown where they are, holidays come by themselves."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Window
from tests.stack import LocalStack


def test_business_hours_are_set(stack: LocalStack, window: Window) -> None:
    admin = next(each for each in stack.credentials["agents"] if each["role"] == "admin")
    page = window(admin["email"].split("@")[0], "/settings/me")
    page.get_by_role("link", name="Business hours").click()
    page.get_by_role("link", name="Add business hours").click()
    page.get_by_label("Name").fill("Night watch")
    page.get_by_label("Friday").fill("22:00-06:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("22:00-24:00 here, and 00:00-06:00 on the next day")).to_be_visible()
    page.get_by_label("Friday").fill("22:00-24:00")
    page.get_by_label("Saturday").fill("00:00-06:00")
    page.get_by_label("Public holidays of").select_option("Germany")
    page.get_by_label("Also closed on").fill("2030-12-24 Christmas Eve")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    row = page.get_by_role("row", name="Night watch")
    expect(row).to_contain_text("Sat 00:00-06:00")
    row.get_by_role("link", name="Night watch").click()
    expect(page.get_by_role("heading", name="Closed next on")).to_be_visible()
    page.get_by_label("Region").select_option("Bayern")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Region")).to_have_value("BY")
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Delete the business hours Night watch").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()
