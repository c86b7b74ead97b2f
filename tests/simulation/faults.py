"""Which call goes wrong, and how.

A fault is named by where it strikes: the function, the call site and the how-manyeth call there.  Whether one strikes
is drawn for that name alone, so leaving one out (or an act) changes none of the others, and a history can be shrunk.
Each history leans on a few sites of its own, so that rare ones are struck too.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tests.simulation import draws
from tests.simulation.sites import Site

Kind = Literal[
    "dies before", "dies after", "fails before", "fails after", "throttled", "hangs before", "hangs after", "slow",
    "twice", "refused", "partly done", "delivered twice", "delivered late", "record again", "record lost", "cold start",
    "clock behind", "dies reading",
]  # fmt: skip
Name = tuple[str, ...]
"""Where a fault strikes."""

AT_CALLS: tuple[tuple[Kind, float], ...] = (
    ("dies before", 22),
    ("dies after", 22),
    ("fails before", 10),
    ("fails after", 10),
    ("throttled", 8),
    ("hangs before", 3),
    ("hangs after", 3),
    ("slow", 10),
    ("twice", 12),
)
BUSY = re.compile(
    r"^store/(codec|counters|customers|documents|messages|objects|pending|receipts|sources|tickets|transaction|postings)"
    r"|^connectors/"
)
"""Files whose sites every history calls often; a fault at any other site is drawn more often."""
RARE_SITES = frozenset({
    "jobs/clock.py _send_timer SendMessage", "jobs/later.py _wait_on SendMessage",
    "jobs/outbound.py _come_back SendMessage", "services/breaker.py _open PutItem",
    "services/dead_letters.py _unpark SendMessage", "services/dead_letters.py discard DeleteMessage",
    "services/dead_letters.py retry DeleteMessage", "services/dead_letters.py retry SendMessage",
    "services/inbox_secrets.py InboxSecrets.delete DeleteParameter",
    "services/receipt_rule.py ReceiptRule._change UpdateReceiptRule", "store/counters.py correct UpdateItem",
    "store/derived.py _marks BatchGetItem", "store/derived.py take_stale_marks DeleteItem",
    "store/messages.py _newest_deliveries Query", "store/messages.py _oldest_of Query",
    "store/objects.py attachment_size HeadObject",
    "store/objects.py delete_original DeleteObject", "store/pending.py marked GetItem",
    "store/postings.py _fold_bucket BatchWriteItem", "store/postings.py fold_recent BatchWriteItem",
    "store/postings.py put_into_blocks UpdateItem", "store/postings.py stored_blocks BatchGetItem",
    "store/postings.py take_out_of_blocks UpdateItem", "store/receipts.py of_original Query",
    "store/staff.py _another_admin Query", "store/staff.py _read GetItem", "store/tickets.py last_number GetItem",
    "store/tickets.py of_customer Query", "store/usage.py keep PutItem", "store/usage.py table_size DescribeTable",
})  # fmt: skip
"""Sites that so few histories call that their first call there goes wrong every other time."""
AT_RARE_SITES: tuple[tuple[Kind, float], ...] = (
    ("dies before", 40), ("dies after", 40), ("fails after", 10), ("twice", 10),
)  # fmt: skip
CLOCKS_BEHIND = frozenset({"later", "outbound"})
"""Functions that a queue wakes to the second: where the clock is behind, their work has not come due yet."""
MOST_SECONDS_BEHIND = 5.0
RETRIED_BY_THE_SDK = frozenset({"dynamodb", "sqs", "s3", "ssm", "apigatewaymanagementapi"})
SENDING: tuple[tuple[Kind, float], ...] = (
    ("dies before", 20), ("dies after", 20), ("fails before", 12), ("fails after", 28), ("throttled", 12),
    ("hangs before", 4), ("hangs after", 6), ("slow", 4), ("refused", 8),
)  # fmt: skip
"""At a provider's sending call, which no SDK repeats."""


@dataclass(frozen=True)
class Rates:
    """Share of calls (and of deliveries, records, invocations) that go wrong."""

    call: float = 0.012
    leaning: float = 0.3
    """At the first calls of a site that the history leans on."""
    rare: float = 0.12
    """At the first calls of a site that few histories call."""
    seldom: float = 0.5
    """At the first call of one of ``RARE_SITES``."""
    sending: float = 0.18
    delivered_twice: float = 0.06
    delivered_late: float = 0.06
    record_again: float = 0.05
    record_lost: float = 0.012
    partly_done: float = 0.01
    """Entries of a batch that SQS or DynamoDB leaves undone."""
    cold_start: float = 0.15
    outbound_twice: float = 0.15
    """Of what goes out more is delivered twice: two that send one message are what must never be."""
    clock_behind: float = 0.15
    reading: float = 0.01
    """Of mails being read: its reader is gone, not at a call but at work."""
    heavy: float = 0.06
    """Share of mails that mostly take their reader along, though not always."""


@dataclass
class Faults:
    """The faults of one history.  ``allowed`` None: all that are drawn; else these alone (a shrunk history)."""

    seed: int
    rates: Rates = Rates()
    allowed: Collection[Name] | None = None
    on: bool = True
    struck: dict[Name, Kind] = field(default_factory=dict)
    calls: dict[tuple[str, str], int] = field(default_factory=dict)
    clock: Callable[[], datetime] | None = None
    when: dict[Name, datetime] = field(default_factory=dict)

    @property
    def injected(self) -> int:
        """How many struck so far; cold starts happen on good days too."""
        return sum(kind != "cold start" for kind in self.struck.values())

    def at_call(self, function: str, site: Site, service: str) -> Kind | None:
        """What happens to this call; it counts as one more at its site."""
        place = str(site)
        count = self.calls[(function, place)] = self.calls.get((function, place), 0) + 1
        if not self.on:
            return None
        name = ("call", function, place, str(count))
        sends = service in ("sesv2", "telegram")
        seldom = count == 1 and site.name in RARE_SITES
        rate = self.rates.seldom if seldom else self._rate(function, place, count, sends)
        if draws.share(self.seed, *name) >= rate:
            return None
        kinds = AT_RARE_SITES if seldom else SENDING if sends else AT_CALLS
        kind = draws.weighted(kinds, self.seed, "kind", *name)
        return self._strikes(name, kind)

    def _rate(self, function: str, place: str, count: int, sends: bool) -> float:
        if sends:
            return self.rates.sending
        if count <= 2 and not BUSY.match(place):
            return self.rates.rare
        leans = draws.share(self.seed, "leans", function, place) < 0.04
        return self.rates.leaning if leans and count <= 3 else self.rates.call

    def chance(self, kind: Kind, rate: float, *where: object) -> bool:
        """Does a fault strike that is no call: a delivery, a stream's record, a cold start?"""
        name = (kind, *(str(each) for each in where))
        if not self.on or draws.share(self.seed, *name) >= rate:
            return False
        return self._strikes(name, kind) is not None

    def _strikes(self, name: Name, kind: Kind) -> Kind | None:
        if self.allowed is not None and name not in self.allowed:
            return None
        self.struck[name] = kind
        if self.clock is not None:
            self.when[name] = self.clock()
        return kind
