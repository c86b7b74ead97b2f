"""The wizard's green light: only mail that came the way it is to come turns it on."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.message import Inbound, Party
from chalicelib.domain.people import Inbox
from chalicelib.services import forwarding, receive_message
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.receive_message import Envelope
from chalicelib.store import objects
from tests.engine import Desk
from tests.services.test_receive_message import mail

pytestmark = pytest.mark.engine

HERE, THERE = "support@shop.example", "support@desk.shop.example"


@pytest.fixture
def inbox(desk: Desk) -> Inbox:
    return desk.inbox(settings={"forward_to": THERE})


def receive(desk: Desk, inbox: Inbox, inbound: Inbound, recipients: str, n: int = 1) -> str:
    """An original in the archive, and the ticket that it became."""
    day = f"{desk.now:%Y-%m-%d}"
    key = f"kept/{day.replace('-', '/')}/o{n}"
    objects.put_original(key, b"x", {"recipients": recipients})
    receipt = receive_message.receive(inbound, Envelope(f"o{n}", key, desk.now, inbox, day), desk.now)
    return receipt.ticket_id or ""


def seen(desk: Desk, inbox: Inbox, **later: float) -> datetime | None:
    return forwarding.last_received(inbox, desk.now + timedelta(**later))


def test_forwarded_mail_is_proof_whatever_became_of_its_ticket(desk: Desk, inbox: Inbox) -> None:
    assert seen(desk, inbox) is None
    ticket_id = receive(desk, inbox, mail(desk), f"other@x.example,{THERE}")
    assert seen(desk, inbox) == desk.now
    change(ticket_id, desk.actor(), Changes(status="resolved"), desk.now)
    assert seen(desk, inbox, days=1) == desk.now
    assert seen(desk, inbox, days=2) is None


@pytest.mark.parametrize("recipients", [THERE, f"Support+T42.abc@{THERE.partition('@')[2]}"])
def test_the_newest_counts_and_a_tag_is_no_other_address(desk: Desk, inbox: Inbox, recipients: str) -> None:
    receive(desk, inbox, mail(desk), THERE)
    desk.advance(minutes=5)
    receive(desk, inbox, mail(desk, 2), recipients, 2)
    assert seen(desk, inbox) == desk.now


@pytest.mark.parametrize(
    ("changed", "recipients"),
    [
        ({"sender": Party("Gmail Team", forwarding.GMAIL_SENDER)}, THERE),
        ({"to": (Party("", THERE),)}, THERE),
        ({}, HERE),
        ({}, ""),
    ],
    ids=["Gmail's question", "to the address forwarded to", "past the forwarding", "nobody knows how"],
)
def test_what_came_another_way_is_no_proof(
    desk: Desk, inbox: Inbox, changed: dict[str, object], recipients: str
) -> None:
    receive(desk, inbox, replace(mail(desk), **changed), recipients)  # type: ignore[arg-type]  # fields of one case each
    assert seen(desk, inbox) is None


def test_where_nothing_forwards_mail_comes_straight(desk: Desk) -> None:
    inbox = desk.inbox()
    receive(desk, inbox, mail(desk), HERE)
    assert seen(desk, inbox) == desk.now


def test_an_original_that_is_gone_proves_nothing(desk: Desk, inbox: Inbox) -> None:
    receive(desk, inbox, mail(desk), THERE)
    objects.delete_original(f"kept/{desk.now:%Y/%m/%d}/o1")
    assert seen(desk, inbox) is None


def test_mail_of_another_inbox_is_no_proof(desk: Desk, inbox: Inbox) -> None:
    other = desk.inbox(id="billing", address="billing@shop.example", settings={"forward_to": "b@desk.shop.example"})
    receive(desk, other, mail(desk), THERE)
    assert seen(desk, inbox) is None
