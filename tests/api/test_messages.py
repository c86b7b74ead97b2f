"""/tickets/{ticket_id}/messages."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.connectors import Capabilities
from chalicelib.domain.message import Edited, Inbound, IncomingFile, Party
from chalicelib.services import edit_message, receive_message
from chalicelib.services.receive_message import Envelope
from chalicelib.store import directory
from tests.api.client import Api


def reply(api: Api, ticket_id: str, text: str = "It is on its way.", **values: object) -> dict[str, Any]:
    api.desk.advance(seconds=1)
    answer = api.post(f"/tickets/{ticket_id}/messages", {"kind": "reply", "text": text, **values})
    assert answer.status == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_a_reply_goes_to_the_customer_at_once(api: Api) -> None:
    ticket = api.ticket()
    said = reply(api, ticket["id"])
    assert (said["direction"], said["kind"], said["delivery"]["state"]) == ("out", "message", "queued")
    assert said["delivery"]["send_at"] == said["created_at"]
    assert said["to"] == [{"name": "Ada", "address": "ada@customer.example"}]
    assert said["author"]["kind"] == "bot"
    assert api.get(f"/tickets/{ticket['id']}").json["last_message_id"] == said["id"]


def test_a_reply_as_an_agent_counts_as_that_agents(api: Api) -> None:
    api.desk.agent("lina")
    ticket = api.ticket()
    said = reply(api, ticket["id"], **{"as": "lina", "then_status": "resolved"})
    assert said["author"] == {"kind": "agent", "id": "lina", "name": "Lina"}
    found = api.get(f"/tickets/{ticket['id']}").json
    assert (found["assignee_id"], found["status"], found["waiting_since"]) == ("lina", "resolved", None)


def test_a_note_goes_to_nobody(api: Api) -> None:
    ticket = api.ticket()
    answer = api.post(f"/tickets/{ticket['id']}/messages", {"kind": "note", "text": "Ask the carrier."})
    assert answer.status == 201
    assert (answer.json["kind"], answer.json["delivery"], answer.json["to"]) == ("note", None, [])


def test_a_note_with_recipients_is_a_mistake(api: Api) -> None:
    ticket = api.ticket()
    body = {"kind": "note", "text": "x", "cc": [{"address": "b@c.example"}], "undo_seconds": 5}
    answer = api.post(f"/tickets/{ticket['id']}/messages", body)
    assert (answer.status, sorted(answer.json["fields"])) == (422, ["cc", "undo_seconds"])


def test_recipients_html_and_files_come_back_as_they_were_sent(api: Api) -> None:
    ticket = api.ticket()
    said = reply(
        api,
        ticket["id"],
        "ignored where there is html",
        html="<p>Sorry, <b>Ada</b>!</p><script>alert(1)</script>",
        to=[{"address": "ada@customer.example", "name": "Ada"}],
        cc=[{"address": "carrier@parcels.example"}],
    )
    assert "Sorry, Ada!" in said["text"]
    assert "<b>Ada</b>" in said["html"]
    assert "script" not in said["html"]
    assert [each["address"] for each in said["cc"]] == ["carrier@parcels.example"]


def test_the_undo_window_is_what_was_asked_for(api: Api) -> None:
    ticket = api.ticket()
    said = reply(api, ticket["id"], undo_seconds=30)
    assert said["delivery"]["send_at"] == "2026-11-20T09:00:31.000Z"
    undone = api.post(f"/tickets/{ticket['id']}/messages/{said['id']}/undo")
    assert (undone.status, undone.json["delivery"]["state"]) == (200, "cancelled")
    assert api.post(f"/tickets/{ticket['id']}/messages/{said['id']}/undo").status == 200


def test_a_reply_that_overlooks_a_new_message_is_stopped_until_it_is_sent_anyway(api: Api) -> None:
    ticket = api.ticket()
    newer = reply(api, ticket["id"], "Somebody else answered.")
    api.desk.advance(seconds=1)
    body = {"kind": "reply", "text": "Hello", "last_seen_message_id": ticket["last_message_id"]}
    answer = api.post(f"/tickets/{ticket['id']}/messages", body)
    assert (answer.status, answer.json["latest_message_id"]) == (409, newer["id"])
    assert api.post(f"/tickets/{ticket['id']}/messages", body | {"send_anyway": True}).status == 201


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": " "}, "text"),
        ({"kind": "comment"}, "kind"),
        ({"text": "x" * 100_001}, "text"),
        ({"to": [{"address": "broken"}]}, "to"),
        ({"to": [{"name": "nobody"}]}, "to.0.address"),
        ({"to": "ada@customer.example"}, "to"),
        ({"attachment_ids": ["never-uploaded"]}, "attachments"),
        ({"undo_seconds": -1}, "undo_seconds"),
        ({"then_status": "spam"}, "then_status"),
        ({"forward": True}, "to"),
        ({"text": "half \ud83d"}, "text"),
        ({"text": "nul \x00"}, "text"),
    ],
)
def test_what_is_wrong_with_a_reply_is_said_by_field_and_nothing_is_sent(
    api: Api, values: dict[str, object], field: str
) -> None:
    ticket = api.ticket()
    answer = api.post(f"/tickets/{ticket['id']}/messages", {"kind": "reply", "text": "Hello"} | values)
    assert (answer.status, list(answer.json["fields"])) == (422, [field])
    assert len(api.get(f"/tickets/{ticket['id']}/messages").json["items"]) == 1


@pytest.mark.parametrize(
    "text", ["Zürich — “ok”", "日本語のテキスト", "שלום \u202eevil\u202c", "👩‍👩‍👧‍👦 \U0010ffff", "a\r\nb\tc", "  ￾"]
)
def test_text_in_every_script_comes_back_as_it_was_said(api: Api, text: str) -> None:
    ticket = api.ticket(text=text, subject="ß 日本 👋")
    [message] = api.get(f"/tickets/{ticket['id']}/messages").json["items"]
    assert (message["text"], ticket["subject"]) == (text.strip(), "ß 日本 👋")


def test_a_long_text_is_whole_in_the_list_and_in_the_answer(api: Api) -> None:
    ticket = api.ticket()
    text = "\n".join(f"line {n}" for n in range(2_000))
    assert reply(api, ticket["id"], text)["text"] == text
    assert api.get(f"/tickets/{ticket['id']}/messages").json["items"][-1]["text"] == text


def test_the_conversation_is_read_oldest_first_page_by_page(api: Api) -> None:
    ticket = api.ticket()
    for n in range(5):
        api.desk.advance(seconds=1)
        api.post(f"/tickets/{ticket['id']}/messages", {"kind": "note", "text": f"note {n}"})
    seen, cursor = [], None
    while True:
        page = api.get(f"/tickets/{ticket['id']}/messages", limit=2, **({"cursor": cursor} if cursor else {})).json
        seen += [each["text"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["It was to come on Monday.", *(f"note {n}" for n in range(5))]


def test_one_message_with_everything_it_quotes(api: Api) -> None:
    ticket = api.ticket()
    found = api.get(f"/tickets/{ticket['id']}/messages/{ticket['last_message_id']}")
    assert (found.status, found.json["full_text"]) == (200, "It was to come on Monday.")
    assert api.get(f"/tickets/{ticket['id']}/messages/m000").status == 404


class TextOnly:
    capabilities = Capabilities(10, 0, False, False, False, False, 0, False)


def test_what_the_channel_cannot_carry_is_refused_and_not_dropped(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = api.ticket()
    monkeypatch.setattr(wiring, "channel", lambda name: TextOnly())
    body = {
        "kind": "reply",
        "text": "longer than ten",
        "html": "<p>x</p>",
        "cc": [{"address": "b@c.example"}],
        "attachment_ids": ["f1"],
    }
    answer = api.post(f"/tickets/{ticket['id']}/messages", body)
    assert (answer.status, sorted(answer.json["fields"])) == (422, ["attachment_ids", "cc", "html", "text"])
    first = {"inbox_id": "support", "customer": {"email": "b@c.example"}, "subject": "x", "text": "x"}
    answer = api.post("/tickets", first | {"direction": "out"})
    assert (answer.status, list(answer.json["fields"])) == (422, ["direction"])


def test_a_page_of_long_messages_ends_early(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.api.rest.messages.MAX_PAGE_CHARS", 1_000)
    ticket = api.ticket()
    for n in range(3):
        reply(api, ticket["id"], f"{n}" * 900)
    first = api.get(f"/tickets/{ticket['id']}/messages").json
    assert len(first["items"]) == 2
    rest = api.get(f"/tickets/{ticket['id']}/messages", cursor=first["next"]).json
    assert [each["text"][0] for each in rest["items"]] == ["1"]


def test_a_file_that_was_sent_on_is_listed_and_fetched_under_the_id_that_sends_it_on(api: Api) -> None:
    label = IncomingFile("label.pdf", "application/pdf", b"%PDF-1")
    sender = Party("Ada", "ada@customer.example")
    envelope = Envelope("one", "kept/one", api.desk.now, directory.inbox("support"), f"{api.desk.now:%Y-%m-%d}")
    receipt = receive_message.receive(
        Inbound("one", sender, api.desk.now, "Hi", "Hello.", "Hello.", files=(label,)), envelope, api.desk.now
    )
    where = f"/tickets/{receipt.ticket_id}/messages"
    (said,) = (each for each in api.get(where).json["items"] if each["attachments"])
    name = f"{said['id']}.{said['attachments'][0]['id']}"
    to = [{"address": "lab@supplier.example"}]
    sent = reply(api, str(receipt.ticket_id), "Please look.", to=to, attachment_ids=[name])
    listed = next(each for each in api.get(where).json["items"] if each["id"] == sent["id"])
    assert [(each["id"], each["name"]) for each in listed["attachments"]] == [(name, "label.pdf")]
    answer = api.get(f"{where}/{sent['id']}/attachments/{name}")
    assert (answer.status, answer.json["attachment"]["id"]) == (200, name)


def test_a_message_that_was_edited_says_when(api: Api) -> None:
    at, bot = api.desk.now, api.desk.inbox(id="bot", channel="telegram", address="bot", name="Bot")
    said = Inbound("one", Party("Ada", "77"), at, "", "Two mgs", "Two mgs", own_keys=("tg#1",))
    envelope = Envelope("one", "kept/one", at, bot, f"{at:%Y-%m-%d}")
    where = f"/tickets/{receive_message.receive(said, envelope, at).ticket_id}/messages"
    assert [each["edited_at"] for each in api.get(where).json["items"]] == [None]
    edit_message.edit(Edited("tg#1", "Two mugs", at + timedelta(seconds=9)), at)
    assert {each["text"]: each["edited_at"] for each in api.get(where).json["items"] if each["kind"] == "message"} == {
        "Two mugs": "2026-11-20T09:00:09.000Z"
    }
