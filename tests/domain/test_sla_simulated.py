"""Ten thousand clocks, drawn at random, equal a simulation that counts minutes: split shifts, nights, holidays, pauses,
changed promises and calendars, and the nights on which clocks are changed."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

from chalicelib.domain import sla
from chalicelib.domain.calendar import Calendar
from tests.domain import sla_simulation as simulation
from tests.figures import CLOCKS

CASES = 10_000
SEED = 20
ZONES = tuple(
    map(
        ZoneInfo,
        (
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "America/Havana",  # falls back to midnight
            "America/Nuuk",  # springs from 23:00 to midnight
            "America/Santiago",
            "Atlantic/Azores",
            "Africa/Cairo",  # springs from midnight to 1:00
            "Africa/Casablanca",  # the other way round, in Ramadan
            "Antarctica/Troll",  # by two hours
            "Asia/Beirut",
            "Asia/Kathmandu",
            "Australia/Adelaide",
            "Australia/Lord_Howe",  # by half an hour
            "Pacific/Chatham",
        ),
    )
)
SPRING, AUTUMN = (date(2026, 2, 20), date(2026, 5, 20)), (date(2026, 8, 25), date(2026, 11, 30))
CHANGES_LATEST_DAY = 25
"""After the beginning of a case; behind it there is room for every deadline of the draw."""


Event = tuple[datetime, str, tuple[sla.Terms, simulation.Rule] | None]


class Drawn:
    """One case: the same promise for the program and for the simulation."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.begins, self.ends = chance.choice((SPRING, AUTUMN))
        self.zone = chance.choice(ZONES)
        changed = simulation.changed_days(simulation.wall(self.zone, self.begins, self.ends))
        first = datetime.combine(self.begins, time(), UTC) + timedelta(days=3)
        self.start = first + timedelta(seconds=chance.randrange(50 * 86_400))
        if changed and chance.random() < 0.7:
            noon = datetime.combine(chance.choice(changed), time(12), UTC)
            self.start = noon - timedelta(seconds=chance.randrange(86_400))
        self.terms, self.rule = self.draw_terms(self.zone)

    def draw_terms(self, zone: ZoneInfo) -> tuple[sla.Terms, simulation.Rule]:
        chance = self.chance
        minutes = chance.choice((1, 2, 30, 60, 240, 480, chance.randrange(1, 1200)))
        begins = simulation.minute_of(datetime.combine(self.begins, time(), UTC))
        if chance.random() < 0.1:
            return sla.Terms(minutes, None), simulation.Rule(minutes * 60, begins, None)
        weekly = {day: self.draw_windows() for day in range(7) if chance.random() < 0.8}
        weekly[chance.randrange(7)] = [(time(9), time(17))]
        holidays = {self.start.date() + timedelta(days=chance.randrange(20)) for _ in range(chance.randrange(4))}
        opened = simulation.open_minutes(simulation.wall(zone, self.begins, self.ends), weekly, holidays)
        return sla.Terms(minutes, Calendar(zone, weekly, holidays)), simulation.Rule(minutes * 60, begins, opened)

    def draw_windows(self) -> list[tuple[time, time]]:
        """A day, a split shift, the two halves of a night, or edges anywhere, most of them when clocks are changed."""
        chance = self.chance

        def at() -> time:
            hour = chance.choice((0, 1, 2, 3, 23)) if chance.random() < 0.6 else chance.randrange(24)
            return time(hour, chance.choice((0, 15, 30, 45, chance.randrange(60))))

        kind = chance.randrange(5)
        if kind == 0:
            return [(time(9), time(17, 30))]
        if kind == 1:
            return [(time(8), time(12)), (time(13), time(18))]
        if kind == 2:
            return [(time(22), time.max), (time(0), at())]
        first, second = sorted((at(), at()))
        return [(first, second), *([(second, time.max)] if chance.random() < 0.3 else [])]

    def draw_events(self) -> list[Event]:
        """Some of them at the very second at which the promise falls due."""
        chance = self.chance
        latest = chance.choice((3_600, 86_400, CHANGES_LATEST_DAY * 86_400))
        seconds = set(chance.sample(range(latest), chance.randrange(7)))
        due = simulation.deadline(int(self.start.timestamp()), self.rule, [])
        after = (due or 0) - int(self.start.timestamp())
        if after <= latest and chance.random() < 0.3:
            seconds.add(after)
        found: list[Event] = []
        for each in sorted(seconds):
            what = chance.choice(("pause", "resume", "change"))
            changed = self.draw_terms(chance.choice((self.zone, *ZONES))) if what == "change" else None
            found.append((self.start + timedelta(seconds=each), what, changed))
        if seconds and chance.random() < 0.9:
            found.append((self.start + timedelta(seconds=max(seconds) + 1), "resume", None))
        return found


def test_every_deadline_equals_the_simulation(record_property: Callable[[str, object], None]) -> None:
    chance = random.Random(SEED)
    wrong, spent, calls = [], 0.0, 0
    for number in range(CASES):
        case = Drawn(chance)
        events = case.draw_events() if number % 2 else []
        began = perf_counter()
        ours = _played(case, events)
        if not events:
            spent, calls = spent + perf_counter() - began, calls + 1
        theirs = simulation.deadline(
            int(case.start.timestamp()),
            case.rule,
            [(int(at.timestamp()), what, changed[1] if changed else None) for at, what, changed in events],
        )
        if (int(ours.timestamp()) if ours else None) != theirs:
            wrong.append((number, case.start, case.terms, events, ours, theirs))
    record_property(
        CLOCKS, {"cases": CASES, "differences": len(wrong), "microseconds": round(spent / calls * 1_000_000)}
    )
    assert not wrong, wrong[0]


def _played(case: Drawn, events: list[Event]) -> datetime | None:
    clock = sla.started(case.start, case.terms)
    for at, what, changed in events:
        if changed is not None:
            clock = sla.under(clock, at, changed[0])
        else:
            clock = sla.paused(clock, at) if what == "pause" else sla.resumed(clock, at)
    return clock.deadline


def test_what_lies_between_two_instants_equals_the_simulation() -> None:
    chance = random.Random(SEED + 1)
    for _ in range(1_000):
        case = Drawn(chance)
        calendar = case.terms.calendar
        if calendar is None:
            continue
        end = case.start + timedelta(seconds=chance.randrange(9 * 86_400))
        ours = sla.business_minutes_between(case.start, end, calendar)
        assert round(ours * 60, 6) == simulation.seconds_between(
            int(case.start.timestamp()), int(end.timestamp()), case.rule
        )


def test_a_deadline_lies_as_far_ahead_as_was_promised() -> None:
    chance = random.Random(SEED + 2)
    for _ in range(1_000):
        case = Drawn(chance)
        if case.terms.calendar is None:
            continue
        due = sla.due_at(case.start, case.terms.minutes, case.terms.calendar)
        assert sla.business_minutes_between(case.start, due, case.terms.calendar) == case.terms.minutes
