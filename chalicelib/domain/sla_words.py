"""A deadline in words: what was promised, since when it runs, and where the time goes until it is due."""

import calendar as names
from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

from chalicelib.domain.sla import Clock, Terms

MOST_DAYS = 4
"""Days named one by one; of a longer way the first, the last and the number between."""
DAYS, MONTHS = tuple(names.day_abbr), tuple(names.month_abbr)
SECOND = timedelta(seconds=1)
ONE_DAY = timedelta(days=1)


def span(length: timedelta) -> str:
    """ "1 h 15 min", "45 s": hours are not made days, for a day of business has other hours."""
    seconds = length // SECOND
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount) or "0 min"


def explanation(clock: Clock, viewer: tzinfo) -> str:
    """Sentences for whoever asks why it is due then; in the calendar's zone, or the viewer's where none counts."""
    zone = clock.terms.calendar.zone if clock.terms.calendar else viewer
    promised = f"Promised: {_promised(clock.terms)}, from {_when(clock.started_at, zone)} on."
    if clock.due is not None:
        return f"Was due {_when(clock.due, zone)} ({_name(zone)}). {promised}"
    if clock.paused:
        return f"Paused since {_when(clock.since, zone)} ({_name(zone)}): {span(clock.left)} are left. {promised}"
    due = clock.terms.after(clock.since, clock.left)
    said = [f"Due {_when(due, zone)} ({_name(zone)}).", promised]
    if clock.used:
        said.append(f"{span(clock.used)} were used before {_when(clock.since, zone)}.")
    if clock.terms.calendar is not None:
        said.append(_way(clock, due))
    return " ".join(said)


def _promised(terms: Terms) -> str:
    if terms.calendar is None:
        return f"{span(terms.target)}, nights, weekends and holidays included"
    return f"{span(terms.target)} of business hours"


def _way(clock: Clock, due: datetime) -> str:
    """ "45 min on Fri 20 Nov, closed on Sat 21 Nov and Sun 22 Nov, 15 min on Mon 23 Nov." """
    by_calendar = clock.terms.calendar
    if by_calendar is None:
        return ""
    open_time: dict[date, timedelta] = {}
    for opens, closes in by_calendar.stretches(clock.since, due):
        day = opens.astimezone(by_calendar.zone).date()
        open_time[day] = open_time.get(day, timedelta()) + closes - opens
    first = clock.since.astimezone(by_calendar.zone).date()
    last = max([first, *open_time])
    days = [first + n * ONE_DAY for n in range((last - first).days + 1)]
    named = days if len(days) <= MOST_DAYS else [days[0], days[-1]]
    said = [_said(each, open_time, by_calendar.is_holiday(each)) for each in named]
    if len(days) > MOST_DAYS:
        said.insert(1, _between(days[1:-1], open_time))
    words = ", ".join(said)
    return f"{words[0].upper()}{words[1:]}."


def _said(day: date, open_time: dict[date, timedelta], holiday: bool) -> str:
    if day in open_time:
        return f"{span(open_time[day])} on {_day(day)}"
    return f"{'holiday' if holiday else 'closed'} on {_day(day)}"


def _between(days: Sequence[date], open_time: dict[date, timedelta]) -> str:
    counted = [each for each in days if each in open_time]
    total = sum((open_time[each] for each in counted), timedelta())
    closed = len(days) - len(counted)
    parts = [f"{span(total)} on {len(counted)} days between"] if counted else []
    if closed:
        parts.append(f"{closed} days closed")
    return ", ".join(parts)


def _when(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    seconds = f":{local.second:02}" if local.second else ""
    return f"{_day(local.date())} {local.year}, {local.hour:02}:{local.minute:02}{seconds}"


def _day(day: date) -> str:
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month]}"


def _name(zone: tzinfo) -> str:
    return str(zone)
