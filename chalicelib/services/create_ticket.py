"""A ticket made by hand: what a customer said elsewhere, or the first message we write."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.message import Message, Party
from chalicelib.domain.moments import random_id, sortable_id, whole_milliseconds
from chalicelib.domain.people import Actor, Customer, Inbox
from chalicelib.domain.placeholders import unescaped
from chalicelib.domain.plain_text import text_of
from chalicelib.domain.recipients import checked_recipients
from chalicelib.domain.safe_html import agent_html
from chalicelib.domain.ticket import SNIPPET_CHARS, Ticket, checked_subject
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.services import drafts
from chalicelib.services.reply_to_ticket import own_addresses
from chalicelib.services.said import MAX_TEXT_CHARS, check_filled, seeded_id
from chalicelib.store import customers, directory, messages, receipts, tickets
from chalicelib.store.receipts import Receipt
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5
MAX_NAME_CHARS = 120


def create(
    actor: Actor,
    inbox_id: str,
    customer: Party,
    subject: str,
    text: str,
    direction: Literal["in", "out"],
    at: datetime,
    html: str = "",
    seed: str | None = None,
    undo_seconds: int = 0,
) -> tuple[Ticket, Message]:
    """Open a ticket with its first message.

    direction "in" records what the customer said and sends nothing; "out" writes to the customer.
    ``seed``: a second call with the same one returns what the first one made.
    """
    at = whole_milliseconds(at)
    inbox = directory.inbox(inbox_id)
    party = _checked_customer(inbox, customer)
    line, clean_html = checked_subject(subject), agent_html(html) if html else ""
    said = _checked_text(text_of(clean_html) if clean_html else text)
    if direction == "out":
        check_filled(said)
        said, clean_html = unescaped(said), unescaped(clean_html)
    seed_bytes = seed.encode() if seed else secrets.token_bytes(16)
    for _ in range(ATTEMPTS):
        made_before = _made_before(seed_bytes) if seed else None
        if made_before is not None:
            return made_before
        try:
            return _create_once(actor, inbox, party, line, said, clean_html, direction, at, seed_bytes, undo_seconds)
        except Lost:
            continue
    raise Conflict("The ticket could not be made: somebody writes about the same customer. Try again.")


def _made_before(seed: bytes) -> tuple[Ticket, Message] | None:
    named = drafts.seeded_message(seeded_id("", seed))
    if named is None:
        return None
    ticket_id, _, message_id = named.partition("/")
    return tickets.get(ticket_id), messages.get(ticket_id, message_id)


def _checked_customer(inbox: Inbox, customer: Party) -> Party:
    address = customer.address.strip()
    if inbox.channel == "email":
        try:
            address = checked_recipients((customer,), own=own_addresses()).to[0].address
        except InvalidInput as error:
            raise InvalidInput(error.message, {"customer": next(iter(error.fields.values()), error.message)}) from error
    if not address:
        raise InvalidInput("Say who the customer is.", {"customer": "Enter an address."})
    return Party(" ".join(customer.name.split())[:MAX_NAME_CHARS], address)


def _checked_text(text: str) -> str:
    said = text.strip()
    if not said:
        raise InvalidInput("The message is empty.", {"text": "Write what it is about."})
    if len(said) > MAX_TEXT_CHARS:
        raise InvalidInput("The text is too long.", {"text": f"Keep it under {MAX_TEXT_CHARS:,} characters."})
    return said


def _create_once(
    actor: Actor,
    inbox: Inbox,
    party: Party,
    subject: str,
    text: str,
    html: str,
    direction: Literal["in", "out"],
    at: datetime,
    seed: bytes,
    undo_seconds: int,
) -> tuple[Ticket, Message]:
    transaction = Transaction()
    customer = _customer(transaction, inbox, party, at)
    ticket = _ticket(actor, inbox, party, customer, subject, direction, at)
    message = _message(actor, inbox, party, customer, ticket, subject, text, direction, at, seed)
    ticket = replace(
        ticket,
        last_message_id=message.id,
        last_inbound_id=message.id if direction == "in" else "",
        snippet=" ".join(text.split())[:SNIPPET_CHARS],
    )
    transaction.put_new("new ticket", tickets.as_item(ticket, at, {actor.id} if actor.kind == "agent" else ()))
    stored = messages.add(transaction, message, html)
    if direction == "out":
        messages.add_delivery(transaction, message, inbox.id, at + timedelta(seconds=undo_seconds))
    made = f"{ticket.id}/{message.id}"
    transaction.put_new("seed", drafts.seed_item(seeded_id("", seed), made, at))
    receipts.add(transaction, _receipt(ticket, message, inbox, at))
    transaction.commit()
    return ticket, stored


def _receipt(ticket: Ticket, message: Message, inbox: Inbox, at: datetime) -> Receipt:
    """Carries the pending mark of the ticket's consequences; no original, so the ledger does not count it."""
    name = f"by-hand/{message.id}"
    return Receipt(
        f"{at:%Y-%m-%d}", name, "shown", at, inbox.id, ticket_id=ticket.id, message_id=message.id, new_ticket=True
    )


def _customer(transaction: Transaction, inbox: Inbox, party: Party, at: datetime) -> Customer:
    handle = customers.handle_name(inbox.channel, party.address)
    known = customers.by_handle(handle)
    if known is not None:
        return known[0]
    customer = Customer(random_id("c", secrets.token_bytes(7)), party.name or party.address, (handle,), at)
    customers.add(transaction, customer)
    return customer


def _ticket(
    actor: Actor,
    inbox: Inbox,
    party: Party,
    customer: Customer,
    subject: str,
    direction: Literal["in", "out"],
    at: datetime,
) -> Ticket:
    ours = direction == "out"
    return Ticket(
        id=tickets.next_number(), subject=subject, status="pending" if ours else "open", priority="normal",
        inbox_id=inbox.id, channel=inbox.channel, customer_id=customer.id, customer_name=customer.name,
        customer_handle=party.address.lower(), created_at=at, updated_at=at, version=1, team_id=inbox.team_id,
        assignee_id=actor.id if actor.kind == "agent" and ours else None, waiting_since=None if ours else at,
        message_count=1, participants=(party.address.lower(),),
    )  # fmt: skip


def _message(
    actor: Actor,
    inbox: Inbox,
    party: Party,
    customer: Customer,
    ticket: Ticket,
    subject: str,
    text: str,
    direction: Literal["in", "out"],
    at: datetime,
    seed: bytes,
) -> Message:
    message_id = sortable_id("m", at, seed)
    if direction == "out":
        return Message(
            id=message_id, ticket_id=ticket.id, kind="message", direction="out", author_kind=actor.kind,
            author_id=actor.id, author_name=actor.name, at=at, sent_at=None, text=text, subject=subject, to=(party,),
            inbox_id=inbox.id,
        )  # fmt: skip
    return Message(
        id=message_id, ticket_id=ticket.id, kind="message", direction="in", author_kind="customer",
        author_id=customer.id, author_name=customer.name, at=at, sent_at=at, text=text, subject=subject, sender=party,
        inbox_id=inbox.id, banners=(f"Recorded by {actor.name}.",),
    )  # fmt: skip
