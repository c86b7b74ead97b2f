"""Which of AWS's own metrics count what is billed, and how the rest is estimated.

Metric names: the services' "CloudWatch metrics" pages, such as
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.cost import MB_PER_GB, Counts

MEMORY_MB = {
    "web": 1024, "hooks": 512, "intake": 1024, "relay": 256, "work": 512, "later": 256, "deliver": 1024,
    "delivery_events": 512, "sweep": 256, "repair": 512, "hourly": 512, "daily": 1024, "live_connect": 512,
    "live_message": 512, "live_disconnect": 256,
}  # fmt: skip
"""Equals infra/functions.py."""
INDEXES = ("by_status", "by_holder", "by_inbox", "by_wait", "by_customer", "by_time")
CLOCKS = ("sweep", "repair", "hourly", "daily")
ALARMS = 10.0
CUSTOM_METRICS = 5.0
"""What is always written: Received, Shown, ReceivedToShown, Sent, QueuedToSent.  Others come only with trouble."""

OF_A_MAIL_IN = {"s3_puts": 2.0, "s3_gets": 3.1, "ses_in": 1.0}
"""Stored by SES and moved once it is read; read once, and looked at by the next hour's ledger and the next night's."""
GB_OF_A_REQUEST = 2.2e-6
"""What a page's request sends, compressed (docs/cost.md)."""
MINUTES_OF_A_MESSAGE = 1.0
"""A socket message comes about once a minute of an open console."""
SECRETS_OF_A_MAIL = 1.0
ESTIMATED = frozenset(
    {
        "s3_puts", "s3_gets", "ses_in", "data_out_gb", "socket_minutes", "kms_requests", "cognito_users",
        "custom_metrics", "schedules", "dynamodb_gb", "dynamodb_backup_gb", "ses_out",
    }
)  # fmt: skip
LEFT_OUT = {"ses_data_gb": "AWS counts the mails that are sent, not their bytes."}
"""Priced units that no reading holds, each with its reason; the page and the API say so."""


@dataclass(frozen=True)
class Names:
    """Of one deployment, as AWS knows it.  ``queues``: name, and whether it is FIFO."""

    stage: str
    table: str
    queues: Mapping[str, bool]
    socket_api_id: str
    buckets: Sequence[str]


@dataclass(frozen=True)
class Metric:
    """``times`` turns the metric's sum (or, of what is kept, its mean) into billed units."""

    unit: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    times: float = 1.0
    stat: Literal["Sum", "Average", "SampleCount"] = "Sum"

    def amount(self, values: Sequence[float], share: float) -> float:
        """share: how much of the month is over; what is kept is paid by the hour in it."""
        total = sum(values)
        return self.times * (total * share / len(values) if self.stat == "Average" and values else total)


OWN_SENDS = Metric("ses_out", "Deskbell", "QueuedToSent", {"service": "deskbell"}, stat="SampleCount")
"""SES counts only what the whole account sends, with the shop's newsletters.  The desk times each message that it sent,
so there are as many times as messages; those to Telegram are among them."""


def metrics_of(names: Names) -> tuple[Metric, ...]:
    """Everything to ask CloudWatch for."""
    return (*_functions(names), *_table(names), *_queues(names), *_gateways(names), *_others(names))


def function_name(stage: str, name: str) -> str:
    return f"deskbell-{stage}-{name.replace('_', '-')}"


def _functions(names: Names) -> list[Metric]:
    found = []
    for name, memory_mb in MEMORY_MB.items():
        physical = function_name(names.stage, name)
        own = {"FunctionName": physical}
        found += [
            Metric("lambda_requests", "AWS/Lambda", "Invocations", own),
            Metric("lambda_gb_seconds", "AWS/Lambda", "Duration", own, memory_mb / MB_PER_GB / 1000),
            Metric("log_gb", "AWS/Logs", "IncomingBytes", {"LogGroupName": f"/aws/lambda/{physical}"}, 1e-9),
        ]
    found += [
        Metric("schedules", "AWS/Lambda", "Invocations", {"FunctionName": function_name(names.stage, clock)})
        for clock in CLOCKS
    ]
    return found


def _table(names: Names) -> list[Metric]:
    """An index's units stand under the index's name."""
    own: list[dict[str, str]] = [{"TableName": names.table}]
    own += [{"TableName": names.table, "GlobalSecondaryIndexName": index} for index in INDEXES]
    kinds = (("dynamodb_writes", "ConsumedWriteCapacityUnits"), ("dynamodb_reads", "ConsumedReadCapacityUnits"))
    return [Metric(unit, "AWS/DynamoDB", name, each) for each in own for unit, name in kinds]


def _queues(names: Names) -> list[Metric]:
    """Messages, not requests: batches make it fewer, so this is the most that it can be."""
    counted = (
        "NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted", "NumberOfEmptyReceives"
    )  # fmt: skip
    return [
        Metric("sqs_fifo_requests" if fifo else "sqs_requests", "AWS/SQS", name, {"QueueName": queue})
        for queue, fifo in names.queues.items()
        for name in counted
    ]


def _gateways(names: Names) -> list[Metric]:
    return [
        Metric("api_requests", "AWS/ApiGateway", "Count", {"ApiName": f"deskbell-{names.stage}"}),
        Metric("socket_messages", "AWS/ApiGateway", "MessageCount", {"ApiId": names.socket_api_id}),
    ]


def _others(names: Names) -> list[Metric]:
    topics = [f"deskbell-{names.stage}-{topic}" for topic in ("mail", "delivery-events")]
    kept = [
        Metric(
            "s3_gb", "AWS/S3", "BucketSizeBytes", {"BucketName": each, "StorageType": "StandardStorage"}, 1e-9,
            "Average",
        )
        for each in names.buckets
    ]  # fmt: skip
    published = [
        Metric("sns_publishes", "AWS/SNS", "NumberOfMessagesPublished", {"TopicName": each}) for each in topics
    ]
    return [*kept, *published, OWN_SENDS]


@dataclass(frozen=True)
class TableSize:
    """Bytes, as DescribeTable says them: AWS looks about every six hours, and publishes no metric of them."""

    own: int
    indexes: int


def estimated(
    counts: Counts, *, received: int, people: int, share: float, metrics_read: float, table: TableSize
) -> dict[str, float]:
    """Units that AWS publishes no metric for.

    share: how much of the month is over; what is paid by the month (alarms, metrics, GB) is paid by the hour in it.
    table: as big as it is now, taken for the whole month; the backup holds no indexes.
    """
    found = {unit: amount * received for unit, amount in OF_A_MAIL_IN.items()}
    found["data_out_gb"] = counts.get("api_requests", 0.0) * GB_OF_A_REQUEST
    found["socket_minutes"] = counts.get("socket_messages", 0.0) * MINUTES_OF_A_MESSAGE
    found["kms_requests"] = (received + counts.get("ses_out", 0.0)) * SECRETS_OF_A_MAIL
    found["cognito_users"] = float(people)
    found["alarms"], found["custom_metrics"] = ALARMS * share, CUSTOM_METRICS * share
    found["metrics_read"] = metrics_read
    found["dynamodb_gb"] = (table.own + table.indexes) * share / 1e9
    found["dynamodb_backup_gb"] = table.own * share / 1e9
    return found
