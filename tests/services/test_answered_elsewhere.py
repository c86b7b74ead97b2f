"""Nobody answers a customer a second time because the first answer is out of sight, or in doubt."""

import pytest

from chalicelib.domain.message import StateChange
from chalicelib.domain.people import Actor
from chalicelib.errors import Conflict, Unclear
from chalicelib.services import deliver_message, merge_tickets, notices, receive_message, record_state, take_back
from chalicelib.services.add_note import add_note
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import messages, tickets
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail
from tests.services.test_reply_to_ticket import claimed

pytestmark = pytest.mark.engine


@pytest.fixture
def ben(desk: Desk) -> Actor:
    return desk.actor("ben")


@pytest.fixture
def eva(desk: Desk) -> Actor:
    return desk.actor("eva")


def comes(desk: Desk, n: int) -> str:
    receipt = receive_message.receive(mail(desk, n), envelope(desk, f"o{n}"), desk.advance(minutes=1))
    return receipt.ticket_id or ""


def said(text: str, **values: object) -> Reply:
    return Reply(text, undo_seconds=0, **values)  # type: ignore[arg-type]  # named as Reply has them


def apart(desk: Desk, ben: Actor) -> tuple[str, str, str]:
    """Two tickets that were one while Ben answered the second: both, and his answer."""
    one, two = comes(desk, 1), comes(desk, 2)
    merge_tickets.merge(one, [two], ben, desk.advance(minutes=1))
    answer = reply(one, ben, said("It left today."), desk.advance(minutes=1))
    merge_tickets.unmerge(one, [two], ben, desk.advance(minutes=1))
    return one, two, answer.id


def test_an_answer_that_stays_in_another_ticket_stops_a_second_one(desk: Desk, ben: Actor, eva: Actor) -> None:
    one, two, answer = apart(desk, ben)
    assert tickets.get(two).waiting_since is not None, "it is what it was"
    for last_seen in (None, tickets.get(two).last_message_id):
        with pytest.raises(Conflict, match=f"answered this in #{one}") as refused:
            reply(two, eva, said("It is on its way.", last_seen_message_id=last_seen), desk.now)
        assert (refused.value.latest_message_id, refused.value.latest_ticket_id) == (answer, one)
    history = [each.event for each in messages.newest(two).messages if "unmerged_from" in each.event]
    assert [each["answered_there"] for each in history] == ["Ben"]
    assert reply(two, eva, said("It is on its way.", send_anyway=True), desk.now)
    assert reply(two, eva, said("And it is blue."), desk.now), "who answered it knows"


def test_its_own_author_a_new_question_and_an_answer_taken_back_stop_nobody(desk: Desk, ben: Actor, eva: Actor) -> None:
    _, two, _ = apart(desk, ben)
    assert reply(two, ben, said("As I said."), desk.now)
    again = mail(desk, 9, thread_keys=("mid:2@example.com",))
    receive_message.receive(again, envelope(desk, "o9"), desk.advance(minutes=1))
    assert reply(two, eva, said("To the new one."), desk.now)


def test_an_answer_taken_back_there_stops_nobody_here(desk: Desk, ben: Actor, eva: Actor) -> None:
    one, two = comes(desk, 1), comes(desk, 2)
    merge_tickets.merge(one, [two], ben, desk.advance(minutes=1))
    answer = reply(one, ben, Reply("It left today.", undo_seconds=60), desk.advance(seconds=1))
    merge_tickets.unmerge(one, [two], ben, desk.advance(seconds=1))
    take_back.undo(one, answer.id, ben, desk.advance(seconds=1))
    assert reply(two, eva, said("It is on its way."), desk.now)


def test_it_is_remembered_by_a_ticket_that_came_along_with_another(desk: Desk, ben: Actor, eva: Actor) -> None:
    outer, inner, asked_last = comes(desk, 1), comes(desk, 2), comes(desk, 3)
    merge_tickets.merge(inner, [asked_last], ben, desk.advance(minutes=1))
    merge_tickets.merge(outer, [inner], ben, desk.advance(minutes=1))
    answer = reply(outer, ben, said("Which one?"), desk.advance(minutes=1))
    merge_tickets.unmerge(outer, [inner], ben, desk.advance(minutes=1))
    merge_tickets.unmerge(inner, [asked_last], ben, desk.advance(minutes=1))
    assert tickets.get(outer).answered_elsewhere is None
    with pytest.raises(Conflict) as refused:
        reply(asked_last, eva, said("The red one?"), desk.now)
    assert (refused.value.latest_message_id, refused.value.latest_ticket_id) == (answer.id, outer)
    assert reply(outer, eva, said("Yours is here."), desk.now), "its own customer nobody answered"


@pytest.mark.parametrize("state", ["unclear", "complained"])
def test_an_answer_that_may_have_arrived_stops_a_second_one(desk: Desk, ben: Actor, eva: Actor, state: str) -> None:
    ticket_id = comes(desk, 1)
    held = claimed(desk, ticket_id, ben)
    if state == "unclear":
        deliver_message.record_unclear(held, Unclear("no answer"), desk.now)
    else:
        news = StateChange(
            "complained", desk.now, our_message_id=held.outbound.message_id, ticket_id=ticket_id, event_id="c1"
        )
        assert record_state.record(news, desk.now)
    assert tickets.get(ticket_id).waiting_since is not None and tickets.get(ticket_id).undelivered
    told = {each.text for each in notices.of("ben")}
    assert len(told) == 1 and "was not delivered" not in told.pop()
    with pytest.raises(Conflict, match="answered already"):
        reply(ticket_id, eva, said("Let me see."), desk.advance(minutes=1))
    assert reply(ticket_id, eva, said("Let me see.", send_anyway=True), desk.now)


def test_a_note_behind_the_question_is_no_answer_to_it(desk: Desk, ben: Actor, eva: Actor) -> None:
    ticket_id = comes(desk, 1)
    add_note(ticket_id, ben, "She called.", desk.advance(minutes=1))
    assert reply(ticket_id, eva, said("Yes."), desk.advance(minutes=1))
