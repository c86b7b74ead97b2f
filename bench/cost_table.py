"""The tables of docs/cost.md, as Markdown."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import cost_model
from chalicelib.domain.cost import PriceList, bill

VOLUMES = (0, 10, 1_000, 10_000, 100_000, 1_000_000)
AGENTS = (1, 10, 100)
DESKS = Path(__file__).with_name("desk_prices.toml")
MARK = "<!-- Below: python -m bench.cost --docs -->"
SERVICE_MONTH = (10_000, 10)


def tables(counts: Mapping[str, Any], prices: PriceList) -> str:
    parts = (
        _what_if(counts, prices, free_tier=False),
        _what_if(counts, prices, free_tier=True),
        _by_service(counts, prices),
        _by_function(counts),
        _largest(counts, prices),
        _other_desks(counts, prices),
    )
    return "\n\n".join(parts)


def replaced(text: str, tables: str) -> str:
    """The page with these tables; everything behind MARK is generated."""
    return f"{text.partition(MARK)[0]}{MARK}\n\n{tables}\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def usd(amount: float) -> str:
    """Cents below 100 dollars, whole dollars above."""
    return f"${amount:,.2f}" if amount < 100 else f"${amount:,.0f}"


def _what_if(counts: Mapping[str, Any], prices: PriceList, free_tier: bool) -> str:
    rows = []
    for tickets in VOLUMES:
        bills = [bill(cost_model.month(counts, tickets, agents), prices, free_tier) for agents in AGENTS]
        rows.append([f"{tickets:,}", *(usd(each.total) for each in bills), usd(bills[0].fees)])
    title = "with what AWS gives every account for good" if free_tier else "at list prices, nothing free"
    head = ("tickets a month", *(f"{agents} agent{'s' * (agents > 1)}" for agents in AGENTS), "SES besides")
    return f"### A month {title}\n\n{_table(head, rows)}"


def _by_service(counts: Mapping[str, Any], prices: PriceList) -> str:
    tickets, agents = SERVICE_MONTH
    whole = bill(cost_model.month(counts, tickets, agents), prices, free_tier=False)
    ticket = bill(cost_model.per_ticket(counts), prices, free_tier=False)
    idle = bill(cost_model.standing(counts, busy=False), prices, free_tier=False)
    own = (ticket.by_service(), idle.by_service())
    rows = [
        [
            service,
            f"${1000 * own[0].get(service, 0):.4f}",
            usd(own[1].get(service, 0)),
            f"${1000 * total / tickets:.4f}",
        ]
        for service, total in whole.by_service().items()
        if not _is_fee(prices, service)
    ]
    sums = ["**all**", f"**${1000 * ticket.total:.4f}**", f"**{usd(idle.total)}**"]
    rows.append([*sums, f"**${1000 * whole.total / tickets:.4f}**"])
    title = f"### By service ({tickets:,} tickets, {agents} agents, nothing free)"
    head = ("service", "1,000 tickets alone", "idle month", "1,000 tickets, all shared out")
    return f"{title}\n\n{_table(head, rows)}"


def _is_fee(prices: PriceList, service: str) -> bool:
    return all(price.fee for price in prices.prices.values() if price.service == service)


def _by_function(counts: Mapping[str, Any]) -> str:
    rows = []
    functions, callers = counts["ticket"]["functions"], counts["ticket"]["units_by_caller"]
    for name, used in functions.items():
        own = callers.get(name, {})
        rows.append(
            [
                name,
                f"{used['calls']:.1f}",
                f"{used['cpu_ms'] / max(used['calls'], 1e-9):.1f}",
                f"{cost_model.gb_seconds(name, cost_model.use_of(used)):.4f}",
                f"{own.get('dynamodb_writes', 0):.0f}",
                f"{own.get('dynamodb_reads', 0):.0f}",
                f"{own.get('socket_messages', 0):.0f}",
                f"{own.get('log_gb', 0) * 1e6:.1f}",
            ]
        )
    head = ("function", "calls", "CPU ms a call", "GB-seconds", "write units", "read units", "frames", "KB of log")
    return f"### One ticket by function\n\n{_table(head, rows)}"


def _largest(counts: Mapping[str, Any], prices: PriceList) -> str:
    tickets, agents = SERVICE_MONTH
    whole = bill(cost_model.month(counts, tickets, agents), prices, free_tier=False)
    lines = [line for line in whole.lines if not line.price.fee][:10]
    rows = [
        [f"{line.price.service}: {line.price.words}", f"{line.amount * 1000 / tickets:,.2f}", usd(line.usd)]
        for line in lines
    ]
    head = ("unit", "of 1,000 tickets", f"of {tickets:,} tickets")
    return f"### The largest lines\n\n{_table(head, rows)}"


def _other_desks(counts: Mapping[str, Any], prices: PriceList) -> str:
    published = tomllib.loads(DESKS.read_text())
    months = ((300, 3), (2_000, 5), SERVICE_MONTH)
    rows = [[desk["name"], *(_published(desk, *each) for each in months)] for desk in published["desks"]]
    ours = [bill(cost_model.month(counts, *each), prices, free_tier=True) for each in months]
    rows.append(["**Deskbell, SES's fees too**", *(f"**{usd(each.total + each.fees)}**" for each in ours)])
    head = ("a month", *(f"{tickets:,} tickets, {agents} agents" for tickets, agents in months))
    return f"### Beside other desks' published prices ({published['as_of']})\n\n{_table(head, rows)}"


def _published(desk: Mapping[str, Any], tickets: int, agents: int) -> str:
    if "seat" in desk:
        low, high = (each * agents for each in desk["seat"])
        return usd(low) if low == high else f"{usd(low)} to {usd(high)}"
    for included, price in desk["tickets"]:
        if tickets <= included:
            return usd(price)
    return "by offer"
