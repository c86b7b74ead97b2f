"""/tickets/{ticket_id}/merge and /unmerge."""

from tests.api.client import Api


def test_tickets_are_merged_read_as_one_and_taken_apart(api: Api) -> None:
    one, two = api.ticket(), api.ticket(subject="Broken mug")
    merged = api.post(f"/tickets/{one['id']}/merge", {"ticket_ids": [two["id"]]})
    assert merged.status == 200, merged.text
    assert (merged.json["id"], merged.json["merged_ticket_ids"]) == (one["id"], [two["id"]])
    assert api.get(f"/tickets/{two['id']}").json == merged.json
    said = [each for each in api.get(f"/tickets/{one['id']}/messages").json["items"] if each["kind"] == "message"]
    assert {each["ticket_id"] for each in said} == {one["id"], two["id"]}
    theirs = next(each["id"] for each in said if each["ticket_id"] == two["id"])
    assert api.get(f"/tickets/{one['id']}/messages/{theirs}").json["ticket_id"] == two["id"]
    assert [each["id"] for each in api.get("/tickets").json["items"]] == [one["id"]]
    assert [each["id"] for each in api.get("/search", q="mug").json["items"]] in ([], [one["id"]])
    listed = api.get(f"/customers/{one['customer_id']}/tickets").json["items"]
    assert {each["id"]: each["merged_into"] for each in listed} == {one["id"]: None, two["id"]: one["id"]}
    apart = api.post(f"/tickets/{one['id']}/unmerge", {"ticket_ids": [two["id"]]})
    assert apart.json["merged_ticket_ids"] == []
    back = api.get(f"/tickets/{two['id']}").json
    assert {**back, "version": 0} == {**two, "version": 0}


def test_a_change_or_an_answer_to_a_merged_ticket_is_the_survivors(api: Api) -> None:
    one, two = api.ticket(), api.ticket()
    api.post(f"/tickets/{one['id']}/merge", {"ticket_ids": [two["id"]]})
    assert api.call("PATCH", f"/tickets/{two['id']}", {"priority": "urgent"}).json["id"] == one["id"]
    answer = api.post(f"/tickets/{two['id']}/messages", {"kind": "reply", "text": "Here."})
    assert (answer.status, answer.json["ticket_id"]) == (201, one["id"])
    note = api.post(f"/tickets/{two['id']}/messages", {"kind": "note", "text": "Look."})
    assert (note.status, note.json["ticket_id"]) == (201, one["id"])


def test_what_cannot_be_merged_says_why(api: Api) -> None:
    one, two, three = api.ticket(), api.ticket(), api.ticket()
    here = f"/tickets/{one['id']}/merge"
    gone = api.post(here, {"ticket_ids": ["9999"]})
    assert (gone.status, "There is no ticket 9999." in gone.text) == (422, True)
    assert api.post("/tickets/9999/merge", {"ticket_ids": [two["id"]]}).status == 404
    assert api.post(here, {"ticket_ids": []}).status == 422
    assert api.post(here, {"ticket_ids": [one["id"]]}).status == 422
    assert api.post(here, {"ticket_ids": [str(n) for n in range(2000, 2021)]}).status == 422
    api.post(f"/tickets/{two['id']}/merge", {"ticket_ids": [three["id"]]})
    taken = api.post(here, {"ticket_ids": [three["id"]]})
    assert (taken.status, f"merged into ticket {two['id']} already" in taken.text) == (409, True)
    api.call("PATCH", f"/tickets/{two['id']}", {"status": "spam"})
    spam = api.post(here, {"ticket_ids": [two["id"]]})
    assert (spam.status, "is in Spam" in spam.text) == (409, True)


def test_a_repeated_request_merges_once(api: Api) -> None:
    one, two = api.ticket(), api.ticket()
    body = {"ticket_ids": [two["id"]]}
    first = api.post(f"/tickets/{one['id']}/merge", body, key="merge-1")
    assert api.post(f"/tickets/{one['id']}/merge", body, key="merge-1").json == first.json
    assert api.post(f"/tickets/{one['id']}/merge", body).json == first.json
