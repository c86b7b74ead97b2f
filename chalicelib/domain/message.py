"""What is said on a ticket, by whom, and how far an outgoing message got."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

MessageKind = Literal["message", "note", "event"]
Direction = Literal["in", "out"]
MailKind = Literal["human", "auto_reply", "bounce", "complaint", "list"]
DeliveryState = Literal[
    "queued", "sending", "sent", "delivered", "delayed", "bounced", "complained", "failed", "unclear", "cancelled"
]
AuthorKind = Literal["customer", "agent", "bot", "system"]


@dataclass(frozen=True)
class Party:
    """Somebody on a channel: a display name (may be empty) and a handle (mail address, chat id)."""

    name: str
    address: str


@dataclass(frozen=True)
class IncomingFile:
    """A file as a connector found it, before it is stored."""

    name: str
    content_type: str
    data: bytes
    content_id: str | None = None
    inline: bool = False


@dataclass(frozen=True)
class Attachment:
    """A stored file.  ``warning`` is a sentence when the type is dangerous or a scan was not clean."""

    id: str
    name: str
    content_type: str
    size_bytes: int
    sha256: str
    key: str
    content_id: str | None = None
    inline: bool = False
    warning: str | None = None


@dataclass(frozen=True)
class Inbound:
    """One message as a connector read it out of an original.

    fingerprint: equal for two deliveries of the same message to the same inbox, different for all others.
    own_keys: keys under which a later message may refer to this one (Message-ID; chat and message id).
    thread_keys: keys of earlier messages this one refers to, best first.
    ticket_token: ticket id out of a signed address of ours; the signature has been checked.
    number_in_subject: ticket number that the subject names, unproven.
    conversation_key: the provider's grouping where it has one (a chat id): joins the newest open ticket.
    refused: a sentence when the mail is kept out of the inbox ("quarantined"): virus, …
    suppressed: a sentence when the message is known and deliberately no ticket (our own loop, unmatched bounce).
    spam: a sentence when it goes to the Spam view.
    """

    fingerprint: str
    sender: Party
    sent_at: datetime
    subject: str = ""
    text: str = ""
    new_text: str = ""
    html: str = ""
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    reply_to: tuple[Party, ...] = ()
    files: tuple[IncomingFile, ...] = ()
    own_keys: tuple[str, ...] = ()
    thread_keys: tuple[str, ...] = ()
    ticket_token: str | None = None
    number_in_subject: str | None = None
    conversation_key: str | None = None
    mail_kind: MailKind = "human"
    may_auto_answer: bool = True
    banners: tuple[str, ...] = ()
    refused: str | None = None
    suppressed: str | None = None
    spam: str | None = None
    language: str | None = None
    references: tuple[str, ...] = ()
    """RFC 5322 ids a mail answer continues, oldest first (the mail's References and its own id)."""
    thread_index: str | None = None
    unauthenticated: bool = False
    """The domain in From disowns this mail: DMARC fails and asks to reject or quarantine."""
    proven_sender: bool = False
    """``sender`` wrote it, by the word of their own domain (DMARC passes for the address in From)."""


@dataclass(frozen=True)
class Edited:
    """The customer changed an earlier message; ``own_key`` names it."""

    own_key: str
    text: str
    at: datetime


@dataclass(frozen=True)
class StateChange:
    """What a provider says about one of our messages, or about a handle.

    our_message_id: ours, where the provider echoes it; else ``provider_id`` (SES id, Telegram message id).
    ticket_id: the ticket of that message, where the provider echoes it (messages are kept under their ticket).
    handle: set with state "unreachable" / "reachable" for a customer's handle (blocked the bot), without its channel.
    event_id: equal for two deliveries of the same event.
    recipients: the addresses concerned; empty means all.
    hearsay: told by a mail, which anybody who got one of ours can write; not by the provider itself.
    """

    state: Literal["sent", "delivered", "delayed", "bounced", "complained", "failed", "unreachable", "reachable"]
    at: datetime
    our_message_id: str | None = None
    provider_id: str | None = None
    handle: str | None = None
    recipients: tuple[str, ...] = ()
    reason: str = ""
    permanent: bool = False
    event_id: str = ""
    ticket_id: str | None = None
    hearsay: bool = False


@dataclass(frozen=True)
class Skipped:
    """A known event that is no message; ``reason`` goes into the receipt."""

    reason: str


@dataclass(frozen=True)
class Delivery:
    """How far an outgoing message got; ``reason`` is a sentence for the agent."""

    state: DeliveryState
    reason: str = ""
    at: datetime | None = None
    provider_id: str | None = None
    attempts: int = 0
    send_at: datetime | None = None
    """When the undo window ends; before it the message can be taken back."""


@dataclass(frozen=True)
class Message:
    """One entry of a conversation.  ``text`` is what was newly written; ``full_text`` holds quotes as well."""

    id: str
    ticket_id: str
    kind: MessageKind
    direction: Direction
    author_kind: AuthorKind
    author_id: str
    author_name: str
    at: datetime
    """When it reached us, or was written here: orders the conversation."""
    sent_at: datetime | None
    text: str
    full_text: str = ""
    has_html: bool = False
    folded: bool = False
    """True when ``text`` is not all: a beginning, or without its quotes; the rest is read on demand."""
    rich: bool = False
    """True when the HTML shows more than the text does (pictures, tables)."""
    subject: str = ""
    sender: Party | None = None
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    banners: tuple[str, ...] = ()
    mail_kind: MailKind = "human"
    may_auto_answer: bool = True
    inbox_id: str = ""
    original_key: str | None = None
    own_keys: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    thread_index: str | None = None
    delivery: Delivery | None = None
    edited_at: datetime | None = None
    """When the customer changed these words last, as the provider says."""
    language: str = ""
    """What its sender says it is written in, as a code like ``de``; "" when nothing is said."""
    event: Mapping[str, str] = field(default_factory=dict)
    """For ``kind == "event"``: what changed, from, to."""


@dataclass(frozen=True)
class Outbound:
    """What a connector's ``send`` gets: one message, complete, with the inbox's settings beside it.

    reply_address: the signed address answers shall go to (mail only).
    at: when it was written; becomes its Date (and makes the mail the same whenever it is composed).
    in_reply_to / references / thread_index: of the message answered; the references end with its own id.
    quoted: plain text of the conversation to hang below the answer, when the agent asked for it, without ">" marks.
    quoted_intro: the line above it ("On 20 November 2026 Lina Meyer wrote:").
    automatic: True for acknowledgements: RFC 3834 marks.
    forward: it passes the conversation on; its subject is no answer's.
    thread_key / reply_to_key: where the provider groups by itself (chats): ``Inbound.conversation_key`` of the
    ticket, and the own key of the message answered.
    """

    message_id: str
    ticket_id: str
    from_name: str
    from_address: str
    to: tuple[Party, ...]
    subject: str
    text: str
    at: datetime
    html: str = ""
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    files: tuple[IncomingFile, ...] = ()
    reply_address: str = ""
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    thread_index: str | None = None
    quoted: str = ""
    quoted_intro: str = ""
    automatic: bool = False
    forward: bool = False
    thread_key: str | None = None
    reply_to_key: str | None = None


@dataclass(frozen=True)
class Sent:
    """Proof of acceptance: the provider's id, and the keys under which answers may refer to the message."""

    provider_id: str
    own_keys: tuple[str, ...]
