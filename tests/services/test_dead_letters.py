"""What could not be processed is listed, tried again, or thrown away with a reason."""

import json
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.errors import Conflict, InvalidInput, NotFound
from chalicelib.services import dead_letters
from chalicelib.store import directory, objects
from tests.engine import Desk

pytestmark = pytest.mark.engine


def dead(desk: Desk, body: str, queue: str = "inbound") -> str:
    url = wiring.dead_queues()[queue][0]
    extra = {"MessageGroupId": "1042", "MessageDeduplicationId": body[-20:]} if url.endswith(".fifo") else {}
    message_id: str = desk.client("sqs").send_message(QueueUrl=url, MessageBody=body, **extra)["MessageId"]
    return message_id


def test_letters_are_listed_with_the_original_they_are_about(desk: Desk) -> None:
    letter = dead(desk, json.dumps({"key": "raw/abc"}))
    objects.put_original("parked/2026/11/20/x", b"{}", {})
    found = dead_letters.listing(desk.client("sqs"), wiring.dead_queues())
    assert {(each.id, each.queue, each.key) for each in found} == {
        (letter, "inbound", "raw/abc"),
        ("parked/2026/11/20/x", "parked", "parked/2026/11/20/x"),
    }


@pytest.mark.parametrize("queue", ["inbound", "outbound"])
def test_a_retry_puts_it_back_once(desk: Desk, queue: str) -> None:
    sqs, actor = desk.client("sqs"), desk.actor()
    letter = dead(desk, json.dumps({"ticket": "1042", "message": "m1"}), queue)
    dead_letters.retry(sqs, wiring.dead_queues(), letter, actor, desk.now)
    assert [json.loads(body)["message"] for body in desk.queued(queue)] == ["m1"]
    with pytest.raises(NotFound):
        dead_letters.retry(sqs, wiring.dead_queues(), letter, actor, desk.now)


def test_a_discard_needs_a_reason_and_stands_in_the_audit(desk: Desk) -> None:
    sqs, actor = desk.client("sqs"), desk.actor()
    letter = dead(desk, "not json")
    with pytest.raises(InvalidInput):
        dead_letters.discard(sqs, wiring.dead_queues(), letter, " ", actor, desk.now)
    dead_letters.discard(sqs, wiring.dead_queues(), letter, "A test mail.", actor, desk.now)
    assert dead_letters.listing(sqs, wiring.dead_queues()) == ()
    (entry,) = directory.audit_entries("2026-11")
    assert entry.detail == f"inbound {letter}: A test mail."


def test_a_parked_record_is_sent_on_to_its_queue_and_one_that_cannot_be_says_so(desk: Desk) -> None:
    sqs, actor = desk.client("sqs"), desk.actor()
    parked = {"queue": "test-work", "entry": {"MessageBody": '{"kind": "ticket", "ticket": "1"}'}}
    objects.put_original("parked/2026/11/20/x", json.dumps(parked).encode(), {})
    objects.put_original("parked/2026/11/20/y", b'{"dynamodb": {}}', {})
    dead_letters.retry(sqs, wiring.dead_queues(), "parked/2026/11/20/x", actor, desk.now)
    assert desk.queued("work") == ['{"kind": "ticket", "ticket": "1"}']
    (entry,) = directory.audit_entries("2026-11")
    assert (entry.what, entry.detail) == ("parked record sent on", "parked/2026/11/20/x")
    with pytest.raises(Conflict):
        dead_letters.retry(sqs, wiring.dead_queues(), "parked/2026/11/20/y", actor, desk.now)
    assert [each.id for each in dead_letters.listing(sqs, wiring.dead_queues())] == ["parked/2026/11/20/y"]


class Sqs:
    """Queues of which each answer is written down: real ones may answer nothing although a letter lies there."""

    def __init__(self, queues: dict[str, Sequence[Sequence[str]]], together: int = 1) -> None:
        self.queues = {url: list(answers) for url, answers in queues.items()}
        self.asked: defaultdict[str, list[int]] = defaultdict(list)
        self.shown: list[str] = []
        self.together = threading.Barrier(together)

    def receive_message(self, QueueUrl: str, WaitTimeSeconds: int, **_: Any) -> dict[str, Any]:
        if not self.asked[QueueUrl]:
            self.together.wait(timeout=10)
        self.asked[QueueUrl].append(WaitTimeSeconds)
        answers = self.queues[QueueUrl]
        found = answers.pop(0) if answers else ()
        return {"Messages": [{"MessageId": each, "Body": "{}", "ReceiptHandle": each} for each in found]}

    def change_message_visibility(self, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
        self.shown.append(ReceiptHandle)


AS_ON_AWS = dead_letters.WAIT_SECONDS
DEAD = {"inbound": ("in-dead", "in"), "work": ("work-dead", "work"), "outbound": ("out-dead", "out.fifo")}


def test_an_empty_answer_is_not_believed_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", AS_ON_AWS)  # which the desk of tests takes away
    sqs = Sqs({"in-dead": [(), ("a",), (), ("b",)], "work-dead": [], "out-dead": [("c",)]})
    found = dead_letters.listing(sqs, DEAD)
    assert {each.id for each in found} == {"a", "b", "c"}
    assert sorted(sqs.shown) == ["a", "b", "c"]
    assert sqs.asked == {"in-dead": [1] * 6, "work-dead": [1] * 2, "out-dead": [1] * 3}


def test_all_queues_are_asked_at_the_same_time(desk: Desk) -> None:
    """One after the other the waiting would add up."""
    sqs = Sqs({"in-dead": [], "work-dead": [], "out-dead": [("a",)]}, together=3)
    assert [each.id for each in dead_letters.listing(sqs, DEAD)] == ["a"]


def test_a_queue_that_never_comes_to_an_end_is_left(desk: Desk) -> None:
    drips: list[Sequence[str]] = [each for n in range(500) for each in ((), (f"m{n}",))]
    sqs = Sqs({"in-dead": drips, "work-dead": [], "out-dead": []})
    assert 0 < len(dead_letters.listing(sqs, DEAD)) < dead_letters.MOST_ASKED
    assert len(sqs.asked["in-dead"]) == dead_letters.MOST_ASKED


def test_the_letter_that_is_taken_stays_hidden_and_the_others_show_again(desk: Desk) -> None:
    sqs = Sqs({"in-dead": [(), ("a", "b")], "work-dead": [("c",)], "out-dead": []})
    deleted: list[str] = []
    sqs.delete_message = lambda QueueUrl, ReceiptHandle: deleted.append(ReceiptHandle)  # type: ignore[attr-defined]  # only here
    dead_letters.discard(sqs, DEAD, "b", "A test.", desk.actor(), desk.now)
    assert (deleted, sorted(sqs.shown)) == (["b"], ["a", "c"])
