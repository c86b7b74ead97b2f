"""/inboxes."""

import pytest

from chalicelib import config
from chalicelib.api import inbox_tools
from chalicelib.services.inboxes import Provider, Tools
from chalicelib.store import idempotency as kept_requests
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


def test_a_bot_and_its_secrets(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    announced: list[str] = []
    bot = Provider(lambda secrets: "mugs_bot", lambda inbox, secrets: announced.append(secrets["webhook_secret"]))
    real = inbox_tools.inbox_tools()
    monkeypatch.setattr(inbox_tools, "inbox_tools", lambda: Tools(real.secrets, None, {"telegram": bot}))
    made = api.post("/inboxes", {"channel": "telegram", "name": "Bot", "secrets": {"bot_token": "1:secret"}})
    assert (made.status, made.json["address"]) == (201, "mugs_bot")
    assert made.json["hook_url"].endswith(f"/hooks/{made.json['id']}")
    assert len(announced) == 1
    assert "secret" not in made.text.replace("secrets", "")
    found = api.desk.client("ssm").get_parameter(
        Name=f"/deskbell/test/inbox/{made.json['id']}/bot_token", WithDecryption=True
    )
    assert found["Parameter"]["Value"] == "1:secret"


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
