"""A failing history made small: acts and faults left out one part after the other, as long as it still fails.

Every candidate is a whole, deterministic run; what is kept fails in the same way (the same promise).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.simulation.history import Plan, Result, run

T = TypeVar("T")
MOST_RUNS = 300


def promise_of(violation: str) -> str:
    return violation.partition(":")[0]


def shrunk(failing: Result, most_runs: int = MOST_RUNS) -> Result:
    """The smallest history found that breaks the same promise as ``failing`` breaks first."""
    broken = promise_of(failing.violations[0])
    best = failing
    runs = 0

    def fails(plan: Plan) -> bool:
        nonlocal best, runs
        if runs >= most_runs:
            return False
        runs += 1
        result = run(plan)
        if broken not in {promise_of(each) for each in result.violations}:
            return False
        best = result
        return True

    seed = failing.plan.seed
    faults = list(failing.faults)
    acts = list(failing.acts)
    if not fails(Plan(seed, tuple(acts), frozenset(faults))):
        return failing  # it fails only as it was played: shown whole
    acts = _fewer(acts, lambda kept: fails(Plan(seed, tuple(kept), frozenset(faults))))
    faults = [each for each in faults if each in best.faults]
    faults = _fewer(faults, lambda kept: fails(Plan(seed, tuple(acts), frozenset(kept))))
    _fewer(acts, lambda kept: fails(Plan(seed, tuple(kept), frozenset(faults))))
    return best


def _fewer(parts: Sequence[T], still_fails: Callable[[Sequence[T]], bool]) -> list[T]:
    """Delta debugging: leave out ever smaller chunks."""
    kept = list(parts)
    size = max(1, len(kept) // 2)
    while kept:
        start = 0
        while start < len(kept):
            without = kept[:start] + kept[start + size :]
            if still_fails(without):
                kept = without
            else:
                start += size
        if size == 1:
            break
        size = max(1, size // 2)
    return kept


def story(result: Result) -> str:
    """The history as short lines, with what it takes to play it again."""
    acts = "every act" if result.plan.acts is None else f"acts {', '.join(str(each) for each in result.acts)}"
    faults = [f"  {kind}: {' / '.join(name[1:])}" for name, kind in result.faults.items()]
    broken = ["broken:", *(f"  {each}" for each in result.violations)] if result.violations else ["nothing broken"]
    return "\n".join((f"seed {result.plan.seed}: {acts}; {len(faults)} faults", *faults, *result.lines, *broken))
