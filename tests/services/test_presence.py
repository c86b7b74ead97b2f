"""Who goes away keeps nothing that waits; whoever is there keeps all."""

from datetime import timedelta

import pytest

from chalicelib.domain.moments import stamp
from chalicelib.domain.people import SYSTEM, Actor
from chalicelib.domain.ticket import Ticket
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.jobs import clock, later, work
from chalicelib.services import agents, follow_up, presence
from chalicelib.services.agents import AgentChange
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.receive_message import receive
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.services.user_pool import UserPool
from chalicelib.store import directory, messages, pending, tickets
from tests.engine import Desk
from tests.jobs.test_work import brought
from tests.services.people import GOOD_PASSWORD, pool
from tests.services.test_receive_message import envelope, mail
from tests.services.test_reply_to_ticket import answered, ticket_id

__all__ = ["pool", "ticket_id"]
pytestmark = pytest.mark.engine


@pytest.fixture
def omar(desk: Desk, ticket_id: str) -> Actor:
    """The ticket waits with him."""
    actor = desk.actor("omar")
    change(ticket_id, SYSTEM, Changes(assignee_id="omar"), desk.now)
    return actor


def handed_over(desk: Desk) -> list[int]:
    """What the worker makes of every departure that is noted."""
    marks = [each for each in pending.overdue(desk.now + timedelta(seconds=1)) if each.pk.startswith("LEAVING#")]
    return [presence.hand_over(each.pk.removeprefix("LEAVING#"), each.sk, desk.now) for each in marks]


def holder(ticket: str) -> str | None:
    return tickets.get(ticket).assignee_id


def why(ticket: str) -> str:
    (event,) = (each for each in messages.newest(ticket).messages if "why" in each.event)
    assert (event.author_kind, event.event["assignee_id"]) == ("system", "")
    return event.event["why"]


def test_what_waits_goes_back_once_and_says_why(desk: Desk, ticket_id: str, omar: Actor) -> None:
    presence.leave("omar", None, omar, desk.now)
    assert handed_over(desk) == [1] and handed_over(desk) == [0]
    assert holder(ticket_id) is None
    assert why(ticket_id) == "Omar is away"
    desk.advance(minutes=1)
    assert handed_over(desk) == [0] and handed_over(desk) == []
    assert [each.what for each in directory.audit_entries("2026-11")] == ["Went away"]


def test_what_the_first_look_did_not_find_the_second_does(desk: Desk, ticket_id: str, omar: Actor) -> None:
    presence.leave("omar", None, omar, desk.now)
    change(ticket_id, SYSTEM, Changes(assignee_id=None), desk.now)
    assert handed_over(desk) == [0]
    change(ticket_id, SYSTEM, Changes(assignee_id="omar"), desk.now)
    desk.advance(minutes=3)
    clock.repair()
    for body in desk.queued("work"):
        work.work({"Records": [{"messageId": "1", "body": body}]}, None)
    assert holder(ticket_id) is None


def test_who_is_back_before_the_worker_came_keeps_everything(desk: Desk, ticket_id: str, omar: Actor) -> None:
    presence.leave("omar", None, omar, desk.now)
    presence.come_back("omar", omar, desk.now)
    assert handed_over(desk) == [0] and handed_over(desk) == []
    assert holder(ticket_id) == "omar"


def test_the_stream_brings_the_departure_to_the_worker(desk: Desk, ticket_id: str, omar: Actor) -> None:
    presence.leave("omar", None, omar, desk.now)
    (mark,) = (each for each in pending.overdue(desk.now + timedelta(seconds=1)) if each.pk.startswith("LEAVING#"))
    fact = {"kind": "leaving", "agent": "omar", "since": mark.sk}
    assert brought(fact) == brought(fact) == {"batchItemFailures": []}
    assert holder(ticket_id) is None


def test_what_was_answered_stays_until_the_customer_writes_again(desk: Desk, ticket_id: str, omar: Actor) -> None:
    answered(desk, ticket_id, omar)
    presence.leave("omar", None, omar, desk.now)
    assert handed_over(desk) == [0] and holder(ticket_id) == "omar"
    desk.advance(minutes=5)
    again = receive(mail(desk, 2, thread_keys=("mid:1@example.com",)), envelope(desk, "o2"), desk.now)
    assert holder(ticket_id) == "omar"
    assert follow_up.follow_up(again.day, again.name, desk.now)
    assert holder(ticket_id) is None
    change(ticket_id, SYSTEM, Changes(assignee_id="omar"), desk.now)
    assert not follow_up.follow_up(again.day, again.name, desk.now)
    assert holder(ticket_id) == "omar", "whoever gives it to him knowingly may"


def test_a_ticket_that_wakes_does_not_wait_for_who_is_away(desk: Desk, ticket_id: str, omar: Actor) -> None:
    until = desk.now + timedelta(hours=1)
    change(ticket_id, omar, Changes(snoozed_until=until), desk.now)
    presence.leave("omar", None, omar, desk.now)
    assert handed_over(desk) == [0]
    desk.now = until
    later.due({"kind": "snooze", "ticket": ticket_id, "due": stamp(until), "at": until.isoformat()})
    assert holder(ticket_id) is None


def test_the_time_to_be_back_passes_by_itself(desk: Desk, ticket_id: str, omar: Actor) -> None:
    presence.leave("omar", desk.now + timedelta(hours=1), omar, desk.now)
    assert directory.agent("omar").is_away(desk.now)
    desk.advance(hours=1)
    assert not directory.agent("omar").is_away(desk.now)
    assert handed_over(desk) == [0] and holder(ticket_id) == "omar"
    presence.leave("omar", None, omar, desk.now)
    away = directory.agent("omar").away
    assert away is not None and away.since == desk.now, "the day before is over"
    assert handed_over(desk) == [1]


def test_who_stays_away_longer_left_when_they_left(desk: Desk, omar: Actor) -> None:
    since = desk.now
    presence.leave("omar", desk.now + timedelta(hours=1), omar, desk.now)
    presence.leave("omar", None, omar, desk.advance(minutes=10))
    away = directory.agent("omar").away
    assert away is not None and (away.since, away.until) == (since, None)


def test_whoever_is_deactivated_keeps_nothing_that_waits(
    desk: Desk, ticket_id: str, omar: Actor, pool: UserPool
) -> None:
    pool.add("omar@shop.example", GOOD_PASSWORD)
    agents.change(pool, "omar", AgentChange("Omar", "agent", (), False), SYSTEM, desk.now)
    assert handed_over(desk) == [1] and holder(ticket_id) is None
    assert why(ticket_id) == "Omar cannot take tickets any more"


def test_longest_waiting_first_and_nothing_for_which_nobody_waits(desk: Desk, ticket_id: str, omar: Actor) -> None:
    def another(n: int) -> Ticket:
        made = receive(mail(desk, n), envelope(desk, f"o{n}"), desk.advance(minutes=1))
        return change(made.ticket_id or "", SYSTEM, Changes(assignee_id="omar"), desk.now)

    second, third = another(2), another(3)
    reply(second.id, omar, Reply("Done.", undo_seconds=0, then_status="open"), desk.now)
    presence.leave("omar", None, omar, desk.advance(minutes=1))
    assert handed_over(desk) == [2]
    assert [holder(each) for each in (ticket_id, second.id, third.id)] == [None, "omar", None]


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=371)])
def test_a_time_that_cannot_be_is_refused(desk: Desk, omar: Actor, ahead: timedelta) -> None:
    with pytest.raises(InvalidInput) as refused:
        presence.leave("omar", desk.now + ahead, omar, desk.now)
    assert set(refused.value.fields) == {"until"} and directory.agent("omar").away is None


def test_to_whom_no_ticket_can_be_given_is_not_away(desk: Desk) -> None:
    vera = desk.actor("vera", role="viewer")
    with pytest.raises(Conflict, match="Vera takes no tickets"):
        presence.leave("vera", None, vera, desk.now)
