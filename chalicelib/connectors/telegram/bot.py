"""Calls to the Bot API.  The bot's token is part of every URL: no URL ever stands in an error or a log.

Telegram has no idempotency key, so an answer that never came, or a 5xx, proves nothing (Unclear); its 4xx are proof.
Source: https://core.telegram.org/bots/api#making-requests
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.connectors import HttpPost, HttpReply
from chalicelib.domain.people import Inbox
from chalicelib.errors import Refused, Unclear

BASE_URL = "https://api.telegram.org"
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
MAX_CONNECTIONS = 20
RATE_SECONDS = 5.0

SENTENCES = {
    401: "Telegram no longer accepts this bot's token: connect the inbox again.",
    404: "Telegram does not know this bot: is its token complete?",
    409: "Another program collects this bot's messages: remove its webhook or polling.",
    413: "The file is too large for Telegram.",
}


@dataclass(frozen=True)
class Bot:
    id: str
    username: str
    name: str


@dataclass(frozen=True)
class WebhookState:
    """How Telegram's deliveries to us go."""

    url: str
    pending: int
    last_error: str
    last_error_at: datetime | None


def check(token: str, post: HttpPost, base_url: str = BASE_URL) -> Bot:
    """Whose token this is.  Raises Refused when it is nobody's, Unclear when Telegram does not answer."""
    me = call("getMe", {}, token, post, base_url)
    return Bot(str(me.get("id", "")), str(me.get("username", "")), str(me.get("first_name", "")))


def set_webhook(token: str, url: str, secret: str, post: HttpPost, base_url: str = BASE_URL) -> None:
    """Have updates sent to ``url`` with ``secret`` in their header; repeating it changes nothing."""
    payload = {
        "url": url,
        "secret_token": secret,
        "max_connections": MAX_CONNECTIONS,
        "allowed_updates": list(ALLOWED_UPDATES),
        "drop_pending_updates": False,
    }
    call("setWebhook", payload, token, post, base_url)


def webhook_state(token: str, post: HttpPost, base_url: str = BASE_URL) -> WebhookState:
    """What Settings shows: where updates go, how many wait, and what went wrong last."""
    info = call("getWebhookInfo", {}, token, post, base_url)
    at, pending = info.get("last_error_date"), info.get("pending_update_count")
    return WebhookState(
        url=str(info.get("url", "")),
        pending=pending if isinstance(pending, int) else 0,
        last_error=str(info.get("last_error_message", "")),
        last_error_at=datetime.fromtimestamp(at, UTC) if isinstance(at, int) else None,
    )


def call(
    method: str, payload: Mapping[str, object], token: str, post: HttpPost, base_url: str = BASE_URL
) -> Mapping[str, object]:
    """Call a method; its ``result`` (an empty mapping where that is no object).

    Raises:
        Refused: Telegram did nothing; ``retry_after_seconds`` where it says when to come again.
        Unclear: it may have.
    """
    if not token:
        raise Refused("This inbox has no bot token yet.", retry_after_seconds=None)
    try:
        reply = post(f"{base_url}/bot{token}/{method}", payload)
    except Refused as error:
        raise Refused(_redacted(error.message, token), error.retry_after_seconds) from None  # its cause names the URL
    except Unclear as error:
        raise Unclear(_redacted(error.message, token)) from None
    return _result(reply, token)


def message_id_in(result: Mapping[str, object]) -> str:
    message_id = result.get("message_id")
    if not isinstance(message_id, int):
        raise Unclear("Telegram accepted the message but gave no id.")
    return str(message_id)


def id_of(token: str, inbox: Inbox) -> str:
    """The bot's number stands before the colon of its token."""
    number = token.partition(":")[0]
    return number if number.isdigit() else inbox.settings.get("bot_id", "") or inbox.id


def base_url_of(inbox: Inbox) -> str:
    return inbox.settings.get("base_url", "").rstrip("/") or BASE_URL


def _result(reply: HttpReply, token: str) -> Mapping[str, object]:
    answer = _object(reply.body)
    if reply.status == 200 and answer.get("ok") is True:
        result = answer.get("result")
        return result if isinstance(result, dict) else {}
    if not 400 <= reply.status < 500 or reply.status == 408:
        raise Unclear(f"Telegram answered {reply.status}: the message may have been sent.")
    said = _redacted(str(answer.get("description", "")), token)[:200]
    if reply.status == 429:
        raise Refused("Telegram asks to wait.", retry_after_seconds=_wait(answer))
    if reply.status == 403:
        raise Refused(f"The customer cannot be reached on Telegram any more ({said}).", retry_after_seconds=None)
    raise Refused(SENTENCES.get(reply.status, f"Telegram refused: {said or reply.status}"), retry_after_seconds=None)


def _wait(answer: Mapping[str, object]) -> float:
    parameters = answer.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return float(seconds) if isinstance(seconds, int | float) and seconds >= 0 else RATE_SECONDS


def _object(body: bytes) -> Mapping[str, object]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _redacted(text: str, token: str) -> str:
    for secret in _parts(token):
        text = text.replace(secret, "…")
    return text


def _parts(token: str) -> Sequence[str]:
    return (token, token.partition(":")[2]) if token.partition(":")[2] else (token,)
