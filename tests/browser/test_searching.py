"""Searching as an agent does it: "/" and words of a message, what was understood, and what can be typed."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Window
from tests.stack import LocalStack, mail

SERIOUS = ("serious", "critical")


def test_words_of_a_message_are_found_by_keyboard(stack: LocalStack, window: Window) -> None:
    stack.send(mail("A question", "The glaze of my Kintsugi bowl has crazed. Is that meant?"))
    number = stack.ticket_about("A question")["number"]
    page = window("ben", "/lists/open")
    page.keyboard.press("/")
    page.keyboard.type('GLAZE "kintsugi bowl" is:open')
    page.keyboard.press("Enter")
    expect(page.locator("#understood")).to_contain_text("“kintsugi bowl” together; is open")
    row = page.locator("#rows a").filter(has_text="A question")
    expect(row).to_have_count(1)
    found = [each for each in Axe().run(page).response["violations"] if each["impact"] in SERIOUS]
    assert found == []
    row.click()
    expect(page.locator("#ticket")).to_have_attribute("data-ticket", str(number))


def test_where_nothing_is_found_the_page_says_what_can_be_typed(stack: LocalStack, window: Window) -> None:
    page = window("ben", "/search?q=brontosaurus")
    expect(page.locator("#syntax")).to_contain_text("from:ada@example.com")
    page.goto("/search?q=is:lost")
    expect(page.get_by_text("That cannot be searched for")).to_be_visible()
