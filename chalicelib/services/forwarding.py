"""Does the mailbox forward: Gmail's question whether it may, and whether any mail has come."""

import re
from dataclasses import dataclass

from chalicelib.domain.people import Inbox
from chalicelib.errors import NotFound
from chalicelib.store import customers, lists, messages, tickets

GMAIL_SENDER = "forwarding-noreply@google.com"
GMAIL_CODE = re.compile(r"\(#(\d{6,12})\)|(?i:confirmation code:?)\s*(\d{6,12})")
GMAIL_LINK = re.compile(r"https://mail(?:-settings)?\.google\.com/mail/[^\s<>\"']+")
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


def has_received(inbox: Inbox) -> bool:
    """Whether any live ticket came in by this inbox: the forwarding works."""
    return bool(lists.page(lists.ListName("inbox", inbox.id), limit=1).rows)


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
