"""Saved replies by the API: kept, filled for a ticket, and an answer with an unfilled one refused."""

import pytest

from chalicelib.store import messages
from tests.api.client import Api

SHIPPING = {"name": "Shipping", "shortcut": "shipping", "texts": {"en": "Hello {customer.first_name}, it left."}}


def test_one_is_kept_changed_deleted_and_brought_back(api: Api) -> None:
    made = api.post("/saved-replies", SHIPPING, key="once")
    assert made.status == 201, made.text
    assert api.post("/saved-replies", SHIPPING, key="once").json == made.json
    path = f"/saved-replies/{made.json['id']}"
    assert api.get(path).json == made.json
    changed = api.patch(path, {"texts": {"en": "It left.", "de": "Unterwegs."}, "version": 1}).json
    assert (changed["name"], changed["languages"], changed["version"]) == ("Shipping", ["en", "de"], 2)
    assert api.patch(path, {"name": "Too late", "version": 1}).status == 409
    [row] = api.get("/saved-replies").json["items"]
    assert (row["beginning"], row["used"]) == ("It left.", 0)
    assert api.call("DELETE", path).status == 200
    assert api.get(path).status == 404
    assert api.call("DELETE", path).status == 404
    assert api.get("/saved-replies").json["items"] == []
    assert api.post(f"{path}/restore").json["version"] == 4
    assert api.get(path).status == 200


def test_those_of_one_agent_are_found_by_words(api: Api) -> None:
    api.desk.team("first")
    api.desk.agent("lina", team_ids=("first",))
    api.desk.agent("ben")
    for owner in ({}, {"scope": "team", "team_id": "first"}, {"scope": "personal", "agent_id": "ben"}):
        assert api.post("/saved-replies", {**SHIPPING, **owner}).status == 201
    assert len(api.get("/saved-replies").json["items"]) == 3
    found = api.get("/saved-replies", agent_id="lina", q="ship").json["items"]
    assert sorted(each["scope"] for each in found) == ["everyone", "team"]
    assert api.get("/saved-replies", q="returns").json["items"] == []
    assert api.get("/saved-replies", agent_id="nobody").status == 422


def test_a_token_that_writes_keeps_agents_own_ones_only(api: Api) -> None:
    api.desk.agent("lina")
    writer = api.as_token("write")
    assert writer.post("/saved-replies", SHIPPING).status == 403
    mine = writer.post("/saved-replies", {**SHIPPING, "scope": "personal", "agent_id": "lina"})
    assert mine.json["agent_id"] == "lina"
    assert writer.patch(f"/saved-replies/{mine.json['id']}", {"name": "Renamed"}).json["name"] == "Renamed"
    shared = api.post("/saved-replies", SHIPPING).json["id"]
    assert writer.patch(f"/saved-replies/{shared}", {"name": "Renamed"}).status == 403
    assert writer.call("DELETE", f"/saved-replies/{shared}").status == 403
    assert api.as_token("read").call("DELETE", f"/saved-replies/{shared}").status == 403


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": "x", "texts": {}}, ["texts.en"]),
        ({"name": "x", "texts": {"en": "{customer.frist_name}"}}, ["texts.en"]),
        ({"name": "x", "texts": {"English": "Hi"}}, ["texts.English"]),
        ({"name": "x", "texts": {"en": "Hi"}, "scope": "team"}, ["scope"]),
        ({"name": "x", "texts": {"en": "Hi"}, "scope": "personal"}, ["scope"]),
        ({"name": "x", "texts": {"en": "Hi"}, "scope": "personal", "agent_id": "nobody"}, ["agent_id"]),
        ({"name": "x", "texts": {"en": "Hi"}, "shortcut": "a b"}, ["shortcut"]),
    ],
)
def test_what_is_wrong_is_named(api: Api, body: dict[str, object], fields: list[str]) -> None:
    refused = api.post("/saved-replies", body)
    assert refused.status == 422
    assert list(refused.json["fields"]) == fields


def test_it_is_filled_for_a_ticket_and_what_is_left_is_not_sent(api: Api) -> None:
    api.desk.agent("lina", name="Lina Sand")
    texts = {"en": "Hello {customer.first_name}, {order.number} left. {agent.first_name}", "de": "Hallo"}
    reply = api.post("/saved-replies", {**SHIPPING, "texts": texts}).json["id"]
    ticket = api.ticket()["id"]
    path = f"/tickets/{ticket}/saved-replies/{reply}"
    found = api.get(path, agent_id="lina").json
    assert found == {"text": "Hello Ada, {order.number} left. Lina", "language": "en", "missing": ["order.number"]}
    assert api.get(path, language="de").json["text"] == "Hallo"
    assert list(api.get(path, language="fr").json["fields"]) == ["language"]
    refused = api.post(f"/tickets/{ticket}/messages", {"kind": "reply", "text": found["text"]})
    assert refused.status == 422
    assert "{order.number} is not filled in" in refused.json["fields"]["text"]
    assert len(messages.newest(ticket).messages) == 1
    words = found["text"].replace("{order.number}", "\\{order.number} of order #7")
    sent = api.post(f"/tickets/{ticket}/messages", {"kind": "reply", "text": words})
    assert sent.json["text"] == "Hello Ada, {order.number} of order #7 left. Lina"


def test_a_ticket_that_writes_out_is_refused_and_one_that_records_is_not(api: Api) -> None:
    body = {
        "inbox_id": "support", "customer": {"email": "ada@customer.example"}, "subject": "x", "text": "{order.number}",
    }  # fmt: skip
    assert list(api.post("/tickets", {**body, "direction": "out"}).json["fields"]) == ["text"]
    assert api.post("/tickets", body).status == 201
