"""Queue edge: what waits for its minute."""

import json
from datetime import datetime
from typing import Any

from chalicelib import config, wiring
from chalicelib.config import settings
from chalicelib.jobs.batches import each_record
from chalicelib.jobs.relay import MAX_DELAY_SECONDS, outgoing
from chalicelib.observability import log
from chalicelib.services import change_ticket, presence
from chalicelib.services.change_ticket import Timer
from chalicelib.store import pending
from chalicelib.store.tickets import ticket_key


def later(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SQS batch of delayed things."""
    return each_record(event, lambda record: due(json.loads(record["body"])))


def due(body: dict[str, str]) -> None:
    """Do it when its time has come, else wait on: SQS delays 15 minutes at most."""
    at, now = datetime.fromisoformat(body["at"]), config.now()
    if at > now:
        _wait_on(body, at, now)
        return
    if body["kind"] == "deliver":
        parcel = outgoing(body["ticket"], body["message"], at, now, body.get("attempts", "0"))
        wiring.client("sqs").send_message(QueueUrl=parcel.queue_url, **parcel.entry)
        return
    if body["kind"] == "snooze":
        _wake(Timer("snooze", body["ticket"], body["due"]), now)
        return
    raise ValueError(f"nothing is known of a delayed {body['kind']!r}")


def _wait_on(body: dict[str, str], at: datetime, now: datetime) -> None:
    wait = min(MAX_DELAY_SECONDS, int((at - now).total_seconds()) + 1)
    wiring.client("sqs").send_message(
        QueueUrl=settings().later_queue_url, MessageBody=json.dumps(body), DelaySeconds=wait
    )


def _wake(timer: Timer, now: datetime) -> None:
    """Act, then take the timer's mark off: if this ends in between, the sweep sends it again and it finds it done."""
    woke = change_ticket.wake(timer, now)
    if woke:
        presence.hand_back_of_absent(timer.ticket_id, now)
    log("timer", kind=timer.kind, ticket=timer.ticket_id, acted=woke)
    found = pending.marked(Timer, ticket_key(timer.ticket_id), f"TIMER#{timer.kind}")
    if found is not None and found[0] == timer:
        pending.release(found[1])
