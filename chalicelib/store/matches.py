"""Tickets that carry terms, newest first, read no further than a page needs (docs/adr/0012).

All terms step down through the blocks together: where one of them has nothing, the others skip what lies between.  A
search that would read more than its budget stops, and says below which ticket it has not looked.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from chalicelib.domain.query import Alternative, Clause
from chalicelib.store.models import PostingItem
from chalicelib.store.postings import (
    BLOCK,
    RECENT,
    batch_key,
    block_key,
    bucket_of,
    numbers_in,
    term_key,
    unpacked_batch,
    unpacked_message,
)

BUDGET = 17.0
"""Read units of postings that one page may take; its 25 tickets take 12.5 more."""
LEAST_STEPS = 4.0
"""Units that are left for stepping down, however much the first look at many words took: every page gets on."""
READ_BYTES = 4096
FIRST_BLOCKS = 2
"""Of a word of which nothing is known yet: two of a common one are two units and more."""
MOST_BLOCKS = 64
ITEM_BYTES = 30
"""Of an item beside its term and what it holds: the names of its attributes, the rest of its key."""
NEWEST = 10**9
"""A block above all others."""

Fresh = dict[str, dict[int, set[int]]]
"""What the first two tiers know: ticket numbers by term and block."""
Seek = Callable[[int], int | None]
"""The highest block up to the one given in which something lies; None when there is none."""


@dataclass(frozen=True)
class Matches:
    """ticket_ids: newest first.  below: the ticket number before which to go on, None at the end.

    cut: it ended because it had read enough, not because the page was full.
    """

    ticket_ids: tuple[str, ...]
    below: int | None
    cut: bool = False


class _Enough(Exception):
    """The budget is used up."""


@dataclass
class _Reading:
    """Read units taken so far, each query rounded as DynamoDB rounds it (eventually consistent)."""

    units: float = 0.0
    limit: float = math.inf

    def took(self, size: int) -> None:
        self.units += max(1, math.ceil(size / READ_BYTES)) / 2

    def check(self) -> None:
        if self.units >= self.limit:
            raise _Enough

    def affords(self, size: float) -> float:
        """How many items of so many bytes are within the limit."""
        return (self.limit - self.units) * 2 * READ_BYTES / size if size else math.inf


@dataclass
class _Term:
    """One term's tickets.  It is asked for ever lower blocks, so what it skipped it never needs."""

    term: str
    reading: _Reading
    fresh: dict[int, set[int]]
    size: float = 0.0
    """Bytes of a block, as far as known: how common the term is."""
    _blocks: dict[int, set[int]] = field(default_factory=dict)
    _floor: int = NEWEST
    _ended: bool = False
    _next: int = field(default_factory=lambda: FIRST_BLOCKS)

    def seek(self, block: int) -> int | None:
        while not self._ended and not any(each <= block for each in self._blocks):
            self._load(block)
        return max((each for known in (self._blocks, self.fresh) for each in known if each <= block), default=None)

    def numbers(self, block: int) -> set[int]:
        return self._blocks.get(block, set()) | self.fresh.get(block, set())

    def _load(self, block: int) -> None:
        """Read on: ever more at a time, but behind a gap no more than one unit's worth, and never beyond the limit."""
        self.reading.check()
        jumps = self.size > 0 and block < self._floor - 1
        wanted = READ_BYTES / self.size if jumps else self._next
        many = int(max(1, min(MOST_BLOCKS, wanted, self.reading.affords(self.size))))
        edge = PostingItem.sk <= block_key(min(block, self._floor - 1))
        query = PostingItem.query(term_key(self.term), edge, scan_index_forward=False, limit=many, page_size=many)
        found = list(query)
        size = sum(len(item.ids or ()) * 2 + len(self.term) + ITEM_BYTES for item in found)
        self.reading.took(size)
        self._blocks |= {int(item.sk): numbers_in(int(item.sk), item.ids or ()) for item in found}
        self._ended = len(found) < many
        if found:
            self._floor, self.size, self._next = int(found[-1].sk), size / len(found), many * 2


@dataclass
class _Clause:
    """Ways to say one thing, each of which goes its own way down through the blocks."""

    alternatives: tuple[tuple[_Term, ...], ...]

    @property
    def size(self) -> float:
        return max((term.size for terms in self.alternatives for term in terms), default=0.0)

    @property
    def steps(self) -> list[Seek]:
        """One for each term where there is but one way, so that every step is known to whoever steps."""
        return [term.seek for term in self.alternatives[0]] if len(self.alternatives) == 1 else [self.seek]

    def seek(self, block: int) -> int | None:
        ways = (_together([term.seek for term in terms], block, lambda _: None) for terms in self.alternatives)
        return max((found for found in ways if found is not None), default=None)

    def numbers(self, block: int) -> set[int]:
        return set().union(*(set.intersection(*(term.numbers(block) for term in way)) for way in self.alternatives))


def find(clauses: Sequence[Clause], below: int | None, limit: int) -> Matches:
    """The newest ``limit`` tickets numbered under ``below`` that satisfy every clause."""
    reading = _Reading()
    fresh = _read_fresh({term for clause in clauses for way in clause for term in way}, reading)
    asked = [_Clause(tuple(_terms(way, reading, fresh) for way in clause)) for clause in clauses]
    at = NEWEST - 1 if below is None else (below - 1) // BLOCK
    for clause in asked:
        clause.seek(at)
    asked.sort(key=lambda clause: clause.size)  # the rarest leads
    reading.limit = max(BUDGET, reading.units + LEAST_STEPS)
    steps = [step for clause in asked for step in clause.steps]
    found: list[int] = []

    def stepped(block: int) -> None:
        nonlocal at
        at = block

    try:
        while at >= 0 and _together(steps, at, stepped) is not None:
            here = set.intersection(*(clause.numbers(at) for clause in asked))
            found += sorted((number for number in here if below is None or number < below), reverse=True)
            if len(found) > limit:
                return Matches(_ids(found[:limit]), found[limit - 1])
            at -= 1
    except _Enough:
        return Matches(_ids(found), min((at + 1) * BLOCK, below or NEWEST * BLOCK), cut=True)
    return Matches(_ids(found), None)


def _together(steps: Sequence[Seek], block: int, stepped: Callable[[int], None]) -> int | None:
    """The highest block up to this one where all find something; ``stepped`` hears of each one that is not it yet."""
    agreed = 0
    for seek in cycle(steps):
        found = seek(block)
        if found is None:
            return None
        agreed = agreed + 1 if found == block else 1
        block = found
        stepped(block)
        if agreed == len(steps):
            return block
    raise AssertionError("a query without clauses finds nothing and is not asked")


def _terms(way: Alternative, reading: _Reading, fresh: Fresh) -> tuple[_Term, ...]:
    return tuple(_Term(term, reading, fresh.get(term, {})) for term in way)


def _ids(numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(map(str, numbers))


def _read_fresh(terms: set[str], reading: _Reading) -> Fresh:
    """First the messages, then the batches: what moves on meanwhile is met again, never missed."""
    found: Fresh = defaultdict(lambda: defaultdict(set))
    size = 0
    for item in PostingItem.query(RECENT):
        size += len(item.packed or b"") + len(str(item.sk)) + ITEM_BYTES
        number, carried = unpacked_message(item)
        for term in terms.intersection(carried):
            found[term][number // BLOCK].add(number)
    reading.took(size)
    for bucket in sorted({bucket_of(term) for term in terms}):
        size = 0
        for item in PostingItem.query(batch_key(bucket)):
            size += len(item.packed or b"") + len(str(item.sk)) + ITEM_BYTES
            for term, numbers in unpacked_batch(item):
                if term in terms:
                    for number in numbers:
                        found[term][number // BLOCK].add(number)
        reading.took(size)
    return found
