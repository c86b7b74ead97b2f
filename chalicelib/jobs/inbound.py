"""Queue edge: an original waits to be read."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib import config, wiring
from chalicelib.connectors import Original, Parsed
from chalicelib.connectors.email import notification
from chalicelib.connectors.email.addresses import without_signature
from chalicelib.connectors.email.channel import envelope_recipients
from chalicelib.connectors.email.notification import Notice, Probe
from chalicelib.domain.message import Edited, Inbound, Party, Skipped, StateChange
from chalicelib.domain.people import Inbox
from chalicelib.errors import MalformedPayload, NotFound
from chalicelib.jobs.apart import Died, apart
from chalicelib.jobs.batches import each_record
from chalicelib.observability import count, failed, log, traced, warn
from chalicelib.services import edit_message, ledger, originals, receive_message, record_state
from chalicelib.services.receive_message import Envelope
from chalicelib.store import directory, documents, objects, receipts
from chalicelib.store.objects import StoredOriginal

NO_ENVELOPE = "The envelope of this mail is lost and it names none of our addresses: look whom it is for."
ENVELOPE_MINUTES = 35
"""Longer than the queue's own attempts take."""
LAST_ATTEMPT = 4
"""The one before the dead-letter queue's: an edit waits no longer for its message."""
EDITS = {
    "edited": "The customer edited an earlier message.",
    "same": "It is an edit that is shown already.",
    "unknown": "It edits a message that this desk never received.",
}
APART_ATTEMPT = 2
"""From this one on an original is read in a process of its own, so that one that kills it harms no other."""
UNREADABLE_ATTEMPT = 3
"""Of the five that the queue allows: two for whatever passes by itself."""


def intake(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SQS batch of inbound notices; answers with the ids that failed."""
    return each_record(event, lambda record: take_in(record["body"], _attempt(record)))


def _attempt(record: dict[str, Any]) -> int:
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", "1"))


def take_in(body: str, attempt: int = 1) -> None:
    """Read one original and store what it holds, for each of our inboxes it was for.

    From the attempt UNREADABLE_ATTEMPT on, what the connector chokes on becomes a ticket that says so.
    """
    try:
        notice = notification.read_notice(body)
    except MalformedPayload as error:
        warn("notice not understood", reason=error.message)
        raise
    if isinstance(notice, Skipped):
        log("notice skipped", reason=notice.reason)
        return
    if isinstance(notice, Probe):
        objects.delete_original(notice.key)  # else the repair brings it again for ever, and no day is ever closed
        log("probe of SES thrown away")
        return
    original = _fetch(notice)
    if original is None:
        log("original already dealt with", original=notice.key)
        return
    with traced(_name(original.key)):
        received_at = notice.received_at or original.at
        _deal_with(original, {**original.metadata, **notice.metadata}, received_at, attempt)


def _fetch(notice: Notice) -> StoredOriginal | None:
    """The original; None when it left the tray, which it does only once it is dealt with.

    Dealt with, but not for everybody this notice names (a re-drive knew less of the envelope): it is read again.
    """
    try:
        return objects.get_original(notice.key)
    except NotFound:
        pass
    moments = (notice.received_at, config.now(), datetime.now(UTC))
    days = {day for around in moments if around for day in _days_around(around)}
    for day in sorted(days, reverse=True):
        kept = objects.kept_key(notice.key, day)
        if objects.original_exists(kept):
            return None if _is_done(kept, notice) else objects.get_original(kept)
    return None


def _is_done(kept_key: str, notice: Notice) -> bool:
    """Has every inbox that the notice names its receipt?"""
    named = [each for each in notice.metadata.get("recipients", "").split(",") if each]
    found = {each.inbox_id for each in receipts.of_original(_day(kept_key), _name(kept_key))}
    return all(inbox.id in found for inbox in wiring.inboxes_at(without_signature(each) for each in named))


def _days_around(moment: datetime) -> set[datetime]:
    """S3's clock and SES's may stand on two sides of midnight."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return {midnight + timedelta(days=each) for each in (-1, 0, 1)}


def _name(key: str) -> str:
    """An original's name: the same in the tray and in the archive."""
    if key.startswith(objects.KEPT):
        return key.split("/", 4)[-1]
    return key.removeprefix(objects.RAW).replace("/", ".")


def _archive_key(original: StoredOriginal) -> str:
    if original.key.startswith(objects.KEPT):
        return original.key
    return objects.kept_key(original.key, original.at)


def _day(archive_key: str) -> str:
    """The day that the archive's folders name: the same for every delivery of an original."""
    return "-".join(archive_key.removeprefix(objects.KEPT).split("/")[:3])


def _deal_with(original: StoredOriginal, metadata: dict[str, str], received_at: datetime, attempt: int) -> None:
    at = config.now()
    archive_key = _archive_key(original)
    if not metadata.get("recipients") and objects.original_exists(archive_key):
        metadata = {**metadata, **objects.head_original(archive_key)}  # an earlier attempt knew the envelope
    source = Original(original.key, original.body, metadata, received_at)

    def envelope(inbox: Inbox) -> Envelope:
        return Envelope(_name(original.key), archive_key, received_at, inbox, _day(archive_key))

    inboxes, banner = _inboxes(original, source), ""
    if not inboxes and not metadata.get("recipients"):
        if original.at > datetime.now(UTC) - timedelta(minutes=ENVELOPE_MINUTES):
            log("waiting for the envelope", original=original.key)
            return  # it stays in the tray: SES's own notice, which knows the recipients, is still being delivered
        inboxes, banner = _fallback(), NO_ENVELOPE
    if not metadata.get("recipients"):  # so that the ledger counts the same inboxes
        metadata = {**metadata, "recipients": ",".join(inbox.address for inbox in inboxes)}
    if not inboxes:
        nobody = envelope(Inbox("nobody", "email", "", ""))
        receive_message.keep_out(nobody, "quarantined", "No inbox of ours was among its recipients.", at)
    for inbox in inboxes:
        _for_inbox(source, envelope(inbox), at, attempt, banner)
    if original.key == archive_key or original.at < datetime.now(UTC) - timedelta(minutes=originals.TRAY_MINUTES):
        metadata = {**metadata, "recipients": _all_served(metadata["recipients"], original, archive_key)}
    objects.keep(original, _small(metadata))
    if original.key == archive_key:
        ledger.reopen(_day(archive_key), at)


def _all_served(recipients: str, original: StoredOriginal, archive_key: str) -> str:
    """With the inboxes that an earlier reading served: driven again, it may have gone by the headers alone.

    The ledger counts the inboxes of the envelope that rides with the original.
    """
    named = [each for each in recipients.split(",") if each]
    known = {inbox.id for inbox in wiring.inboxes_at(without_signature(each) for each in named)}
    served = {each.inbox_id for each in receipts.of_original(_day(archive_key), _name(original.key))} - known
    return ",".join([*named, *(inbox.address for inbox in directory.inboxes() if inbox.id in served)])


def _fallback() -> Sequence[Inbox]:
    """Where a mail goes whose envelope is lost and whose headers name nobody of ours: better there than nowhere."""
    return [inbox for inbox in directory.inboxes() if inbox.channel == "email" and inbox.active][:1]


def _small(metadata: dict[str, str]) -> dict[str, str]:
    """S3 takes 2 KB of ASCII metadata."""
    return {name: value.encode("ascii", "replace").decode()[:1500] for name, value in metadata.items()}


def _inboxes(original: StoredOriginal, source: Original) -> Sequence[Inbox]:
    name = _name(original.key)
    if name.startswith("hook."):
        return (directory.inbox(name.split(".")[1]),)
    return wiring.inboxes_at(envelope_recipients(source))


def _for_inbox(source: Original, envelope: Envelope, at: datetime, attempt: int, banner: str) -> None:
    try:
        events = _events(source, envelope, attempt)
    except MalformedPayload as error:
        warn("original not understood", channel=envelope.inbox.channel, reason=error.message)
        receive_message.keep_out(envelope, "quarantined", f"It could not be read: {error.message}", at)
        count("Quarantined")
        return
    if not events:
        receive_message.keep_out(envelope, "suppressed", "It holds nothing for the desk.", at)
    for n, event in enumerate(events):
        told = replace(event, banners=(*event.banners, banner)) if banner and isinstance(event, Inbound) else event
        _store(told, replace(envelope, n=n), at, attempt)


def _events(source: Original, envelope: Envelope, attempt: int) -> Sequence[Parsed]:
    """What the original holds.  What the connector chokes on, or dies of, is a ticket that says so in the end.

    AWS away is no fault of the mail: reading calls nobody, and what it needs of AWS is fetched before.
    """
    inbox = envelope.inbox
    channel, tools = wiring.channel(inbox.channel), wiring.ready_tools(inbox)

    def read() -> Sequence[Parsed]:
        return channel.parse(source, inbox, tools)

    try:
        return read() if attempt < APART_ATTEMPT else apart(read)
    except MalformedPayload:
        raise
    except Exception as error:  # whatever it is, one odd original must neither stop nor vanish
        failed("parse failed", channel=inbox.channel, attempt=attempt)
        died_first = isinstance(error, Died) and not _died_before(envelope)
        if died_first or attempt < UNREADABLE_ATTEMPT:
            raise
    count("Unreadable")
    return (_unreadable(source, channel.danger(source)),)


def _died_before(envelope: Envelope) -> bool:
    """Notes that its reader died: once may be the machine's doing, however many attempts other things took before."""
    key = (f"READING#{envelope.original_name}", "READING")
    if documents.read(str, *key) is not None:
        return True
    documents.write(*key, envelope.day, config.now() + timedelta(days=2))
    return False


def _unreadable(source: Original, danger: str) -> Inbound:
    """A ticket for what nobody can read: the agent downloads the original, unless that may do harm."""
    sender = source.metadata.get("source") or "unknown sender"
    return Inbound(
        fingerprint=hashlib.sha256(source.body).hexdigest(),
        sender=Party("", sender),
        sent_at=source.received_at,
        subject="Message that could not be read",
        banners=("This message could not be read. Download the original to see it.",),
        may_auto_answer=False,
        refused=danger or None,
    )


def _store(event: Parsed, envelope: Envelope, at: datetime, attempt: int) -> None:
    if isinstance(event, Inbound):
        receipt = receive_message.receive(event, envelope, at)
        log("received", outcome=receipt.outcome, ticket=receipt.ticket_id, message_id=receipt.message_id)
        count({"shown": "Received", "quarantined": "Quarantined", "suppressed": "Suppressed"}[receipt.outcome])
        return
    if isinstance(event, StateChange):
        known = record_state.record(event, at, envelope.inbox.channel)
        reason = f"It reports a message of ours: {event.state}."
        if not known and event.ticket_id is None and event.handle is None:
            reason = "It reports a message that this desk does not know, or one already reported."
    elif isinstance(event, Edited):
        result = edit_message.edit(event, at)
        if result == "unknown" and attempt < LAST_ATTEMPT:
            raise LookupError("the edit came before its message")  # the queue brings it again
        reason = EDITS[result]
    else:
        reason = event.reason
    receive_message.keep_out(envelope, "suppressed", reason, at)
