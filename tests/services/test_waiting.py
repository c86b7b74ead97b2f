"""Who was not answered waits, whoever brings the ticket back and whatever failed meanwhile."""

import pytest

from chalicelib.domain.message import Party, Sent, StateChange
from chalicelib.domain.people import Actor
from chalicelib.domain.ticket import Status
from chalicelib.errors import Refused, Unclear
from chalicelib.services import deliver_message, notices, receive_message, record_state, take_back
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.deliver_message import Claimed
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import lists, messages, tickets
from chalicelib.store.lists import ListName
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail
from tests.services.test_reply_to_ticket import answered, claim, claimed, lina, ticket_id

__all__ = ["lina", "ticket_id"]
pytestmark = pytest.mark.engine

SUPPLIER = (Party("", "supplier@factory.example"),)


def waiting() -> list[str]:
    return [row.id for row in lists.page(ListName("waiting")).rows]


def asks_again(desk: Desk, n: int = 2) -> None:
    again = mail(desk, n, thread_keys=("mid:1@example.com",), text="And the other one?")
    desk.advance(minutes=1)
    receive_message.receive(again, envelope(desk, f"again{n}"), desk.now)


def sent(desk: Desk, ticket: str, who: Actor, name: str = "s1") -> Claimed:
    held = claimed(desk, ticket, who)
    deliver_message.record_sent(held, Sent(name, (f"ses:{name}",)), desk.now)
    return held


def bounces(desk: Desk, name: str = "s1") -> None:
    assert record_state.record(StateChange("bounced", desk.now, provider_id=name, event_id=f"b-{name}"), desk.now)


def test_a_late_bounce_brings_back_who_asked_anew_and_was_put_away(desk: Desk, ticket_id: str, lina: Actor) -> None:
    sent(desk, ticket_id, lina)
    asks_again(desk)
    since = tickets.get(ticket_id).waiting_since
    change(ticket_id, lina, Changes(status="resolved"), desk.advance(minutes=1))
    bounces(desk)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.set_aside) == ("open", since, None)
    assert since is not None and waiting() == [ticket_id]


@pytest.mark.parametrize("status", ["resolved", "spam", "trash"])
def test_a_forward_that_opens_the_ticket_lets_the_customer_wait_on(
    desk: Desk, ticket_id: str, lina: Actor, status: Status
) -> None:
    since = tickets.get(ticket_id).waiting_since
    change(ticket_id, lina, Changes(status=status), desk.now)
    answered(desk, ticket_id, lina, to=SUPPLIER, forward=True, then_status="open")
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.set_aside) == ("open", since, None)
    assert since is not None and waiting() == [ticket_id]


def test_a_forward_that_failed_brings_back_who_was_put_away_unanswered(desk: Desk, ticket_id: str, lina: Actor) -> None:
    since = tickets.get(ticket_id).waiting_since
    held = claimed(desk, ticket_id, lina, text="Is it true?", to=SUPPLIER, forward=True)
    change(ticket_id, lina, Changes(status="resolved"), desk.now)
    deliver_message.record_refused(held, Refused("no such recipient", None), desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.undelivered, ticket.waiting_since) == ("open", True, since)
    assert since is not None


def test_an_opening_forward_taken_back_puts_the_wait_away_again(desk: Desk, ticket_id: str, lina: Actor) -> None:
    since = tickets.get(ticket_id).waiting_since
    resolved = change(ticket_id, lina, Changes(status="resolved"), desk.now)
    opening = Reply("Is it true?", to=SUPPLIER, forward=True, then_status="open", undo_seconds=30)
    take_back.undo(ticket_id, reply(ticket_id, lina, opening, desk.now).id, lina, desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.set_aside) == ("resolved", None, resolved.set_aside)
    assert change(ticket_id, lina, Changes(status="open"), desk.now).waiting_since == since is not None


def test_a_forward_that_resolves_the_ticket_puts_the_wait_away(desk: Desk, ticket_id: str, lina: Actor) -> None:
    since = tickets.get(ticket_id).waiting_since
    answered(desk, ticket_id, lina, to=SUPPLIER, forward=True, then_status="resolved")
    assert tickets.get(ticket_id).waiting_since is None
    assert change(ticket_id, lina, Changes(status="open"), desk.now).waiting_since == since is not None


@pytest.mark.parametrize("brought_back", ["by hand", "the forward is taken back"])
def test_an_answer_taken_back_from_a_ticket_that_a_forward_resolved_lets_the_customer_wait(
    desk: Desk, ticket_id: str, lina: Actor, brought_back: str
) -> None:
    """Seed 8003651: neither the answer nor the forward remembered that somebody waited without both."""
    since = tickets.get(ticket_id).waiting_since
    first = answered(desk, ticket_id, lina, undo_seconds=30)
    forward = answered(desk, ticket_id, lina, to=SUPPLIER, forward=True, then_status="resolved", undo_seconds=30)
    second = answered(desk, ticket_id, lina, undo_seconds=30)
    take_back.undo(ticket_id, first, lina, desk.now)
    take_back.undo(ticket_id, second, lina, desk.now)
    assert (tickets.get(ticket_id).status, tickets.get(ticket_id).waiting_since) == ("resolved", None)
    if brought_back == "by hand":
        change(ticket_id, lina, Changes(status="open"), desk.now)
    else:
        take_back.undo(ticket_id, forward, lina, desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.waiting_since) == ("open", since)
    assert since is not None and waiting() == [ticket_id]


def test_an_answer_that_opens_the_ticket_ends_the_wait(desk: Desk, ticket_id: str, lina: Actor) -> None:
    change(ticket_id, lina, Changes(status="resolved"), desk.now)
    answered(desk, ticket_id, lina, then_status="open")
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.waiting_since, waiting()) == ("open", None, [])


def test_an_answer_taken_back_after_a_colleague_opened_the_ticket_lets_the_customer_wait(
    desk: Desk, ticket_id: str, lina: Actor
) -> None:
    since = tickets.get(ticket_id).waiting_since
    change(ticket_id, lina, Changes(status="resolved"), desk.now)
    message_id = answered(desk, ticket_id, lina, undo_seconds=30)
    change(ticket_id, desk.actor("ben"), Changes(status="open"), desk.now)
    assert tickets.get(ticket_id).waiting_since is None
    take_back.undo(ticket_id, message_id, lina, desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.set_aside) == ("open", since, None)
    assert since is not None and waiting() == [ticket_id]


def test_repair_flags_a_message_whose_flag_was_never_laid_though_another_ones_was(
    desk: Desk, ticket_id: str, lina: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(desk, ticket_id, lina)
    asks_again(desk)
    since = tickets.get(ticket_id).waiting_since
    second = claim(ticket_id, answered(desk, ticket_id, lina), desk.now)
    assert isinstance(second, Claimed)
    bounces(desk)  # the first one, late
    before = notices.of("lina")
    with monkeypatch.context() as dying:
        dying.setattr(deliver_message, "flag_undelivered", _dies)
        with pytest.raises(KeyboardInterrupt):
            deliver_message.record_unclear(second, Unclear("no answer"), desk.now)
    message_id = second.outbound.message_id
    assert tickets.get(ticket_id).undelivered and tickets.get(ticket_id).waiting_since is None
    deliver_message.finish_interrupted(ticket_id, message_id, desk.advance(minutes=5))
    ticket, delivery = tickets.get(ticket_id), messages.delivery_state(ticket_id, message_id)
    assert (ticket.status, ticket.undelivered, ticket.waiting_since) == ("open", True, since)
    assert len(notices.of("lina")) == len(before) + 1 and since is not None
    assert delivery is not None and delivery.state == "unclear" and not delivery.time_key


def _dies(*_: object) -> None:
    raise KeyboardInterrupt
