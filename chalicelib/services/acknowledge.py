"""The one automatic answer to a new customer mail, and everything that keeps it from becoming a storm."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.message import Message, Party
from chalicelib.domain.moments import sortable_id, whole_milliseconds
from chalicelib.domain.people import SYSTEM, Inbox
from chalicelib.domain.ticket import Ticket
from chalicelib.store import directory, documents, messages, tickets
from chalicelib.store.models import CounterItem
from chalicelib.store.transaction import Lost, Transaction

PER_SENDER_AND_HOUR = 5
PER_DOMAIN_AND_HOUR = 30
SHARED_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "gmx.de",
     "web.de", "gmx.net", "t-online.de", "orange.fr", "free.fr", "mail.ru", "qq.com", "163.com", "proton.me"}
)  # fmt: skip
"""Mail services of many people: no limit for the whole domain."""


@dataclass(frozen=True)
class Acknowledged:
    """One automatic mail answered this message, or went to this person about this ticket on this day."""

    message_id: str


def acknowledge(ticket_id: str, message_id: str, may_auto_answer: bool, at: datetime) -> Message | None:
    """Queue the inbox's acknowledgement of a new ticket; None when none is due.  Repeatable: at most one.

    A message is answered once for ever (a worker that died comes back after midnight too), a person once a day about
    the same ticket.
    None is due when the mail is automatic, a list's, spam, continues or links to something of ours, or when the
    limits a person, sender or domain are reached.
    """
    at = whole_milliseconds(at)
    before = tickets.load(ticket_id)
    ticket = before.ticket
    if ticket.id != ticket_id:  # merged by somebody who has it in hand: its number, its customer are another's
        return None
    inbox = directory.inbox(ticket.inbox_id)
    answered = messages.get(ticket_id, message_id)
    if not _is_due(inbox, ticket, answered, may_auto_answer):
        return None
    person = ticket.customer_handle
    seed = f"acknowledge|{ticket_id}|{person}|{at:%Y-%m-%d}"
    of_message, of_day = _message_key(ticket_id, message_id), _day_key(ticket_id, person, at)
    if any(documents.read(Acknowledged, key, "ACKNOWLEDGED") is not None for key in (of_message, of_day)):
        return None
    if not _within_limits(person, at):
        return None
    message = _message(ticket, inbox, answered, at, seed)
    transaction = Transaction()
    claim = Acknowledged(message.id)
    transaction.put_new("acknowledged", documents.item(of_message, "ACKNOWLEDGED", claim))
    transaction.put_new("acknowledged", documents.item(of_day, "ACKNOWLEDGED", claim, at + timedelta(days=2)))
    messages.add(transaction, message)
    messages.add_delivery(transaction, message, inbox.id, at)
    tickets.put_changed(transaction, before, replace(ticket, message_count=ticket.message_count + 1), at)
    try:
        transaction.commit()
    except Lost as lost:
        if "acknowledged" in lost.labels:
            return None
        raise
    return message


def _message_key(ticket_id: str, message_id: str) -> str:
    return f"ACKNOWLEDGED#{ticket_id}#{message_id}"


def _day_key(ticket_id: str, person: str, at: datetime) -> str:
    return f"ACKNOWLEDGED#{ticket_id}#{person}#{at:%Y-%m-%d}"


def _is_due(inbox: Inbox, ticket: Ticket, answered: Message, may_auto_answer: bool) -> bool:
    return bool(
        inbox.acknowledgement.strip()
        and inbox.channel == "email"
        and may_auto_answer
        and answered.mail_kind == "human"
        and ticket.status == "open"
        and not ticket.linked_ticket_ids
        and not ticket.flags
        and not directory.inbox_at(ticket.customer_handle)
    )


def _within_limits(person: str, at: datetime) -> bool:
    domain = person.rpartition("@")[2]
    if _count(f"sender:{person}", at) > PER_SENDER_AND_HOUR:
        return False
    return domain in SHARED_DOMAINS or _count(f"domain:{domain}", at) <= PER_DOMAIN_AND_HOUR


def _count(whom: str, at: datetime) -> int:
    counter = CounterItem(f"AUTOMATIC#{whom}", f"{at:%Y-%m-%dT%H}")
    counter.update(actions=[CounterItem.amount.add(1), CounterItem.expires_at.set(at + timedelta(hours=3))])
    return int(counter.amount)


def _message(ticket: Ticket, inbox: Inbox, answered: Message, at: datetime, seed: str) -> Message:
    return Message(
        id=sortable_id("m", at, seed.encode() + secrets.token_bytes(8)), ticket_id=ticket.id, kind="message",
        direction="out", author_kind="system", author_id=SYSTEM.id, author_name=inbox.name, at=at, sent_at=None,
        text=inbox.acknowledgement.strip().replace("{number}", ticket.id), subject=answered.subject or ticket.subject,
        to=(Party(ticket.customer_name, ticket.customer_handle),), inbox_id=inbox.id, references=answered.references,
        thread_index=answered.thread_index, event={"answers": answered.id},
    )  # fmt: skip
