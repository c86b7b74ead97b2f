"""Answers, notes, taking back, and what a send can end as."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.message import Inbound, Outbound, Party, Sent, StateChange
from chalicelib.domain.people import Actor
from chalicelib.errors import Conflict, InvalidInput, Refused, Unclear
from chalicelib.services import (
    breaker,
    deliver_message,
    drafts,
    notices,
    receive_message,
    record_state,
    reply_to_ticket,
    send_again,
    take_back,
)
from chalicelib.services.deliver_message import Claimed, NotNow
from chalicelib.services.receive_message import Envelope
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import lists, messages, sources, tickets
from chalicelib.store.lists import ListName
from tests.engine import Desk

pytestmark = pytest.mark.engine


def claim(ticket_id: str, message_id: str, at: datetime) -> Claimed | NotNow:
    ready = deliver_message.prepare(ticket_id, message_id, at)
    return ready if isinstance(ready, NotNow) else deliver_message.claim(ready, at)


@pytest.fixture
def ticket_id(desk: Desk) -> str:
    mail = Inbound(
        "fp", Party("Ada", "ada@example.com"), desk.now, "Where?", "Where is it?", own_keys=("mid:1@example.com",),
        to=(Party("", "support@shop.example"),), cc=(Party("", "bob@example.com"),), references=("<1@example.com>",),
    )  # fmt: skip
    receipt = receive_message.receive(mail, Envelope("o1", "kept/o1", desk.now, desk.inbox(), "2026-11-20"), desk.now)
    return receipt.ticket_id or ""


@pytest.fixture
def lina(desk: Desk) -> Actor:
    return desk.actor("lina", signature="Lina\nNorthwind Mugs")


def answered(desk: Desk, ticket_id: str, lina: Actor, **values: Any) -> str:
    wanted = replace(Reply("It left today.", undo_seconds=0), **values)
    return reply_to_ticket.reply(ticket_id, lina, wanted, desk.advance(minutes=1)).id


def test_an_answer_goes_to_those_of_the_message_answered_and_nobody_else(
    desk: Desk, ticket_id: str, lina: Actor
) -> None:
    message = messages.get(ticket_id, answered(desk, ticket_id, lina))
    assert [each.address for each in message.to] == ["ada@example.com"]
    assert [each.address for each in message.cc] == ["bob@example.com"]
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.assignee_id) == ("pending", None, "lina")
    assert message.delivery is not None and message.delivery.state == "queued"


def test_the_same_seed_says_it_once(desk: Desk, ticket_id: str, lina: Actor) -> None:
    first = reply_to_ticket.reply(ticket_id, lina, Reply("Once."), desk.now, seed="key-1")
    again = reply_to_ticket.reply(ticket_id, lina, Reply("Once."), desk.advance(seconds=9), seed="key-1")
    assert again.id == first.id and tickets.get(ticket_id).message_count == 2


def test_an_answer_on_stale_state_is_stopped_until_the_agent_says_send_anyway(
    desk: Desk, ticket_id: str, lina: Actor
) -> None:
    seen = tickets.get(ticket_id).last_message_id
    answered(desk, ticket_id, lina, last_seen_message_id=seen)
    with pytest.raises(Conflict) as conflict:
        answered(desk, ticket_id, desk.actor("ken"), last_seen_message_id=seen)
    assert conflict.value.latest_message_id == tickets.get(ticket_id).last_message_id
    assert answered(desk, ticket_id, desk.actor("ken"), last_seen_message_id=seen, send_anyway=True)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Reply("  "), "text"),
        (Reply("x", to=(Party("", "nobody"),)), "to"),
        (Reply("x", to=()), "to"),
        (Reply("x", undo_seconds=900), "undo_seconds"),
        (Reply("x", attachment_ids=("f1",)), "attachments"),
        (Reply("x", forward=True), "to"),
    ],
)
def test_what_cannot_be_sent_says_beside_which_field_and_writes_nothing(
    desk: Desk, ticket_id: str, lina: Actor, wanted: Reply, field: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        reply_to_ticket.reply(ticket_id, lina, wanted, desk.now)
    assert field in error.value.fields
    assert tickets.get(ticket_id).message_count == 1


def test_taken_back_in_time_nothing_is_sent_and_the_text_is_a_draft_again(
    desk: Desk, ticket_id: str, lina: Actor
) -> None:
    message_id = answered(desk, ticket_id, lina, undo_seconds=10, text="Wrong price.")
    assert isinstance(claim(ticket_id, message_id, desk.now), NotNow)
    draft = take_back.undo(ticket_id, message_id, lina, desk.advance(seconds=3))
    assert draft is not None and draft.text == "Wrong price." and drafts.load(ticket_id, "lina") == draft
    assert claim(ticket_id, message_id, desk.advance(minutes=1)) == NotNow("gone")
    assert tickets.get(ticket_id).waiting_since is not None


def test_too_late_to_take_back_says_so(desk: Desk, ticket_id: str, lina: Actor) -> None:
    message_id = answered(desk, ticket_id, lina)
    assert isinstance(claim(ticket_id, message_id, desk.now), Claimed)
    with pytest.raises(Conflict):
        take_back.undo(ticket_id, message_id, lina, desk.now)


def claimed(desk: Desk, ticket_id: str, lina: Actor, **values: object) -> Claimed:
    found = claim(ticket_id, answered(desk, ticket_id, lina, **values), desk.now)
    assert isinstance(found, Claimed)
    return found


def test_a_claim_is_given_once_and_carries_the_agents_signature(desk: Desk, ticket_id: str, lina: Actor) -> None:
    first = claimed(desk, ticket_id, lina)
    outbound: Outbound = first.outbound
    assert outbound.text == "It left today.\n\n-- \nLina\nNorthwind Mugs"
    assert (outbound.in_reply_to, outbound.references) == ("<1@example.com>", ("<1@example.com>",))
    assert claim(ticket_id, outbound.message_id, desk.now) == NotNow("gone")


def test_sent_notes_the_keys_that_answers_will_name(desk: Desk, ticket_id: str, lina: Actor) -> None:
    held = claimed(desk, ticket_id, lina)
    deliver_message.record_sent(held, Sent("ses-1", ("mid:ours", "ses:ses-1")), desk.now)
    assert messages.get_delivery(ticket_id, held.outbound.message_id).state == "sent"
    assert [each.ticket_id for each in sources.find("ses:ses-1")] == [ticket_id]


def test_a_proven_refusal_comes_again_later_and_a_final_one_opens_the_ticket(
    desk: Desk, ticket_id: str, lina: Actor
) -> None:
    held = claimed(desk, ticket_id, lina)
    again_at = deliver_message.record_refused(held, Refused("slow down", 3), desk.now)
    assert again_at == desk.now + timedelta(seconds=3)
    second = claim(ticket_id, held.outbound.message_id, desk.advance(seconds=4))
    assert isinstance(second, Claimed) and second.attempt == 2
    deliver_message.record_refused(second, Refused("no such sender", None), desk.now)
    delivery, ticket = messages.get_delivery(ticket_id, held.outbound.message_id), tickets.get(ticket_id)
    assert (delivery.state, delivery.reason) == ("failed", "no such sender")
    assert (ticket.status, ticket.undelivered) == ("open", True)
    assert [each.kind for each in notices.of("lina")] == ["undelivered"]


def test_an_unclear_send_is_shown_and_never_sent_again_by_itself(desk: Desk, ticket_id: str, lina: Actor) -> None:
    held = claimed(desk, ticket_id, lina)
    deliver_message.record_unclear(held, Unclear("no answer"), desk.now)
    assert claim(ticket_id, held.outbound.message_id, desk.advance(days=1)) == NotNow("gone")
    assert tickets.get(ticket_id).undelivered
    settled = send_again.settle_unclear(ticket_id, held.outbound.message_id, lina, True, desk.now)
    assert settled.delivery is not None and settled.delivery.state == "sent"


def test_send_again_makes_a_new_message_and_the_first_keeps_its_end(desk: Desk, ticket_id: str, lina: Actor) -> None:
    held = claimed(desk, ticket_id, lina)
    deliver_message.record_unclear(held, Unclear("no answer"), desk.now)
    copy = send_again.settle_unclear(ticket_id, held.outbound.message_id, lina, False, desk.advance(minutes=1))
    assert copy.id != held.outbound.message_id
    assert messages.get_delivery(ticket_id, held.outbound.message_id).reason == "Sent again by Lina."
    with pytest.raises(Conflict):
        send_again.send_again(ticket_id, held.outbound.message_id, lina, desk.now)


def test_a_claim_whose_holder_died_becomes_unclear_after_five_minutes(desk: Desk, ticket_id: str, lina: Actor) -> None:
    held = claimed(desk, ticket_id, lina)
    assert not deliver_message.give_up_on_stuck(ticket_id, held.outbound.message_id, desk.advance(minutes=4))
    assert deliver_message.give_up_on_stuck(ticket_id, held.outbound.message_id, desk.advance(minutes=2))
    assert messages.get_delivery(ticket_id, held.outbound.message_id).state == "unclear"


def test_a_bounce_after_delivery_reopens_once_and_a_late_delivery_does_not_hide_it(
    desk: Desk, ticket_id: str, lina: Actor
) -> None:
    held = claimed(desk, ticket_id, lina)
    deliver_message.record_sent(held, Sent("ses-1", ("mid:ours", "ses:ses-1")), desk.now)
    delivered = StateChange("delivered", desk.now, provider_id="ses-1", event_id="e1")
    bounced = StateChange(
        "bounced", desk.now, provider_id="ses-1", event_id="e2", reason="No such address.", permanent=True,
        recipients=("ada@example.com",),
    )  # fmt: skip
    assert record_state.record(delivered, desk.now)
    assert record_state.record(bounced, desk.now)
    assert not record_state.record(bounced, desk.now)
    assert not record_state.record(replace(delivered, event_id="e3"), desk.now)
    ticket = tickets.get(ticket_id)
    assert (ticket.status, ticket.undelivered) == ("open", True)
    assert len(notices.of("lina")) == 1
    assert [row.id for row in lists.page(ListName("undelivered")).rows] == [ticket_id]
    answered(desk, ticket_id, lina, to=(Party("Ada", "ada@work.example"),))
    assert lists.page(ListName("undelivered")).rows == ()


def test_the_breaker_opens_above_the_limit_tells_the_leaders_once_and_paces_after_a_resume(
    desk: Desk, ticket_id: str, lina: Actor
) -> None:
    desk.agent("dana", role="leader")
    desk.inbox(sends_per_minute=2)
    ids = [answered(desk, ticket_id, lina) for _ in range(5)]
    results = [claim(ticket_id, each, desk.now) for each in ids]
    assert [isinstance(each, Claimed) for each in results] == [True, True, False, False, False]
    assert results[2:] == [NotNow("held")] * 3
    assert [each.kind for each in notices.of("dana")] == ["breaker"]
    assert [inbox.id for inbox, _ in breaker.open_breakers()] == ["support"]
    assert breaker.resume("support", lina, desk.now) and not breaker.resume("support", lina, desk.now)
    assert claim(ticket_id, ids[2], desk.now) == NotNow("early", desk.now + timedelta(minutes=1))
    assert isinstance(claim(ticket_id, ids[2], desk.advance(minutes=1)), Claimed)


def test_a_run_of_failed_sends_opens_the_breaker(desk: Desk, ticket_id: str, lina: Actor) -> None:
    inbox = desk.inbox()
    for _ in range(breaker.FAILURES_TO_OPEN + 1):
        breaker.note_failure(inbox, desk.now)
    assert claim(ticket_id, answered(desk, ticket_id, lina), desk.now) == NotNow("held")
