"""The one line in which every bench answers."""

import json
import os
from collections.abc import Mapping

TIMED = ("_ms", "_s", "_ratio")


def report(
    bench: str,
    figures: Mapping[str, float],
    limits: Mapping[str, float],
    skipped: str | None = None,
    minimums: Mapping[str, float] | None = None,
) -> int:
    """Print the result as the last line and return the exit status, 1 when a limit is broken.

    Args:
        limits: figures that may not be above; ``minimums``: figures that may not be below.  A figure that has a limit
            and was not measured breaks it, unless ``skipped`` says why.
    The environment's BENCH_TOLERANCE, 1 without it, widens the limits of what is timed: CI's machine is shared.
    """
    tolerance = float(os.environ.get("BENCH_TOLERANCE", "1"))
    limits = {name: limit * tolerance if name.endswith(TIMED) else limit for name, limit in limits.items()}
    least = dict(minimums or {})
    broken = [name for name, limit in limits.items() if name not in figures or figures[name] > limit]
    broken += [name for name, limit in least.items() if name not in figures or figures[name] < limit]
    if skipped:
        broken = [name for name in broken if name in figures]
    for name in broken:
        print(f"{bench}: {name} is {figures.get(name, 'missing')}, asked is {limits.get(name, least.get(name))}")
    line = {
        "bench": bench,
        "figures": dict(figures),
        "limits": {**limits, **least},
        "ok": not broken,
        "skipped": skipped,
    }
    print(json.dumps(line))
    return 1 if broken else 0
