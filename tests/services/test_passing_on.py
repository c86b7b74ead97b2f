"""Files of the conversation go along with a forward: of this ticket alone, and nothing dangerous."""

import pytest

from chalicelib.domain.message import IncomingFile, Party
from chalicelib.domain.people import Actor
from chalicelib.errors import InvalidInput
from chalicelib.services import attachments, drafts, receive_message, take_back
from chalicelib.services.add_note import add_note
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import messages, objects
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail

pytestmark = pytest.mark.engine

FACTORY = (Party("", "factory@supplier.example"),)
FILES = (
    IncomingFile("crack.jpg", "image/jpeg", b"\xff\xd8 crack", "<one@x>", True),
    IncomingFile("bill.pdf", "application/pdf", b"%PDF-1"),
    IncomingFile("run.exe", "application/x-exe", b"MZ"),
)


@pytest.fixture
def anna(desk: Desk) -> Actor:
    return desk.actor("anna")


def received(desk: Desk, n: int = 1) -> tuple[str, str]:
    """Ticket and message."""
    came = receive_message.receive(mail(desk, n, files=FILES), envelope(desk, f"o{n}"), desk.now)
    return came.ticket_id or "", came.message_id or ""


def forward(desk: Desk, ticket_id: str, actor: Actor, *files: str) -> str:
    wanted = Reply("Can you help?", to=FACTORY, forward=True, attachment_ids=files, undo_seconds=30)
    return reply(ticket_id, actor, wanted, desk.advance(seconds=1)).id


def test_a_file_of_the_customer_goes_to_the_third_party_byte_for_byte(desk: Desk, anna: Actor) -> None:
    ticket_id, message_id = received(desk)
    sent = messages.get(ticket_id, forward(desk, ticket_id, anna, f"{message_id}.a1", f"{message_id}.a0"))
    assert [(each.name, each.inline, each.content_id) for each in sent.attachments] == [
        ("bill.pdf", False, None),
        ("crack.jpg", False, None),
    ]
    assert [each.data for each in attachments.contents(sent.attachments)] == [b"%PDF-1", b"\xff\xd8 crack"]
    assert attachments.attachment_of(sent, f"{message_id}.a1").name == "bill.pdf"


def test_no_file_of_another_ticket_and_nothing_dangerous_is_sent_on(desk: Desk, anna: Actor) -> None:
    ticket_id, message_id = received(desk)
    _, foreign = received(desk, 2)
    for file, why in [
        (f"{foreign}.a1", "not part of this conversation"),
        (f"{message_id}.a9", "not part of this conversation"),
        (".", "not part of this conversation"),
        (f"{message_id}.a2", "run.exe: "),
    ]:
        with pytest.raises(InvalidInput) as error:
            forward(desk, ticket_id, anna, file)
        assert why in error.value.fields["attachments"]


def test_offered_is_each_file_once_without_what_is_dangerous_or_in_a_note(desk: Desk, anna: Actor) -> None:
    ticket_id, message_id = received(desk)
    forward(desk, ticket_id, anna, f"{message_id}.a1")
    add_note(ticket_id, anna, "Look.", desk.advance(seconds=1), (f"{message_id}.a0",))
    offers = attachments.offered(messages.newest(ticket_id).messages)
    assert sorted((each.id, each.name) for each in offers) == [
        (f"{message_id}.a0", "crack.jpg"),
        (f"{message_id}.a1", "bill.pdf"),
    ]


def test_a_file_of_a_note_reaches_nobody_by_any_name(desk: Desk, anna: Actor) -> None:
    ticket_id, message_id = received(desk)
    upload = attachments.start_upload(ticket_id, anna, "margins.pdf", "application/pdf", 4, desk.now, b"n")
    objects.put_attachment(f"uploads/{upload.attachment_id}", b"%PDF", "application/pdf")
    files = (upload.attachment_id, f"{message_id}.a1")
    note = add_note(ticket_id, anna, "Ours alone.", desk.advance(seconds=1), files)
    for file in note.attachments:
        with pytest.raises(InvalidInput) as error:
            forward(desk, ticket_id, anna, f"{note.id}.{file.id}")
        assert "not part of this conversation" in error.value.fields["attachments"]
        assert attachments.passed_on(ticket_id, f"{note.id}.{file.id}") is None
    sent = messages.get(ticket_id, forward(desk, ticket_id, anna, f"{message_id}.a1"))  # it stands in the mail as well
    assert [each.name for each in sent.attachments] == ["bill.pdf"]


def test_a_forward_taken_back_has_its_files_again_for_whoever_uses_it(desk: Desk, anna: Actor) -> None:
    ticket_id, message_id = received(desk)
    sent = forward(desk, ticket_id, anna, f"{message_id}.a1")
    take_back.undo(ticket_id, sent, anna, desk.now)
    draft = drafts.load(ticket_id, "anna")
    assert draft is not None
    assert draft.attachment_ids == (f"{message_id}.a1",)
    ben = desk.actor("ben")
    again = messages.get(ticket_id, forward(desk, ticket_id, ben, *draft.attachment_ids))
    assert [each.name for each in again.attachments] == ["bill.pdf"]


def test_a_colleague_may_use_the_files_of_an_answer_that_was_taken_back(desk: Desk, anna: Actor) -> None:
    ticket_id, _ = received(desk)
    upload = attachments.start_upload(ticket_id, anna, "label.pdf", "application/pdf", 4, desk.now, b"s")
    key = f"uploads/{upload.attachment_id}"
    objects.put_attachment(key, b"%PDF", "application/pdf")
    sent = reply(ticket_id, anna, Reply("Here.", attachment_ids=(upload.attachment_id,), undo_seconds=30), desk.now).id
    take_back.undo(ticket_id, sent, desk.actor("ben"), desk.now)
    draft = take_back.draft_of(messages.get(ticket_id, sent), desk.now)
    again = reply(ticket_id, desk.actor("ben"), Reply("Here.", attachment_ids=draft.attachment_ids), desk.now)
    assert [each.key for each in again.attachments] == [key]
