"""The list page and the ticket page through the real web handler, on desks of several sizes: units and CPU.

    python -m bench.inbox [--sizes 1000,10000,100000] [--json]

A signed-in agent's request goes through API Gateway's event, Chalice, our edge and the templates in this process; the
table is on AWS's DynamoDB Local.  Units do not depend on the machine.  CPU does, so the pages of all desks are taken by
turns and what grows is a ratio; the milliseconds are reported.  They hold what a browser's first load costs: the whole
screen with its rail.
"""

import argparse
import gc
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bench import dynamodb_local
from bench.generate import LINA, NOW, fill_in_parallel
from bench.meter import Meter
from bench.metered import metered
from bench.patterns import Cast, is_long
from bench.request import answer_of, page_event
from bench.result import NEVER, RATIO, report
from chalicelib.domain.people import Agent
from chalicelib.services import sessions
from chalicelib.store import models

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 41
WARM_UP = 5
GROWTH = 1.10
CPU_MS = {"list": 40.0, "ticket": 70.0}
CALLS = {"list": 11.0, "ticket": 19.0}
"""Of the largest desk, to AWS: seven tenths of the CPU are theirs.  Why these limits: ADR 10."""
GOAL_CPU_MS = 15.0
PAGES = ("list", "ticket")
GOALS = {f"{name}_cpu_ms": GOAL_CPU_MS for name in PAGES}
SLACK = {f"{name}_{figure}": wider for name in PAGES for figure, wider in (("cpu_ms", NEVER), ("cpu_growth", RATIO))}
NO_ENGINE = "http://127.0.0.1:9"
"""A page needs nothing but the table; what asked for more would fail."""
HEAP_MB = 4_096
SHAPES = (
    models.Item, models.TicketItem, models.DocumentItem, models.ReceiptItem, models.DeliveryItem, models.CounterItem,
)  # fmt: skip


@dataclass
class Page:
    """One page of one desk: its event, what it read and wrote, the CPU of each look."""

    event: dict[str, Any]
    reads: float = 0.0
    writes: float = 0.0
    calls: int = 0
    cpu_ms: list[float] = field(default_factory=list)


def measure(sizes: Sequence[int], rounds: int, say: Callable[[str], None]) -> dict[tuple[str, int], Page]:
    """Every page of every desk; CPU is taken by turns, so that a busy machine is busy for all of them."""
    pages: dict[tuple[str, int], Page] = {}
    with ExitStack() as stack:
        dynamodb = stack.enter_context(dynamodb_local.running(HEAP_MB))
        probe = dynamodb_local.client(dynamodb)
        for size in sizes:
            dynamodb_local.create_table(dynamodb, f"desk-{size}")
            begun = time.monotonic()
            items = fill_in_parallel(dynamodb, f"desk-{size}", size)
            say(f"{size} tickets: {items} items in {time.monotonic() - begun:.0f} s")
        with metered(NO_ENGINE, dynamodb, f"desk-{sizes[0]}", probe):
            desks = Desks()
            for size in sizes:
                desks.move_to(size)
                for name, event in _events(LINA).items():
                    pages[(name, size)] = _counted(Page(event), probe)
            for n in range(rounds + WARM_UP):
                for (_, size), page in pages.items():
                    desks.move_to(size)
                    spent = _cpu_ms(page.event)
                    if n >= WARM_UP:
                        page.cpu_ms.append(spent)
    return pages


@dataclass
class Desks:
    """One connection a desk, kept warm, for the same process to move between them."""

    connections: dict[int, Any] = field(default_factory=dict)

    def move_to(self, size: int) -> None:
        if size not in self.connections:
            models.use_table(f"desk-{size}", dynamodb_local.REGION)
            models.connection()
            self.connections[size] = models.Item._connection
        models.Item.Meta.table_name = f"desk-{size}"
        for shape in SHAPES:
            shape._connection = self.connections[size]


def _events(agent: Agent) -> dict[str, dict[str, Any]]:
    cookie = sessions.open_session(agent, NOW)
    ticket = Cast().take(is_long).ticket.id
    return {
        "list": page_event("/lists/open", "/lists/{key}", cookie, {"key": "open"}),
        "ticket": page_event(f"/tickets/{ticket}", "/tickets/{ticket_id}", cookie, {"ticket_id": ticket}),
    }


def _counted(page: Page, probe: Any) -> Page:
    shown = answer_of(page.event)
    rows = len(set(re.findall(r'href="[^"]*/tickets/(\d+)', shown)))
    if rows < 50:
        raise RuntimeError(f"{page.event['path']} shows {rows} tickets")
    with Meter(probe) as meter:
        answer_of(page.event)
    page.reads, page.writes, page.calls = meter.units().read, meter.units().write, len(meter.calls)
    return page


def _cpu_ms(event: dict[str, Any]) -> float:
    begun = time.process_time()
    answer_of(event)
    return (time.process_time() - begun) * 1000


def result(pages: Mapping[tuple[str, int], Page]) -> tuple[dict[str, float], dict[str, float]]:
    figures: dict[str, float] = {}
    limits: dict[str, float] = {}
    for name in PAGES:
        sizes = sorted(size for each, size in pages if each == name)
        small, large = pages[(name, sizes[0])], pages[(name, sizes[-1])]
        for size in sizes:
            page = pages[(name, size)]
            figures[f"{name}_cpu_ms_{size}"] = round(statistics.median(page.cpu_ms), 2)
            figures[f"{name}_read_units_{size}"] = page.reads
        figures[f"{name}_write_units"] = large.writes
        figures[f"{name}_calls"] = large.calls
        figures[f"{name}_units_growth"] = round((large.reads + large.writes) / (small.reads + small.writes), 3)
        figures[f"{name}_cpu_growth"] = round(statistics.median(large.cpu_ms) / statistics.median(small.cpu_ms), 3)
        figures[f"{name}_cpu_ms"] = figures[f"{name}_cpu_ms_{sizes[-1]}"]
        limits |= {f"{name}_units_growth": GROWTH, f"{name}_cpu_growth": GROWTH}
        limits |= {f"{name}_cpu_ms": CPU_MS[name], f"{name}_calls": CALLS[name]}
    return figures, limits


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="comma separated")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="only the result line")
    given = parser.parse_args()
    say = (lambda line: None) if given.json else print
    gc.disable()  # as the function does
    try:
        pages = measure([int(each) for each in given.sizes.split(",")], given.rounds, say)
    except dynamodb_local.Unavailable as reason:
        return report("inbox", {}, {f"{name}_units_growth": GROWTH for name in PAGES}, skipped=str(reason))
    return report("inbox", *result(pages), slack=SLACK, goals=GOALS)


if __name__ == "__main__":
    sys.exit(main())
