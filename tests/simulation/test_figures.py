"""The figures of ``bench.faults``: what they limit, over a whole run and not a history alone."""

import json
from typing import Any

import pytest

from bench import faults
from bench.faults import SOME, TIMERS, Totals, p99
from tests.simulation import sites
from tests.simulation.told import figure, promises


def _told(totals: Totals, asked: int, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    status = faults._report(totals, 1.0, asked)
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


def _all_well(histories: int = SOME) -> Totals:
    totals = Totals(histories)
    totals.checked.update(promises())
    totals.lateness = [1.0] * TIMERS
    totals.crashed = set(sites.known())
    return totals


def test_a_run_that_went_well_passes(capsys: pytest.CaptureFixture[str]) -> None:
    status, told = _told(_all_well(), faults.FULL, capsys)
    assert status == 0
    assert told["figures"][figure("4 no timer lost")] == 1
    assert told["figures"]["timer_p99_late_seconds"] == 1


def test_timers_that_nothing_hindered_are_late_over_a_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    totals = _all_well()
    totals.lateness = [1.0] * 97 + [5.5] * 3
    status, told = _told(totals, SOME, capsys)
    assert status == 1
    assert told["figures"]["timer_p99_late_seconds"] == 5.5
    assert told["limits"]["timer_p99_late_seconds"] == 5
    totals.lateness = [1.0] * 199 + [5.5]
    assert _told(totals, SOME, capsys)[0] == 0
    totals.lateness = [1.0] * (TIMERS - 1)
    assert _told(totals, faults.FULL, capsys)[0] == 1  # too few to say anything


def test_the_99th_percentile_is_one_of_the_values() -> None:
    assert p99([3.0]) == 3
    assert p99([float(each) for each in range(1, 101)]) == 99
    assert p99([float(each) for each in range(200, 0, -1)]) == 198


def test_a_promise_that_no_history_reached_breaks_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    totals = _all_well()
    del totals.checked["5 counts follow the stream"]
    status, told = _told(totals, SOME, capsys)
    assert status == 1
    assert told["figures"]["promises_never_looked_at"] == 1
    assert _told(totals, SOME - 1, capsys)[0] == 0  # a few histories need not reach all


@pytest.mark.parametrize("short", ["too_few", "too_few_acts"])
def test_a_history_with_too_little_in_it_breaks_the_limit(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    totals = _all_well()
    setattr(totals, short, 1)
    assert _told(totals, SOME, capsys)[0] == 1
