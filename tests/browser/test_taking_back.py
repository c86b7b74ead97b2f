"""Undo in a real browser: what was typed since stays where it is, whoever takes the answer back."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Window
from tests.stack import LocalStack, mail


def _answered(stack: LocalStack, window: Window, subject: str) -> tuple[Page, str]:
    stack.send(mail(subject, "Please answer."))
    number = stack.ticket_about(subject)["number"]
    page = window("ben", f"/tickets/{number}?in=open")
    page.keyboard.press("r")
    page.keyboard.type("Too quick")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast").get_by_role("button", name="Undo")).to_be_visible()
    return page, number


def test_a_note_begun_after_sending_stays_and_the_answer_is_used_behind_it(stack: LocalStack, window: Window) -> None:
    page, _ = _answered(stack, window, "Typed since")
    page.keyboard.press("n")
    note = page.get_by_role("textbox", name="Note")
    expect(note).to_be_focused()
    page.keyboard.type("Ask the warehouse")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Its text stands in the conversation.")).to_be_visible()
    expect(note).to_have_value("Ask the warehouse")
    line = page.locator(".event").filter(has_text="took a reply back")
    line.get_by_text("Show it").click()
    expect(line.locator(".text")).to_have_text("Too quick")
    line.get_by_role("button", name="Use this text").click()
    expect(note).to_have_value("Ask the warehouse\n\nToo quick")
    expect(page.get_by_text("Draft kept")).to_be_visible()
    page.evaluate("document.body.dataset.role = 'viewer'")  # who gets the same lines, and can write nothing
    expect(line.locator(".text")).to_be_visible()
    expect(line.get_by_role("button", name="Use this text")).to_be_hidden()
    page.reload()
    expect(note).to_have_value("Ask the warehouse\n\nToo quick")


def test_a_colleagues_undo_leaves_both_their_words(stack: LocalStack, window: Window) -> None:
    ben, number = _answered(stack, window, "Two writers")
    chloe = window("chloe", f"/tickets/{number}?in=open")
    chloe.keyboard.press("n")
    expect(chloe.get_by_role("textbox", name="Note")).to_be_focused()
    chloe.keyboard.type("My own words")
    chloe.locator(".delivery").get_by_role("button", name="Undo").click()
    expect(chloe.locator(".event").filter(has_text="’s reply back")).to_be_visible()
    expect(chloe.get_by_role("textbox", name="Note")).to_have_value("My own words")
    ben.reload()
    expect(ben.get_by_role("textbox", name="Answer")).to_have_text("Too quick")
    chloe.reload()
    expect(chloe.get_by_role("textbox", name="Note")).to_have_value("My own words")
