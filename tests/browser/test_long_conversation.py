"""A ticket with 2,000 messages opens as quickly as any other; what is earlier comes when it is looked for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from bench.desk import function_environment
from chalicelib.domain.message import Message
from chalicelib.domain.moments import sortable_id
from chalicelib.store import messages
from chalicelib.store.codec import decode
from chalicelib.store.messages import CONVERSATION_PAGE
from local.engine import client
from tests.browser.conftest import Window, read_out
from tests.stack import LocalStack, mail

MESSAGES = 2_000
MAX_DOCUMENT_BYTES = 200_000
MAX_PAINT_MS = 5_000
"""Far above what it takes: this machine may be busy."""
WORDS = "The parcel stands in Hamburg since Tuesday, and nobody there picks up the telephone. "
LAST = "And the last word is mine."
EARLIER = "Show earlier messages"
PLACE = """() => {
  const scroll = document.querySelector("#scroll");
  scroll.scrollTop = -scroll.scrollHeight;
  return document.querySelector("#messages [data-message]").id;
}"""


@pytest.fixture(scope="module")
def number(stack: LocalStack) -> str:
    """A ticket: one mail, and before it all that was written earlier, put into the table as an import does."""
    stack.send(mail("Two thousand words", LAST))
    number = str(stack.ticket_about("Two thousand words")["number"])
    known = function_environment(stack.credentials)
    table, dynamodb = known["TABLE_NAME"], client(known["AWS_ENDPOINT_URL"], "dynamodb")
    query: dict[str, Any] = {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
        "ExpressionAttributeValues": {":pk": {"S": f"TICKET#{number}"}, ":sk": {"S": "MESSAGE#"}},
    }
    (stored,) = dynamodb.query(TableName=table, **query)["Items"]
    last = decode(Message, stored["data"]["S"])
    earlier = [_earlier(last, n) for n in range(1, MESSAGES)]
    for start in range(0, len(earlier), 25):
        puts = [{"PutRequest": {"Item": each}} for each in earlier[start : start + 25]]
        assert not dynamodb.batch_write_item(RequestItems={table: puts}).get("UnprocessedItems")
    return number


def _earlier(last: Message, n: int) -> dict[str, Any]:
    at = last.at - timedelta(minutes=n)
    message = replace(
        last, id=sortable_id("m", at, str(n).encode()), at=at, text=f"Word {n} before the last. {WORDS * (n % 7)}",
        full_text="", own_keys=(), references=(), direction="out" if n % 2 else "in", original_key=None,
        kind="note" if n % 2 else "message", author_name="Ben Okafor" if n % 2 else last.author_name,
    )  # fmt: skip
    return {**messages.as_item(message).serialize(), "origin": {"S": "import"}}


def words(page: Page, text: str) -> Locator:
    return page.get_by_role("list", name="Conversation").get_by_text(text)


def shown(page: Page, pages: int) -> None:
    """Wait until so many pages of messages are there."""
    expect(page.locator("#messages [data-message]")).to_have_count(pages * CONVERSATION_PAGE)


def test_two_thousand_messages_open_at_the_last_ones_and_the_earlier_come_when_looked_for(
    number: str, window: Window
) -> None:
    page = window("ben", "/lists/open")
    document = page.goto(f"/tickets/{number}?in=open")
    assert document is not None and len(document.body()) < MAX_DOCUMENT_BYTES
    expect(words(page, LAST)).to_be_in_viewport()
    assert page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") < MAX_PAINT_MS
    read_out(page)
    shown(page, 1)

    oldest = page.locator(f"#{page.evaluate(PLACE)}")  # scrolled up to the first that is there
    before = oldest.bounding_box()
    shown(page, 2)
    after = oldest.bounding_box()
    assert before is not None and after is not None and abs(after["y"] - before["y"]) <= 1
    read_out(page)
    shown(page, 2)
    expect(words(page, f"Word {2 * CONVERSATION_PAGE - 1} before the last.")).to_be_attached()


def test_the_keyboard_reaches_what_is_earlier_and_stays_there(number: str, window: Window) -> None:
    page = window("ben", f"/tickets/{number}?in=open")
    expect(words(page, LAST)).to_be_in_viewport()
    page.locator("#scroll").focus()
    page.keyboard.press("Tab")
    shown(page, 2)
    expect(page.get_by_role("link", name=EARLIER)).to_be_focused()
    page.keyboard.press("Enter")
    shown(page, 3)
    expect(page.get_by_role("link", name=EARLIER)).to_be_focused()


def test_without_scripts_it_is_a_link(number: str, window: Window) -> None:
    page = window("ben", f"/tickets/{number}?in=open", java_script_enabled=False)
    page.get_by_role("link", name=EARLIER).click()
    expect(words(page, f"Word {CONVERSATION_PAGE} before the last.")).to_be_visible()
    shown(page, 1)
