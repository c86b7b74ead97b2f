"""Assigning, statuses, tags, snoozing, spam and trash: each answers at once and can be undone."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Window, listens
from tests.stack import LocalStack, mail


def _ticket(stack: LocalStack, window: Window, subject: str) -> Page:
    stack.send(mail(subject))
    number = stack.ticket_about(subject)["number"]
    page = window("ben", f"/tickets/{number}?in=open")
    listens(page)
    return page


def test_the_assignee_is_told(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Somebody else's")
    page.get_by_label("Assignee").select_option(label="Chloe Marsh")
    expect(page.get_by_text("Assigned to Chloe Marsh.")).to_be_visible()
    expect(page.get_by_text("assigned it to Chloe Marsh")).to_be_visible(timeout=40_000)
    chloe = window("chloe", "/notices")
    expect(chloe.get_by_role("link", name=re.compile("Somebody else's"))).to_be_visible()


def test_resolving_takes_it_off_the_list_and_undo_brings_it_back(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Quickly done")
    row = page.get_by_role("list", name="Tickets").get_by_text("Quickly done")
    expect(row).to_be_visible()
    page.keyboard.press("e")
    expect(row).to_have_count(0, timeout=40_000)
    page.get_by_role("button", name="Undo").last.click()
    expect(row).to_be_visible(timeout=40_000)
    expect(page.get_by_label("Status")).to_have_value("open")


def test_tags_and_snooze(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Tagged")
    page.keyboard.press("t")
    page.get_by_label("Tags, with commas between").fill("Refund, damaged")
    page.keyboard.press("Enter")
    expect(page.locator(".tag", has_text="refund")).to_be_visible()
    page.keyboard.press("z")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("^Comes back"))).to_be_visible()
    expect(page.get_by_role("list", name="Tickets").get_by_text("Tagged")).to_have_count(0, timeout=40_000)


def test_spam_and_trash_can_be_undone(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Buy watches")
    for words in ("Mark as spam", "Move to the trash"):
        page.get_by_label("More").click()
        page.get_by_role("button", name=words).click()
        page.get_by_role("button", name="Undo").last.click()
        expect(page.get_by_label("Status")).to_have_value("open")


def test_a_ticket_made_by_hand(window: Window) -> None:
    page = window("ben", "/new")
    page.get_by_label("Customer's address").fill("not an address")
    page.get_by_role("textbox", name="Subject").fill("Called about a refund")
    page.get_by_label("Message").fill("She would like her money back.")
    page.get_by_label("Note down what a customer told us").check()
    page.get_by_role("button", name="Create the ticket").click()
    expect(page.get_by_text("is not an e-mail address")).to_be_visible()
    expect(page.get_by_label("Message")).to_have_value("She would like her money back.")
    page.get_by_label("Customer's address").fill("grace@example.org")
    page.get_by_role("button", name="Create the ticket").click()
    expect(page.get_by_role("heading", name=re.compile("Called about a refund"))).to_be_visible()


def test_search_finds_a_number(stack: LocalStack, window: Window) -> None:
    stack.send(mail("Findable by its number"))
    number = stack.ticket_about("Findable by its number")["number"]
    page = window("ben", "/lists/mine")
    page.keyboard.press("/")
    page.keyboard.type(f"#{number}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Tickets").get_by_text("Findable by its number")).to_be_visible()
