"""A month's bill: amounts times prices, and what AWS gives for nothing."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

import chalicelib
from chalicelib.domain.cost import PriceList, added, bill, price_list, times

PAPER: dict[str, Any] = {
    "as_of": "2026-11-15",
    "region": "us-east-1",
    "units": {
        "calls": {"service": "A", "words": "calls", "usd": 0.2, "per": 1_000_000, "free": 1_000_000, "source": "x"},
        "slow": {"service": "B", "words": "slow", "usd": 0.4, "per": 10, "free": 100, "pool": "q", "source": "x"},
        "fast": {"service": "B", "words": "fast", "usd": 0.5, "per": 10, "free": 100, "pool": "q", "source": "x"},
        "mails": {"service": "C", "words": "mails", "usd": 0.1, "per": 1000, "fee": True, "source": "x"},
    },
}
PRICES = price_list(PAPER)


def test_a_bill_is_amounts_times_prices() -> None:
    made = bill({"calls": 3_000_000, "slow": 10}, PRICES, free_tier=False)
    assert made.total == pytest.approx(0.6 + 0.4)
    assert made.by_service() == {"A": pytest.approx(0.6), "B": pytest.approx(0.4)}


def test_the_allowance_is_taken_off_once() -> None:
    assert bill({"calls": 3_000_000}, PRICES, free_tier=True).total == pytest.approx(0.4)
    assert bill({"calls": 900_000}, PRICES, free_tier=True).total == 0


def test_units_of_one_pool_share_their_allowance_and_the_dearest_are_paid() -> None:
    made = bill({"slow": 80, "fast": 70}, PRICES, free_tier=True)
    assert {line.price.unit: line.paid for line in made.lines} == {"slow": 0, "fast": 50}
    assert made.total == pytest.approx(2.5)


def test_fees_per_message_stand_apart() -> None:
    made = bill({"calls": 1_000_000, "mails": 2_000}, PRICES, free_tier=False)
    assert (made.total, made.fees) == pytest.approx((0.2, 0.2))


def test_a_unit_without_a_price_is_not_left_out() -> None:
    with pytest.raises(KeyError):
        bill({"wings": 1}, PRICES, free_tier=False)


def test_a_price_below_nothing_is_refused() -> None:
    wrong = {"calls": {**PAPER["units"]["calls"], "usd": -1}}
    with pytest.raises(ValueError, match="below 0"):
        price_list({**PAPER, "units": wrong})


def test_counts_add_up() -> None:
    assert added({"a": 1, "b": 2}, times({"b": 1, "c": 0.5}, 2)) == {"a": 1, "b": 4, "c": 1}


@pytest.fixture
def shipped() -> PriceList:
    path = Path(chalicelib.__file__).parent / "data" / "prices.toml"
    return price_list(tomllib.loads(path.read_text()))


def test_every_shipped_price_names_its_source_and_is_of_one_region(shipped: PriceList) -> None:
    assert shipped.region == "us-east-1"
    assert all(price.source.startswith("https://aws.amazon.com/") for price in shipped.prices.values())
    assert all(price.usd > 0 and price.words for price in shipped.prices.values())
