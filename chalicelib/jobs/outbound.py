"""Queue edge: send one message, at most once."""

import json
from typing import Any

from chalicelib import config, wiring
from chalicelib.errors import Refused, Unclear
from chalicelib.jobs.batches import each_record
from chalicelib.jobs.relay import outgoing
from chalicelib.observability import count, latency, log, traced
from chalicelib.services import deliver_message
from chalicelib.services.deliver_message import Claimed, NotNow


def deliver(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SQS FIFO batch, group = ticket."""
    return each_record(event, lambda record: _deliver(json.loads(record["body"])), fifo=True)


def _deliver(fact: dict[str, str]) -> None:
    with traced(fact["message"]):
        claimed = deliver_message.claim(fact["ticket"], fact["message"], config.now())
        if isinstance(claimed, NotNow):
            log("not sent", reason=claimed.reason, ticket=fact["ticket"])
            _come_back(fact, claimed)
            return
        _send(claimed)


def _come_back(fact: dict[str, str], not_now: NotNow) -> None:
    """Too early (a clock ran ahead): back to waiting.  Everything else waits for nobody, or for ``repair``."""
    if not_now.again_at is None:
        return
    parcel = outgoing(fact["ticket"], fact["message"], not_now.again_at, config.now(), fact.get("attempts", "0"))
    wiring.client("sqs").send_message(QueueUrl=parcel.queue_url, **parcel.entry)


def _send(claimed: Claimed) -> None:
    """The one call that has an effect in the world; after it only the record of what happened."""
    outbound, inbox = claimed.outbound, claimed.inbox
    try:
        sent = wiring.channel(inbox.channel).send(outbound, inbox, wiring.tools(inbox))
    except Refused as refused:
        again_at = deliver_message.record_refused(claimed, refused, config.now())
        log("refused", reason=refused.message, again=str(again_at), ticket=outbound.ticket_id)
        count("SendRefused")
        return
    except Unclear as unclear:
        deliver_message.record_unclear(claimed, unclear, config.now())
        log("unclear", reason=unclear.message, ticket=outbound.ticket_id)
        count("SendUnclear")
        return
    deliver_message.record_sent(claimed, sent, config.now())
    log("sent", ticket=outbound.ticket_id, attempt=claimed.attempt)
    count("Sent")
    latency("QueuedToSent", (config.now() - outbound.at).total_seconds() * 1000)
