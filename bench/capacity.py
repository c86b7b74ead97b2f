"""Read and write units of each way to the table, at several sizes of the desk, on AWS's DynamoDB Local.

    python -m bench.capacity [--sizes 1000,10000,100000] [--million] [--plots] [--json]

The desk's own code runs in this process; its table is on DynamoDB Local, what else it needs on the local engine.  Each
call is counted twice: as the engine reports it and by our own calculator (``bench.units``), which have to agree.
``--million`` adds a desk of a million tickets.  ``--plots`` draws docs/plots/units.svg.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench import dynamodb_local
from bench.generate import SUPPORT, fill_in_parallel
from bench.meter import Call
from bench.metered import Metered, metered, prepare_engine
from bench.patterns import ACTS, LISTS, Cast
from bench.plots import line_plot
from bench.result import report
from local.engine import client as engine_client
from tests.engine import running_engine

SIZES = (1_000, 10_000, 100_000)
MILLION = 1_000_000
GROWTH = 1.10
AGREEMENT = 0.10
FULL = 0.9
"""Of the largest desk's items: below it a smaller desk's page is not the same page."""
SWEEP_SHARDS = 4
PLOT = Path("docs/plots/units.svg")


@dataclass(frozen=True)
class Row:
    """One figure: the mean of the samples, summed over steps.  ``limit`` None: shown only.

    goal: what the design asks, where the limit is another one for a reason that stands in ADR 9 or 10.
    grown_from: a search reads up to so many entries of a word; smaller desks have fewer.
    """

    name: str
    steps: tuple[str, ...]
    kind: str
    limit: float | None = None
    divided_by: int = 1
    grown_from: int = 0
    goal: float | None = None

    @property
    def figure(self) -> str:
        return f"{self.name}_{self.kind}"


def _lists(kinds: Iterable[str], limit: float) -> list[Row]:
    return [Row(f"list_{kind}", (f"list {kind}",), "read", limit) for kind in kinds] + [
        Row(f"list_{kind}_page2", (f"list {kind}, page 2",), "read", limit) for kind in kinds
    ]


ROWS: tuple[Row, ...] = (
    *_lists([kind for kind in LISTS if kind != "undelivered"], 5),
    Row("list_undelivered", ("list undelivered",), "read", 26, goal=5),
    Row("api_page", ("API: 50 tickets",), "read", 32),
    Row("api_rows", ("API: 50 rows",), "read", 8),
    Row("ticket", ("open a ticket",), "read", 12),
    Row("ticket_first_look", ("open a ticket, first look",), "write"),
    Row("inbound_again", ("inbound, writes again: transaction",), "write", 28),
    Row("inbound_again_all", ("inbound, writes again", "inbound, writes again: work"), "write"),
    Row("inbound_again_all", ("inbound, writes again", "inbound, writes again: work"), "read"),
    Row("inbound_reopens", ("inbound, known ticket: transaction",), "write", 30, goal=28),
    Row("inbound_reopens_all", ("inbound, known ticket", "inbound, known ticket: work"), "write"),
    Row("inbound_html", ("inbound, quotes and HTML: transaction",), "write"),
    Row("inbound_new", ("inbound, new ticket: transaction",), "write", 30),
    Row("inbound_new_all", ("inbound, new ticket", "inbound, new ticket: work"), "write"),
    Row("inbound_new_all", ("inbound, new ticket", "inbound, new ticket: work"), "read"),
    Row("reply", ("answer: queue", "answer: send", "answer: delivered"), "write", 39, goal=34),
    Row("reply_all", ("answer: queue", "answer: send", "answer: delivered", "answer: work",
                      "answer, delivered: work"), "write"),
    Row("reply_all", ("answer: queue", "answer: send", "answer: delivered", "answer: work",
                      "answer, delivered: work"), "read"),
    Row("assign", ("assign", "assign: work"), "write", 25, goal=20),
    Row("route", ("route: work",), "write", 28, goal=25),
    Row("route", ("route: work",), "read"),
    Row("sweep_per_shard", ("sweep, nothing due",), "read", 1, SWEEP_SHARDS),
    Row("search_two_words", ("search, two words",), "read", 30, grown_from=100_000),
    Row("search_common_word", ("search, one common word",), "read", 30),
    Row("index", ("index a message",), "write", 15),
)  # fmt: skip
GOALS = {row.figure: row.goal for row in ROWS if row.goal is not None}
PLOTTED = {
    "list page": "list_open_read", "open a ticket": "ticket_read", "inbound, known": "inbound_again_write",
    "inbound, new ticket": "inbound_new_write", "reply, delivered": "reply_write", "search": "search_common_word_read",
}  # fmt: skip


def figures_of(desk: Metered, rows: Sequence[Row] = ROWS) -> dict[str, float]:
    """Our own calculation of every row whose steps were taken."""
    return {row.figure: _mean(desk, row, reported=False) for row in rows if _taken(desk, row)}


def _taken(desk: Metered, row: Row) -> bool:
    return all(step in desk.steps for step in row.steps)


def _mean(desk: Metered, row: Row, reported: bool) -> float:
    runs = [_sum(calls, row.kind, reported) / len(desk.steps[step]) for step in row.steps for calls in desk.steps[step]]
    return round(sum(runs) / row.divided_by, 2)


def _once(desk: Metered, row: Row) -> float:
    """The row if AWS does not double a transaction's writes to indexes."""
    runs = (
        call.written_with_indexes_once / len(desk.steps[step])
        for step in row.steps
        for calls in desk.steps[step]
        for call in calls
    )
    return round(sum(runs), 2)


def _sum(calls: Sequence[Call], kind: str, reported: bool) -> float:
    units = (call.reported if reported else call.units for call in calls)
    return sum(each.read if kind == "read" else each.write for each in units)


def disagreement(desk: Metered) -> dict[str, float]:
    """By how much engine and calculator part, for each row, as a share of the larger."""
    found = {}
    for row in ROWS:
        if _taken(desk, row):
            ours, theirs = _mean(desk, row, reported=False), _mean(desk, row, reported=True)
            found[row.figure] = abs(ours - theirs) / max(ours, theirs, 0.5)
    return found


# Running


def measure(sizes: Sequence[int], say: Any) -> dict[int, Metered]:
    """Every act on a desk of each size."""
    found = {}
    with _engines() as (engine, dynamodb):
        probe = dynamodb_local.client(dynamodb)
        for size in sizes:
            table, shadow = f"desk-{size}", f"shadow-{size}"
            dynamodb_local.create_table(dynamodb, table)
            dynamodb_local.create_table(dynamodb, shadow)
            begun = time.monotonic()
            items = fill_in_parallel(dynamodb, table, size)
            say(f"{size} tickets: {items} items in {time.monotonic() - begun:.0f} s")
            with metered(engine, dynamodb, table, probe, shadow) as desk:
                cast = Cast()
                for act in ACTS:
                    act(desk, cast)
            found[size] = desk
            for name in (table, shadow):
                probe.delete_table(TableName=name)
    return found


@contextmanager
def _engines() -> Any:
    """The local engine for S3, SSM and SES, DynamoDB Local for the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        dynamodb_local.running(HEAP_MB) as dynamodb,
        running_engine(Path(folder)) as engine,
    ):
        prepare_engine(partial(engine_client, engine), SUPPORT.address)
        yield engine, dynamodb


HEAP_MB = 6_144


def result(desks: Mapping[int, Metered]) -> tuple[dict[str, float], dict[str, float]]:
    """Figures and limits: the largest desk's units, how they grew from the smallest, how the two counts agree."""
    sizes = sorted(desks)
    largest = desks[sizes[-1]]
    figures = figures_of(largest)
    limits = {row.figure: row.limit for row in ROWS if row.limit is not None}
    for row in (row for row in ROWS if row.kind == "write"):
        figures[f"{row.figure}_if_indexes_once"] = _once(largest, row)
    figures["largest_growth"] = round(max(growth(desks, row) for row in ROWS if _taken(largest, row)), 3)
    figures["largest_disagreement"] = round(max(max(disagreement(desk).values()) for desk in desks.values()), 3)
    figures["refused_writes"] = sum(call.refused for desk in desks.values() for call in _calls(desk))
    figures["largest_desk"] = sizes[-1]
    limits |= {"largest_growth": GROWTH, "largest_disagreement": AGREEMENT, "refused_writes": 0.0}
    return figures, limits


def growth(desks: Mapping[int, Metered], row: Row) -> float:
    """Of a row's units, up to the largest desk, from the smallest whose page is as full.

    A desk of a thousand has fewer than two pages of some lists, and shorter search partitions than a search reads.
    What the largest desk alone reads so much of is compared with the smallest: it grows.
    """
    *smaller, last = (desks[size] for size in sorted(desks) if size >= row.grown_from or size == max(desks))
    full = next((desk for desk in smaller if _items(desk, row) >= FULL * _items(last, row)), next(iter(smaller), last))
    return _mean(last, row, reported=False) / _mean(full, row, reported=False)


def _items(desk: Metered, row: Row) -> float:
    """Read or written, for each time it was done."""
    return sum(call.items / len(desk.steps[step]) for step in row.steps for calls in desk.steps[step] for call in calls)


def _calls(desk: Metered) -> Iterable[Call]:
    return (call for runs in desk.steps.values() for calls in runs for call in calls)


def table_of(desks: Mapping[int, Metered]) -> Iterable[str]:
    """For people: a line a row, ours and the engine's, at each size."""
    yield (
        f"{'units, ours (engine)':34}"
        + "".join(f"{size:>18,}" for size in sorted(desks))
        + f"{'limit':>9}{'indexes once':>15}"
    )
    for row in ROWS:
        cells = ""
        for size in sorted(desks):
            ours, theirs = (_mean(desks[size], row, reported=each) for each in (False, True))
            cells += f"{f'{ours:g} ({theirs:g})':>18}"
        once = f"{_once(desks[max(desks)], row):g}" if row.kind == "write" else ""
        yield f"{row.figure:34}{cells}{row.limit if row.limit is not None else '–':>9}{once:>15}"


def draw(desks: Mapping[int, Metered]) -> None:
    found = {size: figures_of(desk) for size, desk in desks.items()}
    series = {name: [(float(size), found[size][row]) for size in sorted(found)] for name, row in PLOTTED.items()}
    line_plot(PLOT, "Read and write units by size of the desk", "tickets", "units", series)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="comma separated")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--plots", action="store_true")
    parser.add_argument("--json", action="store_true", help="only the result line")
    given = parser.parse_args()
    say = (lambda line: None) if given.json else print
    sizes = [int(each) for each in given.sizes.split(",")] + ([MILLION] if given.million else [])
    try:
        desks = measure(sizes, say)
    except dynamodb_local.Unavailable as reason:
        return report("capacity", {}, {row.figure: row.limit for row in ROWS if row.limit}, skipped=str(reason))
    for line in table_of(desks):
        say(line)
    if given.plots:
        draw(desks)
    return report("capacity", *result(desks), goals=GOALS)


if __name__ == "__main__":
    sys.exit(main())
