"""CPU time of a local desk by function, counted by the kernel: the clock of the wall says little on shared cores."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import psutil

ENGINE = "engine"


def seconds_by_function(launcher: int) -> Mapping[str, float]:
    """CPU seconds so far of each function's processes by short name; ``engine`` is the launcher itself."""
    spent: dict[str, float] = defaultdict(float)
    process = psutil.Process(launcher)
    spent[ENGINE] += _seconds(process)
    for child in process.children(recursive=True):
        try:
            name = child.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
            if name:
                spent[name.rsplit("-", 1)[-1]] += _seconds(child)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return spent


def _seconds(process: psutil.Process) -> float:
    """The scheduler's nanoseconds where Linux gives them, else ticks of 10 ms."""
    try:
        files = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
        return sum(int(file.read_text().split()[0]) for file in files) / 1e9
    except (OSError, ValueError, IndexError):
        times = process.cpu_times()
        return float(times.user + times.system)


def since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each spent between two looks; a process that ended meanwhile takes its time with it."""
    return {name: round(max(0.0, spent - before.get(name, 0.0)), 3) for name, spent in sorted(after.items())}
