"""Odd fates of an original: its envelope comes late, AWS is away, the function dies of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.connectors.email.channel import EmailChannel
from chalicelib.jobs import clock, inbound
from chalicelib.jobs.apart import Died
from chalicelib.services import ledger, originals, receive_message
from chalicelib.store import lists, objects
from chalicelib.store.lists import ListName
from tests.engine import Desk
from tests.jobs.test_faults import Killed

pytestmark = pytest.mark.engine
BLIND = b"From: Ada <ada@example.com>\r\nTo: undisclosed:;\r\nSubject: Hello\r\nMessage-ID: <1@example.com>\r\n\r\nHi"


def notice(key: str, *recipients: str) -> str:
    receipt = {
        "recipients": list(recipients),
        "action": {"type": "S3", "objectKey": key},
        **{f"{each}Verdict": {"status": "PASS"} for each in ("spam", "virus", "spf", "dkim", "dmarc")},
    }
    mail = {"messageId": "m1", "source": "ada@example.com", "timestamp": datetime.now(UTC).isoformat()}
    return json.dumps({"notificationType": "Received", "mail": mail, "receipt": receipt})


def opened() -> list[str]:
    return [row.subject for row in lists.page(ListName("open")).rows]


def today() -> str:
    return next(key for key, _ in objects.list_originals(objects.KEPT))[len(objects.KEPT) :][:10].replace("/", "-")


@pytest.fixture
def tray(desk: Desk) -> str:
    desk.inbox()
    desk.inbox(id="sales", address="sales@shop.example", name="Sales")
    objects.put_original("raw/m1", BLIND, {})
    return "raw/m1"


def test_a_blind_copy_driven_again_before_its_notice_waits_for_it(desk: Desk, tray: str) -> None:
    desk.now = datetime.now(UTC) + timedelta(minutes=11)
    clock.repair()
    for body in desk.queued("inbound"):
        inbound.take_in(body)
    assert opened() == []
    inbound.take_in(notice(tray, "support@shop.example"))
    assert opened() == ["Hello"] and ledger.day(today()).difference == 0


@pytest.mark.parametrize("told", [True, False])
def test_what_ses_puts_there_to_try_the_bucket_is_thrown_away(desk: Desk, told: bool) -> None:
    """It is no mail: left in the tray it waits for ever, and no day with it is ever closed."""
    desk.inbox()
    probe = "raw/AMAZON_SES_SETUP_NOTIFICATION"
    objects.put_original(probe, b"SES may write here.", {})
    desk.now = datetime.now(UTC) + timedelta(minutes=11)
    if told:
        inbound.take_in(notice(probe))
    else:
        clock.repair()
        (body,) = desk.queued("inbound")
        inbound.take_in(body)
    assert originals.overdue(desk.now) == ()
    clock.repair()
    assert desk.queued("inbound") == []
    account = ledger.day(f"{datetime.now(UTC):%Y-%m-%d}")
    assert (account.received, account.waiting, account.difference) == (0, 0, 0)
    assert opened() == [] and originals_kept() == []
    assert ledger.close(datetime.now(UTC) + timedelta(days=1))[0].closed


def originals_kept() -> list[str]:
    return [key for key, _ in objects.list_originals(objects.KEPT)]


def test_a_mail_whose_envelope_never_comes_is_a_ticket_that_says_so(
    desk: Desk, tray: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "ENVELOPE_MINUTES", -1)
    inbound.take_in(json.dumps({"key": tray}))
    assert opened() == ["Hello"] and ledger.day(today()).difference == 0


def test_a_notice_that_names_more_inboxes_than_were_served_reads_the_archive(desk: Desk, tray: str) -> None:
    inbound.take_in(notice(tray, "support@shop.example"))
    desk.inbox(id="sales", address="sales@shop.example", name="Sales", separated=True)
    inbound.take_in(notice(tray, "support@shop.example", "sales@shop.example"))
    assert opened() == ["Hello", "Hello"]
    account = ledger.day(today())
    assert (account.received, account.shown, account.difference) == (2, 2, 0)


def test_a_late_notice_that_names_fewer_inboxes_than_were_served_forgets_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.inbox()
    desk.inbox(id="sales", address="sales@shop.example", name="Sales", separated=True)
    objects.put_original("raw/m1", BLIND.replace(b"undisclosed:;", b"support@shop.example, sales@shop.example"), {})
    client, real = wiring.client("s3"), wiring.client("s3").copy_object

    def dies(**arguments: Any) -> Any:
        raise Killed

    monkeypatch.setattr(originals, "TRAY_MINUTES", -1)
    monkeypatch.setattr(client, "copy_object", dies)
    with pytest.raises(Killed):
        inbound.take_in(json.dumps({"key": "raw/m1"}))  # driven again, by its headers
    monkeypatch.setattr(client, "copy_object", real)
    inbound.take_in(notice("raw/m1", "support@shop.example"))
    account = ledger.day(today())
    assert (account.received, account.shown, account.difference) == (2, 2, 0)


def test_the_envelope_survives_a_death_between_copy_and_delete(
    desk: Desk, tray: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, real = wiring.client("s3"), wiring.client("s3").delete_object

    def dies(**arguments: Any) -> Any:
        raise Killed

    monkeypatch.setattr(client, "delete_object", dies)
    with pytest.raises(Killed):
        inbound.take_in(notice(tray, "support@shop.example", "sales@shop.example"))
    monkeypatch.setattr(client, "delete_object", real)
    inbound.take_in(json.dumps({"key": tray}))
    account = ledger.day(today())
    assert (account.received, account.shown, account.difference) == (2, 2, 0)


def test_aws_away_is_no_fault_of_the_mail(desk: Desk, tray: str) -> None:
    def away(name: str) -> str:
        raise ConnectionError("SSM is away")

    for_now = pytest.MonkeyPatch()
    for_now.setattr(wiring, "secret", away)
    with pytest.raises(ConnectionError):
        inbound.take_in(notice(tray, "support@shop.example"), attempt=4)
    for_now.undo()
    assert opened() == []
    inbound.take_in(notice(tray, "support@shop.example"), attempt=5)
    assert opened() == ["Hello"]


def killer(*_: object) -> None:
    raise Killed  # out of memory, or out of time


def test_a_mail_that_kills_the_function_does_so_once(desk: Desk, tray: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmailChannel, "parse", killer)
    with pytest.raises(Killed):
        inbound.take_in(notice(tray, "support@shop.example"), attempt=1)
    with pytest.raises(Died):
        inbound.take_in(notice(tray, "support@shop.example"), attempt=2)
    assert opened() == []
    inbound.take_in(notice(tray, "support@shop.example"), attempt=3)
    assert opened() == ["Message that could not be read"]


def test_a_mail_is_given_up_when_it_killed_its_reader_twice_however_late(
    desk: Desk, tray: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once may be the machine's doing: the attempts before were lost to other things."""
    real = EmailChannel.parse
    monkeypatch.setattr(EmailChannel, "parse", killer)
    with pytest.raises(Died):
        inbound.take_in(notice(tray, "support@shop.example"), attempt=4)
    assert opened() == []
    monkeypatch.setattr(EmailChannel, "parse", real)
    inbound.take_in(notice(tray, "support@shop.example"), attempt=5)
    assert opened() == ["Hello"]


def test_a_mail_is_not_given_up_because_aws_was_away(desk: Desk, tray: str) -> None:
    def away(*_: object) -> None:
        raise ConnectionError("DynamoDB is away")

    for attempt in (1, 2, 3, 4):
        with pytest.MonkeyPatch.context() as for_now:
            for_now.setattr(receive_message, "receive", away)
            with pytest.raises(ConnectionError):
                inbound.take_in(notice(tray, "support@shop.example"), attempt)
    inbound.take_in(notice(tray, "support@shop.example"), attempt=5)
    assert opened() == ["Hello"]


@pytest.mark.parametrize("told_by", ["notice", "headers"])
def test_a_virus_is_kept_out_even_when_the_mail_cannot_be_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, told_by: str
) -> None:
    desk.inbox()
    stamped = b"Received: from x by inbound-smtp.eu-west-1.amazonaws.com with SMTP id m1 for support@shop.example\r\n"
    objects.put_original(
        "raw/m1", (b"X-SES-Virus-Verdict: FAIL\r\n" + stamped if told_by == "headers" else b"") + BLIND, {}
    )
    monkeypatch.setattr(EmailChannel, "parse", killer)
    body = notice("raw/m1", "support@shop.example").replace(
        '"virusVerdict": {"status": "PASS"}',
        '"virusVerdict": {"status": "FAIL"}' if told_by == "notice" else '"virusVerdict": {"status": ""}',
    )
    with pytest.raises(Died):
        inbound.take_in(body, attempt=2)
    inbound.take_in(body, attempt=3)
    assert opened() == []
    assert [entry.reason for entry in originals.kept_out("quarantined").entries] == [
        "SES found a virus in this mail. The original is kept 30 days and not shown."
    ]


def test_a_mail_in_the_same_batch_as_a_killer_is_read_all_the_same(desk: Desk, tray: str) -> None:
    inbound.take_in(notice(tray, "support@shop.example"), attempt=4)
    assert opened() == ["Hello"]


def test_a_late_twin_of_a_notice_is_dealt_with_already(desk: Desk, tray: str) -> None:
    inbound.take_in(notice(tray, "support@shop.example"))
    desk.advance(days=9)
    inbound.take_in(json.dumps({"key": tray}))
    assert opened() == ["Hello"]
