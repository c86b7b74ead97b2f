"""/inboxes."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib import config, wiring
from chalicelib.connectors import HttpReply
from chalicelib.services.inboxes import SETTINGS
from chalicelib.store import idempotency as kept_requests
from chalicelib.store import objects
from tests.api.client import Api

MAIL = {"channel": "email", "name": "Sales", "address": "Sales@Mugs.example"}


@pytest.fixture(autouse=True)
def _local(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the local stack: there is no receipt rule."""
    monkeypatch.setenv("LOCAL", "1")
    config.settings.cache_clear()


def test_an_email_inbox(api: Api) -> None:
    api.desk.team("first")
    values = {
        "team_id": "first",
        "signature": "Your mug people",
        "acknowledgement": "We have your mail.",
        "separated": True,
        "reopen_days": 5,
        "undo_seconds": 0,
        "settings": {"forward_to": "sales@desk.mugs.example"},
    }
    made = api.post("/inboxes", MAIL | values)
    assert made.status == 201, made.text
    assert {name: made.json[name] for name in values} == values
    assert (made.json["address"], made.json["hook_url"]) == ("sales@mugs.example", None)
    assert api.get(f"/inboxes/{made.json['id']}").json == made.json
    assert made.json in api.get("/inboxes").json["items"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"address": "nonsense"}, "address"),
        ({"address": "me@gmail.com"}, "address"),
        ({"address": "support@shop.example"}, "address"),
        ({"channel": "pigeon"}, "channel"),
        ({"name": ""}, "name"),
        ({"team_id": "gone"}, "team_id"),
        ({"settings": {"forward_to": "x"}}, "settings.forward_to"),
        ({"settings": {"colour": "red"}}, "settings.colour"),
        ({"secrets": {"bot_token": "1:x"}}, "secrets.bot_token"),
        ({"channel": "telegram"}, "secrets.bot_token"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"reopen_days": 400}, "reopen_days"),
    ],
)
def test_what_is_wrong_is_said_by_field_and_nothing_is_written(api: Api, values: dict[str, object], field: str) -> None:
    answer = api.post("/inboxes", MAIL | values)
    assert (answer.status, list(answer.json["fields"])) == (422, [field])
    assert [each["id"] for each in api.get("/inboxes").json["items"]] == ["support"]


class Telegram:
    """Telegram's API as ``wiring.post_json`` would reach it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, url: str, payload: Mapping[str, object]) -> HttpReply:
        self.calls.append((url, dict(payload)))
        if "/bot1:secret/" not in url:
            return HttpReply(401, b'{"ok": false, "error_code": 401, "description": "Unauthorized"}')
        return HttpReply(200, b'{"ok": true, "result": {"id": 1, "username": "mugs_bot", "first_name": "Mugs"}}')


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Telegram:
    made = Telegram()
    monkeypatch.setattr(wiring, "post_json", made)
    return made


def test_a_bot_and_its_secrets(api: Api, telegram: Telegram) -> None:
    body = {"channel": "telegram", "name": "Bot", "secrets": {"bot_token": "1:secret"}}
    made = api.call("POST", "/inboxes", body, headers={"host": "desk.example"})
    assert (made.status, made.json["address"]) == (201, "mugs_bot")
    assert made.json["hook_url"] == f"http://desk.example/hooks/{made.json['id']}"
    assert "1:secret" not in made.text
    assert [url for url, _ in telegram.calls] == [
        "https://api.telegram.org/bot1:secret/getMe",
        "https://api.telegram.org/bot1:secret/setWebhook",
    ]
    announced = telegram.calls[1][1]
    assert announced["url"] == made.json["hook_url"]
    update = {"update_id": 7, "message": {"message_id": 1, "text": "Hello"}}
    for secret, status in [(announced["secret_token"], 200), ("guess", 403)]:
        headers = {"x-telegram-bot-api-secret-token": secret, "authorization": ""}
        assert api.call("POST", f"/hooks/{made.json['id']}", update, headers=headers).status == status
    [notice] = api.desk.queued("inbound")
    assert objects.get_original(json.loads(notice)["key"]).body == json.dumps(update).encode()


def test_a_token_that_the_provider_does_not_know(api: Api, telegram: Telegram) -> None:
    answer = api.post("/inboxes", {"channel": "telegram", "name": "Bot", "secrets": {"bot_token": "2:wrong"}})
    assert (answer.status, list(answer.json["fields"])) == (422, ["secrets.bot_token"])
    assert "2:wrong" not in answer.text


@pytest.mark.skipif("base_url" not in SETTINGS["telegram"], reason="a bot's settings do not know base_url yet")
def test_a_providers_api_at_another_address(api: Api, telegram: Telegram) -> None:
    body = {
        "channel": "telegram",
        "name": "Bot",
        "secrets": {"bot_token": "1:secret"},
        "base_url": "http://127.0.0.1:9",
    }
    made = api.post("/inboxes", body)
    assert (made.status, made.json["settings"]) == (201, {"base_url": "http://127.0.0.1:9"})
    assert all(url.startswith("http://127.0.0.1:9/bot1:secret/") for url, _ in telegram.calls)


def test_a_crash_after_the_inbox_was_made_does_not_make_the_next_attempt_fail(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(kept_requests, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            api.post("/inboxes", MAIL, key="sales")
    api.desk.advance(seconds=31)
    made = api.post("/inboxes", MAIL, key="sales")
    assert (made.status, made.json["address"]) == (201, "sales@mugs.example")
    assert api.post("/inboxes", MAIL, key="another").status == 422
    assert len(api.get("/inboxes").json["items"]) == 2


def test_without_a_receipt_rule_the_desk_says_so_and_keeps_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL", "0")
    config.settings.cache_clear()
    answer = api.post("/inboxes", MAIL)
    assert (answer.status, answer.json["type"]) == (503, "urn:deskbell:problem:not-configured")
    assert len(api.get("/inboxes").json["items"]) == 1


def test_no_such_inbox(api: Api) -> None:
    assert api.get("/inboxes/nowhere").status == 404
