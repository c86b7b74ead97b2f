"""Received = shown + quarantined + suppressed, and a difference names what is missing."""

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.jobs import inbound
from chalicelib.services import ledger, originals
from chalicelib.store import objects
from tests.engine import Desk

pytestmark = pytest.mark.engine
HELLO = (
    b"From: Ada <ada@example.com>\r\nTo: support@shop.example\r\nSubject: Hi\r\nMessage-ID: <1@example.com>\r\n\r\nHi"
)
OURS = HELLO.replace(b"Subject: Hi", b"Subject: Hi\r\nX-HD-Loop: test")


def put(desk: Desk, name: str, raw: bytes, recipients: str = "support@shop.example", **verdicts: str) -> str:
    objects.put_original(f"raw/{name}", raw, {"recipients": recipients, **verdicts})
    return f'{{"key": "raw/{name}"}}'


@pytest.fixture
def today(desk: Desk) -> str:
    desk.inbox()
    desk.inbox(id="sales", address="sales@shop.example", name="Sales")
    inbound.take_in(put(desk, "a", HELLO))
    return next(key for key, _ in objects.list_originals(objects.KEPT))[5:15].replace("/", "-")


def test_every_outcome_is_counted_once_for_each_inbox(desk: Desk, today: str) -> None:
    both = "support@shop.example,sales@shop.example"
    inbound.take_in(put(desk, "b", HELLO.replace(b"<1@", b"<2@"), both))
    inbound.take_in(put(desk, "c", HELLO.replace(b"<1@", b"<3@"), virus="FAIL"))
    inbound.take_in(put(desk, "d", OURS))
    inbound.take_in(put(desk, "e", HELLO))
    put(desk, "f", HELLO)
    account = ledger.day(today)
    assert (account.received, account.waiting) == (7, 1)
    assert (account.shown, account.quarantined, account.suppressed) == (3, 1, 2)
    assert (account.difference, account.missing) == (0, ())


def test_an_original_without_a_receipt_is_a_difference_with_its_name(desk: Desk, today: str) -> None:
    objects.put_original(f"kept/{today.replace('-', '/')}/lost", HELLO, {"recipients": "support@shop.example"})
    account = ledger.day(today)
    assert (account.difference, account.missing) == (1, ("lost",))


def test_a_mail_to_nobody_of_ours_is_quarantined_with_the_reason(desk: Desk, today: str) -> None:
    inbound.take_in(put(desk, "g", HELLO.replace(b"<1@", b"<9@"), "stranger@shop.example"))
    assert ledger.day(today).difference == 0
    assert [each.reason for each in originals.quarantined()] == ["No inbox of ours was among its recipients."]


def test_a_replayed_original_changes_nothing(desk: Desk, today: str) -> None:
    key = next(key for key, _ in objects.list_originals(objects.KEPT))
    before = ledger.day(today)
    originals.replay(key, lambda again: inbound.take_in(f'{{"key": "{again}"}}'))
    assert ledger.day(today) == before


def test_what_is_no_day_is_said(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        ledger.day("yesterday")


def test_an_original_driven_again_without_its_notice_goes_to_everybody_it_names(desk: Desk, today: str) -> None:
    raw = HELLO.replace(b"To: support@shop.example", b"To: support@shop.example\r\nCc: sales@shop.example")
    objects.put_original("raw/h", raw.replace(b"<1@", b"<8@"), {})
    inbound.take_in('{"key": "raw/h"}')
    account = ledger.day(today)
    assert (account.shown, account.difference, account.missing) == (3, 0, ())
