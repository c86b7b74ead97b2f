"""What wakes functions: queues, the table's stream, SNS, the clock.  Each repeats, delays and loses as AWS may."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.jobs import clock, delivery_events, inbound, later, outbound, relay, work
from chalicelib.services import originals
from infra.resources.queues import QUEUES
from tests.simulation import draws
from tests.simulation.world import Ended, World

BATCHES = {"inbound": 10, "work": 10, "later": 10, "outbound": 5}
HANDLERS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "inbound": lambda event: inbound.intake(event, None),
    "work": lambda event: work.work(event, None),
    "later": lambda event: later.later(event, None),
    "outbound": lambda event: outbound.deliver(event, None),
}
CONSUMERS = {queue.name: queue.consumer for queue in QUEUES}
STREAM_BATCH = 100
NEAR_TWINS = 0.5
"""Share of second deliveries that come within a second, while the first is still at work."""
LOSING = 0.6
"""Share of histories whose stream loses records; in the others the counts have to follow it to the end."""
GIVEN_UP_AFTER = timedelta(hours=1)
ASYNC_RETRIES = 2
SCHEDULES: tuple[tuple[str, int, Callable[[], None]], ...] = (
    ("sweep", 60, clock.sweep),
    ("repair", 300, clock.repair),
    ("hourly", 3600, clock.hourly),
)


class Sources:
    def __init__(self, world: World) -> None:
        self.world = world
        self.deliveries = 0
        self.records = 0
        self.busy = [False] * world.cloud.shards()
        self.rubbish: set[str] = set()
        """Bodies that are no message of ours."""
        self.loses = draws.share(world.seed, "the stream loses") < LOSING
        self.lost: set[str] = set()
        """Tickets of which the stream lost a record."""
        world.watchers.append(self._notice)

    # -- queues -------------------------------------------------------------------------------------------------------

    def _notice(self, service: str, operation: str, arguments: dict[str, Any], answer: Any) -> None:
        """Somebody wrote something: whoever consumes it wakes soon."""
        if service == "dynamodb" and operation in WRITES:
            self.wake_relay()
        elif service == "sqs" and operation == "SendMessage":
            self.wake(self.world.cloud.named(arguments["QueueUrl"]), arguments.get("DelaySeconds", 0))
        elif service == "sqs" and operation == "SendMessageBatch":
            queue = self.world.cloud.named(arguments["QueueUrl"])
            for entry in arguments["Entries"]:
                self.wake(queue, entry.get("DelaySeconds", 0))

    def send(self, queue: str, body: str) -> None:
        """A message that AWS itself puts on a queue (SNS)."""
        self.world.cloud.send(queue, body)
        self.wake(queue)

    def wake(self, queue: str, seconds: float = 0) -> None:
        if queue not in HANDLERS:
            return
        self.deliveries += 1
        n = self.deliveries
        if self.world.faults.chance("delivered late", self.world.faults.rates.delivered_late, queue, n):
            seconds += draws.between(5, 240, self.world.seed, "late", queue, n)
        else:
            seconds += draws.between(0.01, 1.5, self.world.seed, "soon", queue, n)
        self.world.after(seconds, lambda: self._poll(queue, n))

    def _poll(self, queue: str, n: int) -> None:
        world = self.world
        most = 1 + draws.number(world.seed, "batch", queue, n) % BATCHES[queue]
        records = world.cloud.receive(queue, most)
        if not records:
            return
        seconds = world.cloud.visibility(queue)
        world.after(seconds + 1, lambda: self._poll(queue, n + 1_000_000))
        world.after(0.5, lambda: self._poll(queue, n + 2_000_000))  # there may be more
        rates = world.faults.rates
        rate = rates.outbound_twice if queue == "outbound" else rates.delivered_twice
        if world.faults.chance("delivered twice", rate, queue, n):
            self._deliver(queue, records, keep=True)
            near = draws.share(world.seed, "near twin", queue, n) < NEAR_TWINS
            wait = draws.between(0, 1 if near else 120, world.seed, "twin", queue, n)
            world.after(wait, lambda: self._deliver(queue, records, keep=queue == "outbound"))
        else:
            self._deliver(queue, records)

    def _deliver(self, queue: str, records: list[dict[str, Any]], keep: bool = False) -> None:
        """Have the function handle a batch; ``keep``: SQS forgets that it was done, and brings it again."""

        def done(ended: Ended) -> None:
            if ended.well and ended.records_failed:
                self.world.saw("what failed comes again")
            if ended.well and len(ended.value["batchItemFailures"]) < ended.records_failed:
                self.world.violate("what failed comes again", f"{ended.records_failed} failed, told {ended.value}")
            if not ended.well or keep:
                return
            failed = {each["itemIdentifier"] for each in ended.value["batchItemFailures"]}
            self.world.cloud.delete(queue, [each for each in records if each["messageId"] not in failed])

        label = f"{len(records)} off {queue}: " + " ".join(_short(each["body"]) for each in records)
        rubbish = any(each["body"] in self.rubbish for each in records)
        self.world.invoke(CONSUMERS[queue], lambda: HANDLERS[queue]({"Records": records}), done, label, rubbish)

    # -- the table's stream -------------------------------------------------------------------------------------------

    def wake_relay(self) -> None:
        for shard, busy in enumerate(self.busy):
            if not busy and self.world.cloud.stream(shard, 1):
                self.busy[shard] = True
                self.records += 1
                wait = draws.between(0.02, 1.2, self.world.seed, "stream", self.records)
                self.world.after(wait, partial(self._relay, shard, 0, self.world.time))

    def _relay(self, shard: int, tries: int, since: datetime) -> None:
        """One shard's oldest records; a batch that failed comes again, until it is an hour old."""
        world, rates = self.world, self.world.faults.rates
        self.records += 1
        n = self.records
        batch = world.cloud.stream(shard, 1 + draws.number(world.seed, "records", n) % STREAM_BATCH)
        if not batch:
            self.busy[shard] = False
            return
        if self.loses and world.faults.chance("record lost", rates.record_lost, n):
            world.say("stream", f"! {len(batch)} records lost")
            self._lose(batch)
            self._forward(shard, len(batch))
            return

        def done(ended: Ended) -> None:
            world.saw("the relay never raises")
            if ended.broke is not None:
                world.violate("the relay never raises", repr(ended.broke))
            if ended.well and ended.records_failed:
                self._lose(batch)  # neither sent nor parked: pending marks and the night bring back what it meant
            again = world.faults.chance("record again", rates.record_again, n)
            if ended.well and not again:
                self._forward(shard, len(batch))
            elif world.time - since > GIVEN_UP_AFTER:
                world.say("stream", f"! {len(batch)} records given up after an hour")
                self._lose(batch)
                world.cloud.send("work-dead", json.dumps({"DDBStreamBatchInfo": {"batchSize": len(batch)}}))
                self._forward(shard, len(batch))
            else:
                world.after(1 + tries, lambda: self._relay(shard, tries + 1, since))

        world.invoke("relay", lambda: relay.relay({"Records": batch}, None), done, f"{len(batch)} records")

    def _lose(self, batch: list[dict[str, Any]]) -> None:
        keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in batch]
        self.lost |= {key.removeprefix("TICKET#") for key in keys if key.startswith("TICKET#")}

    def _forward(self, shard: int, count: int) -> None:
        self.world.cloud.forward(shard, count)
        self.world.after(0.2, lambda: self._relay(shard, 0, self.world.time))

    # -- the clock ----------------------------------------------------------------------------------------------------

    def tick(self, until: datetime) -> None:
        """Plan every schedule's ticks until then; one that can find nothing is not run."""
        for name, seconds, run in SCHEDULES:
            first = _next(self.world.time, seconds)
            self._plan(name, seconds, run, first, until)
        night = self.world.time.replace(hour=2, minute=17, second=0, microsecond=0)
        while night <= until:
            if night > self.world.time:
                self.world.at(night, lambda: self.world.invoke("daily", clock.daily, label="02:17"))
            night += timedelta(days=1)

    def _plan(self, name: str, seconds: int, run: Callable[[], None], at: datetime, until: datetime) -> None:
        if at > until:
            return

        def tick() -> None:
            if self._has_work(name):
                self.world.invoke(name, run, label="tick")
            self._plan(name, seconds, run, at + timedelta(seconds=seconds), until)

        self.world.at(at, tick)

    def _has_work(self, name: str) -> bool:
        """Whether the tick would find anything (a look from outside, so that idle minutes cost nothing)."""
        cloud, now = self.world.cloud, self.world.time
        if name == "sweep":
            return cloud.has_mark("TIMER#", now + timedelta(seconds=clock.LOOK_AHEAD_SECONDS))
        if name == "repair":
            waiting = cloud.has_mark("PENDING#", now - timedelta(minutes=clock.PENDING_MINUTES))
            return waiting or cloud.has_raw(now - timedelta(minutes=originals.TRAY_MINUTES))
        return True

    # -- SES events ---------------------------------------------------------------------------------------------------

    def publish(self, document: Mapping[str, Any], n: str, tries: int = 0) -> None:
        """An SES event through SNS to its function, which Lambda runs three times at most."""
        world = self.world
        record = {"Sns": {"Message": json.dumps(document), "MessageId": n}}

        def done(ended: Ended) -> None:
            if ended.well:
                return
            if tries < ASYNC_RETRIES:
                world.after(60 * (tries + 1), lambda: self.publish(document, n, tries + 1))
            else:
                world.cloud.send("work-dead", json.dumps({"Records": [record]}))

        label = f"{document['eventType']} of {document['mail']['messageId']}"
        world.invoke(
            "delivery_events", lambda: delivery_events.delivery_events({"Records": [record]}, None), done, label
        )


WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})


def _next(after: datetime, seconds: int) -> datetime:
    epoch = int(after.timestamp()) // seconds * seconds + seconds
    return datetime.fromtimestamp(epoch, after.tzinfo)


def _short(body: str) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return "(no JSON)"
    if not isinstance(document, dict):
        return "(no object)"
    if "receipt" in document:
        return str(document["receipt"]["action"].get("objectKey"))
    return "/".join(str(document[name]) for name in ("kind", "ticket", "message", "name", "key") if name in document)
