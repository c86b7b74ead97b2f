"""What ``mime.parse_mail`` gives back."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.message import IncomingFile, MailKind, Party


@dataclass(frozen=True)
class Bounced:
    """One recipient a notice of non-delivery is about.

    recipient: the address, "" when the notice names none.  action: failed, delayed, delivered, relayed or expanded.
    status: RFC 3463 ("5.1.1"), "" when not given.  diagnostic: the server's own words, one line.
    original_message_id: of the mail that came back, with its angles.
    original_headers: those of its headers that lead to our message: Message-ID, Reply-To, To, Subject, X-HD-….
    """

    recipient: str
    action: str = "failed"
    status: str = ""
    diagnostic: str = ""
    original_message_id: str | None = None
    original_headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ParsedMail:
    """A mail, read.  Addresses stand as written; compare them in lower case.

    text: all that is said, as plain text.  reply_text: what the sender newly wrote; never empty when text is not.
    html: as sent, not sanitised; "" when there is none.
    message_id, in_reply_to, references: ids with their angles; in_reply_to is the first one, more go to references.
    date: UTC; None when missing or unreadable.
    may_auto_answer: False also for people's mail that must not be answered by a machine.
    banners: sentences for the agent about what could not be read or was left out.
    delivered_to: Delivered-To and X-Original-To; forwarded_for: X-Forwarded-To and -For: real recipients behind
    a forwarding mailbox.
    """

    from_address: str = ""
    from_name: str = ""
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    reply_to: tuple[Party, ...] = ()
    subject: str = ""
    text: str = ""
    reply_text: str = ""
    html: str = ""
    attachments: tuple[IncomingFile, ...] = ()
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    date: datetime | None = None
    kind: MailKind = "human"
    may_auto_answer: bool = True
    banners: tuple[str, ...] = ()
    bounced: tuple[Bounced, ...] = ()
    loop_mark: str | None = None
    delivered_to: tuple[str, ...] = ()
    forwarded_for: tuple[str, ...] = ()
    list_headers: tuple[tuple[str, str], ...] = ()
    thread_index: str | None = None
