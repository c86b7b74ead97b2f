"""When a shop is open: shifts, holidays, and the nights on which clocks are changed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.calendar import Calendar
from chalicelib.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")


def hours(
    zone: str, day: date, windows: Sequence[tuple[time, time]], holidays: Sequence[date] = ()
) -> list[tuple[str, str]]:
    """What is open of that date, in UTC, in a calendar that knows no other weekday."""
    weekly = {day.weekday(): windows}
    calendar = Calendar(ZoneInfo(zone), weekly, holidays)
    noon = datetime.combine(day, time(12), UTC)
    found = calendar.stretches(noon - timedelta(days=1), noon + timedelta(days=1))
    return [(f"{opens:%d %H:%M}", f"{closes:%d %H:%M}") for opens, closes in found]


WINDOWS = {
    "winter": ("Europe/Berlin", "2026-01-05", "09:00", "17:00", ("05 08:00", "05 16:00")),
    "summer": ("Europe/Berlin", "2026-07-06", "09:00", "17:00", ("06 07:00", "06 15:00")),
    "closing in a gap": ("Europe/Berlin", "2026-03-29", "01:00", "02:30", ("29 00:00", "29 01:30")),
    "opening in a gap": ("Europe/Berlin", "2026-03-29", "02:30", "08:00", ("29 01:30", "29 06:00")),
    "opening in a fold": ("Europe/Berlin", "2026-10-25", "02:30", "08:00", ("25 00:30", "25 07:00")),
    "closing in a fold": ("Europe/Berlin", "2026-10-25", "01:00", "02:30", ("24 23:00", "25 01:30")),
    "25 hours": ("Europe/Berlin", "2026-10-25", "00:00", "24:00", ("24 22:00", "25 23:00")),
    "23 hours": ("Europe/Berlin", "2026-03-29", "00:00", "24:00", ("28 23:00", "29 22:00")),
    "half an hour more": ("Australia/Lord_Howe", "2026-04-05", "00:00", "04:00", ("04 13:00", "04 17:30")),
    "half an hour less": ("Australia/Lord_Howe", "2026-10-04", "00:00", "04:00", ("03 13:30", "03 17:00")),
    "no midnight": ("Africa/Cairo", "2026-04-24", "00:00", "08:00", ("23 22:00", "24 05:00")),
    "two midnights, the first ends it": ("America/Havana", "2026-10-31", "18:00", "24:00", ("31 22:00", "01 04:00")),
    "an evening hour comes twice": ("America/Nuuk", "2026-10-24", "22:00", "24:00", ("24 23:00", "25 02:00")),
    "forward, not into the next date": ("America/Nuuk", "2026-03-28", "20:00", "23:30", ("28 22:00", "29 01:00")),
    "back over midnight": ("America/St_Johns", "2006-10-28", "22:00", "24:00", ("29 00:30", "29 03:30")),
}
"""Zone, date, opening and closing on the wall, and the same in UTC."""


@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_is_open(name: str) -> None:
    zone, day, opens, closes, expected = WINDOWS[name]
    ends = time.max if closes == "24:00" else time.fromisoformat(closes)
    assert hours(zone, date.fromisoformat(day), [(time.fromisoformat(opens), ends)]) == [expected]


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([(time(13), time(18)), (time(8), time(12))], [("06 06:00", "06 10:00"), ("06 11:00", "06 16:00")]),
        ([(time(8), time(18)), (time(10), time(12))], [("06 06:00", "06 16:00")]),
        ([(time(8), time(12)), (time(10), time(18))], [("06 06:00", "06 10:00"), ("06 10:00", "06 16:00")]),
        ([(time(8), time(8))], []),
    ],
    ids=["split shift in any order", "one within the other", "one over the other's end", "nothing"],
)
def test_windows_of_a_day_add_up(windows: Sequence[tuple[time, time]], expected: list[tuple[str, str]]) -> None:
    assert hours("Europe/Berlin", date(2026, 7, 6), windows) == expected


def test_a_date_that_a_zone_skipped_has_no_hours() -> None:
    """Apia went from the 29th to the 31st; the 30th's hours belong to nobody."""
    assert hours("Pacific/Apia", date(2011, 12, 30), [(time(9), time(17))]) == []


def test_a_holiday_closes_its_own_date_and_no_other() -> None:
    night: Mapping[int, Sequence[tuple[time, time]]] = {0: [(time(22), time.max)], 1: [(time(0), time(6))]}
    calendar = Calendar(BERLIN, night, [date(2026, 7, 7)])
    monday = datetime(2026, 7, 6, tzinfo=UTC)
    (only,) = calendar.stretches(monday, monday + timedelta(days=3))
    assert only == (datetime(2026, 7, 6, 20, tzinfo=UTC), datetime(2026, 7, 6, 22, tzinfo=UTC))


class MadeUpWhenAsked(dict[date, str]):
    """As the tables of the ``holidays`` library: empty until somebody asks for a day."""

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and (day.month, day.day) == (12, 25)


def test_a_table_of_holidays_may_know_more_than_it_holds() -> None:
    calendar = Calendar(BERLIN, {4: [(time(9), time(17))]}, MadeUpWhenAsked())
    christmas = datetime(2026, 12, 25, tzinfo=UTC)
    assert list(calendar.stretches(christmas, christmas + timedelta(days=1))) == []
    assert len(list(calendar.stretches(christmas, christmas + timedelta(days=8)))) == 1


@pytest.mark.parametrize("weekly", [{0: [(time(22), time(6))]}, {7: [(time(9), time(17))]}])
def test_windows_that_cannot_be_are_refused(weekly: Mapping[int, Sequence[tuple[time, time]]]) -> None:
    with pytest.raises(InvalidInput):
        Calendar(BERLIN, weekly, [])
