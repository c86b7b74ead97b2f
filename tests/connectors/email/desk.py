"""An inbox, tools without a network, and raw mails, for the channel's tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from chalicelib.connectors import HttpReply, Original, Tools
from chalicelib.connectors.email.addresses import signed_address
from chalicelib.connectors.email.channel import EmailChannel
from chalicelib.domain.message import Inbound
from chalicelib.domain.people import Inbox

AT = datetime(2026, 11, 20, 14, 0, 2, tzinfo=UTC)
KEY = b"reply-key-2026-01"
STAGE = "t42"
INBOX = Inbox("support", "email", "support@shop.example", "Support")
SIGNED = signed_address("support@shop.example", STAGE, "1042", KEY)
SES_ID = "0102019ab0c1d2e3-66666666-7777-8888-9999-000000000000-000000"


@dataclass
class Post:
    """What was handed to SES."""

    sent: list[tuple[str, Sequence[str], bytes, Mapping[str, str]]] = field(default_factory=list)

    def __call__(self, sender: str, recipients: Sequence[str], raw: bytes, tags: Mapping[str, str]) -> str:
        self.sent.append((sender, recipients, raw, tags))
        return SES_ID


def no_http(url: str, payload: Mapping[str, object]) -> HttpReply:
    raise AssertionError("mail makes no HTTP calls")


def tools(post: Post | None = None) -> Tools:
    return Tools(no_http, post or Post(), lambda name: "", lambda: (b"newest key", KEY), STAGE, "eu-west-1")


def raw(headers: str, body: str = "Where is my parcel?\n") -> bytes:
    return (headers.strip("\n") + "\n\n" + body).replace("\n", "\r\n").encode()


def original(mail: bytes, **metadata: str) -> Original:
    return Original("raw/o3vr", mail, {"recipients": "support@shop.example", **metadata}, AT)


def parsed(mail: bytes, inbox: Inbox = INBOX, **metadata: str) -> Inbound:
    """The one message in it."""
    (found,) = EmailChannel().parse(original(mail, **metadata), inbox, tools())
    assert isinstance(found, Inbound)
    return found
