"""Two tickets of one customer become one, and two again, by mouse and keyboard."""

from playwright.sync_api import expect

from tests.browser.conftest import Window
from tests.stack import LocalStack, mail


def test_an_agent_merges_a_customers_tickets_answers_and_takes_them_apart(stack: LocalStack, window: Window) -> None:
    stack.send(mail("First matter", "The mug is broken."))
    first = stack.ticket_about("First matter")["number"]
    stack.send(mail("Second matter", "And the lid as well."))
    second = stack.ticket_about("Second matter")["number"]
    page = window("ben", f"/tickets/{first}?in=open")
    page.get_by_role("checkbox", name=f"Merge #{second}").check()
    page.get_by_role("button", name="Merge into this ticket").click()
    toast = page.locator(".toast").filter(has_text=f"Merged #{second} into this ticket.")
    expect(toast).to_be_visible()
    for words in ("The mug is broken.", "And the lid as well."):
        expect(page.locator("#messages").get_by_text(words)).to_be_visible()
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("#messages").get_by_text("And the lid as well.")).to_be_hidden()
    page.goto(f"/tickets/{second}?in=open")
    page.locator("#more-menu").click()
    page.get_by_label("Merge into ticket number").fill(f"#{first}")
    page.keyboard.press("Enter")
    expect(page.locator("#ticket")).to_have_attribute("data-ticket", str(first))
    expect(page.locator("#messages").get_by_text("And the lid as well.")).to_be_visible()
    page.goto(f"/tickets/{second}")
    expect(page.get_by_text(f"Ticket #{second} was merged into this one.")).to_be_visible()
    page.locator("#more-menu").click()
    page.get_by_role("button", name=f"Take #{second} out again").click()
    expect(page.locator(".toast").filter(has_text=f"Took #{second} out again.")).to_be_visible()
    page.goto(f"/tickets/{second}")
    expect(page.locator("#ticket")).to_have_attribute("data-ticket", str(second))
