"""Inbound messages become messages in tickets, once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import botocore.client
import pytest

from chalicelib.domain import threading
from chalicelib.domain.message import Inbound, IncomingFile, Message, Party
from chalicelib.domain.ticket import Status
from chalicelib.services import originals, receive_message
from chalicelib.services.change_ticket import Changes, block_sender, change, restore
from chalicelib.services.receive_message import Envelope
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import documents, lists, messages, receipts, tickets
from chalicelib.store.receipts import Receipt
from tests.engine import Desk

pytestmark = pytest.mark.engine


def mail(desk: Desk, n: int = 1, **values: Any) -> Inbound:
    made = Inbound(
        fingerprint=f"fp{n}",
        sender=Party("Ada Example", "ada@example.com"),
        sent_at=desk.now,
        subject="Where is my parcel?",
        text="Order 1042 has not come.",
        own_keys=(f"mid:{n}@example.com",),
        to=(Party("", "support@shop.example"),),
    )
    return replace(made, **values)


def envelope(desk: Desk, name: str = "o1", **values: Any) -> Envelope:
    inbox = values.pop("inbox", None) or desk.inbox()
    return Envelope(name, f"kept/2026/11/20/{name}", desk.now, inbox, "2026-11-20", **values)


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


def test_a_number_that_names_no_ticket_and_a_token_of_none_lead_nowhere(desk: Desk) -> None:
    known = receive_message.receive(mail(desk), envelope(desk), desk.now).ticket_id
    astray = mail(desk, 2, number_in_subject="999999", ticket_token="999998", thread_keys=("mid:1@example.com",))
    assert receive_message.receive(astray, envelope(desk, "o2"), desk.now).ticket_id == known


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
def test_what_is_kept_out_leaves_a_receipt_with_its_reason(desk: Desk, values: dict[str, Any], outcome: str) -> None:
    receipt = receive_message.receive(mail(desk, **values), envelope(desk), desk.now)
    assert (receipt.outcome, receipt.reason) == (outcome, next(iter(values.values())))


def test_spam_is_shown_in_the_spam_list_and_nobody_waits(desk: Desk) -> None:
    receipt = receive_message.receive(mail(desk, spam="SES judged it spam."), envelope(desk), desk.now)
    ticket = tickets.get(receipt.ticket_id or "")
    assert (ticket.status, ticket.waiting_since) == ("spam", None)
    page = lists.page(lists.ListName("spam", f"{desk.now:%Y-%m}"))
    assert [row.id for row in page.rows] == [ticket.id]


def test_a_reply_that_looks_like_spam_is_shown_where_people_look_and_says_so(desk: Desk) -> None:
    inbox, actor = desk.inbox(), desk.actor()
    first = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    change(first.ticket_id or "", actor, Changes(status="resolved"), desk.advance(minutes=1))
    tickets.mark_seen(first.ticket_id or "", actor.id)
    desk.advance(minutes=1)
    reply = mail(desk, 2, thread_keys=("mid:1@example.com",), text="Still nothing.", spam="SES judged it spam.")
    second = receive_message.receive(reply, envelope(desk, "o2", inbox=inbox), desk.now)
    loaded = tickets.load(first.ticket_id or "")
    assert (loaded.ticket.status, loaded.ticket.waiting_since) == ("open", desk.now)
    assert (loaded.ticket.snippet, loaded.seen_by) == ("Still nothing.", frozenset())
    assert [row.id for row in lists.page(lists.ListName("waiting")).rows] == [first.ticket_id]
    assert messages.get(first.ticket_id or "", second.message_id or "").banners == (
        "SES judged it spam. It is shown here because its sender took part in this ticket.",
    )


@pytest.mark.parametrize("status", ["open", "resolved"])
def test_a_blocked_senders_reply_goes_to_spam_and_leaves_the_other_ticket_alone(desk: Desk, status: Status) -> None:
    inbox, actor = desk.inbox(), desk.actor()
    kept = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now).ticket_id or ""
    before = change(kept, actor, Changes(status=status), desk.now)
    other = receive_message.receive(mail(desk, 2), envelope(desk, "o2", inbox=inbox), desk.now).ticket_id or ""
    block_sender(other, actor, desk.now)
    desk.advance(minutes=1)
    answer = mail(desk, 3, thread_keys=("mid:1@example.com",))
    got = receive_message.receive(answer, envelope(desk, "o3", inbox=inbox), desk.now).ticket_id or ""
    ticket = tickets.get(got)
    assert tickets.get(kept) == before and got not in (kept, other)
    assert (ticket.status, ticket.linked_ticket_ids) == ("spam", (kept,))
    assert restore(got, actor, desk.advance(minutes=1)).waiting_since == desk.now - timedelta(minutes=1)


def test_a_blocked_senders_reply_to_a_ticket_in_spam_joins_it(desk: Desk) -> None:
    inbox, actor = desk.inbox(), desk.actor()
    first = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    block_sender(first.ticket_id or "", actor, desk.now)
    answer = mail(desk, 2, thread_keys=("mid:1@example.com",))
    second = receive_message.receive(answer, envelope(desk, "o2", inbox=inbox), desk.advance(minutes=1))
    assert (second.ticket_id, tickets.get(first.ticket_id or "").status) == (first.ticket_id, "spam")


def test_a_ticket_rescued_from_spam_while_a_mail_joins_it_is_woken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox, actor = desk.inbox(), desk.actor()
    first = receive_message.receive(mail(desk, spam="SES judged it spam."), envelope(desk, inbox=inbox), desk.now)
    ticket_id, decide = first.ticket_id or "", threading.decide

    def rescued(*arguments: Any, **named: Any) -> threading.Join | threading.New:
        decision = decide(*arguments, **named)
        if tickets.get(ticket_id).status == "spam":
            restore(ticket_id, actor, desk.now)
            change(ticket_id, actor, Changes(status="resolved"), desk.now)
        return decision

    monkeypatch.setattr(threading, "decide", rescued)
    answer = mail(desk, 2, thread_keys=("mid:1@example.com",))
    receive_message.receive(answer, envelope(desk, "o2", inbox=inbox), desk.advance(minutes=1))
    assert tickets.get(ticket_id).status == "open"


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


def test_what_the_customer_says_twice_is_said_twice(desk: Desk) -> None:
    inbox, actor = desk.inbox(), desk.actor()
    asked = "Please send the parcel to my neighbour, who is at home the whole day."
    first = receive_message.receive(mail(desk, text=asked), envelope(desk, inbox=inbox), desk.now)
    reply(first.ticket_id or "", actor, Reply("We will.", undo_seconds=0), desk.advance(minutes=1))
    said = mail(desk, 2, thread_keys=("mid:1@example.com",), text=f"Once more:\n\n{asked}")
    second = receive_message.receive(said, envelope(desk, "o2", inbox=inbox), desk.advance(minutes=1))
    assert asked in messages.get(second.ticket_id or "", second.message_id or "").text


def test_an_out_of_office_of_somebody_in_copy_does_not_become_what_we_answer(desk: Desk) -> None:
    inbox, actor, bob = desk.inbox(), desk.actor(), Party("Bob", "bob@example.com")
    first = receive_message.receive(mail(desk, cc=(bob,)), envelope(desk, inbox=inbox), desk.now)
    away = mail(
        desk, 2, thread_keys=("mid:1@example.com",), mail_kind="auto_reply", may_auto_answer=False, sender=bob
    )  # fmt: skip
    receive_message.receive(away, envelope(desk, "o2", inbox=inbox), desk.advance(minutes=1))
    answer = reply(first.ticket_id or "", actor, Reply("It left.", undo_seconds=0), desk.advance(minutes=1))
    assert "ada@example.com" in {each.address for each in answer.to}
    assert tickets.get(first.ticket_id or "").last_inbound_id == first.message_id


def test_the_last_message_is_the_one_stored_last_even_when_it_was_written_before(desk: Desk) -> None:
    inbox, early = desk.inbox(), desk.now
    desk.advance(minutes=5)
    first = receive_message.receive(mail(desk, 2), envelope(desk, "o2", inbox=inbox), desk.now)
    late = replace(envelope(desk, "o1", inbox=inbox), received_at=early)
    second = receive_message.receive(mail(desk, 1, thread_keys=("mid:2@example.com",)), late, desk.now)
    ticket = tickets.get(first.ticket_id or "")
    assert (ticket.last_message_id, ticket.last_inbound_id) == (second.message_id, first.message_id)


def test_a_reply_to_all_joins_both_of_two_separated_tickets(desk: Desk) -> None:
    one, two = desk.inbox(), desk.inbox(id="sales", address="sales@shop.example", name="Sales", separated=True)
    before = [receive_message.receive(mail(desk), envelope(desk, inbox=each), desk.now) for each in (one, two)]
    again = mail(desk, 2, thread_keys=("mid:1@example.com",))
    for order in ((one, two), (two, one)):
        again = replace(again, fingerprint=f"again{order[0].id}", own_keys=(f"mid:again{order[0].id}",))
        got = {
            each.id: receive_message.receive(again, envelope(desk, order[0].id, inbox=each), desk.advance(minutes=5))
            for each in order
        }
        assert [got["support"].ticket_id, got["sales"].ticket_id] == [each.ticket_id for each in before]


def test_a_reply_to_inboxes_that_were_separated_since_does_not_stand_twice_in_their_ticket(desk: Desk) -> None:
    one, two = desk.inbox(), desk.inbox(id="sales", address="sales@shop.example", name="Sales")
    first, _ = [receive_message.receive(mail(desk), envelope(desk, inbox=each), desk.now) for each in (one, two)]
    two = desk.inbox(id="sales", address="sales@shop.example", name="Sales", separated=True)
    again = mail(desk, 2, thread_keys=("mid:1@example.com",))
    got = [receive_message.receive(again, envelope(desk, "o2", inbox=each), desk.now) for each in (one, two)]
    assert got[0].ticket_id == first.ticket_id != got[1].ticket_id
    assert tickets.get(got[1].ticket_id or "").linked_ticket_ids == (first.ticket_id,)


def test_a_reply_to_the_second_of_two_separated_inboxes_joins_its_ticket(desk: Desk) -> None:
    one, two = desk.inbox(), desk.inbox(id="sales", address="sales@shop.example", name="Sales", separated=True)
    receive_message.receive(mail(desk), envelope(desk, inbox=one), desk.now)
    second = receive_message.receive(mail(desk), envelope(desk, inbox=two), desk.now)
    reply_to_sales = mail(desk, 2, thread_keys=("mid:1@example.com",))
    got = receive_message.receive(reply_to_sales, envelope(desk, "o2", inbox=two), desk.advance(minutes=5))
    assert got.ticket_id == second.ticket_id


def test_a_reply_that_comes_to_the_desks_other_inbox_joins_no_ticket_of_a_separated_one(desk: Desk) -> None:
    one, two = desk.inbox(), desk.inbox(id="sales", address="sales@shop.example", name="Sales", separated=True)
    first = receive_message.receive(mail(desk), envelope(desk, inbox=two), desk.now)
    reply_to_support = mail(desk, 2, thread_keys=("mid:1@example.com",))
    got = receive_message.receive(reply_to_support, envelope(desk, "o2", inbox=one), desk.advance(minutes=5))
    assert got.ticket_id != first.ticket_id
    assert tickets.get(got.ticket_id or "").linked_ticket_ids == (first.ticket_id,)


def test_the_tickets_that_a_mail_may_join_are_read_consistently(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = desk.inbox()
    first = receive_message.receive(mail(desk), envelope(desk, inbox=inbox), desk.now)
    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # no part of botocore's stubs

    def lagging(client: Any, name: str, arguments: dict[str, Any]) -> Any:
        asked = arguments.get("RequestItems", {}).values() if name == "BatchGetItem" else ()
        if asked and not any(each.get("ConsistentRead") for each in asked):
            return {"Responses": {"test-table": []}, "UnprocessedKeys": {}, "ResponseMetadata": {"HTTPStatusCode": 200}}
        return real(client, name, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", lagging)
    answer = mail(desk, 2, thread_keys=("mid:1@example.com",))
    assert receive_message.receive(answer, envelope(desk, "o2", inbox=inbox), desk.now).ticket_id == first.ticket_id


def test_two_chat_messages_read_at_once_open_one_ticket_when_the_last_was_closed_long_ago(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = desk.inbox(id="tg", channel="telegram", address="tg", name="Bot")

    def said(n: int) -> Receipt:
        chat = mail(
            desk, n, conversation_key="tg#1#5", own_keys=(f"tg#1#5#{n}",), sender=Party("Ada", "5")
        )  # fmt: skip
        return receive_message.receive(chat, envelope(desk, f"o{n}", inbox=inbox), desk.now)

    old = said(1)
    change(old.ticket_id or "", desk.actor(), Changes(status="closed"), desk.now)
    desk.advance(days=40)
    add = messages.add
    between: list[str] = []

    def interrupted(*arguments: Any) -> Message:
        if not between:
            between.append("")
            between[0] = said(3).ticket_id or ""
        return add(*arguments)

    monkeypatch.setattr(messages, "add", interrupted)
    assert said(2).ticket_id == between[0] != old.ticket_id


def test_a_twin_of_a_mail_that_is_shown_is_not_listed_as_suppressed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, get = envelope(desk), receipts.get
    twin: list[Envelope] = []

    def overtaken(day: str, name: str) -> Receipt | None:
        found = get(day, name)
        if not twin:
            twin.append(where)
            receive_message.receive(mail(desk), where, desk.now)
        return found

    monkeypatch.setattr(receipts, "get", overtaken)
    assert receive_message.receive(mail(desk), where, desk.now).outcome == "shown"
    assert originals.kept_out("suppressed").entries == ()


def test_a_crash_before_the_listing_of_what_was_kept_out_is_made_good_by_the_repeat(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, ours = envelope(desk), mail(desk, suppressed="Our own mail came back.")
    with monkeypatch.context() as crash:
        crash.setattr(documents, "write_new", _die)
        with pytest.raises(InterruptedError):
            receive_message.receive(ours, where, desk.now)
    for _ in range(2):
        receive_message.receive(ours, where, desk.advance(minutes=1))
    assert [(each.reason, each.sender) for each in originals.kept_out("suppressed").entries] == [
        ("Our own mail came back.", "ada@example.com")
    ]


def _die(*_: object) -> bool:
    raise InterruptedError


def test_a_mail_with_more_files_and_recipients_than_an_item_holds_is_a_ticket_that_says_so(desk: Desk) -> None:
    files = tuple(IncomingFile(f"{n}-" + "照片" * 90 + ".jpg", "image/jpeg", b"x", f"{n}@x") for n in range(950))
    cc = tuple(Party("名" * 100, f"{n}-{'a' * 60}@customer.example") for n in range(900))
    big = mail(desk, files=files, cc=cc, references=("<" + "r" * 3000 + "@x>",) * 60, subject="s" * 90_000)
    receipt = receive_message.receive(big, envelope(desk), desk.now)
    message = messages.get(receipt.ticket_id or "", receipt.message_id or "")
    assert 100 < len(message.attachments) < 950 and len(message.cc) > 50
    assert message.banners == (
        f"{950 - len(message.attachments)} more files: download the original to see them.",
        f"{900 - len(message.cc)} more recipients: download the original to see them.",
    )


def test_names_are_cut_where_they_come_in(desk: Desk) -> None:
    long = mail(desk, sender=Party("n" * 90_000, "ada@example.com"))
    receipt = receive_message.receive(long, envelope(desk), desk.now)
    ticket = tickets.get(receipt.ticket_id or "")
    author = messages.get(ticket.id, receipt.message_id or "").author_name
    assert (ticket.customer_name, author) == ("n" * 120, "n" * 120)


def test_whoever_writes_without_a_name_is_called_as_before(desk: Desk) -> None:
    receive_message.receive(mail(desk), envelope(desk), desk.now)
    again = mail(desk, 2, sender=Party("", "ada@example.com"))
    receipt = receive_message.receive(again, envelope(desk, "o2"), desk.advance(minutes=1))
    assert messages.get(receipt.ticket_id or "", receipt.message_id or "").author_name == "Ada Example"


def test_half_a_character_anywhere_in_a_message_is_replaced(desk: Desk) -> None:
    half = "\ud83d"
    odd = mail(
        desk, sender=Party(f"Ada{half}", "ada@example.com"), subject=half, text=half + "x" * 3000, html=f"<p>{half}",
        to=(Party(half, f"{half}@x.example"),), files=(IncomingFile(f"{half}.png", half, b"x", half),),
        banners=(half,), references=(half,), thread_keys=(half * 400,), thread_index=half,
    )  # fmt: skip
    receipt = receive_message.receive(odd, envelope(desk), desk.now)
    ticket = tickets.get(receipt.ticket_id or "")
    assert (ticket.customer_name, ticket.subject) == ("Ada\ufffd", "\ufffd")
