"""What waits on the inbound queue: where an original lies, and what SES said about it.

A body comes in one of three shapes: an SNS envelope, the SES notification itself (raw delivery), or our own
``{"key": …}`` of a webhook or a re-drive.
Source: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.message import Skipped
from chalicelib.errors import MalformedPayload

PROBE = "AMAZON_SES_SETUP_NOTIFICATION"
"""What SES calls the object that it writes whenever a receipt rule is made or changed."""
VERDICTS = {
    "spam": "spamVerdict",
    "virus": "virusVerdict",
    "spf": "spfVerdict",
    "dkim": "dkimVerdict",
    "dmarc": "dmarcVerdict",
}
SNS_CONTROL = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})


@dataclass(frozen=True)
class Notice:
    """An original to take in.  ``metadata`` as ``EmailChannel.parse`` reads it; empty on a re-drive.

    received_at: when SES took the mail; None on a re-drive, where the object's own time stands in.
    """

    key: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    received_at: datetime | None = None


@dataclass(frozen=True)
class Probe:
    """SES tried whether it may write to the bucket; what it wrote is no mail."""

    key: str


def read_notice(body: str) -> Notice | Probe | Skipped:
    """Understand one queue message.

    Raises:
        MalformedPayload: none of the three shapes.
    """
    document = unwrapped(body)
    if document.get("Type") in SNS_CONTROL:
        return Skipped("SNS spoke of a subscription, not of a mail.")
    notice = _from_ses(document) if "receipt" in document else _from_us(document)
    if notice.key.rpartition("/")[2] == PROBE:
        return Probe(notice.key)
    return notice


def unwrapped(body: str) -> Mapping[str, object]:
    """The document inside an SNS envelope, or the body's own document where there is no envelope."""
    document = _object(body)
    inner = document.get("Message")
    if document.get("Type") == "Notification" and isinstance(inner, str):
        return _object(inner)
    return document


def _object(text: str) -> Mapping[str, object]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise MalformedPayload("The notice is not JSON.") from error
    if not isinstance(document, dict):
        raise MalformedPayload("The notice is not a JSON object.")
    return document


def _from_us(document: Mapping[str, object]) -> Notice:
    key = document.get("key")
    if not isinstance(key, str) or not key:
        raise MalformedPayload("The notice names no original.")
    metadata = _mapping(document.get("metadata"))
    return Notice(key, {name: value for name, value in metadata.items() if isinstance(value, str)})


def _from_ses(document: Mapping[str, object]) -> Notice:
    receipt, mail = _mapping(document.get("receipt")), _mapping(document.get("mail"))
    key = _mapping(receipt.get("action")).get("objectKey")
    if not isinstance(key, str) or not key:
        raise MalformedPayload("The SES notification names no object: is its rule's action S3?")
    recipients = receipt.get("recipients")
    metadata = {
        "recipients": ",".join(str(one) for one in recipients) if isinstance(recipients, list) else "",
        "source": _text(mail.get("source")),
        "ses_id": _text(mail.get("messageId")),
        "dmarc_policy": _text(receipt.get("dmarcPolicy")).lower(),
        **{name: _text(_mapping(receipt.get(theirs)).get("status")).upper() for name, theirs in VERDICTS.items()},
    }
    present = {name: value for name, value in metadata.items() if value or name == "source"}  # "" is a bounce's source
    return Notice(key, present, _instant(mail.get("timestamp")))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _instant(value: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
