"""SQS: standard and FIFO queues with their dead-letter queues."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.aws.errors import client_error, only

MAX_BYTES = 256 * 1024
"""Of one message and of a whole batch; newer queues take 1 MB, and nothing of ours may need it."""
MAX_BATCH = 10
MAX_DELAY_SECONDS = 900
MAX_VISIBILITY_SECONDS = 12 * 3600
DEDUPLICATION_SECONDS = 300
DEFAULTS = {"VisibilityTimeout": "30", "MessageRetentionPeriod": "345600", "DelaySeconds": "0"}
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ACCOUNT_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
ARN = "arn:aws:sqs:eu-west-1:123456789012:"
HANDLE = re.compile(r"receipt-(\d+)-(\d+)")


@dataclass
class Message:
    """``sent``, ``visible_at``: seconds.  ``handle``: of its latest receive."""

    id: str
    body: str
    sent: float
    visible_at: float
    group: str = ""
    deduplication_id: str = ""
    sequence: int = 0
    received: int = 0
    first_received: float = 0.0
    handle: str = ""
    in_flight: bool = False

    def attributes(self) -> dict[str, str]:
        found = {
            "SenderId": "AIDASIMULATED",
            "SentTimestamp": str(int(self.sent * 1000)),
            "ApproximateReceiveCount": str(self.received),
            "ApproximateFirstReceiveTimestamp": str(int(self.first_received * 1000)),
        }
        if self.group:
            fifo = {"MessageGroupId": self.group, "MessageDeduplicationId": self.deduplication_id}
            found |= {**fifo, "SequenceNumber": f"{self.sequence:020d}"}
        return found


@dataclass
class Queue:
    """``messages``: in the order they were sent."""

    name: str
    attributes: dict[str, str]
    messages: list[Message] = field(default_factory=list)
    deduplicated: dict[str, tuple[float, str, int]] = field(default_factory=dict)

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")

    def seconds(self, attribute: str) -> int:
        return int(self.attributes.get(attribute, DEFAULTS[attribute]))

    def redrive(self) -> tuple[str, int] | None:
        """The dead-letter queue's name and the receives allowed before it."""
        policy = json.loads(self.attributes.get("RedrivePolicy", "{}"))
        return (policy["deadLetterTargetArn"].rpartition(":")[2], int(policy["maxReceiveCount"])) if policy else None

    def next_due(self, now: float) -> float | None:
        """When a message can next be received; None when the queue is empty."""
        return max(now, min(each.visible_at for each in self.messages)) if self.messages else None


class Sqs:
    """Knobs, for the simulation to turn: ``shuffle`` orders what a standard queue has ready; ``twice`` says whether it
    delivers a message once more; ``refused`` says which of a batch's n entries SQS does not take.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._count = 0
        self.queues: dict[str, Queue] = {}
        """By name."""
        self.shuffle: Callable[[list[Message]], None] = lambda messages: None
        self.twice: Callable[[Message], bool] = lambda message: False
        self.refused: Callable[[int], Sequence[int]] = lambda entries: ()

    def create_queue(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "QueueName", "Attributes")
        name, attributes = request["QueueName"], dict(request.get("Attributes", {}))
        if name.endswith(".fifo") != (attributes.get("FifoQueue") == "true"):
            raise client_error("InvalidParameterValue", "A FIFO queue's name ends in .fifo")
        self.queues.setdefault(name, Queue(name, attributes))
        return {"QueueUrl": ACCOUNT_URL + name}

    def _queue(self, request: Mapping[str, Any]) -> Queue:
        found = self.queues.get(str(request["QueueUrl"]).rpartition("/")[2])
        if found is None or found.name not in request["QueueUrl"]:
            raise client_error("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        return found

    # sending

    def send_message(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "QueueUrl", "MessageBody", "DelaySeconds", "MessageGroupId", "MessageDeduplicationId")
        return self._send(self._queue(request), request)

    def send_message_batch(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "QueueUrl", "Entries")
        queue, entries = self._queue(request), request["Entries"]
        if not entries:
            raise client_error("AWS.SimpleQueueService.EmptyBatchRequest")
        if len(entries) > MAX_BATCH:
            raise client_error("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        if len({each["Id"] for each in entries}) < len(entries):
            raise client_error("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
        if sum(len(each["MessageBody"].encode()) for each in entries) > MAX_BYTES:
            raise client_error("AWS.SimpleQueueService.BatchRequestTooLong")
        refused = set(self.refused(len(entries)))
        done: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
        for n, entry in enumerate(entries):
            only(entry, "Id", "MessageBody", "DelaySeconds", "MessageGroupId", "MessageDeduplicationId")
            try:
                if n in refused:
                    raise client_error("InternalError", "Simulated", 500)
                done["Successful"].append({"Id": entry["Id"], **self._send(queue, entry)})
            except ClientError as error:
                told: Any = error.response["Error"]
                ours = error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
                done["Failed"].append({"Id": entry["Id"], "SenderFault": ours, **told})
        return {kind: results for kind, results in done.items() if results}

    def _send(self, queue: Queue, entry: Mapping[str, Any]) -> dict[str, Any]:
        body, now = entry["MessageBody"], self._now()
        _check_body(body)
        group, delay = entry.get("MessageGroupId", ""), entry.get("DelaySeconds")
        deduplication_id = entry.get("MessageDeduplicationId", "")
        if queue.fifo:
            if not group:
                raise client_error("MissingParameter", "The request must contain the parameter MessageGroupId.")
            if not deduplication_id:
                raise client_error("InvalidParameterValue", "The queue should either have ContentBasedDeduplication …")
            if delay:
                raise client_error("InvalidParameterValue", "DelaySeconds is invalid for a FIFO queue's message")
        elif deduplication_id or group:
            raise client_error("InvalidParameterValue", "The request includes a parameter that is not valid here")
        if delay is not None and not 0 <= delay <= MAX_DELAY_SECONDS:
            raise client_error("InvalidParameterValue", f"Value {delay} for parameter DelaySeconds is invalid.")
        self._count += 1
        made = Message(
            f"{self._count:08x}-0000-4000-8000-000000000000", body, now,
            now + (queue.seconds("DelaySeconds") if delay is None else delay), group, deduplication_id, self._count,
        )  # fmt: skip
        answer: dict[str, Any] = {"MessageId": made.id, "MD5OfMessageBody": hashlib.md5(body.encode()).hexdigest()}
        if not queue.fifo:
            queue.messages.append(made)
            return answer
        scope = group if queue.attributes.get("DeduplicationScope") == "messageGroup" else ""
        at, first_id, sequence = queue.deduplicated.get(f"{scope}\x00{deduplication_id}", (-1e9, "", 0))
        if now - at < DEDUPLICATION_SECONDS:
            return {**answer, "MessageId": first_id, "SequenceNumber": f"{sequence:020d}"}
        queue.deduplicated[f"{scope}\x00{deduplication_id}"] = (now, made.id, made.sequence)
        queue.messages.append(made)
        return {**answer, "SequenceNumber": f"{made.sequence:020d}"}

    # receiving

    def receive_message(self, request: dict[str, Any]) -> dict[str, Any]:
        """``AttributeNames`` and ``MessageSystemAttributeNames`` always count as ``All``."""
        only(
            request, "QueueUrl", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds", "AttributeNames",
            "MessageSystemAttributeNames",
        )  # fmt: skip
        queue, now = self._queue(request), self._now()
        most = request.get("MaxNumberOfMessages", 1)
        if not 1 <= most <= MAX_BATCH:
            raise client_error("InvalidParameterValue", "MaxNumberOfMessages must be between 1 and 10")
        hidden = request.get("VisibilityTimeout", queue.seconds("VisibilityTimeout"))
        kept = now - queue.seconds("MessageRetentionPeriod")
        queue.messages = [each for each in queue.messages if each.sent > kept]
        found: list[dict[str, Any]] = []
        for message in self._ready(queue, now):
            if len(found) == most:
                break
            if self._is_dead(queue, message):
                continue
            found.append(self._received(queue, message, now, hidden))
        return {"Messages": found} if found else {}

    def _ready(self, queue: Queue, now: float) -> list[Message]:
        if not queue.fifo:
            ready = [each for each in queue.messages if each.visible_at <= now]
            self.shuffle(ready)
            return ready
        held = {each.group for each in queue.messages if each.in_flight and each.visible_at > now}
        return [each for each in queue.messages if each.group not in held and each.visible_at <= now]

    def _is_dead(self, queue: Queue, message: Message) -> bool:
        """Move a message that was received too often; it keeps its age."""
        redrive = queue.redrive()
        if redrive is None or message.received < redrive[1]:
            return False
        queue.messages.remove(message)
        message.in_flight = False
        self.queues[redrive[0]].messages.append(message)
        return True

    def _received(self, queue: Queue, message: Message, now: float, hidden: int) -> dict[str, Any]:
        self._count += 1
        if not queue.fifo and self.twice(message):
            self._leave_a_copy(queue, message)
        message.received += 1
        message.first_received = message.first_received or now
        message.handle = f"receipt-{message.sequence}-{self._count}"
        message.visible_at, message.in_flight = now + hidden, True
        return {
            "MessageId": message.id,
            "ReceiptHandle": message.handle,
            "MD5OfBody": hashlib.md5(message.body.encode()).hexdigest(),
            "Body": message.body,
            "Attributes": message.attributes(),
        }

    def _leave_a_copy(self, queue: Queue, message: Message) -> None:
        """At least once: a server that was away still has it, and delivers it whatever becomes of this one."""
        copy = Message(message.id, message.body, message.sent, message.visible_at, received=message.received)
        copy.sequence = self._count = self._count + 1
        queue.messages.append(copy)

    def _held(self, queue: Queue, handle: str) -> Message | None:
        match = HANDLE.fullmatch(handle)
        if match is None:
            raise client_error("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        return next((each for each in queue.messages if each.sequence == int(match.group(1))), None)

    def delete_message(self, request: dict[str, Any]) -> dict[str, Any]:
        """A standard queue takes any of its receipt handles; a FIFO queue only that of a receive still in flight."""
        only(request, "QueueUrl", "ReceiptHandle")
        queue = self._queue(request)
        message = self._held(queue, request["ReceiptHandle"])
        if message is None:
            return {}
        if queue.fifo and (message.handle != request["ReceiptHandle"] or message.visible_at <= self._now()):
            raise client_error("InvalidParameterValue", "The receipt handle has expired")
        queue.messages.remove(message)
        return {}

    def change_message_visibility(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "QueueUrl", "ReceiptHandle", "VisibilityTimeout")
        if not 0 <= request["VisibilityTimeout"] <= MAX_VISIBILITY_SECONDS:
            raise client_error("InvalidParameterValue", "VisibilityTimeout is invalid")
        message, now = self._held(self._queue(request), request["ReceiptHandle"]), self._now()
        if message is None or not message.in_flight or message.visible_at <= now:
            raise client_error("AWS.SimpleQueueService.MessageNotInflight", "The message is not in flight.")
        message.visible_at = now + request["VisibilityTimeout"]
        return {}

    def get_queue_attributes(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "QueueUrl", "AttributeNames")
        queue, now = self._queue(request), self._now()
        hidden = [each for each in queue.messages if each.visible_at > now]
        counts = {
            "ApproximateNumberOfMessages": len(queue.messages) - len(hidden),
            "ApproximateNumberOfMessagesNotVisible": sum(each.in_flight for each in hidden),
            "ApproximateNumberOfMessagesDelayed": sum(not each.in_flight for each in hidden),
        }
        told = {name: str(count) for name, count in counts.items()}
        return {"Attributes": {**queue.attributes, **told, "QueueArn": ARN + queue.name}}


def _check_body(body: str) -> None:
    if not body:
        raise client_error("MissingParameter", "The request must contain the parameter MessageBody.")
    if len(body.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise client_error("InvalidParameterValue", f"Message must be shorter than {MAX_BYTES} bytes.")
    if FORBIDDEN.search(body):
        raise client_error("InvalidMessageContents", "Invalid characters found.")


def lambda_record(message: Mapping[str, Any], queue_name: str) -> dict[str, Any]:
    """A received message as Lambda hands it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": ARN + queue_name,
        "awsRegion": "eu-west-1",
    }
