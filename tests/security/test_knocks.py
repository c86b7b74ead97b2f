"""Webhooks: who may knock, and that what comes twice counts once."""

import hmac
import json

import pytest

from chalicelib import wiring
from chalicelib.api import hooks
from chalicelib.connectors import WebhookRequest
from chalicelib.connectors.telegram.channel import TelegramChannel
from chalicelib.errors import NotAuthentic
from chalicelib.jobs import inbound
from chalicelib.store import directory, lists, messages, objects
from tests.security.world import COOKIE, SECRET, Answer, World

pytestmark = pytest.mark.engine
HEADER = "x-telegram-bot-api-secret-token"
UPDATE = {
    "update_id": 7,
    "message": {
        "message_id": 1, "date": 1795165200, "text": "Where is my parcel?",
        "chat": {"id": 5550001, "type": "private", "first_name": "Ada"},
        "from": {"id": 5550001, "is_bot": False, "first_name": "Ada"},
    },
}  # fmt: skip


def knock(world: World, secret: str | None, inbox: str = "bot", **headers: str) -> Answer:
    sent = {"content-type": "application/json", **({HEADER: secret} if secret is not None else {}), **headers}
    return world.send("POST", f"/hooks/{inbox}", sent, json.dumps(UPDATE).encode())


def kept() -> list[str]:
    return [key for key, _ in objects.list_originals(objects.RAW)]


def test_only_who_knows_the_secret_leaves_anything_behind(world: World) -> None:
    me = world.agent("admin")
    everybody = {
        "nobody": knock(world, None), "an empty secret": knock(world, ""), "a wrong one": knock(world, "wrong"),
        "a part of it": knock(world, SECRET[:-1]), "more than it": knock(world, f"{SECRET}x"),
        "in capitals": knock(world, SECRET.upper()),
        "an admin": knock(world, None, cookie=f"{COOKIE}={world.cookie(me)}"),
        "a token": knock(world, None, authorization=f"Bearer {world.token('read', 'write', 'admin')}"),
        "as a bearer": knock(world, None, authorization=f"Bearer {SECRET}"),
    }  # fmt: skip
    assert {name: answer.status for name, answer in everybody.items()} == dict.fromkeys(everybody, 403)
    assert kept() == [] and world.desk.queued("inbound") == []
    assert knock(world, SECRET).status == 200
    assert len(kept()) == 1


@pytest.mark.parametrize("inbox", ["support", "gone", "..", "x" * 65, "bot%00", "Bot"])
def test_at_any_other_address_there_is_nothing(world: World, inbox: str) -> None:
    """The secret of one inbox opens no other, and an e-mail inbox takes no webhooks."""
    assert knock(world, SECRET, inbox).status in (403, 404)
    assert kept() == []


def test_a_switched_off_inbox_answers_like_none(world: World) -> None:
    world.desk.inbox(id="bot", channel="telegram", address="northwindbot", name="Bot", active=False)
    off, none = knock(world, SECRET), knock(world, SECRET, "gone")
    assert (off.status, json.loads(off.text)["detail"]) == (none.status, json.loads(none.text)["detail"])


def test_an_inbox_without_a_secret_takes_nothing(world: World) -> None:
    """Else an unset secret would equal an empty header."""
    world.desk.inbox(id="bare", channel="telegram", address="barebot", name="Bare")
    for secret in ("", None, "None", "undefined"):
        assert knock(world, secret, "bare").status == 403


def test_a_replayed_knock_is_the_same_message(world: World) -> None:
    """Telegram signs no time, so a knock can be recorded and repeated: its number makes it count once."""
    for _ in range(3):
        assert knock(world, SECRET).status == 200
    for body in world.desk.queued("inbound"):
        event = {"Records": [{"messageId": "1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}]}
        inbound.intake(event, None)
    page = lists.page(lists.ListName("open"))
    assert [len(messages.newest(row.id).messages) for row in page.rows] == [1]


def test_the_proof_of_who_knocked_is_not_kept(world: World) -> None:
    knock(
        world,
        SECRET,
        **{"x-hub-signature-256": "sha256=abc", "x-shop-hmac-key": "abc", "cookie": "a=b", "x-event": "m"},
    )
    original = objects.get_original(kept()[0])
    assert SECRET not in str(original.metadata)
    assert {name for name in original.metadata if name.startswith("header-")} == {
        "header-content-type",
        "header-x-event",
    }
    assert not [name for name in original.metadata if any(word in name for word in hooks.NEVER_KEPT)]


def test_the_secret_is_compared_in_constant_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    really = hmac.compare_digest

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return really(a, b)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    request = WebhookRequest({HEADER: "wrong"}, b"{}", "POST", {})
    inbox = directory.inbox("bot")
    with pytest.raises(NotAuthentic):
        TelegramChannel().verify(request, inbox, wiring.tools(inbox))
    assert (b"wrong", SECRET.encode()) in compared


def test_a_secret_is_long_and_of_our_making(world: World) -> None:
    secrets = {"bot_token": "1:x", "webhook_secret": "chosen"}
    body = {"channel": "telegram", "name": "Second", "secrets": secrets}
    assert world.call("POST", "/api/v1/inboxes", world.token("admin"), body).status == 422
    del secrets["webhook_secret"]
    made = world.call("POST", "/api/v1/inboxes", world.token("admin"), body)
    assert made.status in (201, 422), made.text
