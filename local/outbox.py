"""Outgoing mail: what SES v2 ``SendEmail`` does with a raw mail, except that it lands in a folder.

The engine would parse and rebuild it, losing headers and attachments; here every byte is kept.  For each mail two
files appear by atomic rename, the ``.eml`` first: exactly what the recipient gets, and a ``.json`` with the envelope.
Afterwards the events that a configuration set publishes are published.

Sources: https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html (mailbox simulator),
https://docs.aws.amazon.com/ses/latest/dg/header-fields.html (Message-ID and Date are replaced),
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html (errors).
"""

import asyncio
import base64
import json
import logging
import os
import re
import secrets
import smtplib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, make_msgid, parseaddr
from pathlib import Path
from typing import Any, Literal

from local.engine import ACCOUNT, REGION, Engine
from local.receipt import headers_of

MAX_MAIL_BYTES = 40 * 1024 * 1024
MAX_RECIPIENTS = 50
SEND_PATH = "/v2/email/outbound-emails"
SIMULATOR = "simulator.amazonses.com"
EVENT_DELAY_SECONDS = 0.1
"""SES reports after it has answered, never before."""
TIMEOUT_SECONDS = 120
"""Longer than any client waits."""
REPLACED_HEADERS = frozenset({b"message-id", b"date"})
REMOVED_HEADERS = frozenset({b"bcc", b"x-ses-configuration-set", b"x-ses-message-tags"})

Mode = Literal["ok", "throttle", "timeout", "reject", "error500"]
Answer = tuple[int, dict[str, str], bytes]
Inject = Callable[[bytes, str, str], object]
"""Hand a mail (raw, envelope sender, recipient) to the mail port: an out-of-office reply comes back to us."""

logger = logging.getLogger("deskbell.outbox")


@dataclass(frozen=True)
class SentMail:
    """What the ``.json`` holds.  ``our_id``: the Message-ID we wrote, without brackets; ``at``: UTC, ISO 8601."""

    mail_from: str
    rcpt_to: list[str]
    our_id: str
    ses_id: str
    at: str
    tags: dict[str, str] = field(default_factory=dict)
    configuration_set: str = ""
    subject: str = ""


@dataclass
class Trouble:
    """What the next sends shall run into.  ``sent``: whether the mail goes out all the same."""

    mode: Mode = "ok"
    count: int = 0
    sent: bool = False

    def take(self) -> "Trouble | None":
        """The trouble for this send, or None."""
        if self.mode == "ok" or self.count <= 0:
            return None
        self.count -= 1
        return Trouble(self.mode, 1, self.sent)


class Outbox:
    """Takes over ``SendEmail`` of an engine, from ``attach`` on."""

    def __init__(self, engine: Engine, folder: Path, table: str, topic: str, relay: str = "") -> None:
        """``relay``: ``host:port`` of a mail server that gets a copy of everything; "" for none."""
        self.folder = folder
        self.trouble = Trouble()
        self.inject: Inject | None = None
        self._engine, self._table, self._topic, self._relay = engine, table, topic, relay
        self._sns = engine.client("sns")
        self._background = ThreadPoolExecutor(2, "mail-out")
        folder.mkdir(parents=True, exist_ok=True)

    def attach(self) -> None:
        ses_v2 = self._engine.module("ses_v2")
        handle = ses_v2.handle_request

        async def handling(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
            if method == "POST" and path.rstrip("/") == SEND_PATH:
                request = json.loads(body or b"{}")
                if "Raw" in request.get("Content", {}):
                    return await self._send(request)
            return await handle(method, path, headers, body, query)

        ses_v2.handle_request = handling

    def close(self) -> None:
        """Finish relaying and reporting."""
        self._background.shutdown()

    def replay_since(self, epoch_seconds: float) -> int:
        """Report again what was sent after ``epoch_seconds``: the desk may have forgotten that it did."""
        replayed = 0
        for path in sorted(self.folder.glob("*.json")):
            if path.stat().st_mtime >= epoch_seconds:
                self._report(_read(path))
                replayed += 1
        return replayed

    # -- one send ------------------------------------------------------------------------------------------------

    async def _send(self, request: Mapping[str, Any]) -> Answer:
        trouble = self.trouble.take()
        if trouble is not None and not trouble.sent:
            return await _run_into(trouble)
        raw = base64.b64decode(request["Content"]["Raw"].get("Data", ""))
        refusal = self._refusal(request, raw)
        if refusal is not None:
            return refusal
        sent = self._keep(request, raw)
        self._engine.loop.call_later(EVENT_DELAY_SECONDS, self._background.submit, self._after, sent)
        if trouble is not None:
            return await _run_into(trouble)
        return 200, {"Content-Type": "application/json"}, json.dumps({"MessageId": sent.ses_id}).encode()

    def _refusal(self, request: Mapping[str, Any], raw: bytes) -> Answer | None:
        if len(raw) > MAX_MAIL_BYTES:
            return _error("BadRequestException", f"Message length is more than {MAX_MAIL_BYTES} bytes long.")
        recipients = _recipients(request, raw)
        if not recipients:
            return _error("BadRequestException", "The message has no recipients.")
        if len(recipients) > MAX_RECIPIENTS:
            return _error("MessageRejected", f"Recipient count exceeds {MAX_RECIPIENTS}.")
        sender = _sender(request, raw)
        refused = self._engine.module("ses_v2")._message_rejection(sender)
        if refused and not self._is_ours(sender):
            return _error("MessageRejected", refused)
        return None

    def _is_ours(self, sender: str) -> bool:
        """True when an inbox lives at the sender's domain: nobody verifies domains on a laptop."""
        domain = "@" + parseaddr(sender)[1].rpartition("@")[2].lower()
        keys = self._engine.partition_keys(self._table)
        return any(key.startswith("ADDRESS#") and key.endswith(domain) for key in keys)

    def _keep(self, request: Mapping[str, Any], raw: bytes) -> SentMail:
        now = datetime.now(UTC)
        ses_id = _ses_id(now)
        headers = headers_of(raw)
        sent = SentMail(
            mail_from=parseaddr(_sender(request, raw))[1],
            rcpt_to=_recipients(request, raw),
            our_id=str(headers.get("Message-ID", "")).strip().strip("<>"),
            ses_id=ses_id,
            at=_instant(now),
            tags={tag["Name"]: tag["Value"] for tag in request.get("EmailTags", ())},
            configuration_set=request.get("ConfigurationSetName", ""),
            subject=" ".join(str(headers.get("Subject", "")).split()),
        )
        name = f"{now:%Y%m%dT%H%M%S.%f}-{ses_id}"
        _write(self.folder / f"{name}.eml", as_delivered(raw, ses_id, now))
        _write(self.folder / f"{name}.json", json.dumps(asdict(sent), indent=1).encode())
        return sent

    # -- afterwards ----------------------------------------------------------------------------------------------

    def _after(self, sent: SentMail) -> None:
        try:
            self._report(sent)
            if self._relay:
                self._relay_copy(sent)
            self._answer_automatically(sent)
        except Exception:
            logger.exception("what follows the sending of %s failed", sent.ses_id)

    def _report(self, sent: SentMail) -> None:
        for event in events_of(sent):
            self._sns.publish(
                TopicArn=self._topic, Subject="Amazon SES Email Event Notification", Message=json.dumps(event)
            )

    def _relay_copy(self, sent: SentMail) -> None:
        host, _, port = self._relay.rpartition(":")
        raw = next(self.folder.glob(f"*-{sent.ses_id}.eml")).read_bytes()
        with smtplib.SMTP(host, int(port), timeout=30) as server:
            server.sendmail(sent.mail_from, sent.rcpt_to, raw)

    def _answer_automatically(self, sent: SentMail) -> None:
        for address in sent.rcpt_to:
            if _simulated(address) == "ooto" and self.inject is not None:
                self.inject(_out_of_office(sent, address).as_bytes(), "", sent.mail_from)


def as_delivered(raw: bytes, ses_id: str, at: datetime) -> bytes:
    """The mail as its recipient gets it: SES's Message-ID and Date in place of ours, no Bcc, all else untouched."""
    head, separator, body = _split(raw)
    newline = b"\r\n" if b"\r\n" in separator else b"\n"
    replaced = {b"message-id": f"<{ses_id}@{id_domain(REGION)}>".encode(), b"date": format_datetime(at).encode()}
    lines: list[bytes] = []
    for name, line in _header_lines(head):
        if name in replaced:
            lines.append(line.split(b":", 1)[0] + b": " + replaced.pop(name))
        elif name not in REMOVED_HEADERS and name not in REPLACED_HEADERS:
            lines.append(line)
    spellings = {b"message-id": b"Message-ID", b"date": b"Date"}
    lines += [spellings[name] + b": " + value for name, value in replaced.items()]
    lines += [
        f"Feedback-ID: ::1.{REGION}.local:AmazonSES".encode(),
        f"X-SES-Outgoing: {at:%Y.%m.%d}-192.0.2.25".encode(),
    ]
    return newline.join(lines) + separator + body


def id_domain(region: str) -> str:
    """What stands behind the @ of SES's Message-IDs."""
    return "email.amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"


def events_of(sent: SentMail) -> Iterator[dict[str, object]]:
    """The event documents SES publishes for one mail, in the order in which they happen."""
    yield _event("Send", sent, {"send": {}})
    delivered = [address for address in sent.rcpt_to if _simulated(address) not in ("bounce", "suppressionlist")]
    if delivered:
        yield _event("Delivery", sent, {"delivery": _delivery(sent, delivered)})
    for address in sent.rcpt_to:
        kind = _simulated(address)
        if kind == "bounce":
            yield _event("Bounce", sent, {"bounce": _bounce(sent, address, "General")})
        elif kind == "suppressionlist":
            yield _event("Bounce", sent, {"bounce": _bounce(sent, address, "Suppressed")})
        elif kind == "complaint":
            yield _event("Complaint", sent, {"complaint": _complaint(sent, address)})


def _event(kind: str, sent: SentMail, part: dict[str, object]) -> dict[str, object]:
    domain = sent.mail_from.rpartition("@")[2]
    tags = {
        "ses:configuration-set": [sent.configuration_set],
        "ses:from-domain": [domain],
        "ses:operation": ["SendEmail"],
        **{name: [value] for name, value in sent.tags.items()},
    }
    mail = {
        "timestamp": sent.at,
        "source": sent.mail_from,
        "sourceArn": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{domain}",
        "sendingAccountId": ACCOUNT,
        "messageId": sent.ses_id,
        "destination": sent.rcpt_to,
        "headersTruncated": False,
        "headers": [{"name": "Message-ID", "value": f"<{sent.our_id}>"}],
        "commonHeaders": {
            "from": [sent.mail_from],
            "to": sent.rcpt_to,
            "messageId": f"<{sent.our_id}>",
            "subject": sent.subject,
        },
        "tags": tags,
    }
    return {"eventType": kind, "mail": mail, **part}


def _delivery(sent: SentMail, addresses: list[str]) -> dict[str, object]:
    return {
        "timestamp": sent.at,
        "processingTimeMillis": 300,
        "recipients": addresses,
        "smtpResponse": "250 2.0.0 OK",
        "reportingMTA": f"a7-12.smtp-out.{REGION}.amazonses.com",
    }


def _bounce(sent: SentMail, address: str, sub_type: str) -> dict[str, object]:
    recipient = {"emailAddress": address}
    if sub_type == "General":  # a suppressed mail never met a server that could have said why
        recipient |= {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    return {
        "feedbackId": f"{sent.ses_id}-{address}",
        "bounceType": "Permanent",
        "bounceSubType": sub_type,
        "bouncedRecipients": [recipient],
        "timestamp": sent.at,
        "reportingMTA": f"dns; a7-12.smtp-out.{REGION}.amazonses.com",
    }


def _complaint(sent: SentMail, address: str) -> dict[str, object]:
    return {
        "complainedRecipients": [{"emailAddress": address}],
        "timestamp": sent.at,
        "feedbackId": f"{sent.ses_id}-{address}",
        "complaintSubType": None,
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": "abuse",
        "arrivalDate": sent.at,
    }


def _out_of_office(sent: SentMail, address: str) -> EmailMessage:
    reply = EmailMessage()
    reply["From"], reply["To"] = address, sent.mail_from
    reply["Subject"] = f"Out of office: {sent.subject}"
    reply["Message-ID"], reply["Date"] = make_msgid(domain=SIMULATOR), format_datetime(datetime.now(UTC))
    reply["In-Reply-To"] = reply["References"] = f"<{sent.ses_id}@{id_domain(REGION)}>"
    reply["Auto-Submitted"] = "auto-replied"
    reply.set_content("I am out of the office and will read your mail when I am back.")
    return reply


def _simulated(address: str) -> str | None:
    """Which mailbox of SES's simulator this is; labels (``bounce+7@``) are allowed."""
    local, _, domain = address.lower().rpartition("@")
    return local.split("+")[0] if domain == SIMULATOR else None


async def _run_into(trouble: Trouble) -> Answer:
    if trouble.mode == "throttle":
        return _error("TooManyRequestsException", "Maximum sending rate exceeded.", 429)
    if trouble.mode == "reject":
        return _error("MessageRejected", "The message was rejected by a test.")
    if trouble.mode == "timeout":
        await asyncio.sleep(TIMEOUT_SECONDS)
    return _error("InternalFailure", "SES is not well, says a test.", 500)


def _error(code: str, message: str, status: int = 400) -> Answer:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return status, headers, json.dumps({"__type": code, "message": message}).encode()


def _sender(request: Mapping[str, Any], raw: bytes) -> str:
    return str(request.get("FromEmailAddress") or headers_of(raw).get("From", ""))


def _recipients(request: Mapping[str, Any], raw: bytes) -> list[str]:
    """Envelope recipients: of the request, or of the mail's own headers where the request names none."""
    given = request.get("Destination") or {}
    listed = [each for name in ("ToAddresses", "CcAddresses", "BccAddresses") for each in given.get(name) or ()]
    if not listed:
        headers = headers_of(raw)
        listed = [str(value) for name in ("To", "Cc", "Bcc") for value in headers.get_all(name, [])]
    return list(dict.fromkeys(address for _, address in getaddresses(listed) if address))


def _ses_id(at: datetime) -> str:
    """Looks like SES's: a prefix that grows with time, then a UUID's shape."""
    parts = (secrets.token_hex(size) for size in (4, 2, 2, 2, 6))
    return f"0102{int(at.timestamp() * 1000):012x}-{'-'.join(parts)}-000000"


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    found = re.search(rb"\r?\n\r?\n", raw)
    return (raw, b"\r\n\r\n", b"") if found is None else (raw[: found.start()], found.group(), raw[found.end() :])


def _header_lines(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(lower-case name, whole header with its folding)."""
    for line in re.split(rb"\r?\n(?![ \t])", head):
        yield line.split(b":", 1)[0].strip().lower(), line


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(path: Path) -> SentMail:
    return SentMail(**json.loads(path.read_text()))


def _write(path: Path, data: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(data)
    os.replace(new, path)
