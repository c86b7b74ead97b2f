"""A ticket's deadline through everything that may happen to it and to the settings equals one that counts minutes."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.business_hours import BusinessHours, Day, Shift, as_it_was, closings, shifts_of
from chalicelib.domain.promises import Hours, InForce, counted, deadline_of
from chalicelib.domain.ticket import SetAside, Ticket, is_counted_anew
from tests.builders import NOON, a_ticket
from tests.domain import sla_simulation as simulation

CASES = 400
WEEKDAYS = range(5)
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
BEGINS, ENDS = date(2026, 10, 1), date(2027, 2, 20)
TEAMS = ("first", "second", None)


def office(name: str = "Office", zone: str = BERLIN, windows: str = "9-17", **values: object) -> BusinessHours:
    shifts: list[Shift] = [shift for day in WEEKDAYS for shift in shifts_of(day, windows)]
    return replace(BusinessHours(name.lower(), name, zone, tuple(shifts), for_others=True), **values)  # type: ignore[arg-type]  # by name


def after(before: Ticket, in_force: InForce, at: datetime, **values: object) -> Ticket:
    """The ticket after a change, as the store keeps it."""
    changed = replace(before, **values)  # type: ignore[arg-type]  # by name
    return (
        replace(changed, counted=counted(before, changed, in_force, at))
        if is_counted_anew(before, changed)
        else changed
    )


def due(ticket: Ticket, in_force: InForce, at: datetime = NOON) -> datetime | None:
    found = deadline_of(ticket, in_force, at)
    return found.due if found else None


def test_a_letter_is_answered_within_an_hour_of_business() -> None:
    friday_late = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)  # 16:30 in Berlin
    found = deadline_of(a_ticket(waiting_since=friday_late), InForce((Hours(office()),)), friday_late)
    assert found is not None
    assert (found.due, found.late, found.hours) == (datetime(2026, 11, 23, 8, 30, tzinfo=UTC), False, "Office")


def test_at_the_deadline_itself_nobody_is_late() -> None:
    ticket = a_ticket(waiting_since=NOON)
    then = NOON + timedelta(hours=1)
    on_time, late = (deadline_of(ticket, InForce(), at) for at in (then, then + timedelta(milliseconds=1)))
    assert on_time and late and (on_time.late, late.late) == (False, True)


@pytest.mark.parametrize(
    ("channel", "minutes"), [("email", 60), ("telegram", 2), ("livechat", 2), ("reviews", 720), ("amazon", 1_440)]
)
def test_every_channel_has_its_promise(channel: str, minutes: int) -> None:
    assert due(a_ticket(channel=channel), InForce()) == NOON + timedelta(minutes=minutes)


def test_amazon_counts_the_weekend() -> None:
    closed = InForce((Hours(office(windows="9-10")),))
    assert due(a_ticket(channel="amazon"), closed) == NOON + timedelta(hours=24)
    assert due(a_ticket(channel="reviews"), closed) == datetime(2026, 12, 8, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", ["spam", "trash", "resolved", "closed"])
def test_what_is_put_away_has_no_deadline(status: str) -> None:
    assert deadline_of(a_ticket(status=status), InForce(), NOON) is None


def test_nobody_waits_where_all_was_answered_or_written_by_a_machine() -> None:
    assert deadline_of(a_ticket(waiting_since=None), InForce(), NOON) is None


def test_who_never_opens_promises_nothing() -> None:
    days = tuple(Day(f"{date(2026, 11, 16) + timedelta(days=n)}") for n in range(400))
    assert deadline_of(a_ticket(), InForce((Hours(office(closed_days=days)),)), NOON) is None


def test_the_teams_hours_come_before_the_inboxs_and_those_before_everybodys() -> None:
    everybodys = office("Everybody")
    inboxs = office("Inbox", for_others=False, inbox_ids=("support",))
    teams = office("Team", for_others=False, team_ids=("first",))
    in_force = InForce((Hours(everybodys), Hours(inboxs), Hours(teams)))

    def name(ticket: Ticket) -> str:
        hours = in_force.hours_of(ticket, NOON)
        return hours.kept.name if hours else ""

    assert name(a_ticket(team_id="first")) == "Team"
    assert name(a_ticket(team_id="second")) == "Inbox"
    assert name(a_ticket(inbox_id="shop")) == "Everybody"


def test_pending_stops_the_clock_and_it_goes_on_with_what_was_left() -> None:
    ticket = after(a_ticket(), InForce(), NOON + timedelta(minutes=15), status="pending")
    stands = deadline_of(ticket, InForce(), NOON + timedelta(days=3))
    assert stands is not None and stands.due is None and not stands.late and stands.clock.left == timedelta(minutes=45)
    on = NOON + timedelta(days=2)
    assert due(after(ticket, InForce(), on, status="open"), InForce(), on) == on + timedelta(minutes=45)


def test_a_deadline_that_came_is_moved_by_nothing() -> None:
    ticket = after(a_ticket(), InForce(), NOON + timedelta(hours=2), status="pending")
    ticket = after(ticket, InForce(), NOON + timedelta(hours=9), status="open", team_id="second")
    found = deadline_of(ticket, InForce(), NOON + timedelta(hours=9))
    assert found is not None and (found.due, found.late) == (NOON + timedelta(hours=1), True)


def test_a_ticket_brought_back_waits_since_it_waited() -> None:
    resolved = a_ticket(status="resolved", waiting_since=None, set_aside=SetAside(NOON))
    back = after(resolved, InForce(), NOON + timedelta(days=1), status="open", waiting_since=NOON, set_aside=None)
    assert due(back, InForce(), NOON + timedelta(days=1)) == NOON + timedelta(hours=1)


def test_what_was_counted_of_an_answered_wait_says_nothing_of_the_next_but_stands_when_the_answer_is_taken_back() -> (
    None
):
    ticket = after(a_ticket(), InForce(), NOON + timedelta(minutes=15), status="pending")
    ticket = after(ticket, InForce(), NOON + timedelta(minutes=20), status="open")
    answered = after(ticket, InForce(), NOON + timedelta(minutes=25), waiting_since=None)
    anew = replace(answered, waiting_since=NOON + timedelta(days=1))
    assert due(anew, InForce(), NOON + timedelta(days=1)) == NOON + timedelta(days=1, hours=1)
    assert due(replace(answered, waiting_since=NOON), InForce()) == NOON + timedelta(minutes=65)


def test_a_change_that_changes_nothing_of_the_clock_leaves_nothing_on_the_ticket() -> None:
    for values in ({"team_id": "second"}, {"assignee_id": "ben"}, {"subject": "Other"}, {"priority": "high"}):
        assert after(a_ticket(), InForce((Hours(office()),)), NOON + timedelta(minutes=5), **values).counted is None


def test_a_calendar_as_it_was_keeps_the_closed_days_that_may_count() -> None:
    days = tuple(Day(f"2026-{month:02}-10", "Closed") for month in range(1, 13))
    hours = office(closed_days=days, open_days=("2026-10-10",), changed_at=datetime(2026, 10, 12, tzinfo=UTC))
    kept = as_it_was(hours, datetime(2026, 11, 9, tzinfo=UTC))
    assert [on.isoformat() for on in closings(kept)] == ["2026-11-10"]


# At random, beside a simulation that counts


class Drawn:
    """A ticket and settings that change under it, minute by minute on a wall and as the desk keeps them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = datetime(2026, 10, 20, tzinfo=UTC) + timedelta(seconds=self.chance.randrange(8 * 86_400))
        self.hours: list[Hours] = []
        for team in TEAMS:
            if self.chance.random() < 0.7:
                self.hours.append(Hours(self.draw(team)))
        channel = self.chance.choice(("email", "reviews", "telegram", "amazon"))
        self.ticket = a_ticket(
            channel=channel, team_id=self.chance.choice(TEAMS), created_at=self.now, waiting_since=self.now
        )
        self.start, self.first = self.now, self.rule()
        self.events: list[simulation.Event] = []

    def draw(self, team: str | None, changed_at: datetime | None = None) -> BusinessHours:
        windows = self.chance.choice(("9-17", "8-12, 13-18", "0-6, 22-24", "10:30-11:15"))
        closed = tuple(Day(f"2026-10-{day}") for day in self.chance.sample(range(20, 32), 3))
        whose = {"team_ids": (team,), "for_others": False} if team else {}
        zone = self.chance.choice((BERLIN, NEW_YORK))
        return office(f"Of {team}", zone, windows, closed_days=closed, changed_at=changed_at, **whose)

    def rule(self) -> simulation.Rule:
        now = {
            None if each.kept.for_others else each.kept.team_ids[0]: each.kept for each in self.hours if not each.until
        }
        found = now.get(self.ticket.team_id, now.get(None))
        seconds = {"email": 60, "reviews": 720, "telegram": 2, "amazon": 1_440}[self.ticket.channel] * 60
        if found is None or self.ticket.channel == "amazon":
            return simulation.Rule(seconds, 0, None)
        walls = simulation.wall(ZoneInfo(found.time_zone), BEGINS, ENDS)
        weekly: dict[int, list[tuple[time, time]]] = {}
        for each in found.shifts:
            end = time.max if each.closes == "24:00" else time.fromisoformat(each.closes)
            weekly.setdefault(each.weekday, []).append((time.fromisoformat(each.opens), end))
        opened = simulation.open_minutes(walls, weekly, {date.fromisoformat(each.on) for each in found.closed_days})
        return simulation.Rule(seconds, walls.begins, opened)

    def happens(self) -> None:
        self.now += timedelta(seconds=self.chance.choice((600, 1_800, 7_200, 86_400)) + self.chance.randrange(600))
        what = self.chance.choice(("pending", "team", "settings", "settings"))
        at, second = self.now, int(self.now.timestamp())
        if what == "pending":
            status = "open" if self.ticket.status == "pending" else "pending"
            self.ticket = after(self.ticket, InForce(tuple(self.hours)), at, status=status)
            self.events.append((second, "pause" if status == "pending" else "resume", None))
            return
        if what == "team":
            team = self.chance.choice(TEAMS)
            self.ticket = after(self.ticket, InForce(tuple(self.hours)), at, team_id=team)
        else:
            self.changes_hours(self.chance.choice(TEAMS), at)
        self.events.append((second, "change", self.rule()))

    def changes_hours(self, team: str | None, at: datetime) -> None:
        held = next((n for n, each in enumerate(self.hours) if not each.until and each.kept.name == f"Of {team}"), None)
        if held is not None:
            was = self.hours.pop(held)
            self.hours.append(Hours(as_it_was(was.kept, at), at))
        if held is None or self.chance.random() < 0.7:
            self.hours.append(Hours(self.draw(team, at)))


@pytest.mark.parametrize("part", range(4))
def test_deadlines_equal_a_simulation_that_counts_minutes(part: int) -> None:
    wrong, late, moved = [], 0, 0
    for seed in range(part * CASES // 4, (part + 1) * CASES // 4):
        case = Drawn(seed)
        for _ in range(case.chance.randrange(6)):
            case.happens()
        expected = simulation.deadline(int(case.start.timestamp()), case.first, case.events)
        found = due(case.ticket, InForce(tuple(case.hours)), case.now)
        if (None if expected is None else datetime.fromtimestamp(expected, UTC)) != found:
            wrong.append((seed, found, expected))
        late += found is not None and found < case.now
        moved += case.ticket.counted is not None
    assert not wrong
    assert late > 10 and moved > 10, "the draw has deadlines that came, and clocks that were counted anew"
