"""Saved replies as an agent meets them: "/" in the answer, by keyboard alone, filled, sent or refused."""

import email
import re
from email import policy
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Window
from tests.stack import LocalStack, mail, wait_for

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module", autouse=True)
def kept(stack: LocalStack) -> None:
    for name, shortcut, text in (
        (
            "Shipping times",
            "shipping",
            "Hello {customer.first_name},\n\nit left our house today.\n\n{agent.first_name}",
        ),
        ("Shelf life", "shelf", "Mugs keep for ever, {customer.name}."),
        ("Order is late", "late", "Sorry! Your order {order.number} is late: {tracking.url}"),
    ):
        stack.api("POST", "/saved-replies", {"name": name, "shortcut": shortcut, "texts": {"en": text}})


def _open(stack: LocalStack, window: Window, subject: str) -> Page:
    stack.send(mail(subject, "Please answer."))
    page = window("ben", f"/tickets/{stack.ticket_about(subject)['number']}?in=open")
    page.keyboard.press("r")
    return page


def _options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Saved replies").get_by_role("option")


def _sent(stack: LocalStack, words: bytes) -> Any:
    """The mail that holds these words, once it left."""
    found: list[Any] = []

    def left() -> bool:
        found[:] = [each for each in stack.sent_mails() if words in each["eml"]]
        return bool(found)

    wait_for(left, 40, what="a mail")
    return email.message_from_bytes(found[0]["eml"], policy=policy.default)


def test_by_keyboard_it_is_found_filled_and_sent(stack: LocalStack, window: Window) -> None:
    page = _open(stack, window, "Filled by keyboard")
    page.keyboard.type("/sh")
    expect(_options(page)).to_have_count(2)
    answer = page.get_by_role("textbox", name="Answer")
    expect(_options(page).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(answer).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    violations = [each["id"] for each in Axe().run(page).response["violations"] if each["impact"] in SERIOUS]
    assert violations == []
    page.keyboard.type("ip")
    expect(_options(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(answer).to_contain_text("it left our house today.")
    expect(_options(page)).to_have_count(0)
    page.keyboard.type(" of the mug shop")
    page.keyboard.press("Control+Enter")
    conversation = page.get_by_role("list", name="Conversation")
    expect(conversation.get_by_text("it left our house today.")).to_be_visible()
    body = _sent(stack, b"of the mug shop").get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert body.startswith("Hello Lina,\n\nit left our house today.\n\nBen of the mug shop\n")


def test_what_is_not_known_is_selected_and_stops_the_answer(stack: LocalStack, window: Window) -> None:
    page = _open(stack, window, "Not all is known")
    page.keyboard.type("One moment. /late")
    expect(_options(page)).to_have_count(1)
    page.keyboard.press("Enter")
    answer = page.get_by_role("textbox", name="Answer")
    expect(answer).to_have_text("One moment. Sorry! Your order {order.number} is late: {tracking.url}")
    expect(page.get_by_text("Still to fill in: {order.number}, {tracking.url}.")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"\{order.number\}, \{tracking.url\} are not filled in"))).to_be_visible()
    answer = page.get_by_role("textbox", name="Answer")
    expect(answer).to_have_attribute("aria-invalid", "true")
    expect(answer).to_have_text("One moment. Sorry! Your order {order.number} is late: {tracking.url}")
    answer.fill("One moment. Sorry! Your order 10482 is late.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("list", name="Conversation").get_by_text("Your order 10482 is late")).to_be_visible()


def test_the_first_that_is_not_known_is_typed_over(stack: LocalStack, window: Window) -> None:
    page = _open(stack, window, "Typed over")
    page.keyboard.type("/late")
    expect(_options(page)).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Still to fill in")).to_be_visible()
    page.keyboard.type("10482")
    expect(page.get_by_role("textbox", name="Answer")).to_contain_text("Your order 10482 is late: {tracking.url}")


def test_escape_leaves_the_words_and_a_path_is_no_shortcut(stack: LocalStack, window: Window) -> None:
    page = _open(stack, window, "No shortcut")
    page.keyboard.type("/sh")
    expect(_options(page)).to_have_count(2)
    page.keyboard.press("Escape")
    expect(_options(page)).to_have_count(0)
    page.keyboard.type("elf and/or /usr/bin https://a.example/sh")
    page.keyboard.press("Enter")
    page.keyboard.type("end")
    answer = page.get_by_role("textbox", name="Answer")
    expect(answer).to_contain_text("/shelf and/or /usr/bin https://a.example/sh")
    expect(answer).to_contain_text("end")
    expect(_options(page)).to_have_count(0)


def test_with_a_mouse_into_a_note(stack: LocalStack, window: Window) -> None:
    page = _open(stack, window, "With a mouse")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    note = page.get_by_role("textbox", name="Note")
    note.fill("Told them:")
    page.get_by_role("button", name="Saved replies").click()
    expect(_options(page)).to_have_count(3)
    page.keyboard.type("shelf")
    _options(page).first.click()
    expect(note).to_have_value("Told them: Mugs keep for ever, Lina Meyer.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("list", name="Conversation").get_by_text("Mugs keep for ever")).to_be_visible()


def test_settings_find_nothing_serious(stack: LocalStack, window: Window) -> None:
    page = window("ben", "/settings/replies")
    expect(page.get_by_role("row", name=re.compile("Shipping times"))).to_be_visible()
    for path in ("/settings/replies", "/settings/replies/new"):
        page.goto(path)
        found = [each["id"] for each in Axe().run(page).response["violations"] if each["impact"] in SERIOUS]
        assert found == [], path
