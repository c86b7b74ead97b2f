"""Schedule edge: the minute's sweep, the repair, the roll-ups, the daily account."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache

from chalicelib import config, wiring
from chalicelib.config import settings
from chalicelib.domain.moments import from_stamp
from chalicelib.jobs.relay import MAX_DELAY_SECONDS, Parcel, outgoing
from chalicelib.observability import count, failed, flush, log, warn
from chalicelib.services import breaker, deliver_message, ledger, originals, recount, route_ticket, search_index
from chalicelib.services.change_ticket import Timer
from chalicelib.store import messages, pending
from chalicelib.store.pending import Due

LOOK_AHEAD_SECONDS = 90
LEASE_MINUTES = 5
PENDING_MINUTES = 2


def sweep() -> None:
    """Every minute: what falls due within LOOK_AHEAD_SECONDS goes to ``later`` with its remaining delay.

    The timer keeps its mark until ``later`` has acted; the sweep only leases it.  What is lost on the way is sent
    again when the lease is over, and however often a timer is sent, it acts once.  One that fails stops no other.
    """
    wiring.begin()
    now = config.now()
    for due in pending.timers_due(now + timedelta(seconds=LOOK_AHEAD_SECONDS)):
        try:
            _send_timer(due, config.now())
        except Exception:
            failed("timer failed", item=due.pk)
            count("TimersFailed")
    flush()


def _send_timer(due: Due, now: datetime) -> None:
    found = pending.marked(Timer, due.pk, due.sk)
    if found is None or found[1] != due:
        return  # set anew, or done, since the index saw it
    timer = found[0]
    at = from_stamp(timer.due)
    body = {"kind": timer.kind, "ticket": timer.ticket_id, "due": timer.due, "at": at.isoformat()}
    delay = min(MAX_DELAY_SECONDS, int((at - now).total_seconds()) + 1) if at > now else 0
    wiring.client("sqs").send_message(
        QueueUrl=settings().later_queue_url, MessageBody=json.dumps(body), DelaySeconds=delay
    )
    pending.postpone(due, max(at, now) + _lease(now - at))
    count("TimersDue")


def _lease(late: timedelta) -> timedelta:
    """Time for ``later`` to act.  As long again as the timer is late: one that can never act comes ever more rarely."""
    return min(max(late, timedelta(minutes=LEASE_MINUTES)), timedelta(days=1))


def repair() -> None:
    """Every 5 minutes: drive again what the stream or a queue lost.  One thing that fails stops none of the others.

    What was looked at goes to the end of its line, so that what cannot go on now (an open breaker holds it) never
    stands before what can.
    """
    wiring.begin()
    now = config.now()
    driven, is_held = 0, cache(lambda inbox_id: breaker.state(inbox_id) is not None)
    for due in pending.overdue(now - timedelta(minutes=PENDING_MINUTES)):
        try:
            for parcel in _driven_again(due, now, is_held):
                wiring.client("sqs").send_message(QueueUrl=parcel.queue_url, **parcel.entry)
                driven += 1
            pending.postpone(due, now)
        except Exception:
            failed("repair failed", item=due.sk)
            count("RepairFailed")
    try:
        route_ticket.Routing().serve_all(now)
    except Exception:
        failed("routing failed")
        count("RoutingFailed")
    for key in originals.overdue(now - timedelta(minutes=originals.TRAY_MINUTES)):
        wiring.send_to_inbound(key)
        warn("original driven again", key=key)
        count("OriginalsRedriven")
    if driven:
        count("Redriven", driven)
        log("driven again", parcels=driven)
    flush()


def _driven_again(due: Due, now: datetime, is_held: Callable[[str], bool]) -> list[Parcel]:
    if due.pk.startswith("RECEIPTS#"):
        fact = {"kind": "receipt", "day": due.pk.removeprefix("RECEIPTS#"), "name": due.sk}
        return [Parcel(settings().work_queue_url, {"MessageBody": json.dumps(fact)})]
    if due.pk.startswith("LEAVING#"):
        fact = {"kind": "leaving", "agent": due.pk.removeprefix("LEAVING#"), "since": due.sk}
        return [Parcel(settings().work_queue_url, {"MessageBody": json.dumps(fact)})]
    ticket_id, message_id = due.pk.removeprefix("TICKET#"), due.sk.removeprefix("DELIVERY#")
    delivery = messages.delivery_state(ticket_id, message_id)
    if delivery is None:
        return []
    if delivery.state == "queued":
        if delivery.inbox_id and is_held(delivery.inbox_id):
            return []
        return [outgoing(ticket_id, message_id, from_stamp(delivery.send_at), now, str(int(delivery.attempts)))]
    if delivery.state == "sending":
        deliver_message.give_up_on_stuck(ticket_id, message_id, now)
        return []
    deliver_message.finish_interrupted(ticket_id, message_id, now)
    return []


def hourly() -> None:
    """Every hour: today's account, so that every page shows a figure of this hour at the foot of its rail; and what
    search reads in many small pieces is put together.
    """
    wiring.begin()
    _do_all("hourly", (_account_for_today, _fold_postings))


def _account_for_today(now: datetime) -> None:
    account = ledger.so_far(now)
    log("ledger", day=account.day, received=account.received, difference=account.difference)
    if account.difference:
        count("LedgerDifference", abs(account.difference))


def _fold_postings(now: datetime) -> None:
    if batches := search_index.fold():
        log("postings folded", batches=batches)


def daily() -> None:
    """Every day at 02:17 UTC: yesterday's account in full, the lists counted anew, the holidays of the years ahead."""
    wiring.begin()
    _do_all("daily", (_close_days, _count_lists_anew, _look_at_holidays))


def _do_all(job: str, parts: Iterable[Callable[[datetime], None]]) -> None:
    """One that fails does not stop the others.

    Then the function fails all the same, so that Lambda tries it again, twice.  So few errors ring no alarm: the log
    and the metrics HourlyFailed and DailyFailed tell of them.
    """
    now, broken = config.now(), []
    for part in parts:
        try:
            part(now)
        except Exception as error:
            failed(f"{job} failed", part=part.__name__.removeprefix("_"))
            count(f"{job.capitalize()}Failed")
            broken.append(error)
    flush()
    if broken:
        raise broken[0]


def _close_days(now: datetime) -> None:
    for account in ledger.close(now):
        log("ledger", day=account.day, received=account.received, difference=account.difference)


def _count_lists_anew(now: datetime) -> None:
    drift = recount.recount(now)
    log("recount", drift=drift)
    if drift:
        count("CountDrift", drift)


def _look_at_holidays(now: datetime) -> None:
    from chalicelib.services import calendars  # here: the minute's sweep starts without it

    if changed := calendars.look_ahead(now):
        log("holidays changed", calendars=changed)
