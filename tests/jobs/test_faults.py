"""The worker dies at every AWS call of intake and outbox; every event comes twice and out of order.

Over a corpus of at least 200 mails: the ledger's difference is 0, each mail is shown once, each answer is sent at most
once, and what nobody can know is shown as unclear.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import botocore.client
import pytest

from chalicelib.errors import InvalidInput
from chalicelib.jobs import clock, inbound, outbound, work
from chalicelib.services import ledger, reply_to_ticket
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import messages, objects, receipts, tickets
from tests.connectors.email.corpus import CASES
from tests.engine import Desk

pytestmark = [pytest.mark.engine, pytest.mark.slow]

MAILS = 200
CORPUS = [case.raw for case in CASES[:MAILS]]
DELIVER_CALLS = 16
"""One more than a delivery makes: each event dies at another call, some at none."""
NEVER = 10_000


class Killed(BaseException):
    """The function is gone: nothing in it may catch this."""


@dataclass
class Boundary:
    """Stands between the desk and AWS: counts calls, kills before or after one, and plays SES's sending."""

    real: Callable[..., Any]
    kill_at: int | None = None
    after_effect: bool = False
    calls: int = 0
    sends: Counter[str] = field(default_factory=Counter)
    killed_at: Counter[str] = field(default_factory=Counter)

    def call(self, client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        self.calls += 1
        dies = self.kill_at is not None and self.calls == self.kill_at
        if dies and not self.after_effect:
            self._die(operation, "before")
        answer = self._send(arguments) if operation == "SendEmail" else self.real(client, operation, arguments)
        if dies:
            self._die(operation, "after")
        return answer

    def _die(self, operation: str, when: str) -> None:
        self.killed_at[f"{operation} {when}"] += 1
        raise Killed

    def _send(self, arguments: dict[str, Any]) -> dict[str, str]:
        message_id = next(each["Value"] for each in arguments["EmailTags"] if each["Name"] == "msg")
        self.sends[message_id] += 1
        return {"MessageId": f"ses-{message_id}-{self.sends[message_id]}"}


@pytest.fixture
def boundary(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Boundary:
    made = Boundary(botocore.client.BaseClient._make_api_call)  # type: ignore[attr-defined]  # no part of botocore's stubs
    monkeypatch.setattr(
        botocore.client.BaseClient, "_make_api_call", lambda self, name, arguments: made.call(self, name, arguments)
    )
    return made


@contextmanager
def dying(boundary: Boundary, call: int, after_effect: bool) -> Iterator[None]:
    """Die at the n-th AWS call from here."""
    boundary.calls, boundary.kill_at, boundary.after_effect = 0, call, after_effect
    try:
        yield
    except Killed:
        pass
    finally:
        boundary.kill_at = None


def until_it_survives(boundary: Boundary, seed: int, act: Callable[[], object]) -> int:
    """Run ``act`` again and again, dying at its first call, its second …, until it gets through; returns the kills."""
    for call in range(1, 80):
        with dying(boundary, call, after_effect=(call + seed) % 2 == 0):
            act()
            return call - 1
    raise AssertionError("the worker never gets through")


def delivered(desk: Desk, mails: Iterable[bytes] = CORPUS) -> list[str]:
    """All mails in the bucket; returns the notices, each twice and shuffled."""
    desk.inbox(sends_per_minute=100_000)
    notices = []
    for n, raw in enumerate(mails):
        key = f"raw/mail{n:04d}"
        objects.put_original(key, raw, {})
        receipt = {
            "recipients": ["support@shop.example"],
            "action": {"type": "S3", "objectKey": key},
            **{f"{each}Verdict": {"status": "PASS"} for each in ("spam", "virus", "spf", "dkim", "dmarc")},
        }
        mail = {"messageId": f"mail{n:04d}", "source": "x@example.com", "timestamp": desk.now.isoformat()}
        notices += [json.dumps({"notificationType": "Received", "mail": mail, "receipt": receipt})] * 2
    random.Random(7).shuffle(notices)
    return notices


def test_nothing_is_lost_or_doubled_when_intake_dies_at_every_call(desk: Desk, boundary: Boundary) -> None:
    notices = delivered(desk)
    kills = sum(until_it_survives(boundary, n, partial(inbound.take_in, body)) for n, body in enumerate(notices))
    day = f"{objects_day()}"
    account = ledger.day(day)
    shown = [each for each in receipts.of_day(day) if each.outcome == "shown"]
    assert account.difference == 0 and account.waiting == 0 and account.missing == ()
    assert account.received == MAILS
    assert len({each.message_id for each in shown}) == len(shown)
    in_tickets = Counter(
        message.id
        for ticket_id in {each.ticket_id for each in shown if each.ticket_id}
        for message in messages.oldest(ticket_id, limit=400)[0]
    )
    assert set(in_tickets) == {each.message_id for each in shown}
    assert kills > MAILS * 5
    assert {"TransactWriteItems before", "TransactWriteItems after", "CopyObject after", "DeleteObject after"} <= set(
        boundary.killed_at
    )


def objects_day() -> str:
    """The engine's own clock stamps the objects."""
    return next(key for key, _ in objects.list_originals(objects.KEPT))[len(objects.KEPT) :][:10].replace("/", "-")


def test_each_answer_is_sent_at_most_once_when_the_outbox_dies_at_every_call(desk: Desk, boundary: Boundary) -> None:
    actor = desk.actor()
    for body in sorted(set(delivered(desk))):
        inbound.take_in(body)
    day = objects_day()
    ticket_ids = sorted({each.ticket_id for each in receipts.of_day(day) if each.ticket_id})
    facts = [fact for fact in (_answer(desk, ticket_id, actor) for ticket_id in ticket_ids * 2) if fact]
    assert len(facts) >= 200
    events = facts * 2
    random.Random(8).shuffle(events)
    most_calls = 0
    for n, fact in enumerate([*events, *facts]):
        record = {"body": json.dumps(fact), "messageId": str(n), "attributes": {"MessageGroupId": fact["ticket"]}}
        call = n % DELIVER_CALLS + 1 if n < len(events) else NEVER
        with dying(boundary, call, after_effect=n // DELIVER_CALLS % 2 == 0):
            outbound.deliver({"Records": [record]}, None)
        most_calls = max(most_calls, boundary.calls)
    assert most_calls == DELIVER_CALLS - 1, "a delivery makes other calls than this test kills"
    desk.advance(minutes=6)
    clock.repair()
    states = Counter(messages.get_delivery(each["ticket"], each["message"]).state for each in facts)
    assert max(boundary.sends.values()) == 1
    assert set(states) == {"sent", "unclear"}
    sent = [each for each in facts if messages.get_delivery(each["ticket"], each["message"]).state == "sent"]
    assert all(boundary.sends[each["message"]] == 1 for each in sent)
    unclear = [each for each in facts if messages.get_delivery(each["ticket"], each["message"]).state == "unclear"]
    assert all(tickets.get(each["ticket"]).undelivered for each in unclear)
    never_sent = [each for each in facts if not boundary.sends[each["message"]]]
    assert {each["message"] for each in never_sent} <= {each["message"] for each in unclear}
    assert boundary.killed_at["SendEmail before"] and boundary.killed_at["SendEmail after"]


def _answer(desk: Desk, ticket_id: str, actor: Any) -> dict[str, str] | None:
    """None where the odd mail names nobody an answer could go to."""
    try:
        message = reply_to_ticket.reply(ticket_id, actor, Reply("It left today.", undo_seconds=0), desk.now)
    except InvalidInput:
        return None
    return {"kind": "deliver", "ticket": ticket_id, "message": message.id, "attempts": "0"}


def written_by(n: int, *headers: str) -> bytes:
    """Each by somebody else at a house of their own: no limit of automatic answers is near, however often one dies."""
    head = (f"From: person@house{n}.example", f"Message-ID: <{n}@house{n}.example>", "Subject: Where is it?", *headers)
    return "\r\n".join((*head, "", "It was to come on Monday.")).encode()


def test_consequences_happen_once_when_the_worker_dies_at_every_call(desk: Desk, boundary: Boundary) -> None:
    people = [written_by(n) for n in range(10)]
    machines = [written_by(n, "Auto-Submitted: auto-replied") for n in range(10, 14)]
    for body in delivered(desk, [*people, *machines]):
        inbound.take_in(body)
    desk.inbox(acknowledgement="We have your message {number}.")
    day = objects_day()
    shown = [each for each in receipts.of_day(day) if each.outcome == "shown"]
    assert len(shown) == len(people) + len(machines)
    for n, each in enumerate(shown * 2):
        fact = {"kind": "receipt", "day": day, "name": each.name}
        record = {"body": json.dumps(fact), "messageId": str(n)}
        until_it_survives(boundary, n, partial(work.work, {"Records": [record]}, None))
    acknowledged = Counter[str]()
    for each in receipts.of_day(day):
        said = messages.oldest(each.ticket_id or "")[0]
        ours = [message for message in said if message.author_kind == "system" and message.kind == "message"]
        acknowledged.update({tickets.get(each.ticket_id or "").customer_handle: len(ours)})
        assert all(message.delivery and message.delivery.state == "queued" for message in ours)
        assert not receipts.is_pending(day, each.name)
    assert acknowledged == {f"person@house{n}.example": 1 if n < len(people) else 0 for n in range(len(shown))}
    assert boundary.killed_at["TransactWriteItems before"] and boundary.killed_at["TransactWriteItems after"]
