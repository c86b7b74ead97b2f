"""Telegram's Update objects as the domain's values.  Source: https://core.telegram.org/bots/api#update"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.connectors import Parsed
from chalicelib.domain.inbound_limits import whole
from chalicelib.domain.message import Edited, Inbound, Party, Skipped, StateChange
from chalicelib.errors import MalformedPayload

Json = Mapping[str, Any]  # Telegram's own objects: every field read here is checked by the except in read_update

FILES = {
    "photo": "a photo",
    "document": "a file",
    "video": "a video",
    "voice": "a voice message",
    "audio": "an audio file",
    "animation": "an animation",
    "video_note": "a video message",
    "sticker": "a sticker",
}
KNOWN_KINDS = frozenset(
    {"channel_post", "edited_channel_post", "inline_query", "chosen_inline_result", "shipping_query", "poll"}
    | {"pre_checkout_query", "poll_answer", "chat_member", "chat_join_request", "message_reaction", "chat_boost"}
    | {"message_reaction_count", "removed_chat_boost", "business_connection", "business_message"}
    | {"edited_business_message", "deleted_business_messages", "purchased_paid_media"}
)


def read_update(update: Json, bot_id: str) -> Parsed:
    """What one update holds; halves of characters, which JSON can name and nothing else can carry, replaced.

    Raises:
        MalformedPayload: no update of Telegram: another provider points here, or the API changed.
    """
    try:
        update = json.loads(whole(json.dumps(update, ensure_ascii=False)))
        update_id = int(update["update_id"])
        for kind, read in READERS.items():
            if kind in update:
                return read(update[kind], bot_id, f"tg#{bot_id}#{update_id}")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, OSError) as error:
        raise MalformedPayload(f"The Telegram update cannot be read: {type(error).__name__}.") from error
    kinds = ", ".join(sorted(name for name in update if name != "update_id"))
    known = "" if KNOWN_KINDS & set(update) else " (a kind we do not know)"
    return Skipped(f"Not a message: {kinds[:80] or 'nothing'}{known}.")


def chat_of(update: object) -> int | None:
    """The chat an update belongs to, as far as it says."""
    if not isinstance(update, dict):
        return None
    for kind in READERS:
        part = update.get(kind)
        within = part.get("message", part) if isinstance(part, dict) else None
        chat = within.get("chat") if isinstance(within, dict) else None
        if isinstance(chat, dict) and isinstance(chat.get("id"), int):
            return int(chat["id"])
    return None


def conversation_key(bot_id: str, chat_id: object) -> str:
    return f"tg#{bot_id}#{chat_id}"


def message_key(bot_id: str, chat_id: object, message_id: object) -> str:
    return f"tg#{bot_id}#{chat_id}#{message_id}"


def _message(message: Json, bot_id: str, fingerprint: str) -> Parsed:
    unwanted = _unwanted(message)
    if unwanted:
        return Skipped(unwanted)
    chat_id, sender = message["chat"]["id"], message["from"]
    answered = message.get("reply_to_message")
    return Inbound(
        fingerprint=fingerprint,
        sender=Party(_name(sender), str(int(sender["id"]))),
        sent_at=_instant(message["date"]),
        text=_text(message),
        new_text=_text(message),
        own_keys=(message_key(bot_id, chat_id, message["message_id"]),),
        thread_keys=(message_key(bot_id, chat_id, answered["message_id"]),) if answered else (),
        conversation_key=conversation_key(bot_id, chat_id),
        banners=_banners(message),
        language=str(sender.get("language_code", ""))[:2].lower() or None,
    )


def _edited(message: Json, bot_id: str, fingerprint: str) -> Parsed:
    unwanted = _unwanted(message)
    if unwanted:
        return Skipped(unwanted)
    key = message_key(bot_id, message["chat"]["id"], message["message_id"])
    return Edited(key, _text(message), _instant(message.get("edit_date", message["date"])))


def _tapped(callback: Json, bot_id: str, fingerprint: str) -> Parsed:
    return Skipped("The customer tapped a button; this desk sends none yet.")


def _membership(change: Json, bot_id: str, fingerprint: str) -> Parsed:
    """The customer blocked the bot, or let it back in."""
    if change["chat"]["type"] != "private":
        return Skipped("The bot was added to, or removed from, a group; this desk answers private chats only.")
    blocked = change["new_chat_member"]["status"] in {"kicked", "left"}
    return StateChange(
        "unreachable" if blocked else "reachable",
        _instant(change["date"]),
        handle=str(int(change["chat"]["id"])),
        reason="The customer has blocked the bot on Telegram." if blocked else "",
        permanent=blocked,
        event_id=fingerprint,
    )


READERS: Mapping[str, Callable[[Json, str, str], Parsed]] = {
    "message": _message,
    "edited_message": _edited,
    "callback_query": _tapped,
    "my_chat_member": _membership,
}


def _unwanted(message: Json) -> str:
    """Why a message is none for this desk, "" when it is one."""
    if message["chat"]["type"] != "private":
        return "Written in a group; this desk answers private chats only."
    if message["from"].get("is_bot"):
        return "Written by a bot."
    return ""


def _name(sender: Json) -> str:
    names = (str(sender.get(part) or "").strip() for part in ("first_name", "last_name"))
    return " ".join(name for name in names if name) or str(sender.get("username") or "")


def _text(message: Json) -> str:
    """What was written; for what is not writing, what it says, so that no message is empty."""
    written = message.get("text") or message.get("caption")
    if written:
        return str(written)
    if "location" in message:
        place = message["location"]
        return f"Location: {float(place['latitude'])}, {float(place['longitude'])}"
    if "contact" in message:
        contact = message["contact"]
        own = contact.get("user_id") == message["from"]["id"]
        whose = "" if own else " (not confirmed to be the customer's own)"
        return f"Phone number: {contact['phone_number']}{whose}"
    if "poll" in message:
        return f"Poll: {message['poll']['question']}"
    if "sticker" in message:
        return str(message["sticker"].get("emoji") or "[a sticker]")
    kind = _file_kind(message)
    return f"[{FILES[kind]}]" if kind else "[a message that Telegram shows only in its app]"


def _banners(message: Json) -> tuple[str, ...]:
    kind = _file_kind(message)
    if kind is None or kind == "sticker":
        return ()
    # Telegram names an animation a document as well, and sizes of a photo smallest first
    file = message[kind][-1] if kind == "photo" else message[kind]
    name = str(file.get("file_name") or "").strip()
    details = ", ".join(part for part in (name[:100], _size(file.get("file_size"))) if part)
    in_brackets = f" ({details})" if details else ""
    return (f"The customer sent {FILES[kind]}{in_brackets}. Files from Telegram are not fetched yet: ask for a link.",)


def _file_kind(message: Json) -> str | None:
    if "animation" in message:
        return "animation"
    return next((kind for kind in FILES if kind in message), None)


def _size(count: object) -> str:
    if not isinstance(count, int) or count <= 0:
        return ""
    return f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{max(1, round(count / 1_000))} kB"


def _instant(seconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(seconds)), UTC)
