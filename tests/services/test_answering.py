"""Answers that must not be given, people who must not be drawn in, and what a repeated send leaves to do."""

import pytest

from chalicelib.domain.message import Party
from chalicelib.domain.people import Actor
from chalicelib.errors import InvalidInput
from chalicelib.services import attachments, deliver_message, receive_message, reply_to_ticket
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
    assert reply_to_ticket.add_note(ticket_id, anna, "half \ud83d!", desk.now).text == "half \ufffd!"
    assert reply_to_ticket.add_note(ticket_id, anna, "whole \ud83d\ude00", desk.now).text == "whole 😀"
