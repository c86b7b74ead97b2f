"""What providers report, and what it does to the ticket."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any, Literal

import pytest

from chalicelib.domain.message import Party, Sent, StateChange
from chalicelib.domain.people import Actor
from chalicelib.errors import Refused, Unclear
from chalicelib.jobs import outbound
from chalicelib.services import acknowledge, breaker, deliver_message, notices, record_state, send_again, take_back
from chalicelib.services.change_ticket import Changes, block_sender, change
from chalicelib.services.deliver_message import Claimed
from chalicelib.store import customers, messages, tickets
from tests.engine import Desk
from tests.services.test_reply_to_ticket import answered, claim, claimed, lina, ticket_id

__all__ = ["lina", "ticket_id"]
pytestmark = pytest.mark.engine


def unclear(desk: Desk, ticket: str, who: Actor) -> Claimed:
    held = claimed(desk, ticket, who)
    deliver_message.record_unclear(held, Unclear("no answer"), desk.now)
    return held


def delivered(held: Claimed) -> StateChange:
    """What the provider says once the mail is at the recipient's."""
    sent = held.outbound
    return StateChange("delivered", sent.at, our_message_id=sent.message_id, ticket_id=sent.ticket_id, event_id="e1")


def test_who_was_answered_by_a_message_that_failed_waits_again(desk: Desk, ticket_id: str, lina: Actor) -> None:
    waited = tickets.get(ticket_id).waiting_since
    held = claimed(desk, ticket_id, lina)
    assert tickets.get(ticket_id).waiting_since is None
    deliver_message.record_refused(held, Refused("no such sender", None), desk.now)
    assert tickets.get(ticket_id).waiting_since == waited


@pytest.mark.parametrize("proof", ["agent", "event"])
def test_an_unclear_message_that_arrived_leaves_no_mark(desk: Desk, ticket_id: str, lina: Actor, proof: str) -> None:
    held = unclear(desk, ticket_id, lina)
    if proof == "agent":
        send_again.settle_unclear(ticket_id, held.outbound.message_id, lina, True, desk.now)
    else:
        assert record_state.record(delivered(held), desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.undelivered, ticket.waiting_since) == (False, None)


def test_a_mail_that_arrived_after_a_doubt_and_came_back_then_is_on_the_list(
    desk: Desk, ticket_id: str, lina: Actor
) -> None:
    """Seeds 6000300 and 6000659: the doubt's flag hid that its ticket carried none any more."""
    held = unclear(desk, ticket_id, lina)
    assert record_state.record(replace(delivered(held), state="sent", event_id="e0"), desk.now)
    assert not tickets.get(ticket_id).undelivered
    assert record_state.record(replace(delivered(held), state="bounced", event_id="e2", permanent=True), desk.now)
    assert tickets.get(ticket_id).undelivered


@pytest.mark.parametrize(("holder", "name"), [(record_state, "note_arrival"), (tickets, "put_changed")])
def test_a_mail_that_comes_back_while_its_arrival_is_noted_lets_the_customer_wait(
    desk: Desk, ticket_id: str, lina: Actor, monkeypatch: pytest.MonkeyPatch, holder: ModuleType, name: str
) -> None:
    """Seed 8004090: the slower "sent" was noted behind the bounce, and nobody waited any more."""
    since = tickets.get(ticket_id).waiting_since
    held = unclear(desk, ticket_id, lina)
    bounced = replace(delivered(held), state="bounced", event_id="e2", permanent=True)
    meanwhile(monkeypatch, holder, name, lambda: record_state.record(bounced, desk.now))
    record_state.record(replace(delivered(held), state="sent", event_id="e0"), desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.undelivered, ticket.waiting_since) == ("open", True, since)


def test_a_doubt_that_was_first_late_and_then_over_leaves_no_mark(desk: Desk, ticket_id: str, lina: Actor) -> None:
    held = unclear(desk, ticket_id, lina)
    assert record_state.record(replace(delivered(held), state="delayed", event_id="e0"), desk.now)
    assert tickets.get(ticket_id).undelivered
    assert record_state.record(delivered(held), desk.now)
    assert not tickets.get(ticket_id).undelivered


def meanwhile(monkeypatch: pytest.MonkeyPatch, holder: ModuleType, name: str, act: Callable[[], object]) -> None:
    """``act`` happens once, right before ``name`` is called."""
    real, done = getattr(holder, name), list[object]()

    def called(*arguments: Any, **named: Any) -> Any:
        if not done:
            done.append(name)
            done.append(act())
        return real(*arguments, **named)

    monkeypatch.setattr(holder, name, called)


MOMENTS = [(deliver_message, "flag_undelivered"), (tickets, "put_changed")]
"""Before the flag is laid, and between its reading and its writing."""


@pytest.mark.parametrize(("holder", "name"), MOMENTS)
def test_a_proof_of_arrival_that_overtakes_the_doubt_leaves_no_flag(
    desk: Desk, ticket_id: str, lina: Actor, monkeypatch: pytest.MonkeyPatch, holder: ModuleType, name: str
) -> None:
    held = claimed(desk, ticket_id, lina)
    meanwhile(monkeypatch, holder, name, lambda: record_state.record(delivered(held), desk.now))
    deliver_message.record_unclear(held, Unclear("no answer"), desk.now)
    ticket, delivery = tickets.get(ticket_id), messages.delivery_state(ticket_id, held.outbound.message_id)
    assert (ticket.status, ticket.undelivered, ticket.waiting_since) == ("pending", False, None)
    assert notices.of("lina") == ()
    assert delivery is not None and delivery.state == "delivered" and not delivery.time_key


@pytest.mark.parametrize(("holder", "name"), MOMENTS)
def test_a_copy_sent_before_the_flag_was_laid_leaves_none(
    desk: Desk, ticket_id: str, lina: Actor, monkeypatch: pytest.MonkeyPatch, holder: ModuleType, name: str
) -> None:
    held = claimed(desk, ticket_id, lina)
    sent = held.outbound.message_id
    meanwhile(monkeypatch, holder, name, lambda: send_again.send_again(ticket_id, sent, lina, desk.now))
    deliver_message.record_unclear(held, Unclear("no answer"), desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.undelivered, ticket.waiting_since) == (False, None)


def test_the_flag_takes_the_pending_mark_off(desk: Desk, ticket_id: str, lina: Actor) -> None:
    held = unclear(desk, ticket_id, lina)
    delivery = messages.delivery_state(ticket_id, held.outbound.message_id)
    assert tickets.get(ticket_id).undelivered
    assert delivery is not None and delivery.state == "unclear" and not (delivery.time_key or delivery.time_at)


SUPPLIER = (Party("", "supplier@factory.example"),)


@pytest.mark.parametrize("proof", ["agent", "event"])
def test_a_forward_that_arrived_answers_nobody(desk: Desk, ticket_id: str, lina: Actor, proof: str) -> None:
    waited = tickets.get(ticket_id).waiting_since
    held = claimed(desk, ticket_id, lina, text="Is it true?", to=SUPPLIER, forward=True)
    deliver_message.record_unclear(held, Unclear("no answer"), desk.now)
    if proof == "agent":
        send_again.settle_unclear(ticket_id, held.outbound.message_id, lina, True, desk.now)
    else:
        assert record_state.record(delivered(held), desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.undelivered, ticket.waiting_since) == (False, waited)
    assert waited is not None


def acknowledged(desk: Desk, ticket: str) -> Claimed:
    """The acknowledgement of the customer's message, on its way."""
    desk.inbox(acknowledgement="Thank you.")
    sent = acknowledge.acknowledge(ticket, tickets.get(ticket).last_inbound_id, True, desk.now)
    assert sent is not None
    held = claim(ticket, sent.id, desk.now)
    assert isinstance(held, Claimed)
    return held


def test_an_acknowledgement_that_arrived_answers_nobody(desk: Desk, ticket_id: str, lina: Actor) -> None:
    waited = tickets.get(ticket_id).waiting_since
    held = acknowledged(desk, ticket_id)
    deliver_message.record_unclear(held, Unclear("no answer"), desk.now)
    assert record_state.record(delivered(held), desk.now)
    assert tickets.get(ticket_id).waiting_since == waited is not None


def test_the_copy_of_an_acknowledgement_answers_nobody_either(desk: Desk, ticket_id: str, lina: Actor) -> None:
    waited = tickets.get(ticket_id).waiting_since
    held = acknowledged(desk, ticket_id)
    deliver_message.record_refused(held, Refused("no", None), desk.now)
    copy = send_again.send_again(ticket_id, held.outbound.message_id, lina, desk.advance(seconds=1))
    again = claim(ticket_id, copy.id, desk.now)
    assert isinstance(again, Claimed)
    deliver_message.record_unclear(again, Unclear("no answer"), desk.now)
    assert record_state.record(delivered(again), desk.now)
    assert tickets.get(ticket_id).waiting_since == waited is not None


@pytest.mark.parametrize("proof", ["agent", "event"])
def test_who_resolves_before_the_message_arrived_finds_nobody_waiting_later(
    desk: Desk, ticket_id: str, lina: Actor, proof: str
) -> None:
    held = unclear(desk, ticket_id, lina)
    change(ticket_id, lina, Changes(status="resolved"), desk.now)
    if proof == "agent":
        send_again.settle_unclear(ticket_id, held.outbound.message_id, lina, True, desk.now)
    else:
        assert record_state.record(delivered(held), desk.now)
    assert change(ticket_id, lina, Changes(status="open"), desk.now).waiting_since is None


def test_the_copy_of_an_answer_ends_the_wait_that_was_set_aside(desk: Desk, ticket_id: str, lina: Actor) -> None:
    held = unclear(desk, ticket_id, lina)
    change(ticket_id, lina, Changes(status="resolved"), desk.now)
    send_again.send_again(ticket_id, held.outbound.message_id, lina, desk.advance(seconds=1))
    assert change(ticket_id, lina, Changes(status="open"), desk.now).waiting_since is None


def test_a_forward_that_failed_makes_nobody_wait(desk: Desk, ticket_id: str, lina: Actor) -> None:
    answered(desk, ticket_id, lina)
    held = claimed(desk, ticket_id, lina, text="Is it true?", to=SUPPLIER, forward=True)
    change(ticket_id, lina, Changes(status="resolved"), desk.now)
    deliver_message.record_refused(held, Refused("no such recipient", None), desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.undelivered, ticket.waiting_since) == ("open", True, None)


def test_a_forward_sent_again_lets_the_customer_wait_on(desk: Desk, ticket_id: str, lina: Actor) -> None:
    waited = tickets.get(ticket_id).waiting_since
    held = claimed(desk, ticket_id, lina, text="Is it true?", to=SUPPLIER, forward=True)
    deliver_message.record_refused(held, Refused("no such recipient", None), desk.now)
    send_again.send_again(ticket_id, held.outbound.message_id, lina, desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.undelivered, ticket.waiting_since) == (False, waited)


def test_a_bounce_of_a_second_recipient_is_noted_too(desk: Desk, ticket_id: str, lina: Actor) -> None:
    desk.inbox()
    for name in ("ada@example.com", "bob@example.com"):
        customers.mark_handle(f"email:{name}", unreachable="")
    held = claimed(desk, ticket_id, lina)
    deliver_message.record_sent(held, Sent("s1", ("mid:1", "ses:s1")), desk.now)
    first = StateChange(
        "bounced", desk.now, provider_id="s1", event_id="e1", reason="Ada is unknown.", permanent=True,
        recipients=("ada@example.com",),
    )  # fmt: skip
    second = replace(first, event_id="e2", reason="Bob is unknown.", recipients=("bob@example.com",))
    assert record_state.record(first, desk.now) and record_state.record(second, desk.now)
    assert not record_state.record(second, desk.now)
    reason = messages.get_delivery(ticket_id, held.outbound.message_id).reason
    assert reason == "Ada is unknown. Bob is unknown."


def test_a_bounce_marks_only_addresses_that_were_written_to(desk: Desk, ticket_id: str, lina: Actor) -> None:
    held = claimed(desk, ticket_id, lina, cc=())
    deliver_message.record_sent(held, Sent("s1", ("mid:1", "ses:s1")), desk.now)
    forged = StateChange(
        "bounced", desk.now, provider_id="s1", event_id="e1", reason="Gone.", permanent=True,
        recipients=("zoe@example.com", "ada@example.com"),
    )  # fmt: skip
    record_state.record(forged, desk.now)
    ada = customers.get(tickets.get(ticket_id).customer_id)
    assert (ada.unreachable_handles, ada.blocked) == (("email:ada@example.com",), False)
    events = [each.event for each in messages.newest(ticket_id).messages if each.author_kind == "system"]
    assert events == [{"status": "open"}]


def test_a_blocked_sender_shows_as_blocked(desk: Desk, ticket_id: str, lina: Actor) -> None:
    block_sender(ticket_id, lina, desk.now)
    assert customers.get(tickets.get(ticket_id).customer_id).blocked


def test_taken_back_the_list_shows_the_question_again(desk: Desk, ticket_id: str, lina: Actor) -> None:
    message_id = answered(desk, ticket_id, lina, undo_seconds=10, text="Wrong price.")
    assert tickets.get(ticket_id).snippet == "Wrong price."
    take_back.undo(ticket_id, message_id, lina, desk.now)
    assert tickets.get(ticket_id).snippet == "Where is it?"


def test_an_acknowledgement_that_is_refused_opens_nothing(desk: Desk, ticket_id: str, lina: Actor) -> None:
    desk.inbox(acknowledgement="Thank you.")
    sent = acknowledge.acknowledge(ticket_id, tickets.get(ticket_id).last_inbound_id, True, desk.now)
    assert sent is not None
    change(ticket_id, lina, Changes(status="closed"), desk.now)
    held = claim(ticket_id, sent.id, desk.now)
    assert isinstance(held, Claimed)
    deliver_message.record_refused(held, Refused("no", None), desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.undelivered) == ("closed", False)


def test_what_was_said_to_third_parties_is_never_quoted_to_the_customer(
    desk: Desk, ticket_id: str, lina: Actor
) -> None:
    answered(desk, ticket_id, lina, text="Is it true?", to=(Party("", "supplier@factory.example"),), forward=True)
    last = answered(desk, ticket_id, lina, to=(Party("Ada", "ada@example.com"),), quote_history=True)
    held = claim(ticket_id, last, desk.now)
    assert isinstance(held, Claimed)
    assert "Where is it?" in held.outbound.quoted and "Is it true?" not in held.outbound.quoted


def test_secrets_away_leaves_the_message_queued(
    desk: Desk, ticket_id: str, lina: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib import wiring

    def away(name: str) -> str:
        raise ConnectionError("SSM is away")

    message_id = answered(desk, ticket_id, lina)
    monkeypatch.setattr(wiring, "secret", away)
    body = f'{{"kind": "deliver", "ticket": "{ticket_id}", "message": "{message_id}", "attempts": "0"}}'
    answer = outbound.deliver({"Records": [{"body": body, "messageId": "1"}]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert messages.get_delivery(ticket_id, message_id).state == "queued"


def test_a_long_message_whose_body_is_missing_is_never_sent_in_part(desk: Desk, ticket_id: str, lina: Actor) -> None:
    message_id = answered(desk, ticket_id, lina, text="long " * 1000)
    desk.client("dynamodb").delete_item(
        TableName="test-table", Key={"pk": {"S": f"TICKET#{ticket_id}"}, "sk": {"S": f"BODY#{message_id}"}}
    )
    body = f'{{"kind": "deliver", "ticket": "{ticket_id}", "message": "{message_id}", "attempts": "0"}}'
    answer = outbound.deliver({"Records": [{"body": body, "messageId": "1"}]}, None)
    assert answer["batchItemFailures"]


def test_bounces_that_come_by_mail_stop_no_inbox(desk: Desk, ticket_id: str, lina: Actor) -> None:
    """Whoever got one of our mails can write a report that names as many recipients as they like."""
    held = claimed(desk, ticket_id, lina)
    deliver_message.record_sent(held, Sent("ses-1", ("ses:ses-1",)), desk.now)
    for n in range(25):
        told = StateChange(
            "bounced", desk.now, our_message_id=held.outbound.message_id, ticket_id=ticket_id, permanent=True,
            recipients=(f"n{n}@gone.example",), reason=f"n{n} could not be reached.", event_id=f"m#{n}", hearsay=True,
        )  # fmt: skip
        record_state.record(told, desk.now)
    assert breaker.state("support") is None
    assert tickets.get(ticket_id).undelivered


def test_a_message_with_many_recipients_that_fails_counts_once(desk: Desk, ticket_id: str, lina: Actor) -> None:
    held = claimed(desk, ticket_id, lina)
    deliver_message.record_sent(held, Sent("ses-1", ("ses:ses-1",)), desk.now)
    for n in range(25):
        told = StateChange(
            "bounced", desk.now, our_message_id=held.outbound.message_id, ticket_id=ticket_id,
            recipients=(f"n{n}@gone.example",), reason=f"n{n} could not be reached.", event_id=f"e{n}",
        )  # fmt: skip
        record_state.record(told, desk.now)
    assert breaker.state("support") is None


@pytest.mark.parametrize("state", ["sent", "delivered"])
def test_an_arrival_told_again_after_a_crash_still_settles_the_ticket(
    desk: Desk, ticket_id: str, lina: Actor, monkeypatch: pytest.MonkeyPatch, state: Literal["sent", "delivered"]
) -> None:
    held = unclear(desk, ticket_id, lina)
    told = replace(delivered(held), state=state)
    with monkeypatch.context() as dying:
        dying.setattr(record_state, "note_arrival", _dies)
        with pytest.raises(KeyboardInterrupt):
            record_state.record(told, desk.now)
    assert tickets.get(ticket_id).undelivered
    record_state.record(told, desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.undelivered, ticket.waiting_since) == (False, None)


def _dies(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_bounce_told_again_after_a_crash_flags_a_ticket_that_carries_another_flag(
    desk: Desk, ticket_id: str, lina: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = tickets.get(ticket_id).waiting_since
    held = claimed(desk, ticket_id, lina)
    deliver_message.record_sent(held, Sent("ses-1", ("ses:ses-1",)), desk.now)
    forward = claimed(desk, ticket_id, lina, text="Is it true?", to=SUPPLIER, forward=True)
    deliver_message.record_refused(forward, Refused("no such recipient", None), desk.now)
    assert tickets.get(ticket_id).undelivered
    told = replace(delivered(held), state="bounced", permanent=True, recipients=("lina@customer.example",))
    with monkeypatch.context() as dying:
        dying.setattr(record_state, "flag_undelivered", _dies)
        with pytest.raises(KeyboardInterrupt):
            record_state.record(told, desk.now)
    record_state.record(told, desk.now)
    assert tickets.get(ticket_id).waiting_since == waited is not None


def bounce(held: Claimed, event_id: str = "b1") -> StateChange:
    return replace(delivered(held), state="bounced", event_id=event_id, permanent=True)


def is_pending(held: Claimed) -> bool:
    found = messages.delivery_state(held.outbound.ticket_id, held.outbound.message_id)
    assert found is not None
    return bool(found.time_key)


def test_a_bounce_that_is_never_told_again_is_flagged_by_repair(
    desk: Desk, ticket_id: str, lina: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seed 8109463: a report by mail moved the delivery and died; then it was read from its headers alone."""
    waited = tickets.get(ticket_id).waiting_since
    held = claimed(desk, ticket_id, lina)
    deliver_message.record_sent(held, Sent("ses-1", ("ses:ses-1",)), desk.now)
    with monkeypatch.context() as dying:
        dying.setattr(record_state, "flag_undelivered", _dies)
        with pytest.raises(KeyboardInterrupt):
            record_state.record(bounce(held), desk.now)
    assert not tickets.get(ticket_id).undelivered
    assert is_pending(held)
    deliver_message.finish_interrupted(ticket_id, held.outbound.message_id, desk.advance(minutes=10))
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.undelivered, ticket.waiting_since) == ("open", True, waited)
    assert not is_pending(held)


@pytest.mark.parametrize("before", ["nothing", "a bounce of another recipient", "a copy"])
def test_a_bounce_that_was_dealt_with_is_pending_no_more(desk: Desk, ticket_id: str, lina: Actor, before: str) -> None:
    held = unclear(desk, ticket_id, lina)
    if before == "a bounce of another recipient":
        record_state.record(bounce(held, "b0"), desk.now)
    if before == "a copy":
        send_again.send_again(ticket_id, held.outbound.message_id, lina, desk.now)
    record_state.record(bounce(held), desk.now)
    assert not is_pending(held)


def test_an_acknowledgement_that_came_back_is_pending_no_more(desk: Desk, ticket_id: str) -> None:
    held = acknowledged(desk, ticket_id)
    deliver_message.record_sent(held, Sent("ses-1", ("ses:ses-1",)), desk.now)
    assert record_state.record(bounce(held), desk.now)
    assert not is_pending(held)
