"""What the work queue brings, also by hand: letters of the functions that share its dead-letter queue."""

import json
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.jobs import work
from chalicelib.services import follow_up, reply_to_ticket
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import live, messages, tickets
from tests.engine import Desk
from tests.services.test_receive_message import mail

pytestmark = pytest.mark.engine


def brought(body: dict[str, Any]) -> dict[str, Any]:
    return work.work({"Records": [{"messageId": "1", "body": json.dumps(body)}]}, None)


def bounce_of(ticket_id: str, message_id: str) -> dict[str, Any]:
    """The event as Lambda puts it on a dead-letter queue."""
    recipients = [{"emailAddress": "ada@example.com", "status": "5.1.1"}]
    told = {
        "eventType": "Bounce",
        "mail": {
            "messageId": "ses-1", "timestamp": "2026-11-20T09:04:00.000Z",
            "tags": {"msg": [message_id], "ticket": [ticket_id]},
        },
        "bounce": {
            "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": recipients,
            "timestamp": "2026-11-20T09:05:00.000Z", "feedbackId": "f1",
        },
    }  # fmt: skip
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": json.dumps(told)}}]}


def test_a_delivery_event_off_the_dead_letter_queue_is_applied(desk: Desk) -> None:
    receipt = receive(mail(desk), Envelope("o1", "kept/o1", desk.now, desk.inbox(), "2026-11-20"), desk.now)
    ticket_id = receipt.ticket_id or ""
    message_id = reply_to_ticket.reply(ticket_id, desk.actor(), Reply("It left.", undo_seconds=0), desk.now).id
    messages.move_delivery(ticket_id, message_id, "sent", ["queued"], desk.now, settled=True)
    event = bounce_of(ticket_id, message_id)
    assert brought(event) == {"batchItemFailures": []}
    assert brought(event) == {"batchItemFailures": []}
    assert messages.get_delivery(ticket_id, message_id).state == "bounced"
    assert tickets.get(ticket_id).undelivered


def test_an_event_nobody_can_read_stays_a_dead_letter(desk: Desk) -> None:
    event = {"Records": [{"Sns": {"Message": json.dumps({"eventType": "Bounce"})}}]}
    assert brought(event) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_a_stream_batch_that_lambda_gave_up_is_acknowledged_for_the_repair_does_it(desk: Desk) -> None:
    letter = {
        "requestContext": {"functionArn": "relay", "condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": {"shardId": "shardId-1", "startSequenceNumber": "1", "batchSize": 100},
    }
    assert brought(letter) == {"batchItemFailures": []}


def test_consoles_hear_of_a_message_before_its_receipt_is_followed_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a receipt that fails is brought again alone."""
    done: list[str] = []

    def fail(*_: object) -> None:
        done.append("followed up")
        raise ConnectionError("throttled")

    def push(connection_id: str, text: str) -> bool:
        done.append("shown")
        return True

    receipt = receive(mail(desk), Envelope("o1", "kept/o1", desk.now, desk.inbox(), "2026-11-20"), desk.now)
    live.open_connection(live.Connection("c1", "lina"), desk.now)
    monkeypatch.setattr(wiring, "push", push)
    monkeypatch.setattr(follow_up, "follow_up", fail)
    facts: list[dict[str, str | None]] = [
        {"kind": "receipt", "day": "2026-11-20", "name": "o1"}, {"kind": "ticket", "ticket": receipt.ticket_id},
    ]  # fmt: skip
    records = [{"messageId": fact["kind"], "body": json.dumps(fact)} for fact in facts]
    assert work.work({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "receipt"}]}
    assert "shown" in done
    assert done[-1] == "followed up"
