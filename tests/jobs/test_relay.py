"""The relay forwards, never raises, and parks what it cannot send; the sweeps bring back what was lost."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.jobs import clock, inbound, later, outbound, relay
from chalicelib.services import reply_to_ticket
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import lists, messages, objects, tickets
from tests.engine import Desk
from tests.services.test_receive_message import mail

pytestmark = pytest.mark.engine


def record(pk: str, sk: str, new: dict[str, str], old: dict[str, str] | None = None) -> dict[str, Any]:
    def image(values: dict[str, str]) -> dict[str, Any]:
        return {name: {"S": value} for name, value in values.items()}

    keys = {"pk": pk, "sk": sk}
    dynamodb = {"Keys": image(keys), "NewImage": image(keys | new)}
    if old is not None:
        dynamodb["OldImage"] = image(keys | old)
    return {"eventName": "MODIFY" if old else "INSERT", "dynamodb": dynamodb}


def a_reply(desk: Desk, undo_seconds: int = 0) -> tuple[str, str]:
    receipt = receive(mail(desk), Envelope("o1", "kept/o1", desk.now, desk.inbox(), "2026-11-20"), desk.now)
    wanted = Reply("It left today.", undo_seconds=undo_seconds)
    return receipt.ticket_id or "", reply_to_ticket.reply(receipt.ticket_id or "", desk.actor(), wanted, desk.now).id


def test_a_new_receipt_becomes_work_and_its_settling_does_not(desk: Desk) -> None:
    new = record("RECEIPTS#2026-11-20", "o1#support#0", {"time_key": "PENDING#1"})
    settled = record("RECEIPTS#2026-11-20", "o1#support#0", {}, {"time_key": "PENDING#1"})
    relay.relay({"Records": [new, settled]}, None)
    facts = [json.loads(body) for body in desk.queued("work")]
    assert facts == [{"kind": "receipt", "day": "2026-11-20", "name": "o1#support#0"}]


def test_imported_tickets_cause_nothing(desk: Desk) -> None:
    relay.relay({"Records": [record("TICKET#1", "TICKET", {"version": "1", "origin": "import"})]}, None)
    assert desk.queued("work") == []


def test_who_has_seen_a_ticket_is_no_fact(desk: Desk) -> None:
    relay.relay({"Records": [record("TICKET#1", "TICKET", {"version": "2"}, {"version": "2"})]}, None)
    assert desk.queued("work") == []


def test_a_queued_delivery_goes_out_now_or_waits_for_its_time(desk: Desk) -> None:
    now = {"state": "queued", "attempts": "0", "send_at": desk.now.isoformat()}
    ahead = now | {"send_at": (desk.now + timedelta(seconds=10)).isoformat()}
    relay.relay({"Records": [record("TICKET#1", "DELIVERY#m1", now), record("TICKET#2", "DELIVERY#m2", ahead)]}, None)
    assert [json.loads(body)["message"] for body in desk.queued("outbound")] == ["m1"]
    url = wiring.settings().later_queue_url
    attributes = desk.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"


def test_a_poison_record_and_a_dead_queue_are_parked_and_stop_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(url: str, entries: Any) -> Any:
        raise ConnectionError("queue away")

    monkeypatch.setattr(wiring, "send_batch", down)
    relay.relay({"Records": [{"dynamodb": {}}, record("TICKET#1", "TICKET", {"version": "1"})]}, None)
    assert len(list(objects.list_originals(objects.PARKED))) == 2


def test_what_the_stream_lost_is_driven_again_by_the_repair_alone(desk: Desk) -> None:
    """Relay off for 25 hours, its records gone: only the pending marks are left."""
    ticket_id, message_id = a_reply(desk)
    desk.advance(hours=25)
    clock.repair()
    assert [json.loads(body)["kind"] for body in desk.queued("work")] == ["receipt"]
    (body,) = desk.queued("outbound")
    assert json.loads(body)["message"] == message_id and json.loads(body)["ticket"] == ticket_id


def test_what_lies_in_the_tray_too_long_is_driven_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.inbox()
    objects.put_original(
        "raw/lost", b"From: a@example.com\r\nSubject: Hi\r\n\r\nHello", {"recipients": "support@shop.example"}
    )
    monkeypatch.setattr(clock, "TRAY_MINUTES", -10_000_000)
    clock.repair()
    (body,) = desk.queued("inbound")
    inbound.take_in(body)
    assert [row.subject for row in lists.page(lists.ListName("open")).rows] == ["Hi"]


def test_the_sweep_releases_a_timer_once_and_it_acts_at_its_time(desk: Desk) -> None:
    ticket_id, _ = a_reply(desk)
    until = desk.now + timedelta(seconds=60)
    change(ticket_id, desk.actor(), Changes(snoozed_until=until), desk.now)
    clock.sweep()
    clock.sweep()
    url = wiring.settings().later_queue_url
    attributes = desk.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"
    body = {
        "kind": "snooze",
        "ticket": ticket_id,
        "due": until.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "at": until.isoformat(),
    }
    later.due(body)
    assert tickets.get(ticket_id).snoozed_until == until
    desk.advance(seconds=60)
    later.due(body)
    assert tickets.get(ticket_id).snoozed_until is None


def test_an_undo_window_waits_in_later_and_then_goes_out(desk: Desk) -> None:
    ticket_id, message_id = a_reply(desk, undo_seconds=10)
    body = {"kind": "deliver", "ticket": ticket_id, "message": message_id, "attempts": "0"}
    outbound.deliver({"Records": [{"body": json.dumps(body), "messageId": "1"}]}, None)
    assert messages.get_delivery(ticket_id, message_id).state == "queued"
    desk.advance(seconds=10)
    later.due(body | {"at": desk.now.isoformat()})
    assert len(desk.queued("outbound")) == 1
