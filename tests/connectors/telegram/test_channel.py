"""Telegram's updates in, one text out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.connectors import HttpReply, Original, Parsed, Tools, WebhookRequest
from chalicelib.connectors.telegram import bot
from chalicelib.connectors.telegram.channel import SECRET_HEADER, TelegramChannel
from chalicelib.domain.message import Edited, Inbound, IncomingFile, Outbound, Party, Sent, Skipped, StateChange
from chalicelib.domain.people import Inbox
from chalicelib.errors import MalformedPayload, NotAuthentic, Refused, Unclear

FIXTURES = Path(__file__).parent / "fixtures"
TOKEN = "123456789:AAE-token_of-the-bot"
SECRET = "hd1_Zk3v-9QpW7rT2xLm"
INBOX = Inbox("tg", "telegram", "shop_help_bot", "Telegram")
CHAT = "tg#123456789#5120987341"
AT = datetime(2026, 11, 20, 18, 5, tzinfo=UTC)


@dataclass
class Api:
    """Telegram, answering once."""

    status: int = 200
    body: object = field(default_factory=lambda: {"ok": True, "result": {"message_id": 331}})
    raises: Exception | None = None
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __call__(self, url: str, payload: Mapping[str, object]) -> HttpReply:
        self.asked.append((url, payload))
        if self.raises is not None:
            raise self.raises
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return HttpReply(self.status, raw)


def tools(api: Api | None = None, **secrets: str) -> Tools:
    known = {"bot_token": TOKEN, "webhook_secret": SECRET, **secrets}

    def no_mail(*_: object) -> str:
        raise AssertionError("Telegram sends no mail")

    return Tools(api or Api(), no_mail, lambda name: known.get(name, ""), lambda: (), "t42", "eu-west-1")


def body(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def parsed(raw: bytes) -> Parsed:
    (found,) = TelegramChannel().parse(Original("raw/hook.tg.1", raw, {}, AT), INBOX, tools())
    return found


def test_a_text() -> None:
    assert parsed(body("text")) == Inbound(
        fingerprint="tg#123456789#871204551",
        sender=Party("Lena Brandt", "5120987341"),
        sent_at=datetime.fromtimestamp(1795200300, UTC),
        text="Where is order 10482?",
        new_text="Where is order 10482?",
        own_keys=(f"{CHAT}#318",),
        conversation_key=CHAT,
        language="de",
    )


def test_a_start_with_a_deep_link_keeps_its_token() -> None:
    found = parsed(body("start"))
    assert isinstance(found, Inbound)
    assert found.text == "/start lk_7fQ2mZ81c"


@pytest.mark.parametrize(
    ("name", "text", "banner"),
    [
        ("photo_with_caption", "Torn seam", "The customer sent a photo (188 kB)."),
        ("document_in_reply", "[a file]", "The customer sent a file (invoice.pdf, 88 kB)."),
        ("voice", "[a voice message]", "The customer sent a voice message (2.4 MB)."),
        ("animation", "[an animation]", "The customer sent an animation (cat.mp4, 1 kB)."),
        ("sticker", "👍", None),
        ("location", "Location: 52.5, 13.4", None),
        ("contact", "Phone number: +4930123456", None),
        ("contact_of_another", "Phone number: +4930999999 (not confirmed to be the customer's own)", None),
        ("poll", "Poll: Blue or red?", None),
    ],
)
def test_what_is_not_only_text(name: str, text: str, banner: str | None) -> None:
    found = parsed(body(name))
    assert isinstance(found, Inbound)
    assert found.text == text
    expected = (f"{banner} Files from Telegram are not fetched yet: ask for a link.",) if banner else ()
    assert found.banners == expected


def test_an_answer_to_our_message_leads_to_its_ticket() -> None:
    found = parsed(body("document_in_reply"))
    assert isinstance(found, Inbound)
    assert found.thread_keys == (f"{CHAT}#300",)


def test_an_edit_names_the_earlier_message() -> None:
    assert parsed(body("edited")) == Edited(
        f"{CHAT}#318", "Where is order 10483?", datetime.fromtimestamp(1795200390, UTC)
    )


@pytest.mark.parametrize(("name", "state"), [("blocked", "unreachable"), ("unblocked", "reachable")])
def test_blocking_the_bot_changes_the_handle(name: str, state: str) -> None:
    change = parsed(body(name))
    assert isinstance(change, StateChange)
    assert (change.state, change.handle, change.permanent) == (state, "5120987341", name == "blocked")
    assert change.event_id.startswith("tg#123456789#")


@pytest.mark.parametrize("name", ["button", "group", "channel_post", "novelty"])
def test_what_is_known_and_no_message_is_skipped(name: str) -> None:
    assert isinstance(parsed(body(name)), Skipped)


NO_SENDER_ID = b'{"chat": {"type": "private", "id": 1}, "from": {"id": "x"}, "date": 1, "message_id": 1}'


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"text",
        b"\xff",
        b'{"update_id": "x"}',
        b'{"update_id": 1, "message": 3}',
        b'{"update_id": 1, "message": {}}',
        b'{"update_id": 1, "message": ' + NO_SENDER_ID + b"}",
        b'{"update_id": 1, "my_chat_member": {"chat": []}}',
    ],
)
def test_what_telegram_never_sends_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedPayload):
        parsed(raw)


# doors


def knock(headers: Mapping[str, str]) -> WebhookRequest:
    return WebhookRequest(headers, body("text"))


def test_the_secret_opens() -> None:
    TelegramChannel().verify(knock({SECRET_HEADER: SECRET}), INBOX, tools())
    TelegramChannel().verify(knock({SECRET_HEADER: "old"}), INBOX, tools(webhook_secret_before="old"))


@pytest.mark.parametrize(
    ("headers", "secret"),
    [({}, SECRET), ({SECRET_HEADER: SECRET.upper()}, SECRET), ({SECRET_HEADER: "of another bot"}, SECRET), ({}, ""),
     ({SECRET_HEADER: ""}, ""), ({SECRET_HEADER: "ü"}, SECRET)],
)  # fmt: skip
def test_a_wrong_missing_or_unset_secret_does_not(headers: dict[str, str], secret: str) -> None:
    with pytest.raises(NotAuthentic):
        TelegramChannel().verify(knock(headers), INBOX, tools(webhook_secret=secret))


def test_the_order_key_is_the_chat() -> None:
    keys = {
        TelegramChannel().order_key(WebhookRequest({}, body(name))) for name in ("text", "edited", "button", "blocked")
    }
    assert keys == {"5120987341"}
    assert TelegramChannel().order_key(WebhookRequest({}, b"[]")) is None
    assert TelegramChannel().order_key(WebhookRequest({}, b"rubbish")) is None


def test_telegram_wants_a_plain_200() -> None:
    assert TelegramChannel().acknowledge().status == 200
    assert TelegramChannel().handshake(knock({}), INBOX, tools()) is None


# out


ANSWER = Outbound(
    message_id="m1", ticket_id="1042", from_name="Anna", from_address="bot", to=(Party("Lena", "5120987341"),),
    subject="", text="It left our warehouse this morning.", at=AT, thread_key=CHAT, reply_to_key=f"{CHAT}#318",
)  # fmt: skip


def test_an_answer() -> None:
    api = Api()
    assert TelegramChannel().send(ANSWER, INBOX, tools(api)) == Sent("331", (f"{CHAT}#331",))
    assert api.asked == [
        (
            f"https://api.telegram.org/bot{TOKEN}/sendMessage",
            {
                "chat_id": 5120987341,
                "text": "It left our warehouse this morning.",
                "link_preview_options": {"is_disabled": True},
                "reply_parameters": {"message_id": 318, "allow_sending_without_reply": True},
            },
        )
    ]


def test_without_a_chat_key_the_customers_handle_is_the_chat() -> None:
    api = Api()
    TelegramChannel().send(replace(ANSWER, thread_key=None, reply_to_key=None), INBOX, tools(api))
    assert api.asked[0][1]["chat_id"] == 5120987341
    assert "reply_parameters" not in api.asked[0][1]


def test_another_server() -> None:
    api = Api()
    TelegramChannel().send(ANSWER, replace(INBOX, settings={"base_url": "http://127.0.0.1:9/"}), tools(api))
    assert api.asked[0][0].startswith("http://127.0.0.1:9/bot")


@pytest.mark.parametrize(
    "message",
    [
        replace(ANSWER, text=" \n"),
        replace(ANSWER, text="x" * 4097),
        replace(ANSWER, text="👍" * 2049),
        replace(ANSWER, files=(IncomingFile("a.pdf", "application/pdf", b"x"),)),
        replace(ANSWER, thread_key=None, to=()),
        replace(ANSWER, thread_key=None, to=(Party("", "lina@x.example"),)),
    ],
)
def test_what_telegram_cannot_take_is_refused_before_it_is_sent(message: Outbound) -> None:
    api = Api()
    with pytest.raises(Refused) as caught:
        TelegramChannel().send(message, INBOX, tools(api))
    assert caught.value.retry_after_seconds is None
    assert api.asked == []


def test_the_longest_text_goes() -> None:
    TelegramChannel().send(replace(ANSWER, text="👍" * 2048), INBOX, tools())


def refusal(code: int, text: str, **parameters: int) -> Api:
    return Api(code, {"ok": False, "error_code": code, "description": text, "parameters": parameters})


@pytest.mark.parametrize(
    ("api", "seconds"),
    [
        (refusal(429, "Too Many Requests: retry after 7", retry_after=7), 7.0),
        (Api(429, b"busy"), 5.0),
        (refusal(400, "Bad Request: chat not found"), None),
        (refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100), None),
        (refusal(401, "Unauthorized"), None),
        (refusal(403, "Forbidden: bot was blocked by the user"), None),
        (refusal(404, "Not Found"), None),
        (refusal(409, "Conflict"), None),
        (refusal(413, "Request Entity Too Large"), None),
        (Api(raises=Refused("connection never opened", 10.0)), 10.0),
    ],
)
def test_proof_that_nothing_was_sent(api: Api, seconds: float | None) -> None:
    with pytest.raises(Refused) as caught:
        TelegramChannel().send(ANSWER, INBOX, tools(api))
    assert caught.value.retry_after_seconds == seconds
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "api",
    [
        Api(500), Api(502, b"<html>"), Api(504), Api(408), Api(302), Api(200, b"no json"), Api(200, {"ok": False}),
        Api(200, {"ok": True}), Api(200, {"ok": True, "result": {}}), Api(raises=Unclear("time-out")),
    ],
)  # fmt: skip
def test_what_may_have_been_sent(api: Api) -> None:
    with pytest.raises(Unclear):
        TelegramChannel().send(ANSWER, INBOX, tools(api))
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "api",
    [
        Api(raises=Refused(f"cannot reach https://api.telegram.org/bot{TOKEN}/sendMessage", 1.0)),
        Api(raises=Unclear(f"no answer from /bot{TOKEN}/sendMessage")),
        refusal(400, f"bad request to {TOKEN}"),
    ],
)
def test_the_token_stands_in_no_error(api: Api) -> None:
    with pytest.raises((Refused, Unclear)) as caught:
        TelegramChannel().send(ANSWER, INBOX, tools(api))
    chain = [caught.value, caught.value.__cause__]
    assert all("AAE-token" not in str(error) for error in chain)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_without_a_token_nothing_is_asked() -> None:
    api = Api()
    with pytest.raises(Refused, match="no bot token"):
        TelegramChannel().send(ANSWER, INBOX, tools(api, bot_token=""))
    assert api.asked == []


# set-up


def test_whose_token_it_is() -> None:
    api = Api(
        body={"ok": True, "result": {"id": 123456789, "is_bot": True, "first_name": "Shop", "username": "shop_bot"}}
    )
    assert bot.check(TOKEN, api) == bot.Bot("123456789", "shop_bot", "Shop")
    with pytest.raises(Refused, match="connect the inbox again"):
        bot.check(TOKEN, refusal(401, "Unauthorized"))


def test_the_webhook_is_set_with_its_secret() -> None:
    api = Api(body={"ok": True, "result": True, "description": "Webhook was set"})
    bot.set_webhook(TOKEN, "https://desk.example/hooks/tg", SECRET, api)
    ((url, payload),) = api.asked
    assert url.endswith("/setWebhook")
    assert payload["secret_token"] == SECRET
    assert payload["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]


def test_how_deliveries_go() -> None:
    info = {"url": "https://x", "pending_update_count": 7, "last_error_date": 1795200300, "last_error_message": "403"}
    state = bot.webhook_state(TOKEN, Api(body={"ok": True, "result": info}))
    assert state == bot.WebhookState("https://x", 7, "403", datetime.fromtimestamp(1795200300, UTC))
    assert bot.webhook_state(TOKEN, Api(body={"ok": True, "result": {}})) == bot.WebhookState("", 0, "", None)


def test_half_a_character_that_json_can_name_is_replaced_before_it_goes_on() -> None:
    raw = (
        b'{"update_id":1,"message":{"message_id":1,"date":1700000000,"chat":{"id":5,"type":"private"},'
        b'"from":{"id":5,"first_name":"A\\ud83d"},"text":"mug \\ud83d\\ude00 \\ud83d"}}'
    )
    found = parsed(raw)
    assert isinstance(found, Inbound)
    assert (found.sender.name, found.text) == ("A\ufffd", "mug \U0001f600 \ufffd")
