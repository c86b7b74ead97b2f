"""The four polled queues, each with its dead-letter queue.

Four, because each is asked some 0.66 million times a month while nothing comes: the largest part of an idle month's
bill.
"""

from dataclasses import dataclass

from infra.cloudformation import Json, attribute, ref, resource
from infra.functions import function

DAY_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Queue:
    name: str
    consumer: str
    fifo: bool = False

    @property
    def logical_id(self) -> str:
        return f"{self.name.capitalize()}Queue"

    @property
    def dead_logical_id(self) -> str:
        return f"{self.name.capitalize()}DeadQueue"


QUEUES = (
    Queue("inbound", "intake"),
    Queue("work", "work"),
    Queue("later", "later"),
    Queue("outbound", "deliver", fifo=True),
)
RECEIVES_BEFORE_DEAD = 5
VISIBILITY_TIMES_TIMEOUT = 6  # what AWS asks for, so that throttled batches come back before they count as failed


def _properties(stage: str, queue: Queue, suffix: str = "") -> Json:
    properties: Json = {
        "QueueName": f"deskbell-{stage}-{queue.name}{suffix}" + (".fifo" if queue.fifo else ""),
        "SqsManagedSseEnabled": True,
    }
    if queue.fifo:
        # Order and duplicates are a matter of one ticket, so its group is the only unit that has to wait.
        properties |= {
            "FifoQueue": True,
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
        }
    return properties


def _pair(stage: str, queue: Queue) -> dict[str, Json]:
    live = _properties(stage, queue) | {
        "VisibilityTimeout": VISIBILITY_TIMES_TIMEOUT * function(queue.consumer).timeout_seconds,
        "MessageRetentionPeriod": 4 * DAY_SECONDS,
        "RedrivePolicy": {
            "deadLetterTargetArn": attribute(queue.dead_logical_id),
            "maxReceiveCount": RECEIVES_BEFORE_DEAD,
        },
    }
    # A moved message keeps its age, so the dead-letter queue must keep longer than the queue itself.
    dead = _properties(stage, queue, "-dead") | {"MessageRetentionPeriod": 14 * DAY_SECONDS}
    return {
        queue.dead_logical_id: resource("AWS::SQS::Queue", dead),
        queue.logical_id: resource("AWS::SQS::Queue", live),
    }


def _inbound_takes_notices() -> Json:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": attribute("InboundQueue"),
        "Condition": {"ArnEquals": {"aws:SourceArn": ref("MailTopic")}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return resource("AWS::SQS::QueuePolicy", {"Queues": [ref("InboundQueue")], "PolicyDocument": document})


def resources(stage: str) -> dict[str, Json]:
    found = {"InboundQueuePolicy": _inbound_takes_notices()}
    for queue in QUEUES:
        found |= _pair(stage, queue)
    return found
