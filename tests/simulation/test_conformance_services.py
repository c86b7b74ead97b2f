"""The simulated queues, buckets and parameters answer as the embedded engine does."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from local.engine import client as engine_client
from tests.simulation.aws import Aws

pytestmark = pytest.mark.engine

SEQUENCES = 12
STEPS = 40
RECEIVES = 3
HIDDEN = 60
"""Seconds: longer than a sequence takes, so that the engine's own clock plays no part."""


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"]).rpartition(".")[2]


class Queues:
    """One queue with its dead-letter queue, in the simulation or in the engine."""

    def __init__(self, call: Any, name: str, ending: str) -> None:
        self.call = call
        fifo = {"FifoQueue": "true", "DeduplicationScope": "messageGroup",
                "FifoThroughputLimit": "perMessageGroupId"} if ending else {}  # fmt: skip
        self.dead = call("CreateQueue", QueueName=f"{name}-dead{ending}", Attributes=fifo)["QueueUrl"]
        arn = call("GetQueueAttributes", QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": {RECEIVES}}}'
        attributes = {**fifo, "RedrivePolicy": policy, "VisibilityTimeout": str(HIDDEN)}
        self.url = call("CreateQueue", QueueName=name + ending, Attributes=attributes)["QueueUrl"]
        self.handles: dict[str, str] = {}

    def send(self, **entry: Any) -> Any:
        return bool(self.call("SendMessage", QueueUrl=self.url, **entry)["MessageId"])

    def send_batch(self, entries: list[dict[str, Any]]) -> Any:
        answer = self.call("SendMessageBatch", QueueUrl=self.url, Entries=entries)
        return [sorted(each["Id"] for each in answer.get(part, ())) for part in ("Successful", "Failed")]

    def receive(self, ordered: bool, most: int) -> Any:
        answer = self.call("ReceiveMessage", QueueUrl=self.url, MaxNumberOfMessages=most, AttributeNames=["All"])
        found = []
        for message in answer.get("Messages", ()):
            self.handles[message["Body"]] = message["ReceiptHandle"]
            attributes = message["Attributes"]
            group = attributes.get("MessageGroupId")
            found.append((message["Body"], group, attributes["ApproximateReceiveCount"]))
        return found if ordered else sorted(found)

    def delete(self, body: str) -> Any:
        return self.call("DeleteMessage", QueueUrl=self.url, ReceiptHandle=self.handles[body]) and True

    def show_again(self, body: str) -> Any:
        where = {"QueueUrl": self.url, "ReceiptHandle": self.handles[body]}
        return self.call("ChangeMessageVisibility", **where, VisibilityTimeout=0) and True

    def letters(self) -> list[str]:
        answer = self.call("ReceiveMessage", QueueUrl=self.dead, MaxNumberOfMessages=10)
        return sorted(each["Body"] for each in answer.get("Messages", ()))


def tried(act: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return act(*arguments, **named)
    except ClientError as error:
        return code_of(error)


def steps(seed: int, fifo: bool) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """At most ten messages are in the queue at a time, so that one receive of a standard queue takes all it has."""
    chance, sent = random.Random(seed), 0

    def entry() -> dict[str, Any]:
        number = chance.randrange(max(1, sent - 2), sent + 2)  # a FIFO queue is sent some twice
        named = {"MessageGroupId": f"g{number % 3}", "MessageDeduplicationId": f"d{number}"} if fifo else {}
        return {"MessageBody": f"{seed}-{number if fifo else sent}", **named}

    for _ in range(STEPS):
        kind = chance.choice(("send", "send", "batch", "receive", "receive", "receive", "delete", "show_again"))
        if kind == "send" and sent < 9:
            sent += 1
            yield "send", (), entry()
        elif kind == "batch" and sent < 8:
            entries = []
            for n in range(2):
                sent += 1
                entries.append({"Id": f"{n}", **entry()})
            yield "send_batch", (entries,), {}
        elif kind == "receive":
            yield "receive", (fifo, chance.randint(1, 4) if fifo else 10), {}
        elif kind in ("delete", "show_again"):
            yield kind, (f"{seed}-{chance.randint(1, max(1, sent))}",), {}


@pytest.mark.parametrize("ending", ["", ".fifo"])
@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_queues_answer_as_the_engines_do(engine: str, seed: int, ending: str) -> None:
    client, aws = engine_client(engine, "sqs"), Aws(lambda: 1_790_000_000.0)
    mine = Queues(lambda operation, **given: aws.call("sqs", operation, given), f"q{seed}", ending)
    theirs = Queues(lambda operation, **given: getattr(client, xform_name(operation))(**given), f"q{seed}", ending)
    seen: Counter[str] = Counter()
    in_flight: set[str] = set()
    """What was received and is hidden still.  Of anything else AWS refuses the receipt (a FIFO queue's delete, any
    queue's change of visibility), while the engine takes it: the one difference, so it is not asked."""
    try:
        for n, (name, given, named) in enumerate(steps(seed, bool(ending))):
            if name in ("delete", "show_again") and given[0] not in in_flight:
                continue
            first, second = (tried(getattr(each, name), *given, **named) for each in (mine, theirs))
            assert first == second, f"step {n}: {name} {given} {named}"
            seen[name] += 1
            in_flight |= {each[0] for each in first} if name == "receive" else set()
            in_flight -= {given[0]} if name in ("delete", "show_again") else set()
        assert mine.letters() == theirs.letters()
        assert seen["receive"] > 5
        assert seen["send"] + seen["send_batch"] > 3
    finally:
        for url in (theirs.url, theirs.dead):
            client.delete_queue(QueueUrl=url)


def test_a_queue_refuses_what_the_engines_does(engine: str) -> None:
    client, aws = engine_client(engine, "sqs"), Aws(lambda: 1_790_000_000.0)
    for ending in ("", ".fifo"):
        mine = Queues(lambda operation, **given: aws.call("sqs", operation, given), "edges", ending)
        theirs = Queues(lambda operation, **given: getattr(client, xform_name(operation))(**given), "edges", ending)
        fifo = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if ending else {}
        try:
            for entries in ([], [{"Id": "1", "MessageBody": "a", **fifo}] * 2):
                assert tried(mine.send_batch, entries) == tried(theirs.send_batch, entries)
            many = [{"Id": f"{n}", "MessageBody": "a", **fifo} for n in range(11)]
            assert tried(mine.send_batch, many) == tried(theirs.send_batch, many)
            if ending:
                alone = {"MessageBody": "a", "MessageDeduplicationId": "d"}
                assert tried(mine.send, **alone) == tried(theirs.send, **alone)
            for each in (mine, theirs):
                each.url += "x"
            assert tried(mine.receive, True, 1) == tried(theirs.receive, True, 1) == "NonExistentQueue"
        finally:
            client.delete_queue(QueueUrl=theirs.url.removesuffix("x"))
            client.delete_queue(QueueUrl=theirs.dead)


BUCKET = "conformance-bucket"
KEYS = ("raw/a", "raw/b c", "raw/ü", "kept/2026/11/20/a", "kept/2026/11/20/b")
OBJECTS: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("PutObject", {"Key": key, "Body": key.encode(), "Metadata": {"recipients": "a@b"}}) for key in KEYS),
    ("PutObject", {"Key": "raw/a", "Body": b"again", "ContentType": "message/rfc822"}),
    *(("GetObject", {"Key": key}) for key in (*KEYS, "nothing")),
    *(("HeadObject", {"Key": key}) for key in (*KEYS, "nothing")),
    ("CopyObject", {"Key": "kept/x", "CopySource": {"Bucket": BUCKET, "Key": "raw/b c"},
                    "Metadata": {"subject": "new"}, "MetadataDirective": "REPLACE"}),
    ("CopyObject", {"Key": "kept/y", "CopySource": {"Bucket": BUCKET, "Key": "raw/b c"}}),
    ("CopyObject", {"Key": "kept/z", "CopySource": {"Bucket": BUCKET, "Key": "nothing"}}),
    ("HeadObject", {"Key": "kept/x"}),
    ("HeadObject", {"Key": "kept/y"}),
    ("DeleteObject", {"Key": "raw/b c"}),
    ("DeleteObject", {"Key": "nothing"}),
    ("ListObjectsV2", {"Prefix": "raw/"}),
    ("ListObjectsV2", {"Prefix": "none/"}),
    ("ListObjectsV2", {"Prefix": "", "MaxKeys": 3}),
    ("ListObjectsV2", {"Prefix": "kept/", "StartAfter": "kept/2026/11/20/a"}),
)  # fmt: skip


def told(answer: dict[str, Any]) -> dict[str, Any]:
    body = {"Body": answer["Body"].read()} if "Body" in answer else {}
    listed = {"Keys": [(each["Key"], each["Size"]) for each in answer["Contents"]]} if "Contents" in answer else {}
    shown = ("Metadata", "ContentLength", "IsTruncated", "KeyCount")
    plain: dict[str, Any] = {name: answer[name] for name in shown if name in answer}
    return {**plain, **body, **listed}


def test_objects_answer_as_the_engines_do(engine: str) -> None:
    client, aws = engine_client(engine, "s3"), Aws(lambda: 1_790_000_000.0)
    aws.call("s3", "CreateBucket", {"Bucket": BUCKET})
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for operation, given in OBJECTS:
        arguments = {"Bucket": BUCKET, **given}
        mine = tried(lambda o=operation, a=arguments: told(aws.call("s3", o, dict(a))))
        theirs = tried(lambda o=operation, a=arguments: told(getattr(client, xform_name(o))(**a)))
        assert mine == theirs, f"{operation} {given}"
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 2})
    assert sorted(aws.s3.buckets[BUCKET]) == [each["Key"] for page in pages for each in page["Contents"]]


def test_parameters_answer_as_the_engines_do(engine: str) -> None:
    client, aws = engine_client(engine, "ssm"), Aws(lambda: 1_790_000_000.0)
    requests: tuple[tuple[str, dict[str, Any]], ...] = (
        ("GetParameter", {"Name": "/conformance/a", "WithDecryption": True}),
        ("PutParameter", {"Name": "/conformance/a", "Value": "one", "Type": "SecureString"}),
        ("PutParameter", {"Name": "/conformance/a", "Value": "two", "Type": "SecureString"}),
        ("PutParameter", {"Name": "/conformance/a", "Value": "two", "Type": "SecureString", "Overwrite": True}),
        ("GetParameter", {"Name": "/conformance/a", "WithDecryption": True}),
        ("DeleteParameter", {"Name": "/conformance/a"}),
        ("DeleteParameter", {"Name": "/conformance/a"}),
    )

    def value(answer: dict[str, Any]) -> Any:
        return answer.get("Parameter", {}).get("Value", True)

    for operation, given in requests:
        mine = tried(lambda o=operation, a=given: value(aws.call("ssm", o, dict(a))))
        theirs = tried(lambda o=operation, a=given: value(getattr(client, xform_name(o))(**a)))
        assert mine == theirs, f"{operation} {given}"
