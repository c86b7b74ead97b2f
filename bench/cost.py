"""What a ticket costs at AWS's list prices, from counted units.

``python -m bench.cost [--json]``        counts a ticket's life on the local stack, then prices it
``python -m bench.cost --write``         the same, and keeps the counts in bench/cost_counts.json
``python -m bench.cost --priced``        prices the kept counts, without the stack
``python -m bench.cost --table``         the tables of docs/cost.md, from the kept counts
``python -m bench.cost --docs``          puts them there
"""

import argparse
import json
import math
import platform
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import cost_model, cost_table
from bench.result import report
from chalicelib.domain.cost import PriceList, added, bill, price_list, times

TICKETS, WARM_UP, LISTED = 12, 2, 55
CLOCK_CALLS = 5
MONTH_TICKETS, AGENTS = 10_000, 10
"""Ten agents who answer some 90 messages a day, two a ticket."""
LIMITS = {"usd_per_1000_tickets": 0.75, "usd_idle_month_free_tier": 1.0}
GOALS = {"usd_per_1000_tickets": 0.50}
ROOT = Path(__file__).parent.parent
PRICES = ROOT / "chalicelib" / "data" / "prices.toml"
DOCS = ROOT / "docs" / "cost.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="only the last line")
    parser.add_argument("--write", action="store_true", help="keep the counts in bench/cost_counts.json")
    parser.add_argument("--priced", action="store_true", help="price the kept counts")
    parser.add_argument("--table", action="store_true", help="the tables of docs/cost.md")
    parser.add_argument("--docs", action="store_true", help="put them there")
    parser.add_argument("--tickets", type=int, default=TICKETS)
    given = parser.parse_args()
    prices = price_list(tomllib.loads(PRICES.read_text()))
    if given.table or given.docs:
        tables = cost_table.tables(cost_model.read_counts(), prices)
        if given.docs:
            DOCS.write_text(cost_table.replaced(DOCS.read_text(), tables))
        print(tables)
        return 0
    say: Callable[[str], None] = (lambda line: None) if given.json else print
    counts = cost_model.read_counts() if given.priced else measured(given.tickets, say)
    if given.write:
        cost_model.COUNTS.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n")
    if not given.json:
        print(cost_table.tables(counts, prices))
        print(f"CPU × {cost_model.MACHINE_FACTOR} (machine) × {cost_model.FULL_CORE_MB} MB ÷ memory, plus waiting.")
    return report("cost", figures(counts, prices), LIMITS, goals=GOALS)


def figures(counts: Mapping[str, Any], prices: PriceList) -> dict[str, float]:
    whole = bill(cost_model.month(counts, MONTH_TICKETS, AGENTS), prices, free_tier=False)
    work = added(times(cost_model.per_ticket(counts), MONTH_TICKETS), times(cost_model.per_agent(), AGENTS))
    idle = cost_model.standing(counts, busy=False)
    per_thousand = 1000 / MONTH_TICKETS
    found = {
        "usd_per_1000_tickets": bill(work, prices, free_tier=False).total * per_thousand,
        "usd_per_1000_tickets_with_idle_share": whole.total * per_thousand,
        "usd_ses_per_1000_tickets": whole.fees * per_thousand,
        "usd_idle_month": bill(idle, prices, free_tier=False).total,
        "usd_idle_month_free_tier": bill(idle, prices, free_tier=True).total,
        "web_requests_a_ticket": counts["ticket"]["units"]["api_requests"],
        "socket_messages_a_ticket": counts["ticket"]["units"]["socket_messages"],
        "calls_a_ticket": sum(each["calls"] for each in counts["ticket"]["functions"].values()),
        "cold_share": cost_model.COLD_SHARE,
        "cpu_factor_machine": cost_model.MACHINE_FACTOR,
    }
    found |= {
        f"usd_per_1000_{service.lower().replace(' ', '_')}": usd * per_thousand
        for service, usd in whole.by_service().items()
    }
    return {name: float(f"{value:.4g}") for name, value in found.items()}


# Counting


def measured(tickets: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Counts of a ticket's life and of the clocks, from a fresh local stack."""
    from bench import cost_life
    from bench.cost_desk import metered_desk

    with tempfile.TemporaryDirectory() as folder, metered_desk(Path(folder) / "data") as desk:
        say("the desk is up")
        found: dict[str, Any] = {name: _clock(desk, name) for name in cost_life.CLOCKS}
        idle = sorted(desk.meter.metrics)
        for number in range(LISTED):  # so that lists are as long as a page
            cost_life.send_mail(desk, number)
        desk.settle(300)
        admin = desk.credentials["agents"][0]
        consoles = [
            cost_life.Console(desk, admin["email"], admin["password"]) for _ in range(cost_life.CONSOLES)
        ]  # fmt: skip
        cost_life.Lives(desk, consoles, WARM_UP, say).live()
        lives = cost_life.Lives(desk, consoles, tickets, say)
        kept = _kept_bytes(desk)
        desk.meter.forget()
        lives.live()
        desk.meter.forget_callers(cost_life.CLOCKS)
        found["ticket"] = _counted(desk.meter, tickets)
        found["ticket"]["kept_bytes"] = {name: (_kept_bytes(desk)[name] - kept[name]) / tickets for name in kept}
        found["metrics"] = {"idle": idle, "ticket": sorted(desk.meter.metrics)}
        for console in consoles:
            console.close()
    found["measured"] = {"on": f"{datetime.now(UTC):%Y-%m-%d}", "tickets": tickets, "machine": platform.machine()}
    return found


def _clock(desk: Any, name: str) -> dict[str, Any]:
    """One scheduled call of a desk with nothing to do; the first one warms it."""
    function = f"deskbell-local-{name}"
    desk.invoke(function)
    metrics = set(desk.meter.metrics)
    desk.meter.forget()
    for _ in range(CLOCK_CALLS):
        _open_days(desk)
        desk.invoke(function)
    counted = _counted(desk.meter, CLOCK_CALLS)
    desk.meter.metrics |= metrics
    return counted


def _open_days(desk: Any) -> None:
    """As every night finds them: the call before has closed the ledger's day."""
    from local import deployment

    table = deployment.deployed_stack(desk.engine).table
    with desk.meter.aside():
        for day in list(desk.engine.partition(table, "LEDGER")):
            key = {"pk": {"S": "LEDGER"}, "sk": {"S": day}}
            desk.engine.client("dynamodb").delete_item(TableName=table, Key=key)


def _kept_bytes(desk: Any) -> dict[str, float]:
    """In the table with all its indexes, and in the buckets."""
    from local import deployment, units

    name = deployment.deployed_stack(desk.engine).table
    table = sum(
        units.stored_bytes(item)
        for pk in desk.engine.partition_keys(name)
        for item in desk.engine.partition(name, pk).values()
    )
    buckets = sum(path.stat().st_size for path in (desk.engine.state_dir / "s3").rglob("*") if path.is_file())
    return {"table": float(table), "originals": float(buckets)}


SOURCES = {
    "sqs_polls": "sqs_requests",
    "sqs_fifo_polls": "sqs_fifo_requests",
    "sqs_calls": "sqs_requests",
    "log_bytes": "log_gb",
    "api_bytes": "data_out_gb",
}
"""Of the meter → of the price file."""
GIGA = {"log_bytes": 1e9, "api_bytes": 1e9 * cost_model.COMPRESSION}


def _counted(meter: Any, pieces: int) -> dict[str, Any]:
    """The meter's counts of ``pieces`` equal pieces of work, as of one."""
    units: dict[str, float] = {}
    by_function: dict[str, dict[str, float]] = {}
    for (unit, who), amount in sorted(meter.counts.items()):
        named, one = SOURCES.get(unit, unit), amount / GIGA.get(unit, 1) / pieces
        units[named] = units.get(named, 0.0) + one
        by_function.setdefault(who, {})[named] = by_function.get(who, {}).get(named, 0.0) + one
    # SES stores each mail with one request that the desk pays; SNS puts its notice on the queue with another.
    mails = meter.counts["s3_puts", "ses"] / pieces
    if mails:
        units |= {"ses_in": mails, "sqs_requests": units.get("sqs_requests", 0.0) + mails}
    functions = {}
    for name, calls in sorted(meter.functions.items()):
        total = calls.warm + calls.cold
        waits: dict[str, float] = {}
        for (call, who), amount in meter.calls.items():
            if who == name:
                service = call.split(".")[0]
                waits[service] = waits.get(service, 0.0) + amount / pieces
        # A call that found a fresh process here is billed as a warm one: COLD_SHARE says how many are cold at AWS.
        cpu_ms = calls.cpu_ms / max(1, calls.warm) * total / pieces
        functions[name] = {"calls": total / pieces, "cpu_ms": round(cpu_ms, 3), "waits": waits}
    return {
        "units": {name: _rounded(amount) for name, amount in sorted(units.items())},
        "functions": functions,
        "units_by_caller": {
            who: {unit: _rounded(amount) for unit, amount in sorted(found.items())}
            for who, found in sorted(by_function.items())
        },
    }


def _rounded(amount: float) -> float:
    return 0.0 if amount == 0 else round(amount, 6 - math.floor(math.log10(abs(amount))))


if __name__ == "__main__":
    sys.exit(main())
