"""The relay forwards, never raises, and parks what it cannot send; the sweeps bring back what was lost."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib import config, wiring
from chalicelib.domain.message import Message
from chalicelib.domain.moments import stamp
from chalicelib.jobs import clock, inbound, later, outbound, relay
from chalicelib.services import breaker, change_ticket, ledger, originals, recount, reply_to_ticket
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import counters, documents, lists, messages, objects, pending, tickets
from chalicelib.store.models import CounterItem
from chalicelib.store.pending import Due
from chalicelib.store.transaction import Transaction
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
    url = config.settings().later_queue_url
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
    monkeypatch.setattr(originals, "TRAY_MINUTES", -10_000_000)
    clock.repair()
    (body,) = desk.queued("inbound")
    inbound.take_in(body)
    assert [row.subject for row in lists.page(lists.ListName("open")).rows] == ["Hi"]


def snoozed(desk: Desk, ticket_id: str, seconds: float) -> datetime:
    until = desk.now + timedelta(seconds=seconds)
    change(ticket_id, desk.actor(), Changes(snoozed_until=until), desk.now)
    return until


def delayed(desk: Desk) -> str:
    url = config.settings().later_queue_url
    attributes = desk.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return str(attributes["ApproximateNumberOfMessagesDelayed"])


def wake_of(ticket_id: str, until: datetime) -> dict[str, str]:
    return {"kind": "snooze", "ticket": ticket_id, "due": stamp(until), "at": until.isoformat()}


def wakes(ticket_id: str) -> int:
    return sum("woke" in message.event for message in messages.oldest(ticket_id)[0])


def test_the_sweep_sends_a_timer_once_and_it_acts_once_at_its_time(desk: Desk) -> None:
    ticket_id, _ = a_reply(desk)
    until = snoozed(desk, ticket_id, 60)
    clock.sweep()
    clock.sweep()
    assert delayed(desk) == "1"
    later.due(wake_of(ticket_id, until))
    assert tickets.get(ticket_id).snoozed_until == until
    desk.advance(seconds=60)
    later.due(wake_of(ticket_id, until))
    later.due(wake_of(ticket_id, until))
    assert tickets.get(ticket_id).snoozed_until is None and wakes(ticket_id) == 1
    desk.advance(days=2)
    assert list(pending.timers_due(desk.now)) == []


def test_a_wake_whose_worker_died_comes_again_with_a_later_sweep(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when the queue has given it up: the timer keeps its mark until somebody acted."""
    ticket_id, _ = a_reply(desk)
    snoozed(desk, ticket_id, 1)
    desk.advance(seconds=2)
    clock.sweep()
    (lost,) = desk.queued("later")
    with monkeypatch.context() as patch:
        patch.setattr(change_ticket, "wake", died)
        failures = later.later({"Records": [{"messageId": "1", "body": lost}]}, None)
    assert failures == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    desk.advance(minutes=clock.LEASE_MINUTES + 1)
    clock.sweep()
    (again,) = desk.queued("later")
    later.due(json.loads(again))
    assert tickets.get(ticket_id).snoozed_until is None and wakes(ticket_id) == 1


def died(*_: object) -> bool:
    raise ConnectionError("the table is away")


def test_a_timer_that_can_never_act_comes_ever_more_rarely(desk: Desk) -> None:
    ticket_id, _ = a_reply(desk)
    snoozed(desk, ticket_id, 1)
    sent = 0
    for _ in range(24 * 12):
        desk.advance(minutes=5)
        clock.sweep()
        sent += len(desk.queued("later"))
    assert 5 <= sent <= 12


def test_a_timer_set_anew_while_the_sweep_reads_is_not_sent_at_its_old_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id, _ = a_reply(desk)
    snoozed(desk, ticket_id, 30)
    real = pending.timers_due

    def set_anew(until: datetime) -> list[Due]:
        found = list(real(until))
        snoozed(desk, ticket_id, 3 * 86_400)
        return found

    monkeypatch.setattr(pending, "timers_due", set_anew)
    clock.sweep()
    assert delayed(desk) == "0" and desk.queued("later") == []
    desk.advance(days=3)
    assert [due.pk for due in real(desk.now + timedelta(seconds=1))] == [f"TICKET#{ticket_id}"]


def test_a_sweep_that_takes_long_makes_no_timer_late(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each one's delay counts from the moment it is sent, and not from when the sweep began."""
    for n in (1, 2, 3):
        envelope = Envelope(f"o{n}", f"kept/o{n}", desk.now, desk.inbox(), "2026-11-20")
        snoozed(desk, receive(mail(desk, n), envelope, desk.now).ticket_id or "", 60)
    began, delays = desk.now, list[int]()

    def slow(DelaySeconds: int, **_: object) -> None:
        delays.append(DelaySeconds + int((desk.now - began).total_seconds()))
        desk.advance(seconds=10)

    monkeypatch.setattr(wiring.client("sqs"), "send_message", slow)
    clock.sweep()
    assert delays == [61, 61, 61]


def test_a_timer_nobody_can_read_stops_no_other(desk: Desk) -> None:
    ticket_id, _ = a_reply(desk)
    snoozed(desk, ticket_id, 30)
    for number in range(pending.TIMER_SHARDS * 2):  # one at least before the good one in its shard
        spoiled = documents.item(f"TICKET#9{number}", "TIMER#snooze", "no timer")
        spoiled.time_key, spoiled.time_at = pending.timer_key(f"9{number}#snooze", desk.now)
        spoiled.save()
    clock.sweep()
    assert delayed(desk) == "1"


def test_what_an_open_breaker_holds_does_not_keep_others_from_repair(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id, message_id = a_reply(desk)
    desk.inbox(id="other", address="other@shop.example", name="Other")
    documents.write("BREAKER#support", "OPENED", breaker.Opened(desk.now, "A storm."))
    for n in range(40):
        queue_one(messages.get(ticket_id, message_id), f"held{n}", "support", desk)
    desk.advance(minutes=1)
    queue_one(messages.get(ticket_id, message_id), "lost", "other", desk)
    monkeypatch.setattr(pending, "PAGE_SIZE", 3)
    desk.advance(minutes=5)
    clock.repair()
    assert [json.loads(body)["message"] for body in desk.queued("outbound")] == ["lost"]
    monkeypatch.setattr(pending, "overdue", partial(pending.overdue, limit=5))
    for _ in range(8):  # more are held than one run looks at: they take turns with what comes after them
        desk.advance(minutes=5)
        clock.repair()
    assert "lost" in [json.loads(body)["message"] for body in desk.queued("outbound")]


def test_what_a_breaker_held_goes_out_with_the_next_repair_after_it_is_closed(desk: Desk) -> None:
    _, message_id = a_reply(desk)
    documents.write("BREAKER#support", "OPENED", breaker.Opened(desk.now, "A storm."))
    desk.advance(minutes=5)
    clock.repair()
    assert desk.queued("outbound") == []
    breaker.resume("support", desk.actor(), desk.now)
    desk.advance(minutes=5)
    clock.repair()
    assert [json.loads(body)["message"] for body in desk.queued("outbound")] == [message_id]


def queue_one(like: Message, message_id: str, inbox_id: str, desk: Desk) -> None:
    transaction = Transaction()
    messages.add_delivery(transaction, replace(like, id=message_id), inbox_id, desk.now)
    transaction.commit()


def test_an_undo_window_waits_in_later_and_then_goes_out(desk: Desk) -> None:
    ticket_id, message_id = a_reply(desk, undo_seconds=10)
    body = {"kind": "deliver", "ticket": ticket_id, "message": message_id, "attempts": "0"}
    outbound.deliver({"Records": [{"body": json.dumps(body), "messageId": "1"}]}, None)
    assert messages.get_delivery(ticket_id, message_id).state == "queued"
    desk.advance(seconds=10)
    later.due(body | {"at": desk.now.isoformat()})
    assert len(desk.queued("outbound")) == 1


# The night


@pytest.mark.parametrize("broken", [(ledger, "close"), (recount, "recount")], ids=lambda part: part[1])
def test_a_part_of_the_night_that_fails_stops_no_other_and_is_told_at_the_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, broken: tuple[object, str]
) -> None:
    CounterItem("COUNTERS", "open#1").update(actions=[CounterItem.amount.add(5)])
    counted: list[str] = []
    monkeypatch.setattr(clock, "count", lambda name, amount=1: counted.append(name))
    with monkeypatch.context() as patch:
        patch.setattr(*broken, died)
        with pytest.raises(ConnectionError):
            clock.daily()
    recounted, closed = counters.all_counts()["open"] == 0, bool(ledger.recent())
    assert (closed, recounted) == (broken[1] != "close", broken[1] != "recount")
    assert counted == (["DailyFailed", "CountDrift"] if recounted else ["DailyFailed"])
    clock.daily()
    assert (counters.all_counts()["open"], len(ledger.recent())) == (0, 1)
