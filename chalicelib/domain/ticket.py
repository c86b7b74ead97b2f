"""The unit of work: who has it, how it stands, and which lists it shows in."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from chalicelib.errors import InvalidInput

Status = Literal["open", "pending", "resolved", "closed", "spam", "trash"]
Priority = Literal["low", "normal", "high", "urgent"]

STATUSES: tuple[Status, ...] = get_args(Status)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
LIVE: frozenset[Status] = frozenset({"open", "pending"})
"""Statuses that somebody still has to do something about; the others are filed by month."""
AGENT_STATUSES: tuple[Status, ...] = ("open", "pending", "resolved", "closed")
DONE: frozenset[Status] = frozenset({"resolved", "closed"})
"""Statuses of a ticket whose work is over."""

MAX_SUBJECT_CHARS = 200
MAX_TAGS = 20
MAX_TAG_CHARS = 40
SNIPPET_CHARS = 120


@dataclass(frozen=True)
class SetAside:
    """What a ticket waited for when it left the live lists."""

    waiting_since: datetime | None = None
    snoozed_until: datetime | None = None


@dataclass(frozen=True)
class AnsweredElsewhere:
    """An answer to this question that stays in another ticket, of which this one was a part when it was written."""

    question_id: str
    ticket_id: str
    message_id: str


@dataclass(frozen=True)
class Counted:
    """How far the clock of a wait had come when it was paused, or when the ticket changed hands: it goes on from there.

    started_at: the wait that it is about, ``waiting_since``; due: the deadline, where it had come already.
    """

    started_at: datetime
    since: datetime
    used_ms: int = 0
    due: datetime | None = None


@dataclass(frozen=True)
class Ticket:
    """``id`` is the human number as text; addresses, links and URLs all use it."""

    id: str
    subject: str
    status: Status
    priority: Priority
    inbox_id: str
    channel: str
    customer_id: str
    customer_name: str
    customer_handle: str
    created_at: datetime
    updated_at: datetime
    """When anything last happened on it: the sort key of the lists."""
    version: int
    assignee_id: str | None = None
    team_id: str | None = None
    tags: tuple[str, ...] = ()
    other_inbox_ids: tuple[str, ...] = ()
    """Further inboxes of ours that stood in the same mail: their teams see the ticket too."""
    snippet: str = ""
    waiting_since: datetime | None = None
    """When the oldest unanswered customer message came; None while nobody waits for us."""
    last_message_id: str = ""
    last_inbound_id: str = ""
    message_count: int = 0
    snoozed_until: datetime | None = None
    closed_at: datetime | None = None
    linked_ticket_ids: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    """Sentences shown as banners: "the sender never took part in ticket 1042", …"""
    undelivered: bool = False
    status_before: Status | None = None
    """What "not spam" or "restore" goes back to."""
    participants: tuple[str, ...] = ()
    """Addresses that wrote, or stood in To/Cc of, a message of the ticket (newest 50, lower case)."""
    conversation_key: str | None = None
    set_aside: SetAside | None = None
    """Kept while the ticket is not live, for whoever brings it back: nothing else tells since when somebody waited."""
    merged_into: str | None = None
    """The ticket that goes on in this one's place; this one stays as it was, out of every list (domain/merging.py)."""
    merged: tuple[str, ...] = ()
    """The tickets that this one goes on for, also those that came along with another."""
    answered_elsewhere: AnsweredElsewhere | None = None
    """Kept when it is taken out of a merge: whoever answers must know that somebody did."""
    counted: Counted | None = None
    """Of this wait or of an earlier one; None: the clock runs from the beginning of the wait."""

    @property
    def number(self) -> int:
        return int(self.id)

    @property
    def is_undelivered(self) -> bool:
        """On the "undelivered" list: somebody still has to do something about a message that did not arrive."""
        return self.undelivered and self.status in LIVE and self.merged_into is None

    @property
    def first_wait(self) -> bool:
        """Whether the customer who waits was never answered: the wait began with the ticket."""
        return self.waiting_since is None or self.waiting_since <= self.created_at


@dataclass(frozen=True)
class TicketRow:
    """What a list shows of a ticket: only what the index projects."""

    id: str
    subject: str
    status: Status
    priority: Priority
    inbox_id: str
    channel: str
    customer_id: str
    customer_name: str
    assignee_id: str | None
    team_id: str | None
    snippet: str
    tags: tuple[str, ...]
    updated_at: datetime
    waiting_since: datetime | None
    snoozed_until: datetime | None
    undelivered: bool
    last_message_id: str
    first_wait: bool = True
    counted: Counted | None = None


def nobody_waits(ticket: Ticket) -> Ticket:
    """The customer was answered: nobody waits, nor will anybody when the ticket is brought back."""
    aside = ticket.set_aside
    return replace(ticket, waiting_since=None, set_aside=replace(aside, waiting_since=None) if aside else None)


def wait_of(ticket: Ticket) -> datetime | None:
    """Since when somebody waits, also while the ticket is put away."""
    return ticket.waiting_since or (ticket.set_aside.waiting_since if ticket.set_aside else None)


def is_counted_anew(before: Ticket, after: Ticket) -> bool:
    """Whether a change of the ticket may change its clock: only then it is worth a look at what is promised."""
    since = wait_of(before)
    if since is None or since != wait_of(after) or before.counted != after.counted:
        return False  # it ends, begins or comes back: what was counted of it stands
    return _promised(before) != _promised(after) or (before.status == "pending") != (after.status == "pending")


def _promised(ticket: Ticket) -> tuple[object, ...]:
    """What says what is promised."""
    return ticket.inbox_id, ticket.channel, ticket.team_id


def checked_subject(subject: str) -> str:
    """The subject on one line; raise InvalidInput when it is empty or over MAX_SUBJECT_CHARS."""
    line = " ".join(subject.split())
    if not line:
        raise InvalidInput("A ticket needs a subject.", {"subject": "Say in a few words what it is about."})
    if len(line) > MAX_SUBJECT_CHARS:
        raise InvalidInput("The subject is too long.", {"subject": f"Keep it under {MAX_SUBJECT_CHARS} characters."})
    return line


def checked_tags(tags: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Tags trimmed, lower-cased, without repeats, in the order given."""
    clean = tuple(dict.fromkeys(" ".join(tag.lower().split()) for tag in tags if tag.strip()))
    if len(clean) > MAX_TAGS:
        raise InvalidInput("Too many tags.", {"tags": f"A ticket carries at most {MAX_TAGS} tags."})
    if any(len(tag) > MAX_TAG_CHARS for tag in clean):
        raise InvalidInput("A tag is too long.", {"tags": f"Keep each tag under {MAX_TAG_CHARS} characters."})
    return clean
