"""Telegram bot channel: webhook updates in, ``sendMessage`` out.

Sources: https://core.telegram.org/bots/api#update (fields), #setwebhook (secret header), #sendmessage.
Not done on purpose: see doc.md.
"""

import hmac
import json
from collections.abc import Mapping, Sequence

from chalicelib.connectors import Capabilities, HttpAnswer, Original, Parsed, Tools, WebhookRequest
from chalicelib.connectors.telegram import bot, updates
from chalicelib.domain.message import Outbound, Sent
from chalicelib.domain.people import Inbox
from chalicelib.errors import MalformedPayload, NotAuthentic, Refused

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - its name
SECRETS = ("webhook_secret", "webhook_secret_before")
"""While a new secret is being set at Telegram, the old one still comes."""
TOKEN = "bot_token"  # noqa: S105 - its name
MAX_TEXT_CHARS = 4096


class TelegramChannel:
    name = "telegram"
    capabilities = Capabilities(
        max_text_chars=MAX_TEXT_CHARS,
        max_attachment_bytes=0,
        attachments=False,
        html=False,
        cc=False,
        subject=False,
        undo_seconds=0,
        first_message=False,
        secrets=("bot_token",),
    )

    def handshake(self, request: WebhookRequest, inbox: Inbox, tools: Tools) -> HttpAnswer | None:
        return None

    def verify(self, request: WebhookRequest, inbox: Inbox, tools: Tools) -> None:
        """Raise NotAuthentic unless Telegram sent this to this inbox; an unset secret matches nothing."""
        given = request.headers.get(SECRET_HEADER, "").encode()
        known = [secret.encode() for name in SECRETS if (secret := tools.secret(name))]
        matches = [hmac.compare_digest(given, secret) for secret in known]
        if not any(matches):
            raise NotAuthentic("Telegram's secret token does not match.")

    def acknowledge(self) -> HttpAnswer:
        return HttpAnswer(status=200)

    def order_key(self, request: WebhookRequest) -> str | None:
        """The chat: with several connections Telegram's updates can overtake each other."""
        try:
            chat = updates.chat_of(json.loads(request.body))
        except (ValueError, RecursionError):
            return None
        return None if chat is None else str(chat)

    def parse(self, original: Original, inbox: Inbox, tools: Tools) -> Sequence[Parsed]:
        """One update is one message, one edit, one change of a handle, or known and skipped."""
        try:
            update = json.loads(original.body)
        except (ValueError, RecursionError) as error:
            raise MalformedPayload("The Telegram update is not JSON.") from error
        if not isinstance(update, dict):
            raise MalformedPayload("The Telegram update is not an object.")
        return (updates.read_update(update, bot.id_of(tools.secret(TOKEN), inbox)),)

    def danger(self, original: Original) -> str:
        return ""

    def send(self, message: Outbound, inbox: Inbox, tools: Tools) -> Sent:
        """Send one text as it is: no parse mode, so nothing in it can be taken for markup."""
        _check(message)
        token = tools.secret(TOKEN)
        bot_id = bot.id_of(token, inbox)
        chat_id = _chat_id(message)
        result = bot.call("sendMessage", _payload(message, chat_id), token, tools.post, bot.base_url_of(inbox))
        message_id = bot.message_id_in(result)
        return Sent(message_id, (updates.message_key(bot_id, chat_id, message_id),))


def _check(message: Outbound) -> None:
    if not message.text.strip():
        raise Refused("Telegram sends no empty text.", retry_after_seconds=None)
    if _length(message.text) > MAX_TEXT_CHARS:
        sentence = f"Telegram takes {MAX_TEXT_CHARS:,} characters, this text has {_length(message.text):,}: shorten it."
        raise Refused(sentence, retry_after_seconds=None)
    if message.files:
        raise Refused("Files cannot be sent by Telegram yet; send a link instead.", retry_after_seconds=None)


def _length(text: str) -> int:
    """As Telegram counts: UTF-16 units, so an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _chat_id(message: Outbound) -> str:
    chat = message.thread_key.split("#")[2] if message.thread_key and message.thread_key.count("#") >= 2 else ""
    found = chat or (message.to[0].address if message.to else "")
    if not found.lstrip("-").isdigit():
        raise Refused("This ticket knows no Telegram chat to answer in.", retry_after_seconds=None)
    return found


def _payload(message: Outbound, chat_id: str) -> Mapping[str, object]:
    payload: dict[str, object] = {
        "chat_id": int(chat_id),
        "text": message.text,
        "link_preview_options": {"is_disabled": True},
    }
    answered = (message.reply_to_key or "").rpartition("#")[2]
    if answered.isdigit() and (message.reply_to_key or "").startswith("tg#"):
        payload["reply_parameters"] = {"message_id": int(answered), "allow_sending_without_reply": True}
    return payload
