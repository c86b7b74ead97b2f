"""The protocol every provider's connector speaks, and the plain values it speaks with.

A connector translates and nothing else: HTTP and AWS clients are handed in, the store is not its business.
A new one is one folder, its tests and fixtures, and one line in ``wiring.CONNECTORS``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chalicelib.domain.message import Edited, Inbound, Outbound, Sent, Skipped, StateChange
from chalicelib.domain.people import Inbox

Parsed = Inbound | Edited | StateChange | Skipped


@dataclass(frozen=True)
class WebhookRequest:
    """A provider's knock: lower-cased header names, the body byte for byte, the query."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HttpAnswer:
    """What a provider wants to hear."""

    status: int = 202
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Original:
    """What was kept before any of our code read it.

    key: its S3 key.  metadata: what came beside the body (envelope recipients and verdicts of a mail;
    headers of a webhook).  received_at: when the provider handed it to us.
    """

    key: str
    body: bytes
    metadata: Mapping[str, str]
    received_at: datetime


@dataclass(frozen=True)
class HttpReply:
    status: int
    body: bytes


class HttpPost(Protocol):
    """POST JSON once, no retries.  Raises Refused when the connection never opened, Unclear on time-out or reset."""

    def __call__(self, url: str, payload: Mapping[str, object]) -> HttpReply: ...


SendMail = Callable[[str, Sequence[str], bytes, Mapping[str, str]], str]
"""(from address, all recipients, raw MIME, tags) -> SES message id.  Raises Refused or Unclear."""


@dataclass(frozen=True)
class Tools:
    """What a connector may use, handed in by ``wiring`` (and by tests).

    secret: the inbox's secret (bot token, webhook secret) by name; "" when unset, which must match nothing.
    """

    post: HttpPost
    send_mail: SendMail
    secret: Callable[[str], str]
    reply_keys: Callable[[], Sequence[bytes]]
    """Keys of reply addresses, newest first: the first signs, all are accepted."""
    stage: str
    region: str


@dataclass(frozen=True)
class Capabilities:
    """What the composer offers and the API refuses."""

    max_text_chars: int
    max_attachment_bytes: int
    attachments: bool
    html: bool
    cc: bool
    subject: bool
    undo_seconds: int
    """Default undo window: how long a reply may be taken back before it goes out."""
    first_message: bool
    """May an agent write first, or only answer?"""
    secrets: tuple[str, ...] = ()
    """Names of the inbox's secrets that ``send`` asks for: read before a message is claimed."""


class Channel(Protocol):
    """One kind of medium."""

    name: str
    capabilities: Capabilities

    def handshake(self, request: WebhookRequest, inbox: Inbox, tools: Tools) -> HttpAnswer | None:
        """Answer a provider's challenge; None when this is no challenge."""

    def verify(self, request: WebhookRequest, inbox: Inbox, tools: Tools) -> None:
        """Raise NotAuthentic unless the provider sent this to this inbox."""

    def acknowledge(self) -> HttpAnswer:
        """What this provider wants to hear once the original is kept."""

    def order_key(self, request: WebhookRequest) -> str | None:
        """Cheap key of what must stay in order; None where order comes from the messages' own times."""

    def parse(self, original: Original, inbox: Inbox, tools: Tools) -> Sequence[Parsed]:
        """Everything that one original holds for this inbox.  Raises MalformedPayload for what is not theirs.

        It calls nobody: it may be done in a process of its own, with every secret read already.
        """

    def danger(self, original: Original) -> str:
        """Why nobody may be handed the original, told without reading it whole; "" when nothing speaks against it."""

    def send(self, message: Outbound, inbox: Inbox, tools: Tools) -> Sent:
        """Send once.  Raises Refused (proof that nothing was sent) or Unclear."""
