"""Going away by one click, with a time, by an admin's hand; and what colleagues see of it."""

import pytest

from chalicelib.services import sessions
from chalicelib.store import directory
from tests.api.console.browser import Browser
from tests.api.console.test_settings import ids_tied
from tests.api.console.test_tickets import COOKIE, receive, signed_in
from tests.engine import Desk

pytestmark = pytest.mark.engine


@pytest.fixture
def ben(desk: Desk) -> Browser:
    desk.inbox()
    return signed_in(desk)


def is_away(desk: Desk, name: str = "ben") -> bool:
    return directory.agent(name).is_away(desk.now)


def test_one_click_leaves_and_one_comes_back(desk: Desk, ben: Browser) -> None:
    assert "Go away" in ben.get("/lists/open").text
    ben.submit("/presence")
    assert is_away(desk)
    page = ben.follow()
    assert "I am back" in page.text and "Go away" not in page.text
    ben.submit("/presence")
    assert not is_away(desk) and "Go away" in ben.follow().text


def test_with_a_time_of_ones_own_clock(desk: Desk, ben: Browser) -> None:
    desk.agent("ben", time_zone="Europe/Berlin")
    page = ben.get("/settings/me")
    ids_tied(page)
    page = ben.submit("/presence", until="2026-11-20T09:30")
    assert page.status == 422 and page.read.invalid == ["until"] and not is_away(desk)
    ids_tied(page)
    assert ben.submit("/presence", until="noon").read.invalid == ["until"]
    ben.submit("/presence", until="2026-11-20T14:00")
    page = ben.follow()
    assert "Saved." in page.text and "Away until 14:00" in page.text
    away = directory.agent("ben").away
    assert away is not None and away.until is not None and away.until.isoformat() == "2026-11-20T13:00:00+00:00"
    ids_tied(page)
    ben.submit("/presence")
    assert not is_away(desk)


def test_colleagues_see_it_where_they_assign(desk: Desk, ben: Browser) -> None:
    ticket = receive(desk)
    cleo = signed_in(desk, "cleo")
    cleo.get("/lists/open")
    cleo.submit("/presence")
    assert "Cleo (away)" in ben.get(f"/tickets/{ticket}").text


def test_an_admin_says_it_of_somebody_who_is_ill(desk: Desk, ben: Browser) -> None:
    ada = Browser({COOKIE: sessions.open_session(desk.agent("ada", role="admin"), desk.now)})
    page = ada.get("/settings/agents/ben")
    ids_tied(page)
    assert "Say that Ben is away" in page.text
    ada.submit("/settings/agents/ben/presence")
    assert is_away(desk) and "Say that Ben is back" in ada.follow().text
    assert "away" in ada.get("/settings/agents").text
    ada.get("/settings/agents/ben")
    ada.submit("/settings/agents/ben/presence")
    assert not is_away(desk)


def test_a_viewer_is_not_asked(desk: Desk, ben: Browser) -> None:
    vera = signed_in(desk, "vera", "viewer")
    assert "Go away" not in vera.get("/lists/open").text + vera.get("/settings/me").text


def test_an_admin_sets_who_gets_what(desk: Desk, ben: Browser) -> None:
    ada = Browser({COOKIE: sessions.open_session(desk.agent("ada", role="admin"), desk.now)})
    desk.team("first")
    page = ada.get("/settings/agents/ben")
    ids_tied(page)
    page = ada.submit("/settings/agents/ben/routing", capacity="none", skills="returns")
    assert page.status == 422 and page.read.invalid == ["capacity"]
    assert page.form("/settings/agents/ben/routing").fields["skills"] == ["returns"]
    assert page.form("/settings/agents/ben").fields["name"] == ["Ben"]
    ada.submit("/settings/agents/ben/routing", capacity="3", languages="German, french")
    form = ada.follow().form("/settings/agents/ben/routing").fields
    assert (form["capacity"], form["languages"], form["skills"]) == (["3"], ["german, french"], ["returns"])
    page = ada.get("/settings/teams")
    ids_tied(page)
    ada.submit("/settings/teams/first/assignment", assignment="least_load")
    assert ada.follow().form("/settings/teams/first/assignment").fields["assignment"] == ["least_load"]
    assert directory.team("first").assignment == "least_load"
    assert ada.get("/settings/inboxes/support").form("/settings/inboxes/support").fields["language"] == [""]
    told = {each.what for each in directory.audit_entries("2026-11")}
    assert {"Assignment of an agent changed", "Assignment of a team changed"} <= told
