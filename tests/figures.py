"""Figures that a whole run has to show.  A test tells its share, on whichever worker; the end of the run adds them up.

``record_property(MATRIX, {...})``: pytest carries what is recorded to where the run is summed up, with ``-n`` too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

MATRIX = "authorisation matrix"
CORPUS = "attack corpus"
CLOCKS = "clocks"
MOST = ("routes",)
"""The same for every test that tells it; the others add up."""
SAID = {
    MATRIX: "{routes} routes x {visitors} visitors ({roles} roles), {cells} cells called, {gaps} gaps",
    CORPUS: "{vectors} vectors in {mails} mails, executed {executed}, loaded {loaded}",
    CLOCKS: "{cases} drawn at random, {differences} differ from the simulation, {microseconds} µs each",
}


def lines(told: Iterable[tuple[str, Any]]) -> list[str]:
    """One for each figure that somebody told of."""
    sums: dict[str, Counter[str]] = {}
    for name, figures in told:
        if name not in SAID:
            continue
        found: Mapping[str, int] = figures
        total = sums.setdefault(name, Counter())
        for part, amount in found.items():
            total[part] = max(total[part], amount) if part in MOST else total[part] + amount
    return [f"{name}: {SAID[name].format_map(sums[name])}" for name in SAID if name in sums]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Of each test the last report: what its fixtures recorded after it is in there too."""
    reports = (each for group in terminalreporter.stats.values() for each in group)
    ended = (each for each in reports if getattr(each, "when", "") == "teardown")
    for line in lines(told for each in ended for told in each.user_properties):
        terminalreporter.write_line(line)
