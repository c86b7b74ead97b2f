"""Attachments, customers, people, search, ledger, dead letters."""

import json
import os
import urllib.request
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.moments import stamp
from chalicelib.services import rebuild
from chalicelib.services.ledger import LedgerDay
from chalicelib.store import directory, documents, objects
from tests.api.client import Api

# Attachments


def upload(api: Api, ticket_id: str, data: bytes, **values: object) -> str:
    """Upload as an integrator would: ask for a form, then post the file to S3."""
    wanted = {"name": "label.pdf", "content_type": "application/pdf", "size_bytes": len(data)} | values
    started = api.post(f"/tickets/{ticket_id}/attachments", wanted)
    assert started.status == 201, started.text
    boundary = uuid.uuid4().hex
    parts = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in started.json["fields"].items()
    )
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode() + data
    request = urllib.request.Request(
        started.json["url"],
        parts + file + f"\r\n--{boundary}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    urllib.request.urlopen(request, timeout=10).close()
    found: str = started.json["attachment_id"]
    return found


def test_a_file_goes_with_a_reply_and_can_be_downloaded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")  # the engine checks the signatures of links by its own
    wiring.connect()
    ticket = api.ticket()
    attachment_id = upload(api, ticket["id"], b"%PDF-1.7 label")
    path = f"/tickets/{ticket['id']}/messages"
    said = api.post(path, {"kind": "reply", "text": "The label.", "attachment_ids": [attachment_id]})
    assert said.status == 201, said.text
    [file] = said.json["attachments"]
    assert (file["name"], file["size_bytes"], file["warning"]) == ("label.pdf", 14, None)
    found = api.get(f"{path}/{said.json['id']}/attachments/{file['id']}").json
    assert found["attachment"] == file
    with urllib.request.urlopen(found["url"], timeout=10) as answer:
        assert answer.read() == b"%PDF-1.7 label"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert api.get(f"{path}/{said.json['id']}/attachments/a99").status == 404


def test_an_agents_file_goes_with_that_agents_reply_only(api: Api) -> None:
    api.desk.agent("lina")
    ticket = api.ticket()
    attachment_id = upload(api, ticket["id"], b"x", **{"as": "lina"})
    body = {"kind": "reply", "text": "The label.", "attachment_ids": [attachment_id]}
    assert api.post(f"/tickets/{ticket['id']}/messages", body).status == 403
    assert api.post(f"/tickets/{ticket['id']}/messages", body | {"as": "lina"}).status == 201


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"name": "virus.exe"}, 422),
        ({"name": " "}, 422),
        ({"content_type": "nonsense"}, 422),
        ({"size_bytes": 25_000_001}, 422),
        ({"size_bytes": -1}, 422),
    ],
)
def test_files_that_cannot_be_sent(api: Api, values: dict[str, object], status: int) -> None:
    ticket = api.ticket()
    wanted = {"name": "label.pdf", "content_type": "application/pdf", "size_bytes": 5} | values
    assert api.post(f"/tickets/{ticket['id']}/attachments", wanted).status == status


def test_a_repeated_request_for_an_upload_gets_the_same_place(api: Api) -> None:
    ticket = api.ticket()
    wanted = {"name": "label.pdf", "content_type": "application/pdf", "size_bytes": 5}
    first, again = (api.post(f"/tickets/{ticket['id']}/attachments", wanted, key="f") for _ in range(2))
    assert first.json["attachment_id"] == again.json["attachment_id"]


# Customers


def test_customers_are_found_by_their_handle(api: Api) -> None:
    ticket = api.ticket()
    by_email = api.get("/customers", handle=" ADA@customer.example").json["items"]
    assert by_email == api.get("/customers", handle="email:ada@customer.example").json["items"]
    assert [each["id"] for each in by_email] == [ticket["customer_id"]]
    assert api.get(f"/customers/{ticket['customer_id']}").json == by_email[0]
    assert api.get("/customers", handle="nobody@customer.example").json == {"items": [], "next": None}


def test_which_customer_has_to_be_said(api: Api) -> None:
    assert api.get("/customers").status == 422
    assert api.get("/customers/c0").status == 404
    assert api.get("/customers/c0/tickets").status == 404


def test_a_customers_tickets_newest_first(api: Api) -> None:
    first = api.ticket()
    api.desk.advance(minutes=1)
    second = api.ticket(subject="Again")
    found = api.get(f"/customers/{first['customer_id']}/tickets").json["items"]
    assert [each["id"] for each in found] == [second["id"], first["id"]]
    assert len(api.get(f"/customers/{first['customer_id']}/tickets", limit=1).json["items"]) == 1


# People


def test_agents_and_teams(api: Api) -> None:
    api.desk.agent("lina", role="leader", team_ids=("first",))
    api.desk.team("first")
    [agent] = api.get("/agents").json["items"]
    assert (agent["id"], agent["role"], agent["team_ids"]) == ("lina", "leader", ["first"])
    assert api.get("/agents/lina").json == agent
    assert api.get("/teams").json["items"] == [{"id": "first", "name": "First line", "assignment": "off"}]
    assert api.get("/agents/nobody").status == 404


def test_an_agent_goes_away_and_comes_back(api: Api) -> None:
    api.desk.agent("lina"), api.desk.agent("vera", role="viewer")
    until = api.desk.now + timedelta(hours=2)
    away = api.post("/agents/lina/away", {"until": stamp(until)})
    assert away.status == 200 and away.json["away"] == {"since": stamp(api.desk.now), "until": stamp(until)}
    assert api.get("/agents/lina").json == away.json
    longer = api.post("/agents/lina/away", {"until": None}).json["away"]
    assert longer == {"since": stamp(api.desk.now), "until": None}
    assert api.post("/agents/lina/back").json["away"] is None
    assert api.post("/agents/vera/away", {}).status == 409
    assert api.post("/agents/nobody/away", {}).status == 404
    past = api.post("/agents/lina/away", {"until": stamp(api.desk.now)})
    assert (past.status, list(past.json["fields"])) == (422, ["until"])
    told = [each.what for each in directory.audit_entries("2026-11")]
    assert (told.count("Went away"), told.count("Came back")) == (2, 1)


def test_what_agents_are_assigned_and_how(api: Api) -> None:
    api.desk.agent("lina"), api.desk.team("first")
    changed = api.patch("/agents/lina", {"languages": ["German", "german"], "skills": ["Returns"]}).json
    assert (changed["capacity"], changed["languages"], changed["skills"]) == (10, ["german"], ["returns"])
    assert api.patch("/agents/lina", {"capacity": 3}).json == {**changed, "capacity": 3}
    assert api.patch("/agents/lina", {"capacity": 0}).status == 422
    team = api.patch("/teams/first", {"assignment": "round_robin"}).json
    assert team == {"id": "first", "name": "First line", "assignment": "round_robin"}
    assert api.get("/teams").json["items"] == [team]
    assert api.patch("/teams/first", {"assignment": "by lot"}).status == 422
    assert api.patch("/teams/gone", {"assignment": "off"}).status == 404


def test_the_time_an_agent_is_back_passes_by_itself(api: Api) -> None:
    api.desk.agent("lina")
    api.post("/agents/lina/away", {"until": stamp(api.desk.now + timedelta(hours=2))})
    api.desk.advance(hours=2)
    assert api.get("/agents/lina").json["away"] is None


# Search


def test_search(api: Api) -> None:
    ticket = api.ticket(subject="Parcel of order 10482")
    rebuild.index(ticket["id"])
    for asked in (ticket["id"], f"#{ticket['id']}", "10482", "ada@customer.example", "parcel order"):
        assert [each["id"] for each in api.get("/search", q=asked).json["items"]] == [ticket["id"]], asked
    assert api.get("/search", q="umbrella").json == {"items": [], "next": None}
    assert api.get("/search").status == 422
    assert api.get("/search", q=" ").status == 422


# Ledger


def test_the_ledger_of_a_day(api: Api) -> None:
    objects.put_original("raw/mail-1", b"x", {"recipients": "support@shop.example"})
    today = next(at for _, at in objects.list_originals("raw/"))
    found = api.get("/ledger", day=f"{today:%Y-%m-%d}").json
    assert (found["received"], found["waiting"], found["difference"]) == (1, 1, 0)
    assert api.get("/ledger").json["day"] == "2026-11-20"
    for day in ("2026-02-30", "20261120", "yesterday", "2026-11-20T00:00"):
        answer = api.get("/ledger", day=day)
        assert (answer.status, list(answer.json["fields"])) == (422, ["day"]), day


def test_the_ledger_of_a_closed_day_is_the_kept_one_and_says_when_it_was_counted(api: Api) -> None:
    at = api.desk.now.replace(hour=2, minute=17)
    kept = LedgerDay("2026-11-19", 412, 0, 409, 3, 0, 0, closed=True, counted_at=at)
    documents.write("LEDGER", "2026-11-19", kept)
    found = api.get("/ledger", day="2026-11-19").json
    assert (found["received"], found["counted_at"]) == (412, "2026-11-20T02:17:00.000Z")
    documents.write("LEDGER", "2026-11-19", replace(kept, counted_at=None))
    assert api.get("/ledger", day="2026-11-19").json["counted_at"] is None
    assert api.get("/ledger").json["counted_at"] == "2026-11-20T09:00:00.000Z"


# Dead letters


def test_a_dead_letter_goes_back_to_its_queue(api: Api) -> None:
    sqs = api.desk.client("sqs")
    body = json.dumps({"key": "raw/mail-1"})
    sqs.send_message(QueueUrl=os.environ["INBOUND_DEAD_QUEUE_URL"], MessageBody=body)
    [letter] = api.get("/dead-letters").json["items"]
    assert (letter["queue"], letter["original"]) == ("inbound", "raw/mail-1")
    import time

    time.sleep(2.1)  # looking hides a letter for two seconds
    assert api.post(f"/dead-letters/{letter['id']}/retry").json == {"id": letter["id"]}
    assert api.desk.queued("inbound") == [body]
    assert api.post(f"/dead-letters/{letter['id']}/retry").status == 404


def test_a_parked_record_is_discarded_with_a_reason(api: Api) -> None:
    objects.put_original("parked/2026/record-1", b"{}", {})
    [letter] = api.get("/dead-letters").json["items"]
    assert letter["queue"] == "parked"
    path = f"/dead-letters/{letter['id']}/discard"
    assert api.post(path, {}).status == 422
    assert api.post(path, {"reason": " "}).status == 422
    assert api.post(path, {"reason": "The ticket was deleted."}).status == 200
    assert api.get("/dead-letters").json["items"] == []


@pytest.mark.parametrize("letter_id", ["nobody", "parked.x", "parked.%2e", "parked.cGFya2VkL3g"])
def test_no_such_letter(api: Api, letter_id: str) -> None:
    assert api.post(f"/dead-letters/{letter_id}/retry").status == 404


def test_a_file_of_the_conversation_is_sent_on_and_of_another_it_is_not(api: Api) -> None:
    ticket, other = api.ticket(), api.ticket()
    path = f"/tickets/{ticket['id']}/messages"
    first = api.post(path, {"kind": "reply", "text": "A", "attachment_ids": [upload(api, ticket["id"], b"%PDF-1.7")]})
    [file] = first.json["attachments"]
    body = {
        "kind": "reply", "text": "For you.", "forward": True, "to": [{"address": "lab@supplier.example"}],
        "attachment_ids": [f"{first.json['id']}.{file['id']}"],
    }  # fmt: skip
    sent = api.post(path, body)
    assert sent.status == 201, sent.text
    assert [(each["name"], each["sha256"]) for each in sent.json["attachments"]] == [(file["name"], file["sha256"])]
    refused = api.post(f"/tickets/{other['id']}/messages", body)
    assert (refused.status, list(refused.json["fields"])) == (422, ["attachments"])


def test_a_file_of_a_note_is_sent_to_nobody(api: Api) -> None:
    ticket = api.ticket()
    path = f"/tickets/{ticket['id']}/messages"
    files = [upload(api, ticket["id"], b"%PDF-1.7")]
    note = api.post(path, {"kind": "note", "text": "Ours alone.", "attachment_ids": files})
    [file] = note.json["attachments"]
    refused = api.post(path, {"kind": "reply", "text": "A", "attachment_ids": [f"{note.json['id']}.{file['id']}"]})
    assert (refused.status, list(refused.json["fields"])) == (422, ["attachments"])
