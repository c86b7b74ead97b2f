"""Inbound messages become messages in tickets, once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.message import Inbound, IncomingFile, Party
from chalicelib.services import receive_message
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.receive_message import Envelope
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import lists, messages, receipts, tickets
from tests.engine import Desk

pytestmark = pytest.mark.engine


def mail(desk: Desk, n: int = 1, **values: object) -> Inbound:
    made = Inbound(
        fingerprint=f"fp{n}",
        sender=Party("Ada Example", "ada@example.com"),
        sent_at=desk.now,
        subject="Where is my parcel?",
        text="Order 1042 has not come.",
        own_keys=(f"mid:{n}@example.com",),
        to=(Party("", "support@shop.example"),),
    )
    return replace(made, **values)  # type: ignore[arg-type]


def envelope(desk: Desk, name: str = "o1", **values: object) -> Envelope:
    inbox = values.pop("inbox", None) or desk.inbox()
    return Envelope(name, f"kept/2026/11/20/{name}", desk.now, inbox, "2026-11-20", **values)  # type: ignore[arg-type]


def test_a_first_mail_opens_a_ticket_with_its_message_and_receipt(desk: Desk) -> None:
    receipt = receive_message.receive(mail(desk), envelope(desk), desk.now)
    assert receipt.outcome == "shown" and receipt.new_ticket and receipt.ticket_id
    ticket = tickets.get(receipt.ticket_id)
    assert (ticket.subject, ticket.status, ticket.customer_handle) == ("Where is my parcel?", "open", "ada@example.com")
    assert ticket.waiting_since == desk.now
    assert [each.text for each in messages.newest(ticket.id).messages] == ["Order 1042 has not come."]
    assert receipts.is_pending(receipt.day, receipt.name)


def test_the_same_original_delivered_again_changes_nothing(desk: Desk) -> None:
    where = envelope(desk)
    first = receive_message.receive(mail(desk), where, desk.now)
    again = receive_message.receive(mail(desk), where, desk.advance(seconds=5))
    assert again == first
    assert tickets.get(first.ticket_id or "").message_count == 1


def test_the_same_mail_as_another_original_is_suppressed_with_the_reason(desk: Desk) -> None:
    inbox = desk.inbox()
    receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    again = receive_message.receive(mail(desk), envelope(desk, "o2", inbox=inbox), desk.now)
    assert (again.outcome, again.reason) == ("suppressed", "The same message was received before.")


def test_a_reused_message_id_with_other_content_is_another_message(desk: Desk) -> None:
    inbox = desk.inbox()
    first = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    other = mail(desk, fingerprint="other", text="Your parcel is out for delivery.")
    second = receive_message.receive(other, envelope(desk, "o2", inbox=inbox), desk.now)
    assert second.outcome == "shown" and second.message_id != first.message_id


def test_a_reply_by_the_customer_joins_and_wakes_the_ticket(desk: Desk) -> None:
    inbox, actor = desk.inbox(), desk.actor()
    first = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    change(first.ticket_id or "", actor, Changes(status="resolved"), desk.advance(minutes=1))
    reply = mail(desk, 2, thread_keys=("mid:1@example.com",), text="Still nothing.")
    second = receive_message.receive(reply, envelope(desk, "o2", inbox=inbox), desk.advance(minutes=1))
    assert second.ticket_id == first.ticket_id and not second.new_ticket
    ticket = tickets.get(first.ticket_id or "")
    assert (ticket.status, ticket.message_count, ticket.closed_at) == ("open", 2, None)


def test_a_strangers_reply_opens_a_linked_flagged_ticket(desk: Desk) -> None:
    inbox = desk.inbox()
    first = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    stranger = mail(desk, 2, thread_keys=("mid:1@example.com",), sender=Party("Eve", "eve@example.net"))
    second = receive_message.receive(stranger, envelope(desk, "o2", inbox=inbox), desk.now)
    ticket = tickets.get(second.ticket_id or "")
    assert second.ticket_id != first.ticket_id
    assert ticket.linked_ticket_ids == (first.ticket_id,)
    assert ticket.flags == (f"eve@example.net never took part in ticket {first.ticket_id}.",)


def test_one_mail_to_two_inboxes_is_one_conversation_that_both_see(desk: Desk) -> None:
    one, two = desk.inbox(), desk.inbox(id="sales", address="sales@shop.example", name="Sales")
    first = receive_message.receive(mail(desk), envelope(desk, inbox=one), desk.now)
    second = receive_message.receive(mail(desk), envelope(desk, inbox=two), desk.now)
    assert second.outcome == "shown" and second.ticket_id == first.ticket_id
    ticket = tickets.get(first.ticket_id or "")
    assert (ticket.message_count, ticket.other_inbox_ids) == (1, ("sales",))


def test_with_separated_inboxes_it_is_two_linked_tickets(desk: Desk) -> None:
    one, two = desk.inbox(), desk.inbox(id="sales", address="sales@shop.example", name="Sales", separated=True)
    first = receive_message.receive(mail(desk), envelope(desk, inbox=one), desk.now)
    second = receive_message.receive(mail(desk), envelope(desk, inbox=two), desk.now)
    third = receive_message.receive(mail(desk), envelope(desk, "o9", inbox=two), desk.now)
    assert second.ticket_id != first.ticket_id
    assert tickets.get(second.ticket_id or "").linked_ticket_ids == (first.ticket_id,)
    assert third.outcome == "suppressed"


def test_an_automatic_reply_joins_without_waking_the_ticket(desk: Desk) -> None:
    inbox, actor = desk.inbox(), desk.actor()
    first = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    change(first.ticket_id or "", actor, Changes(status="resolved"), desk.now)
    away = mail(desk, 2, thread_keys=("mid:1@example.com",), mail_kind="auto_reply", may_auto_answer=False)
    receive_message.receive(away, envelope(desk, "o2", inbox=inbox), desk.advance(minutes=1))
    assert tickets.get(first.ticket_id or "").status == "resolved"


@pytest.mark.parametrize(
    ("values", "outcome"),
    [({"refused": "It carries a virus."}, "quarantined"), ({"suppressed": "Our own mail came back."}, "suppressed")],
)
def test_what_is_kept_out_leaves_a_receipt_with_its_reason(desk: Desk, values: dict[str, str], outcome: str) -> None:
    receipt = receive_message.receive(mail(desk, **values), envelope(desk), desk.now)
    assert (receipt.outcome, receipt.reason) == (outcome, next(iter(values.values())))


def test_spam_is_shown_in_the_spam_list_and_nobody_waits(desk: Desk) -> None:
    receipt = receive_message.receive(mail(desk, spam="SES judged it spam."), envelope(desk), desk.now)
    ticket = tickets.get(receipt.ticket_id or "")
    assert (ticket.status, ticket.waiting_since) == ("spam", None)
    page = lists.page(lists.ListName("spam", f"{desk.now:%Y-%m}"))
    assert [row.id for row in page.rows] == [ticket.id]


def test_files_are_stored_byte_for_byte_and_dangerous_ones_are_flagged(desk: Desk) -> None:
    files = (
        IncomingFile("bill.pdf", "application/pdf", b"%PDF-1"),
        IncomingFile("run.exe", "application/x-exe", b"MZ"),
    )
    receipt = receive_message.receive(mail(desk, files=files), envelope(desk), desk.now)
    stored = messages.get(receipt.ticket_id or "", receipt.message_id or "").attachments
    assert [each.warning for each in stored] == [None, "Files of this type can run programs."]
    body = desk.client("s3").get_object(Bucket="test-attachments", Key=stored[0].key)["Body"].read()
    assert body == b"%PDF-1"


def test_lists_hold_each_ticket_once_in_a_stable_order_over_pages(desk: Desk) -> None:
    inbox = desk.inbox()
    made = []
    for n in range(23):
        sender = Party("", f"p{n}@example.com")
        receipt = receive_message.receive(
            mail(desk, n, sender=sender), envelope(desk, f"o{n}", inbox=inbox), desk.now + timedelta(seconds=n)
        )
        made.append(receipt.ticket_id)
        desk.advance(seconds=1)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = lists.page(lists.ListName("open"), cursor=cursor, limit=5)
        seen += [row.id for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert seen == list(reversed(made))
    waiting = lists.page(lists.ListName("waiting"), limit=50)
    assert [row.id for row in waiting.rows] == made


def test_our_own_words_coming_back_are_no_new_text_whatever_the_language(desk: Desk) -> None:
    inbox, actor = desk.inbox(), desk.actor()
    first = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    ours = "Your parcel left our warehouse this morning with the number 00340434161094027318."
    reply(first.ticket_id or "", actor, Reply(ours, undo_seconds=0), desk.advance(minutes=1))
    said = mail(desk, 2, thread_keys=("mid:1@example.com",), text=f"Dank je!\n\nqwx zyx blah:\n{ours}")
    second = receive_message.receive(said, envelope(desk, "o2", inbox=inbox), desk.advance(minutes=1))
    stored = messages.get(second.ticket_id or "", second.message_id or "")
    assert ours not in stored.text and stored.text.startswith("Dank je!")
    assert ours in messages.body_of(stored).full_text
