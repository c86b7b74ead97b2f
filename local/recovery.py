"""Puts right what an unclean end left behind, before any queue opens.

The journal has brought the table to its last state, and S3 objects and the outbox are on disk.  What is gone are
queue messages since the last snapshot.  So every original that no receipt answers for is driven again, and every mail
sent since then is reported as sent again.  Both are harmless where nothing was lost: receipts and states decide.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.engine import Engine
from local.outbox import Outbox
from local.stack import Stack

MARGIN_SECONDS = 5
"""A snapshot's time is that of its end."""


@dataclass(frozen=True)
class Recovered:
    driven: int
    reported: int


def recover(engine: Engine, stack: Stack, outbox: Outbox, notices: Path, crashed_since: float) -> Recovered:
    """Drive again and report again.

    notices: the folder in which the mail port keeps its announcements.  crashed_since: epoch seconds of the snapshot
    that was restored.
    """
    since = crashed_since - MARGIN_SECONDS
    s3, sqs = engine.client("s3"), engine.client("sqs")
    driven = 0
    for key in _unanswered(engine, stack, s3, since):
        sqs.send_message(QueueUrl=stack.inbound_queue_url, MessageBody=_notice(s3, stack, notices, key))
        driven += 1
    return Recovered(driven, outbox.replay_since(since))


def _unanswered(engine: Engine, stack: Stack, s3: Any, since: float) -> Iterator[str]:
    for prefix in ("raw/", "kept/"):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=stack.originals_bucket, Prefix=prefix)
        for found in (each for page in pages for each in page.get("Contents", ())):
            at = found["LastModified"]
            if prefix == "kept/" and at.timestamp() < since:
                continue
            name = found["Key"].rsplit("/", 1)[-1]
            receipts = engine.partition(stack.table, f"RECEIPTS#{at:%Y-%m-%d}")
            if prefix == "raw/" or not any(sk.startswith(f"{name}#") for sk in receipts):
                yield found["Key"]


def _notice(s3: Any, stack: Stack, notices: Path, key: str) -> str:
    """What SNS would have delivered, for SNS loses nothing; for other originals their key and what rides with them."""
    announced = notices / f"{key.rsplit('/', 1)[-1]}.json"
    if key.startswith("raw/") and announced.exists():
        return announced.read_text()
    metadata = s3.head_object(Bucket=stack.originals_bucket, Key=key)["Metadata"]
    return json.dumps({"key": key, "metadata": metadata} if metadata else {"key": key})
