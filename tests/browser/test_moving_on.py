"""What was asked about one ticket never lands in another, and is not lost when the agent has moved on."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Window, listens, read_out
from tests.browser.held import Held
from tests.stack import LocalStack, mail


def _two(stack: LocalStack, window: Window, about: str) -> tuple[Page, str]:
    """A window on the first of two tickets; the second is in the list beside it."""
    for subject in (f"{about} other", f"{about} first"):
        stack.send(mail(subject))
    number = stack.ticket_about(f"{about} first")["number"]
    page = window("ben", f"/tickets/{number}?in=open")
    listens(page)
    return page, str(number)


def _move_on(page: Page, about: str) -> None:
    page.get_by_role("list", name="Tickets").get_by_role("link", name=re.compile(f"{about} other")).click()
    expect(page.get_by_role("heading", name=re.compile(f"{about} other"))).to_be_visible()


def _write(page: Page, words: str) -> None:
    page.get_by_role("textbox", name="Answer").fill(words)
    page.get_by_role("button", name="Send", exact=True).click()


def test_undo_of_a_send_leads_to_its_own_ticket(stack: LocalStack, window: Window) -> None:
    page, number = _two(stack, window, "Undo a send")
    _write(page, "Sent too early")
    page.locator(".toast").get_by_role("button", name="Undo").wait_for()
    _move_on(page, "Undo a send")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name=re.compile(f"Undo a send first #{number}"))).to_be_visible()
    expect(page.get_by_role("textbox", name="Answer")).to_have_text("Sent too early")


def test_undo_of_a_change_leaves_the_open_ticket_alone(stack: LocalStack, window: Window) -> None:
    page, number = _two(stack, window, "Undo a change")
    page.get_by_label("Priority").select_option("urgent")
    page.locator(".toast").get_by_role("button", name="Undo").wait_for()
    _move_on(page, "Undo a change")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Priority normal.")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("Undo a change other"))).to_be_visible()
    assert number not in page.locator("#ticket-head").inner_html()
    page.goto(f"/tickets/{number}")
    expect(page.get_by_label("Priority")).to_have_value("normal")


def test_undo_works_from_a_list_with_no_ticket_open(stack: LocalStack, window: Window) -> None:
    page, number = _two(stack, window, "Undo from a list")
    _write(page, "Back from the list")
    page.locator(".toast").get_by_role("button", name="Undo").wait_for()
    page.get_by_role("navigation", name="Lists").get_by_role("link", name=re.compile("Waiting longest")).click()
    expect(page.get_by_role("heading", name="No ticket open")).to_be_visible()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(f"/tickets/{number}"))
    expect(page.get_by_role("textbox", name="Answer")).to_have_text("Back from the list")


def test_the_answer_to_a_send_still_comes_after_moving_on(stack: LocalStack, window: Window) -> None:
    page, number = _two(stack, window, "Slow send")
    held = Held(page, f"/tickets/{number}/write")
    _write(page, "Slow but sure")
    _move_on(page, "Slow send")
    held.one().continue_()
    expect(page.locator(".toast", has_text="Sending to")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("Slow send other"))).to_be_visible()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="Answer")).to_have_text("Slow but sure")
    expect(page).to_have_url(re.compile(f"/tickets/{number}"))


def test_a_refused_send_is_told_after_moving_on_and_its_words_are_kept(stack: LocalStack, window: Window) -> None:
    page, number = _two(stack, window, "Refused send")
    held = Held(page, f"/tickets/{number}/write")
    page.get_by_label("To", exact=True).fill("nobody at all")
    _write(page, "Words worth keeping")
    _move_on(page, "Refused send")
    held.one().continue_()
    told = page.locator(".toast.bad").get_by_role("link", name=re.compile(f"#{number}: .*not an e-mail address"))
    expect(told).to_be_visible()
    told.click()
    expect(page.get_by_role("textbox", name="Answer")).to_have_text("Words worth keeping")


def test_the_head_of_a_ticket_never_stands_above_another(stack: LocalStack, window: Window) -> None:
    page, number = _two(stack, window, "Late head")
    held = Held(page, f"/tickets/{number}/head")
    with page.expect_request(re.compile(f"/tickets/{number}/head")):
        stack.api("PATCH", f"/tickets/{number}", {"priority": "urgent"})
    _move_on(page, "Late head")
    with page.expect_response(re.compile(f"/tickets/{number}/head")):
        held.one().continue_()
    read_out(page)
    expect(page.get_by_role("heading", name=re.compile("Late head other"))).to_be_visible()
    assert f"/tickets/{number}/" not in page.locator("#ticket-head").evaluate("(head) => head.outerHTML")


def test_rows_of_one_list_do_not_come_into_another(stack: LocalStack, window: Window) -> None:
    stack.send(mail("Nobody's yet"))
    number = stack.ticket_about("Nobody's yet")["number"]
    page = window("ben", "/lists/open")
    listens(page)
    expect(page.locator(f"#t-{number}")).to_be_visible()
    held = Held(page, "/lists/open/rows")
    with page.expect_request(re.compile("/lists/open/rows")):
        page.evaluate("() => void desk.catchUp()")
    page.get_by_role("navigation", name="Lists").get_by_role("link", name=re.compile("Mine")).click()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    with page.expect_response(re.compile("/lists/open/rows")):
        held.one().continue_()
    read_out(page)
    expect(page.locator(f"#t-{number}")).to_have_count(0)


def test_a_message_that_arrives_as_the_agent_leaves_is_not_counted_as_read_elsewhere(
    stack: LocalStack, window: Window
) -> None:
    first = mail("Leaving first")
    for subject in (mail("Leaving other"), first):
        stack.send(subject)
    number, other = (str(stack.ticket_about(f"Leaving {which}")["number"]) for which in ("first", "other"))
    page = window("ben", "/keys")
    held = Held(page, r"/tools\.js")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/tickets/{number}?in=open")
    listens(page)
    stack.send(mail("Re: Leaving first", In_Reply_To=first["Message-ID"]))
    entries = page.get_by_role("list", name="Conversation").get_by_role("article")
    expect(entries).to_have_count(2)
    _move_on(page, "Leaving")
    shown = page.locator("#composer [name=last_seen]").input_value()
    with page.expect_response(re.compile(r"/tools\.js")):
        held.one().continue_()
    page.evaluate("() => tools()")
    read_out(page)
    assert page.locator("#composer [name=last_seen]").input_value() == shown
    assert page.locator("#announce").inner_text() == f"Ticket {other} is open: Leaving other"
    assert not any(url.endswith(f"/tickets/{other}/seen") for url in asked)
