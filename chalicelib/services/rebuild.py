"""Make everything anew that only repeats what tickets and messages say: lists, counters, the words they are found by.

It goes through the tickets by their numbers, a page at a time, and can stop and go on anywhere.  People go on working:
every write is conditional, or repeats what a worker would write, and nothing of it reaches a queue.

What it costs: per ticket one read of the ticket, one of what it is counted as and one of its messages, and one write a
word.  What was right is not written again, except the words.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from chalicelib.domain.message import Message
from chalicelib.domain.ticket import Ticket
from chalicelib.services import recount, search
from chalicelib.services.ledger import BY_HAND
from chalicelib.services.receive_message import NO_SUBJECT
from chalicelib.store import derived, documents, messages, postings, receipts, tickets

Part = Literal["lists", "counts", "words"]
PARTS: tuple[Part, ...] = get_args(Part)
PAGE = 100
"""As many items as DynamoDB gives in one call."""


@dataclass(frozen=True)
class Progress:
    """Where a rebuild goes on.  ``last``: the highest ticket number when it began; newer ones are made right."""

    next: int
    last: int
    parts: tuple[str, ...]
    started_at: datetime
    tickets: int = 0
    lists: int = 0
    counts: int = 0
    words: int = 0


def begin(parts: Collection[Part], at: datetime) -> Progress:
    """The unfinished rebuild of these parts, else a new one."""
    kept = documents.read(Progress, "REBUILD", "REBUILD")
    if kept is not None and set(kept.parts) == set(parts):
        return kept
    return Progress(tickets.FIRST_NUMBER, tickets.last_number(), tuple(sorted(parts)), at)


def step(progress: Progress, at: datetime) -> Progress:
    """Rebuild the next page of tickets, and note how far it is; repeatable."""
    numbers = range(progress.next, min(progress.next + PAGE, progress.last + 1))
    items = derived.stored([str(number) for number in numbers])
    ids = [str(item.pk).removeprefix("TICKET#") for item in items]
    done = Progress(
        progress.next + PAGE, progress.last, progress.parts, progress.started_at,
        progress.tickets + len(items),
        progress.lists + (derived.put_lists_right(items) if "lists" in progress.parts else 0),
        progress.counts + (recount.count_stale(ids, at) if "counts" in progress.parts else 0),
        progress.words + (sum(index(tickets.as_ticket(item)) for item in items) if "words" in progress.parts else 0),
    )  # fmt: skip
    documents.write("REBUILD", "REBUILD", done)
    return done


def is_done(progress: Progress) -> bool:
    return progress.next > progress.last


def finish(progress: Progress, at: datetime) -> int:
    """What needs all tickets: marks that belong to none, and the totals; returns by how much those were off."""
    if "lists" in progress.parts:
        derived.take_stale_marks()
    drift = recount.recount(at, max_spam=None) if "counts" in progress.parts else 0
    documents.delete("REBUILD", "REBUILD")
    return drift


def index(ticket: Ticket) -> int:
    """Write the words by which a ticket is found; returns how many there are."""
    found = dict.fromkeys(_words(ticket))
    postings.add(ticket.id, tuple(found))
    return len(found)


def _words(ticket: Ticket) -> Iterator[str]:
    """As they were found one by one: by the subject of its time, from its first message and from what came in."""
    told = list(_all_messages(ticket.id))
    subject = _first_subject(ticket, told)
    yield from search.found_by(subject, ticket.customer_name, "")
    for n, message in enumerate(told):
        if message.kind == "event" and "subject" in message.event:
            subject = message.event["subject"]
            yield from search.found_by(subject, ticket.customer_name, "")
        elif message.kind == "message" and (message.direction == "in" or (n == 0 and _began_by_hand(message))):
            yield from search.found_by(subject, ticket.customer_name, messages.body_of(message).text)


def _began_by_hand(message: Message) -> bool:
    """Did it open the ticket?  An answer within the same millisecond as the first mail may stand before it."""
    return receipts.get(f"{message.at:%Y-%m-%d}", f"{BY_HAND}{message.id}") is not None


def _first_subject(ticket: Ticket, told: list[Message]) -> str:
    if not told or not any("subject" in each.event for each in told if each.kind == "event"):
        return ticket.subject
    return " ".join(told[0].subject.split()) or NO_SUBJECT


def _all_messages(ticket_id: str) -> Iterator[Message]:
    after: str | None = None
    while True:
        page, after = messages.oldest(ticket_id, after)
        yield from page
        if after is None:
            return
