"""By when somebody wants an answer: what is promised for a ticket, and how far its clock has come.

What changes with the ticket stands on the ticket (``Counted``); what changes with the settings is kept with them, as
they were and until when.  So no change of settings touches a ticket, and a deadline is the same whoever works it out
(docs/domain/sla.md, docs/adr/0013-deadlines-are-worked-out-on-read.md).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol

from chalicelib.domain.business_hours import BusinessHours, calendar_of
from chalicelib.domain.calendar import Calendar
from chalicelib.domain.sla import Clock, Terms, paused, resumed, under
from chalicelib.domain.sla_defaults import response_target
from chalicelib.domain.ticket import LIVE, Counted, Status, Ticket, wait_of
from chalicelib.errors import InvalidInput

MILLISECOND = timedelta(milliseconds=1)


class Waiting(Protocol):
    """What a deadline depends on, of a ticket as of its row in a list."""

    @property
    def status(self) -> Status: ...
    @property
    def inbox_id(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def team_id(self) -> str | None: ...
    @property
    def waiting_since(self) -> datetime | None: ...
    @property
    def first_wait(self) -> bool: ...
    @property
    def counted(self) -> Counted | None: ...


@dataclass(frozen=True)
class Hours:
    """Business hours as they are, or as they were until then."""

    kept: BusinessHours
    until: datetime | None = None

    @cached_property
    def calendar(self) -> Calendar:
        return calendar_of(self.kept)

    def hold(self, at: datetime) -> bool:
        began = self.kept.changed_at is None or self.kept.changed_at <= at
        return began and (self.until is None or at < self.until)


@dataclass(frozen=True)
class InForce:
    """Everything a deadline is worked out by, as it is and as it was."""

    hours: tuple[Hours, ...] = ()

    @cached_property
    def changes(self) -> tuple[datetime, ...]:
        """When anything of it changed."""
        moments = {moment for each in self.hours for moment in (each.kept.changed_at, each.until)}
        return tuple(sorted(moment for moment in moments if moment is not None))

    def hours_of(self, ticket: Waiting, at: datetime) -> Hours | None:
        """The team's, else the inbox's, else those for all others; None: nobody set any."""
        held = [each for each in self.hours if each.hold(at)]
        of_team = (each for each in held if ticket.team_id in each.kept.team_ids)
        of_inbox = (each for each in held if ticket.inbox_id in each.kept.inbox_ids)
        of_others = (each for each in held if each.kept.for_others)
        return next((each for each in (*of_team, *of_inbox, *of_others)), None)

    def terms(self, ticket: Waiting, at: datetime) -> Terms:
        """What is promised then.  Where nobody set business hours, every hour counts."""
        target = response_target(ticket.channel)
        hours = self.hours_of(ticket, at) if target.business else None
        return Terms(target.minutes, hours.calendar if hours else None)


def clock_of(ticket: Waiting, since: datetime, in_force: InForce, at: datetime) -> Clock:
    """The clock of a wait, counted through every change of the settings; raise InvalidInput where it never opens."""
    counted = ticket.counted if ticket.counted is not None and ticket.counted.started_at == since else None
    begins = counted.since if counted else since
    clock = Clock(
        since,
        in_force.terms(ticket, begins),
        begins,
        timedelta(milliseconds=counted.used_ms) if counted else timedelta(),
        paused=ticket.status == "pending",
        due=counted.due if counted else None,
    )
    for change in in_force.changes:
        if begins < change <= at:
            terms = in_force.terms(ticket, change)
            clock = clock if terms == clock.terms else under(clock, change, terms)
    return clock


@dataclass(frozen=True)
class Deadline:
    """By when to answer.  due None: the clock stands, for we wait for the customer.  hours: the calendar's name."""

    clock: Clock
    due: datetime | None
    late: bool
    hours: str = ""


def deadline_of(ticket: Waiting, in_force: InForce, at: datetime) -> Deadline | None:
    """None where nobody waits for us, or nobody ever opens."""
    if ticket.status not in LIVE or ticket.waiting_since is None:
        return None
    try:
        clock = clock_of(ticket, ticket.waiting_since, in_force, at)
        due = clock.deadline
    except InvalidInput:
        return None
    hours = in_force.hours_of(ticket, at) if clock.terms.calendar else None
    return Deadline(clock, due, due is not None and at > due, hours.kept.name if hours else "")


# What a ticket remembers


def counted(before: Ticket, after: Ticket, in_force: InForce, at: datetime) -> Counted | None:
    """How far the clock has come at a change of the ticket; it goes on from there under the terms that hold now."""
    since = wait_of(before)
    if since is None:
        return after.counted
    try:
        clock = clock_of(before, since, in_force, at)
        terms = in_force.terms(after, at)
        settled = not any(clock.started_at < change <= at for change in in_force.changes)
        if settled and terms == clock.terms and before.status == after.status:
            return after.counted  # it has always been as if the ticket had been as it is
        clock = under(clock, at, terms)
        clock = paused(clock, at) if after.status == "pending" else resumed(clock, at)
    except InvalidInput:
        return after.counted
    return Counted(since, clock.since, round(clock.used / MILLISECOND), clock.due)
