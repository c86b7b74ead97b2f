"""Idempotency-Key: one effect for one key, whatever breaks in between."""

import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chalicelib.api import idempotency
from chalicelib.api.idempotency import Attempt
from chalicelib.errors import DeskbellError, InvalidInput
from chalicelib.services import reply_to_ticket
from chalicelib.store import idempotency as kept_requests
from tests.api.client import Api
from tests.engine import Desk

ROOT = Path(__file__).parents[2]
REPLY: dict[str, object] = {"kind": "reply", "text": "It is on its way."}


def said(api: Api, ticket_id: str) -> list[str]:
    return [each["text"] for each in api.get(f"/tickets/{ticket_id}/messages", limit=100).json["items"]]


def test_a_repeated_request_gets_the_first_answer_and_has_no_second_effect(api: Api) -> None:
    ticket = api.ticket()
    path = f"/tickets/{ticket['id']}/messages"
    first = api.post(path, REPLY, key="order-77")
    api.desk.advance(hours=23)
    again = api.post(path, {"text": REPLY["text"], "kind": "reply"}, key="order-77")
    assert (again.status, again.json) == (first.status, first.json)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert len(said(api, ticket["id"])) == 2


def test_a_key_may_be_used_anew_after_a_day(api: Api) -> None:
    ticket = api.ticket()
    path = f"/tickets/{ticket['id']}/messages"
    first = api.post(path, REPLY, key="daily")
    api.desk.advance(hours=24, seconds=1)
    assert api.post(path, REPLY, key="daily").json["id"] != first.json["id"]
    assert len(said(api, ticket["id"])) == 3


def test_the_same_key_with_another_request_is_a_mistake(api: Api) -> None:
    ticket, other = api.ticket(), api.ticket(subject="Another")
    assert api.post(f"/tickets/{ticket['id']}/messages", REPLY, key="k").status == 201
    for path, body in [
        (f"/tickets/{ticket['id']}/messages", REPLY | {"text": "Something else."}),
        (f"/tickets/{other['id']}/messages", REPLY),
    ]:
        answer = api.post(path, body, key="k")
        assert (answer.status, list(answer.json["fields"])) == (422, ["Idempotency-Key"])
    assert len(said(api, ticket["id"])) == 2
    assert len(said(api, other["id"])) == 1


def test_two_tokens_may_use_the_same_key(api: Api) -> None:
    ticket = api.ticket()
    path = f"/tickets/{ticket['id']}/messages"
    note = {"kind": "note", "text": "It left today."}
    assert api.post(path, note, key="1").json["id"] != api.as_token("write").post(path, note, key="1").json["id"]


def test_without_a_key_every_request_counts(api: Api) -> None:
    ticket = api.ticket()
    for _ in range(2):
        api.post(f"/tickets/{ticket['id']}/messages", REPLY)
    assert len(said(api, ticket["id"])) == 3


def test_a_refused_request_may_be_corrected_under_the_same_key(api: Api) -> None:
    ticket = api.ticket()
    path = f"/tickets/{ticket['id']}/messages"
    assert api.post(path, REPLY | {"to": [{"address": "broken"}]}, key="k").status == 422
    assert api.post(path, REPLY, key="k").status == 201


@pytest.mark.parametrize("key", ["has space", " ", "ü", "x" * 256])
def test_what_cannot_be_a_key(api: Api, key: str) -> None:
    answer = api.post("/tickets", {"inbox_id": "x", "customer": {"email": "x"}, "subject": "x", "text": "x"}, key=key)
    assert (answer.status, list(answer.json["fields"])) == (422, ["Idempotency-Key"])


def test_tickets_too(api: Api) -> None:
    body = {"inbox_id": "support", "customer": {"email": "ada@customer.example"}, "subject": "Mug", "text": "Broken."}
    first, again = (api.post("/tickets", body, key="mug") for _ in range(2))
    assert first.json == again.json
    assert len(api.get("/tickets").json["items"]) == 1


def test_a_large_answer_is_replayed_whole(api: Api) -> None:
    ticket = api.ticket()
    text = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(90_000))
    path = f"/tickets/{ticket['id']}/messages"
    first, again = (api.post(path, {"kind": "note", "text": text}, key="long") for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json["text"] == again.json["text"] == text


@pytest.mark.parametrize("path", ["/tickets", "/tickets/{}/messages"])
def test_a_crash_between_commit_and_answer_does_not_double(
    api: Api, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    ticket = api.ticket()
    body: dict[str, object] = REPLY if path.endswith("messages") else {
        "inbox_id": "support", "customer": {"email": "bo@customer.example"}, "subject": "Mug", "text": "Broken.",
    }  # fmt: skip

    class Killed(BaseException):
        """Nothing in our code sees this one: as if the process were gone."""

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(kept_requests, "finish", killed)
        with pytest.raises(Killed):
            api.post(path.format(ticket["id"]), body, key="k")
    early = api.post(path.format(ticket["id"]), body, key="k")
    assert (early.status, early.headers["Retry-After"]) == (409, "30")
    api.desk.advance(seconds=31)
    answer = api.post(path.format(ticket["id"]), body, key="k")
    assert answer.status == 201
    assert api.post(path.format(ticket["id"]), body, key="k").json == answer.json
    made_tickets = api.get("/tickets").json["items"]
    assert len(made_tickets) == (1 if path.endswith("messages") else 2)
    assert len(said(api, ticket["id"])) == (2 if path.endswith("messages") else 1)


def test_after_an_error_of_ours_the_next_attempt_begins_at_once_with_the_same_seed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = api.ticket()
    path = f"/tickets/{ticket['id']}/messages"
    seeds = []
    real = reply_to_ticket.reply

    def broken_after_its_effect(*arguments: Any) -> None:
        seeds.append(arguments[-1])
        real(*arguments)
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(reply_to_ticket, "reply", broken_after_its_effect)
        assert api.post(path, REPLY, key="k").status == 500
        assert api.post(path, REPLY, key="k").status == 500
    assert api.post(path, REPLY, key="k").status == 201
    assert len(set(seeds)) == 1
    assert len(said(api, ticket["id"])) == 2


# Races


def test_of_many_at_once_one_acts_and_the_others_wait_or_get_its_answer(desk: Desk) -> None:
    acted: list[str | None] = []
    outcomes: Counter[str] = Counter()
    barrier = threading.Barrier(8)

    def act(attempt: Attempt) -> tuple[int, str]:
        acted.append(attempt.seed)
        return 201, "{}"

    def attempt() -> None:
        barrier.wait()
        try:
            _, _, replayed = idempotency.once("token", "key", "same", desk.now, act)
            outcomes["replayed" if replayed else "acted"] += 1
        except idempotency.StillRunning:
            outcomes["waits"] += 1

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(acted), outcomes["acted"], sum(outcomes.values())) == (1, 1, 8)


def test_a_dead_attempt_is_taken_over_by_one_only(desk: Desk) -> None:
    def broken(_: Attempt) -> tuple[int, str]:
        raise DeskbellError("broke")

    with pytest.raises(DeskbellError):
        idempotency.once("token", "key", "same", desk.now, broken)
    found = kept_requests.read(_name(), desk.now)
    assert found is not None
    later = desk.advance(seconds=1)
    assert kept_requests.take_over(_name(), found, later) is not None
    assert kept_requests.take_over(_name(), found, later) is None


def _name() -> str:
    import hashlib

    return hashlib.sha256(b"token\nkey").hexdigest()


def test_another_fingerprint_is_refused_while_the_first_is_running(desk: Desk) -> None:
    def nested(_: Attempt) -> tuple[int, str]:
        with pytest.raises(InvalidInput):
            idempotency.once("token", "key", "other", desk.now, nested)
        with pytest.raises(idempotency.StillRunning) as caught:
            idempotency.once("token", "key", "same", desk.now, nested)
        assert caught.value.retry_after_seconds == 30
        return 200, "done"

    assert idempotency.once("token", "key", "same", desk.now, nested) == (200, "done", False)
    assert idempotency.once("token", "key", "same", desk.now, nested) == (200, "done", True)


POST = """
import json, sys, time
from tests.api.client import gateway, send
made, (bearer, path, body, key) = gateway(), sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
headers = {"authorization": "Bearer " + bearer, "content-type": "application/json", "idempotency-key": key}
answer = send(made, "POST", path, headers, body.encode())
print(json.dumps([answer.status, answer.json.get("id"), answer.headers.get("Retry-After")]))
"""


@pytest.mark.slow
def test_five_parallel_posts_with_one_key_are_one_message(api: Api) -> None:
    import json

    ticket = api.ticket()
    path = f"/api/v1/tickets/{ticket['id']}/messages"
    command = [sys.executable, "-c", POST, api.bearer, path, json.dumps(REPLY), "race"]
    programs = [
        subprocess.Popen(
            command, cwd=ROOT, env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(5)
    ]
    for program in programs:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin
        program.stdin.write("go\n")
        program.stdin.flush()
    answers = [json.loads(program.communicate(timeout=60)[0]) for program in programs]
    assert {status for status, _, _ in answers} <= {201, 409}
    assert len({message_id for status, message_id, _ in answers if status == 201}) == 1
    assert all(retry_after for status, _, retry_after in answers if status == 409)
    assert len(said(api, ticket["id"])) == 2
    assert api.post(path.removeprefix("/api/v1"), REPLY, key="race").status in (201, 409)
