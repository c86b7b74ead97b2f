"""Does the mailbox forward: Gmail's question whether it may, and when mail last came that way."""

import heapq
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.domain.people import Inbox
from chalicelib.errors import NotFound
from chalicelib.services import originals
from chalicelib.services.inboxes import receiving_address
from chalicelib.store import customers, messages, objects, receipts, tickets
from chalicelib.store.receipts import Receipt

GMAIL_SENDER = "forwarding-noreply@google.com"
GMAIL_CODE = re.compile(r"\(#(\d{6,12})\)|(?i:confirmation code:?)\s*(\d{6,12})")
GMAIL_LINK = re.compile(r"https://mail(?:-settings)?\.google\.com/mail/[^\s<>\"']+")
LOOKED_AT = 20
MOST_READ = 2_000
"""Receipts of a day; where there are more, mail arrives."""
"""Of an inbox's newest mails."""
GMAIL_FROM = re.compile(r"[\w.+-]+@[\w.-]+\.\w+")


@dataclass(frozen=True)
class Confirmation:
    """Gmail asks whether it may forward: ``code`` goes into its settings; ``link`` does the same."""

    code: str
    link: str
    mailbox: str
    ticket_id: str


def gmail_confirmation(inbox: Inbox) -> Confirmation | None:
    """The newest mail in which Gmail asks this inbox to confirm forwarding; None when none has arrived."""
    try:
        known = customers.by_handle(customers.handle_name("email", GMAIL_SENDER))
    except NotFound:
        return None
    if known is None:
        return None
    for earlier in tickets.of_customer(known[0].id):
        found = _confirmation_in(earlier.id, inbox.id)
        if found is not None:
            return found
    return None


def last_received(inbox: Inbox, now: datetime) -> datetime | None:
    """When mail to the inbox's own address last came the way it is to come, today or yesterday; None: it did not.

    Whatever became of its ticket.  Neither a ticket made here nor Gmail's question is proof: it goes to the address
    forwarded to.  Two days' receipts, as the ledger reads them, so that what comes in bears no cost for this page.
    """
    days = (f"{now:%Y-%m-%d}", f"{now - timedelta(days=1):%Y-%m-%d}")
    of_both = (each for day in days for each in islice(receipts.of_day(day), MOST_READ))
    ours = (each for each in of_both if each.inbox_id == inbox.id and each.message_id and each.original_key)
    newest = heapq.nlargest(LOOKED_AT, ours, key=lambda each: each.at)
    return next((each.at for each in newest if _came_as_it_should(each, inbox)), None)


def _came_as_it_should(receipt: Receipt, inbox: Inbox) -> bool:
    try:
        message = messages.get(receipt.ticket_id or "", receipt.message_id or "")
        key = originals.current_key(receipt.original_key, originals.midnight(receipt.day))
        recipients = objects.head_original(key).get("recipients", "").lower().split(",")
    except NotFound:
        return False
    if message.sender is None or message.sender.address.lower() == GMAIL_SENDER:
        return False
    if inbox.address.lower() not in {each.address.lower() for each in (*message.to, *message.cc)}:
        return False
    return any(_untagged(each.strip()) == _untagged(receiving_address(inbox)) for each in recipients)


def _untagged(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def confirmation_code(text: str) -> str:
    """Gmail's code out of a subject or a text; "" when there is none."""
    found = GMAIL_CODE.search(text)
    return (found[1] or found[2]) if found else ""


def _confirmation_in(ticket_id: str, inbox_id: str) -> Confirmation | None:
    for message in reversed(messages.newest(ticket_id, limit=5).messages):
        if message.inbox_id != inbox_id or message.direction != "in":
            continue
        text = message.full_text or message.text
        code = confirmation_code(message.subject) or confirmation_code(text)
        if code:
            link, account = GMAIL_LINK.search(text), GMAIL_FROM.search(message.subject)
            return Confirmation(code, link[0] if link else "", account[0] if account else "", ticket_id)
    return None
