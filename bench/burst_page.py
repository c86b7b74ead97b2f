"""The list page for ``bench.burst``, answered in a process of its own: ``python -m bench.burst_page BEARER``.

Each line on standard input is a number of pages to answer; the answer is one line of JSON: the median CPU milliseconds
of one, and the read units of one by our own calculator (the local engine does not count reads as AWS does).  It runs in
the functions' environment, on the table that the burst is filling, and its CPU is its own: it does not wait for others.

Busy cores share caches and clock, so CPU time itself stretches.  A fixed computation is taken right after each page:
their ratio, in the median of the pairs, is what the page itself takes, however the cores fare from one to the next.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.meter import Meter
from bench.request import answer_of, api_event
from chalicelib import wiring

PAGE = 50
ROUNDS = 22
"""So many make the reference take about as long as a page."""
ROW = ("id", "subject", "status", "priority", "inbox", "customer", "created", "updated", "waiting", "tags")


def main() -> None:
    event = api_event(f"/tickets?limit={PAGE}", "/tickets", sys.argv[1])
    answer_of(event)  # imports, connections
    meter = Meter(wiring.client("dynamodb"))
    for line in sys.stdin:
        taken: list[float] = []
        fixed: list[float] = []
        for _ in range(int(line)):
            taken.append(cpu_ms(lambda: json.loads(answer_of(event))))
            fixed.append(cpu_ms(reference))
        with meter:
            answer_of(event)
        units = meter.units().read
        meter.calls.clear()
        said = {
            "cpu_ms": statistics.median(taken),
            "reference_cpu_ms": statistics.median(fixed),
            "cpu_by_reference": compared(taken, fixed),
            "read_units": units,
        }
        print(json.dumps(said), flush=True)


def compared(pages: Sequence[float], sums: Sequence[float]) -> float:
    return statistics.median(page / beside for page, beside in zip(pages, sums, strict=True))


def cpu_ms(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000


def reference() -> str:
    """A document of a page's size, taken apart and put together again, with no desk, no store and no network."""
    text = json.dumps({"items": [_row(n) for n in range(PAGE)]})
    for _ in range(ROUNDS):
        text = json.dumps(_copied(json.loads(text)), sort_keys=True)
    return text


def _row(n: int) -> dict[str, Any]:
    words = [f"{word} {n}" for word in ROW]
    return {word: {"is": words, "about": " ".join(words), "number": n * 7.5, "seen": None} for word in ROW[:3]}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
