"""A console between its page and its socket: what changed in that moment is not lost on it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.jobs import live as edge
from chalicelib.jobs import push, work
from chalicelib.jobs.push import Frame, Listeners
from chalicelib.store import documents, live, models
from chalicelib.store.live import Connection
from tests.builders import a_desk
from tests.engine import Desk

pytestmark = pytest.mark.engine


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    sent: list[dict[str, object]] = []

    def push(connection_id: str, text: str) -> bool:
        sent.append(json.loads(text))
        return True

    monkeypatch.setattr(wiring, "push", push)
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
    live.note_change(desk.now - live.LAG - timedelta(milliseconds=1))
    live.open_connection(Connection("c1", "lina"), desk.now)
    _look(desk, since=desk.now.isoformat())
    assert pushed == []


def test_what_the_lists_may_not_have_shown_yet_is_asked_for(desk: Desk, pushed: list[dict[str, object]]) -> None:
    """A row is in the table before it is in the lists, and two clocks differ."""
    live.note_change(desk.now - live.LAG)
    live.open_connection(Connection("c1", "lina"), desk.now)
    _look(desk, since=desk.now.isoformat())
    assert pushed == [{"missed": True}]


def test_an_earlier_workers_later_note_hides_no_change(desk: Desk, pushed: list[dict[str, object]]) -> None:
    made = desk.now
    live.note_change(made + timedelta(seconds=1))
    live.note_change(made - timedelta(minutes=1))
    live.open_connection(Connection("c1", "lina"), desk.now)
    _look(desk, since=made.isoformat())
    assert pushed == [{"missed": True}]


def test_a_later_note_takes_the_place_of_an_earlier_one(desk: Desk) -> None:
    made = desk.now
    documents.write("LIVECHANGED", "LIVECHANGED", live.Changed(made - timedelta(days=1)))  # as a release before wrote
    assert not live.changed_since(made)
    for moment in (made - timedelta(hours=1), made):
        live.note_change(moment)
        assert live.changed_since(moment) and not live.changed_since(moment + timedelta(minutes=1))


def test_a_change_is_noted_in_one_write(desk: Desk) -> None:
    asked: list[str] = []

    def note(model: Any, **_: Any) -> None:
        asked.append(model.name)

    events = models.connection().client.meta.events
    events.register("before-call.dynamodb", note)
    try:
        live.note_change(desk.now)
        live.note_change(desk.now - timedelta(minutes=1))
    finally:
        events.unregister("before-call.dynamodb", note)
    assert asked == ["PutItem", "PutItem"]


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
