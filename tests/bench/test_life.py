"""A ticket's life asks AWS no more, and hardly less, than what the published price was made of."""

from typing import Any

import pytest

from bench import life
from chalicelib import wiring
from chalicelib.services import read_ticket


def broken(found: dict[str, float]) -> set[str]:
    figures = life.figures_of(found)
    return {name for name, limit in life.limits().items() if figures[name] > limit}


@pytest.fixture(scope="module")
def counted() -> dict[str, float]:
    return life.counted()


def test_a_life_asks_no_more_than_was_published(counted: dict[str, float]) -> None:
    assert broken(counted) == set()


def test_what_was_published_is_still_what_a_life_asks(counted: dict[str, float]) -> None:
    """Where the code learned to ask less, ``bench.cost --write`` counts the price anew."""
    published = life.published()
    assert counted.keys() == published.keys()
    less = {name: (found, published[name]) for name, found in counted.items() if found < published[name] * 0.9 - 1}
    assert less == {}


def test_frames_that_are_sent_twice_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    push = wiring.push

    def twice(connection_id: str, frame: Any) -> bool:
        return push(connection_id, frame) and push(connection_id, frame)

    monkeypatch.setattr(wiring, "push", twice)
    assert broken(life.counted()) >= {"socket_messages", "work_execute-api"}


def test_pages_that_are_read_twice_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    once = read_ticket.open_ticket

    def twice(*given: Any, **named: Any) -> Any:
        once(*given, **named)
        return once(*given, **named)

    monkeypatch.setattr(read_ticket, "open_ticket", twice)
    assert broken(life.counted()) == {"web_dynamodb"}
