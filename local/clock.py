"""Moves the desk's clock, with everything that would have happened meanwhile, in order.

The offset is one item that the functions read.  Moving it by an hour sets it to each instant at which a schedule
would have fired, fires it there, and lets every message that waits on ``later`` come when its time is reached.
"""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from local.engine import ACCOUNT, REGION, Engine
from local.stack import Stack

MAX_ADVANCE_SECONDS = 400 * 86400
SETTLE_SECONDS = 30
POLL_SECONDS = 0.005
SWEEP, REPAIR, HOURLY, DAILY = "Sweep", "Repair", "Hourly", "Daily"
PERIODS = {SWEEP: 60, REPAIR: 300, HOURLY: 3600}
DAILY_AT = (2, 17)


@dataclass
class Clock:
    engine: Engine
    stack: Stack
    _offset: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        from botocore.config import Config

        self._table = self.engine.client("dynamodb")
        self._lambda = self.engine.client("lambda", config=Config(read_timeout=900, retries={"total_max_attempts": 1}))
        stored = self._table.get_item(TableName=self.stack.table, Key=_KEY).get("Item", {})
        self._offset = float(stored.get("offset_seconds", {}).get("N", 0))

    @property
    def offset_seconds(self) -> float:
        return self._offset

    def now(self) -> datetime:
        """The desk's time."""
        return datetime.now(UTC) + timedelta(seconds=self._offset)

    def advance(self, seconds: float) -> int:
        """Move on by ``seconds``; return how many schedules fired.  Raises ValueError for less than 0 or too much."""
        if not 0 <= seconds <= MAX_ADVANCE_SECONDS:
            raise ValueError(f"advance_seconds must lie between 0 and {MAX_ADVANCE_SECONDS}")
        start, base = self.now(), self._offset
        fired = 0
        for at, names in due_schedules(start, start + timedelta(seconds=seconds)):
            self._move_to(base + (at - start).total_seconds())
            for name in names:
                self._fire(name)
                fired += 1
            self._settle()
        self._move_to(base + seconds)
        self._settle()
        return fired

    def _move_to(self, offset: float) -> None:
        step, self._offset = offset - self._offset, offset
        item = _KEY | {"offset_seconds": {"N": repr(offset)}}
        self._table.put_item(TableName=self.stack.table, Item=item)
        self.engine.release_delayed(self.stack.later_queue_url, step)

    def _fire(self, logical_id: str) -> None:
        name = self.stack.functions.get(logical_id)
        if name is not None:
            self._lambda.invoke(FunctionName=name, Payload=json.dumps(scheduled_event(self.now())))

    def _settle(self) -> None:
        """Wait until the consequences are done, so that the next step finds them."""
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end and not self.engine.idle():
            time.sleep(POLL_SECONDS)


_KEY = {"pk": {"S": "SETTINGS"}, "sk": {"S": "clock"}}


def scheduled_event(at: datetime) -> dict[str, object]:
    """What EventBridge sends when a schedule fires."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [],
        "detail": {},
    }


def due_schedules(after: datetime, until: datetime) -> Iterator[tuple[datetime, list[str]]]:
    """Every minute in (after, until] with the names of the schedules that fire then."""
    minute = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute <= until:
        epoch = int(minute.timestamp())
        names = [name for name, period in PERIODS.items() if epoch % period == 0]
        if (minute.hour, minute.minute) == DAILY_AT:
            names.append(DAILY)
        yield minute, names
        minute += timedelta(minutes=1)
