"""/tickets."""

import pytest

from chalicelib.services import change_ticket
from chalicelib.services.change_ticket import Changes
from chalicelib.store import tickets
from tests.api.client import Answer, Api


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [each["id"] for each in answer.json["items"]]


def test_a_ticket_records_what_the_customer_said_and_sends_nothing(api: Api) -> None:
    made = api.ticket()
    assert (made["status"], made["channel"], made["customer_name"]) == ("open", "email", "Ada")
    assert made["id"] == str(made["number"])
    assert made["waiting_since"] == "2026-11-20T09:00:00.000Z"
    assert api.get(f"/tickets/{made['id']}").json == made
    [message] = api.get(f"/tickets/{made['id']}/messages").json["items"]
    assert (message["direction"], message["author"]["kind"], message["text"]) == (
        "in",
        "customer",
        "It was to come on Monday.",
    )
    assert message["delivery"] is None
    assert message["id"] == made["last_message_id"]


def test_a_ticket_can_begin_with_what_we_write(api: Api) -> None:
    made = api.ticket(direction="out", subject="Your refund")
    assert made["status"] == "pending"
    [message] = api.get(f"/tickets/{made['id']}/messages").json["items"]
    assert (message["direction"], message["delivery"]["state"]) == ("out", "queued")
    assert message["to"] == [{"name": "Ada", "address": "ada@customer.example"}]


def test_a_ticket_written_as_an_agent_is_the_agents(api: Api) -> None:
    api.desk.agent("lina")
    made = api.ticket(direction="out", **{"as": "lina"})
    [message] = api.get(f"/tickets/{made['id']}/messages").json["items"]
    assert (made["assignee_id"], message["author"]) == ("lina", {"kind": "agent", "id": "lina", "name": "Lina"})


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"inbox_id": "nowhere"}, "inbox_id"),
        ({"subject": " "}, "subject"),
        ({"subject": "two\nlines"}, "subject"),
        ({"subject": "x" * 201}, "subject"),
        ({"text": "  "}, "text"),
        ({"text": 5}, "text"),
        ({"customer": {"name": "Ada"}}, "customer.email"),
        ({"customer": {"email": "ada@customer.example", "handle": "5"}}, "customer.email"),
        ({"customer": {"email": "not an address"}}, "customer"),
        ({"customer": {"email": "support@shop.example"}}, "customer"),
        ({"direction": "sideways"}, "direction"),
        ({"as": "nobody"}, "as"),
        ({"undo_seconds": 61}, "undo_seconds"),
        ({"assignee": "lina"}, "assignee"),
    ],
)
def test_what_is_wrong_with_a_new_ticket_is_said_by_field_and_nothing_is_written(
    api: Api, values: dict[str, object], field: str
) -> None:
    good = {"inbox_id": "support", "customer": {"email": "ada@customer.example"}, "subject": "Mug", "text": "Broken."}
    answer = api.post("/tickets", good | values)
    assert answer.status == 422
    assert list(answer.json["fields"]) == [field]
    assert ids(api.get("/tickets")) == []


def test_a_viewer_or_a_deactivated_agent_writes_nothing(api: Api) -> None:
    api.desk.agent("vera", role="viewer")
    api.desk.agent("gone", active=False)
    good = {"inbox_id": "support", "customer": {"email": "ada@customer.example"}, "subject": "Mug", "text": "Broken."}
    for agent_id in ("vera", "gone"):
        assert list(api.post("/tickets", good | {"as": agent_id}).json["fields"]) == ["as"]


def test_an_inbox_that_is_switched_off_takes_no_ticket(api: Api) -> None:
    api.desk.inbox(id="old", address="old@shop.example", active=False)
    answer = api.post(
        "/tickets",
        {"inbox_id": "old", "customer": {"email": "ada@customer.example"}, "subject": "Mug", "text": "Broken."},
    )
    assert (answer.status, list(answer.json["fields"])) == (422, ["inbox_id"])


def test_change(api: Api) -> None:
    api.desk.agent("lina")
    api.desk.team("first")
    ticket = api.ticket()
    wanted = {
        "status": "pending",
        "priority": "urgent",
        "assignee_id": "lina",
        "team_id": "first",
        "tags": ["Refund", "VIP", "vip"],
        "subject": "Parcel 7 is late",
        "version": 1,
        "as": "lina",
    }
    api.desk.advance(seconds=1)
    changed = api.patch(f"/tickets/{ticket['id']}", wanted)
    assert changed.status == 200, changed.text
    assert {name: changed.json[name] for name in wanted if name not in ("version", "as", "tags")} == {
        name: value for name, value in wanted.items() if name not in ("version", "as", "tags")
    }
    assert (changed.json["tags"], changed.json["version"]) == (["refund", "vip"], 2)
    event = api.get(f"/tickets/{ticket['id']}/messages").json["items"][-1]
    assert (event["kind"], event["author"]["name"], event["event"]["priority"]) == ("event", "Lina", "urgent")
    cleared = api.patch(f"/tickets/{ticket['id']}", {"assignee_id": None, "team_id": None, "tags": []})
    assert (cleared.json["assignee_id"], cleared.json["team_id"], cleared.json["tags"]) == (None, None, [])


def test_snooze_and_wake(api: Api) -> None:
    ticket = api.ticket()
    until = "2026-11-23T08:00:00+01:00"
    assert api.patch(f"/tickets/{ticket['id']}", {"snoozed_until": until}).json["snoozed_until"] == (
        "2026-11-23T07:00:00.000Z"
    )
    assert ids(api.get("/tickets", list="snoozed")) == [ticket["id"]]
    assert api.patch(f"/tickets/{ticket['id']}", {"snoozed_until": None}).json["snoozed_until"] is None
    answer = api.patch(f"/tickets/{ticket['id']}", {"snoozed_until": "2020-01-01T00:00:00Z"})
    assert (answer.status, list(answer.json["fields"])) == (422, ["snoozed_until"])


def test_a_change_of_what_somebody_else_changed_is_refused(api: Api) -> None:
    ticket = api.ticket()
    assert api.patch(f"/tickets/{ticket['id']}", {"priority": "high", "version": 1}).status == 200
    answer = api.patch(f"/tickets/{ticket['id']}", {"priority": "low", "version": 1})
    assert (answer.status, answer.json["type"]) == (409, "urn:deskbell:problem:conflict")
    assert api.get(f"/tickets/{ticket['id']}").json["priority"] == "high"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({}, "body"),
        ({"status": "done"}, "status"),
        ({"assignee_id": "nobody"}, "assignee_id"),
        ({"team_id": "nobody"}, "team_id"),
        ({"tags": ["x" * 41]}, "tags.0"),
        ({"tags": [str(n) for n in range(21)]}, "tags"),
        ({"subject": None}, "subject"),
        ({"snoozed_until": "tomorrow"}, "snoozed_until"),
        ({"number": 5}, "number"),
    ],
)
def test_what_is_wrong_with_a_change_is_said_by_field(api: Api, wanted: dict[str, object], field: str) -> None:
    ticket = api.ticket()
    answer = api.patch(f"/tickets/{ticket['id']}", wanted)
    assert (answer.status, list(answer.json["fields"])) == (422, [field])
    assert api.get(f"/tickets/{ticket['id']}").json == ticket


@pytest.mark.parametrize("ticket_id", ["9999", "0", "x", "1001x", "%2e%2e", "١٠٠١", "1" * 40])
def test_no_such_ticket(api: Api, ticket_id: str) -> None:
    for answer in (
        api.get(f"/tickets/{ticket_id}"),
        api.get(f"/tickets/{ticket_id}/messages"),
        api.patch(f"/tickets/{ticket_id}", {"priority": "low"}),
        api.post(f"/tickets/{ticket_id}/messages", {"kind": "note", "text": "x"}),
    ):
        assert (answer.status, answer.json["type"]) == (404, "urn:deskbell:problem:not-found")


# Lists


def test_without_a_filter_all_but_spam_and_trash_the_newest_open_first(api: Api) -> None:
    made = []
    for status in ("open", "pending", "resolved", "closed", "spam", "trash", "open"):
        api.desk.advance(minutes=1)
        ticket = api.ticket(subject=status)
        if status != "open":
            change_ticket.change(ticket["id"], api.desk.actor(), Changes(status=status), api.desk.now)
        made.append(ticket["id"])
    first, pending, resolved, closed, spam, trash, second = made
    assert ids(api.get("/tickets")) == [second, first, pending, resolved, closed]
    assert ids(api.get("/tickets", status="spam")) == [spam]
    assert ids(api.get("/tickets", status="trash")) == [trash]
    assert ids(api.get("/tickets", status="resolved")) == [resolved]
    assert ids(api.get("/tickets", status="open")) == [second, first]
    assert ids(api.get("/tickets", list="closed")) == [closed]


def test_filed_tickets_lie_by_month(api: Api) -> None:
    ticket = api.ticket()
    api.patch(f"/tickets/{ticket['id']}", {"status": "closed"})
    api.desk.advance(days=31)
    assert ids(api.get("/tickets")) == [ticket["id"]]
    assert ids(api.get("/tickets", status="closed")) == [ticket["id"]]
    api.desk.advance(days=31)
    assert ids(api.get("/tickets", status="closed")) == []
    assert ids(api.get("/tickets", status="closed", month="2026-11")) == [ticket["id"]]
    assert api.get("/tickets", month="2026-13").status == 422


def test_filters(api: Api) -> None:
    api.desk.agent("lina")
    api.desk.team("first")
    api.desk.inbox(id="sales", address="sales@shop.example")
    plain, held, teams, sold = (api.ticket(subject=str(n))["id"] for n in range(4))
    sold = api.ticket(inbox_id="sales")["id"]
    api.patch(f"/tickets/{held}", {"assignee_id": "lina", "status": "pending"})
    api.patch(f"/tickets/{teams}", {"team_id": "first"})
    assert ids(api.get("/tickets", assignee_id="lina")) == [held]
    assert ids(api.get("/tickets", assignee_id="lina", status="open")) == []
    assert ids(api.get("/tickets", team_id="first")) == [teams]
    assert ids(api.get("/tickets", list="unassigned", team_id="first")) == [teams]
    assert ids(api.get("/tickets", inbox_id="sales")) == [sold]
    assert set(ids(api.get("/tickets", list="unassigned"))) >= {plain, teams, sold}
    assert held not in ids(api.get("/tickets", list="unassigned"))
    assert plain in ids(api.get("/tickets", list="waiting"))
    api.patch(f"/tickets/{held}", {"status": "resolved"})
    assert ids(api.get("/tickets", assignee_id="lina")) == []
    assert ids(api.get("/tickets", assignee_id="lina", status="resolved")) == [held]


def test_a_row_is_what_every_listing_shows_and_reads_no_whole_ticket(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = api.ticket()
    [whole] = api.get("/tickets").json["items"]
    assert whole == made
    monkeypatch.setattr(tickets, "get_many", lambda *_: pytest.fail("a whole ticket was read"))

    [row] = api.get("/tickets", fields="row").json["items"]

    assert row == {name: made[name] for name in row}
    assert made.keys() - row.keys() == {
        "customer_handle", "message_count", "closed_at", "linked_ticket_ids", "merged_ticket_ids", "flags", "version",
        "created_at", "deadline_explained",
    }  # fmt: skip


def test_paging_shows_every_ticket_once_across_lists(api: Api) -> None:
    made = []
    for n in range(9):
        api.desk.advance(minutes=1)
        made.append(api.ticket(subject=f"number {n}")["id"])
        if n % 3 == 1:
            api.patch(f"/tickets/{made[-1]}", {"status": "pending"})
        if n % 3 == 2:
            api.patch(f"/tickets/{made[-1]}", {"status": "closed"})
    seen: list[str] = []
    cursor, pages = None, 0
    while True:
        answer = api.get("/tickets", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += ids(answer)
        assert len(ids(answer)) <= 2
        cursor, pages = answer.json["next"], pages + 1
        if cursor is None:
            break
        assert pages < 20
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"status": "done"}, "status"),
        ({"list": "mine"}, "list"),
        ({"cursor": "garbage"}, "cursor"),
        ({"cursor": "open.\u00fc"}, ""),
        ({"assigned": "lina"}, "assigned"),
    ],
)
def test_what_is_wrong_with_a_filter_is_said(api: Api, query: dict[str, object], field: str) -> None:
    answer = api.get("/tickets", **query)
    assert answer.status == 422
    assert list(answer.json.get("fields", {"": ""})) == [field]
