"""What an agent is told leads to where something can be done about it."""

import re

import pytest

from chalicelib.services import breaker, sessions
from tests.api.console.browser import Browser
from tests.engine import Desk

pytestmark = pytest.mark.engine


def test_who_is_told_of_a_stopped_inbox_is_led_to_it(desk: Desk) -> None:
    inbox, leader = desk.inbox(), desk.agent("ada", role="leader")
    for _ in range(breaker.FAILURES_TO_OPEN + 1):
        breaker.note_failure(inbox, desk.now)
    console = Browser({"__Host-deskbell": sessions.open_session(leader, desk.now)})
    told = re.search('<a href="([^"]*)">Sending from', console.get("/notices").html)
    assert told and "Resume sending" in console.get(told[1]).text
