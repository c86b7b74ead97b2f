"""Deterministic fault simulation: how many random histories keep every promise (docs/domain/simulation.md).

python -m bench.faults --histories 2000
python -m bench.faults --seconds 120
python -m bench.faults --seed 34           one history, told line by line; a failing one is shrunk first
"""

import argparse
import math
import multiprocessing
import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module

from bench.result import report
from tests.simulation import sites
from tests.simulation.history import LEAST_ACTS, LEAST_FAULTS, Plan, run
from tests.simulation.past import past_seeds
from tests.simulation.shrink import shrunk, story
from tests.simulation.told import figure, promises

BATCH = 8
FIRST_SEED = 1_000
LIMITS = {"violations": 0.0, "too_few_faults": 0.0, "too_few_acts": 0.0}
TOLD = 500
"""A line after so many."""
FULL = 2_000
"""From so many histories on, every site has to have been struck."""
TIMERS = 100
"""From so many on that nothing hindered, 99 % of them have to act within ON_TIME_SECONDS."""
ON_TIME_SECONDS = 5.0
SOME = 50
"""From so many on, every promise has to have had something to look at."""


@dataclass
class Totals:
    """What many histories came to."""

    histories: int = 0
    acts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failing: dict[int, tuple[str, ...]] = field(default_factory=dict)
    crashed: set[sites.Site] = field(default_factory=set)
    called: set[sites.Site] = field(default_factory=set)
    ways: set[sites.Way] = field(default_factory=set)
    ways_crashed: set[sites.Way] = field(default_factory=set)
    too_few: int = 0
    too_few_acts: int = 0
    checked: Counter[str] = field(default_factory=Counter)
    lateness: list[float] = field(default_factory=list)
    """Of timers that nothing hindered."""

    def add(self, other: "Totals") -> None:
        self.histories += other.histories
        self.acts += other.acts
        self.faults += other.faults
        self.failing |= other.failing
        self.crashed |= other.crashed
        self.called |= other.called
        self.ways |= other.ways
        self.ways_crashed |= other.ways_crashed
        self.too_few += other.too_few
        self.too_few_acts += other.too_few_acts
        self.checked += other.checked
        self.lateness += other.lateness


def play(seeds: range) -> Totals:
    """A batch, in a process of its own."""
    totals = Totals()
    for seed in seeds:
        result = run(Plan(seed))
        totals.histories += 1
        totals.acts += result.effective
        totals.faults.update(result.faults.values())
        totals.crashed |= result.crashed
        totals.called |= result.called
        totals.ways |= result.ways
        totals.ways_crashed |= result.ways_crashed
        totals.too_few += result.injected < LEAST_FAULTS
        totals.too_few_acts += result.effective < LEAST_ACTS
        totals.checked += result.checked
        totals.lateness += result.unhindered
        if result.violations:
            totals.failing[seed] = result.violations
            print(f"seed {seed}: {result.violations[0]}", flush=True)
    return totals


def batches(first: int, histories: int | None, ends: float) -> Iterator[range]:
    """Ranges of seeds, until there are enough or time is over."""
    seed = first
    while (histories is None or seed < first + histories) and time.monotonic() < ends:
        last = seed + BATCH if histories is None else min(seed + BATCH, first + histories)
        yield range(seed, last)
        seed = last


def played(first: int, histories: int | None, seconds: float | None, processes: int) -> Totals:
    """All of them.  Batches are handed out as processes come free, so that a time limit is kept."""
    totals, began = Totals(), time.monotonic()
    ends = began + (seconds if seconds is not None else 86_400)
    for seed in past_seeds():
        totals.add(play(range(seed.number, seed.number + 1)))
    waiting = batches(first, histories, ends)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        running = [pool.apply_async(play, (each,)) for _, each in zip(range(processes * 2), waiting, strict=False)]
        while running:
            before = totals.histories
            totals.add(running.pop(0).get())
            if totals.histories // TOLD > before // TOLD:
                print(f"{totals.histories} histories in {time.monotonic() - began:.0f} s", flush=True)
            following = next(waiting, None)
            if following is not None:
                running.append(pool.apply_async(play, (following,)))
        pool.close()
        pool.join()  # so that what the processes used is counted
    return totals


def tell(seed: int) -> int:
    """One history on the screen, shrunk when it fails."""
    result = run(Plan(seed))
    shown = shrunk(result) if result.violations else result
    print(story(shown))
    return 1 if result.violations else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--histories", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="the first seed of the batch")
    parser.add_argument("--seed", type=int, help="play this one and tell it")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--mutants", action="store_true", help="plant known bugs and count those that are found")
    parser.add_argument("--json", action="store_true", help="the last line is JSON anyhow")
    asked = parser.parse_args()
    if asked.seed is not None:
        return tell(asked.seed)
    if asked.mutants:
        return int(import_module("tests.simulation.teeth").main())
    if asked.histories is None and asked.seconds is None:
        asked.histories = 200
    began = time.monotonic()
    totals = played(asked.first, asked.histories, asked.seconds, asked.processes)
    return _report(totals, time.monotonic() - began, asked.histories or 0)


def _report(totals: Totals, seconds: float, asked: int) -> int:
    known = set(sites.known())
    missing = sorted(known - totals.crashed)
    for site in missing:
        print(f"never struck: {site}{'' if site in totals.called else ' (never called)'}")
    never = sorted(promises() - totals.checked.keys())
    for promise in never:
        print(f"never looked at: {promise}")
    for seed in sorted(totals.failing)[:1]:
        print(story(shrunk(run(Plan(seed)))))
    figures = {
        "histories": float(totals.histories),
        "seconds": round(seconds, 1),
        "histories_per_second": round(totals.histories / seconds, 2),
        "cpu_seconds_per_history": round(_cpu_seconds() / totals.histories, 3),
        "acts": float(totals.acts),
        "faults": float(totals.faults.total()),
        **{f"faults_{kind.replace(' ', '_')}": float(count) for kind, count in sorted(totals.faults.items())},
        "violations": float(sum(len(each) for each in totals.failing.values())),
        "failing_histories": float(len(totals.failing)),
        "too_few_faults": float(totals.too_few),
        "too_few_acts": float(totals.too_few_acts),
        "timers_unhindered": float(len(totals.lateness)),
        **({"timer_p99_late_seconds": round(p99(totals.lateness), 2)} if totals.lateness else {}),
        "promises": float(len(promises())),
        "promises_never_looked_at": float(len(never)),
        **{figure(promise): float(totals.checked[promise]) for promise in sorted(promises())},
        "sites": float(len(known)),
        "sites_called": float(len(known & totals.called)),
        "sites_struck": float(len(known & totals.crashed)),
        "sites_struck_percent": round(100 * len(known & totals.crashed) / len(known), 1),
        "sites_by_function_called": float(len({way[:2] for way in totals.ways})),
        "sites_by_function_struck": float(len({way[:2] for way in totals.ways_crashed})),
        "ways_called": float(len(totals.ways)),
        "ways_struck": float(len(totals.ways_crashed)),
    }
    minimums = {"sites_struck_percent": 100.0, "timers_unhindered": float(TIMERS)} if asked >= FULL else {}
    limits = LIMITS | ({"promises_never_looked_at": 0.0} if asked >= SOME else {})
    limits |= {"timer_p99_late_seconds": ON_TIME_SECONDS} if len(totals.lateness) >= TIMERS else {}
    return report("faults", figures, limits, minimums=minimums)


def p99(values: Sequence[float]) -> float:
    """The smallest of them that 99 % do not exceed."""
    return sorted(values)[math.ceil(len(values) * 0.99) - 1]


def _cpu_seconds() -> float:
    """Of this process and those it started: what a history costs, however busy the machine is."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    raise SystemExit(main())
