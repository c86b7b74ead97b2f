"""Make everything anew that only repeats what tickets and messages say: lists, counters, the words they are found by.

It goes through the tickets by their numbers, a page at a time, and can stop and go on anywhere.  People go on working:
every write is conditional, or repeats what a worker would write, and nothing of it reaches a queue.

What it costs: per ticket one read of the ticket, one of what it is counted as and one of its messages, and a share of
the blocks of its words.  What was right is not written again.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from chalicelib.services import recount, search_index
from chalicelib.store import derived, documents, tickets

Part = Literal["lists", "counts", "words"]
PARTS: tuple[Part, ...] = get_args(Part)
PAGE = 1_000
"""Tickets at a time: about those of one block of postings, so that a common word is written once for all of them."""


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
    """Blocks of postings that were wrong."""


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
        progress.words + (_put_words_right(ids, first=not progress.tickets) if "words" in progress.parts else 0),
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


def index(ticket_id: str) -> int:
    """Make one ticket findable by all its messages, without a look at what is there; returns by how many terms."""
    return sum(search_index.index(message) for message in search_index.all_messages(ticket_id))


def _put_words_right(ticket_ids: Sequence[str], first: bool) -> int:
    if first:
        search_index.move_all_on()
    return search_index.put_right(search_index.compare(ticket_ids))


def check(last: int | None = None) -> Iterator[tuple[int, search_index.Difference]]:
    """Is a ticket found by what its messages say, and by nothing else?  Page by page, with the last number looked at.

    Writes nothing but what the hourly job would: all postings are moved to where they can be compared.
    """
    search_index.move_all_on()
    last = tickets.last_number() if last is None else last
    for first in range(tickets.FIRST_NUMBER, last + 1, PAGE):
        numbers = range(first, min(first + PAGE, last + 1))
        there = tickets.get_many([str(number) for number in numbers])
        yield numbers[-1], search_index.compare(sorted(there, key=int))
