"""/hooks/{inbox_id}: providers knock here.

Check who is knocking, keep the body as it came, queue its key, answer at once.  Reading waits for the queue: providers
give up after seconds, and a body that we cannot read must not be lost.
"""

import re
import secrets
from urllib.parse import quote

from chalice.app import Blueprint, Response

from chalicelib import config, observability
from chalicelib.api import http
from chalicelib.connectors import WebhookRequest
from chalicelib.domain.moments import sortable_id, stamp
from chalicelib.domain.people import Inbox
from chalicelib.errors import NotFound, TooLarge
from chalicelib.store import directory, objects

blueprint = Blueprint(__name__)

ANY_CONTENT_TYPE: list[str] = []
"""Chalice checks none then: providers send what they like."""
INBOX_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_HOOK_BYTES = 4_000_000
"""Lambda takes 6 MB, and a body that is not text comes in base 64."""
MAX_METADATA_BYTES = 1_900
"""S3 takes 2 KB, names included."""
NEVER_KEPT = ("secret", "token", "auth", "cookie", "key", "signature", "password")
"""Headers with these words in their names prove who knocked; ``verify`` has seen them and nobody else need."""
OF_THE_ROAD = ("x-forwarded-", "x-amz", "x-real-ip", "x-request-id", "x-correlation-id")
"""What proxies between the provider and us added."""


@blueprint.route("/hooks/{inbox_id}", methods=["GET", "POST"], content_types=ANY_CONTENT_TYPE, name="hooks")
def receive_webhook(inbox_id: str) -> Response:
    from chalicelib import wiring

    wiring.begin()
    request = blueprint.current_request
    return http.guarded(request, lambda request_id: _received(inbox_id, http.webhook_request(request), request_id))


def _received(inbox_id: str, request: WebhookRequest, request_id: str) -> Response:
    from chalicelib import wiring

    if len(request.body) > MAX_HOOK_BYTES:
        raise TooLarge(f"The body is over {MAX_HOOK_BYTES // 1_000_000} MB.")
    inbox = _inbox(inbox_id)
    channel = wiring.channel(inbox.channel)
    tools = wiring.tools(inbox)
    challenge = channel.handshake(request, inbox, tools)
    if challenge is not None:
        return http.as_response(challenge, request_id)
    if request.method != "POST":
        raise _nothing_here()
    channel.verify(request, inbox, tools)
    key = _keep(inbox, request)
    wiring.send_to_inbound(key)
    observability.log("webhook kept", inbox_id=inbox.id, channel=inbox.channel, original=key)
    return http.as_response(channel.acknowledge(), request_id)


def _inbox(inbox_id: str) -> Inbox:
    """The inbox; for a stranger's guess one read and no more, whatever the guess."""
    if not INBOX_ID.fullmatch(inbox_id):
        raise _nothing_here()
    try:
        inbox = directory.inbox(inbox_id)
    except NotFound as error:
        raise _nothing_here() from error
    if not inbox.active:
        raise _nothing_here()
    return inbox


def _nothing_here() -> NotFound:
    return NotFound("There is nothing at this address.")


def _keep(inbox: Inbox, request: WebhookRequest) -> str:
    """Put the body into the tray byte for byte, and beside it what reading it may need; return its key."""
    now = config.now()
    key = f"{objects.RAW}hook/{inbox.id}/{sortable_id('h', now, secrets.token_bytes(16))}"
    objects.put_original(key, request.body, metadata_of(inbox, request, stamp(now)))
    return key


def metadata_of(inbox: Inbox, request: WebhookRequest, received_at: str) -> dict[str, str]:
    """Inbox, channel and time, then the provider's headers as far as there is room; values are percent-encoded."""
    found = {"inbox-id": inbox.id, "channel": inbox.channel, "received-at": received_at}
    room = MAX_METADATA_BYTES - sum(len(name) + len(value) for name, value in found.items())
    for name in sorted(request.headers):
        if not _is_kept(name):
            continue
        value = quote(request.headers[name], safe=" !#$&'()*+,/:;=?@[]~")
        if len(name) + len("header-") + len(value) <= room:
            found[f"header-{name}"] = value
            room -= len(name) + len("header-") + len(value)
    return found


def _is_kept(name: str) -> bool:
    if any(word in name for word in NEVER_KEPT) or name.startswith(OF_THE_ROAD):
        return False
    return name == "content-type" or (name.startswith("x-") and name.isascii())
