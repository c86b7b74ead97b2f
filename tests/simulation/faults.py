"""Which call goes wrong, and how.

A fault is named by where it strikes: the function, the call site and the how-manyeth call there.  Whether one strikes
is drawn for that name alone, so leaving one out (or an act) changes none of the others, and a history can be shrunk.
Each history leans on a few sites of its own, so that rare ones are struck too.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from tests.simulation import draws
from tests.simulation.sites import Site

Kind = Literal[
    "dies before", "dies after", "fails before", "fails after", "throttled", "hangs before", "hangs after", "slow",
    "twice", "refused", "partly done", "delivered twice", "delivered late", "record again", "record lost", "cold start",
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
RETRIED_BY_THE_SDK = frozenset({"dynamodb", "sqs", "s3", "ssm", "apigatewaymanagementapi"})
SENDING: tuple[tuple[Kind, float], ...] = (
    ("dies before", 20), ("dies after", 20), ("fails before", 12), ("fails after", 18), ("throttled", 12),
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
    sending: float = 0.12
    delivered_twice: float = 0.06
    delivered_late: float = 0.06
    record_again: float = 0.05
    record_lost: float = 0.012
    partly_done: float = 0.01
    """Entries of a batch that SQS or DynamoDB leaves undone."""
    cold_start: float = 0.15


@dataclass
class Faults:
    """The faults of one history.  ``allowed`` None: all that are drawn; else these alone (a shrunk history)."""

    seed: int
    rates: Rates = Rates()
    allowed: Collection[Name] | None = None
    on: bool = True
    struck: dict[Name, Kind] = field(default_factory=dict)
    calls: dict[tuple[str, str], int] = field(default_factory=dict)

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
        if draws.share(self.seed, *name) >= self._rate(function, place, count, sends):
            return None
        kind = draws.weighted(SENDING if sends else AT_CALLS, self.seed, "kind", *name)
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
        return kind
