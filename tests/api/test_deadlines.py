"""By when to answer, as the API tells it; and that it is right whoever changes what meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.services import calendars, change_ticket, reply_to_ticket, take_back
from chalicelib.services.calendars import CalendarForm
from chalicelib.services.change_ticket import Changes
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import calendars as kept
from chalicelib.store import clocks, tickets
from tests.api.client import Api

DAY = {"friday": "9-17"}
"""The desk's day is a Friday; it begins at 9:00 UTC."""


def hours(api: Api, name: str = "Office", zone: str = "UTC", weekly: dict[str, str] | None = None, **whose: Any) -> str:
    form = CalendarForm(name, zone, weekly or DAY, **whose or {"for_others": True})
    return calendars.create(form, api.desk.actor("ada", role="admin"), api.desk.now).id


def promised(api: Api, ticket: str) -> tuple[str | None, bool]:
    """What the ticket and its row say: the same."""
    whole = api.get(f"/tickets/{ticket}").json
    rows = [each for each in api.get("/tickets", fields="row").json["items"] if each["id"] == ticket]
    assert [(each["answer_by"], each["late"]) for each in rows] in ([], [(whole["answer_by"], whole["late"])])
    return whole["answer_by"] and whole["answer_by"][11:16], whole["late"]


def changes(api: Api, ticket: str, **values: Any) -> None:
    change_ticket.change(ticket, api.desk.actor("ada", role="admin"), Changes(**values), api.desk.now)


def test_a_ticket_that_waits_says_by_when_and_why(api: Api) -> None:
    hours(api)
    made = api.ticket()
    assert (made["answer_by"], made["late"]) == ("2026-11-20T10:00:00.000Z", False)
    assert made["deadline_explained"].startswith("Due Fri 20 Nov 2026, 10:00 (UTC). Promised: 1 h of business hours")
    api.desk.advance(minutes=61)
    assert promised(api, made["id"]) == ("10:00", True)


@pytest.mark.parametrize("status", ["spam", "trash", "resolved"])
def test_what_is_put_away_is_due_never_and_brought_back_since_it_waited(api: Api, status: Any) -> None:
    ticket = api.ticket()["id"]
    changes(api, ticket, status=status)
    assert promised(api, ticket) == (None, False)
    assert api.get(f"/tickets/{ticket}").json["deadline_explained"] == ""
    api.desk.advance(minutes=90)
    changes(api, ticket, status="open")
    assert promised(api, ticket) == ("10:00", True)


def test_an_answer_ends_it_and_taken_back_has_ended_nothing(api: Api) -> None:
    ticket = api.ticket()["id"]
    lina = api.desk.actor("lina")
    api.desk.advance(minutes=10)
    answer = reply_to_ticket.reply(ticket, lina, Reply("It is on its way.", undo_seconds=60), api.desk.now)
    assert promised(api, ticket) == (None, False)
    api.desk.advance(seconds=20)
    take_back.undo(ticket, answer.id, lina, api.desk.now)
    assert promised(api, ticket) == ("10:00", False)


def test_the_clock_stands_while_pending(api: Api) -> None:
    ticket = api.ticket()["id"]
    api.desk.advance(minutes=20)
    changes(api, ticket, status="pending")
    api.desk.advance(hours=2)
    assert promised(api, ticket) == (None, False)
    assert "40 min are left" in api.get(f"/tickets/{ticket}").json["deadline_explained"]
    changes(api, ticket, status="open")
    assert promised(api, ticket) == ("12:00", False)


def test_another_team_goes_on_with_what_was_used_by_the_first_ones_hours(api: Api) -> None:
    api.desk.team("first"), api.desk.team("second")
    hours(api, "First", weekly={"friday": "8-9:30"}, team_ids=("first",))
    hours(api, "Second", weekly={"friday": "11-18"}, team_ids=("second",))
    ticket = api.ticket()["id"]
    changes(api, ticket, team_id="first")
    api.desk.advance(hours=1)
    changes(api, ticket, team_id="second")
    assert promised(api, ticket) == ("11:30", False)
    assert promised(api, ticket) == ("11:30", False), "and whoever asks again hears the same"


def test_other_hours_hold_from_the_moment_they_are_set(api: Api) -> None:
    first = hours(api, weekly={"friday": "8-9:30"})
    ticket = api.ticket()["id"]
    api.desk.advance(hours=1)
    ada = api.desk.actor("ada", role="admin")
    other = CalendarForm("Office", "UTC", {"friday": "14-18"}, for_others=True)
    calendars.change(first, other, ada, api.desk.now)
    assert promised(api, ticket) == ("14:30", False)
    api.desk.advance(minutes=5)
    calendars.delete(first, ada, api.desk.now)
    assert promised(api, ticket) == ("10:35", False), "who has no hours is always there: 30 minutes were left"
    assert len(kept.before()) == 2
    api.desk.advance(days=41)
    assert kept.before() == (), "longer than a wait takes nothing is kept"


def test_another_name_is_no_other_terms(api: Api) -> None:
    calendar = hours(api)
    form = CalendarForm("Shop", "UTC", DAY, for_others=True)
    calendars.change(calendar, form, api.desk.actor("ada", role="admin"), api.desk.advance(minutes=5))
    assert kept.before() == () and kept.get(calendar).changed_at == api.desk.now - timedelta(minutes=5)


def test_a_broken_promise_stays_broken(api: Api) -> None:
    ticket = api.ticket()["id"]
    api.desk.advance(hours=2)
    hours(api, weekly={"saturday": "9-17"})
    changes(api, ticket, status="pending")
    changes(api, ticket, status="open")
    assert promised(api, ticket) == ("10:00", True)


def test_a_merged_ticket_is_due_with_the_one_that_waits_longest(api: Api) -> None:
    first = api.ticket()["id"]
    api.desk.advance(minutes=20)
    changes(api, first, status="pending")
    api.desk.advance(minutes=60)
    second = api.ticket()["id"]
    api.desk.advance(minutes=10)
    merged = api.post(f"/tickets/{second}/merge", {"ticket_ids": [first]}).json
    assert merged["waiting_since"] == "2026-11-20T09:00:00.000Z"
    assert merged["answer_by"] == "2026-11-20T11:10:00.000Z", "its clock stood for an hour"
    out = api.post(f"/tickets/{second}/unmerge", {"ticket_ids": [first]}).json
    assert out["answer_by"] == "2026-11-20T11:20:00.000Z"
    assert tickets.exactly(first).ticket.counted == tickets.get(first).counted


def test_settings_are_read_once_a_minute_and_at_once_where_they_were_changed(api: Api) -> None:
    ticket = api.ticket()["id"]
    assert promised(api, ticket) == ("10:00", False)
    calendar = hours(api, weekly={"friday": "14-18"})
    assert promised(api, ticket) == ("15:00", False)
    kept.delete(kept.get(calendar), api.desk.now)  # by another process
    assert promised(api, ticket) == ("15:00", False)
    api.desk.advance(seconds=61)
    assert promised(api, ticket) != ("15:00", False)
    assert clocks.in_force(api.desk.now) == clocks.read()
