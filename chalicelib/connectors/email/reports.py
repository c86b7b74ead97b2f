"""Bounces and complaints that come as mail: which of our messages they are about.

``mime`` tells what a mail is and reads bounces; complaints (RFC 5965) are read here.  SES itself takes the bounces of
mail it sent: what comes here went to an address of ours instead.
"""

import email
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import Literal

from chalicelib.connectors.email.addresses import SES_ID, first_ticket_of
from chalicelib.connectors.email.compose import LOOP_HEADER, MESSAGE_HEADER
from chalicelib.connectors.email.headers import Headers, read_headers
from chalicelib.connectors.email.parsed import Bounced
from chalicelib.domain.message import StateChange

MAX_REPORT_BYTES = 2_000_000
"""The report stands in front; what was returned behind it may be as large as the mail was."""
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
ADDRESS = re.compile(r"[^\s<>;,\"]+@[^\s<>;,\"]+")
DELIVERED = frozenset({"delivered", "relayed", "expanded"})


@dataclass(frozen=True)
class Complaint:
    """A feedback report.  kind: "abuse", "not-spam", …  returned: headers of the mail it is about."""

    kind: str
    recipients: tuple[str, ...]
    returned: Headers


@dataclass(frozen=True)
class About:
    """The message of ours that a report is about; None where it does not say."""

    ticket_id: str | None
    message_id: str | None
    ses_id: str | None


def about(returned: Headers, stage: str, keys: Sequence[bytes]) -> About | None:
    """Which message of ours; None when nothing shows that it is ours.

    Proof is a signed reply address, or an id only SES and the recipient know.  Our own message id alone proves
    nothing, for anybody may write it.
    """
    ticket_id = first_ticket_of(_addresses(returned.all("reply-to")), stage, keys)
    from_ses = SES_ID.search(returned.first("message-id"))
    ses_id = from_ses["id"] if from_ses else None
    if ticket_id is None and ses_id is None:
        return None
    marked = returned.first(LOOP_HEADER.lower()) == stage
    message_id = returned.first(MESSAGE_HEADER.lower()) if marked else ""
    return About(ticket_id, message_id or None, ses_id)


def returned_headers(bounced: Bounced) -> Headers:
    """The headers of our mail that a bounce sent back."""
    fields = [(name.lower(), " ".join(value.split())) for name, value in bounced.original_headers]
    if bounced.original_message_id and not any(name == "message-id" for name, _ in fields):
        fields.append(("message-id", bounced.original_message_id))
    return Headers(tuple(fields), b"")


def bounce_change(bounced: Bounced, found: About, at: datetime, event_id: str) -> StateChange:
    """What a notice of non-delivery (or of delay, or of delivery) changes."""
    state: Literal["bounced", "delayed", "delivered"] = "bounced"
    who = bounced.recipient or "The recipient"
    detail = f" ({bounced.diagnostic[:300]})" if bounced.diagnostic else ""
    reason = f"{who} could not be reached.{detail}"
    if bounced.action == "delayed":
        state, reason = "delayed", f"The server of {who} has not taken the mail yet and is still trying.{detail}"
    elif bounced.action in DELIVERED:
        state, reason = "delivered", f"The server of {who} confirms that it has the mail."
    return StateChange(
        state,
        at,
        our_message_id=found.message_id,
        provider_id=found.ses_id,
        ticket_id=found.ticket_id,
        recipients=(bounced.recipient,) if bounced.recipient else (),
        reason=reason,
        permanent=state == "bounced" and not bounced.status.startswith("4"),
        event_id=f"{event_id}#{bounced.recipient}",
        hearsay=True,
    )


def read_complaint(raw: bytes) -> Complaint:
    """Read as much of a feedback report as there is; never raises."""
    parts = _parts(raw)
    feedback = next((part for part in parts if part.get_content_type() == "message/feedback-report"), None)
    fields = read_headers(_text(feedback)) if feedback is not None else Headers((), b"")
    return Complaint(
        kind=fields.first("feedback-type").lower() or "abuse",
        recipients=_addresses(fields.all("original-rcpt-to")),
        returned=_returned(parts),
    )


def complaint_change(complaint: Complaint, found: About, at: datetime, event_id: str) -> StateChange:
    who = ", ".join(complaint.recipients[:3]) or "The recipient"
    return StateChange(
        "complained",
        at,
        our_message_id=found.message_id,
        provider_id=found.ses_id,
        ticket_id=found.ticket_id,
        recipients=complaint.recipients,
        reason=f"{who} reported this mail as spam. Only direct answers may still go there.",
        permanent=True,
        event_id=event_id,
        hearsay=True,
    )


def _parts(raw: bytes) -> list[Message]:
    try:
        return list(email.message_from_bytes(raw[:MAX_REPORT_BYTES]).walk())
    except UNREADABLE:
        return []


def _returned(parts: Sequence[Message]) -> Headers:
    for number, part in enumerate(parts):
        if part.get_content_type() == "text/rfc822-headers":
            return read_headers(_text(part))
        if part.get_content_type() == "message/rfc822" and number + 1 < len(parts):
            lines = (f"{name}: {value}" for name, value in parts[number + 1].items())
            return read_headers("\n".join(lines).encode("utf-8", "replace"))
    return Headers((), b"")


def _text(part: Message) -> bytes:
    """``email`` takes a message/* part for a mail and puts its lines into that mail's headers, or leaves it as text."""
    inner = part.get_payload()
    if isinstance(inner, list):
        lines = [f"{name}: {value}" for one in inner if isinstance(one, Message) for name, value in one.items()]
        return "\n".join(lines).encode("utf-8", "replace")
    try:
        payload = part.get_payload(decode=True)
    except UNREADABLE:
        return b""
    return payload if isinstance(payload, bytes) else b""


def _addresses(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for value in values for address in ADDRESS.findall(value)))
