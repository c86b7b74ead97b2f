"""/settings/calendars: business hours, whose they are, and the holidays that come next."""

import secrets
from datetime import date
from typing import Any

from chalice.app import Response

from chalicelib.api.console.settings_pages import FINE, Refusal, refusal_of, show
from chalicelib.api.web import Form, Visit
from chalicelib.domain.business_hours import WEEKDAYS, BusinessHours, closings, standing, windows_said, zone_named
from chalicelib.errors import DeskbellError, InvalidInput, NotFound
from chalicelib.services import calendars, holiday_tables
from chalicelib.services.calendars import CalendarForm
from chalicelib.store import calendars as kept
from chalicelib.store import directory

CALENDARS = "/settings/calendars"
NEXT = 12
"""Days that are closed, shown beside the form."""


def list_calendars(visit: Visit) -> Response:
    found = kept.listing()
    return show(
        visit,
        "settings/calendars.html",
        CALENDARS,
        calendars=found,
        whose={each.id: _whose(each) for each in found},
        standing={each.id: standing(each, visit.at) for each in found},
        windows={each.id: _windows(each) for each in found},
    )


def show_new(visit: Visit) -> Response:
    office = {each: ["09:00-17:00"] for each in WEEKDAYS[:5]}
    typed: dict[str, list[str]] = {"time_zone": [visit.agent.time_zone], **office}
    return _edit_page(visit, None, Form(typed | ({} if kept.listing() else {"for_others": ["1"]})), FINE)


def create(visit: Visit) -> Response:
    try:
        calendars.create(_wanted(visit.form), visit.actor, visit.at, visit.form.value("seed") or None)
    except DeskbellError as error:
        return _edit_page(visit, None, visit.form, refusal_of(error))
    return visit.go(CALENDARS, done="saved")


def show_calendar(visit: Visit, calendar_id: str) -> Response:
    hours = kept.get(calendar_id)
    return _edit_page(visit, hours, _form_of(hours), FINE)


def save(visit: Visit, calendar_id: str) -> Response:
    version = visit.form.value("version")
    seen = int(version) if version.isdecimal() and len(version) < 9 else None
    try:
        calendars.change(calendar_id, _wanted(visit.form), visit.actor, visit.at, seen)
    except NotFound:
        raise
    except DeskbellError as error:
        return _edit_page(visit, kept.get(calendar_id), visit.form, refusal_of(error))
    return visit.go(f"{CALENDARS}/{calendar_id}", done="saved")


def delete(visit: Visit, calendar_id: str) -> Response:
    calendars.delete(calendar_id, visit.actor, visit.at)
    return visit.go(CALENDARS, done="deleted")


def _edit_page(visit: Visit, hours: BusinessHours | None, form: Form, refusal: Refusal) -> Response:
    from zoneinfo import available_timezones

    return show(
        visit,
        "settings/calendar.html",
        CALENDARS,
        refusal,
        hours=hours,
        form=form,
        weekdays=[(each, each.capitalize()) for each in WEEKDAYS],
        zones=sorted(available_timezones()),
        countries=[("", "No country"), *holiday_tables.countries()],
        regions=_regions(form.value("country")),
        teams=directory.teams(),
        inboxes=directory.inboxes(),
        next_closings=_next_closings(hours, visit) if hours else [],
        seed=form.value("seed") or secrets.token_urlsafe(12),
    )


def _regions(country: str) -> list[tuple[str, str]]:
    try:
        return [("", "The whole country"), *holiday_tables.regions(country)] if country else []
    except InvalidInput:
        return []


def _next_closings(hours: BusinessHours, visit: Visit) -> list[tuple[date, str]]:
    today = visit.at.astimezone(zone_named(hours.time_zone)).date()
    return [(on, name) for on, name in closings(hours).items() if on >= today][:NEXT]


def _windows(hours: BusinessHours) -> list[tuple[str, str]]:
    """Each weekday that is open, with its windows."""
    said = ((name[:3].capitalize(), windows_said(hours, weekday)) for weekday, name in enumerate(WEEKDAYS))
    return [(name, windows) for name, windows in said if windows]


def _whose(hours: BusinessHours) -> str:
    names = [each.name for each in directory.teams() if each.id in hours.team_ids]
    names += [each.name for each in directory.inboxes() if each.id in hours.inbox_ids]
    return ", ".join([*names, *(["all others"] if hours.for_others else [])]) or "nobody yet"


# Forms


def _wanted(form: Form) -> CalendarForm:
    """Closed days are lines of a date and a name, open days dates apart from one another."""
    lines = [line.strip() for line in form.value("closed_days").splitlines() if line.strip()]
    return CalendarForm(
        form.value("name"),
        form.value("time_zone"),
        {each: form.value(each) for each in WEEKDAYS},
        form.value("country"),
        form.value("region") if form.value("country") else "",
        tuple((line.partition(" ")[0], line.partition(" ")[2]) for line in lines),
        tuple(form.value("open_days").replace(",", " ").split()),
        form.values("team_ids"),
        form.values("inbox_ids"),
        form.has("for_others"),
    )


def _form_of(hours: BusinessHours) -> Form:
    fields: dict[str, Any] = {
        "name": [hours.name],
        "time_zone": [hours.time_zone],
        "country": [hours.country],
        "region": [hours.region],
        "closed_days": ["\n".join(f"{each.on} {each.name}".strip() for each in hours.closed_days)],
        "open_days": [", ".join(hours.open_days)],
        "team_ids": list(hours.team_ids),
        "inbox_ids": list(hours.inbox_ids),
        "version": [str(hours.version)],
    }
    fields |= {name: [windows_said(hours, weekday)] for weekday, name in enumerate(WEEKDAYS)}
    return Form(fields | ({"for_others": ["1"]} if hours.for_others else {}))
