"""An inbound message becomes a message in a ticket: once, in one transaction, with its receipt."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain import threading
from chalicelib.domain.inbound_limits import MAX_NAME_CHARS, within_limits
from chalicelib.domain.message import Inbound, Message, Party
from chalicelib.domain.moments import random_id, sortable_id, stamp, whole_milliseconds
from chalicelib.domain.people import Customer, Inbox
from chalicelib.domain.text import new_text
from chalicelib.domain.ticket import MAX_SUBJECT_CHARS, SetAside, Ticket
from chalicelib.services import lanes
from chalicelib.services.attachments import store_files
from chalicelib.services.said import snippet_of
from chalicelib.store import customers, directory, documents, messages, receipts, sources, tickets
from chalicelib.store.receipts import Receipt, receipt_name
from chalicelib.store.sources import Source
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 6
MAX_THREAD_KEYS = 25
MAX_PARTICIPANTS = 50
SUPPRESSED_DAYS = 30
NO_SUBJECT = "(no subject)"
MAX_OWN_KEY_CHARS = 1_000
"""A longer one is still found (the store keeps its hash), but no answer names it."""
WHY_NOT_IN_SPAM = "It is shown here because its sender took part in this ticket."
OWN_MESSAGES = 10
"""How far back a customer's mail is searched for our own words."""


@dataclass(frozen=True)
class Envelope:
    """Where an inbound message came from: its original, the inbox it was for, and which event of the original it is.

    received_at: when the provider took it.  day: of the original's object, ``yyyy-mm-dd``: its receipt counts there.
    """

    original_name: str
    original_key: str
    received_at: datetime
    inbox: Inbox
    day: str
    n: int = 0

    @property
    def receipt_name(self) -> str:
        return receipt_name(self.original_name, self.inbox.id, self.n)


def receive(inbound: Inbound, envelope: Envelope, at: datetime) -> Receipt:
    """Store the message, or say why it is kept out; repeatable, and then answers with the first receipt.

    Raises Lost when ATTEMPTS conflicting writers were quicker: the queue delivers the original again.
    """
    inbound = within_limits(inbound)
    existing = receipts.get(envelope.day, envelope.receipt_name)
    if existing is not None:
        _list_kept_out(existing, inbound)
        return existing
    if inbound.refused:
        return _keep_out(envelope, "quarantined", inbound.refused, inbound, at)
    if inbound.suppressed:
        return _keep_out(envelope, "suppressed", inbound.suppressed, inbound, at)
    for attempt in range(ATTEMPTS):
        try:
            return _store(inbound, envelope, at)
        except Lost as lost:
            if "receipt" in lost.labels:
                found = receipts.get(envelope.day, envelope.receipt_name)
                if found is not None:
                    return found
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


# Kept out


@dataclass(frozen=True)
class KeptOut:
    """An original that became no ticket, as the quarantine and suppressed views list it.

    virus: nobody downloads it; unknown of what an earlier release kept out.
    """

    at: datetime
    outcome: str
    reason: str
    sender: str
    subject: str
    inbox_id: str
    original_key: str
    day: str
    receipt_name: str
    virus: bool = True

    @property
    def key(self) -> str:
        """Its place in the list."""
        return f"{stamp(self.at)}#{self.receipt_name}"


def _keep_out(
    envelope: Envelope, outcome: receipts.Outcome, reason: str, inbound: Inbound | None, at: datetime
) -> Receipt:
    receipt = Receipt(
        envelope.day, envelope.receipt_name, outcome, whole_milliseconds(at), envelope.inbox.id, reason,
        original_key=envelope.original_key,
    )  # fmt: skip
    if not receipts.add_alone(receipt):
        receipt = receipts.get(envelope.day, envelope.receipt_name) or receipt
    _list_kept_out(receipt, inbound)
    return receipt


def _list_kept_out(receipt: Receipt, inbound: Inbound | None) -> None:
    """What no ticket shows, the views of what was kept out do.

    Written behind the receipt and under a key that follows from it: a twin that was shown is never listed, and a
    repeat lists what a crash between the two left out.
    """
    if receipt.outcome == "shown":
        return
    entry = KeptOut(
        receipt.at, receipt.outcome, receipt.reason, inbound.sender.address if inbound else "",
        inbound.subject if inbound else "", receipt.inbox_id, receipt.original_key, receipt.day, receipt.name,
        virus=bool(inbound and inbound.refused),
    )  # fmt: skip
    until = receipt.at + timedelta(days=SUPPRESSED_DAYS)
    documents.write_new(f"LIST#{receipt.outcome}", entry.key, entry, until)


def keep_out(envelope: Envelope, outcome: receipts.Outcome, reason: str, at: datetime) -> Receipt:
    """A receipt for an original, or an event in it, that is no message: known and skipped, or unreadable."""
    return _keep_out(envelope, outcome, reason, None, at)


# Stored


def _store(inbound: Inbound, envelope: Envelope, at: datetime) -> Receipt:
    inbox = envelope.inbox
    source_key = inbound.own_keys[0] if inbound.own_keys else f"fp:{inbound.fingerprint}"
    first = sources.find_exact(source_key, inbound.fingerprint)
    if first is not None:
        return _seen_before(first, inbound, envelope, source_key, at)
    transaction = Transaction()
    receipt = _join_or_open(transaction, inbound, envelope, at, source_key, inbound.fingerprint, link=None)
    transaction.commit()
    return replace(receipt, inbox_id=inbox.id)


def _seen_before(first: Source, inbound: Inbound, envelope: Envelope, source_key: str, at: datetime) -> Receipt:
    """The same mail came before: to this inbox (a repeat), or to another one of ours (one mail, two addresses)."""
    inbox = envelope.inbox
    if first.inbox_id == inbox.id:
        return _keep_out(envelope, "suppressed", "The same message was received before.", inbound, at)
    if inbox.separated or directory.inbox(first.inbox_id).separated:
        own_fingerprint = f"{inbound.fingerprint}#{inbox.id}"
        if sources.find_exact(source_key, own_fingerprint) is not None:
            return _keep_out(envelope, "suppressed", "The same message was received before.", inbound, at)
        transaction = Transaction()
        receipt = _join_or_open(transaction, inbound, envelope, at, source_key, own_fingerprint, link=first.ticket_id)
        transaction.commit()
        return receipt
    return _share(first, envelope, at)


def _share(first: Source, envelope: Envelope, at: datetime) -> Receipt:
    """One conversation that both inboxes' teams see: note the second inbox on the ticket."""
    before = tickets.load(first.ticket_id)
    known = (before.ticket.inbox_id, *before.ticket.other_inbox_ids)
    if envelope.inbox.id in known and _was_shared(first, envelope):
        return _keep_out(envelope, "suppressed", "The same message was received before.", None, at)
    receipt = Receipt(
        envelope.day, envelope.receipt_name, "shown", whole_milliseconds(at), envelope.inbox.id,
        f"Shown in ticket {first.ticket_id}, which both inboxes share.", first.ticket_id, first.message_id,
        original_key=envelope.original_key,
    )  # fmt: skip
    transaction = Transaction()
    receipts.add(transaction, receipt)
    transaction.put_new("shared", documents.item(_shared_key(first), envelope.inbox.id, receipt.name))
    if envelope.inbox.id not in known:
        others = (*before.ticket.other_inbox_ids, envelope.inbox.id)
        tickets.put_changed(transaction, before, replace(before.ticket, other_inbox_ids=others), at)
    transaction.commit()
    return receipt


def _shared_key(first: Source) -> str:
    return f"SHARED#{first.message_id}"


def _was_shared(first: Source, envelope: Envelope) -> bool:
    return documents.read(str, _shared_key(first), envelope.inbox.id) is not None


def _join_or_open(
    transaction: Transaction,
    inbound: Inbound,
    envelope: Envelope,
    at: datetime,
    source_key: str,
    fingerprint: str,
    link: str | None,
) -> Receipt:
    """``link``: the ticket that shows this mail to another, separated inbox; it is not joined, only linked."""
    link = tickets.get(link).id if link is not None else None
    chat = sources.newest(_chat_key(inbound.conversation_key)) if inbound.conversation_key else None
    candidates = [each for each in _candidates(inbound, chat) if each.ticket.id != link]
    customer, handle = _customer(transaction, inbound, envelope.inbox, at)
    blocked = handle is not None and handle.blocked
    decision = threading.decide(inbound, candidates, envelope.inbox, envelope.received_at, blocked)
    if link is not None and isinstance(decision, threading.New):
        decision = replace(decision, linked_to=link, reason="separated")
    if isinstance(decision, threading.Join):
        before = _as_decided(decision, candidates)
        answer = replace(inbound, new_text=_newly_said(inbound, before.ticket))
        if inbound.spam and decision.wakes:
            answer = replace(answer, banners=(*inbound.banners, f"{inbound.spam} {WHY_NOT_IN_SPAM}"))
        message = _message(answer, envelope, before.ticket.id, customer)
        message = replace(message, event=lanes.mark_inbound(before.ticket, inbound, envelope.inbox))
        after = _appended(before.ticket, message, inbound, decision.wakes, envelope.inbox)
        tickets.put_changed(transaction, before, after, at, keep_seen=_is_automatic(inbound))
        new_ticket = False
    else:
        ticket = _opened(inbound, envelope, customer, decision, blocked)
        message = _message(inbound, envelope, ticket.id, customer)
        ticket = replace(
            ticket, last_message_id=message.id, last_inbound_id=message.id, snippet=snippet_of(message.text)
        )
        transaction.put_new("new ticket", tickets.as_item(ticket, at))
        new_ticket = True
    messages.add(transaction, message, inbound.html)
    source = Source(message.ticket_id, message.id, envelope.inbox.id)
    sources.claim(transaction, source_key, fingerprint, source)
    for key in inbound.own_keys[1:]:
        transaction.put("further key", sources.key_item(key, fingerprint, source))
    if new_ticket and chat is not None:
        sources.replace_newest(transaction, chat, source)
    receipt = Receipt(
        envelope.day, envelope.receipt_name, "shown", whole_milliseconds(at), envelope.inbox.id, inbound.spam or "",
        message.ticket_id, message.id, new_ticket, envelope.original_key,
    )  # fmt: skip
    receipts.add(transaction, receipt)
    return receipt


def _as_decided(decision: threading.Join, candidates: Sequence[threading.Candidate]) -> tickets.Loaded:
    """The ticket to join; Lost when it left Spam, was filed, merged or taken apart since: decide anew."""
    found = tickets.load(decision.ticket_id)
    decided_on = next(each.ticket for each in candidates if each.ticket.id == decision.ticket_id)
    if (found.ticket.status, found.ticket.merged) != (decided_on.status, decided_on.merged):
        raise Lost(frozenset())
    return found


def _candidates(inbound: Inbound, chat: sources.Newest | None) -> list[threading.Candidate]:
    """The tickets that the message's keys lead to, merges followed, best key first.

    Whoever took part in a ticket that was merged has taken part in the one that goes on.
    """
    named: list[tuple[threading.Evidence, str]] = []
    if inbound.ticket_token:
        named.append(("token", inbound.ticket_token))
    for key in inbound.thread_keys[:MAX_THREAD_KEYS]:
        named += [("reference", source.ticket_id) for source in sources.find(key)]
    if chat is not None and chat.source is not None:
        named.append(("chat", chat.source.ticket_id))
    if inbound.number_in_subject:
        named.append(("number", inbound.number_in_subject))
    ids = [ticket_id for _, ticket_id in named if ticket_id.isdigit()]
    named_there = tickets.get_many(ids, consistent=True) if ids else {}
    found = {each: _goes_on(loaded.ticket) for each, loaded in named_there.items()}
    separated = {each.id for each in directory.inboxes() if each.separated} if found else set()
    return [
        threading.Candidate(evidence, found[ticket_id], found[ticket_id].inbox_id in separated)
        for evidence, ticket_id in named
        if ticket_id in found
    ]


def _goes_on(ticket: Ticket) -> Ticket:
    if ticket.merged_into is None:
        return ticket
    survivor = tickets.get(ticket.id)
    known = (*survivor.participants, *ticket.participants, ticket.customer_handle.lower())
    return replace(survivor, participants=tuple(dict.fromkeys(known)))


def _chat_key(conversation_key: str) -> str:
    return f"chat:{conversation_key}"


def _customer(
    transaction: Transaction, inbound: Inbound, inbox: Inbox, at: datetime
) -> tuple[Customer, customers.HandleOf | None]:
    """Whoever the handle belongs to; a new customer is added to the transaction."""
    handle = customers.handle_name(inbox.channel, inbound.sender.address)
    known = customers.by_handle(handle)
    if known is not None:
        return known
    name = inbound.sender.name or inbound.sender.address[:MAX_NAME_CHARS]
    customer = Customer(random_id("c", secrets.token_bytes(7)), name, (handle,), whole_milliseconds(at))
    customers.add(transaction, customer)
    return customer, None


def _newly_said(inbound: Inbound, ticket: Ticket) -> str:
    """What the customer wrote beyond our own words coming back: known word for word, so no language is needed."""
    said = messages.newest(ticket.id, limit=OWN_MESSAGES, merged=ticket.merged).messages
    ours = [each.text for each in said if each.kind == "message" and each.direction == "out"]
    return new_text(inbound.new_text or inbound.text, ours) if ours else inbound.new_text


def _message(inbound: Inbound, envelope: Envelope, ticket_id: str, customer: Customer) -> Message:
    """The message with an id that a repeated attempt finds again, its files stored."""
    seed = f"{envelope.original_name}|{envelope.inbox.id}|{envelope.n}".encode()
    received_at = whole_milliseconds(envelope.received_at)
    message_id = sortable_id("m", received_at, seed)
    return Message(
        id=message_id, ticket_id=ticket_id, kind="message", direction="in", author_kind="customer",
        author_id=customer.id, author_name=inbound.sender.name or customer.name, at=received_at,
        sent_at=inbound.sent_at, text=inbound.new_text or inbound.text, full_text=inbound.text,
        rich=_is_rich(inbound), subject=inbound.subject, sender=inbound.sender, to=inbound.to, cc=inbound.cc,
        attachments=store_files(message_id, inbound.files), banners=inbound.banners, mail_kind=inbound.mail_kind,
        may_auto_answer=inbound.may_auto_answer,
        inbox_id=envelope.inbox.id, original_key=envelope.original_key,
        own_keys=tuple(key for key in inbound.own_keys if len(key) <= MAX_OWN_KEY_CHARS),
        references=inbound.references, thread_index=inbound.thread_index, language=inbound.language or "",
    )  # fmt: skip


def _is_rich(inbound: Inbound) -> bool:
    """Does the HTML show more than the text does?"""
    html = inbound.html.lower()
    return "<table" in html or "<img" in html


def _people(inbound: Inbound) -> tuple[str, ...]:
    """Whose mails will belong to the ticket; whom a disowned mail names may be the forger's friends."""
    named = () if inbound.unauthenticated else (*inbound.reply_to, *inbound.to, *inbound.cc)
    parties: Sequence[Party] = (inbound.sender, *named)
    return tuple(dict.fromkeys(party.address.lower() for party in parties if party.address))


def with_participants(ticket: Ticket, addresses: Sequence[str]) -> tuple[str, ...]:
    """The ticket's participants and these, newest MAX_PARTICIPANTS."""
    return tuple(dict.fromkeys((*ticket.participants, *addresses)))[-MAX_PARTICIPANTS:]


def _opened(inbound: Inbound, envelope: Envelope, customer: Customer, decision: threading.New, blocked: bool) -> Ticket:
    at = whole_milliseconds(envelope.received_at)
    spam = bool(inbound.spam) or blocked
    automatic = _is_automatic(inbound)
    return Ticket(
        id=tickets.next_number(), subject=(" ".join(inbound.subject.split()) or NO_SUBJECT)[:MAX_SUBJECT_CHARS],
        status="spam" if spam else "open", priority="normal", inbox_id=envelope.inbox.id,
        channel=envelope.inbox.channel, customer_id=customer.id, customer_name=customer.name,
        customer_handle=inbound.sender.address.lower(), created_at=at, updated_at=at, version=1,
        team_id=envelope.inbox.team_id, waiting_since=None if spam or automatic else at, message_count=1,
        set_aside=SetAside(waiting_since=at) if spam and not automatic else None,
        linked_ticket_ids=(decision.linked_to,) if decision.linked_to else (),
        flags=(decision.flag,) if decision.flag else (), status_before="open" if spam else None,
        participants=_people(inbound), conversation_key=inbound.conversation_key,
    )  # fmt: skip


def _appended(ticket: Ticket, message: Message, inbound: Inbound, wakes: bool, inbox: Inbox) -> Ticket:
    """The ticket with one more customer message.

    An automatic one neither wakes it, nor starts the clock, nor becomes the one that our next answer goes to.  What a
    person writes into a ticket that stays in Spam starts the clock for whoever finds that it is none.
    ``last_message_id`` is the message stored last, whenever it was written: whoever did not see it must look first.
    """
    others = ticket.other_inbox_ids
    if inbox.id not in (ticket.inbox_id, *others):
        others = (*others, inbox.id)
    after = replace(
        ticket,
        last_message_id=message.id,
        message_count=ticket.message_count + 1,
        participants=with_participants(ticket, _people(inbound)),
        other_inbox_ids=others,
    )
    if _is_automatic(inbound):
        return after
    after = replace(
        after,
        updated_at=max(ticket.updated_at, message.at),
        last_inbound_id=max(ticket.last_inbound_id, message.id),
        snippet=snippet_of(message.text) or ticket.snippet,
    )
    if wakes:
        since = ticket.waiting_since or message.at
        return replace(after, status="open", snoozed_until=None, closed_at=None, waiting_since=since)
    aside = ticket.set_aside or SetAside()
    return replace(after, set_aside=replace(aside, waiting_since=aside.waiting_since or message.at))


def _is_automatic(inbound: Inbound) -> bool:
    return inbound.mail_kind in threading.AUTOMATIC
