"""What SES reports about mail we sent, as changes of a message's delivery.

Sources: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html (``eventType``),
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html (``notificationType``, without tags).
Order is not guaranteed, one event may name several recipients, and a bounce may follow a delivery: the caller decides
which state wins.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.connectors.email.notification import unwrapped
from chalicelib.domain.message import StateChange
from chalicelib.errors import MalformedPayload

MAX_REASON_CHARS = 500
UNSUBSTANTIAL = frozenset({"Open", "Click", "Subscription"})
"""Known, and no matter of delivery: we neither ask for them nor use them."""

PERMANENT_BOUNCES = {
    "Suppressed": "{who} is on the suppression list of SES, so nothing was sent. An admin can remove it there.",
    "OnAccountSuppressionList": (
        "{who} is on this account's suppression list, so nothing was sent. An admin can remove it and send again."
    ),
}
TRANSIENT_BOUNCES = {
    "MailboxFull": "The mailbox of {who} is full. Send again later, or use another channel.",
    "MessageTooLarge": "The mail is too large for {who}. Send a link instead of the attachment.",
    "AttachmentRejected": "The server of {who} refuses the attachment. Send a link instead.",
    "ContentRejected": "The server of {who} refuses the mail's content. Send a link instead, or write it differently.",
}


def read_event(body: str) -> Sequence[StateChange]:
    """The same as ``parse_event`` for the text SNS hands over, with or without its envelope.

    SES's greeting when a topic is connected is no JSON and changes nothing.
    """
    if "Successfully validated SNS topic" in body:
        return ()
    return parse_event(unwrapped(body))


def parse_event(document: Mapping[str, object]) -> Sequence[StateChange]:
    """What one event document changes; nothing for kinds that are no matter of delivery.

    Raises:
        MalformedPayload: no event of SES.
    """
    kind = document.get("eventType", document.get("notificationType"))
    mail = _mapping(document.get("mail"))
    ses_id = mail.get("messageId")
    if not isinstance(kind, str) or not isinstance(ses_id, str):
        raise MalformedPayload("This is no delivery event of SES.")
    read = READERS.get(kind)
    if read is None:
        if kind in UNSUBSTANTIAL:
            return ()
        raise MalformedPayload(f"SES has a kind of event we do not know: {kind[:40]}")
    change = read(document, _instant(mail.get("timestamp")))
    return () if change is None else (_addressed(change, kind, ses_id, mail),)


def _addressed(change: StateChange, kind: str, ses_id: str, mail: Mapping[str, object]) -> StateChange:
    """Add which message it is about, and the key that is equal for two deliveries of the event."""
    distinct = change.event_id or change.at.isoformat()
    who = ",".join(change.recipients)
    return replace(
        change,
        provider_id=ses_id,
        our_message_id=_tag(mail, "msg"),
        ticket_id=_tag(mail, "ticket"),
        reason=change.reason[:MAX_REASON_CHARS],
        event_id="#".join((kind, ses_id, who, distinct)),
    )


def _sent(_: Mapping[str, object], mailed_at: datetime) -> StateChange:
    return StateChange("sent", mailed_at)


def _delivered(document: Mapping[str, object], mailed_at: datetime) -> StateChange:
    part = _mapping(document.get("delivery"))
    recipients = part.get("recipients")
    addresses = tuple(str(one) for one in recipients) if isinstance(recipients, list) else ()
    return StateChange("delivered", _instant(part.get("timestamp"), mailed_at), recipients=addresses)


def _delayed(document: Mapping[str, object], mailed_at: datetime) -> StateChange:
    part = _mapping(document.get("deliveryDelay"))
    addresses, diagnosis = _recipients(part.get("delayedRecipients"))
    reason = f"SES is still trying to reach {_named(addresses)}.{_in_brackets(diagnosis or _text(part, 'delayType'))}"
    return StateChange("delayed", _instant(part.get("timestamp"), mailed_at), recipients=addresses, reason=reason)


def _bounced(document: Mapping[str, object], mailed_at: datetime) -> StateChange:
    part = _mapping(document.get("bounce"))
    addresses, diagnosis = _recipients(part.get("bouncedRecipients"))
    permanent = _text(part, "bounceType") == "Permanent"
    sentence = _bounce_sentence(permanent, _text(part, "bounceSubType")).format(who=_named(addresses))
    return StateChange(
        "bounced",
        _instant(part.get("timestamp"), mailed_at),
        recipients=addresses,
        reason=sentence + _in_brackets(diagnosis),
        permanent=permanent,
        event_id=_text(part, "feedbackId"),
    )


def _bounce_sentence(permanent: bool, sub_type: str) -> str:
    if permanent:
        return PERMANENT_BOUNCES.get(sub_type, "{who} cannot be reached: the address does not exist or takes no mail.")
    return TRANSIENT_BOUNCES.get(sub_type, "{who} could not be reached this time, and SES has given up. Send again.")


def _complained(document: Mapping[str, object], mailed_at: datetime) -> StateChange | None:
    part = _mapping(document.get("complaint"))
    if _text(part, "complaintFeedbackType") == "not-spam":
        return None  # the recipient took the mail out of the spam folder: the opposite of a complaint
    addresses, _ = _recipients(part.get("complainedRecipients"))
    reason = f"{_named(addresses)} reported this mail as spam. Only direct answers may still go there."
    if _text(part, "complaintSubType") == "OnAccountSuppressionList":
        reason = f"{_named(addresses)} once complained and is on the suppression list, so nothing was sent."
    return StateChange(
        "complained",
        _instant(part.get("timestamp"), mailed_at),
        recipients=addresses,
        reason=reason,
        permanent=True,
        event_id=_text(part, "feedbackId"),
    )


def _rejected(document: Mapping[str, object], mailed_at: datetime) -> StateChange:
    why = _text(_mapping(document.get("reject")), "reason")
    return StateChange(
        "failed",
        mailed_at,
        reason=f"SES did not send this mail: it found a virus in it.{_in_brackets(why)}",
        permanent=True,
    )


def _not_rendered(document: Mapping[str, object], mailed_at: datetime) -> StateChange:
    why = _text(_mapping(document.get("failure")), "errorMessage")
    return StateChange("failed", mailed_at, reason=f"SES could not build this mail.{_in_brackets(why)}", permanent=True)


READERS: Mapping[str, Callable[[Mapping[str, object], datetime], StateChange | None]] = {
    "Send": _sent,
    "Delivery": _delivered,
    "DeliveryDelay": _delayed,
    "Bounce": _bounced,
    "Complaint": _complained,
    "Reject": _rejected,
    "Rendering Failure": _not_rendered,
}


def _tag(mail: Mapping[str, object], name: str) -> str | None:
    """A tag we gave the mail; identity-level notifications carry none."""
    values = _mapping(mail.get("tags")).get(name)
    return str(values[0]) if isinstance(values, list) and values else None


def _recipients(entries: object) -> tuple[tuple[str, ...], str]:
    """Their addresses, and the first diagnosis a mail server gave."""
    known = [_mapping(entry) for entry in entries] if isinstance(entries, list) else []
    addresses = tuple(_text(entry, "emailAddress") for entry in known if _text(entry, "emailAddress"))
    diagnosis = next((_text(entry, "diagnosticCode") for entry in known if _text(entry, "diagnosticCode")), "")
    return addresses, diagnosis


def _named(addresses: Sequence[str]) -> str:
    return ", ".join(addresses[:3]) + (" and others" if len(addresses) > 3 else "") if addresses else "The recipient"


def _in_brackets(detail: str) -> str:
    return f" ({' '.join(detail.split())})" if detail.strip() else ""


def _instant(value: object, otherwise: datetime | None = None) -> datetime:
    try:
        instant = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        if otherwise is not None:
            return otherwise
        raise MalformedPayload("The SES event carries no time.") from error
    if instant.tzinfo is None:
        raise MalformedPayload("The SES event's time has no zone.")
    return instant


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(part: Mapping[str, object], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""
