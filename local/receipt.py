"""What SES makes of a received mail: the headers it puts on top and the notification it publishes.

Source: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
Verdicts are PASS unless the mail's own ``X-Local-Verdict: spam=FAIL dmarc=FAIL policy=quarantine`` says otherwise.
"""

import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import format_datetime, getaddresses

from local.engine import REGION

VERDICTS = ("spam", "virus", "spf", "dkim", "dmarc")
ID_CHARS = string.ascii_lowercase + string.digits
ID_LENGTH = 40
HEADERS_LIMIT_BYTES = 10_000
"""SES leaves the rest of a longer header section out of the notification."""
SPF_WORDS = {"PASS": "pass", "FAIL": "fail", "GRAY": "none"}
CLIENT_ADDRESS = "203.0.113.10"
"""Documentation range: where the sender's server would have been."""


@dataclass(frozen=True)
class Received:
    """One mail as SES took it.  ``source`` is the envelope sender, "" for a bounce."""

    ses_id: str
    at: datetime
    source: str
    helo: str
    recipients: tuple[str, ...]
    verdicts: Mapping[str, str]
    raw: bytes
    """With SES's headers on top."""

    @property
    def key(self) -> str:
        return f"raw/{self.ses_id}"


def receive(raw: bytes, source: str, recipients: Sequence[str], helo: str, at: datetime) -> Received:
    """Do to a mail what SES does before it stores it."""
    ses_id = "".join(secrets.choice(ID_CHARS) for _ in range(ID_LENGTH))
    verdicts = verdicts_of(headers_of(raw))
    lines = _headers_on_top(ses_id, source, recipients, helo, at, verdicts, _from_domain(raw))
    top = "".join(f"{name}: {value}\r\n" for name, value in lines).encode("utf-8", "replace")
    return Received(ses_id, at, source, helo, tuple(recipients), verdicts, top + raw)


def verdicts_of(headers: Message) -> dict[str, str]:
    """Statuses by name, and ``policy`` when DMARC failed."""
    wanted = dict.fromkeys(VERDICTS, "PASS")
    for word in str(headers.get("X-Local-Verdict", "")).split():
        name, _, status = word.partition("=")
        if name.lower() in (*VERDICTS, "policy") and status:
            wanted[name.lower()] = status.upper()
    if wanted["dmarc"] == "FAIL":
        wanted.setdefault("policy", "REJECT")
    return wanted


def notification(received: Received, topic: str, bucket: str) -> dict[str, object]:
    """The document SES publishes once the mail lies in the bucket."""
    headers = headers_of(received.raw)
    listed = [{"name": name, "value": _one_line(value)} for name, value in headers.items()]
    kept = _within(listed, HEADERS_LIMIT_BYTES)
    instant = _instant(received.at)
    status = {f"{name}Verdict": {"status": received.verdicts[name]} for name in VERDICTS}
    if "policy" in received.verdicts:
        status["dmarcPolicy"] = received.verdicts["policy"].lower()  # type: ignore[assignment]  # not a map like the verdicts
    return {
        "notificationType": "Received",
        "mail": {
            "timestamp": instant,
            "source": received.source,
            "messageId": received.ses_id,
            "destination": _addresses(headers, "To", "Cc"),
            "headersTruncated": len(kept) < len(listed),
            "headers": kept,
            "commonHeaders": _common(headers, received.source),
        },
        "receipt": {
            "timestamp": instant,
            "processingTimeMillis": 12,
            "recipients": list(received.recipients),
            **status,
            "action": {
                "type": "S3",
                "topicArn": topic,
                "bucketName": bucket,
                "objectKeyPrefix": "raw/",
                "objectKey": received.key,
            },
        },
    }


def headers_of(raw: bytes) -> Message:
    """The header section, read leniently: what people send is not always mail."""
    head = raw.split(b"\r\n\r\n", 1)[0].split(b"\n\n", 1)[0]
    return BytesHeaderParser(policy=policy.compat32).parsebytes(head)


def _headers_on_top(
    ses_id: str,
    source: str,
    recipients: Sequence[str],
    helo: str,
    at: datetime,
    verdicts: Mapping[str, str],
    from_domain: str,
) -> list[tuple[str, str]]:
    domain = source.rpartition("@")[2] or helo
    spf = SPF_WORDS.get(verdicts["spf"], "none")
    designates = "designates" if spf == "pass" else "does not designate"
    found = (
        f"{spf} (spfCheck: domain of {domain} {designates} {CLIENT_ADDRESS} as permitted sender) "
        f"client-ip={CLIENT_ADDRESS}; envelope-from={source}; helo={helo};"
    )
    dkim, dmarc = (SPF_WORDS.get(verdicts[name], "none") for name in ("dkim", "dmarc"))
    results = (
        f"amazonses.com; spf={found} dkim={dkim} header.i=@{from_domain}; dmarc={dmarc} header.from={from_domain};"
    )
    return [
        ("Return-Path", f"<{source}>"),
        (
            "Received",
            f"from {helo} ({helo} [{CLIENT_ADDRESS}]) by inbound-smtp.{REGION}.amazonaws.com with SMTP id {ses_id} "
            f"for {', '.join(recipients)}; {format_datetime(at)} (UTC)",
        ),
        ("X-SES-Spam-Verdict", verdicts["spam"]),
        ("X-SES-Virus-Verdict", verdicts["virus"]),
        ("Received-SPF", found),
        ("Authentication-Results", results),
    ]


def _from_domain(raw: bytes) -> str:
    addresses = _addresses(headers_of(raw), "From")
    return addresses[0].rpartition("@")[2] if addresses else ""


def _common(headers: Message, source: str) -> dict[str, object]:
    common: dict[str, object] = {"returnPath": source}
    for name in ("from", "to", "cc"):
        if headers.get(name):
            common[name] = [_one_line(headers[name])]
    for name, header in (("date", "Date"), ("messageId", "Message-ID"), ("subject", "Subject")):
        if headers.get(header):
            common[name] = _one_line(headers[header])
    return common


def _addresses(headers: Message, *names: str) -> list[str]:
    values = [_one_line(value) for name in names for value in headers.get_all(name, [])]
    return [address for _, address in getaddresses(values) if address]


def _one_line(value: object) -> str:
    """A header value without folding; bytes that are no text are replaced, as JSON wants it."""
    return " ".join(str(value).encode("utf-8", "replace").decode().split())


def _within(listed: list[dict[str, str]], limit_bytes: int) -> list[dict[str, str]]:
    size, kept = 0, []
    for header in listed:
        size += len(header["name"]) + len(header["value"]) + 4
        if size > limit_bytes:
            break
        kept.append(header)
    return kept


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
