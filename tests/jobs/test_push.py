"""What open consoles are sent fits into a frame, and what does not stops nothing else."""

import json
from dataclasses import replace

import pytest

from chalicelib import wiring
from chalicelib.jobs import push
from chalicelib.jobs.push import Frame, Listeners
from chalicelib.services.notices import Notice
from chalicelib.store.live import Connection
from chalicelib.store.tickets import Loaded
from tests.builders import NOON, a_desk, a_message, a_ticket
from tests.engine import Desk

CONSOLES = Listeners((Connection("c1", "ben"), Connection("c2", "lina", "1042")), a_desk())


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    sent: list[tuple[str, str]] = []

    def push(connection_id: str, text: str) -> bool:
        sent.append((connection_id, text))
        return True

    monkeypatch.setattr(wiring, "push", push)
    return sent


@pytest.mark.engine
def test_a_row_fits_into_a_frame_however_long_its_customers_name_is(desk: Desk) -> None:
    ticket = a_ticket(customer_name="名" * 90_000, subject="s" * 90_000, snippet='"' * 90_000)
    frame = push.row_frame(Loaded(ticket, frozenset()), CONSOLES)
    assert frame.fits() and json.loads(frame.text)["row"]["ticket"] == "1042"


@pytest.mark.parametrize("text", ["x" * 40_000, "名" * 6_000])
def test_a_message_too_long_for_a_frame_is_fetched_by_the_page(text: str) -> None:
    """Counted as it goes over the wire, where each of these signs takes six bytes."""
    frame = push.message_frame(replace(a_message(), text=text), CONSOLES, NOON)
    told = {"ticket": "1042", "id": "m1", "read": NOON.timestamp(), "fetch": True}
    assert frame.fits() and json.loads(frame.text)["message"] == told


def test_a_frame_too_large_is_left_out_and_the_others_go(pushed: list[tuple[str, str]]) -> None:
    push.send(CONSOLES, [Frame("a"), Frame("x" * (push.MAX_FRAME_BYTES + 1)), Frame("b")])
    assert sorted(pushed) == [("c1", "a"), ("c1", "b"), ("c2", "a"), ("c2", "b")]


def test_a_console_that_cannot_be_reached_keeps_nothing_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def sometimes(connection_id: str, text: str) -> bool:
        if connection_id == "c1":
            raise ConnectionError("throttled")
        sent.append(text)
        return True

    monkeypatch.setattr(wiring, "push", sometimes)
    push.send(CONSOLES, [Frame("a"), Frame("b")])
    assert sent == ["a", "b"]


@pytest.mark.parametrize(("ticket_id", "path"), [("1042", "/tickets/1042"), ("", "/operations/stopped")])
def test_a_notice_leads_to_what_it_is_about(ticket_id: str, path: str) -> None:
    told = json.loads(push.notice_frame("ben", Notice("n1", "assigned", ticket_id, "Yours.", NOON)).text)
    assert told["notice"]["path"] == path
