"""What a bench's last line says, and what a shared machine may widen: times, never counts."""

import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from bench import burst, capacity, coldstart, cost, inbox, ingest, mail
from bench.result import NEVER, SHARED, report

OF_ONE_MACHINE = ("_ms", "_ms_per_mail", "_seconds")
NOT_REPACKED = 2.01
"""The least that a zip without bytecode takes, over the bare handler."""


def said(capsys: pytest.CaptureFixture[str], *given: Any, **named: Any) -> tuple[int, dict[str, Any]]:
    status = report("bench", *given, **named)
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARED, "1")


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SHARED, raising=False)


def test_a_limit_that_is_passed_or_was_not_measured_breaks_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, {"lost": 0}, {"lost": 0})[0] == 0
    assert said(capsys, {"lost": 1}, {"lost": 0})[0] == 1
    assert said(capsys, {}, {"lost": 0})[0] == 1
    assert said(capsys, {}, {"lost": 0}, skipped="No engine.")[0] == 0
    assert said(capsys, {"mails": 299}, {}, minimums={"mails": 300})[0] == 1


def test_a_goal_that_is_missed_is_said_and_breaks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    status, line = said(capsys, {"units": 39}, {"units": 39}, goals={"units": 34, "unknown": 1})

    assert (status, line["missed"], line["goals"]["units"]) == (0, ["units"], 34)


def test_slack_counts_on_a_shared_machine_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"figures": {"start_ratio": 1.5}, "limits": {"start_ratio": 1.3}, "slack": {"start_ratio": 1.25}}
    assert said(capsys, **given)[0] == 1
    monkeypatch.setenv(SHARED, "1")
    assert said(capsys, **given)[0] == 0


@pytest.mark.usefixtures("shared")
def test_on_a_shared_machine_no_time_is_asked_and_every_count_is(capsys: pytest.CaptureFixture[str]) -> None:
    limits, slack = {"page_ms": 10.0, "calls": 11.0}, {"page_ms": NEVER}

    assert said(capsys, {"page_ms": 9_999, "calls": 11}, limits, slack=slack)[0] == 0
    status, line = said(capsys, {"page_ms": 9_999, "calls": 11.1}, limits, slack=slack)
    assert (status, line["limits"], line["not_asked"]) == (1, {"calls": 11.0}, ["page_ms"])


LIMITS: dict[ModuleType, Mapping[str, float]] = {
    coldstart: coldstart.LIMITS,
    ingest: ingest.LIMITS,
    mail: mail.LIMITS,
    burst: burst.limits_of("at_once"),
}
"""Of the benches that ``make prove`` runs."""


@pytest.mark.parametrize("bench", LIMITS, ids=lambda bench: bench.__name__)
def test_no_time_of_one_machine_can_break_make_prove(bench: ModuleType) -> None:
    limits, slack = LIMITS[bench], bench.SLACK

    assert slack.keys() <= limits.keys()
    assert {name for name in limits if name.endswith(OF_ONE_MACHINE) and slack.get(name, 1) < 20} == set()
    assert all(name.endswith(OF_ONE_MACHINE) or "ratio" in name for name in slack)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("name", [name for name in coldstart.LIMITS if name.endswith("_start_ratio")])
def test_a_zip_that_was_not_repacked_is_found_there(capsys: pytest.CaptureFixture[str], name: str) -> None:
    found = dict.fromkeys(coldstart.LIMITS, 0.0) | {name: NOT_REPACKED}

    assert said(capsys, found, coldstart.LIMITS, slack=coldstart.SLACK)[0] == 1


@pytest.mark.usefixtures("shared")
def test_a_page_that_reads_more_during_a_burst_is_found_there(capsys: pytest.CaptureFixture[str]) -> None:
    limits = burst.limits_of("at_once")
    found = dict.fromkeys(limits, 0.0)

    assert said(capsys, found, limits, slack=burst.SLACK)[0] == 0
    assert said(capsys, found | {"list_read_units_ratio": 1.2}, limits, slack=burst.SLACK)[0] == 1


# The design's goals, where a limit of our own stands in an ADR


@pytest.mark.parametrize(
    ("limits", "goals"),
    [
        (coldstart.LIMITS, coldstart.GOALS),
        (ingest.LIMITS, ingest.GOALS),
        (cost.LIMITS, cost.GOALS),
        ({row.figure: row.limit for row in capacity.ROWS if row.limit is not None}, capacity.GOALS),
        ({f"{name}_cpu_ms": limit for name, limit in inbox.CPU_MS.items()}, inbox.GOALS),
    ],
    ids=["coldstart", "ingest", "cost", "capacity", "inbox"],
)
def test_a_goal_asks_more_than_its_limit(limits: Mapping[str, float], goals: Mapping[str, float]) -> None:
    assert {name: goal for name, goal in goals.items() if goal >= limits[name]} == {}


@pytest.mark.parametrize(("calls", "broken"), [(11, False), (12, True)])
def test_one_call_more_a_page_breaks_the_inbox(capsys: pytest.CaptureFixture[str], calls: int, broken: bool) -> None:
    pages = {
        (name, size): inbox.Page({}, reads=9.0, writes=1.0, calls=calls if name == "list" else 19, cpu_ms=[20.0])
        for name in inbox.PAGES
        for size in (1_000, 10_000)
    }
    status, line = said(capsys, *inbox.result(pages), slack=inbox.SLACK, goals=inbox.GOALS)

    assert (status, set(line["missed"])) == (int(broken), {"list_cpu_ms", "ticket_cpu_ms"})
    assert inbox.SLACK.keys() <= line["limits"].keys()
