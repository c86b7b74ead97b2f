"""Which ticket a message belongs to.  The rule and its reasons: docs/domain/threading.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.message import Inbound
from chalicelib.domain.people import Inbox
from chalicelib.domain.ticket import LIVE, Ticket

Evidence = Literal["token", "reference", "chat", "number"]
STRENGTH: dict[Evidence, int] = {"token": 0, "reference": 1, "chat": 2, "number": 3}
AUTOMATIC = frozenset({"auto_reply", "bounce", "complaint"})


@dataclass(frozen=True)
class Candidate:
    """A ticket that one of the message's keys led to, merges already followed.

    separated: the ticket's own inbox keeps its tickets to itself (``Inbox.separated``).
    """

    evidence: Evidence
    ticket: Ticket
    separated: bool = False


@dataclass(frozen=True)
class Join:
    """The message belongs to this ticket; ``wakes``: put it to "open", for a person wrote."""

    ticket_id: str
    wakes: bool


@dataclass(frozen=True)
class New:
    """The message opens a ticket.

    linked_to: an earlier ticket it has to do with.  flag: a sentence for the banner, "" for none.
    """

    linked_to: str | None = None
    flag: str = ""
    reason: Literal["first", "stranger", "closed", "separated", "trashed", "blocked", "unproven"] = "first"


def decide(
    message: Inbound, candidates: Sequence[Candidate], inbox: Inbox, received_at: datetime, blocked: bool = False
) -> Join | New:
    """Join one of ``candidates`` or open a ticket.

    ``candidates`` may come in any order; of equal evidence the first is the better one (``thread_keys`` are
    best first).  ``received_at`` is when the message reached us.  ``blocked``: people want nothing of this sender.
    """
    ranked = sorted(candidates, key=lambda candidate: STRENGTH[candidate.evidence])
    believed = [candidate for candidate in ranked if _is_proof(message, candidate)]
    if believed:
        shared = [candidate for candidate in believed if not _is_kept_apart(candidate, inbox)]
        if blocked:
            return _into_spam(shared, believed[0])
        return _enter(message, (shared or believed)[0], inbox, received_at)
    if ranked:
        return _stranger(message, ranked[0].ticket)
    return New()


def took_part(address: str, ticket: Ticket) -> bool:
    """Did this address write, or stand in To or Cc of, a message of the ticket?"""
    wanted = address.strip().lower()
    return bool(wanted) and (wanted in ticket.participants or wanted == ticket.customer_handle.lower())


def _is_proof(message: Inbound, candidate: Candidate) -> bool:
    """Anybody can guess a number and write somebody's address into From: both together prove nothing."""
    if candidate.evidence == "chat":
        return True
    if candidate.evidence == "number" and (message.spam or not message.proven_sender):
        return False
    return took_part(message.sender.address, candidate.ticket)


def _is_kept_apart(candidate: Candidate, inbox: Inbox) -> bool:
    """Is the ticket at home in another inbox, and either of the two separated?"""
    ticket = candidate.ticket
    at_home = inbox.id == ticket.inbox_id or inbox.id in ticket.other_inbox_ids
    return not at_home and (inbox.separated or candidate.separated)


def _enter(message: Inbound, candidate: Candidate, inbox: Inbox, received_at: datetime) -> Join | New:
    ticket = candidate.ticket
    if _is_kept_apart(candidate, inbox):
        return New(linked_to=ticket.id, reason="separated")
    if message.mail_kind in AUTOMATIC:
        return Join(ticket.id, wakes=False)
    if ticket.status == "trash":
        return New(linked_to=ticket.id, reason="trashed")
    if _closed_too_long(ticket, inbox, received_at):
        return New(linked_to=ticket.id, reason="closed")
    return Join(ticket.id, wakes=ticket.status != "spam")


def _into_spam(shared: Sequence[Candidate], best: Candidate) -> Join | New:
    in_spam = [candidate.ticket.id for candidate in shared if candidate.ticket.status == "spam"]
    return Join(in_spam[0], wakes=False) if in_spam else New(linked_to=best.ticket.id, reason="blocked")


def _closed_too_long(ticket: Ticket, inbox: Inbox, received_at: datetime) -> bool:
    if ticket.status in LIVE or ticket.status == "spam":
        return False
    closed_at = ticket.closed_at or ticket.updated_at
    return received_at - closed_at > timedelta(days=inbox.reopen_days)


def _stranger(message: Inbound, ticket: Ticket) -> New:
    who = message.sender.address or "The sender"
    if took_part(message.sender.address, ticket):
        why = f"and SES judged this mail from {who} to be spam"
        if not message.proven_sender:
            why = f"but nothing proves that {who} wrote this"
        flag = f"The subject names ticket {ticket.id}, {why}."
        return New(linked_to=ticket.id, flag=flag, reason="unproven")
    return New(linked_to=ticket.id, flag=f"{who} never took part in ticket {ticket.id}.", reason="stranger")
