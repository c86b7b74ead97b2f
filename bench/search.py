"""Does search find what was said, how fast, and for how many units: 200 golden queries over a desk's messages.

    python -m bench.search [--messages 100000] [--million] [--json]

The queries and what each has to find come from ``bench.search_data``: an exhaustive look through the raw texts with
code of its own.  A query's recall is the share of the newest 25 that its first page shows (a phrase's first four, which
are shorter).  The index lies as it does
at its worst but for chance: 128 messages in the first tier, as many batches in the second as the hourly job leaves.
``--million`` writes only the postings that the queries touch, at their full length.

What indexing costs is worked out from the items that the store makes of 8,192 messages of 60 distinct words, on their
whole way: one item each, batches, blocks, and the deletions between them.  Times are this machine's, of calls to
DynamoDB Local one after the other; they are reported, and asked for only where nothing else runs.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bench import dynamodb_local
from bench.generate import NEWEST_NUMBER, NOW, story, write
from bench.meter import Meter
from bench.metered import metered
from bench.result import NEVER, report
from bench.search_data import Golden, distinct, golden, of_sixty_words, said_on, ticket_of
from bench.units import write_units
from chalicelib.domain import query as box
from chalicelib.domain import terms
from chalicelib.services import search
from chalicelib.store import messages, postings, tickets
from chalicelib.store.models import Item, PostingItem
from local.units import item_bytes

MESSAGES = 100_000
MILLION = 1_000_000
QUERIES = 200
HEAP_MB = 3_072
BATCHES = postings.FULL - 1
SIXTY = 60
MOST_PAGES = 4
WHOLE_INDEX = 200_000
"""Up to so many messages all terms are written, and all tickets; above only what the queries touch."""
LIMITS = {"p95_ms": 500.0, "two_words_p95_rcu": 30.0, "p95_rcu_without_phrases": 30.0, "index_wcu": 15.0}
MINIMUMS = {"recall_percent": 99.0, "queries": float(QUERIES)}


@dataclass
class Desk:
    """What was generated: tickets, the three tiers, and what every query has to find, newest first."""

    asked: Sequence[Golden]
    touched: frozenset[str] | None
    fresh: int
    """Messages that are in no block yet, at most."""
    tickets: int = 0
    messages: int = 0
    expected: list[list[int]] = field(default_factory=list)
    recent: list[PostingItem] = field(default_factory=list)
    blocks: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    read: dict[int, None] = field(default_factory=dict)
    """Tickets whose messages a phrase makes search read."""

    def take(self, n: int) -> None:
        """Ticket ``n``, the newest first."""
        said = said_on(n)
        number, truth = NEWEST_NUMBER - n, ticket_of(n, said)
        for place, each in enumerate(self.asked):
            if each.meant(truth):
                self.expected[place].append(number)
            if each.kind == "phrase" and {*each.typed.strip('"').split(" ")} <= truth.words:
                self.read[n] = None
        for message in said:
            carried = terms.of_message(message, message.text)
            if self.touched is not None:
                carried = tuple(term for term in carried if term in self.touched)
            if len(self.recent) < min(self.fresh, postings.FOLD_EVERY * (1 + BATCHES)):
                self.recent.append(postings.recent_item(message.id, message.ticket_id, carried))
            else:
                for term in carried:
                    self.blocks[term].add(number)
        self.tickets, self.messages = self.tickets + 1, self.messages + len(said)

    def items(self) -> Iterator[Item]:
        first = postings.FOLD_EVERY
        yield from self.recent[:first]
        for start in range(first, len(self.recent), first):
            yield from postings.batch_items(self.recent[start : start + first])
        yield from postings.block_items(self.blocks)
        shown = {NEWEST_NUMBER - number for found in self.expected for number in found[: 4 * search.PAGE]}
        wanted = range(self.tickets) if self.touched is None else sorted(shown | self.read.keys())
        yield from (tickets.as_item(story(n).ticket, NOW) for n in wanted)
        for n in self.read:
            yield from (messages.as_item(messages.stored_body(each, "")[0]) for each in said_on(n))
            bodies = (messages.stored_body(each, "")[1] for each in said_on(n))
            yield from (body for body in bodies if body is not None)


def touched_by(asked: Iterable[Golden]) -> frozenset[str]:
    """The terms that any of the queries reads."""
    clauses = (clause for each in asked for clause in box.parse(each.typed, date(2026, 11, 20)).clauses)
    return frozenset(term for clause in clauses for way in clause for term in way)


def generated(size: int, queries: int = QUERIES) -> Desk:
    """A desk of at least so many messages."""
    asked = golden(size // 6, queries)  # a ticket has nearly five messages on the average
    made = Desk(asked, touched_by(asked) if size > WHOLE_INDEX else None, size // 2, expected=[[] for _ in asked])
    while made.messages < size:
        made.take(made.tickets)
    return made


# Asking


@dataclass(frozen=True)
class Asked:
    kind: str
    found: int
    wanted: int
    units: float
    ms: float
    typed: str


def ask(desk: Desk, probe: Any) -> list[Asked]:
    """The first page of every query; of a phrase, whose pages are shorter, the first few."""
    answers = []
    for each, expected in zip(desk.asked, desk.expected, strict=True):
        wanted = {str(number) for number in expected[: search.PAGE]}
        with Meter(probe) as meter:
            began = time.perf_counter()
            page = search.find(each.typed, NOW)
            ms = (time.perf_counter() - began) * 1000
        shown = {one.ticket.id for one in page.tickets}
        for _ in range(MOST_PAGES - 1):
            if each.kind == "phrase" and page.next is not None and len(shown) < search.PAGE:
                page = search.find(each.typed, NOW, page.next)
                shown.update(one.ticket.id for one in page.tickets)
        answers.append(Asked(each.kind, len(shown & wanted), len(wanted), meter.units().read, ms, each.typed))
    return answers


def figures_of(desk: Desk, answers: Sequence[Asked]) -> dict[str, float]:
    wanted = sum(each.wanted for each in answers)
    by_terms = [each.units for each in answers if each.kind != "phrase"]
    found = {
        "messages": float(desk.messages),
        "tickets": float(desk.tickets),
        "queries": float(len(answers)),
        "recall_percent": round(100 * sum(each.found for each in answers) / max(1, wanted), 2),
        "queries_that_miss_something": float(sum(each.found < each.wanted for each in answers)),
        "tickets_wanted": float(wanted),
        "p50_ms": _quantile([each.ms for each in answers], 0.5),
        "p95_ms": _quantile([each.ms for each in answers], 0.95),
        "p95_rcu_without_phrases": _quantile(by_terms, 0.95),
        "most_rcu_without_phrases": max(by_terms),
        "two_words_p95_rcu": _quantile([each.units for each in answers if each.kind == "two words"], 0.95),
        "two_words_most_rcu": max(each.units for each in answers if each.kind == "two words"),
        "phrase_p95_rcu": _quantile([each.units for each in answers if each.kind == "phrase"], 0.95),
    }
    return found | writes_of_sixty()


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


# Indexing


def writes_of_sixty(many: int = postings.FULL * postings.FOLD_EVERY) -> dict[str, float]:
    """Write units a message, from its arrival to the blocks."""
    recent, first, moved = [], 0.0, 0.0
    carried: dict[str, set[int]] = defaultdict(set)
    for message in of_sixty_words(many):
        if distinct(message) != SIXTY:
            raise RuntimeError(f"{message.id} says {distinct(message)} words, not {SIXTY}")
        found = terms.of_message(message, message.text)
        recent.append(postings.recent_item(message.id, message.ticket_id, found))
        first += _units(recent[-1])
        for term in found:
            carried[term].add(int(message.ticket_id))
    for start in range(0, many, postings.FOLD_EVERY):
        taken = recent[start : start + postings.FOLD_EVERY]
        batch = postings.batch_items(taken)
        moved += sum(map(_units, taken)) + 2 * sum(map(_units, batch))  # taken off; written, and later taken off too
    blocks = sum(map(_units, postings.block_items(carried)))
    return {
        "index_at_once_wcu": round(first / many, 2),
        "index_folding_wcu": round(moved / many, 2),
        "index_blocks_wcu": round(blocks / many, 2),
        "index_wcu": round((first + moved + blocks) / many, 2),
    }


def _units(item: PostingItem) -> float:
    return write_units(item_bytes(item.serialize()))


# Running


def measure(size: int, say: Any) -> tuple[dict[str, float], list[Asked]]:
    began = time.monotonic()
    desk = generated(size)
    say(f"{desk.messages} messages in {desk.tickets} tickets: {time.monotonic() - began:.0f} s")
    with dynamodb_local.running(HEAP_MB) as endpoint:
        client = dynamodb_local.client(endpoint)
        dynamodb_local.create_table(endpoint, "search")
        say(f"{write(client, 'search', desk.items())} items: {time.monotonic() - began:.0f} s")
        with metered(endpoint, endpoint, "search", client):
            search.find("warm", NOW)
            answers = ask(desk, client)
    return figures_of(desk, answers), answers


def table_of(answers: Sequence[Asked]) -> Iterator[str]:
    """For people: a line a kind of query, then what was missed."""
    kinds = Counter(each.kind for each in answers)
    for kind in kinds:
        of_kind = [each for each in answers if each.kind == kind]
        wanted, found = sum(each.wanted for each in of_kind), sum(each.found for each in of_kind)
        units, ms = [each.units for each in of_kind], [each.ms for each in of_kind]
        cost = f"{_quantile(units, 0.5):6} {max(units):6} RCU {_quantile(ms, 0.95):8} ms"
        yield f"{kind:20}{kinds[kind]:4} queries {found:6} of {wanted:6} {cost}"
    yield from (f"missed {each.wanted - each.found}: {each.typed}" for each in answers if each.found < each.wanted)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--million", action="store_true", help="a million messages")
    parser.add_argument("--json", action="store_true", help="only the result line")
    given = parser.parse_args()
    say = (lambda line: None) if given.json else print
    try:
        figures, answers = measure(MILLION if given.million else given.messages, say)
    except dynamodb_local.Unavailable as reason:
        return report("search", {}, LIMITS, skipped=str(reason), minimums=MINIMUMS)
    for line in table_of(answers):
        say(line)
    return report("search", figures, LIMITS, minimums=MINIMUMS, slack={"p95_ms": NEVER})


if __name__ == "__main__":
    sys.exit(main())
