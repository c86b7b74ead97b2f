"""Answers that must not be given, people who must not be drawn in, and what a repeated send leaves to do."""

from dataclasses import replace

import pytest

from chalicelib.domain.message import Party, StateChange
from chalicelib.domain.people import Actor
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.services import (
    acknowledge,
    add_note,
    attachments,
    deliver_message,
    receive_message,
    record_state,
    send_again,
    take_back,
)
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import messages, objects, tickets
from chalicelib.store.receipts import Receipt
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail

pytestmark = pytest.mark.engine

ADA = Party("Ada", "ada@example.com")


@pytest.fixture
def asked(desk: Desk) -> Receipt:
    return receive_message.receive(mail(desk), envelope(desk), desk.now)


@pytest.fixture
def ticket_id(asked: Receipt) -> str:
    return asked.ticket_id or ""


@pytest.fixture
def anna(desk: Desk) -> Actor:
    return desk.actor("anna")


@pytest.fixture
def ben(desk: Desk) -> Actor:
    return desk.actor("ben")


def test_a_bcc_recipient_who_answers_does_not_join_the_conversation(desk: Desk, ticket_id: str, anna: Actor) -> None:
    carl = Party("Carl", "carl@example.net")
    recall = Reply("Recall of your mug", to=(ADA,), bcc=(carl,), undo_seconds=0)
    sent = reply(ticket_id, anna, recall, desk.advance(minutes=1))
    deliver_message.note_keys(ticket_id, sent.id, "support", ("ses:1",))
    secret = mail(desk, 5, sender=carl, thread_keys=("ses:1",), text="My card number is …")
    received = receive_message.receive(secret, envelope(desk, "o5"), desk.advance(minutes=1))
    assert received.ticket_id != ticket_id
    assert "carl@example.net" not in tickets.get(ticket_id).participants


def test_files_no_mail_can_carry_are_refused_when_the_answer_is_written(
    desk: Desk, ticket_id: str, anna: Actor
) -> None:
    upload = attachments.start_upload(ticket_id, anna, "film.mp4", "video/mp4", 12_000_000, desk.now, b"s")
    objects.put_attachment(f"uploads/{upload.attachment_id}", b"x" * 12_000_000, "video/mp4")
    with pytest.raises(InvalidInput) as error:
        reply(ticket_id, anna, Reply("See the film.", attachment_ids=(upload.attachment_id,)), desk.now)
    assert "a mail carries 10 MB. Send a link instead." in error.value.fields["attachments"]
    assert tickets.get(ticket_id).message_count == 1


def test_half_a_character_becomes_a_replacement_mark_in_an_answer_and_in_a_note(
    desk: Desk, ticket_id: str, anna: Actor
) -> None:
    wanted = Reply("hello \ud83d" + "x" * 3000, to=(Party("Ada \udc00", ADA.address),), undo_seconds=0)
    said = reply(ticket_id, anna, wanted, desk.now)
    assert messages.body_of(messages.get(ticket_id, said.id)).text.startswith("hello \ufffdx")
    assert said.to == (Party("Ada \ufffd", ADA.address),)
    assert add_note.add_note(ticket_id, anna, "half \ud83d!", desk.now).text == "half \ufffd!"
    assert add_note.add_note(ticket_id, anna, "whole \ud83d\ude00", desk.now).text == "whole 😀"


# Somebody wrote meanwhile


def said(text: str, last_seen: str | None = None, send_anyway: bool = False) -> Reply:
    return Reply(text, undo_seconds=0, last_seen_message_id=last_seen, send_anyway=send_anyway)


def test_the_first_answer_of_a_request_repeated_late_stops_a_colleague_who_began_in_between(
    desk: Desk, ticket_id: str, asked: Receipt, anna: Actor, ben: Actor
) -> None:
    annas_post = desk.advance(seconds=10)  # the function dies before the commit
    change(ticket_id, ben, Changes(priority="high"), desk.advance(seconds=10))
    seen_by_ben = tickets.get(ticket_id).last_message_id
    desk.advance(seconds=20)
    first = reply(ticket_id, anna, said("Refund is on its way.", asked.message_id), annas_post, "seed")
    with pytest.raises(Conflict) as conflict:
        reply(ticket_id, ben, said("No refund.", seen_by_ben), desk.advance(seconds=5))
    assert conflict.value.latest_message_id == first.id


def test_a_customer_message_on_its_way_while_the_ticket_is_changed_stops_the_answer(
    desk: Desk, ticket_id: str, ben: Actor
) -> None:
    received = desk.advance(minutes=1)  # SES has it, intake not yet
    change(ticket_id, ben, Changes(priority="high"), desk.advance(seconds=5))
    seen = tickets.get(ticket_id).last_message_id
    late = replace(envelope(desk, "o2"), received_at=received)
    receive_message.receive(mail(desk, 2, thread_keys=("mid:1@example.com",), text="Cancel it."), late, desk.now)
    with pytest.raises(Conflict):
        reply(ticket_id, ben, said("Shipped.", seen), desk.advance(seconds=5))


def test_a_customer_message_that_comes_late_with_an_earlier_time_stops_the_answer(desk: Desk, anna: Actor) -> None:
    early = desk.now
    desk.advance(minutes=5)
    shown = receive_message.receive(mail(desk, 2), envelope(desk, "o2"), desk.now)
    ticket_id = shown.ticket_id or ""
    seen = tickets.get(ticket_id).last_message_id
    late = replace(envelope(desk, "o1"), received_at=early)
    receive_message.receive(mail(desk, 1, thread_keys=("mid:2@example.com",), text="Please CANCEL."), late, desk.now)
    with pytest.raises(Conflict):
        reply(ticket_id, anna, said("Shipped!", seen), desk.advance(minutes=1))


def test_an_answer_far_back_behind_notes_still_stops_a_second_one(
    desk: Desk, ticket_id: str, anna: Actor, ben: Actor
) -> None:
    first = reply(ticket_id, anna, said("Refund is on its way."), desk.advance(seconds=1))
    for n in range(2 * messages.CONVERSATION_PAGE):
        add_note.add_note(ticket_id, anna, f"Asked the warehouse, try {n}.", desk.advance(seconds=1))
    with pytest.raises(Conflict) as conflict:
        reply(ticket_id, ben, said("No refund."), desk.advance(seconds=1))
    assert conflict.value.latest_message_id == first.id


def test_without_last_seen_a_second_answer_to_the_same_question_is_stopped(
    desk: Desk, ticket_id: str, anna: Actor, ben: Actor
) -> None:
    first = reply(ticket_id, anna, said("Refund."), desk.advance(seconds=1))
    with pytest.raises(Conflict) as conflict:
        reply(ticket_id, ben, said("No refund."), desk.advance(seconds=1))
    assert conflict.value.latest_message_id == first.id
    assert reply(ticket_id, anna, said("It takes two days."), desk.advance(seconds=1))
    assert reply(ticket_id, ben, said("No refund.", send_anyway=True), desk.advance(seconds=1))


def test_a_copy_sent_again_does_not_mean_that_a_colleagues_answer_was_seen(
    desk: Desk, ticket_id: str, anna: Actor, ben: Actor
) -> None:
    failed = reply(ticket_id, ben, said("Tomorrow."), desk.now).id
    bounced(desk, ticket_id, failed)
    reply(ticket_id, anna, said("It left today."), desk.advance(seconds=1))
    send_again.send_again(ticket_id, failed, ben, desk.advance(seconds=1), to=(Party("", "ada@home.example"),))
    with pytest.raises(Conflict, match="answered already"):
        reply(ticket_id, ben, said("Any news?"), desk.advance(seconds=1))


def test_what_never_arrived_or_was_taken_back_is_no_answer(desk: Desk, ticket_id: str, anna: Actor, ben: Actor) -> None:
    failed = reply(ticket_id, anna, said("One."), desk.advance(seconds=1))
    messages.move_delivery(ticket_id, failed.id, "failed", ["queued"], desk.now, "No such address.")
    assert reply(ticket_id, ben, replace(said("Two."), undo_seconds=30), desk.advance(seconds=1))


def test_a_forward_is_neither_an_answer_nor_stopped_by_one(desk: Desk, ticket_id: str, anna: Actor, ben: Actor) -> None:
    supplier = (Party("", "supplier@factory.example"),)
    reply(ticket_id, anna, replace(said("Can you look?"), to=supplier, forward=True), desk.advance(seconds=1))
    assert reply(ticket_id, ben, said("We look into it."), desk.advance(seconds=1))
    assert reply(ticket_id, anna, replace(said("And?"), to=supplier, forward=True), desk.advance(seconds=1))


def test_an_agents_own_messages_do_not_stop_her_but_a_colleagues_between_them_does(
    desk: Desk, ticket_id: str, asked: Receipt, anna: Actor, ben: Actor
) -> None:
    seen = asked.message_id
    own = reply(ticket_id, anna, said("One.", seen), desk.advance(seconds=1))
    reply(ticket_id, anna, said("Two.", seen), desk.advance(seconds=1))
    reply(ticket_id, ben, said("Three.", send_anyway=True), desk.advance(seconds=1))
    reply(ticket_id, anna, said("Four.", send_anyway=True), desk.advance(seconds=1))
    with pytest.raises(Conflict):
        reply(ticket_id, anna, said("Five.", own.id), desk.advance(seconds=1))


def test_our_acknowledgement_is_no_answer_and_stops_nobody_whichever_was_seen_last(desk: Desk, anna: Actor) -> None:
    inbox = desk.inbox(acknowledgement="We have it: {number}")
    asked = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    ticket_id, question = asked.ticket_id or "", asked.message_id or ""
    automatic = acknowledge.acknowledge(ticket_id, question, True, desk.advance(seconds=1))
    assert automatic is not None
    assert tickets.get(ticket_id).last_message_id == question
    assert reply(ticket_id, anna, said("It left.", automatic.id), desk.advance(seconds=1))


def test_an_answer_taken_back_meanwhile_does_not_stop_a_colleague_who_saw_it_but_a_new_question_does(
    desk: Desk, ticket_id: str, anna: Actor, ben: Actor
) -> None:
    taken = reply(ticket_id, anna, Reply("Wrong.", undo_seconds=30), desk.advance(seconds=1))
    take_back.undo(ticket_id, taken.id, anna, desk.advance(seconds=1))
    ticket = tickets.get(ticket_id)
    assert ticket.last_message_id == ticket.last_inbound_id
    assert reply(ticket_id, ben, said("Right.", taken.id), desk.advance(seconds=1))
    again = mail(desk, 2, thread_keys=("mid:1@example.com",), text="And now?")
    receive_message.receive(again, envelope(desk, "o2"), desk.advance(seconds=1))
    with pytest.raises(Conflict):
        reply(ticket_id, ben, said("Once more.", taken.id), desk.advance(seconds=1))


# Sent again


def bounced(desk: Desk, ticket_id: str, message_id: str) -> None:
    messages.move_delivery(ticket_id, message_id, "sent", ["queued"], desk.now, settled=True)
    news = StateChange(
        "bounced", desk.now, message_id, f"p{message_id}", reason="No such address.", event_id=f"e{message_id}",
        ticket_id=ticket_id,
    )  # fmt: skip
    assert record_state.record(news, desk.now)


def test_sending_one_of_two_undelivered_messages_again_leaves_the_other_to_do(
    desk: Desk, ticket_id: str, anna: Actor
) -> None:
    both = [reply(ticket_id, anna, said(text), desk.advance(minutes=1)).id for text in ("One.", "Two.")]
    for message_id in both:
        bounced(desk, ticket_id, message_id)
    send_again.send_again(ticket_id, both[0], anna, desk.advance(minutes=1), (ADA,))
    ticket = tickets.get(ticket_id)
    assert (ticket.undelivered, ticket.waiting_since) == (True, None)
    send_again.send_again(ticket_id, both[1], anna, desk.advance(minutes=1), (ADA,))
    assert not tickets.get(ticket_id).undelivered


def test_a_failure_answered_over_long_ago_is_nothing_left_to_do(desk: Desk, ticket_id: str, anna: Actor) -> None:
    first = reply(ticket_id, anna, said("One."), desk.advance(minutes=1))
    bounced(desk, ticket_id, first.id)
    second = reply(ticket_id, anna, replace(said("Two."), to=(ADA,)), desk.advance(minutes=1))
    bounced(desk, ticket_id, second.id)
    send_again.send_again(ticket_id, second.id, anna, desk.advance(minutes=1), (ADA,))
    assert not tickets.get(ticket_id).undelivered


def test_a_customer_who_asked_anew_still_waits_when_an_earlier_answer_is_sent_again(
    desk: Desk, ticket_id: str, anna: Actor
) -> None:
    first = reply(ticket_id, anna, said("One."), desk.advance(minutes=1))
    bounced(desk, ticket_id, first.id)
    again = mail(desk, 3, thread_keys=("mid:1@example.com",), text="A new question")
    asked_anew = desk.advance(minutes=1)
    receive_message.receive(again, envelope(desk, "o3"), asked_anew)
    send_again.send_again(ticket_id, first.id, anna, desk.advance(minutes=1), (ADA,))
    ticket = tickets.get(ticket_id)
    assert (ticket.waiting_since, ticket.undelivered) == (asked_anew, False)
