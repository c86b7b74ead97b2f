"""Business hours as somebody sets them: what is typed, what is kept, and the calendar that is made of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.domain.calendar import Calendar, Window
from chalicelib.domain.sla import LOOKAHEAD_DAYS
from chalicelib.errors import InvalidInput

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_WINDOWS = 6
MIDNIGHT = "24:00"
KEPT_DAYS = 40
"""How long a calendar is kept as it was before a change: longer than anybody may wait for an answer."""
MARGIN = timedelta(days=2)
"""No zone is that far from UTC."""
WINDOW = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|to)\s*(\d{1,2})(?:[:.](\d{2}))?", re.ASCII)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True)
class Shift:
    """weekday: 0 is Monday; times as ``HH:MM`` of the calendar's zone, 24:00 is the end of the day."""

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True)
class Day:
    """``on`` is yyyy-mm-dd."""

    on: str
    name: str = ""


@dataclass(frozen=True)
class BusinessHours:
    """One calendar of the desk.

    country, region: whose public holidays close it ("" none); holidays: those, as their table said last.
    closed_days: further days that are closed; open_days: holidays on which it is open all the same.
    team_ids, inbox_ids: whose hours these are; for_others: everybody's whom no calendar names.
    changed_at: since when clocks count by it as it is now; None: ever since.
    """

    id: str
    name: str
    time_zone: str
    shifts: tuple[Shift, ...]
    country: str = ""
    region: str = ""
    holidays: tuple[Day, ...] = ()
    closed_days: tuple[Day, ...] = ()
    open_days: tuple[str, ...] = ()
    team_ids: tuple[str, ...] = ()
    inbox_ids: tuple[str, ...] = ()
    for_others: bool = False
    version: int = 1
    changed_at: datetime | None = None


def zone_named(name: str) -> ZoneInfo:
    """Raise InvalidInput for a name that is no zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder of the database, like "Europe"
        raise InvalidInput("There is no such time zone.") from error


def calendar_of(hours: BusinessHours) -> Calendar:
    weekly: dict[int, list[Window]] = {}
    for shift in hours.shifts:
        weekly.setdefault(shift.weekday, []).append((time.fromisoformat(shift.opens), _end(shift.closes)))
    return Calendar(zone_named(hours.time_zone), weekly, closings(hours))


def _end(closes: str) -> time:
    return time.max if closes == MIDNIGHT else time.fromisoformat(closes)


def closings(hours: BusinessHours) -> Mapping[date, str]:
    """Every date that is closed whatever its weekday, with its name."""
    named = {each.on: each.name for each in (*hours.holidays, *hours.closed_days)}
    return {date.fromisoformat(on): name for on, name in sorted(named.items()) if on not in hours.open_days}


def what_counts(hours: BusinessHours) -> tuple[object, ...]:
    """All of it that a deadline may depend on."""
    whose = (hours.team_ids, hours.inbox_ids, hours.for_others)
    return hours.time_zone, hours.shifts, tuple(sorted(closings(hours))), *whose


def as_it_was(hours: BusinessHours, until: datetime) -> BusinessHours:
    """What is kept of a calendar for the clocks that counted by it: of its closed days those that may have counted."""
    first = (hours.changed_at or until - timedelta(days=KEPT_DAYS)).date() - MARGIN
    last = until.date() + MARGIN
    days = tuple(Day(on.isoformat(), name) for on, name in closings(hours).items() if first <= on <= last)
    return replace(hours, country="", region="", holidays=(), closed_days=days, open_days=())


@dataclass(frozen=True)
class Standing:
    """Open until, or closed until; until is None where it never changes within LOOKAHEAD_DAYS."""

    open: bool
    until: datetime | None


def standing(hours: BusinessHours, now: datetime) -> Standing:
    """Whether it is open at the moment.  Windows that touch, as a night's two halves do, are one stretch."""
    end = None
    for opens, closes in calendar_of(hours).stretches(now, now + timedelta(days=LOOKAHEAD_DAYS)):
        if end is None and opens > now:
            return Standing(False, opens)
        if end is not None and opens > end:
            return Standing(True, end)
        end = closes
    return Standing(end is not None, end if end and end < now + timedelta(days=LOOKAHEAD_DAYS) else None)


# What is typed


def shifts_of(weekday: int, text: str) -> tuple[Shift, ...]:
    """The windows of ``09:00-12:00, 13-17``; raise InvalidInput with the sentence that belongs beside it."""
    parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    if len(parts) > MAX_WINDOWS:
        raise InvalidInput(f"A day has at most {MAX_WINDOWS} windows.")
    shifts = tuple(sorted((_shift(weekday, part) for part in parts), key=lambda each: each.opens))
    for before, after in pairwise(shifts):
        if after.opens < before.closes:
            raise InvalidInput(f"{_said(before)} and {_said(after)} overlap.")
    return shifts


def _shift(weekday: int, text: str) -> Shift:
    found = WINDOW.fullmatch(text)
    if found is None:
        raise InvalidInput(f"“{text[:40]}” is no window. Write 09:00-12:00, 13:00-17:00; leave it empty when closed.")
    opens, closes = _time(found[1], found[2]), _time(found[3], found[4])
    if closes == "00:00":
        closes = MIDNIGHT
    if opens >= closes:
        raise InvalidInput(
            f"{opens}-{closes} ends before it begins. Write {opens}-24:00 here, and 00:00-{closes} on the next day."
        )
    return Shift(weekday, opens, closes)


def _time(hour: str, minute: str | None) -> str:
    text = f"{int(hour):02}:{minute or '00'}"
    if text != MIDNIGHT and not (int(hour) < 24 and int(minute or 0) < 60):
        raise InvalidInput(f"There is no {text} on a clock.")
    return text


def windows_said(hours: BusinessHours, weekday: int) -> str:
    return ", ".join(_said(each) for each in hours.shifts if each.weekday == weekday)


def _said(shift: Shift) -> str:
    return f"{shift.opens}-{shift.closes}"


def day_on(text: str) -> str:
    """``text`` when it is a date as yyyy-mm-dd; raise InvalidInput."""
    try:
        return date.fromisoformat(text if DATE.fullmatch(text) else "").isoformat()
    except ValueError as error:
        raise InvalidInput(f"“{text[:40]}” is no date. Write it like 2026-12-24.") from error
