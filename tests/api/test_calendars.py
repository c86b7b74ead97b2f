"""/calendars."""

from typing import Any

import pytest

from chalicelib.store import calendars as kept
from tests.api.client import Api

OFFICE = {"name": "Office", "time_zone": "Europe/Berlin", "weekly": {"monday": "9-12, 13-17", "friday": "9-15"}}


def test_a_calendar_is_made_read_changed_and_deleted(api: Api) -> None:
    api.desk.team("first")
    values = {"country": "DE", "region": "BY", "team_ids": ["first"], "for_others": True}
    days = {"closed_days": [{"on": "2026-12-24", "name": "Christmas Eve"}], "open_days": ["2026-12-26"]}
    made = api.post("/calendars", OFFICE | values | days)
    assert made.status == 201, made.text
    assert {name: made.json[name] for name in values | days} == values | days
    assert made.json["weekly"] == {"monday": "09:00-12:00, 13:00-17:00", "friday": "09:00-15:00"}
    assert {"on": "2026-12-25", "name": "Christmas Day"} in made.json["holidays"]
    assert (made.json["open"], made.json["changes_at"]) == (True, "2026-11-20T14:00:00.000Z")
    where = f"/calendars/{made.json['id']}"
    assert api.get(where).json == made.json and api.get("/calendars").json["items"] == [made.json]
    changed = api.patch(where, {"time_zone": "America/New_York", "region": None, "version": 1})
    assert (changed.status, changed.json["version"], changed.json["region"]) == (200, 2, None)
    assert changed.json["weekly"] == made.json["weekly"] and changed.json["country"] == "DE"
    assert (changed.json["open"], changed.json["changes_at"]) == (False, "2026-11-20T14:00:00.000Z")
    assert api.patch(where, {"name": "Shop", "version": 1}).status == 409
    assert api.call("DELETE", where).json == changed.json
    assert api.get(where).status == 404 and api.get("/calendars").json["items"] == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"time_zone": "Nowhere"}, "time_zone"),
        ({"weekly": {"monday": "5-4"}}, "weekly.monday"),
        ({"weekly": {"someday": "9-17"}}, "weekly.someday"),
        ({"country": "XX"}, "country"),
        ({"country": "DE", "region": "XX"}, "region"),
        ({"closed_days": [{"on": "tomorrow"}]}, "closed_days.0.on"),
        ({"closed_days": [{"on": "2026-02-30"}]}, "closed_days"),
        ({"country": "Germany"}, "country"),
        ({"team_ids": ["gone"]}, "team_ids"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_said_by_field_and_nothing_is_written(api: Api, values: dict[str, Any], field: str) -> None:
    answer = api.post("/calendars", OFFICE | values)
    assert (answer.status, list(answer.json["fields"])) == (422, [field])
    assert kept.listing() == ()


def test_a_request_sent_twice_makes_one_calendar(api: Api) -> None:
    answers = [api.post("/calendars", OFFICE, "office-1") for _ in range(2)]
    assert answers[0].json == answers[1].json and len(kept.listing()) == 1
