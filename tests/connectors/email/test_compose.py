"""Composed mails, read back with the standard library."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest

from chalicelib.connectors.email.compose import (
    answer_subject,
    base_subject,
    checked_files,
    composed,
)
from chalicelib.connectors.email.outgoing_body import html_of_text, safe_file_name
from chalicelib.domain.message import IncomingFile, Outbound, Party
from chalicelib.errors import InvalidInput

AT = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
REPLY_TO = "support+t42.1042.ptzsmsvkhmva@in.helpdesk.example"
PLAIN = Outbound(
    message_id="m01jd3n0aa1",
    ticket_id="1042",
    from_name="Northwind Mugs Support",
    from_address="support@northwind-mugs.example",
    to=(Party("Lina Meyer", "lina.meyer@example.com"),),
    subject="Where is my order #1042?",
    text="Hello Lina,\n\nit left our warehouse this morning.\n\nAnna",
    at=AT,
    in_reply_to="<CAF1x9-7731@mail.example.com>",
    references=("<CAF1x9-7700@mail.example.com>", "<0102-1@eu-west-1.amazonses.com>", "<CAF1x9-7731@mail.example.com>"),
)


def raw_of(message: Outbound) -> bytes:
    return composed(message, REPLY_TO, "t42")


def read(message: Outbound) -> EmailMessage:
    parsed = email.message_from_bytes(raw_of(message), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def body(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_headers_of_an_answer() -> None:
    parsed = read(PLAIN)
    headers = {name: re.sub(r"\s+", " ", str(value)) for name, value in parsed.items()}
    assert headers.pop("Content-Type").startswith("multipart/alternative")
    index = headers.pop("Thread-Index")
    assert len(index) == 32
    assert headers == {
        "From": "Northwind Mugs Support <support@northwind-mugs.example>",
        "To": "Lina Meyer <lina.meyer@example.com>",
        "Reply-To": f"Northwind Mugs Support <{REPLY_TO}>",
        "Subject": "Re: Where is my order #1042?",
        "Date": "Fri, 20 Nov 2026 14:05:00 +0000",
        "Message-ID": "<m01jd3n0aa1.t42@northwind-mugs.example>",
        "In-Reply-To": "<CAF1x9-7731@mail.example.com>",
        "References": "<CAF1x9-7700@mail.example.com> <0102-1@eu-west-1.amazonses.com> <CAF1x9-7731@mail.example.com>",
        "Thread-Topic": "Where is my order #1042?",
        "X-HD-Loop": "t42",
        "X-HD-Message": "m01jd3n0aa1",
        "MIME-Version": "1.0",
    }


def test_both_bodies_say_the_same() -> None:
    parsed = read(PLAIN)
    assert body(parsed, "plain") == PLAIN.text + "\n"
    assert "<p>it left our warehouse this morning.</p>" in body(parsed, "html")


def test_the_same_input_gives_the_same_bytes() -> None:
    assert raw_of(PLAIN) == raw_of(PLAIN)
    assert raw_of(PLAIN) != raw_of(replace(PLAIN, message_id="m2"))


def test_agents_mail_is_not_marked_automatic_and_acknowledgements_are() -> None:
    assert "Auto-Submitted" not in read(PLAIN)
    automatic = read(replace(PLAIN, automatic=True))
    assert automatic["Auto-Submitted"] == "auto-replied"
    assert automatic["X-Auto-Response-Suppress"] == "All"
    assert automatic["Precedence"] == "bulk"


@pytest.mark.parametrize(
    ("subject", "answered"),
    [
        ("Order", "Re: Order"),
        ("Re: Order", "Re: Order"),
        ("RE: re: AW: Order", "Re: Order"),
        ("Re[2]: Order", "Re: Order"),
        ("Sv: Order", "Re: Order"),
        ("回复：订单", "Re: 订单"),
        ("Fwd: Order", "Re: Fwd: Order"),
        ("Review: Order", "Re: Review: Order"),
        ("", "Re:"),
    ],
)
def test_one_re(subject: str, answered: str) -> None:
    assert answer_subject(subject) == answered
    assert not base_subject(answered).startswith("Re:")


def test_a_first_message_keeps_its_subject() -> None:
    parsed = read(replace(PLAIN, in_reply_to=None, references=()))
    assert parsed["Subject"] == "Where is my order #1042?"
    assert "In-Reply-To" not in parsed
    assert "References" not in parsed


def test_a_forward_is_no_answer_by_its_subject() -> None:
    parsed = read(replace(PLAIN, subject="Fwd: Where is my order #1042?", forward=True))
    assert parsed["Subject"] == "Fwd: Where is my order #1042?"


def test_references_are_the_first_and_the_last_nineteen() -> None:
    ids = tuple(f"<{number}@mail.example>" for number in range(60))
    parsed = read(replace(PLAIN, references=ids, in_reply_to=ids[-1]))
    assert str(parsed["References"]).split() == [ids[0], *ids[-19:]]


def test_the_answered_id_ends_the_references() -> None:
    parsed = read(replace(PLAIN, references=("<b@x.example>", "<a@x.example>"), in_reply_to="<b@x.example>"))
    assert str(parsed["References"]).split() == ["<a@x.example>", "<b@x.example>"]


def test_long_ids_are_never_encoded() -> None:
    long = f"<{'x' * 200}@{'y' * 100}.example>"
    raw = raw_of(replace(PLAIN, references=(long,), in_reply_to=long))
    assert raw.count(long.encode()) == 2
    assert b"=?" not in raw


EVIL = "x\r\nBcc: victim@evil.example\r\n\r\n<script>"


@pytest.mark.parametrize(
    "message",
    [
        replace(PLAIN, subject=EVIL),
        replace(PLAIN, subject=EVIL + "ü"),
        replace(PLAIN, from_name=EVIL),
        replace(PLAIN, from_address=f"a@x.example{EVIL}"),
        replace(PLAIN, to=(Party(EVIL, "a@x.example"),)),
        replace(PLAIN, to=(Party(EVIL + "ü", "a@x.example"),)),
        replace(PLAIN, to=(Party("", f"a@x.example{EVIL}"),)),
        replace(PLAIN, cc=(Party(EVIL, f"a@x.example{EVIL}"),)),
        replace(PLAIN, in_reply_to=f"<a@x>{EVIL}"),
        replace(PLAIN, references=(f"<a@x{EVIL}>", "<b@x.example>")),
        replace(PLAIN, thread_index=EVIL),
        replace(PLAIN, message_id=f"m1{EVIL}"),
        replace(PLAIN, subject="a\u2028Bcc: victim@evil.example\x85Bcc: v@evil.example\x0bBcc: w@evil.example"),
        replace(PLAIN, files=(IncomingFile(EVIL, f"text/plain{EVIL}", b"x"),)),
        replace(PLAIN, html="<img src='cid:i'>", files=(IncomingFile("i", "image/png", b"x", f"i{EVIL}", True),)),
    ],
)
def test_no_value_can_start_another_header(message: Outbound) -> None:
    raw = raw_of(message)
    for line in raw.split(b"\r\n"):
        assert not line.lower().startswith((b"bcc:", b"victim"))
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert "Bcc" not in parsed
    assert all("Bcc" not in part for part in parsed.walk())
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "name",
    [
        "Lina Meyer",
        "Meyer, Lina",
        'The "Boss"',
        "Ünal Öztürk",
        "山田太郎",
        "a" * 300,
        "=?utf-8?q?x?=",
        "back\\slash",
        "a@b",
    ],
)
def test_names_survive(name: str) -> None:
    parsed = read(replace(PLAIN, to=(Party(name, "lina@example.com"),), from_name=name))
    (address,) = parsed["To"].addresses
    assert address.addr_spec == "lina@example.com"
    assert address.display_name == name[:200]


def test_a_long_name_in_several_encoded_words_survives() -> None:
    """Read with ``decode_header``: the policy's parser wrongly puts blanks between encoded words of a name."""
    parsed = email.message_from_bytes(raw_of(replace(PLAIN, to=(Party("ä" * 150, "lina@example.com"),))))
    name, address = parseaddr(str(make_header(decode_header(parsed["To"]))))
    assert (name, address) == ("ä" * 150, "lina@example.com")


@pytest.mark.parametrize(
    "subject",
    [
        "Größe & Farbe",
        "注文番号 1042 について" * 10,
        "a" * 400,
        "word " * 100,
        "=?utf-8?b?ZXZpbA==?=",
        "emoji 📦" * 20,
        "ends with space ",
    ],
)
def test_subjects_survive(subject: str) -> None:
    parsed = read(replace(PLAIN, subject=subject))
    assert parsed["Subject"] == answer_subject(subject)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Grüße aus Köln",
        "ご注文ありがとうございます。" * 40,
        "From here\n.\n..\nend  ",
        "x" * 5_000,
        "a=b\t= \n",
        "日" * 3_000,
        "tail \n \n\ttab",
        "привет " * 200,
    ],
)
def test_texts_survive(text: str) -> None:
    assert body(read(replace(PLAIN, text=text)), "plain") == text.rstrip() + "\n"


@pytest.mark.parametrize("text", ["plain ASCII", "x" * 5_000, "with = signs and  spaces  \n" * 50])
def test_ascii_text_is_never_base64(text: str) -> None:
    for part in read(replace(PLAIN, text=text)).walk():
        if part.get_content_maintype() == "text":
            assert part["Content-Transfer-Encoding"] in {"7bit", "quoted-printable"}


def test_lines_stay_within_998_octets() -> None:
    many = tuple(Party("N" * 180, f"{'a' * 60}{number}@{'b' * 60}.example") for number in range(50))
    message = replace(
        PLAIN, to=many, cc=many, subject="s" * 3_000, text="t" * 20_000, html="h" * 20_000, from_name="ü" * 900,
        references=tuple(f"<{'r' * 480}{number}@x.example>" for number in range(10)),
        files=(IncomingFile("ü" * 300 + ".pdf", "application/pdf", b"x" * 5_000),),
    )  # fmt: skip
    assert max(len(line) for line in raw_of(message).split(b"\r\n")) <= 998


def test_history_hangs_below_in_both_parts() -> None:
    parsed = read(replace(PLAIN, quoted="Where is it?\n\nLina", quoted_intro="On 20 November Lina Meyer wrote:"))
    assert body(parsed, "plain").endswith("Anna\n\nOn 20 November Lina Meyer wrote:\n> Where is it?\n>\n> Lina\n")
    page = body(parsed, "html")
    assert (
        page.index("warehouse") < page.index("On 20 November") < page.index("<blockquote") < page.index("Where is it?")
    )


def test_history_is_escaped() -> None:
    assert "<script>" not in body(read(replace(PLAIN, quoted="<script>", quoted_intro="<script>")), "html")


def test_bcc_stands_nowhere() -> None:
    assert b"hidden@x.example" not in raw_of(replace(PLAIN, bcc=(Party("Hidden", "hidden@x.example"),)))


def test_files_and_inline_pictures_keep_their_place_and_bytes() -> None:
    data = bytes(range(256)) * 40
    files = (
        IncomingFile("logo.png", "image/png", data, "<logo@x>", True),
        IncomingFile("Rechnung März.pdf", "application/pdf", data),
        IncomingFile("empty.txt", "text/plain", b""),
        IncomingFile("unused.png", "image/png", data, "unused", True),
    )
    parsed = read(replace(PLAIN, html='<p><img src="cid:logo@x"></p>', files=files))
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/mixed", "multipart/related", "multipart/alternative", "text/plain", "text/html",
        "image/png", "application/pdf", "text/plain", "image/png",
    ]  # fmt: skip
    assert [(part.get_filename(), part.get_content_disposition()) for part in parsed.walk() if part.get_filename()] == [
        ("logo.png", "inline"),
        ("Rechnung März.pdf", "attachment"),
        ("empty.txt", "attachment"),
        ("unused.png", "attachment"),
    ]
    payloads = [part.get_payload(decode=True) for part in parsed.walk() if part.get_filename()]
    assert payloads == [data, data, b"", data]


NAMES = ["ü" * 140 + ".pdf", "请求书 2026.pdf", 'we"ird;name.txt', "a b.txt", "'quoted'.txt", "100%.txt"]


@pytest.mark.parametrize("name", NAMES)
def test_file_names_survive(name: str) -> None:
    parsed = read(replace(PLAIN, files=(IncomingFile(name, "application/pdf", b"x"),)))
    assert [part.get_filename() for part in parsed.iter_attachments()] == [name]


def test_a_forwarded_mail_travels_as_a_mail_or_as_a_plain_file() -> None:
    clean, eight_bit = b"From: a@x.example\nSubject: x\n\nhello\n", "Subject: ü\n\nü\n".encode()
    files = (IncomingFile("a.eml", "message/rfc822", clean), IncomingFile("b.eml", "message/rfc822", eight_bit))
    parts = list(read(replace(PLAIN, files=files)).iter_attachments())
    assert [part.get_content_type() for part in parts] == ["message/rfc822", "application/octet-stream"]
    assert parts[1].get_payload(decode=True) == eight_bit


def test_paths_and_controls_leave_file_names() -> None:
    assert safe_file_name("../../etc/passwd") == "passwd"
    assert safe_file_name("C:\\temp\\a\x00b.txt") == "a b.txt"
    assert safe_file_name(" .. ") == "file"


def test_links_and_angles_in_plain_text() -> None:
    assert html_of_text("see https://x.example/a?b=1&c=2.\n<b>") == (
        '<p>see <a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.<br>\n&lt;b&gt;</p>'
    )


@pytest.mark.parametrize("name", ["run.exe", "RUN.EXE", "macro.vbs", "x.pdf.js", "page.hta.", "a.scr "])
def test_what_servers_refuse_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_files([("fine.pdf", 10), (name, 10)])
    assert "Send a link instead." in caught.value.fields["attachments"]


def test_ten_megabytes_together() -> None:
    checked_files([("a.pdf", 5_000_000), ("b.pdf", 5_000_000), ("exe", 0), ("no-ending.", 0)])
    with pytest.raises(InvalidInput) as caught:
        checked_files([("a.pdf", 5_000_000), ("b.pdf", 5_000_001)])
    assert "10.0 MB" in caught.value.fields["attachments"]
