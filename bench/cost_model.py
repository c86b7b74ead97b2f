"""From what was counted on the local stack to what AWS bills in a month.

``bench/cost_counts.json`` holds the counts of one ticket's life, of each scheduled call and of one agent's hour.  What
cannot be counted here is stated below, each with its reason.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib.domain.cost import DAYS_A_MONTH, HOURS_A_MONTH, MB_PER_GB, Counts, added, times
from chalicelib.services.ledger import SETTLING
from infra.functions import FUNCTIONS
from infra.resources import alarms
from infra.resources.queues import QUEUES

COUNTS = Path(__file__).with_name("cost_counts.json")

FULL_CORE_MB = 1769
"""With so much memory a function has one whole processor; with less, its share of one (Lambda's developer guide)."""
MACHINE_FACTOR = 1.0
"""Lambda's arm64 processor beside the one that was measured on.  Not known: 1 says that they are alike."""
WAIT_MS = {"dynamodb": 5.0, "sqs": 8.0, "s3": 25.0, "ses": 120.0, "ssm": 12.0, "execute-api": 8.0}
"""A call's answer from the same region, while the function waits and is billed.  Typical values, not measured."""
WAITS_AT_ONCE = {"execute-api": 8}
"""Pushes to consoles wait side by side (``jobs.push.AT_ONCE``)."""
COLD_SHARE = 0.03
"""Of the calls that find no warm function.  A desk of ten agents keeps its functions warm through the working day."""
COLD_CPU_MS = {"web": 257.0, "worker": 199.0}
"""Import and first event: what docs/benchmarks.md shows of ``bench.coldstart``, for the first HTML page."""
POLLS_A_MINUTE = 5 * 3
"""Of one queue: Lambda keeps five long polls of 20 seconds open, whether anything comes or not."""
ONLINE_HOURS = 8 * 21
"""An agent's month with an open console."""
COUNTED_CONSOLES = 10
"""Open while the bench counted (``cost_life.CONSOLES``)."""
KEPT_MONTHS = 12
"""Of the same volume, which are paid for as storage."""
COMPRESSION = 5.0
"""API Gateway compresses what is over 1 KB (``minimum_compression_size``); the console's pages shrink to a fifth."""
LEDGER_LOOKS = {"hourly": 1 + SETTLING / timedelta(hours=1), "daily": 1.0}
"""How often a received mail's envelope is read again: by the next hour's ledger, once more where it was stored just
before that one ran, and by the full count of the next morning."""
SCHEDULED_A_MONTH = {
    "sweep": HOURS_A_MONTH * 60.0,
    "repair": HOURS_A_MONTH * 12.0,
    "hourly": float(HOURS_A_MONTH),
    "daily": DAYS_A_MONTH,
}


@dataclass(frozen=True)
class Use:
    """What a piece of work used of one function: calls, processor time, AWS calls by service, bytes of log."""

    calls: float
    cpu_ms: float
    waits: Mapping[str, float]


def read_counts(path: Path = COUNTS) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def gb_seconds(function: str, use: Use) -> float:
    """Billed memory times billed time.

    Below FULL_CORE_MB a function computes as much slower as it has less memory, so memory changes only what waiting
    costs.
    """
    memory_mb = next(each.memory_mb for each in FUNCTIONS if each.name == function)
    cold_cpu_ms = COLD_CPU_MS["web" if function in ("web", "hooks") else "worker"]
    slower = max(1.0, FULL_CORE_MB / memory_mb)
    computing = (use.cpu_ms + use.calls * COLD_SHARE * cold_cpu_ms) * MACHINE_FACTOR * slower
    waiting = sum(amount * WAIT_MS[name] / WAITS_AT_ONCE.get(name, 1) for name, amount in use.waits.items())
    return (computing + waiting) / 1000 * memory_mb / MB_PER_GB


def use_of(used: Mapping[str, Any]) -> Use:
    return Use(used["calls"], used["cpu_ms"], used["waits"])


def piece(counted: Mapping[str, Any]) -> dict[str, float]:
    """Everything billed of one counted piece of work: a ticket's life, or one scheduled call."""
    functions = counted["functions"]
    billed = {
        "lambda_gb_seconds": sum(gb_seconds(name, use_of(used)) for name, used in functions.items()),
        "lambda_requests": sum(used["calls"] for used in functions.values()),
    }
    return added(counted["units"], billed)


def per_ticket(counts: Mapping[str, Any], agents: float = COUNTED_CONSOLES) -> dict[str, float]:
    """Storage included, for KEPT_MONTHS.  Every change goes to every open console, so frames grow with the agents."""
    mails = counts["ticket"]["units"]["ses_in"]
    secrets = mails + counts["ticket"]["units"]["ses_out"]
    looks = {name: mails * often for name, often in LEDGER_LOOKS.items()}
    ledger = {
        "s3_gets": sum(looks.values()),
        "lambda_gb_seconds": sum(gb_seconds(name, Use(0.0, 0.0, {"s3": often})) for name, often in looks.items()),
    }
    more = agents / COUNTED_CONSOLES - 1
    frames = counts["ticket"]["units_by_caller"]["work"]["socket_messages"] * more
    waiting = counts["ticket"]["functions"]["work"]["waits"].get("execute-api", 0.0) * more
    pushes = {
        "socket_messages": frames,
        "lambda_gb_seconds": gb_seconds("work", Use(0.0, 0.0, {"execute-api": waiting})),
    }
    found = added(piece(counts["ticket"]), ledger, pushes) | {
        "kms_requests": secrets
    }  # a quiet desk forgets them in between
    table, bucket = (counts["ticket"]["kept_bytes"][name] * KEPT_MONTHS / 1e9 for name in ("table", "originals"))
    return added(found, {"dynamodb_gb": table, "dynamodb_backup_gb": table, "s3_gb": bucket})


def per_agent() -> dict[str, float]:
    return {"socket_minutes": ONLINE_HOURS * 60.0, "cognito_users": 1.0}


def standing(counts: Mapping[str, Any], busy: bool) -> dict[str, float]:
    """What a month costs before the first ticket; ``busy``: with the metrics that only work writes."""
    clocks = (times(piece(counts[name]), often) for name, often in SCHEDULED_A_MONTH.items())
    polls = POLLS_A_MINUTE * 60.0 * HOURS_A_MONTH
    fifo = sum(queue.fifo for queue in QUEUES)
    rung = sum(each["Type"] == "AWS::CloudWatch::Alarm" for each in alarms.resources("any").values())
    metrics = len(counts["metrics"]["idle"]) + (len(counts["metrics"]["ticket"]) if busy else 0)
    return added(
        *clocks,
        {
            "sqs_requests": polls * (len(QUEUES) - fifo),
            "sqs_fifo_requests": polls * fifo,
            "schedules": sum(SCHEDULED_A_MONTH.values()),
            "alarms": float(rung),
            "custom_metrics": float(metrics),
        },
    )


def month(counts: Mapping[str, Any], tickets: float, agents: float) -> Counts:
    """A whole month's units."""
    return added(
        times(per_ticket(counts, agents), tickets), times(per_agent(), agents), standing(counts, busy=tickets > 0)
    )  # fmt: skip
