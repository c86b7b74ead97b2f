"""Queue edge: send one message, at most once."""

import json
from typing import Any

from chalicelib import config, wiring
from chalicelib.connectors import Channel, Tools
from chalicelib.errors import Refused, Unclear
from chalicelib.jobs.batches import each_record
from chalicelib.jobs.relay import outgoing
from chalicelib.observability import count, failed, latency, log, traced
from chalicelib.services import deliver_message
from chalicelib.services.deliver_message import Claimed, NotNow


def deliver(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SQS FIFO batch, group = ticket."""
    return each_record(event, lambda record: _deliver(json.loads(record["body"])), fifo=True)


def _deliver(fact: dict[str, str]) -> None:
    with traced(fact["message"]):
        ready = deliver_message.prepare(fact["ticket"], fact["message"], config.now())
        if isinstance(ready, NotNow):
            _not_now(fact, ready)
            return
        channel, tools = wiring.channel(ready.inbox.channel), wiring.ready_tools(ready.inbox)
        claimed = deliver_message.claim(ready, config.now())
        if isinstance(claimed, NotNow):
            _not_now(fact, claimed)
            return
        _send(claimed, channel, tools)


def _not_now(fact: dict[str, str], not_now: NotNow) -> None:
    log("not sent", reason=not_now.reason, ticket=fact["ticket"])
    _come_back(fact, not_now)


def _come_back(fact: dict[str, str], not_now: NotNow) -> None:
    """Too early (a clock ran ahead): back to waiting.  Everything else waits for nobody, or for ``repair``."""
    if not_now.again_at is None:
        return
    parcel = outgoing(fact["ticket"], fact["message"], not_now.again_at, config.now(), fact.get("attempts", "0"))
    wiring.client("sqs").send_message(QueueUrl=parcel.queue_url, **parcel.entry)


def _send(claimed: Claimed, channel: Channel, tools: Tools) -> None:
    """The one call that has an effect in the world; after it only the record of what happened."""
    outbound, inbox = claimed.outbound, claimed.inbox
    try:
        sent = channel.send(outbound, inbox, tools)
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
    except Exception:  # a bug of ours, before the call or after it: nobody can know, so a person decides
        failed("send broke", ticket=outbound.ticket_id)
        broke = Unclear("Sending broke off on our side: it may or may not have gone out.")
        deliver_message.record_unclear(claimed, broke, config.now())
        return
    deliver_message.record_sent(claimed, sent, config.now())
    log("sent", ticket=outbound.ticket_id, attempt=claimed.attempt)
    count("Sent")
    latency("QueuedToSent", (config.now() - outbound.at).total_seconds() * 1000)
