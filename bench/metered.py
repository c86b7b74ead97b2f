"""The desk's own code in this process, its table on an engine that counts, and the clock standing at the data's now."""

import io
import json
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from unittest.mock import patch

from bench.generate import NOW
from bench.meter import Call, Meter
from chalicelib import config, wiring
from chalicelib.jobs import outbound, relay, work
from chalicelib.store import postings, tickets

T = TypeVar("T")
MAX_ROUNDS = 8
QUEUES = ("INBOUND", "WORK", "LATER", "OUTBOUND")
BUCKETS = ("bench-originals", "bench-attachments")
REPLY_KEY = "/deskbell/bench/reply-key"


def settings_of(engine: str, dynamodb: str, table: str) -> dict[str, str]:
    """The environment of a function; ``engine``: whatever answers for all that is not DynamoDB."""
    queues = {f"{name}{dead}_QUEUE_URL": f"{engine}/000000000000/{name.lower()}{dead.lower()}"
              for name in QUEUES for dead in ("", "_DEAD")}  # fmt: skip
    return {
        "STAGE": "bench", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench", "AWS_ENDPOINT_URL": engine, "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
        "TABLE_NAME": table, "ORIGINALS_BUCKET": BUCKETS[0], "ATTACHMENTS_BUCKET": BUCKETS[1], "USER_POOL_ID": "unset",
        "USER_POOL_CLIENT_ID": "unset", "CONFIGURATION_SET": "", "WEBSOCKET_API_ID": "unset",
        "WEBSOCKET_URL": "wss://127.0.0.1/live", "WEBSOCKET_ENDPOINT": engine, "BASE_PATH": "",
        "PARAMETER_PREFIX": "/deskbell/bench/", "LOCAL": "0", **queues,
    }  # fmt: skip


@dataclass
class Metered:
    """What each step cost, every time it was done.  ``probe``, ``shadow``: the meter's own client and table."""

    probe: Any
    shadow: str = ""
    now: datetime = NOW
    steps: dict[str, list[list[Call]]] = field(default_factory=lambda: defaultdict(list))

    def step(self, name: str, act: Callable[..., T], *given: Any) -> T:
        """Do it and note its calls."""
        with Meter(self.probe, self.shadow) as meter:
            answer = act(*given)
        self.steps[name].append(meter.calls)
        return answer

    def last(self, name: str) -> list[Call]:
        return self.steps[name][-1]

    def later(self) -> datetime:
        """A second on."""
        self.now += timedelta(seconds=1)
        return self.now

    def follow(self, name: str, calls: Sequence[Call]) -> list[Call]:
        """What those calls cause, as relay and queues bring it: steps ``<name>: work`` and ``<name>: send``.

        Returns the calls of both.
        """
        found: dict[str, list[Call]] = defaultdict(list)
        fresh = list(calls)
        for _ in range(MAX_ROUNDS):
            by_queue: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for parcel in (each for record in _records(fresh) for each in relay.parcels_of(record, self.now)):
                body = {"messageId": "m", "body": parcel.entry["MessageBody"], "attributes": {}}
                by_queue[parcel.queue_url].append(body)
            fresh = []
            for url, records in by_queue.items():
                queue, handle = self._consumer(url)
                with Meter(self.probe, self.shadow) as meter:
                    answer = handle({"Records": records}, None)
                if answer["batchItemFailures"]:
                    raise RuntimeError(f"a consequence failed: {json.dumps(records)[:500]}")
                found[queue] += meter.calls
                fresh += meter.calls
            if not fresh:
                break
        else:
            raise RuntimeError("the consequences have no end")
        for queue, made in found.items():
            self.steps[f"{name}: {queue}"].append(made)
        return [call for made in found.values() for call in made]

    def _consumer(self, url: str) -> tuple[str, Callable[[dict[str, Any], object], dict[str, Any]]]:
        settings = config.settings()
        return {settings.work_queue_url: ("work", work.work), settings.outbound_queue_url: ("send", outbound.deliver)}[
            url
        ]


def _records(calls: Sequence[Call]) -> Iterator[Mapping[str, Any]]:
    """What the table's stream says of the changes."""
    for call in calls:
        for change in call.changes:
            if change.after is None or change.after == change.before or call.refused:
                continue
            keys = {name: change.after[name] for name in ("pk", "sk")}
            yield {"dynamodb": {"Keys": keys, "NewImage": change.after, "OldImage": change.before or {}}}


@contextmanager
def metered(engine: str, dynamodb: str, table: str, probe: Any, shadow: str = "") -> Iterator[Metered]:
    """Point this process's desk there; what it was pointed at before is forgotten."""
    made = Metered(probe, shadow)
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(io.StringIO()))  # metric lines
        stack.callback(logging.disable, logging.NOTSET)
        logging.disable(logging.CRITICAL)
        stack.enter_context(patch.dict(os.environ, settings_of(engine, dynamodb, table)))
        stack.enter_context(patch.object(config, "now", lambda: made.now))
        stack.enter_context(patch.object(wiring, "push", lambda connection_id, frame: True))
        # One message in 128 moves the words of them all on: what that costs a message is counted by bench.search.
        stack.enter_context(patch.object(postings, "is_turn_to_fold", lambda message_id: False))
        stack.callback(config.settings.cache_clear)
        config.settings.cache_clear()
        wiring.connect()
        wiring.forget_secrets()
        tickets.forget_leases()
        yield made


def prepare_engine(client: Callable[[str], Any], address: str) -> None:
    """The buckets, the secret and the sender that the desk needs beside its table."""
    for bucket in BUCKETS:
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client("ssm").put_parameter(Name=REPLY_KEY, Value="reply-key", Type="SecureString", Overwrite=True)
    client("sesv2").create_email_identity(EmailIdentity=address)
