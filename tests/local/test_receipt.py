"""What SES makes of a received mail."""

from datetime import UTC, datetime

import pytest

from local.receipt import headers_of, notification, receive, verdicts_of

AT = datetime(2026, 11, 20, 14, 0, 2, 28000, UTC)
RAW = (
    b"From: Lina Meyer <lina.meyer@example.com>\r\nTo: support@northwind-mugs.example\r\n"
    b"Subject: Where is my order #1042?\r\nMessage-ID: <a@mail.example.com>\r\n\r\nHello\r\n"
)


def test_ses_headers_stand_above_an_untouched_mail() -> None:
    received = receive(RAW, "lina.meyer@example.com", ["support@northwind-mugs.example"], "mail.example.com", AT)
    assert received.raw.endswith(RAW)
    headers = headers_of(received.raw)
    assert headers["Return-Path"] == "<lina.meyer@example.com>"
    assert f"with SMTP id {received.ses_id} for support@northwind-mugs.example;" in headers["Received"]
    assert headers["X-SES-Spam-Verdict"] == "PASS"
    assert headers["Received-SPF"].startswith("pass ")
    assert headers["Authentication-Results"].startswith("amazonses.com; spf=pass")


def test_the_notification_names_envelope_verdicts_and_object() -> None:
    received = receive(RAW, "", ["a@northwind-mugs.example", "b@northwind-mugs.example"], "mail.example.com", AT)
    document = notification(received, "arn:topic", "bucket")
    mail, receipt = document["mail"], document["receipt"]
    assert isinstance(mail, dict)
    assert isinstance(receipt, dict)
    assert mail["timestamp"] == "2026-11-20T14:00:02.028Z"
    assert mail["source"] == ""
    assert mail["commonHeaders"]["subject"] == "Where is my order #1042?"
    assert mail["commonHeaders"]["messageId"] == "<a@mail.example.com>"
    assert mail["destination"] == ["support@northwind-mugs.example"]
    assert receipt["recipients"] == ["a@northwind-mugs.example", "b@northwind-mugs.example"]
    assert receipt["action"]["objectKey"] == f"raw/{received.ses_id}"
    assert {receipt[f"{name}Verdict"]["status"] for name in ("spam", "virus", "spf", "dkim", "dmarc")} == {"PASS"}
    assert "dmarcPolicy" not in receipt


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("spam=FAIL", {"spam": "FAIL", "virus": "PASS"}),
        ("virus=gray spf=fail", {"virus": "GRAY", "spf": "FAIL"}),
        ("dmarc=FAIL", {"dmarc": "FAIL", "policy": "REJECT"}),
        ("dmarc=FAIL policy=none", {"dmarc": "FAIL", "policy": "NONE"}),
        ("nonsense weather=FAIL", {"spam": "PASS"}),
    ],
)
def test_a_local_header_sets_the_verdicts(header: str, expected: dict[str, str]) -> None:
    found = verdicts_of(headers_of(f"X-Local-Verdict: {header}\r\n\r\n".encode()))
    assert {name: found[name] for name in expected} == expected
    assert "weather" not in found


def test_headers_over_ten_kilobytes_are_cut_in_the_notification_alone() -> None:
    raw = b"".join(b"X-Filler-%d: %s\r\n" % (n, b"y" * 900) for n in range(20)) + RAW
    received = receive(raw, "a@example.com", ["b@example.com"], "mail.example.com", AT)
    mail = notification(received, "arn:topic", "bucket")["mail"]
    assert isinstance(mail, dict)
    assert mail["headersTruncated"] is True
    assert mail["commonHeaders"]["subject"] == "Where is my order #1042?"


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff\xfe", b"no header at all", b"From\r\n\r\n", b"Subject: \xe9\xff\r\n\r\n"]
)
def test_what_is_no_mail_is_taken_as_well(raw: bytes) -> None:
    received = receive(raw, "x@example.com", ["b@example.com"], "h", AT)
    assert received.raw.endswith(raw)
    notification(received, "arn:topic", "bucket")
