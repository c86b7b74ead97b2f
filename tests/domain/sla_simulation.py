"""A clock played minute by minute, as somebody would who sits there and looks at the wall; nothing of ours helps.

The program turns local times into UTC and adds.  This goes the other way: it writes down what the wall shows at every
minute of UTC, marks the open ones, and counts.  Seconds are counted one by one where anything happens.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

MINUTES_OF_A_DAY = 24 * 60
PLAIN = list(range(MINUTES_OF_A_DAY))
"""What the wall shows on a day on which nobody touches it."""

FOR_EVER = 1 << 40


def minute_of(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


@dataclass(frozen=True)
class Wall:
    """What the clock on a wall shows at every minute of UTC from ``begins`` on, date by date."""

    begins: int
    days: Mapping[date, tuple[int, list[int]]]
    """Of each date its first minute of UTC, and the minutes of the day that the wall shows, in order."""


@cache
def wall(zone: ZoneInfo, begins: date, ends: date) -> Wall:
    first = minute_of(datetime.combine(begins, time(), UTC))
    days: dict[date, tuple[int, list[int]]] = {}
    for minute in range(first, minute_of(datetime.combine(ends, time(), UTC))):
        shown = datetime.fromtimestamp(minute * 60, zone)
        days.setdefault(shown.date(), (minute, []))[1].append(shown.hour * 60 + shown.minute)
    del days[min(days)], days[max(days)]  # begun or ended elsewhere on the clock
    return Wall(first, {day: (start, PLAIN if shown == PLAIN else shown) for day, (start, shown) in days.items()})


def changed_days(walls: Wall) -> list[date]:
    return [day for day, (_, shown) in walls.days.items() if shown is not PLAIN]


def _opening(shown: list[int], at: int) -> int:
    """The first time that the wall shows it; where it jumps over it, when a watch that nobody has set shows it."""
    if shown is PLAIN or at in shown:
        return at if shown is PLAIN else shown.index(at)
    return _by_an_old_watch(shown, at)


def _closing(shown: list[int], at: int) -> int:
    """The last time that the wall shows it, or the same watch; at the latest when the date is over."""
    if at == MINUTES_OF_A_DAY or shown is PLAIN:
        return at if shown is PLAIN else len(shown)
    if at in shown:
        return len(shown) - 1 - shown[::-1].index(at)
    return min(_by_an_old_watch(shown, at), len(shown))


def _by_an_old_watch(shown: list[int], at: int) -> int:
    before = -1
    for index, minute in enumerate(shown):
        if before < at < minute:
            return index + at - before - 1
        before = minute
    return len(shown) + at - before - 1  # the date ends early: the clock jumps into the next


def _in_minutes(at: time) -> int:
    return MINUTES_OF_A_DAY if at == time.max else at.hour * 60 + at.minute


def open_minutes(
    walls: Wall, weekly: Mapping[int, Sequence[tuple[time, time]]], holidays: Collection[date]
) -> bytearray:
    """One byte for each minute of UTC from the wall's beginning on: open or not."""
    found = bytearray(max(start + len(shown) for start, shown in walls.days.values()) - walls.begins)
    for day, (start, shown) in walls.days.items():
        for opens, closes in () if day in holidays else weekly.get(day.weekday(), ()):
            first, last = _opening(shown, _in_minutes(opens)), _closing(shown, _in_minutes(closes))
            if first < last:
                found[start - walls.begins + first : start - walls.begins + last] = b"\1" * (last - first)
    return found


@dataclass(frozen=True)
class Rule:
    """seconds: what is promised; opened: None for a clock that never stands still."""

    seconds: int
    begins: int
    opened: bytearray | None

    def is_open(self, minute: int) -> bool:
        return self.opened is None or self.opened[minute - self.begins] == 1


Event = tuple[int, str, Rule | None]
"""Second, "pause", "resume" or "change", and for a change what holds from then on."""


def deadline(start: int, rule: Rule, events: Sequence[Event]) -> int | None:
    """The second at which the promise is due; None when it ends paused."""
    pending = sorted(events, key=lambda event: event[0])
    used, paused, now = 0, False, start
    while True:
        if not paused and used >= rule.seconds:
            return now
        while pending and pending[0][0] == now:
            _, what, changed = pending.pop(0)
            paused = what == "pause" or (paused and what != "resume")
            rule = changed or rule
            if not paused and used >= rule.seconds:
                return now
        if paused and not pending:
            return None
        if now % 60 or (pending and pending[0][0] < now + 60):
            used += 1 if not paused and rule.is_open(now // 60) else 0
            now += 1
            continue
        quiet_until = pending[0][0] // 60 * 60 if pending else FOR_EVER
        now, used = _whole_minutes(now, quiet_until, used, None if paused else rule)


def _whole_minutes(now: int, until: int, used: int, rule: Rule | None) -> tuple[int, int]:
    """Minute after minute while nothing happens; no further than the minute in which the promise falls due."""
    if rule is None:
        return until, used
    opened, minute = rule.opened, now // 60 - rule.begins
    while now < until and used < rule.seconds:
        if opened is None or opened[minute]:
            used += 60
        minute += 1
        now += 60
    late = max(used - rule.seconds, 0)
    return now - late, used - late


def seconds_between(start: int, end: int, rule: Rule) -> int:
    total = 0
    while start < end:
        step = 60 if start % 60 == 0 and start + 60 <= end else 1
        total += step if rule.is_open(start // 60) else 0
        start += step
    return total
