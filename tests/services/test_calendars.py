"""Business hours are kept as they were typed, close on the holidays of their country, and are nobody's twice."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain import sla
from chalicelib.domain.business_hours import BusinessHours, Day, Standing, calendar_of, closings, standing, windows_said
from chalicelib.errors import Conflict, InvalidInput, NotFound
from chalicelib.services import calendars, holiday_tables
from chalicelib.services.calendars import CalendarForm
from chalicelib.store import calendars as kept
from chalicelib.store import directory
from tests.engine import Desk

pytestmark = pytest.mark.engine

OFFICE: Mapping[str, str] = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "9-12, 13:00-17:00")
FORM = CalendarForm("Office", "Europe/Berlin", OFFICE, "DE", "BY", (("2026-12-24", "Christmas  Eve"),))


def made(desk: Desk, form: CalendarForm = FORM, **values: Any) -> BusinessHours:
    return calendars.create(replace(form, **values), desk.actor("ada", role="admin"), desk.now)


def test_hours_are_kept_and_make_a_calendar(desk: Desk) -> None:
    hours = made(desk)
    assert kept.get(hours.id) == hours and kept.listing() == (hours,)
    assert (windows_said(hours, 0), windows_said(hours, 6)) == ("09:00-12:00, 13:00-17:00", "")
    wednesday = datetime(2026, 12, 23, 15, 30, tzinfo=UTC)
    due = sla.due_at(wednesday, 60, calendar_of(hours))
    assert due == datetime(2026, 12, 28, 8, 30, tzinfo=UTC)


def test_holidays_are_those_of_country_and_region(desk: Desk) -> None:
    hours = made(desk)
    assert Day("2026-01-06", "Epiphany") in hours.holidays
    assert Day("2026-01-06", "Epiphany") not in made(desk, name="Hamburg", region="HH").holidays
    assert {each.on[:4] for each in hours.holidays} == {"2026", "2027", "2028", "2029"}
    assert made(desk, name="No holidays", country="", region="").holidays == ()


def test_a_shop_may_open_on_a_holiday(desk: Desk) -> None:
    days = closings(made(desk, open_days=("2026-12-25",)))
    named = {on.isoformat(): name for on, name in days.items()}
    assert named["2026-12-24"] == "Christmas Eve" and "2026-12-25" not in named and "2026-12-26" in named


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": " "}, "name", "1 to 60"),
        ({"time_zone": "Europe"}, "time_zone", "Europe/Berlin"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "Europe/Berlin"),
        ({"weekly": {}}, "monday", "one day at least"),
        ({"weekly": {"friday": "nine to five"}}, "friday", "no window"),
        ({"weekly": {"friday": "22:00-06:00"}}, "friday", "22:00-24:00 here, and 00:00-06:00 on the next day"),
        ({"weekly": {"friday": "9-25"}}, "friday", "no 25:00"),
        ({"weekly": {"friday": "9:00-12:75"}}, "friday", "no 12:75"),
        ({"weekly": {"friday": "9-12, 11-13"}}, "friday", "09:00-12:00 and 11:00-13:00 overlap"),
        ({"weekly": {"friday": "1-2,3-4,5-6,7-8,9-10,11-12,13-14"}}, "friday", "at most 6"),
        ({"country": "XX"}, "country", "Choose a country"),
        ({"region": "XX"}, "region", "BY"),
        ({"country": "", "region": "BY"}, "region", "country first"),
        ({"closed_days": (("24.12.2026", "Christmas Eve"),)}, "closed_days", "2026-12-24"),
        ({"open_days": ("2026-02-30",)}, "open_days", "2026-12-24"),
        ({"open_days": tuple(f"{year}-01-01" for year in range(2000, 2300))}, "open_days", "at most 200"),
        ({"team_ids": ("gone",)}, "team_ids", "gone"),
        ({"inbox_ids": ("gone",)}, "inbox_ids", "gone"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(desk: Desk, values: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        made(desk, **values)
    assert list(refused.value.fields) == [field] and words in refused.value.fields[field]
    assert kept.listing() == ()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("17:00-24:00", "17:00-24:00"),
        ("22 - 0", "22:00-24:00"),
        ("13.30–17 ; 9 to 12", "09:00-12:00, 13:30-17:00"),
        ("00:00-24:00", "00:00-24:00"),
    ],
)
def test_windows_are_read_as_people_write_them(desk: Desk, typed: str, said: str) -> None:
    assert windows_said(made(desk, weekly={"sunday": typed}), 6) == said


def test_nobody_has_two_calendars(desk: Desk) -> None:
    desk.team("first"), desk.inbox()
    made(desk, team_ids=("first",), inbox_ids=("support",), for_others=True)
    with pytest.raises(InvalidInput) as refused:
        made(desk, team_ids=("first",), inbox_ids=("support",), for_others=True)
    assert sorted(refused.value.fields) == ["for_others", "inbox_ids", "name", "team_ids"]
    assert "Office" in refused.value.fields["team_ids"]


def test_a_team_that_is_gone_hinders_no_change(desk: Desk) -> None:
    admin = desk.actor("ada", role="admin")
    desk.team("first")
    hours = made(desk, team_ids=("first",))
    directory.delete_team("first")
    assert calendars.change(hours.id, replace(FORM, name="Shop", team_ids=("first",)), admin, desk.now).name == "Shop"


def test_a_change_is_told_in_the_audit(desk: Desk) -> None:
    admin = desk.actor("ada", role="admin")
    desk.team("first")
    hours = made(desk)
    form = replace(FORM, weekly={"monday": "9-12"}, team_ids=("first",), region="")
    calendars.change(hours.id, form, admin, desk.now, hours.version)
    calendars.delete(hours.id, admin, desk.now)
    told = [(each.what, each.detail) for each in directory.audit_entries(f"{desk.now:%Y-%m}")]
    assert ("Business hours added", "Office") in told and ("Business hours deleted", "Office") in told
    (changed,) = [detail for what, detail in told if what == "Business hours changed"]
    assert "→ Mon 09:00-12:00" in changed and "region: BY → none" in changed
    assert f"teams: none → {directory.team('first').name}" in changed


def test_two_who_change_the_same_hours_do_not_undo_one_another(desk: Desk) -> None:
    admin = desk.actor("ada", role="admin")
    hours = made(desk)
    calendars.change(hours.id, replace(FORM, name="Shop"), admin, desk.now, hours.version)
    with pytest.raises(Conflict):
        calendars.change(hours.id, replace(FORM, name="Other"), admin, desk.now, hours.version)
    assert kept.get(hours.id).name == "Shop"
    with pytest.raises(NotFound):
        calendars.delete("nobody", admin, desk.now)


def test_a_repeated_request_finds_what_the_first_one_made(desk: Desk) -> None:
    admin = desk.actor("ada", role="admin")
    first = calendars.create(FORM, admin, desk.now, "one request")
    assert calendars.create(FORM, admin, desk.now, "one request") == first
    assert kept.listing() == (first,)


def test_every_night_the_holidays_of_a_year_more_are_known(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    hours, plain = made(desk), made(desk, name="Plain", country="", region="")
    assert calendars.look_ahead(desk.now) == 0
    assert calendars.look_ahead(desk.now + timedelta(days=366)) == 1
    after = kept.get(hours.id)
    assert {each.on[:4] for each in after.holidays} == {"2027", "2028", "2029", "2030"}
    assert after.changed_at == desk.now + timedelta(days=366)
    assert replace(after, holidays=hours.holidays, version=hours.version, changed_at=hours.changed_at) == hours
    assert kept.get(plain.id) == plain

    def dropped(*_: object) -> None:
        raise InvalidInput("There is no table of this country.")

    monkeypatch.setattr(holiday_tables, "public_holidays", dropped)
    assert calendars.look_ahead(desk.now + timedelta(days=732)) == 0
    assert kept.get(hours.id) == after


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 11, 20, 9, tzinfo=UTC), Standing(True, datetime(2026, 11, 20, 11, tzinfo=UTC))),
        (datetime(2026, 11, 20, 16, tzinfo=UTC), Standing(False, datetime(2026, 11, 23, 8, tzinfo=UTC))),
        (datetime(2026, 11, 20, 11, tzinfo=UTC), Standing(False, datetime(2026, 11, 20, 12, tzinfo=UTC))),
    ],
)
def test_it_is_open_or_opens_next(desk: Desk, at: datetime, expected: Standing) -> None:
    assert standing(made(desk), at) == expected


def test_a_night_is_one_opening_and_some_never_change(desk: Desk) -> None:
    evening = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
    night = made(desk, weekly={"friday": "22-24", "saturday": "0-6"})
    assert standing(night, evening) == Standing(True, datetime(2026, 11, 21, 5, tzinfo=UTC))
    week = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "0-24")
    assert standing(made(desk, name="Always", weekly=week, country="", region=""), evening) == Standing(
        True, datetime(2026, 12, 23, 23, tzinfo=UTC)
    )
    always = made(desk, name="Ever", weekly=week, country="", region="", closed_days=())
    assert standing(always, evening) == Standing(True, None)
