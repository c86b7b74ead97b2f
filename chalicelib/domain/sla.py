"""Clocks on promises: when is it due, how much is used, and what becomes of both when the terms change.

Every rule here is written down in docs/domain/sla.md; tests/domain/sla_simulation.py plays the same minute by minute.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from chalicelib.domain.calendar import Calendar, in_utc
from chalicelib.errors import InvalidInput

LOOKAHEAD_DAYS = 370
"""A year and a long weekend: who has no hours within it has none."""
_LOOKAHEAD = timedelta(days=LOOKAHEAD_DAYS) + timedelta.resolution  # an opening on the last instant counts
MINUTE = timedelta(minutes=1)
NOTHING = timedelta()

Promise = Literal["first_response", "next_response", "resolution"]
PROMISES: tuple[Promise, ...] = get_args(Promise)


def due_at(start: datetime, business_minutes: float, calendar: Calendar) -> datetime:
    """The first instant by which so many business minutes have passed.

    Args:
        start: when the clock starts; it must carry a time zone.
        business_minutes: what is promised; 0 is due at once.
        calendar: when the clock runs.

    Returns:
        UTC.  Minutes pass in UTC, so a change to summer time costs or gains nobody an hour.

    Raises:
        InvalidInput: no time zone, minutes below 0, or no opening within LOOKAHEAD_DAYS.

    Source: docs/domain/sla.md, "Business hours".
    """
    try:
        return _after(start, timedelta(minutes=business_minutes), calendar)
    except (OverflowError, ValueError) as error:  # beyond the last year that a date can name, or no number at all
        raise InvalidInput("That lies too far ahead.") from error


def _after(start: datetime, left: timedelta, calendar: Calendar) -> datetime:
    at = in_utc(start)
    if left < NOTHING:
        raise InvalidInput("A promise takes at least 0 minutes.")
    while left:
        reached = at
        for opens, closes in calendar.stretches(at, at + _LOOKAHEAD):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
            reached = closes
        if reached == at:
            raise InvalidInput(f"There is no opening within {LOOKAHEAD_DAYS} days.")
        at = reached
    return at


def business_minutes_between(start: datetime, end: datetime, calendar: Calendar) -> float:
    """How many business minutes lie between two instants; raise InvalidInput without a zone or when end is before."""
    return _business_time(start, end, calendar) / MINUTE


def _business_time(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    if in_utc(end) < in_utc(start):
        raise InvalidInput("The end lies before the start.")
    return sum((closes - opens for opens, closes in calendar.stretches(start, end)), NOTHING)


@dataclass(frozen=True)
class Terms:
    """What is promised: minutes above 0, counted by a calendar; None: calendar minutes, nights and holidays too."""

    minutes: int
    calendar: Calendar | None

    def __post_init__(self) -> None:
        if self.minutes <= 0:
            raise InvalidInput("A promise needs a target above 0 minutes.")

    @property
    def target(self) -> timedelta:
        return self.minutes * MINUTE

    def passed(self, start: datetime, end: datetime) -> timedelta:
        """How much of this clock's time lies between the two."""
        if self.calendar is None:
            return max(in_utc(end) - in_utc(start), NOTHING)
        return _business_time(start, end, self.calendar)

    def after(self, start: datetime, left: timedelta) -> datetime:
        """When ``left`` of this clock's time has passed."""
        return in_utc(start) + left if self.calendar is None else _after(start, left, self.calendar)


@dataclass(frozen=True)
class Clock:
    """One promise under way: ``used`` was counted until ``since``; from there it runs, unless it is paused.

    due: the deadline, once it was reached: nothing moves it any more.
    """

    started_at: datetime
    terms: Terms
    since: datetime
    used: timedelta = NOTHING
    paused: bool = False
    due: datetime | None = None

    @property
    def left(self) -> timedelta:
        """Of the target, at ``since``."""
        return max(self.terms.target - self.used, NOTHING)

    @property
    def deadline(self) -> datetime | None:
        """UTC, as things stand; None while it is paused, for nobody knows when it goes on."""
        if self.due is not None or self.paused:
            return self.due
        return self.terms.after(self.since, self.left)


def started(at: datetime, terms: Terms) -> Clock:
    return Clock(in_utc(at), terms, in_utc(at))


def paused(clock: Clock, at: datetime) -> Clock:
    """Its time stands still from now on."""
    return replace(_counted(clock, at), paused=True)


def resumed(clock: Clock, at: datetime) -> Clock:
    """It goes on with what was left; when nothing was, it is due now."""
    return replace(_counted(clock, at), paused=False)


def under(clock: Clock, at: datetime, terms: Terms) -> Clock:
    """Other terms from now on: what was used stays used, by the terms it was used under; a pause stays a pause."""
    return replace(_counted(clock, at), terms=terms)


def kept(clock: Clock, at: datetime) -> bool:
    """Whether what was promised happened in time; at the deadline itself is in time."""
    deadline = clock.deadline
    return deadline is None or in_utc(at) <= deadline


def _counted(clock: Clock, at: datetime) -> Clock:
    """The same clock, counted until now.  Events that are told out of order count from the later one."""
    now = max(in_utc(at), clock.since)
    deadline = clock.deadline
    if deadline is not None and deadline <= now:
        clock = replace(clock, due=deadline)
    if clock.paused:
        return replace(clock, since=now)
    return replace(clock, since=now, used=clock.used + clock.terms.passed(clock.since, now))
