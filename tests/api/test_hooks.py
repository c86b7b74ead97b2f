"""/hooks/{inbox_id}: check, keep, queue, answer."""

import hmac
import json
from datetime import UTC, datetime

import pytest

from chalicelib import wiring
from chalicelib.api import hooks
from chalicelib.connectors import HttpAnswer, Tools, WebhookRequest
from chalicelib.domain.people import Inbox
from chalicelib.errors import NotAuthentic
from chalicelib.store import objects
from tests.api.client import Answer, Api

HOOK = "/hooks/bot"
UPDATE = b'{"update_id": 1, "message": {"text": "Where is my parcel?"}}'


class Carrier:
    """A channel that wants a challenge answered, a secret in a header, and its own words in the answer."""

    def handshake(self, request: WebhookRequest, inbox: Inbox, tools: Tools) -> HttpAnswer | None:
        return HttpAnswer(200, request.query["challenge"]) if "challenge" in request.query else None

    def verify(self, request: WebhookRequest, inbox: Inbox, tools: Tools) -> None:
        given, wanted = request.headers.get("x-carrier-secret", ""), tools.secret("webhook_secret")
        if not wanted or not hmac.compare_digest(given.encode(), wanted.encode()):
            raise NotAuthentic("The secret does not match.")

    def acknowledge(self) -> HttpAnswer:
        return HttpAnswer(200, '{"ok":true}', "application/json")


@pytest.fixture
def bot(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A desk with an inbox "bot" of the channel above."""
    api.desk.inbox(id="bot", channel="telegram", address="mugs_bot", name="Bot")
    name = "/deskbell/test/inbox/bot/webhook_secret"
    api.desk.client("ssm").put_parameter(Name=name, Value="right", Type="SecureString")
    monkeypatch.setattr(wiring, "channel", lambda name: Carrier())
    return api


def knock(api: Api, body: bytes = UPDATE, path: str = HOOK, method: str = "POST", **headers: str) -> Answer:
    sent = {"x-carrier-secret": "right", "content-type": "application/json", "authorization": ""}
    return api.call(
        method, path, body, headers=sent | {name.replace("_", "-"): value for name, value in headers.items()}
    )


def kept(api: Api) -> list[str]:
    return [key for key, _ in objects.list_originals(objects.RAW)]


def test_the_original_is_kept_byte_for_byte_before_its_key_is_queued(bot: Api) -> None:
    body = b'{"text": "\xc3\xbc \\u00fc\r\n  odd   spacing"}\n'
    answer = knock(bot, body, x_carrier_event="message")
    assert (answer.status, answer.text, answer.headers["Content-Type"]) == (200, '{"ok":true}', "application/json")
    [key] = kept(bot)
    assert key.startswith("raw/hook/bot/h")
    assert [json.loads(notice) for notice in bot.desk.queued("inbound")] == [{"key": key}]
    original = objects.get_original(key)
    assert original.body == body
    assert original.metadata == {
        "inbox-id": "bot",
        "channel": "telegram",
        "received-at": "2026-11-20T09:00:00.000Z",
        "header-content-type": "application/json",
        "header-x-carrier-event": "message",
    }


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/xml", "image/png", "", "odd"])
def test_any_content_type_is_taken(bot: Api, content_type: str) -> None:
    body = bytes(range(256))
    assert knock(bot, body, content_type=content_type).status == 200
    assert objects.get_original(kept(bot)[0]).body == body


@pytest.mark.parametrize("secret", ["wrong", "", "rigHt", "right "])
def test_who_does_not_know_the_secret_leaves_nothing_behind(bot: Api, secret: str) -> None:
    answer = knock(bot, x_carrier_secret=secret)
    assert (answer.status, answer.json["type"]) == (403, "urn:deskbell:problem:not-authentic")
    assert (kept(bot), bot.desk.queued("inbound")) == ([], [])


def test_a_secret_that_was_never_set_matches_nothing(bot: Api) -> None:
    bot.desk.client("ssm").delete_parameter(Name="/deskbell/test/inbox/bot/webhook_secret")
    for secret in ("", "right"):
        assert knock(bot, x_carrier_secret=secret).status == 403


@pytest.mark.parametrize("path", ["/hooks/nobody", "/hooks/b%6ft", "/hooks/..", "/hooks/" + "x" * 300, "/hooks/BOT"])
def test_an_unknown_inbox_costs_one_read_at_most(bot: Api, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def never(*_: object) -> None:
        raise AssertionError("no work for strangers")

    for name in ("channel", "tools", "secret", "send_to_inbound"):
        monkeypatch.setattr(wiring, name, never)
    answer = knock(bot, path=path)
    assert (answer.status, answer.json["detail"]) == (404, "There is nothing at this address.")


def test_an_inbox_that_is_switched_off_answers_as_if_it_were_not_there(bot: Api) -> None:
    bot.desk.inbox(id="old", channel="telegram", address="old_bot", active=False)
    assert knock(bot, path="/hooks/old").status == 404


def test_a_challenge_is_answered_and_nothing_is_kept(bot: Api) -> None:
    answer = bot.call("GET", HOOK, challenge="42", headers={"authorization": ""})
    assert (answer.status, answer.text, answer.headers["Content-Type"]) == (200, "42", "text/plain; charset=utf-8")
    assert kept(bot) == []


def test_looking_without_a_challenge_finds_nothing(bot: Api) -> None:
    assert knock(bot, method="GET").status == 404


def test_other_methods_are_a_problem(bot: Api) -> None:
    answer = knock(bot, method="PUT")
    assert (answer.status, answer.headers["Content-Type"]) == (405, "application/problem+json")


def test_a_huge_body_is_refused_before_anything_else(bot: Api) -> None:
    assert knock(bot, b"x" * 4_000_001, path="/hooks/nobody").status == 413


def test_when_the_queue_fails_the_original_is_kept_and_the_provider_asked_to_repeat(
    bot: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(key: str) -> None:
        raise TimeoutError

    monkeypatch.setattr(wiring, "send_to_inbound", down)
    assert knock(bot).status == 500
    assert len(kept(bot)) == 1


def test_two_knocks_are_two_originals(bot: Api) -> None:
    assert [knock(bot).status for _ in range(2)] == [200, 200]
    assert len(kept(bot)) == 2


def test_metadata_holds_what_fits_and_nothing_secret() -> None:
    headers = {
        "content-type": "text/plain; charset=ü",
        "x-provider-event": "order\u20ac",
        "x-provider-signature": "s",
        "x-api-key": "k",
        "x-telegram-bot-api-secret-token": "t",
        "authorization": "a",
        "cookie": "c",
        "x-forwarded-for": "203.0.113.7",
        "user-agent": "someone",
        "x-huge": "h" * 3_000,
        "x-late": "fits",
    }
    found = hooks.metadata_of(
        Inbox("bot", "telegram", "b", "B"), WebhookRequest(headers, b""), f"{datetime(2026, 11, 21, tzinfo=UTC)}"
    )
    assert {name: value for name, value in found.items() if name.startswith("header-")} == {
        "header-content-type": "text/plain; charset=%C3%BC",
        "header-x-late": "fits",
        "header-x-provider-event": "order%E2%82%AC",
    }
    assert sum(len(name) + len(value) for name, value in found.items()) < 2_048
    assert all(value.isascii() for value in found.values())
