"""Taking an answer back: one transaction, whatever dies or is lost on the way, and the ticket as it stood before."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import botocore.client
import botocore.endpoint
import botocore.exceptions
import pytest

from chalicelib.domain.message import Party
from chalicelib.domain.people import Actor
from chalicelib.domain.ticket import Status
from chalicelib.errors import Conflict
from chalicelib.services import drafts, receive_message, record_state, send_again, take_back
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.services.said import MAX_TEXT_CHARS
from chalicelib.store import messages, tickets
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail

pytestmark = pytest.mark.engine

AWS_CALLS = 12
"""More than taking back makes, so that it dies at each of them."""


class Killed(BaseException):
    """The function is gone: nothing in it may catch this."""


@pytest.fixture
def ticket_id(desk: Desk) -> str:
    return receive_message.receive(mail(desk), envelope(desk), desk.now).ticket_id or ""


@pytest.fixture
def anna(desk: Desk) -> Actor:
    return desk.actor("anna")


def answer(desk: Desk, ticket_id: str, actor: Actor, **values: Any) -> str:
    wanted = Reply("Wrong price.", **({"undo_seconds": 30} | values))
    return reply(ticket_id, actor, wanted, desk.advance(seconds=1)).id


def dies_at(monkeypatch: pytest.MonkeyPatch, call: int, after_effect: bool) -> None:
    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # no part of botocore's stubs
    calls = []

    def counted(client: Any, name: str, arguments: dict[str, Any]) -> Any:
        calls.append(name)
        if len(calls) == call and not after_effect:
            raise Killed
        answer = real(client, name, arguments)
        if len(calls) == call:
            raise Killed
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", counted)


def lose_first_answer(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    """The effect takes place, the answer never comes; the SDK asks again."""
    real = botocore.endpoint.Endpoint._send  # type: ignore[attr-defined]  # no part of botocore's stubs
    lost: list[str] = []

    def send(endpoint: Any, request: Any) -> Any:
        answer = real(endpoint, request)
        target = request.headers.get("X-Amz-Target", b"")
        name = target.decode() if isinstance(target, bytes) else target
        if name.endswith(f".{operation}") and not lost:
            lost.append(name)
            raise botocore.exceptions.ReadTimeoutError(endpoint_url=request.url)
        return answer

    monkeypatch.setattr(botocore.endpoint.Endpoint, "_send", send)


@pytest.mark.parametrize("after_effect", [False, True])
def test_wherever_the_function_dies_the_answer_is_taken_back_whole_or_not_at_all(
    desk: Desk, ticket_id: str, anna: Actor, after_effect: bool
) -> None:
    asked = tickets.get(ticket_id)
    for call in range(1, AWS_CALLS):
        message_id = answer(desk, ticket_id, anna)
        with pytest.MonkeyPatch.context() as patched:
            dies_at(patched, call, after_effect)
            with suppress(Killed):
                take_back.undo(ticket_id, message_id, anna, desk.now)
        ticket, state = tickets.get(ticket_id), messages.get_delivery(ticket_id, message_id).state
        whole = (state, ticket.waiting_since, drafts.load(ticket_id, "anna") is not None)
        assert whole in (("queued", None, False), ("cancelled", asked.waiting_since, True)), call
        again = take_back.undo(ticket_id, message_id, anna, desk.now)
        ticket = tickets.get(ticket_id)
        assert again is not None and again.text == "Wrong price." and drafts.load(ticket_id, "anna") == again
        assert (ticket.status, ticket.waiting_since) == ("open", asked.waiting_since)
        assert ticket.last_message_id == asked.last_message_id


@pytest.mark.parametrize("answers", [1, 2])
def test_an_answer_to_a_resolved_ticket_taken_back_leaves_what_was_set_aside(
    desk: Desk, ticket_id: str, anna: Actor, answers: int
) -> None:
    since = tickets.get(ticket_id).waiting_since
    change(ticket_id, anna, Changes(snoozed_until=desk.now + timedelta(days=1)), desk.now)
    resolved = change(ticket_id, anna, Changes(status="resolved"), desk.now)
    said = [answer(desk, ticket_id, anna) for _ in range(answers)]
    assert tickets.get(ticket_id).set_aside is None
    for message_id in reversed(said):
        take_back.undo(ticket_id, message_id, anna, desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.set_aside) == ("resolved", resolved.set_aside)
    assert change(ticket_id, anna, Changes(status="open"), desk.now).waiting_since == since is not None


def test_another_answer_that_stands_keeps_the_wait_ended(desk: Desk, ticket_id: str, anna: Actor) -> None:
    change(ticket_id, anna, Changes(status="resolved"), desk.now)
    first, _ = answer(desk, ticket_id, anna), answer(desk, ticket_id, anna)
    take_back.undo(ticket_id, first, anna, desk.now)
    assert change(ticket_id, anna, Changes(status="open"), desk.now).waiting_since is None


@pytest.mark.parametrize("told", [True, False])
def test_taken_back_after_the_answer_before_it_failed_the_question_waits(
    desk: Desk, ticket_id: str, anna: Actor, told: bool
) -> None:
    """Seeds 6001131 and 6000872: nobody waited when the second was written, for the first was on its way."""
    waited = tickets.get(ticket_id).waiting_since
    first = answer(desk, ticket_id, anna, undo_seconds=0)
    second = answer(desk, ticket_id, anna) if told else ""
    assert messages.move_delivery(ticket_id, first, "failed", ["queued"], desk.now)
    if told:
        record_state.flag_undelivered(ticket_id, first, "No such address.", desk.now)
    else:  # whoever saw it fail died before telling the ticket
        second = send_again.send_again(ticket_id, first, anna, desk.advance(seconds=1)).id
    assert tickets.get(ticket_id).waiting_since is None
    take_back.undo(ticket_id, second, anna, desk.now)
    assert tickets.get(ticket_id).waiting_since == waited is not None


def test_taken_back_twice_it_returns_what_the_agent_has_written_since(desk: Desk, ticket_id: str, anna: Actor) -> None:
    message_id = answer(desk, ticket_id, anna)
    take_back.undo(ticket_id, message_id, anna, desk.now)
    better = drafts.Draft("reply", "Right price.", desk.now)
    drafts.save(ticket_id, "anna", better)
    version = tickets.get(ticket_id).version
    assert take_back.undo(ticket_id, message_id, anna, desk.now) == better
    assert tickets.get(ticket_id).version == version


def test_what_was_typed_since_stays_and_the_answer_can_still_be_read(desk: Desk, ticket_id: str, anna: Actor) -> None:
    message_id = answer(desk, ticket_id, anna)
    note = drafts.Draft("note", "Ask the warehouse.", desk.now)
    drafts.save(ticket_id, "anna", note)
    assert take_back.undo(ticket_id, message_id, anna, desk.now) is None
    assert drafts.load(ticket_id, "anna") == note
    taken_back = messages.get(ticket_id, message_id)
    assert take_back.draft_of(taken_back, desk.now).text == "Wrong price."
    assert tickets.get(ticket_id).waiting_since is not None


def test_a_copy_kept_while_it_was_being_sent_is_no_other_draft(desk: Desk, ticket_id: str, anna: Actor) -> None:
    message_id = answer(desk, ticket_id, anna, cc=(Party("", "lab@shop.example"),))
    drafts.save(ticket_id, "anna", drafts.Draft("reply", "Wrong price. ", desk.now))
    draft = take_back.undo(ticket_id, message_id, anna, desk.now)
    assert draft is not None and draft.cc == (Party("", "lab@shop.example"),)
    assert drafts.load(ticket_id, "anna") == draft


@pytest.mark.parametrize("writes_too", [False, True])
def test_a_colleague_gives_the_text_back_to_its_author(
    desk: Desk, ticket_id: str, anna: Actor, writes_too: bool
) -> None:
    ben, own = desk.actor("ben"), drafts.Draft("reply", "Ben's half sentence", desk.now)
    message_id = answer(desk, ticket_id, anna)
    drafts.save(ticket_id, "ben", own)
    annas = drafts.Draft("reply", "Anna's next thought", desk.now)
    if writes_too:
        drafts.save(ticket_id, "anna", annas)
    for _ in range(2):  # repeated, it does the same
        assert take_back.undo(ticket_id, message_id, ben, desk.now) is None
        assert drafts.load(ticket_id, "ben") == own
        given = drafts.load(ticket_id, "anna")
        assert given is not None and given.text == ("Anna's next thought" if writes_too else "Wrong price.")
    assert messages.get_delivery(ticket_id, message_id).reason == "Taken back by Ben."


def test_a_programs_answer_is_given_to_whoever_takes_it_back(desk: Desk, ticket_id: str, anna: Actor) -> None:
    program = Actor("bot", "b1", "Robot", "agent")
    message_id = answer(desk, ticket_id, program)
    draft = take_back.undo(ticket_id, message_id, anna, desk.now)
    assert draft is not None and drafts.load(ticket_id, "anna") == draft


def test_a_draft_kept_at_the_same_moment_wins(
    desk: Desk, ticket_id: str, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = answer(desk, ticket_id, anna)
    note, cancel = drafts.Draft("note", "Typed this second", desk.now), messages.cancel

    def late(*given: Any) -> None:
        if drafts.load(ticket_id, "anna") is None:
            drafts.save(ticket_id, "anna", note)
        cancel(*given)

    monkeypatch.setattr(messages, "cancel", late)
    assert take_back.undo(ticket_id, message_id, anna, desk.now) is None
    assert drafts.load(ticket_id, "anna") == note


@pytest.mark.parametrize(
    ("typed", "given"), [("Wrong price. No, the right one", None), ("Wrong price.", "Wrong price.")]
)
def test_what_another_tab_keeps_over_the_copy_at_the_same_moment_wins(
    desk: Desk, ticket_id: str, anna: Actor, monkeypatch: pytest.MonkeyPatch, typed: str, given: str | None
) -> None:
    message_id = answer(desk, ticket_id, anna)
    drafts.save(ticket_id, "anna", drafts.Draft("reply", "Wrong price.", desk.now))
    other = drafts.Draft("reply", typed, desk.advance(seconds=1))
    late_once(monkeypatch, lambda: drafts.save(ticket_id, "anna", other))
    draft = take_back.undo(ticket_id, message_id, anna, desk.now)
    assert (draft.text if draft else None) == given
    found = drafts.load(ticket_id, "anna")
    assert found is not None and found.text == typed
    assert messages.get_delivery(ticket_id, message_id).state == "cancelled"


def test_a_copy_that_another_tab_discards_at_the_same_moment_is_given_back(
    desk: Desk, ticket_id: str, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = answer(desk, ticket_id, anna)
    drafts.save(ticket_id, "anna", drafts.Draft("reply", "Wrong price.", desk.now))
    late_once(monkeypatch, lambda: drafts.discard(ticket_id, "anna"))
    draft = take_back.undo(ticket_id, message_id, anna, desk.now)
    assert draft is not None and drafts.load(ticket_id, "anna") == draft


def late_once(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """``act`` happens between the reading of the draft and the transaction, the first time."""
    cancel, left = messages.cancel, [act]

    def late(*given: Any) -> None:
        while left:
            left.pop()()
        cancel(*given)

    monkeypatch.setattr(messages, "cancel", late)


def test_an_answer_of_aws_that_is_lost_does_not_make_it_too_late(
    desk: Desk, ticket_id: str, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = answer(desk, ticket_id, anna)
    lose_first_answer(monkeypatch, "TransactWriteItems")
    draft = take_back.undo(ticket_id, message_id, anna, desk.now)
    assert draft is not None and draft.text == "Wrong price."
    assert tickets.get(ticket_id).waiting_since is not None


def test_a_claim_whose_answer_was_lost_is_ours_and_nobody_elses(
    desk: Desk, ticket_id: str, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = answer(desk, ticket_id, anna)

    def claim() -> bool:
        return messages.move_delivery(
            ticket_id, message_id, "sending", ["queued"], desk.now, attempts=1, claimed_attempt=0
        )

    lose_first_answer(monkeypatch, "UpdateItem")
    assert claim()
    assert not claim()  # the same state, time and attempt, but another caller
    with pytest.raises(Conflict):
        take_back.undo(ticket_id, message_id, anna, desk.now)


def test_an_answer_that_resolved_the_ticket_opens_it_again_with_a_line_in_its_history(
    desk: Desk, ticket_id: str, anna: Actor
) -> None:
    message_id = answer(desk, ticket_id, anna, then_status="resolved")
    take_back.undo(ticket_id, message_id, anna, desk.advance(seconds=1))
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.closed_at) == ("open", None)
    lines = [each.event for each in messages.newest(ticket_id).messages if each.kind == "event"]
    assert lines[-1].get("status") == "open"


def test_a_second_answer_taken_back_leaves_the_first_one_standing(desk: Desk, ticket_id: str, anna: Actor) -> None:
    first = answer(desk, ticket_id, anna, undo_seconds=0)
    second = answer(desk, ticket_id, anna)
    take_back.undo(ticket_id, second, anna, desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.last_message_id) == ("pending", None, first)


def test_both_of_two_answers_taken_back_in_either_order_restore_the_question(
    desk: Desk, ticket_id: str, anna: Actor
) -> None:
    asked = tickets.get(ticket_id)
    for order in (0, 1):
        both = [answer(desk, ticket_id, anna), answer(desk, ticket_id, anna)]
        for message_id in both[::-1] if order else both:
            take_back.undo(ticket_id, message_id, anna, desk.now)
        ticket = tickets.get(ticket_id)
        assert (ticket.waiting_since, ticket.last_message_id) == (asked.waiting_since, asked.last_message_id)
        assert ticket.status == "open"


def test_a_customer_who_wrote_meanwhile_has_waited_since_the_first_question(
    desk: Desk, ticket_id: str, anna: Actor
) -> None:
    asked = tickets.get(ticket_id)
    message_id = answer(desk, ticket_id, anna)
    again = mail(desk, 2, thread_keys=("mid:1@example.com",), text="Hello?")
    newer = receive_message.receive(again, envelope(desk, "o2"), desk.advance(seconds=1))
    take_back.undo(ticket_id, message_id, anna, desk.advance(seconds=1))
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.last_message_id) == (
        "open", asked.waiting_since, newer.message_id,
    )  # fmt: skip


@pytest.mark.parametrize("status", ["open", "spam"])
def test_what_a_colleague_changed_since_stays(desk: Desk, ticket_id: str, anna: Actor, status: Status) -> None:
    message_id = answer(desk, ticket_id, anna)
    change(ticket_id, desk.actor("ben"), Changes(priority="urgent", status=status), desk.now)
    take_back.undo(ticket_id, message_id, anna, desk.advance(seconds=1))
    ticket = tickets.get(ticket_id)
    assert (ticket.priority, ticket.status) == ("urgent", status)


def test_a_forward_taken_back_is_a_forward_again_and_changes_nobodys_waiting(
    desk: Desk, ticket_id: str, anna: Actor
) -> None:
    waiting_since = tickets.get(ticket_id).waiting_since
    message_id = answer(desk, ticket_id, anna, to=(Party("", "supplier@factory.example"),), forward=True)
    draft = take_back.undo(ticket_id, message_id, anna, desk.now)
    assert draft is not None and draft.forward
    assert tickets.get(ticket_id).waiting_since == waiting_since


def test_a_very_long_answer_can_be_taken_back_too(desk: Desk, ticket_id: str, anna: Actor) -> None:
    long_text = "👋" * MAX_TEXT_CHARS
    message_id = reply(ticket_id, anna, Reply(long_text, undo_seconds=30), desk.advance(seconds=1)).id
    draft = take_back.undo(ticket_id, message_id, anna, desk.now + timedelta(seconds=2))
    assert draft is not None and draft.text == long_text
    assert messages.get_delivery(ticket_id, message_id).state == "cancelled"
