"""A console between its page and its socket: what changed in that moment is not lost on it."""

import json
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.jobs import live as edge
from chalicelib.jobs import push, work
from chalicelib.jobs.push import Frame, Listeners
from chalicelib.store import live
from chalicelib.store.live import Connection
from tests.builders import a_desk
from tests.engine import Desk

pytestmark = pytest.mark.engine


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(wiring, "push", lambda connection_id, text: sent.append(json.loads(text)) is None)
    return sent


def _look(desk: Desk, connection_id: str = "c1", **said: object) -> None:
    edge.message(connection_id, json.dumps({"look": "", **said}))


def test_what_was_shown_after_the_page_was_made_is_asked_for(desk: Desk, pushed: list[dict[str, object]]) -> None:
    made = desk.now
    work.work(
        {"Records": [{"messageId": "1", "body": json.dumps({"kind": "notice", "agent": "a", "notice": "n"})}]}, None
    )
    live.open_connection(Connection("c1", "lina"), desk.now)
    _look(desk, since=made.isoformat())
    assert pushed == [{"missed": True}]


@pytest.mark.parametrize("since", [None, 7, "soon", "2026-11-20T09:00:00"])
def test_who_does_not_say_since_when_is_told_nothing(
    desk: Desk, pushed: list[dict[str, object]], since: object
) -> None:
    live.note_change(desk.now)
    live.open_connection(Connection("c1", "lina"), desk.now)
    _look(desk, since=since)
    assert pushed == []


def test_a_quiet_desk_asks_for_nothing_twice(desk: Desk, pushed: list[dict[str, object]]) -> None:
    live.note_change(desk.now - timedelta(seconds=1))
    live.open_connection(Connection("c1", "lina"), desk.now)
    _look(desk, since=desk.now.isoformat())
    assert pushed == []


def test_a_console_that_is_still_coming_is_not_forgotten(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS calls a socket gone until ``$connect`` has been answered."""
    monkeypatch.setattr(wiring, "push", lambda connection_id, text: False)
    live.open_connection(Connection("c1", "lina"), desk.now)
    push.send(Listeners(live.connections(), a_desk()), [Frame("a")])
    assert [each.id for each in live.connections()] == ["c1"]
    monkeypatch.setattr(wiring, "push", lambda connection_id, text: True)
    _look(desk)
    monkeypatch.setattr(wiring, "push", lambda connection_id, text: False)
    push.send(Listeners(live.connections(), a_desk()), [Frame("a")])
    assert live.connections() == ()
