"""When a shop answers: weekly hours on its own clock, less its holidays.

Source: docs/domain/sla.md, "Business hours" and "Nights on which the clock is changed".
"""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from chalicelib.errors import InvalidInput

ONE_DAY = timedelta(days=1)
AN_INSTANT = timedelta.resolution
Window = tuple[time, time]


def in_utc(moment: datetime) -> datetime:
    """Raise InvalidInput for a time of day that nobody can place."""
    if moment.utcoffset() is None:
        raise InvalidInput("An instant needs a time zone.")
    return moment.astimezone(UTC)


@dataclass(frozen=True)
class Calendar:
    """weekly: 0 is Monday; windows in local time, end exclusive, ``time.max`` means to midnight.

    A shift over midnight is two windows.  A holiday closes its local date.
    """

    zone: ZoneInfo
    weekly: Mapping[int, Sequence[Window]]
    holidays: Collection[date]

    def __post_init__(self) -> None:
        for weekday, windows in self.weekly.items():
            if weekday not in range(7):
                raise InvalidInput("A week has the days 0 to 6, 0 is Monday.")
            if any(opens > closes for opens, closes in windows):
                raise InvalidInput("A window ends after it begins; a shift over midnight is two windows.")

    @cached_property
    def _windows(self) -> tuple[tuple[Window, ...], ...]:
        return tuple(tuple(sorted(self.weekly.get(weekday, ()))) for weekday in range(7))

    @cached_property
    def _closed(self) -> Collection[date]:
        """Sets and mappings answer at once; a country's table makes its years up when it is asked."""
        return self.holidays if isinstance(self.holidays, (Set, Mapping)) else frozenset(self.holidays)

    def is_holiday(self, day: date) -> bool:
        return day in self._closed

    def stretches(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open time between two instants: UTC, in order, and none of it twice where windows overlap."""
        covered, end = in_utc(start), in_utc(end)
        # From the day before: where a clock is set back over midnight, its evening comes once more.
        day, last = covered.astimezone(self.zone).date() - ONE_DAY, end.astimezone(self.zone).date()
        while day <= last:
            for opens, closes in self._hours(day):
                opens, closes = max(opens, covered), min(closes, end)
                if opens < closes:
                    yield opens, closes
                    covered = closes
            day += ONE_DAY

    def _hours(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        windows = self._windows[day.weekday()]
        if windows and not self.is_holiday(day):
            for opens, closes in windows:
                yield _first(day, opens, self.zone), _closing(day, closes, self.zone)


def _first(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Of a time that comes twice the first; one that is skipped moves forward by what the clock jumps (PEP 495)."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def _second(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Of a time that comes twice the second; one that is skipped moves back."""
    return datetime.combine(day, at, zone).replace(fold=1).astimezone(UTC)


def _closing(day: date, at: time, zone: ZoneInfo) -> datetime:
    if at == time.max:
        return _midnight(day, zone)
    first, second = _first(day, at, zone), _second(day, at, zone)
    if first <= second:
        return second
    return min(first, _midnight(day, zone))  # skipped: forward, yet not into the next date, which may be a holiday


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The end of a date: its last evening's, where the clock is set back over midnight."""
    first, second = _first(day + ONE_DAY, time.min, zone), _second(day + ONE_DAY, time.min, zone)
    if first < second and (second - AN_INSTANT).astimezone(zone).date() == day:
        return second
    return first
