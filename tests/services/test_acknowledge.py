"""The one automatic answer, and what keeps two desks from writing to each other for ever."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain.message import Inbound, Message, Party
from chalicelib.services import acknowledge, follow_up
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.store import messages, receipts
from chalicelib.store.receipts import Receipt
from tests.engine import Desk
from tests.services.test_receive_message import mail

pytestmark = pytest.mark.engine
TEXT = "We have your message. Its number is {number}."


def arrived(desk: Desk, inbound: Inbound, name: str, **inbox: object) -> Receipt:
    where = desk.inbox(acknowledgement=TEXT, **inbox)
    receipt = receive(inbound, Envelope(name, f"kept/2026/11/20/{name}", desk.now, where, "2026-11-20"), desk.now)
    follow_up.follow_up(receipt.day, receipt.name, desk.now)
    return receipt


def automatic(receipt: Receipt) -> list[Message]:
    said = messages.newest(receipt.ticket_id or "").messages
    return [each for each in said if each.author_kind == "system" and each.kind == "message"]


def test_a_new_customer_mail_gets_one_acknowledgement_with_its_number(desk: Desk) -> None:
    receipt = arrived(desk, mail(desk), "o1")
    follow_up.follow_up(receipt.day, receipt.name, desk.now)
    acknowledge.acknowledge(receipt.ticket_id or "", receipt.message_id or "", True, desk.now)
    (sent,) = automatic(receipt)
    assert sent.text == f"We have your message. Its number is {receipt.ticket_id}."
    assert sent.to == (Party("Ada Example", "ada@example.com"),)
    assert not receipts.is_pending(receipt.day, receipt.name)


@pytest.mark.parametrize(
    "values",
    [
        {"mail_kind": "auto_reply", "may_auto_answer": False},
        {"mail_kind": "list", "may_auto_answer": False},
        {"may_auto_answer": False},
        {"spam": "SES judged it spam."},
        {"sender": Party("Other inbox", "sales@shop.example")},
    ],
)
def test_automatic_listed_spam_and_own_mail_is_never_answered(desk: Desk, values: dict[str, Any]) -> None:
    desk.inbox(id="sales", address="sales@shop.example", name="Sales")
    assert automatic(arrived(desk, replace(mail(desk), **values), "o1")) == []


def test_an_inbox_without_a_text_acknowledges_nothing(desk: Desk) -> None:
    receipt = receive(mail(desk), Envelope("o1", "kept/o1", desk.now, desk.inbox(), "2026-11-20"), desk.now)
    follow_up.follow_up(receipt.day, receipt.name, desk.now)
    assert automatic(receipt) == []


def test_another_desk_that_answers_every_mail_for_a_day_gets_five_an_hour_at_most(desk: Desk) -> None:
    """It marks nothing and refers to nothing: only the limits help."""
    total = 0
    for n in range(60):
        receipt = arrived(
            desk, mail(desk, n, sender=Party("Robot", "robot@shop2.example"), text=f"Ticket {n}"), f"o{n}"
        )
        total += len(automatic(receipt))
        desk.advance(minutes=2)
    assert total <= 2 * acknowledge.PER_SENDER_AND_HOUR + acknowledge.PER_SENDER_AND_HOUR


def test_an_address_that_changes_each_time_is_stopped_by_its_domain(desk: Desk) -> None:
    total = 0
    for n in range(50):
        sender = Party("Robot", f"robot+{n:02d}@shop2.example")
        total += len(automatic(arrived(desk, mail(desk, n, sender=sender), f"o{n}")))
    assert total == acknowledge.PER_DOMAIN_AND_HOUR


def test_an_answer_to_our_acknowledgement_is_not_acknowledged(desk: Desk) -> None:
    first = arrived(desk, mail(desk), "o1")
    answer = mail(desk, 2, thread_keys=("mid:1@example.com",), sender=Party("Other desk", "noreply@shop2.example"))
    second = arrived(desk, answer, "o2")
    assert second.ticket_id != first.ticket_id and automatic(second) == []


def test_a_worker_that_died_before_midnight_and_comes_back_after_it_answers_once(desk: Desk) -> None:
    desk.now = datetime(2026, 11, 20, 23, 59, 50, tzinfo=UTC)
    where = desk.inbox(acknowledgement=TEXT)
    receipt = receive(mail(desk), Envelope("o1", "kept/2026/11/20/o1", desk.now, where, "2026-11-20"), desk.now)
    acknowledge.acknowledge(receipt.ticket_id or "", receipt.message_id or "", True, desk.now)
    desk.advance(minutes=5)
    follow_up.follow_up(receipt.day, receipt.name, desk.now)
    assert len(automatic(receipt)) == 1
    desk.advance(days=30)
    assert acknowledge.acknowledge(receipt.ticket_id or "", receipt.message_id or "", True, desk.now) is None
