"""The embedded AWS engine for tests of the store, the services and the jobs: real conditions, real transactions.

``engine`` runs once a session in a process of its own; ``desk`` gives each test an empty table, buckets and queues, the
settings that name them, and a clock that stands still until the test moves it.
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chalicelib import config, wiring
from chalicelib.domain.people import Actor, Agent, Inbox, Team
from chalicelib.services import dead_letters
from chalicelib.store import clocks, directory, models, tickets
from infra.resources import table as table_resource
from local.engine import client as engine_client

ROOT = Path(__file__).parent.parent
REGION = "eu-west-1"
MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PROGRAM = """
import sys
from local.engine import start_engine
engine = start_engine(sys.argv[1])
print(engine.endpoint, flush=True)
sys.stdin.read()
engine.stop(snapshot=False)
"""
QUEUES = ("inbound", "work", "later", "outbound")


@contextmanager
def running_engine(folder: Path) -> Iterator[str]:
    """Yield the endpoint of an engine in a process of its own (a process can hold only one)."""
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        endpoint = process.stdout.readline().strip()
        assert endpoint.startswith("http://127.0.0.1:"), "the engine did not start"
        yield endpoint
        process.stdin.close()


@dataclass
class Desk:
    """An empty desk: ``now`` is its clock, ``client`` makes boto3 clients of the engine."""

    endpoint: str
    now: datetime = MORNING
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = engine_client(self.endpoint, service)
        return self.clients[service]

    def advance(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now

    def inbox(self, **values: Any) -> Inbox:
        """An e-mail inbox support@shop.example, saved."""
        wanted = {"id": "support", "channel": "email", "address": "support@shop.example", "name": "Shop"} | values
        made = Inbox(**wanted)
        directory.save_inbox(made, next((each for each in directory.inboxes() if each.id == made.id), None))
        return made

    def agent(self, agent_id: str = "lina", **values: Any) -> Agent:
        wanted: dict[str, Any] = {
            "id": agent_id, "email": f"{agent_id}@shop.example", "name": agent_id.capitalize(), "role": "agent",
            "active": True, "created_at": self.now,
        } | values  # fmt: skip
        made = Agent(**wanted)
        directory.save_agent(made)
        return made

    def actor(self, agent_id: str = "lina", **values: Any) -> Actor:
        agent = self.agent(agent_id, **values)
        return Actor("agent", agent.id, agent.name, agent.role)

    def team(self, team_id: str = "first", name: str = "First line") -> Team:
        made = Team(team_id, name)
        directory.save_team(made)
        return made

    def queued(self, name: str) -> list[str]:
        """Take everything off a queue, whatever its delay; returns the bodies."""
        url = os.environ[f"{name.upper()}_QUEUE_URL"]
        found: list[str] = []
        while messages := self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [each["Body"] for each in messages]
            for each in messages:
                self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return found


def _queue(sqs: Any, name: str) -> str:
    fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    url: str = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "30", **fifo})["QueueUrl"]
    return url


def _environment(desk: Desk) -> dict[str, str]:
    sqs = desk.client("sqs")
    urls: dict[str, str] = {}
    for name in QUEUES:
        ending = ".fifo" if name == "outbound" else ""
        urls[f"{name.upper()}_QUEUE_URL"] = _queue(sqs, f"test-{name}{ending}")
        urls[f"{name.upper()}_DEAD_QUEUE_URL"] = _queue(sqs, f"test-{name}-dead{ending}")
    return urls | {
        "STAGE": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": desk.endpoint,
        "TABLE_NAME": "test-table",
        "ORIGINALS_BUCKET": "test-originals",
        "ATTACHMENTS_BUCKET": "test-attachments",
        "USER_POOL_ID": "unset",
        "USER_POOL_CLIENT_ID": "unset",
        "CONFIGURATION_SET": "test",
        "WEBSOCKET_API_ID": "unset",
        "WEBSOCKET_URL": "ws://127.0.0.1:1/live",
        "WEBSOCKET_ENDPOINT": desk.endpoint,
        "BASE_PATH": "",
        "PARAMETER_PREFIX": "/deskbell/test/",
        "LOCAL": "0",
    }


def _create(desk: Desk) -> None:
    urllib.request.urlopen(
        urllib.request.Request(f"{desk.endpoint}/_ministack/reset", method="POST"), timeout=30
    ).close()
    properties = table_resource.resources("test")["Table"]["Properties"]
    wanted = {
        name: properties[name]
        for name in ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    }
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    desk.client("dynamodb").create_table(TableName="test-table", StreamSpecification=stream, **wanted)
    for bucket in ("test-originals", "test-attachments"):
        where = {"LocationConstraint": REGION}
        desk.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    desk.client("ssm").put_parameter(Name="/deskbell/test/reply-key", Value="reply-key-for-tests", Type="SecureString")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_engine(tmp_path_factory.mktemp("engine")) as endpoint:
        yield endpoint


@cache
def _clients(endpoint: str) -> dict[str, Any]:
    return {each: engine_client(endpoint, each) for each in ("sqs", "s3", "dynamodb", "ssm")}


@cache
def _connection(endpoint: str) -> Any:
    """Made once for all tests: making one takes longer than most tests do."""
    models.connection()
    return models.Item._connection


def _connect(endpoint: str) -> None:
    """As a cold start does."""
    wiring.connect()
    kept = _connection(endpoint)
    for shape in models.SHAPES:
        shape._connection = kept


@pytest.fixture
def desk(engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(engine, clients=dict(_clients(engine)))
    _create(made)
    for name, value in _environment(made).items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()
    _connect(engine)
    wiring.forget_secrets()
    tickets.forget_leases()
    clocks.forget()
    monkeypatch.setattr(config, "now", lambda: made.now)
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)  # the engine overlooks no letter, so waiting shows nothing
    monkeypatch.setattr(config, "pause", lambda seconds: made.advance(seconds=seconds))
    yield made
    config.settings.cache_clear()
