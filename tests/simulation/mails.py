"""Mails as customers' programs write them, each with a word of its own by which it is found again anywhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Literal

from tests.simulation.determinism import KILLS

SES_ID = re.compile(rb" with SMTP id (\S+) for ")
MailKind = Literal["human", "auto_reply", "list", "poison", "deadly", "our own"]
UNREADABLE: tuple[MailKind, ...] = ("poison", "deadly")


@dataclass(frozen=True)
class Mail:
    """One mail on its way in.  ``word`` stands in its text and nowhere else; ``people``: everybody it names."""

    n: str
    raw: bytes
    sender: str
    recipients: tuple[str, ...]
    people: frozenset[str]
    word: str
    message_id: str
    kind: MailKind = "human"
    spam: bool = False
    virus: bool = False

    @property
    def ses_id(self) -> str:
        return f"in{self.n}"

    @property
    def key(self) -> str:
        return f"raw/{self.ses_id}"

    @property
    def stored(self) -> bytes:
        """As SES puts it into the bucket: with its own headers on top, which name the first recipient."""
        spam, virus = ("FAIL" if each else "PASS" for each in (self.spam, self.virus))
        top = (
            f"Return-Path: <{self.sender}>\r\n"
            "Received: from mail.example (mail.example [203.0.113.10]) by inbound-smtp.eu-west-1.amazonaws.com"
            f" with SMTP id {self.ses_id} for {self.recipients[0]}; Fri, 20 Nov 2026 09:00:00 +0000 (UTC)\r\n"
            f"X-SES-Spam-Verdict: {spam}\r\nX-SES-Virus-Verdict: {virus}\r\n"
            "Authentication-Results: amazonses.com; spf=pass; dkim=pass; dmarc=pass\r\n"
        )
        return top.encode() + self.raw


def ses_id_of(stored: bytes) -> str:
    """The id that SES gave a mail, as its own headers name it."""
    found = SES_ID.search(stored)
    return found[1].decode() if found else ""


def word_of(n: object) -> str:
    """A word no text holds by chance."""
    return f"lulu{n}olo"


def a_mail(
    n: str,
    sender: str,
    to: Sequence[str],
    at: datetime,
    subject: str,
    recipients: Sequence[str],
    cc: Sequence[str] = (),
    references: Sequence[str] = (),
    quoted: str = "",
    kind: MailKind = "human",
    message_id: str | None = None,
    spam: bool = False,
    virus: bool = False,
    headers: Sequence[str] = (),
    html: bool = False,
    file: bool = False,
) -> Mail:
    word = word_of(n)
    own = message_id if message_id is not None else f"<m{n}@mail.example>"
    lines = [
        f"From: Customer <{sender}>",
        f"To: {', '.join(to)}",
        *([f"Cc: {', '.join(cc)}"] if cc else []),
        f"Subject: {subject}",
        f"Date: {format_datetime(at - timedelta(seconds=2))}",
        *([f"Message-ID: {own}"] if own else []),
        *([f"In-Reply-To: {references[-1]}", f"References: {' '.join(references)}"] if references else []),
        *(["Auto-Submitted: auto-replied"] if kind == "auto_reply" else []),
        *(["List-Id: <news.example>", "Precedence: list"] if kind == "list" else []),
        *headers,
        "MIME-Version: 1.0",
    ]
    text = f"Hello, my word is {word}. Where is my parcel?\r\n"
    if quoted:
        text += f"\r\nOn Monday the shop wrote:\r\n> {quoted}\r\n"
    if html or file:
        body = _parts(text, word, html, file)
        lines.append('Content-Type: multipart/mixed; boundary="b1"')
    else:
        body = text
        lines.append("Content-Type: text/plain; charset=utf-8")
    raw = "\r\n".join((*lines, "", body)).encode()
    if kind == "poison":
        raw = (
            b"From: \xff\xfe<<"
            + word.encode()
            + b"\r\n\x00\x01Content-Type: multipart/mixed; boundary=\r\n\r\n--\x00" * 3
        )
    elif kind == "deadly":
        raw = KILLS + b": yes\r\n" + raw
    people = frozenset(address.lower() for address in (sender, *to, *cc))
    return Mail(n, raw, sender.lower(), tuple(recipients), people, word, own, kind, spam, virus)


def _parts(text: str, word: str, html: bool, file: bool) -> str:
    parts = [f"--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"]
    if html:
        parts.append(
            f"--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hello, <b>{word}</b><script>1</script></p>\r\n"
        )
    if file:
        parts.append(
            "--b1\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
            'Content-Disposition: attachment; filename="p.png"\r\n\r\niVBORw0KGgo=\r\n'
        )
    return "".join(parts) + "--b1--\r\n"


def ses_notice(mail: Mail, at: datetime, bucket: str) -> dict[str, object]:
    """What SES tells SNS about a mail it stored."""
    verdicts = {each: {"status": "PASS"} for each in ("spf", "dkim", "dmarc")}
    return {
        "notificationType": "Received",
        "mail": {"messageId": mail.ses_id, "source": mail.sender, "timestamp": at.isoformat()},
        "receipt": {
            "recipients": list(mail.recipients),
            "action": {"type": "S3", "bucketName": bucket, "objectKey": mail.key},
            **{f"{name}Verdict": verdict for name, verdict in verdicts.items()},
            "spamVerdict": {"status": "FAIL" if mail.spam else "PASS"},
            "virusVerdict": {"status": "FAIL" if mail.virus else "PASS"},
        },
    }
