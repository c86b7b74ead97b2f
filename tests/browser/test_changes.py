"""Assigning, statuses, tags, snoozing, spam and trash: each answers at once and can be undone."""

import json
import re

from playwright.sync_api import Page, expect

from chalicelib.jobs import push
from chalicelib.services.notices import Notice
from tests.browser.conftest import Window, listens, read_out
from tests.browser.held import Held
from tests.builders import NOON
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


def _changed(stack: LocalStack, page: Page, priority: str) -> None:
    """A colleague's change, once the page asks for the new head."""
    with page.expect_request(re.compile("/head$")):
        stack.api("PATCH", f"/tickets/{page.locator('#ticket').get_attribute('data-ticket')}", {"priority": priority})


def test_a_head_that_could_not_be_read_comes_with_the_next_change(stack: LocalStack, window: Window) -> None:
    """``window`` fails on a promise that nobody caught."""
    page = _ticket(stack, window, "Head unread")
    page.route(re.compile("/head$"), lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/head")):
        _changed(stack, page, "high")
    page.unroute(re.compile("/head$"))
    _changed(stack, page, "urgent")
    expect(page.get_by_label("Priority")).to_have_value("urgent")


def test_the_last_of_two_changes_stands_in_the_end(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Changed twice")
    held = Held(page, "/head$", most=2)
    _changed(stack, page, "high")
    read_out(page)
    first = held.one().fetch()
    _changed(stack, page, "urgent")
    held.one().fulfill(response=first)
    expect(page.get_by_label("Priority")).to_have_value("high")
    held.one(1).continue_()
    expect(page.get_by_label("Priority")).to_have_value("urgent")


def test_what_was_pushed_is_not_overwritten_by_what_was_read_before(stack: LocalStack, window: Window) -> None:
    first = mail("Read slowly")
    stack.send(first)
    stack.ticket_about("Read slowly")
    stack.send(mail("Re: Read slowly", In_Reply_To=first["Message-ID"]))
    page = _ticket_of(stack, window, "Read slowly", messages=2)
    shown = page.get_by_role("list", name="Conversation").get_by_role("article")
    held = Held(page, "/messages$")
    with page.expect_request(re.compile("/messages$")):
        page.evaluate("() => { one('#messages').lastElementChild.remove(); void desk.catchUp(); }")
    page.evaluate("""() => {
        const entry = one('#messages > [data-message]'), fresh = entry.cloneNode(true);
        one('.text', fresh).textContent = 'As it is by now';
        desk.frame({ message: { ticket: openTicket(), id: entry.dataset.message, read: 1e11, html: fresh.outerHTML } });
    }""")
    expect(shown.first).to_contain_text("As it is by now")
    held.one().continue_()
    expect(shown).to_have_count(2)
    expect(shown.first).to_contain_text("As it is by now")


def test_counts_that_were_pushed_are_newer_than_those_asked_for_before(window: Window) -> None:
    page = window("ben", "/lists/open")
    listens(page)
    page.wait_for_load_state("networkidle")  # what it may have missed is asked for by now
    held = Held(page, "/counts$")
    with page.expect_request(re.compile("/counts$")):
        page.evaluate("() => { window.done = false; desk.catchUp().then(() => { window.done = true; }); }")
    read_out(page)
    page.evaluate("() => desk.frame({ counts: { open: 77 } })")
    held.one()
    for route in held.routes:  # the page may have asked by itself as well
        route.fulfill(json={"open": 88})
    page.wait_for_function("() => window.done")
    assert page.locator('[data-bucket="open"]').first.inner_text() != "88"


def _ticket_of(stack: LocalStack, window: Window, subject: str, messages: int) -> Page:
    page = window("ben", f"/tickets/{stack.ticket_about(subject)['number']}?in=open")
    expect(page.get_by_role("list", name="Conversation").get_by_role("article")).to_have_count(messages)
    listens(page)
    return page


def test_a_notice_that_is_about_no_ticket_leads_to_what_is_stopped(window: Window) -> None:
    page = window("dana", "/lists/open")
    listens(page)
    frame = json.loads(push.notice_frame("dana", Notice("n1", "breaker", "", "Sending is stopped.", NOON)).text)
    page.evaluate("(frame) => desk.frame(frame)", frame)
    page.locator("#toasts").get_by_role("link", name="Sending is stopped.").click()
    expect(page.get_by_role("heading", name="Stopped sending")).to_be_visible()
