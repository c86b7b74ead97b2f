"""Large mail on its whole way: the mail port, S3, the notice, intake, a ticket, and the file back out unchanged.

Over 150 KB SES's notice holds no mail any more, over 10 MB API Gateway would not take it, and 40 MB is what SES takes.
"""

import base64
import hashlib
import random
from urllib.request import urlopen

import pytest

from tests.stack import SUPPORT, LocalStack

pytestmark = pytest.mark.stack
HEAD = """From: Lina Meyer <lina.meyer@example.com>
To: {to}
Subject: {subject}
Message-ID: <{size}@mail.example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="edge"

--edge
Content-Type: text/plain

Here they are.
--edge
Content-Type: application/octet-stream; name="photos.bin"
Content-Disposition: attachment; filename="photos.bin"
Content-Transfer-Encoding: base64

"""
END = b"\r\n--edge--\r\n"
LINE_BYTES = 570
"""Of a file: 760 signs and a line's end on their way; with the usual 76 the mail port would read lines for longer."""


def large_mail(subject: str, size: int, file: bytes) -> bytes:
    head = HEAD.format(to=SUPPORT, subject=subject, size=size).replace("\n", "\r\n").encode()
    lines = (base64.b64encode(file[at : at + LINE_BYTES]) for at in range(0, len(file), LINE_BYTES))
    return head + b"\r\n".join(lines) + END


@pytest.mark.parametrize(("size", "words"), [(151_000, "151 KB"), (10_000_000, "10 MB"), (39_000_000, "39 MB")])
def test_a_large_mail_becomes_one_ticket_with_its_file(stack: LocalStack, size: int, words: str) -> None:
    file = random.Random(size).randbytes(size // 762 * LINE_BYTES)
    subject = f"Photos of {words}"
    raw = large_mail(subject, size, file)
    assert size <= len(raw) < size + 1_000
    stack.send(raw)
    ticket = stack.ticket_about(subject, seconds=60)
    (message,) = stack.api("GET", f"/tickets/{ticket['id']}/messages")["items"]
    assert message["text"].strip() == "Here they are."
    (attached,) = message["attachments"]
    assert (attached["name"], attached["size_bytes"]) == ("photos.bin", len(file))
    link = stack.api("GET", f"/tickets/{ticket['id']}/messages/{message['id']}/attachments/{attached['id']}")["url"]
    with urlopen(link, timeout=60) as answer:
        assert hashlib.sha256(answer.read()).digest() == hashlib.sha256(file).digest()
    assert [each["subject"] for each in stack.tickets()].count(subject) == 1
