"""Deadlines by hand: where an hour of business ends, and what pauses and new terms do to it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain import sla
from chalicelib.domain.calendar import Calendar
from chalicelib.domain.sla import Terms, business_minutes_between, due_at
from chalicelib.domain.sla_defaults import response_target
from chalicelib.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = {day: [(time(9), time(17))] for day in range(5)}
OFFICE = Calendar(BERLIN, WEEKDAYS, [])
NEVER = Calendar(BERLIN, {}, [])
AROUND_THE_CLOCK = Calendar(BERLIN, {day: [(time(0), time.max)] for day in range(7)}, [])
NIGHT = Calendar(BERLIN, {day: [(time(22), time.max), (time(0), time(6))] for day in range(7)}, [])


def at(day: int, hour: int, minute: int = 0, second: int = 0, month: int = 11) -> datetime:
    """In November 2026 the 20th is a Friday; Berlin is an hour ahead of UTC."""
    return datetime(2026, month, day, hour, minute, second, tzinfo=BERLIN)


AFTER_THE_FOLD = at(25, 2, 30, month=10).replace(fold=1)


@pytest.mark.parametrize(
    ("start", "minutes", "calendar", "due"),
    [
        pytest.param(at(20, 10), 60, OFFICE, at(20, 11), id="within a day"),
        pytest.param(at(20, 16), 60, OFFICE, at(20, 17), id="the minute that ends at closing time"),
        pytest.param(at(20, 16, 0, 1), 60, OFFICE, at(23, 9, 0, 1), id="a second later it is Monday"),
        pytest.param(at(20, 17), 1, OFFICE, at(23, 9, 1), id="at closing time it is closed"),
        pytest.param(at(21, 12), 480, OFFICE, at(23, 17), id="from a weekend"),
        pytest.param(at(20, 10, 20, 30), 0.5, OFFICE, at(20, 10, 21), id="half a minute"),
        pytest.param(at(21, 12), 0, OFFICE, at(21, 12), id="nothing promised, due at once"),
        pytest.param(at(20, 23), 120, NIGHT, at(21, 1), id="over midnight"),
        pytest.param(at(20, 12), 481, NIGHT, at(21, 22, 1), id="a whole night and a minute"),
        pytest.param(at(29, 1, 30, month=3), 60, AROUND_THE_CLOCK, at(29, 3, 30, month=3), id="over a gap"),
        pytest.param(at(25, 1, 30, month=10), 120, AROUND_THE_CLOCK, AFTER_THE_FOLD, id="over a fold"),
        pytest.param(at(20, 10), 10 * 480, OFFICE, at(4, 10, month=12), id="ten days of business"),
    ],
)  # fmt: skip
def test_a_promise_is_due(start: datetime, minutes: float, calendar: Calendar, due: datetime) -> None:
    found = due_at(start, minutes, calendar)
    assert (found, found.tzinfo) == (due.astimezone(UTC), UTC)


def test_a_deadline_is_exact_below_a_second() -> None:
    start = at(20, 16, 59, 59) + timedelta(microseconds=1)
    assert due_at(start, 1, OFFICE) == (at(23, 9, 0, 59) + timedelta(microseconds=1)).astimezone(UTC)


@pytest.mark.parametrize(("closed_days", "found"), [(370, True), (371, False)])
def test_who_does_not_open_within_370_days_has_no_hours(closed_days: int, found: bool) -> None:
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    closed = [start.date() + timedelta(days=n) for n in range(closed_days)]
    calendar = Calendar(ZoneInfo("UTC"), {day: [(time(9), time(17))] for day in range(7)}, closed)
    if found:
        assert due_at(start, 1, calendar) == start + timedelta(days=370, minutes=1)
    else:
        with pytest.raises(InvalidInput, match="370 days"):
            due_at(start, 1, calendar)


def test_a_long_promise_may_take_years_while_the_shop_opens_again_and_again() -> None:
    an_hour_a_week = Calendar(ZoneInfo("UTC"), {0: [(time(9), time(10))]}, [])
    monday = datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert due_at(monday, 60 * 105, an_hour_a_week) == monday + timedelta(weeks=104, hours=1)


@pytest.mark.parametrize(
    ("start", "minutes", "calendar"),
    [
        (datetime(2026, 1, 1), 1, OFFICE),  # noqa: DTZ001 - that is the case
        (at(20, 10), -1, OFFICE),
        (at(20, 10), 1, NEVER),
        (at(20, 10), float("inf"), OFFICE),
        (at(20, 10), float("nan"), OFFICE),
        (datetime(9999, 12, 31, tzinfo=UTC), 1, OFFICE),
    ],
    ids=["no zone", "below 0", "never open", "without end", "no number", "after the last year"],
)
def test_what_has_no_deadline_is_refused(start: datetime, minutes: float, calendar: Calendar) -> None:
    with pytest.raises(InvalidInput):
        due_at(start, minutes, calendar)


@pytest.mark.parametrize(
    ("start", "end", "calendar", "minutes"),
    [
        (at(20, 8), at(20, 18), OFFICE, 480),
        (at(20, 16), at(23, 10), OFFICE, 120),
        (at(20, 10), at(20, 10), OFFICE, 0),
        (at(20, 10), at(20, 10, 0, 30), OFFICE, 0.5),
        (at(28, 12, month=3), at(29, 12, month=3), AROUND_THE_CLOCK, 23 * 60),
        (at(1, 0), at(1, 0, month=12), NEVER, 0),
    ],
)
def test_business_minutes_lie_between(start: datetime, end: datetime, calendar: Calendar, minutes: float) -> None:
    assert business_minutes_between(start, end, calendar) == minutes


def test_an_end_before_its_start_is_refused() -> None:
    with pytest.raises(InvalidInput):
        business_minutes_between(at(20, 10), at(20, 9), OFFICE)
    with pytest.raises(InvalidInput):
        business_minutes_between(datetime(2026, 1, 1), at(20, 9), OFFICE)  # noqa: DTZ001 - that is the case


HOUR = Terms(60, OFFICE)


def test_a_pause_takes_nothing_of_what_was_left() -> None:
    clock = sla.paused(sla.started(at(20, 16, 30), HOUR), at(20, 16, 45))
    assert (clock.deadline, clock.left) == (None, timedelta(minutes=45))
    assert sla.resumed(clock, at(24, 8)).deadline == at(24, 9, 45)


def test_a_pause_in_closed_hours_moves_nothing() -> None:
    clock = sla.started(at(20, 16, 30), HOUR)
    assert sla.resumed(sla.paused(clock, at(21, 1)), at(22, 1)).deadline == clock.deadline == at(23, 9, 30)


def test_what_was_used_stays_used_under_other_terms() -> None:
    clock = sla.started(at(20, 16, 30), HOUR)
    assert sla.under(clock, at(20, 16, 50), Terms(120, OFFICE)).deadline == at(23, 10, 30)
    assert sla.under(clock, at(20, 16, 50), Terms(60, None)).deadline == at(20, 17, 30)


def test_terms_never_break_a_promise_in_the_past() -> None:
    clock = sla.started(at(20, 10), HOUR)
    assert sla.under(clock, at(20, 10, 45), Terms(30, OFFICE)).deadline == at(20, 10, 45)


def test_a_pause_outlives_a_change_of_the_terms() -> None:
    clock = sla.under(sla.paused(sla.started(at(20, 10), HOUR), at(20, 10, 45)), at(20, 11), Terms(30, OFFICE))
    assert clock.deadline is None
    assert sla.resumed(clock, at(20, 12)).deadline == at(20, 12)


def test_a_deadline_that_has_come_is_moved_by_nothing() -> None:
    late = sla.paused(sla.started(at(20, 10), HOUR), at(20, 11))
    assert late.deadline == at(20, 11)
    again = sla.under(sla.resumed(late, at(20, 12)), at(20, 12), Terms(600, OFFICE))
    assert again.deadline == at(20, 11)


def test_an_answer_at_the_deadline_keeps_the_promise() -> None:
    clock = sla.started(at(20, 10), HOUR)
    assert sla.kept(clock, at(20, 11)) and not sla.kept(clock, at(20, 11, 0, 1))
    assert sla.kept(sla.paused(clock, at(20, 10, 30)), at(27, 10))


def test_an_event_told_late_counts_from_the_last_one() -> None:
    clock = sla.resumed(sla.paused(sla.started(at(20, 10), HOUR), at(20, 10, 30)), at(20, 10, 20))
    assert clock.deadline == at(20, 11)


def test_a_target_of_nothing_is_no_promise() -> None:
    with pytest.raises(InvalidInput):
        Terms(0, OFFICE)


@pytest.mark.parametrize(
    ("channel", "start", "due"),
    [
        ("email", at(20, 16, 30), at(23, 9, 30)),
        ("telegram", at(20, 16, 59), at(23, 9, 1)),
        ("reviews", at(20, 9), at(23, 13)),
        ("amazon", at(20, 16, 30), at(21, 16, 30)),
        ("carrier pigeon", at(20, 16, 30), at(23, 9, 30)),
    ],
)
def test_what_is_promised_until_somebody_decides_otherwise(channel: str, start: datetime, due: datetime) -> None:
    target = response_target(channel)
    assert sla.started(start, Terms(target.minutes, OFFICE if target.business else None)).deadline == due


def test_holidays_of_the_calendar_count() -> None:
    closed = Calendar(BERLIN, WEEKDAYS, [date(2026, 11, 23)])
    assert due_at(at(20, 16, 30), 60, closed) == at(24, 9, 30)
