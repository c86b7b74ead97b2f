"""Schedule edge: the minute's sweep, the repair, the roll-ups, the daily account."""

import json
from datetime import datetime, timedelta

from chalicelib import config, wiring
from chalicelib.config import settings
from chalicelib.domain.moments import from_stamp
from chalicelib.jobs.relay import Parcel, outgoing
from chalicelib.observability import count, failed, flush, log, warn
from chalicelib.services import deliver_message, ledger, originals, recount
from chalicelib.services.change_ticket import Timer
from chalicelib.store import documents, messages, pending
from chalicelib.store.pending import Due

LOOK_AHEAD_SECONDS = 90
PENDING_MINUTES = 2
TRAY_MINUTES = 10


def sweep() -> None:
    """Every minute: what falls due within LOOK_AHEAD_SECONDS goes to ``later`` with its remaining delay.

    The timer is released only after the queue has it: a crash in between queues it twice, and it acts once.
    """
    wiring.begin()
    now = config.now()
    for due in pending.timers_due(now + timedelta(seconds=LOOK_AHEAD_SECONDS)):
        timer = documents.read(Timer, due.pk, due.sk)
        if timer is None:
            continue
        at = from_stamp(timer.due)
        body = {"kind": timer.kind, "ticket": timer.ticket_id, "due": timer.due, "at": at.isoformat()}
        delay = max(0, int((at - now).total_seconds()) + 1) if at > now else 0
        wiring.client("sqs").send_message(
            QueueUrl=settings().later_queue_url, MessageBody=json.dumps(body), DelaySeconds=delay
        )
        pending.release(due)
        count("TimersDue")
    flush()


def repair() -> None:
    """Every 5 minutes: drive again what the stream or a queue lost.  One thing that fails stops none of the others."""
    wiring.begin()
    now = config.now()
    parcels: list[Parcel] = []
    for due in pending.overdue(now - timedelta(minutes=PENDING_MINUTES)):
        try:
            parcels += _driven_again(due, now)
        except Exception:
            failed("repair failed", item=due.sk)
            count("RepairFailed")
    for parcel in parcels:
        wiring.client("sqs").send_message(QueueUrl=parcel.queue_url, **parcel.entry)
    for key in originals.overdue(now - timedelta(minutes=TRAY_MINUTES)):
        wiring.send_to_inbound(key)
        warn("original driven again", key=key)
        count("OriginalsRedriven")
    if parcels:
        count("Redriven", len(parcels))
        log("driven again", parcels=len(parcels))
    flush()


def _driven_again(due: Due, now: datetime) -> list[Parcel]:
    if due.pk.startswith("RECEIPTS#"):
        fact = {"kind": "receipt", "day": due.pk.removeprefix("RECEIPTS#"), "name": due.sk}
        return [Parcel(settings().work_queue_url, {"MessageBody": json.dumps(fact)})]
    ticket_id, message_id = due.pk.removeprefix("TICKET#"), due.sk.removeprefix("DELIVERY#")
    delivery = messages.delivery_state(ticket_id, message_id)
    if delivery is None:
        return []
    if delivery.state == "queued":
        return [outgoing(ticket_id, message_id, from_stamp(delivery.send_at), now, str(int(delivery.attempts)))]
    if delivery.state == "sending":
        deliver_message.give_up_on_stuck(ticket_id, message_id, now)
        return []
    deliver_message.finish_interrupted(ticket_id, message_id, now)
    return []


def hourly() -> None:
    """Every hour: today's account, so that the home page shows a figure of this hour."""
    wiring.begin()
    account = ledger.save(config.now())
    log("ledger", day=account.day, received=account.received, difference=account.difference)
    count("LedgerDifference", abs(account.difference))
    flush()


def daily() -> None:
    """Every day at 02:17 UTC: yesterday's account, and the lists counted anew."""
    wiring.begin()
    account = ledger.save(config.now() - timedelta(days=1))
    log("ledger", day=account.day, received=account.received, difference=account.difference)
    drift = recount.recount(config.now())
    log("recount", drift=drift)
    count("CountDrift", drift)
    flush()
