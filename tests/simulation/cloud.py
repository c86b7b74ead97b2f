"""The simulated AWS account of one world: what the desk's stack makes, and a look at it from outside."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from chalicelib import config, wiring
from chalicelib.store import models
from infra.functions import function
from infra.resources import table as table_resource
from infra.resources.queues import QUEUES, RECEIVES_BEFORE_DEAD, VISIBILITY_TIMES_TIMEOUT
from tests.simulation import draws
from tests.simulation.aws import Aws, install
from tests.simulation.aws.s3 import Stored
from tests.simulation.aws.ses import SentMail
from tests.simulation.aws.sqs import ACCOUNT_URL, ARN, Message, lambda_record
from tests.simulation.cognito import Cognito
from tests.simulation.telegram import Telegram

if TYPE_CHECKING:
    from tests.simulation.world import World

REGION = "eu-west-1"
TABLE = "sim-table"
ORIGINALS, ATTACHMENTS = "sim-originals", "sim-attachments"
STAGE = "sim"
PARAMETERS = f"/deskbell/{STAGE}/"
FIFO = frozenset(queue.name for queue in QUEUES if queue.fifo)
Item = Mapping[str, Mapping[str, Any]]


def queue_name(name: str) -> str:
    """``work`` → its queue; ``work-dead`` → its dead-letter queue."""
    plain = name.removesuffix("-dead")
    return f"sim-{name}" + (".fifo" if plain in FIFO else "")


def _environment() -> dict[str, str]:
    urls: dict[str, str] = {}
    for queue in QUEUES:
        urls[f"{queue.name.upper()}_QUEUE_URL"] = ACCOUNT_URL + queue_name(queue.name)
        urls[f"{queue.name.upper()}_DEAD_QUEUE_URL"] = ACCOUNT_URL + queue_name(f"{queue.name}-dead")
    return urls | {
        "STAGE": STAGE, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "simulated",
        "AWS_SECRET_ACCESS_KEY": "simulated", "TABLE_NAME": TABLE, "ORIGINALS_BUCKET": ORIGINALS,
        "ATTACHMENTS_BUCKET": ATTACHMENTS, "USER_POOL_ID": "unset", "USER_POOL_CLIENT_ID": "unset",
        "CONFIGURATION_SET": "sim", "WEBSOCKET_API_ID": "unset", "WEBSOCKET_URL": "wss://live.example/api",
        "WEBSOCKET_ENDPOINT": "https://live.example/api", "BASE_PATH": "", "PARAMETER_PREFIX": PARAMETERS, "LOCAL": "0",
    }  # fmt: skip


@dataclass(frozen=True)
class Letter:
    """A message on a dead-letter queue."""

    queue: str
    id: str
    body: str


class Cloud:
    """Everything here but ``call`` is the world's own doing: no fault strikes it."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.aws = Aws(lambda: world.time.timestamp())
        self.telegram = Telegram(world)
        self.cognito = Cognito()
        self._drawn = self._batches = 0
        self._build()

    def _build(self) -> None:
        properties = table_resource.resources(STAGE)["Table"]["Properties"]
        wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        self.aws.dynamodb.create_table({"TableName": TABLE, **{name: properties[name] for name in wanted}})
        for bucket in (ORIGINALS, ATTACHMENTS):
            self.aws.s3.create_bucket({"Bucket": bucket})
        for queue in QUEUES:
            fifo = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"} if queue.fifo else {}
            dead, live = queue_name(f"{queue.name}-dead"), queue_name(queue.name)
            seconds = VISIBILITY_TIMES_TIMEOUT * function(queue.consumer).timeout_seconds
            policy = json.dumps({"deadLetterTargetArn": ARN + dead, "maxReceiveCount": RECEIVES_BEFORE_DEAD})
            kept = {"MessageRetentionPeriod": str(14 * 86400)}
            self.aws.sqs.create_queue({"QueueName": dead, "Attributes": {**fifo, **kept}})
            attributes = {**fifo, "VisibilityTimeout": str(seconds), "RedrivePolicy": policy}
            self.aws.sqs.create_queue({"QueueName": live, "Attributes": attributes})
        self.aws.ssm.parameters[f"{PARAMETERS}reply-key"] = "reply-key-of-the-simulation"
        rules = f"deskbell-{STAGE}"
        self.aws.ses.active_rule_set = rules
        self.aws.ses.rules[(rules, f"{rules}-inboxes")] = {"Name": f"{rules}-inboxes", "Recipients": []}
        self.aws.sqs.shuffle = self._shuffle
        self.aws.dynamodb.index_delay = self._index_delay
        self.aws.dynamodb.unprocessed = lambda entries: len(self._undone(entries))
        self.aws.sqs.refused = self._undone

    def _draw(self, what: str) -> float:
        self._drawn += 1
        return draws.share(self.world.seed, what, self._drawn)

    def _shuffle(self, messages: list[Message]) -> None:
        """A standard queue keeps no order."""
        if len(messages) > 1:
            places = {each.id: self._draw("order") for each in messages}
            messages.sort(key=lambda each: places[each.id])

    def _index_delay(self) -> float:
        """Indexes lag behind, mostly little, now and then for seconds."""
        draw = self._draw("index")
        return draw * 0.2 if draw < 0.9 else (draw - 0.9) * 60

    def _undone(self, entries: int) -> list[int]:
        """Which entries of a batch AWS leaves undone: an answer like any other, that the caller has to read."""
        running, faults = self.world.current, self.world.faults
        self._batches += 1
        if running is None or not faults.chance(
            "partly done", faults.rates.partly_done, running.function, self._batches
        ):
            return []
        running.struck = True
        self.world.say(running.name, "! a batch was partly done")
        return [draws.number(self.world.seed, "undone", self._batches) % entries]

    # -- what the desk's code does ------------------------------------------------------------------------------------

    def call(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        if service == "cognito-idp":
            return self.cognito.call(operation, arguments)
        if service == "cloudwatch":
            asked = arguments["MetricDataQueries"]  # a desk that has not run for a day yet
            return {"MetricDataResults": [{"Id": each["Id"], "Values": [], "StatusCode": "Complete"} for each in asked]}
        return self.aws.call(service, operation, arguments)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Inside, the desk's clients reach this account."""
        with ExitStack() as stack:
            stack.enter_context(patch.dict(os.environ, _environment()))
            config.settings.cache_clear()
            stack.callback(config.settings.cache_clear)
            stack.enter_context(install(lambda: self.world))
            if models.Item.Meta.table_name != TABLE:
                wiring.connect()
            stack.enter_context(patch.object(wiring, "_pool", lambda: self.telegram))
            yield

    # -- queues -------------------------------------------------------------------------------------------------------

    def named(self, url: str) -> str:
        """The short name of a queue by its URL."""
        return url.rpartition("/")[2].removeprefix("sim-").removesuffix(".fifo")

    def send(self, queue: str, body: str) -> None:
        self.aws.sqs.send_message({"QueueUrl": ACCOUNT_URL + queue_name(queue), "MessageBody": body})

    def receive(self, queue: str, most: int) -> list[dict[str, Any]]:
        """As Lambda's poller takes them."""
        name = queue_name(queue)
        found = self.aws.sqs.receive_message({"QueueUrl": ACCOUNT_URL + name, "MaxNumberOfMessages": most})
        return [lambda_record(each, name) for each in found.get("Messages", ())]

    def delete(self, queue: str, records: Sequence[Mapping[str, Any]]) -> None:
        from botocore.exceptions import ClientError

        for record in records:
            try:
                url = ACCOUNT_URL + queue_name(queue)
                self.aws.sqs.delete_message({"QueueUrl": url, "ReceiptHandle": record["receiptHandle"]})
            except ClientError:
                pass  # it took too long: the queue brings it again

    def visibility(self, queue: str) -> int:
        return self.aws.sqs.queues[queue_name(queue)].seconds("VisibilityTimeout")

    def waiting(self, queue: str) -> list[str]:
        """Bodies on a queue, whatever their delay."""
        return [each.body for each in self.aws.sqs.queues[queue_name(queue)].messages]

    def next_due(self, queue: str) -> float | None:
        return self.aws.sqs.queues[queue_name(queue)].next_due(self.world.time.timestamp())

    def letters(self) -> list[Letter]:
        return [
            Letter(queue.name, each.id, each.body)
            for queue in QUEUES
            for each in self.aws.sqs.queues[queue_name(f"{queue.name}-dead")].messages
        ]

    # -- the table ----------------------------------------------------------------------------------------------------

    @property
    def items(self) -> Mapping[tuple[str, str], Item]:
        """Every item as it is stored, by its keys."""
        return self.aws.dynamodb.tables[TABLE].items.images

    def shards(self) -> int:
        return len(self.aws.dynamodb.tables[TABLE].shards)

    def stream(self, shard: int, most: int) -> list[dict[str, Any]]:
        """The oldest records of a shard."""
        waiting = self.aws.dynamodb.tables[TABLE].shards[shard]
        return [waiting[n] for n in range(min(most, len(waiting)))]

    def forward(self, shard: int, count: int) -> None:
        waiting = self.aws.dynamodb.tables[TABLE].shards[shard]
        for _ in range(count):
            waiting.popleft()

    def marks(self, prefix: str) -> Iterable[tuple[tuple[str, str], Item]]:
        """Items that carry a mark of ``by_time``."""
        return [
            (key, item)
            for key, item in self.items.items()
            if "time_key" in item and item["time_key"]["S"].startswith(prefix)
        ]

    def has_mark(self, prefix: str, until: datetime) -> bool:
        edge = until.strftime("%Y-%m-%dT%H:%M:%S.999Z")
        return any(item["time_at"]["S"] <= edge for _, item in self.marks(prefix))

    # -- S3 and mail --------------------------------------------------------------------------------------------------

    def put_original(self, key: str, body: bytes) -> None:
        self.aws.s3.put_object({"Bucket": ORIGINALS, "Key": key, "Body": body})

    def objects(self, prefix: str, bucket: str = ORIGINALS) -> dict[str, Stored]:
        found = self.aws.s3.buckets[bucket]
        return {key: found[key] for key in sorted(found) if key.startswith(prefix)}

    def has_raw(self, before: datetime) -> bool:
        return any(each.at < before for key, each in self.aws.s3.buckets[ORIGINALS].items() if key.startswith("raw/"))

    @property
    def sent(self) -> list[SentMail]:
        """Every mail that SES took."""
        return self.aws.ses.sent
