"""The one line in which every bench answers."""

import json
import os
from collections.abc import Mapping

SHARED = "BENCH_SHARED"
"""Set in the environment where other work runs on the same cores, as in CI: ``slack`` widens the limits of times."""
NEVER = float("inf")
"""Slack of an absolute time: how fast a shared machine is says nothing about the code, so nothing is asked there."""
RATIO = 1.25
"""Slack of a time divided by another one of the same run."""


def report(
    bench: str,
    figures: Mapping[str, float],
    limits: Mapping[str, float],
    skipped: str | None = None,
    minimums: Mapping[str, float] | None = None,
    slack: Mapping[str, float] | None = None,
    goals: Mapping[str, float] | None = None,
) -> int:
    """Print the result as the last line and return the exit status, 1 when a limit is broken.

    Args:
        limits: figures that may not be above; ``minimums``: figures that may not be below.  A figure that has a limit
            and was not measured breaks it, unless ``skipped`` says why.
        slack: how much wider the limit of a time is on a shared machine.  What is not named is a count, and no clock
            can blur it.
        goals: what the design asks where the limit is wider.  A goal that is missed is said, and breaks nothing.
    """
    wider = (slack or {}) if os.environ.get(SHARED) else {}
    asked = {name: limit * wider.get(name, 1) for name, limit in limits.items() if wider.get(name) != NEVER}
    least = dict(minimums or {})
    broken = [name for name, limit in asked.items() if name not in figures or figures[name] > limit]
    broken += [name for name, limit in least.items() if name not in figures or figures[name] < limit]
    if skipped:
        broken = [name for name in broken if name in figures]
    missed = [name for name, goal in (goals or {}).items() if figures.get(name, 0) > goal]
    for name in broken:
        print(f"{bench}: {name} is {figures.get(name, 'missing')}, asked is {asked.get(name, least.get(name))}")
    for name in missed:
        print(f"{bench}: {name} is {figures[name]}, the goal is {(goals or {})[name]}: missed")
    line = {
        "bench": bench,
        "figures": dict(figures),
        "limits": {**asked, **least},
        "not_asked": [name for name in limits if name not in asked],
        "goals": dict(goals or {}),
        "missed": missed,
        "ok": not broken,
        "skipped": skipped,
    }
    print(json.dumps(line))
    return 1 if broken else 0
