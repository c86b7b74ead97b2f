"""The main job: a customer writes, an agent sees it live, answers, and the customer gets one mail."""

import email
import re
import time
from collections.abc import Callable
from email import policy

from playwright.sync_api import FilePayload, Page, expect

from bench.desk import function_environment
from local.engine import client
from tests.browser.conftest import Window, listens
from tests.stack import LocalStack, mail, wait_for

WINDOW_SECONDS = 10
"""In which an answer by mail can be taken back."""


def test_mail_appears_live_and_the_answer_leaves_once(
    stack: LocalStack, window: Window, record_property: Callable[[str, object], None]
) -> None:
    subject = "The handle broke off"
    ben, chloe = window("ben"), window("chloe")
    listens(ben)
    listens(chloe)
    question = mail(subject, "It broke on the first day.")
    stack.send(question)
    accepted = time.monotonic()
    for page in (ben, chloe):
        expect(page.get_by_role("list", name="Tickets").get_by_text(subject)).to_be_visible(timeout=40_000)
    record_property("seconds from acceptance to shown in two windows", round(time.monotonic() - accepted, 2))

    ben.get_by_role("link", name=re.compile(subject)).click()
    expect(ben.get_by_role("heading", name=re.compile(subject))).to_be_visible()
    ben.keyboard.press("r")
    ben.keyboard.type("Sorry to hear that.\n\nA new one is on its way.")
    ben.keyboard.press("Control+Enter")
    conversation = ben.get_by_role("list", name="Conversation")
    expect(conversation.get_by_text("A new one is on its way.")).to_be_visible()
    expect(conversation.get_by_text(re.compile("^(Sent|Delivered)"))).to_be_visible(timeout=40_000)

    answers = [each for each in stack.sent_mails() if "lina.meyer@example.com" in str(each["rcpt_to"])]
    (answer,) = [each for each in answers if b"A new one is on its way" in each["eml"]]
    sent = email.message_from_bytes(answer["eml"], policy=policy.default)
    assert sent["In-Reply-To"] == question["Message-ID"]
    assert str(question["Message-ID"]) in sent["References"]

    again = mail(
        f"Re: {subject}", "Thank you!", In_Reply_To=str(sent["Message-ID"]), References=str(sent["References"])
    )
    stack.send(again)
    expect(conversation.get_by_text("Thank you!")).to_be_visible(timeout=40_000)
    assert len([each for each in stack.tickets() if subject in each["subject"]]) == 1


def test_without_the_socket_mail_appears_by_polling(stack: LocalStack, window: Window) -> None:
    page = window("ben", "/lists/mine")
    page.context.route_web_socket(re.compile("/live"), lambda socket: socket.close())
    page.route(re.compile("/live-pass"), lambda route: route.abort())
    page.goto("/lists/open")
    stack.send(mail("Seen without a socket"))
    expect(page.get_by_text("Seen without a socket")).to_be_visible(timeout=40_000)


def deliveries(stack: LocalStack, number: str) -> dict[str, str]:
    """What the table holds of a ticket that is to be sent, was, or will not be: states by message."""
    known = function_environment(stack.credentials)
    found = client(known["AWS_ENDPOINT_URL"], "dynamodb").query(
        TableName=known["TABLE_NAME"],
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": f"TICKET#{number}"}, ":sk": {"S": "DELIVERY#"}},
    )
    return {each["sk"]["S"].removeprefix("DELIVERY#"): each["state"]["S"] for each in found["Items"]}


def _ticket(stack: LocalStack, window: Window, subject: str, agent: str = "ben", text: str = "Please answer.") -> Page:
    stack.send(mail(subject, text))
    number = stack.ticket_about(subject)["number"]
    return window(agent, f"/tickets/{number}?in=open")


def test_an_answer_taken_back_is_never_sent(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Taken back")
    page.keyboard.press("r")
    page.keyboard.type("This was too quick")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Undo").last.click()
    expect(page.get_by_role("textbox", name="Answer")).to_contain_text("This was too quick")
    expect(page.get_by_text("took a reply back")).to_be_visible()
    number = stack.ticket_about("Taken back")["number"]
    assert list(deliveries(stack, number).values()) == ["cancelled"]
    stack.local("clock", {"advance_seconds": WINDOW_SECONDS + 5})  # and what comes of it is waited for
    assert list(deliveries(stack, number).values()) == ["cancelled"]
    assert not any(b"too quick" in each["eml"] for each in stack.sent_mails())


def test_a_draft_shows_on_a_second_device(stack: LocalStack, window: Window) -> None:
    laptop = _ticket(stack, window, "Drafted")
    laptop.keyboard.press("r")
    laptop.keyboard.type("Half a sentence")
    expect(laptop.get_by_text("Draft kept")).to_be_visible(timeout=5_000)
    phone = window("ben", laptop.url, phone=True)
    expect(phone.get_by_role("textbox", name="Answer")).to_have_text("Half a sentence")


def test_an_answer_to_what_has_moved_on_is_stopped(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Two at once")
    number = stack.ticket_about("Two at once")["number"]
    page.keyboard.press("r")
    page.keyboard.type("My answer")
    page.context.set_offline(True)
    stack.api("POST", f"/tickets/{number}/messages", {"kind": "reply", "text": "From the other side"})
    page.context.set_offline(False)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("wrote while you typed").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Answer")).to_have_text("My answer")
    page.get_by_role("button", name="Send anyway").click()
    expect(page.get_by_role("list", name="Conversation").get_by_text("My answer")).to_be_visible()


def test_a_note_is_seen_by_colleagues_at_once_and_never_sent(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Noted")
    colleague = window("chloe", page.url)
    listens(colleague)
    page.keyboard.press("n")
    page.get_by_role("textbox", name="Note").fill("Ask the carrier first")
    page.keyboard.press("Control+Enter")
    note = colleague.get_by_role("article", name="Note by Ben Okafor")
    expect(note).to_contain_text("Ask the carrier first", timeout=40_000)
    assert deliveries(stack, stack.ticket_about("Noted")["number"]) == {}, "a delivery would be sent in its time"


def test_formatting_and_files_arrive(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Formatted")
    page.keyboard.press("r")
    page.keyboard.type("This is ")
    page.keyboard.press("Control+b")
    page.keyboard.type("important")
    label: FilePayload = {"name": "label.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 a label"}
    page.locator("input[type=file]").set_input_files([label])
    expect(page.get_by_role("checkbox", name="Send label.pdf")).to_be_checked()
    page.get_by_role("button", name="Send", exact=True).click()

    def arrived() -> bytes | None:
        return next((each["eml"] for each in stack.sent_mails() if b"label.pdf" in each["eml"]), None)

    raw = wait_for(arrived, 40, what="the formatted mail")
    assert raw is not None
    sent = email.message_from_bytes(raw, policy=policy.default)
    html = sent.get_body(("html",))
    assert html is not None
    assert re.search(r"<(b|strong)>important</", html.get_content())
    assert [part.get_content() for part in sent.iter_attachments()] == [b"%PDF-1.4 a label"]


def test_what_cannot_be_sent_is_kept_and_says_why(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Wrong address")
    page.keyboard.press("r")
    page.keyboard.type("Words I do not want to lose")
    page.get_by_label("To", exact=True).fill("nobody at home")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("is not an e-mail address").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Answer")).to_have_text("Words I do not want to lose")


def test_changed_recipients_are_marked(stack: LocalStack, window: Window) -> None:
    page = _ticket(stack, window, "Recipients")
    page.keyboard.press("r")
    page.get_by_label("To", exact=True).fill("lina.meyer@example.com, lawyer@example.net")
    expect(page.get_by_text("Added since the last mail: lawyer@example.net.")).to_be_visible()
