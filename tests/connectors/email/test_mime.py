"""What ``parse_mail`` makes of the corpus, of limits, and of mail that nobody meant to send."""

import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.connectors.email.charsets import decode
from chalicelib.connectors.email.hypertext import read_html
from chalicelib.connectors.email.mailboxes import parse_mailboxes
from chalicelib.connectors.email.mime import parse_mail
from chalicelib.connectors.email.tnef import read_tnef
from chalicelib.connectors.email.words import decode_words, parameters
from chalicelib.domain.message import Party
from tests.connectors.email.corpus import CASES, Case
from tests.connectors.email.corpus.attachments import WINMAIL
from tests.connectors.email.corpus.bounces import OURS, REPORTS, report
from tests.connectors.email.corpus.build import attached, composed, html, mail, plain, text_mail
from tests.connectors.email.reading import crashed, differences, mutated, unstorable

HEAVY_IMPORTS = ("requests", "pydantic", "lxml", "boto3", "botocore", "charset_normalizer", "email.parser")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_mail_of_the_corpus_is_read_as_stated(case: Case) -> None:
    mail_read = parse_mail(case.raw)
    assert not differences(case, mail_read)
    assert not crashed(mail_read)
    assert not unstorable(mail_read)


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(CASES) >= 300
    assert len({case.name for case in CASES}) == len(CASES)


def test_damaged_mails_never_stop_the_reader() -> None:
    for raw in mutated(seed=20261120, count=400):
        mail_read = parse_mail(raw)
        assert not crashed(mail_read)
        assert not unstorable(mail_read)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_become_a_mail(raw: bytes) -> None:
    mail_read = parse_mail(raw)
    assert not crashed(mail_read)
    assert not unstorable(mail_read)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_header_text_is_read(value: str) -> None:
    parse_mailboxes(value)
    decode_words(value)
    parameters(value.encode("utf-8", "replace"))
    read_html(value)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=20))
def test_any_bytes_in_any_charset_become_storable_text(data: bytes, charset: str) -> None:
    text = decode(data, charset)
    assert "\0" not in text
    text.encode()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(WINMAIL)), st.binary(max_size=30))
def test_a_damaged_winmail_is_read_as_far_as_it_goes(place: int, noise: bytes) -> None:
    read_tnef(WINMAIL[:place] + noise + WINMAIL[place:])


def test_a_mail_carries_all_that_threading_needs() -> None:
    mail_read = parse_mail(
        mail(
            "To: Support <support@northwind-mugs.example>, second@northwind-mugs.example",
            'Cc: "Example, Ada" <ada@example.com>',
            "Reply-To: <lina.private@example.com>",
            "In-Reply-To: <one@example.com> <two@example.com>",
            "References: <zero@example.com>\r\n <one@example.com>",
            "X-HD-Loop: prod",
            "Delivered-To: in@in.helpdesk.example",
            "X-Forwarded-For: support@northwind-mugs.example in@in.helpdesk.example",
            "Thread-Index: AdnP",
        )
    )
    assert mail_read.to == (
        Party("Support", "support@northwind-mugs.example"),
        Party("", "second@northwind-mugs.example"),
    )
    assert mail_read.cc == (Party("Example, Ada", "ada@example.com"),)
    assert mail_read.reply_to == (Party("", "lina.private@example.com"),)
    assert mail_read.message_id == "<CAF1x9-7731@mail.example.com>"
    assert mail_read.in_reply_to == "<one@example.com>"
    assert mail_read.references == ("<zero@example.com>", "<one@example.com>", "<two@example.com>")
    assert mail_read.date == datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
    assert mail_read.loop_mark == "prod"
    assert mail_read.delivered_to == ("in@in.helpdesk.example",)
    assert mail_read.forwarded_for == ("support@northwind-mugs.example", "in@in.helpdesk.example")
    assert mail_read.thread_index == "AdnP"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Fri, 20 Nov 2026 15:00:00 -0500", datetime(2026, 11, 20, 20, 0, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 15:00:00", datetime(2026, 11, 20, 15, 0, tzinfo=UTC)),
        ("20 Nov 26 15:00 GMT", datetime(2026, 11, 20, 15, 0, tzinfo=UTC)),
        ("Fri, 31 Feb 2026 15:00:00 +0000", None),
        ("Fri, 20 Nov 99999 15:00:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_utc_or_none(header: str, expected: datetime | None) -> None:
    assert parse_mail(mail(f"Date: {header}")).date == expected


def test_a_bounce_leads_back_to_our_message() -> None:
    _, sender, subject, words, fields = REPORTS[0]
    (bounced,) = parse_mail(report(sender, subject, words, fields)).bounced
    assert (bounced.recipient, bounced.action, bounced.status) == ("gone@example.org", "failed", "5.1.1")
    assert "User unknown" in bounced.diagnostic
    assert bounced.original_message_id == "<m01jd3n0aa1.prod@helpdesk.example>"
    assert dict(bounced.original_headers)["x-hd-loop"] == "prod"
    assert "ptzsmsvkhmva" in dict(bounced.original_headers)["reply-to"]


def test_a_bounce_in_words_leads_back_to_our_message_too() -> None:
    raw = text_mail(
        "Hi. This is the qmail-send program.\nI wasn't able to deliver your message.\n\n"
        "<gone@example.org>:\n550 5.1.1 no\n\n"
        "--- Below this line is a copy of the message.\n\n" + OURS,
        "From: MAILER-DAEMON@mx.example.org", "Subject: failure notice",
    )  # fmt: skip
    (bounced,) = parse_mail(raw).bounced
    assert (bounced.recipient, bounced.status) == ("gone@example.org", "5.1.1")
    assert bounced.original_message_id == "<m01jd3n0aa1.prod@helpdesk.example>"


def test_a_picture_shown_by_the_page_is_inline_and_another_is_not() -> None:
    raw = composed(
        "mixed",
        html('<img src="cid:Logo@shop">'),
        attached("logo.png", b"1", 'image/png; x="y"\r\nContent-ID: <logo@shop>'),
        attached("other.png", b"2", "image/png"),
    )
    assert {file.name: file.inline for file in parse_mail(raw).attachments} == {"logo.png": True, "other.png": False}


def test_a_mail_over_forty_megabytes_is_cut_and_says_so() -> None:
    raw = composed("mixed", plain("The words."), attached("big.bin", b"x" * 31_000_000))
    mail_read = parse_mail(raw)
    assert mail_read.text == "The words."
    assert any("40 MB" in banner for banner in mail_read.banners)


def test_a_mail_just_under_forty_megabytes_keeps_every_byte() -> None:
    data = bytes(range(256)) * 110_000
    assert parse_mail(composed("mixed", plain("Hi"), attached("big.bin", data))).attachments[0].data == data


@pytest.mark.parametrize(
    "raw",
    [
        b"From: " + b'"\\' * 50_000 + b"\n\nx",
        b"From: " + b"((" * 40_000 + b"))" * 40_000 + b"\n\nx",
        b"From: a@b.example\nContent-Type: text/plain" + b';a="' * 30_000 + b"\n\nx",
        b"From: a@b.example\nContent-Type: text/html\n\n" + b"<div>" * 100_000,
        b"From: a@b.example\nContent-Type: text/html\n\n" + b"".join(b"<font color=%d><p>" % n for n in range(20_000)),
        b"From: a@b.example\n" + b"Content-Type: message/rfc822\n\n" * 5_000,
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--bx\n" * 400_000,
    ],
    ids=["quotes", "brackets", "parameters", "divs", "fonts", "messages", "boundaries"],
)
def test_hostile_mail_costs_bounded_time(raw: bytes) -> None:
    started = time.thread_time()
    parse_mail(raw)
    assert time.thread_time() - started < 3


def test_reading_mail_imports_nothing_heavy() -> None:
    code = f"import sys, chalicelib.connectors.email.mime; print([m for m in {HEAVY_IMPORTS!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
