"""Do the histories find bugs?  Planted ones, and mutants; what no history finds is offered to the unit tests.

    python -m bench.faults --mutants

Survivors are kept in ``survivors.toml``, each with the reason why it may live.  One without a reason is a gap.
"""

import argparse
import re
import statistics
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.simulation import mutants
from tests.simulation.mutants import Mutant
from tests.simulation.planted import PLANTED, Planted
from tests.simulation.tree import Nursery, Tree, Verdict, copied, nursery

REASONS = Path(__file__).parent / "survivors.toml"
MUTANTS = 110
SEED = 20261122
CLEAN_HISTORIES = 200
COVERED_HISTORIES = 8
PLANTED_SECONDS = 60.0
MUTANT_SECONDS = 6.0
LIMITS = {"unexplained": 0.0, "unclean_histories": 0.0, "skipped": 0.0}
MINIMUMS = {"planted": float(len(PLANTED)), "planted_found_by_promises": 30.0, "mutants": 100.0}
"""A bug that makes the histories break off was found as well, but proves no promise: most have to break one."""
WITHOUT = ("bench", "browser", "infra", "local", "simulation")
"""Their tests start a desk or a bench: too slow to ask of each mutant."""


@dataclass
class Figures:
    """``survivors``: mutants that nothing found.  ``unexplained``: those of them without a reason, and planted bugs
    that no history found.  ``skipped``: what the budget was too small for.
    """

    planted: int = 0
    planted_found: int = 0
    planted_found_by_promises: int = 0
    seconds_to_find: list[float] = field(default_factory=list)
    mutants: int = 0
    killed_by_histories: int = 0
    killed_by_promises: int = 0
    killed_by_unit_tests: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    skipped: int = 0
    unclean_histories: int = 0

    @property
    def median_seconds(self) -> float:
        return round(statistics.median(self.seconds_to_find), 1) if self.seconds_to_find else 0.0

    @property
    def killed(self) -> int:
        return self.killed_by_histories + self.killed_by_unit_tests

    def as_numbers(self) -> dict[str, float]:
        return {
            "planted": self.planted, "planted_found": self.planted_found,
            "planted_found_by_promises": self.planted_found_by_promises,
            "planted_found_by_breaking": self.planted_found - self.planted_found_by_promises,
            "median_seconds_to_find": self.median_seconds, "mutants": self.mutants, "mutants_killed": self.killed,
            "mutants_killed_by_histories": self.killed_by_histories,
            "mutants_killed_by_promises": self.killed_by_promises,
            "mutants_killed_by_breaking": self.killed_by_histories - self.killed_by_promises,
            "mutants_killed_by_unit_tests": self.killed_by_unit_tests, "survivors": len(self.survivors),
            "unexplained": len(self.unexplained), "skipped": self.skipped,
            "unclean_histories": self.unclean_histories,
        }  # fmt: skip


Say = Callable[[str], None]
T = TypeVar("T")


def run(
    budget_seconds: float, mutants_wanted: int = MUTANTS, say: Say = lambda line: None, seed: int = SEED, lanes: int = 1
) -> Figures:
    """Plant every bug, then make mutants until the budget is over; ``say`` hears a line about each.

    ``lanes``: so many bugs at a time, each in a copy of its own.
    """
    end = time.monotonic() + budget_seconds
    figures = Figures()
    with ExitStack() as copies:
        first = copies.enter_context(copied())
        first.settle(CLEAN_HISTORIES)
        figures.unclean_histories = len(first.unclean)
        say(f"clean source: {len(first.seeds)} histories pass, {len(first.unclean)} do not")
        trees = [first, *(copies.enter_context(copied(first)) for _ in range(lanes - 1))]
        bench = _Bench(figures, say, end)
        bench.work_through(trees, PLANTED, bench.plant)
        reached = mutants.executed(first, COVERED_HISTORIES)
        bench.work_through(trees, mutants.made(first, reached, mutants_wanted, seed), bench.attempt)
    return figures


class _Bench:
    """Where the lanes meet: what is left to do, and what came of the rest."""

    def __init__(self, figures: Figures, say: Say, end: float) -> None:
        self.figures, self.say, self.end = figures, say, end
        self.lock = threading.Lock()

    def work_through(self, trees: Sequence[Tree], bugs: Iterable[T], do: Callable[[Tree, Nursery, T], None]) -> None:
        left = iter(bugs)

        def lane(tree: Tree) -> None:
            with nursery(tree) as fast:
                while (bug := self._next(left)) is not None:
                    do(tree, fast, bug)

        with ThreadPoolExecutor(len(trees)) as pool:
            list(pool.map(lane, trees))

    def _next(self, left: Iterator[T]) -> T | None:
        with self.lock:
            if time.monotonic() > self.end:
                self.figures.skipped += len(list(left))
            return next(left, None)

    def plant(self, tree: Tree, fast: Nursery, bug: Planted) -> None:
        sources = bug.sources(tree)
        verdict = fast.verdict({"sources": sources}, PLANTED_SECONDS) or tree.verdict(sources, PLANTED_SECONDS)
        with self.lock:
            figures = self.figures
            figures.planted += 1
            self.say(_told("planted", bug.name, verdict))
            if verdict.found:
                figures.planted_found += 1
                figures.planted_found_by_promises += verdict.by_promise
                figures.seconds_to_find.append(verdict.seconds)
            else:
                figures.unexplained.append(f"planted: {bug.name}")

    def attempt(self, tree: Tree, fast: Nursery, mutant: Mutant) -> None:
        wrong = {"file": mutant.file, "index": mutant.index, "kind": mutant.kind}
        verdict = fast.verdict(wrong, MUTANT_SECONDS) or tree.verdict({mutant.file: mutant.source}, MUTANT_SECONDS)
        by_test = "" if verdict.found else _found_by(tree, mutant)
        with self.lock:
            figures = self.figures
            figures.mutants += 1
            self.say(_told("mutant", f"{mutant.name}: {mutant.change}", verdict))
            if verdict.found:
                figures.killed_by_histories += 1
                figures.killed_by_promises += verdict.by_promise
            elif by_test:
                figures.killed_by_unit_tests += 1
                self.say(f"  found by {by_test}")
            else:
                figures.survivors.append(mutant)
                reason = reasons().get((mutant.file, mutant.change))
                self.say(f"  survives: {reason or 'no reason is known'}")
                if reason is None:
                    figures.unexplained.append(f"{mutant.name}: {mutant.change}")


def _found_by(tree: Tree, mutant: Mutant) -> str:
    """The test that fails with it, and passes without: a failure that is always there finds nothing."""
    tests = list(unit_tests(tree, mutant.file))
    failed = tree.fails({mutant.file: mutant.source}, tests) if tests else ""
    return failed if failed and not tree.fails({}, [failed]) else ""


def _told(kind: str, name: str, verdict: Verdict) -> str:
    how = f"{verdict.seconds:.1f} s, {verdict.histories} histories"
    return f"{kind} {'found' if verdict.found else 'MISSED'} ({how}) {name} {verdict.what[:120]}".rstrip()


def unit_tests(tree: Tree, file: str) -> Iterator[str]:
    """The tests that name the module, by their file's name (these first) or by importing it."""
    room, module = Path(file).parent.name, Path(file).stem
    imported = re.compile(
        rf"^(from chalicelib\.{room}\.{module} import|from chalicelib\.{room} import .*\b{module}\b)", re.M
    )
    folder = tree.folder / "tests"
    for path in sorted(folder.rglob("test_*.py"), key=lambda path: (path.stem != f"test_{module}", path)):
        if path.relative_to(folder).parts[0] in WITHOUT:
            continue
        if path.stem == f"test_{module}" or imported.search(path.read_text()):
            yield str(path.relative_to(tree.folder))


def reasons() -> dict[tuple[str, str], str]:
    """Why a survivor may live, by file and change."""
    known: dict[str, Any] = tomllib.loads(REASONS.read_text()) if REASONS.exists() else {}
    return {(each["file"], each["change"]): each["reason"] for each in known.get("survivor", ())}


def main() -> int:
    """``python -m bench.faults --mutants [--seconds N]``: a line for each bug, the figures last."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--seconds", type=float, default=4 * 3600.0)
    parser.add_argument("--processes", type=int, default=2)
    asked, _ = parser.parse_known_args()
    figures = run(asked.seconds, say=_say, lanes=asked.processes)
    for each in figures.unexplained:
        _say(f"unexplained: {each}")
    return reported(figures)


def reported(figures: Figures) -> int:
    """A part of the work proves a part: what was skipped, or not tried in a fair number, breaks the limit."""
    from bench.result import report

    return report("faults_mutants", figures.as_numbers(), LIMITS, minimums=MINIMUMS)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
