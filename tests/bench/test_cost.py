"""The published tables follow from the kept counts, and the estimates of the console from the same."""

import re
import subprocess
import sys
import tomllib

import pytest

from bench import cost, cost_model, cost_table
from chalicelib.domain import usage
from chalicelib.domain.cost import bill, price_list

COUNTS = cost_model.read_counts()
PRICES = price_list(tomllib.loads(cost.PRICES.read_text()))
TICKET = COUNTS["ticket"]


def test_the_tables_in_the_docs_are_what_the_counts_and_prices_say() -> None:
    text = cost.DOCS.read_text()
    assert cost_table.replaced(text, cost_table.tables(COUNTS, PRICES)) == text


def test_the_readme_shows_a_table_of_the_docs() -> None:
    rows = [line for line in (cost.DOCS.parent.parent / "README.md").read_text().splitlines() if line.startswith("|")]
    assert len(rows) == 8
    assert "\n".join(rows) in cost.DOCS.read_text()


def test_another_price_makes_another_table() -> None:
    dearer = tomllib.loads(cost.PRICES.read_text())
    dearer["units"]["api_requests"]["usd"] *= 2
    assert cost_table.tables(COUNTS, price_list(dearer)) != cost_table.tables(COUNTS, PRICES)


def test_the_kept_counts_stay_within_the_limits() -> None:
    figures = cost.figures(COUNTS, PRICES)
    assert {name: figures[name] for name, limit in cost.LIMITS.items() if figures[name] > limit} == {}


def test_the_life_that_was_counted_is_the_one_that_is_published() -> None:
    units = TICKET["units"]
    assert units["api_requests"] == cost_model_requests()
    assert (units["ses_in"], units["ses_out"]) == (2, 2)
    assert TICKET["functions"]["deliver"]["calls"] == 2
    assert TICKET["functions"]["intake"]["calls"] == 2


def test_cold_starts_are_priced_as_they_are_published() -> None:
    rows = (cost.DOCS.parent / "benchmarks.md").read_text()
    for row, kind in (("first HTML page", "web"), ("worker", "worker")):
        published = re.search(rf"^\| {row} ÷ bare handler \| [\d.]+ \((\d+) of \d+ ms\)", rows, re.MULTILINE)
        assert published, row
        assert float(published[1]) == cost_model.COLD_CPU_MS[kind]


def cost_model_requests() -> int:
    from bench.cost_life import WEB_REQUESTS

    return WEB_REQUESTS


def test_every_counted_unit_has_a_price() -> None:
    month = cost_model.month(COUNTS, 1_000, 10)
    assert set(month) <= set(PRICES.prices)
    assert bill(month, PRICES, free_tier=False).total > 0


def test_every_open_console_hears_of_every_change() -> None:
    ten, hundred = (cost_model.per_ticket(COUNTS, agents)["socket_messages"] for agents in (10, 100))
    heard = TICKET["units_by_caller"]["work"]["socket_messages"]
    assert ten == pytest.approx(TICKET["units"]["socket_messages"])
    assert hundred - ten == pytest.approx(9 * heard)
    from bench.cost_life import CONSOLES

    assert CONSOLES == cost_model.COUNTED_CONSOLES


def test_a_desk_without_tickets_hardly_pays_for_its_agents() -> None:
    def total(tickets: int, agents: int) -> float:
        return bill(cost_model.month(COUNTS, tickets, agents), PRICES, free_tier=False).total

    assert total(2_000, 10) - total(1_000, 10) == pytest.approx(total(3_000, 10) - total(2_000, 10))
    assert total(0, 100) - total(0, 10) < 2.5
    assert total(0, 1) < total(10, 1) < total(1_000, 1)


def test_less_memory_costs_less_only_while_waiting() -> None:
    computing = cost_model.Use(0, 100, {})
    assert cost_model.gb_seconds("web", computing) == pytest.approx(cost_model.gb_seconds("relay", computing))
    waiting = cost_model.Use(0, 0, {"dynamodb": 1})
    assert cost_model.gb_seconds("web", waiting) == pytest.approx(4 * cost_model.gb_seconds("relay", waiting))


def test_the_consoles_estimates_follow_the_counts() -> None:
    """Within a fifth: what the page estimates is what the bench counted."""
    mails, units = TICKET["units"]["ses_in"], TICKET["units"]
    assert usage.OF_A_MAIL_IN["s3_puts"] == pytest.approx(units["s3_puts"] / mails, rel=0.2)
    counted = units["s3_gets"] / mails + sum(cost_model.LEDGER_LOOKS.values())
    assert usage.OF_A_MAIL_IN["s3_gets"] == pytest.approx(counted, rel=0.2)
    assert pytest.approx(units["data_out_gb"] / units["api_requests"], rel=0.2) == usage.GB_OF_A_REQUEST
    assert usage.SECRETS_OF_A_MAIL * 2 * mails >= units.get("kms_requests", 0)
    assert len(COUNTS["metrics"]["ticket"]) == usage.CUSTOM_METRICS and COUNTS["metrics"]["idle"] == []


def test_the_bench_says_so_in_its_last_line() -> None:
    command = [sys.executable, "-m", "bench.cost", "--priced", "--json"]
    finished = subprocess.run(command, cwd=cost.ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
    assert '"bench": "cost"' in finished.stdout.splitlines()[-1]
