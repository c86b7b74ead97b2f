"""A page of a list is merged from its shards: in order, without gaps, whatever lies in which shard."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.client import BaseClient

from chalicelib.domain.ticket import Counted
from chalicelib.errors import InvalidInput
from chalicelib.store import lists, tickets
from chalicelib.store.lists import ListName
from tests.builders import a_ticket
from tests.engine import Desk

pytestmark = pytest.mark.engine
TEAMS = ("first", "second", "third")


def _queries(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each query asks for."""
    made: list[int] = []
    real = BaseClient._make_api_call  # type: ignore[attr-defined]  # no part of botocore's stubs

    def noting(client: Any, operation: str, asked: dict[str, Any]) -> Any:
        if operation == "Query":
            made.append(asked["Limit"])
        return real(client, operation, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", noting)
    return made


def _store(desk: Desk, number: int, **values: Any) -> str:
    at = desk.now + timedelta(minutes=number)
    ticket = a_ticket(id=str(number), updated_at=at, waiting_since=at, **values)
    tickets.as_item(ticket, desk.now).save()
    return ticket.id


@pytest.mark.parametrize("numbers", [range(1, 61), range(2, 121, 2), [*range(2, 101, 2), *range(101, 111, 2)]])
def test_pages_follow_each_other_whatever_the_shards_hold(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, numbers: list[int]
) -> None:
    newest_first = [_store(desk, number) for number in numbers][::-1]
    queries = _queries(monkeypatch)

    first = lists.page(ListName("open"), limit=25)
    asked = list(queries)
    second = lists.page(ListName("open"), cursor=first.next, limit=25)

    assert [row.id for row in (*first.rows, *second.rows)] == newest_first[:50]
    assert len(asked) <= 3, "each shard once, and what is missing once more"
    assert sum(asked) <= 25 + 2 * lists.SPARE_ROWS + (25 - 25 // 2 - lists.SPARE_ROWS)


def test_unassigned_of_one_team_alone_is_still_a_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    newest_first = [_store(desk, number, team_id="second") for number in range(1, 41)][::-1]
    queries = _queries(monkeypatch)

    page = lists.page(ListName("unassigned"), TEAMS, limit=30)

    assert [row.id for row in page.rows] == newest_first[:30]
    assert len(queries) == len(TEAMS) + 2, "the teams, those without one, and what was missing"


def test_longest_waiting_first(desk: Desk) -> None:
    oldest_first = [_store(desk, number) for number in range(1, 31)]

    assert [row.id for row in lists.page(ListName("waiting"), limit=20).rows] == oldest_first[:20]


def test_a_cursor_of_somebody_else_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="not one of ours"):
        lists.page(ListName("open"), cursor="a")


@pytest.mark.parametrize("kind", ["open", "waiting", "team", "inbox"])
def test_a_row_knows_of_its_clock_what_the_ticket_knows(desk: Desk, kind: lists.ListKind) -> None:
    since = desk.now - timedelta(hours=1)
    counted = Counted(desk.now, since, 90_500, desk.now)
    _store(desk, 0, counted=counted, created_at=desk.now)
    _store(desk, 1, created_at=since)
    _store(desk, 2, counted=Counted(since, since), created_at=since)
    _store(desk, 3, counted=Counted(desk.now + timedelta(minutes=3), since), created_at=since)
    _store(desk, 4, created_at=desk.now + timedelta(minutes=4))
    name = ListName(kind, {"team": "-", "inbox": "support"}.get(kind, ""))
    found = {row.id: (row.first_wait, row.counted) for row in lists.page(name).rows}
    late = Counted(desk.now + timedelta(minutes=3), since)
    assert found == {
        "0": (True, counted),
        "1": (False, None),
        "2": (False, None),
        "3": (False, late),
        "4": (True, None),
    }
