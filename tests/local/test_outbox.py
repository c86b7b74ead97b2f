"""What SES does to a mail on its way out, and what it reports."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from local.outbox import SentMail, Trouble, as_delivered, events_of, id_domain

AT = datetime(2026, 11, 20, 14, 6, 8, 12000, UTC)
SENT = SentMail(
    mail_from="support@northwind-mugs.example",
    rcpt_to=["lina.meyer@example.com"],
    our_id="m01.local@northwind-mugs.example",
    ses_id="0102",
    at="2026-11-20T14:06:08.012Z",
    tags={"msg": "m01", "ticket": "1042"},
    configuration_set="deskbell-local",
    subject="Re: Where is my order?",
)


def test_id_and_date_become_those_of_ses_and_bcc_goes() -> None:
    raw = (
        b"From: a@example.com\r\nBcc: hidden@example.com,\r\n other@example.com\r\n"
        b"Message-ID:\r\n <ours@example.com>\r\nDate: yesterday\r\n"
        b"X-HD-Loop: local\r\nReferences: <x@y>\r\n <z@y>\r\n\r\nBcc: stays here\r\n"
    )
    assert as_delivered(raw, "0102-abc", AT) == (
        b"From: a@example.com\r\nMessage-ID: <0102-abc@eu-west-1.amazonses.com>\r\n"
        b"Date: Fri, 20 Nov 2026 14:06:08 +0000\r\nX-HD-Loop: local\r\nReferences: <x@y>\r\n <z@y>\r\n"
        b"Feedback-ID: ::1.eu-west-1.local:AmazonSES\r\nX-SES-Outgoing: 2026.11.20-192.0.2.25\r\n\r\n"
        b"Bcc: stays here\r\n"
    )


def test_a_mail_without_id_and_date_gets_both() -> None:
    delivered = as_delivered(b"From: a@example.com\n\nHello\n", "0102", AT)
    assert b"\nMessage-ID: <0102@eu-west-1.amazonses.com>\n" in delivered
    assert b"\nDate: Fri, 20 Nov 2026 14:06:08 +0000\n" in delivered
    assert delivered.endswith(b"\n\nHello\n")


def test_only_one_region_has_a_domain_of_its_own() -> None:
    assert id_domain("us-east-1") == "email.amazonses.com"
    assert id_domain("eu-west-1") == "eu-west-1.amazonses.com"


@pytest.mark.parametrize(
    ("address", "kinds"),
    [
        ("lina.meyer@example.com", ["Send", "Delivery"]),
        ("success@simulator.amazonses.com", ["Send", "Delivery"]),
        ("ooto@simulator.amazonses.com", ["Send", "Delivery"]),
        ("bounce+7@simulator.amazonses.com", ["Send", "Bounce"]),
        ("suppressionlist@simulator.amazonses.com", ["Send", "Bounce"]),
        ("complaint@simulator.amazonses.com", ["Send", "Delivery", "Complaint"]),
    ],
)
def test_the_simulator_answers_as_that_of_ses(address: str, kinds: list[str]) -> None:
    assert [event["eventType"] for event in events_of(replace(SENT, rcpt_to=[address]))] == kinds


def test_events_carry_our_tags_and_our_message_id() -> None:
    mail = next(events_of(SENT))["mail"]
    assert isinstance(mail, dict)
    assert mail["messageId"] == "0102"
    assert mail["commonHeaders"]["messageId"] == "<m01.local@northwind-mugs.example>"
    assert mail["tags"]["msg"] == ["m01"]
    assert mail["tags"]["ses:configuration-set"] == ["deskbell-local"]


def test_trouble_lasts_for_the_number_of_sends_asked_for() -> None:
    trouble = Trouble("throttle", 2)
    assert [trouble.take() is not None for _ in range(3)] == [True, True, False]
