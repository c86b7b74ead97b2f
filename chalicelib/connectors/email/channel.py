"""E-mail through Amazon SES: raw mails out of the bucket in, raw MIME out.

What comes in is read in four steps: the envelope (what SES knows), the mail (``mime``), what kind it is (a virus, our
own loop, a report about our mail, a message), and the keys that lead to its ticket.  See doc.md.
"""

from collections.abc import Sequence
from email.utils import getaddresses

from chalicelib.connectors import Capabilities, HttpAnswer, Original, Parsed, Tools, WebhookRequest
from chalicelib.connectors.email import compose, incoming, reports
from chalicelib.connectors.email.addresses import message_key, ses_key, signed_address, without_signature
from chalicelib.connectors.email.headers import envelope_of, read_headers
from chalicelib.connectors.email.mime import parse_mail
from chalicelib.domain.files import MAX_MAILED_BYTES
from chalicelib.domain.message import Inbound, Outbound, Sent, Skipped, StateChange
from chalicelib.domain.people import Inbox
from chalicelib.domain.recipients import MAX_RECIPIENTS
from chalicelib.errors import InvalidInput, NotAuthentic, Refused

MAX_TEXT_CHARS = 200_000
UNDO_SECONDS = 10
NAMED_IN = ("delivered-to", "x-forwarded-to", "to", "cc")


class EmailChannel:
    name = "email"
    capabilities = Capabilities(
        max_text_chars=MAX_TEXT_CHARS,
        max_attachment_bytes=MAX_MAILED_BYTES,
        attachments=True,
        html=True,
        cc=True,
        subject=True,
        undo_seconds=UNDO_SECONDS,
        first_message=True,
    )

    def handshake(self, request: WebhookRequest, inbox: Inbox, tools: Tools) -> HttpAnswer | None:
        return None

    def verify(self, request: WebhookRequest, inbox: Inbox, tools: Tools) -> None:
        """Mail comes from SES through the bucket; nobody may post it."""
        raise NotAuthentic("Mail does not come by webhook.")

    def acknowledge(self) -> HttpAnswer:
        return HttpAnswer()

    def order_key(self, request: WebhookRequest) -> str | None:
        return None

    def parse(self, original: Original, inbox: Inbox, tools: Tools) -> Sequence[Parsed]:
        """One mail is one message, or one change of a message we sent."""
        headers = read_headers(original.body)
        facts = incoming.Facts(
            mail=parse_mail(original.body),
            headers=headers,
            envelope=envelope_of(original.metadata, headers),
            received_at=original.received_at,
            inbox=inbox,
            stage=tools.stage,
            reply_keys=tools.reply_keys(),
        )
        refused = incoming.refusal(facts)
        if refused is not None:
            return (refused,)
        if facts.mail.kind == "bounce":
            return _bounced(facts)
        if facts.mail.kind == "complaint":
            return (_complained(original, facts),)
        return (incoming.message(facts),)

    def danger(self, original: Original) -> str:
        """SES's verdict on viruses."""
        return incoming.danger(envelope_of(original.metadata, read_headers(original.body)))

    def send(self, message: Outbound, inbox: Inbox, tools: Tools) -> Sent:
        """Hand the mail to SES once.  Answers come back under our id and under SES's."""
        recipients = [party.address for party in (*message.to, *message.cc, *message.bcc)]
        _check(message, recipients)
        raw = compose.composed(
            message, message.reply_address or reply_address(inbox, message.ticket_id, tools), tools.stage
        )
        tags = {"stage": tools.stage, "ticket": message.ticket_id, "msg": message.message_id}
        ses_id = tools.send_mail(message.from_address, recipients, raw, tags)
        ours = message_key(compose.message_id_of(message, tools.stage))
        return Sent(provider_id=ses_id, own_keys=(ours, ses_key(ses_id)))


def envelope_recipients(original: Original) -> tuple[str, ...]:
    """The inbox addresses a mail was delivered to, signed tags cut off, each once: who routes it looks these up.

    Without SES's word for it (a re-drive by key alone) everybody the mail names: better twice than not at all, and
    what came before is recognised.
    """
    headers = read_headers(original.body)
    recipients = envelope_of(original.metadata, headers).recipients
    if not original.metadata.get("recipients"):
        named = getaddresses([value for name in NAMED_IN for value in headers.all(name)])
        recipients = (*recipients, *(address for _, address in named if address))
    return tuple(dict.fromkeys(without_signature(recipient) for recipient in recipients))


def reply_address(inbox: Inbox, ticket_id: str, tools: Tools) -> str:
    """Where answers go: at the address the merchant's mailbox forwards to, where there is one, for that one is ours."""
    base = inbox.settings.get("forward_to", "") or inbox.address
    keys = tools.reply_keys()
    return signed_address(base, tools.stage, ticket_id, keys[0]) if keys else base


def _check(message: Outbound, recipients: Sequence[str]) -> None:
    if not message.to or len(recipients) > MAX_RECIPIENTS:
        raise Refused(f"A mail goes to one to {MAX_RECIPIENTS} people.", retry_after_seconds=None)
    if len(message.text) > MAX_TEXT_CHARS:
        raise Refused(f"The text is longer than {MAX_TEXT_CHARS:,} characters.", retry_after_seconds=None)
    try:
        compose.checked_files((file.name, len(file.data)) for file in message.files)
    except InvalidInput as error:
        raise Refused(error.fields.get("attachments", error.message), retry_after_seconds=None) from error


def _bounced(facts: incoming.Facts) -> Sequence[Parsed]:
    """One change for each recipient; a bounce of nothing we know to be ours is known and no ticket."""
    changes = [
        reports.bounce_change(bounced, found, facts.received_at, f"mail#{facts.fingerprint}")
        for bounced in facts.mail.bounced
        if (found := reports.about(reports.returned_headers(bounced), facts.stage, facts.reply_keys)) is not None
    ]
    return tuple(changes) or (incoming.suppressed(facts, "A bounce of a mail that this desk did not send."),)


def _complained(original: Original, facts: incoming.Facts) -> Inbound | StateChange | Skipped:
    complaint = reports.read_complaint(original.body)
    if complaint.kind == "not-spam":
        return Skipped("A recipient marked a mail as not spam.")
    found = reports.about(complaint.returned, facts.stage, facts.reply_keys)
    if found is None:
        return incoming.suppressed(facts, "A complaint about a mail that this desk did not send.")
    return reports.complaint_change(complaint, found, facts.received_at, f"mail#{facts.fingerprint}")
