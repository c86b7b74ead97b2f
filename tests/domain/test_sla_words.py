"""Whoever asks why a ticket is due then is told in words."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain import sla
from chalicelib.domain.calendar import Calendar
from chalicelib.domain.sla import Terms
from chalicelib.domain.sla_words import explanation, span

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Calendar(BERLIN, {day: [(time(9), time(17))] for day in range(5)}, [date(2026, 12, 25)])
HOUR = Terms(60, OFFICE)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(hours=27, minutes=5), "27 h 5 min"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(seconds=45), "45 s"),
        (timedelta(), "0 min"),
    ],
)
def test_a_span_in_words(length: timedelta, said: str) -> None:
    assert span(length) == said


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        pytest.param(
            sla.started(at(20, 16, 15), HOUR),
            "Due Mon 23 Nov 2026, 09:15 (Europe/Berlin). Promised: 1 h of business hours, from Fri 20 Nov 2026, 16:15 "
            "on. 45 min on Fri 20 Nov, closed on Sat 21 Nov, closed on Sun 22 Nov, 15 min on Mon 23 Nov.",
            id="over a weekend",
        ),
        pytest.param(
            sla.started(at(24, 18, month=12), HOUR),
            "Due Mon 28 Dec 2026, 10:00 (Europe/Berlin). Promised: 1 h of business hours, from Thu 24 Dec 2026, 18:00 "
            "on. Closed on Thu 24 Dec, 3 days closed, 1 h on Mon 28 Dec.",
            id="over a long weekend",
        ),
        pytest.param(
            sla.started(at(24, 18, month=12), Terms(10 * 480, OFFICE)),
            "Due Fri 8 Jan 2027, 17:00 (Europe/Berlin). Promised: 80 h of business hours, from Thu 24 Dec 2026, 18:00 "
            "on. Closed on Thu 24 Dec, 72 h on 9 days between, 5 days closed, 8 h on Fri 8 Jan.",
            id="over many days",
        ),
        pytest.param(
            sla.started(at(25, 10, month=12), Terms(1, OFFICE)),
            "Due Mon 28 Dec 2026, 09:01 (Europe/Berlin). Promised: 1 min of business hours, from Fri 25 Dec 2026, "
            "10:00 on. Holiday on Fri 25 Dec, closed on Sat 26 Dec, closed on Sun 27 Dec, 1 min on Mon 28 Dec.",
            id="from a holiday",
        ),
        pytest.param(
            sla.resumed(sla.paused(sla.started(at(20, 10), HOUR), at(20, 10, 20)), at(20, 12)),
            "Due Fri 20 Nov 2026, 12:40 (Europe/Berlin). Promised: 1 h of business hours, from Fri 20 Nov 2026, 10:00 "
            "on. 20 min were used before Fri 20 Nov 2026, 12:00. 40 min on Fri 20 Nov.",
            id="after a pause",
        ),
        pytest.param(
            sla.paused(sla.started(at(20, 10), HOUR), at(20, 10, 20)),
            "Paused since Fri 20 Nov 2026, 10:20 (Europe/Berlin): 40 min are left. Promised: 1 h of business hours, "
            "from Fri 20 Nov 2026, 10:00 on.",
            id="paused",
        ),
        pytest.param(
            sla.paused(sla.started(at(20, 10), HOUR), at(20, 11, 20)),
            "Was due Fri 20 Nov 2026, 11:00 (Europe/Berlin). Promised: 1 h of business hours, from Fri 20 Nov 2026, "
            "10:00 on.",
            id="too late",
        ),
        pytest.param(
            sla.started(at(20, 10), Terms(24 * 60, None)),
            "Due Sat 21 Nov 2026, 09:00 (UTC). Promised: 24 h, nights, weekends and holidays included, from Fri 20 Nov "
            "2026, 09:00 on.",
            id="calendar time, in the viewer's zone",
        ),
    ],
)
def test_a_deadline_in_words(clock: sla.Clock, said: str) -> None:
    assert explanation(clock, UTC) == said


def test_seconds_are_said_where_there_are_some() -> None:
    clock = sla.started(at(20, 10) + timedelta(seconds=7), Terms(2, OFFICE))
    assert explanation(clock, UTC).startswith("Due Fri 20 Nov 2026, 10:02:07 (Europe/Berlin).")
