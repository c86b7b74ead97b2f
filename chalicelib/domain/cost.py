"""What a month costs: counted units times AWS's list prices.  The console and ``bench.cost`` share this arithmetic.

A unit is what AWS bills, by its name in ``chalicelib/data/prices.toml``: one write unit, one request, one GB.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Counts = Mapping[str, float]
"""How many of each unit."""

HOURS_A_MONTH = 730
DAYS_A_MONTH = 365 / 12
MB_PER_GB = 1024


@dataclass(frozen=True)
class Price:
    """``usd`` for one unit.  ``free`` of the units in the same ``pool`` cost nothing each month.

    ``fee``: for sending or receiving one message, the same whatever desk does it.
    """

    unit: str
    service: str
    words: str
    usd: float
    free: float
    pool: str
    fee: bool
    source: str


@dataclass(frozen=True)
class PriceList:
    as_of: date
    region: str
    prices: Mapping[str, Price]


@dataclass(frozen=True)
class Line:
    """``paid``: what is left of ``amount`` after the allowance."""

    price: Price
    amount: float
    paid: float

    @property
    def usd(self) -> float:
        return self.paid * self.price.usd


@dataclass(frozen=True)
class Bill:
    lines: tuple[Line, ...] = field(default=())

    @property
    def total(self) -> float:
        """Without the fees per message."""
        return sum(line.usd for line in self.lines if not line.price.fee)

    @property
    def fees(self) -> float:
        return sum(line.usd for line in self.lines if line.price.fee)

    def amounts(self, service: str) -> tuple[Line, ...]:
        """The service's lines of which there was any, the dearest first."""
        return tuple(line for line in self.lines if line.price.service == service and line.amount)

    def by_service(self) -> dict[str, float]:
        """Dollars of each service, fees too, the dearest first."""
        found: defaultdict[str, float] = defaultdict(float)
        for line in self.lines:
            found[line.price.service] += line.usd
        return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def price_list(document: Mapping[str, Any]) -> PriceList:
    """The price file as it was read.  Raises KeyError or ValueError for one that is not whole."""
    prices = {}
    for unit, said in document["units"].items():
        usd, free = said["usd"] / said.get("per", 1), said.get("free", 0)
        if usd < 0 or free < 0:
            raise ValueError(f"{unit}: a price and an allowance are not below 0")
        prices[unit] = Price(
            unit, said["service"], said["words"], usd, free, said.get("pool", unit), said.get("fee", False),
            said["source"],
        )  # fmt: skip
    return PriceList(document["as_of"], document["region"], prices)


def bill(counts: Counts, prices: PriceList, free_tier: bool) -> Bill:
    """A month's bill.  Raises KeyError for a unit without a price: nothing is left out in silence.

    free_tier: take off what AWS gives for good.  A shared allowance goes to the cheapest units first, which is the
    dearest that AWS could mean.
    """
    left = {price.pool: price.free if free_tier else 0.0 for price in prices.prices.values()}
    lines = []
    for unit, amount in sorted(counts.items(), key=lambda each: prices.prices[each[0]].usd):
        price = prices.prices[unit]
        given = min(amount, left[price.pool])
        left[price.pool] -= given
        lines.append(Line(price, amount, amount - given))
    return Bill(tuple(sorted(lines, key=lambda line: (-line.usd, line.price.unit))))


def added(*parts: Counts) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        for unit, amount in part.items():
            found[unit] += amount
    return dict(found)


def times(counts: Counts, factor: float) -> dict[str, float]:
    return {unit: amount * factor for unit, amount in counts.items()}


def without(counts: Counts, units: Iterable[str]) -> dict[str, float]:
    dropped = set(units)
    return {unit: amount for unit, amount in counts.items() if unit not in dropped}
