"""Business hours: when a team, an inbox or the whole desk answers."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from chalicelib.domain.business_hours import (
    WEEKDAYS,
    BusinessHours,
    Day,
    Shift,
    day_on,
    shifts_of,
    what_counts,
    zone_named,
)
from chalicelib.domain.moments import random_id, whole_milliseconds
from chalicelib.domain.people import Actor
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.services import audit, holiday_tables
from chalicelib.store import calendars, clocks, directory
from chalicelib.store.transaction import Lost

MAX_NAME_CHARS = 60
MAX_DAYS = 200
MAX_CALENDARS = 200
YEARS_AHEAD = 3
"""How many years of holidays are kept beyond this one; every night puts off the end (``look_ahead``)."""
T = TypeVar("T")


@dataclass(frozen=True)
class CalendarForm:
    """As typed.  weekly: windows by the name of the weekday; closed_days: date and name."""

    name: str
    time_zone: str
    weekly: Mapping[str, str] = field(default_factory=dict)
    country: str = ""
    region: str = ""
    closed_days: tuple[tuple[str, str], ...] = ()
    open_days: tuple[str, ...] = ()
    team_ids: tuple[str, ...] = ()
    inbox_ids: tuple[str, ...] = ()
    for_others: bool = False


def create(form: CalendarForm, actor: Actor, at: datetime, seed: str | None = None) -> BusinessHours:
    """Raise InvalidInput with the sentence beside the field.  ``seed``: a repeated request finds what it made."""
    entropy = hashlib.sha256(seed.encode()).digest() if seed else secrets.token_bytes(7)
    calendar_id = random_id("ca", entropy[:7])
    others = calendars.listing()
    made_before = next((each for each in others if each.id == calendar_id), None)
    if made_before is not None:
        return made_before
    if len(others) >= MAX_CALENDARS:
        raise Conflict(f"There are {MAX_CALENDARS} calendars already. Delete one first.")
    made = _checked(form, BusinessHours(calendar_id, "", "", ()), others, at)
    try:
        made = _save(made, None, at)
    except Lost:
        return calendars.get(calendar_id)
    audit.record(actor, "Business hours added", made.name, at)
    return made


def change(
    calendar_id: str, form: CalendarForm, actor: Actor, at: datetime, version: int | None = None
) -> BusinessHours:
    """Raise Conflict when somebody changed it since ``version``."""
    before = calendars.get(calendar_id)
    if version is not None and before.version != version:
        raise _changed_meanwhile()
    after = _checked(form, before, [each for each in calendars.listing() if each.id != calendar_id], at)
    if after == before:
        return before
    try:
        after = _save(after, before, at)
    except Lost as error:
        raise _changed_meanwhile() from error
    said = audit.changes(_told(before), _told(after), TOLD)
    audit.record(actor, "Business hours changed", f"{after.name}: {said or 'public holidays'}", at)
    return after


def delete(calendar_id: str, actor: Actor, at: datetime) -> BusinessHours:
    hours = calendars.get(calendar_id)
    try:
        calendars.delete(hours, whole_milliseconds(at))
    except Lost as error:
        calendars.get(calendar_id)  # NotFound for whoever was not the first to delete it
        raise _changed_meanwhile() from error
    clocks.forget()
    audit.record(actor, "Business hours deleted", hours.name, at)
    return hours


def look_ahead(at: datetime) -> int:
    """Once a night: the holidays of the years ahead, as a newer table may say; how many calendars changed."""
    changed = 0
    for hours in calendars.listing():
        if not hours.country:
            continue
        try:
            found = _holidays(hours.country, hours.region, at)
        except InvalidInput:
            continue  # a table that a newer library dropped: what it said last goes on to hold
        if found != hours.holidays:
            try:
                _save(replace(hours, holidays=found), hours, at)
            except Lost:
                continue  # saved by somebody at this moment, holidays and all
            changed += 1
    return changed


def _save(hours: BusinessHours, before: BusinessHours | None, at: datetime) -> BusinessHours:
    """Clocks count by it from now on, and by what it was before until now."""
    at, replaced = whole_milliseconds(at), None
    if before is None:
        hours = replace(hours, changed_at=at)
    else:
        hours = replace(hours, version=before.version + 1)
        if what_counts(hours) != what_counts(before):
            hours, replaced = replace(hours, changed_at=at), calendars.Before(before, at)
    calendars.save(hours, replaced)
    clocks.forget()
    return hours


def _holidays(country: str, region: str, at: datetime) -> tuple[Day, ...]:
    return holiday_tables.public_holidays(country, region, range(at.year, at.year + YEARS_AHEAD + 1))


def _changed_meanwhile() -> Conflict:
    return Conflict("Somebody changed these business hours meanwhile. Look at them again.")


@dataclass(frozen=True)
class _Told:
    """What the audit says of a calendar: names instead of ids, times as people write them."""

    name: str
    time_zone: str
    windows: tuple[str, ...]
    country: str
    region: str
    closed_days: tuple[str, ...]
    open_days: tuple[str, ...]
    teams: tuple[str, ...]
    inboxes: tuple[str, ...]
    for_others: bool


TOLD = tuple(each.name for each in fields(_Told))


def _told(hours: BusinessHours) -> _Told:
    teams = {each.id: each.name for each in directory.teams()}
    inboxes = {each.id: each.name for each in directory.inboxes()}
    return _Told(
        hours.name,
        hours.time_zone,
        tuple(f"{WEEKDAYS[each.weekday][:3].capitalize()} {each.opens}-{each.closes}" for each in hours.shifts),
        hours.country,
        hours.region,
        tuple(each.on for each in hours.closed_days),
        hours.open_days,
        tuple(teams.get(each, each) for each in hours.team_ids),
        tuple(inboxes.get(each, each) for each in hours.inbox_ids),
        hours.for_others,
    )


# What is typed


def _checked(form: CalendarForm, before: BusinessHours, others: Sequence[BusinessHours], at: datetime) -> BusinessHours:
    faults: dict[str, str] = {}
    name = " ".join(form.name.split())
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable():
        faults["name"] = f"Enter a name of 1 to {MAX_NAME_CHARS} characters."
    elif any(each.name.lower() == name.lower() for each in others):
        faults["name"] = "There are business hours with this name already."
    zone = form.time_zone.strip()
    _caught(faults, "time_zone", partial(zone_named, zone), "Choose a zone of the list, like Europe/Berlin.")
    country, region = form.country.strip().upper(), form.region.strip()
    wanted = replace(
        before,
        name=name,
        time_zone=zone,
        shifts=_shifts(form.weekly, faults),
        country=country,
        region=region,
        holidays=_public_holidays(country, region, at, faults),
        closed_days=_closed_days(form.closed_days, faults),
        open_days=_open_days(form.open_days, faults),
        team_ids=tuple(dict.fromkeys(form.team_ids)),
        inbox_ids=tuple(dict.fromkeys(form.inbox_ids)),
        for_others=form.for_others,
    )
    faults |= _whose_faults(wanted, before, others)
    if faults:
        raise InvalidInput("The business hours were not saved.", faults)
    return wanted


def _caught(faults: dict[str, str], where: str, act: Callable[[], T], sentence: str = "") -> T | None:
    """What ``act`` answers; None when it refuses, and then the fault is noted."""
    try:
        return act()
    except InvalidInput as error:
        faults.setdefault(where, sentence or error.message)
        return None


def _shifts(weekly: Mapping[str, str], faults: dict[str, str]) -> tuple[Shift, ...]:
    found: list[Shift] = []
    for weekday, name in enumerate(WEEKDAYS):
        found += _caught(faults, name, partial(shifts_of, weekday, weekly.get(name, ""))) or ()
    if not found and not any(each in faults for each in WEEKDAYS):
        faults["monday"] = "Enter the hours of one day at least."
    return tuple(found)


def _public_holidays(country: str, region: str, at: datetime, faults: dict[str, str]) -> tuple[Day, ...]:
    if not country:
        if region:
            faults["region"] = "Choose the country first."
        return ()
    try:
        return _holidays(country, region, at)
    except InvalidInput as error:
        faults |= error.fields
        return ()


def _closed_days(typed: Iterable[tuple[str, str]], faults: dict[str, str]) -> tuple[Day, ...]:
    found = {}
    for on, name in typed:
        day = _caught(faults, "closed_days", partial(day_on, on))
        if day is not None:
            found[day] = Day(day, " ".join(name.split())[:MAX_NAME_CHARS])
    if len(found) > MAX_DAYS:
        faults["closed_days"] = f"Enter at most {MAX_DAYS} days."
    return tuple(found[each] for each in sorted(found))


def _open_days(typed: Iterable[str], faults: dict[str, str]) -> tuple[str, ...]:
    found = {day for on in typed if (day := _caught(faults, "open_days", partial(day_on, on)))}
    if len(found) > MAX_DAYS:
        faults["open_days"] = f"Enter at most {MAX_DAYS} days."
    return tuple(sorted(found))


def _whose_faults(wanted: BusinessHours, before: BusinessHours, others: Sequence[BusinessHours]) -> dict[str, str]:
    """Nobody has two calendars.  What is gone meanwhile may stay: it is nobody's."""
    faults = {}
    teams, inboxes = {each.id for each in directory.teams()}, {each.id for each in directory.inboxes()}
    if not teams.issuperset(set(wanted.team_ids) - set(before.team_ids)):
        faults["team_ids"] = "One of these teams is gone. Choose again."
    if not inboxes.issuperset(set(wanted.inbox_ids) - set(before.inbox_ids)):
        faults["inbox_ids"] = "One of these inboxes is gone. Choose again."
    for each in others:
        if not set(each.team_ids).isdisjoint(wanted.team_ids):
            faults["team_ids"] = f"One of these teams has the hours “{each.name}” already."
        if not set(each.inbox_ids).isdisjoint(wanted.inbox_ids):
            faults["inbox_ids"] = f"One of these inboxes has the hours “{each.name}” already."
        if each.for_others and wanted.for_others:
            faults["for_others"] = f"“{each.name}” holds for all others already."
    return faults
