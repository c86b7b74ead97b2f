"""Mails in, as the domain gets them; answers out."""

import email
import email.policy
from dataclasses import replace

import pytest

from chalicelib.connectors import Original, WebhookRequest
from chalicelib.connectors.email.channel import EmailChannel, envelope_recipients, reply_address
from chalicelib.connectors.email.incoming import number_in
from chalicelib.domain.message import Inbound, IncomingFile, Outbound, Party, StateChange
from chalicelib.errors import NotAuthentic, Refused
from tests.connectors.email.desk import AT, INBOX, SES_ID, SIGNED, Post, original, parsed, raw, tools

PLAIN = """
Return-Path: <lina@customer.example>
From: Lina Meyer <Lina@customer.example>
To: support@shop.example
Subject: Where is my order #1042?
Date: Fri, 20 Nov 2026 15:00:00 +0100
Message-ID: <CAF1x9-7731@mail.example.com>
In-Reply-To: <0102-1@eu-west-1.amazonses.com>
References: <CAF1x9-7700@mail.example.com> <0102-1@eu-west-1.amazonses.com>
Thread-Index: AdxZ
"""


def without(header: str, mail: str = PLAIN) -> str:
    return "\n".join(line for line in mail.split("\n") if not line.startswith(f"{header}:"))


def test_a_mail_becomes_a_message() -> None:
    found = parsed(raw(PLAIN))
    assert found.sender == Party("Lina Meyer", "lina@customer.example")
    assert found.sent_at == AT.replace(second=0)
    assert found.own_keys == ("mid:caf1x9-7731@mail.example.com",)
    assert found.thread_keys == ("ses:0102-1", "mid:caf1x9-7700@mail.example.com")
    assert found.references[-1] == "<CAF1x9-7731@mail.example.com>"
    assert len(found.references) == 3
    assert (found.number_in_subject, found.ticket_token, found.thread_index) == ("1042", None, "AdxZ")
    assert (found.mail_kind, found.may_auto_answer, found.spam, found.refused, found.suppressed) == (
        "human", True, None, None, None,
    )  # fmt: skip
    assert found.banners == ()


# duplicates (d6, d7)


def test_the_same_mail_has_the_same_fingerprint_through_another_path() -> None:
    again = "Received: by mx.example; Fri, 20 Nov 2026 14:00:05 +0000\n" + PLAIN.strip("\n")
    assert parsed(raw(again)).fingerprint == parsed(raw(PLAIN)).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        raw(PLAIN, "Another body\n"),
        raw(PLAIN.replace("15:00:00", "15:00:01")),
        raw(PLAIN.replace("Lina@", "Ben@")),
        raw(without("Message-ID")),
        raw(without("Message-ID"), "Another body\n"),
    ],
)
def test_a_reused_id_with_anything_else_is_another_mail(other: bytes) -> None:
    assert parsed(other).fingerprint != parsed(raw(PLAIN)).fingerprint


def test_two_mails_without_headers_are_two() -> None:
    assert parsed(b"one").fingerprint != parsed(b"two").fingerprint
    assert parsed(b"From: a@x.example").fingerprint != parsed(b"From: a@x.example\r\nX: y").fingerprint


def test_without_an_id_one_is_made_from_the_content() -> None:
    mail = raw(without("Message-ID"))
    assert parsed(mail).own_keys == (f"content:{parsed(mail).fingerprint}",)
    assert parsed(mail) == parsed(mail)


# keys


@pytest.mark.parametrize("metadata", [{"recipients": SIGNED}, {"recipients": f"sales@shop.example,{SIGNED.upper()}"}])
def test_the_token_of_the_envelope(metadata: dict[str, str]) -> None:
    assert parsed(raw(PLAIN), INBOX, **metadata).ticket_token == "1042"


@pytest.mark.parametrize("header", ["To", "Cc", "Delivered-To", "X-Forwarded-To", "X-Original-To"])
def test_the_token_behind_a_forward(header: str) -> None:
    mail = without("To") if header == "To" else PLAIN
    assert parsed(raw(f"{header}: {SIGNED}\n{mail.strip()}")).ticket_token == "1042"


def test_a_token_with_a_wrong_signature_is_ignored() -> None:
    assert parsed(raw(PLAIN), recipients=SIGNED.replace("t42.1042", "t42.1043")).ticket_token is None


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Re: Parcel [#1042]", "1042"), ("Order #1042", "1042"), ("#7 and [#1042]", "1042"), ("(#1042)", "1042"),
        ("1042", None), ("Parcel 1042", None), ("C#1042", None), ("#10-42", None), ("&#1042;", None), ("#0042", "42"),
        ("#1234567890123", None), ("#abc", None), ("", None), ("/#1042", None),
    ],
)  # fmt: skip
def test_the_number_in_a_subject(subject: str, number: str | None) -> None:
    assert number_in(subject) == number


# who


def test_a_contact_form_speaks_for_the_customer() -> None:
    mail = raw(
        PLAIN.replace("Lina Meyer <Lina@customer.example>", "Shop <forms@shop.example>")
        + "Reply-To: Ben <ben@c.example>"
    )
    inbox = replace(INBOX, settings={"form_senders": "noreply@shop.example, forms@shop.example"})
    found = parsed(mail, inbox)
    assert found.sender == Party("Ben", "ben@c.example")
    assert found.banners == ("Sent through forms@shop.example; the customer is ben@c.example.",)


def test_a_group_that_rewrites_from_speaks_for_the_customer() -> None:
    mail = PLAIN.replace("Lina Meyer <Lina@customer.example>", "'Lina' via Support <support@shop.example>")
    assert parsed(raw(mail + "X-Original-From: Lina <lina@customer.example>")).sender.address == "lina@customer.example"
    assert parsed(raw(mail + "Reply-To: lina@customer.example")).sender.address == "lina@customer.example"


def test_another_reply_to_is_shown_and_not_followed() -> None:
    found = parsed(raw(PLAIN + "Reply-To: mallory@evil.example"))
    assert found.sender.address == "lina@customer.example"
    assert found.reply_to == (Party("", "mallory@evil.example"),)
    assert found.banners == (
        "The sender asks for answers to mallory@evil.example; this desk answers lina@customer.example.",
    )


def test_a_colleague_who_writes_from_a_shop_address_is_a_ticket_and_no_machine_answers() -> None:
    found = parsed(raw(PLAIN.replace("Lina@customer.example", "support@shop.example")))
    assert (found.suppressed, found.sender.address, found.may_auto_answer) == (None, "support@shop.example", False)


@pytest.mark.parametrize("sender", ["", "From: \n", "From: undisclosed\n", "From: <>\n"])
def test_a_mail_without_a_sender_is_still_a_message(sender: str) -> None:
    headers = without("From", without("Return-Path")).strip("\n")
    found = parsed(raw(sender + headers), source="envelope@customer.example")
    assert found.sender.address == "envelope@customer.example"
    assert not found.may_auto_answer
    nobody = parsed(raw(sender + headers), source="")
    assert nobody.sender.address == "unknown@sender.invalid"


# verdicts


def test_a_virus_is_refused_with_nothing_of_its_content() -> None:
    found = parsed(raw(PLAIN), virus="FAIL")
    assert found.refused == "SES found a virus in this mail. The original is kept 30 days and not shown."
    assert (found.text, found.html, found.files, found.may_auto_answer) == ("", "", (), False)


def test_spam_goes_to_the_spam_view_unanswered() -> None:
    found = parsed(raw(PLAIN), spam="FAIL")
    assert (found.spam, found.may_auto_answer, found.text) == (
        "SES judged this mail to be spam.",
        False,
        "Where is my parcel?",
    )


@pytest.mark.parametrize(
    ("metadata", "disowned"),
    [
        ({"dmarc": "FAIL", "dmarc_policy": "reject"}, True),
        ({"dmarc": "FAIL", "dmarc_policy": "QUARANTINE"}, True),
        ({"dmarc": "FAIL"}, True),
        ({"dmarc": "FAIL", "dmarc_policy": "none"}, False),
        ({"dmarc": "GRAY", "spf": "FAIL"}, False),
        ({"dmarc": "PASS", "spf": "FAIL", "dkim": "PASS"}, False),
    ],
)
def test_a_mail_its_domain_disowns(metadata: dict[str, str], disowned: bool) -> None:
    found = parsed(raw(PLAIN), INBOX, **metadata)
    assert (found.unauthenticated, bool(found.banners), not found.may_auto_answer) == (disowned, disowned, disowned)


def test_verdicts_come_from_ses_headers_when_the_notification_is_gone() -> None:
    top = """Return-Path: <lina@customer.example>
Received: from mail.example.com (mail.example.com [203.0.113.10]) by inbound-smtp.eu-west-1.amazonaws.com with SMTP id
 o3vrnil0e2 for support@shop.example; Fri, 20 Nov 2026 14:00:02 +0000 (UTC)
X-SES-Spam-Verdict: FAIL
X-SES-Virus-Verdict: PASS
Authentication-Results: amazonses.com; spf=pass; dkim=fail header.i=@a.example; dkim=pass; dmarc=fail
Received: from evil.example by mail.example.com; Fri, 20 Nov 2026 14:00:01 +0000
X-SES-Virus-Verdict: FAIL
"""
    mail = raw(top + PLAIN.strip("\n"))
    (found,) = EmailChannel().parse(Original("raw/o3vrnil0e2", mail, {}, AT), INBOX, tools())
    assert isinstance(found, Inbound)
    assert found.spam
    assert found.refused is None
    assert found.unauthenticated
    assert envelope_recipients(Original("raw/o3vrnil0e2", mail, {}, AT)) == ("support@shop.example",)


@pytest.mark.parametrize("above", ["", "Received: from x by mx.evil.example; Fri, 20 Nov 2026 14:00:01 +0000\n"])
def test_a_senders_own_verdicts_count_for_nothing(above: str) -> None:
    mail = raw(f"{above}X-SES-Virus-Verdict: FAIL\nX-SES-Spam-Verdict: FAIL\n{PLAIN.strip()}")
    (found,) = EmailChannel().parse(Original("raw/x", mail, {}, AT), INBOX, tools())
    assert isinstance(found, Inbound)
    assert (found.refused, found.spam) == (None, None)


def test_an_unfinished_scan_warns_of_attachments() -> None:
    mail = raw(PLAIN + 'MIME-Version: 1.0\nContent-Type: application/pdf; name="a.pdf"', "x")
    assert "virus scan" in parsed(mail, virus="PROCESSING_FAILED").banners[0]
    assert parsed(raw(PLAIN), virus="GRAY").banners == ()


# loops, reports, machines


def test_our_own_mail_coming_back_is_suppressed() -> None:
    assert parsed(raw(PLAIN + "X-HD-Loop: t42")).suppressed == "This is a mail of this desk that came back to it."
    assert parsed(raw(PLAIN + "X-HD-Loop: other")).suppressed is None


def test_the_mail_of_another_desk_of_the_same_stage_name_is_a_message() -> None:
    theirs = "desk+t42.7.abcdefghijkl@other.example"
    assert parsed(raw(f"{PLAIN}X-HD-Loop: t42\nReply-To: {theirs}")).suppressed is None
    assert parsed(raw(f"{PLAIN}X-HD-Loop: t42\nReply-To: {SIGNED}")).suppressed


@pytest.mark.parametrize(
    "mark",
    [
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "List-Id: <news.example>",
        "X-Autoreply: yes",
        "X-Auto-Response-Suppress: All",
    ],
)
def test_no_machine_answers_a_machine(mark: str) -> None:
    assert not parsed(raw(PLAIN + mark)).may_auto_answer


def test_an_empty_envelope_sender_is_never_answered() -> None:
    assert not parsed(raw(without("Return-Path")), source="").may_auto_answer


BOUNCE = """
From: MAILER-DAEMON@mta.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Date: Fri, 20 Nov 2026 15:00:00 +0100
Message-ID: <bounce-1@mta.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="b"
"""
DSN = """--b
Content-Type: text/plain

Your mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mta.example

Final-Recipient: rfc822; lina@customer.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--b
Content-Type: {type}

{returned}

--b--
"""
OURS = f"""Message-ID: <{SES_ID}@eu-west-1.amazonses.com>
Reply-To: Support <{SIGNED}>
X-HD-Loop: t42
X-HD-Message: m01jd3n0aa1
Subject: Re: Where is my order?"""


def dsn(
    returned: str = OURS, action: str = "failed", status: str = "5.1.1", kind: str = "text/rfc822-headers"
) -> bytes:
    body = DSN.format(action=action, status=status, type=kind, returned=returned)
    return raw(BOUNCE.format(to=SIGNED, kind="delivery-status"), body)


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_a_bounce_of_our_mail_changes_that_message(kind: str) -> None:
    (change,) = EmailChannel().parse(original(dsn(kind=kind), source=""), INBOX, tools())
    assert isinstance(change, StateChange)
    assert (change.state, change.permanent, change.recipients) == ("bounced", True, ("lina@customer.example",))
    assert (change.ticket_id, change.our_message_id, change.provider_id) == ("1042", "m01jd3n0aa1", SES_ID)
    assert "lina@customer.example could not be reached." in change.reason


@pytest.mark.parametrize(
    ("action", "status", "state", "permanent"),
    [
        ("failed", "4.2.2", "bounced", False),
        ("delayed", "4.4.1", "delayed", False),
        ("delivered", "2.0.0", "delivered", False),
    ],
)
def test_other_reports(action: str, status: str, state: str, permanent: bool) -> None:
    (change,) = EmailChannel().parse(original(dsn(action=action, status=status)), INBOX, tools())
    assert isinstance(change, StateChange)
    assert (change.state, change.permanent) == (state, permanent)


@pytest.mark.parametrize(
    "returned",
    [
        "Message-ID: <someone@elsewhere.example>\nSubject: x",
        "X-HD-Loop: t42\nX-HD-Message: m01jd3n0aa1\nMessage-ID: <m01jd3n0aa1.t42@shop.example>",
        f"Reply-To: {SIGNED.replace('1042', '1043')}\nX-HD-Loop: t42",
    ],
)
def test_a_bounce_of_nothing_of_ours_is_suppressed(returned: str) -> None:
    found = parsed(dsn(returned))
    assert found.suppressed == "A bounce of a mail that this desk did not send."
    assert found.text == ""


ARF = """--b
Content-Type: text/plain

This is a complaint.

--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Mailbox/1.0
Version: 1
Original-Rcpt-To: <lina@customer.example>

--b
Content-Type: message/rfc822

{returned}

Hello
--b--
"""


def complaint(kind: str = "abuse", returned: str = OURS) -> bytes:
    return raw(BOUNCE.format(to=SIGNED, kind="feedback-report"), ARF.format(kind=kind, returned=returned))


def test_a_complaint_about_our_mail() -> None:
    (change,) = EmailChannel().parse(original(complaint()), INBOX, tools())
    assert isinstance(change, StateChange)
    assert (change.state, change.ticket_id, change.our_message_id) == ("complained", "1042", "m01jd3n0aa1")
    assert change.recipients == ("lina@customer.example",)


def test_complaints_that_are_none() -> None:
    (skipped,) = EmailChannel().parse(original(complaint("not-spam")), INBOX, tools())
    assert not isinstance(skipped, StateChange)
    assert (
        parsed(complaint(returned="Subject: x")).suppressed == "A complaint about a mail that this desk did not send."
    )


def test_gmails_question_shows_its_code() -> None:
    mail = raw(
        "From: Gmail Team <forwarding-noreply@google.com>\nTo: support@shop.example\nMessage-ID: <g@google.com>\n"
        "Subject: (#123456789) Gmail Forwarding Confirmation - Receive Mail from shop@gmail.com",
        "shop@gmail.com has requested to automatically forward mail.\nConfirmation code: 123456789\n",
    )
    found = parsed(mail)
    assert found.banners[0] == (
        "Gmail asks to confirm the forwarding of shop@gmail.com. The confirmation code is 123456789."
    )
    assert (found.may_auto_answer, found.number_in_subject) == (False, None)


@pytest.mark.parametrize(
    "mail", [b"", b"\x00\xff\xfe", b"no headers at all", b"From: a@x.example\r\n" * 5000, b"\r\n\r\nbody"]
)
def test_poison_is_still_one_message(mail: bytes) -> None:
    assert len(parsed(mail).fingerprint) == 64


# routing and doors


def test_recipients_are_the_envelopes_without_tags() -> None:
    routed = envelope_recipients(original(b"", recipients=f"{SIGNED}, Sales@shop.example,{SIGNED}"))
    assert routed == ("support@shop.example", "sales@shop.example")


def test_nobody_posts_mail() -> None:
    with pytest.raises(NotAuthentic):
        EmailChannel().verify(WebhookRequest({}, b""), INBOX, tools())


# out


ANSWER = Outbound(
    message_id="m01jd3n0aa1", ticket_id="1042", from_name="Anna", from_address="support@shop.example",
    to=(Party("Lina", "lina@customer.example"),), cc=(Party("", "c@x.example"),), bcc=(Party("", "b@x.example"),),
    subject="Where is my order?", text="On its way.", at=AT, in_reply_to="<CAF1x9-7731@mail.example.com>",
)  # fmt: skip


def test_an_answer_goes_out_once_and_is_found_again_under_both_ids() -> None:
    post = Post()
    sent = EmailChannel().send(ANSWER, INBOX, tools(post))
    assert sent.provider_id == SES_ID
    assert sent.own_keys == ("mid:m01jd3n0aa1.t42@shop.example", f"ses:{SES_ID}")
    ((sender, recipients, mail, tags),) = post.sent
    assert sender == "support@shop.example"
    assert recipients == ["lina@customer.example", "c@x.example", "b@x.example"]
    assert tags == {"stage": "t42", "ticket": "1042", "msg": "m01jd3n0aa1"}
    assert b"b@x.example" not in mail


def test_the_customers_answer_finds_the_ticket_by_every_key() -> None:
    post = Post()
    sent = EmailChannel().send(ANSWER, INBOX, tools(post))
    ours = email.message_from_bytes(post.sent[0][2], policy=email.policy.default)
    reply_to = ours["Reply-To"].addresses[0].addr_spec
    answer = f"From: lina@customer.example\nTo: {reply_to}\nIn-Reply-To: <{SES_ID}@email.amazonses.com>"
    found = parsed(raw(answer), recipients=reply_to)
    assert found.ticket_token == "1042"
    assert found.thread_keys[0] in sent.own_keys


def test_our_answer_that_reaches_us_is_our_loop() -> None:
    post = Post()
    EmailChannel().send(ANSWER, INBOX, tools(post))
    assert parsed(post.sent[0][2]).suppressed


def test_answers_go_to_the_address_that_is_ours() -> None:
    forwarded = replace(INBOX, settings={"forward_to": "shop-7@in.desk.example"})
    assert reply_address(forwarded, "1042", tools()).startswith("shop-7+t42.1042.")
    assert reply_address(forwarded, "1042", tools()).endswith("@in.desk.example")


@pytest.mark.parametrize(
    "message",
    [
        replace(ANSWER, to=()),
        replace(ANSWER, cc=tuple(Party("", f"{number}@x.example") for number in range(50))),
        replace(ANSWER, text="x" * 200_001),
        replace(ANSWER, files=(IncomingFile("a.exe", "application/octet-stream", b"x"),)),
        replace(ANSWER, files=(IncomingFile("a.pdf", "application/pdf", b"x" * 10_000_001),)),
    ],
)
def test_what_cannot_arrive_is_refused_before_it_is_sent(message: Outbound) -> None:
    post = Post()
    with pytest.raises(Refused) as caught:
        EmailChannel().send(message, INBOX, tools(post))
    assert caught.value.retry_after_seconds is None
    assert post.sent == []
