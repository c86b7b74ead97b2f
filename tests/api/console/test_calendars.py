"""Settings, Business hours: added, read, changed and deleted by an admin."""

import pytest

from chalicelib.services import sessions
from chalicelib.store import calendars as kept
from chalicelib.store import directory
from tests.api.console.browser import Browser
from tests.api.console.test_settings import ids_tied
from tests.engine import Desk

pytestmark = pytest.mark.engine

CALENDARS = "/settings/calendars"


@pytest.fixture
def admin(desk: Desk) -> Browser:
    agent = desk.agent("ada", role="admin", time_zone="Europe/Berlin")
    return Browser({"__Host-deskbell": sessions.open_session(agent, desk.now)})


def test_business_hours(admin: Browser, desk: Desk) -> None:
    desk.team("first"), desk.inbox()
    assert "None yet." in admin.get(CALENDARS).text
    page = admin.get(f"{CALENDARS}/new")
    ids_tied(page)
    page = admin.submit(f"{CALENDARS}/new", name="Office", friday="22-6", time_zone="Berlin", closed_days="Christmas")
    assert page.status == 422 and page.read.invalid == ["time_zone", "friday", "closed_days"]
    assert "00:00-06:00 on the next day" in page.text
    ids_tied(page)
    admin.submit(
        f"{CALENDARS}/new", friday="9-15", time_zone="Europe/Berlin", country="DE", team_ids=["first"],
        closed_days="2026-12-24 Christmas Eve",
    )  # fmt: skip
    page = admin.follow()
    assert "Saved." in page.text and "Fri 09:00-15:00" in page.text and "open, until 15:00" in page.text
    (hours,) = kept.listing()
    assert directory.team("first").name in page.text and "all others" in page.text
    where = f"{CALENDARS}/{hours.id}"
    page = admin.get(where)
    ids_tied(page)
    assert "Thursday, 24 December 2026" in page.text and "Christmas Eve" in page.text and "Christmas Day" in page.text
    admin.submit(where, region="BY", open_days="2026-12-25", saturday="10-14")
    page = admin.follow()
    assert "Christmas Day" not in page.text and "Epiphany" in page.text
    assert page.form(where).fields["saturday"] == ["10:00-14:00"]
    admin.get(CALENDARS)
    admin.submit(f"{where}/delete")
    assert "Deleted." in admin.follow().text and kept.listing() == ()


def test_who_saves_last_hears_what_changed_before(admin: Browser) -> None:
    admin.get(f"{CALENDARS}/new")
    admin.submit(f"{CALENDARS}/new", name="Office")
    (hours,) = kept.listing()
    where = f"{CALENDARS}/{hours.id}"
    admin.get(where)
    admin.submit(where, name="Shop")
    admin.get(where)
    page = admin.submit(where, name="Mine", version="1")
    assert page.status == 409 and "changed these business hours meanwhile" in page.text
    assert page.form(where).fields["name"] == ["Mine"] and kept.get(hours.id).name == "Shop"


def test_a_form_sent_twice_adds_once(admin: Browser) -> None:
    page = admin.get(f"{CALENDARS}/new")
    fields = {**page.form(f"{CALENDARS}/new").fields, "name": "Office"}
    for _ in range(2):
        assert admin.post(f"{CALENDARS}/new", fields).status == 303
    assert len(kept.listing()) == 1
