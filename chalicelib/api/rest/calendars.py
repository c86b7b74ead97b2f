"""/calendars: business hours, by which promises are counted."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest.render import when
from chalicelib.api.rest.shapes import ID
from chalicelib.api.schema import (
    Choice,
    Flag,
    Json,
    ListOf,
    MapOf,
    Moment,
    Nullable,
    Number,
    Record,
    Shape,
    Text,
    Words,
    page_of,
)
from chalicelib.domain.business_hours import WEEKDAYS, BusinessHours, standing, windows_said
from chalicelib.errors import InvalidInput
from chalicelib.services import calendars
from chalicelib.services.calendars import MAX_DAYS, MAX_NAME_CHARS, CalendarForm
from chalicelib.store import calendars as kept

TAG = "Business hours"
WEEKLY = "Windows like `09:00-12:00, 13:00-17:00` in the zone's own time; to midnight is 24:00."
WHOSE = "No team and no inbox has two calendars."
DATE = Text(
    "As yyyy-mm-dd.",
    pattern="[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    hint="Write it like 2026-12-24.",
    example="2026-12-24",
)

DAY = Record("ClosedDay", {"on": Words("As yyyy-mm-dd."), "name": Words("May be empty.")})
CALENDAR = Record(
    "Calendar",
    {
        "id": ID,
        "name": Words(),
        "time_zone": Words("Like `Europe/Berlin`."),
        "weekly": MapOf(Words(WEEKLY), Choice(WEEKDAYS), about="Weekdays without a window are left out."),
        "country": Nullable(Words("Whose public holidays close it, as ISO 3166; null: none.")),
        "region": Nullable(Words("Code of the region; null: the whole country.")),
        "holidays": ListOf(DAY, about="Of country and region, this year and three more."),
        "closed_days": ListOf(DAY, about="Closed besides."),
        "open_days": ListOf(Words(), about="Open although a holiday, as yyyy-mm-dd."),
        "team_ids": ListOf(Words(), about=WHOSE),
        "inbox_ids": ListOf(Words(), about=WHOSE),
        "for_others": Flag("Holds for every team and inbox that no calendar names."),
        "open": Flag("Whether it is open at the moment."),
        "changes_at": Nullable(Moment("When it closes or opens next; null: not within 370 days.")),
        "version": Number(1, about="Give it with a PATCH to be refused when somebody else was quicker."),
    },
)
NEW_DAY = Record("NewClosedDay", {"on": DATE}, {"name": Text(max_chars=MAX_NAME_CHARS)})
NAMED: dict[str, Shape] = {
    "name": Text("What people call it, say “Office”.", max_chars=MAX_NAME_CHARS, blank=False),
    "time_zone": Text("Like `Europe/Berlin`.", max_chars=60, blank=False),
    "weekly": MapOf(Text(WEEKLY, max_chars=200), Choice(WEEKDAYS), about="By weekday; it replaces what there was."),
}
BESIDES: dict[str, Shape] = {
    "country": Nullable(
        Text(
            "Close on the public holidays of, as ISO 3166.", pattern="[A-Z]{2}", hint="Write it like DE.", example="DE"
        )
    ),
    "region": Nullable(Text("Code of the region: `BY`.", max_chars=40)),
    "closed_days": ListOf(NEW_DAY, MAX_DAYS, about="Closed besides."),
    "open_days": ListOf(DATE, MAX_DAYS, about="Open although a holiday."),
    "team_ids": ListOf(Text(max_chars=64), MAX_DAYS, about=WHOSE),
    "inbox_ids": ListOf(Text(max_chars=64), MAX_DAYS, about=WHOSE),
    "for_others": Flag("Holds for every team and inbox that no calendar names."),
}
NEW_CALENDAR = Record(
    "NewCalendar",
    NAMED,
    BESIDES,
    example={"name": "Office", "time_zone": "Europe/Berlin", "weekly": {"monday": "09:00-17:00"}, "country": "DE"},
)
CHANGED_CALENDAR = Record(
    "CalendarChange",
    {},
    {**NAMED, **BESIDES, "version": Number(1, about="As you read it: 409 if it changed since.")},
    some=True,
)


@operation(Operation("list_calendars", "List business hours", TAG, "tickets.read", page_of(CALENDAR)))
def list_calendars(call: Call) -> Json:
    return {"items": [_whole(each, call) for each in kept.listing()], "next": None}


@operation(Operation("get_calendar", "Read business hours", TAG, "tickets.read", CALENDAR))
def get_calendar(call: Call, calendar_id: str) -> Json:
    return _whole(kept.get(calendar_id), call)


@operation(
    Operation("create_calendar", "Add business hours", TAG, "calendars.manage", CALENDAR, 201, NEW_CALENDAR)
)  # fmt: skip
def create_calendar(call: Call) -> Json:
    return _whole(_checked(lambda: calendars.create(_form(call.body), call.bot, call.at, call.seed)), call)


@operation(
    Operation(
        "change_calendar",
        "Change business hours",
        TAG,
        "calendars.manage",
        CALENDAR,
        body=CHANGED_CALENDAR,
        errors=(409,),
        about="What is left out stays.",
    )
)
def change_calendar(call: Call, calendar_id: str) -> Json:
    given, version = {**_given(kept.get(calendar_id)), **call.body}, call.body.get("version")
    changed = _checked(lambda: calendars.change(calendar_id, _form(given), call.bot, call.at, version))
    return _whole(changed, call)


@operation(
    Operation(
        "delete_calendar",
        "Delete business hours",
        TAG,
        "calendars.manage",
        CALENDAR,
        about="Answers them as they were.",
    )
)
def delete_calendar(call: Call, calendar_id: str) -> Json:
    return _whole(calendars.delete(calendar_id, call.bot, call.at), call)


def _form(given: Mapping[str, Any]) -> CalendarForm:
    return CalendarForm(
        given["name"],
        given["time_zone"],
        given["weekly"],
        given.get("country") or "",
        given.get("region") or "",
        tuple((each["on"], each.get("name", "")) for each in given.get("closed_days", ())),
        tuple(given.get("open_days", ())),
        tuple(given.get("team_ids", ())),
        tuple(given.get("inbox_ids", ())),
        given.get("for_others", False),
    )


def _given(hours: BusinessHours) -> Json:
    return {
        "name": hours.name,
        "time_zone": hours.time_zone,
        "weekly": {name: said for weekday, name in enumerate(WEEKDAYS) if (said := windows_said(hours, weekday))},
        "country": hours.country or None,
        "region": hours.region or None,
        "closed_days": [{"on": each.on, "name": each.name} for each in hours.closed_days],
        "open_days": list(hours.open_days),
        "team_ids": list(hours.team_ids),
        "inbox_ids": list(hours.inbox_ids),
        "for_others": hours.for_others,
    }


def _checked(act: Callable[[], BusinessHours]) -> BusinessHours:
    """The service names the weekdays flat, as the console's form has them."""
    try:
        return act()
    except InvalidInput as error:
        found = {f"weekly.{name}" if name in WEEKDAYS else name: said for name, said in error.fields.items()}
        raise InvalidInput(error.message, found) from error


def _whole(hours: BusinessHours, call: Call) -> Json:
    now = standing(hours, call.at)
    return {
        "id": hours.id,
        **_given(hours),
        "holidays": [{"on": each.on, "name": each.name} for each in hours.holidays],
        "open": now.open,
        "changes_at": when(now.until) if now.until else None,
        "version": hours.version,
    }
