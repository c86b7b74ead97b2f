"""Queue edge: the consequences of committed facts."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib import config
from chalicelib.domain.ticket import Ticket
from chalicelib.errors import NotFound
from chalicelib.jobs import delivery_events, push
from chalicelib.jobs.batches import each_record
from chalicelib.observability import count, failed, flush, latency, log
from chalicelib.services import follow_up, notices, presence, search_index
from chalicelib.services.route_ticket import Routing
from chalicelib.store import counters, live, messages, tickets


@dataclass(frozen=True)
class Shown:
    """What open consoles must hear of after a batch: tickets whose row changed, messages that are new or changed.

    received: when each of the messages that came in was received.
    """

    tickets: dict[str, None] = field(default_factory=dict)
    messages: dict[tuple[str, str], None] = field(default_factory=dict)
    notices: dict[tuple[str, str], None] = field(default_factory=dict)
    received: dict[tuple[str, str], datetime] = field(default_factory=dict)


def work(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SQS batch of facts.  Consoles hear of a batch once: ten changes of one ticket are one row.

    They hear of it before receipts are followed up (acknowledged, indexed), which takes longest and shows nothing yet.
    """
    shown, routing = Shown(), Routing()
    receipts = [record for record in event["Records"] if _is_receipt(record)]
    others = [record for record in event["Records"] if record not in receipts]
    failures: list[dict[str, str]] = []
    for records in (others, receipts):
        answer = each_record({"Records": records}, lambda record: _follow(json.loads(record["body"]), shown, routing))
        failures += answer["batchItemFailures"]
        if records is others:
            _try_to_show(shown)
            if shown.tickets:
                _route_freed(routing)
    flush()
    return {"batchItemFailures": failures}


def _is_receipt(record: dict[str, Any]) -> bool:
    try:
        body = json.loads(record["body"])
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("kind") == "receipt"


def _try_to_show(shown: Shown) -> None:
    try:
        _show(shown)
        _measure(shown.received.values())
    except Exception:  # a console that missed a push shows it with its next page; the facts are done
        failed("push failed")


def _follow(body: dict[str, Any], shown: Shown, routing: Routing) -> None:
    """A fact of the relay's, or a letter of the two functions that share our dead-letter queue, sent back by hand."""
    if "DDBStreamBatchInfo" in body:
        batch = body["DDBStreamBatchInfo"]
        log("stream batch given up: repair drives its facts again, recount its counts", size=batch.get("batchSize"))
    elif "Records" in body:
        delivery_events.apply(body)
    else:
        _follow_fact(body, shown, routing)


def _follow_fact(fact: dict[str, str], shown: Shown, routing: Routing) -> None:
    kind = fact["kind"]
    if kind == "receipt":
        follow_up.follow_up(fact["day"], fact["name"], config.now())
    elif kind == "ticket":
        ticket = _routed(tickets.exactly(fact["ticket"]).ticket, routing)
        counters.count_again(ticket, ticket.snoozed_until is not None and ticket.snoozed_until > config.now())
        shown.tickets[fact["ticket"]] = None
    elif kind in ("message", "delivery"):
        about = (fact["ticket"], fact["message"])
        shown.messages[about] = None
        if "received" in fact:
            shown.received[about] = datetime.fromisoformat(fact["received"])
        if "said" in fact:
            _index(*about)
    elif kind == "notice":
        shown.notices[(fact["agent"], fact["notice"])] = None
    elif kind == "leaving":
        presence.hand_over(fact["agent"], fact["since"], config.now())
    else:
        raise ValueError(f"nothing is known of a fact {kind!r}")


def _routed(ticket: Ticket, routing: Routing) -> Ticket:
    """With its agent, before it is counted: so it is counted once, where it ends up.  Whoever fails here, the repair
    comes after them; what else follows from the fact does not wait for that.
    """
    try:
        return routing.arrived(ticket, config.now())
    except Exception:
        _routing_failed()
        return ticket


def _route_freed(routing: Routing) -> None:
    """Somebody may have room again."""
    try:
        routing.serve_all(config.now())
    except Exception:
        _routing_failed()


def _routing_failed() -> None:
    failed("routing failed")
    count("RoutingFailed")


def _index(ticket_id: str, message_id: str) -> None:
    try:
        search_index.index(messages.get(ticket_id, message_id))
    except NotFound:
        log("nothing to index: the message was taken back", ticket=ticket_id)


def _show(shown: Shown) -> None:
    if not shown.tickets and not shown.messages and not shown.notices:
        return
    live.note_change(config.now())  # before it is known who listens: a console that comes now asks for what it missed
    listening = push.listeners()
    if not listening:
        return
    frames = [*_rows(shown.tickets, listening), *_messages(shown.messages, listening), *_notices(shown.notices)]
    push.send(listening, frames)


def _measure(received: Collection[datetime]) -> None:
    """By now open consoles have been told, and whoever opens one can read it.  A push that failed counts nothing."""
    if received:
        count("Shown", len(received))
    for at in received:
        latency("ReceivedToShown", (config.now() - at).total_seconds() * 1000)


def _rows(ticket_ids: Iterable[str], listening: push.Listeners) -> list[push.Frame]:
    loaded = tickets.get_many(list(ticket_ids), consistent=True)  # a stale row would stay on every screen
    frames = [push.row_frame(each, listening) for each in loaded.values()]
    return [*frames, push.counts_frame(counters.all_counts())] if frames else []


def _messages(named: Iterable[tuple[str, str]], listening: push.Listeners) -> list[push.Frame]:
    frames = []
    for ticket_id, message_id in named:
        read_at = config.now()
        try:
            message = messages.get(ticket_id, message_id)
        except NotFound:
            continue
        if listening.of_ticket(ticket_id):
            frames.append(push.message_frame(message, listening, read_at))
    return frames


def _notices(named: Iterable[tuple[str, str]]) -> list[push.Frame]:
    found = [(agent_id, notices.get(agent_id, notice_id)) for agent_id, notice_id in named]
    return [push.notice_frame(agent_id, notice) for agent_id, notice in found if notice is not None]
