"""What a month cost: what AWS itself counted, times its list prices (docs/adr/0008-aws-counts-the-cost.md).

Nothing is counted by the desk: AWS publishes every function's calls and time, every unit of the table and every
request to CloudWatch for nothing, and keeps them for fifteen months.  They are read when somebody looks, at most once
an hour.  What AWS does not publish is estimated from what it does, and named as an estimate.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from chalicelib.config import settings
from chalicelib.domain.cost import Bill, PriceList, bill, price_list
from chalicelib.domain.usage import Metric, Names, TableSize, estimated, metrics_of
from chalicelib.errors import InvalidInput, Refused
from chalicelib.observability import warn
from chalicelib.services import ledger
from chalicelib.services.ledger import LedgerDay
from chalicelib.store import directory, usage
from chalicelib.store.usage import Usage

PRICES = Path(__file__).parent.parent / "data" / "prices.toml"
MONTHS_SHOWN = 13
FRESH = timedelta(hours=1)
SETTLED = timedelta(days=1)
"""So long after a month's end AWS may still add to it."""
DAY_SECONDS = 86_400
PAGES_MOST = 10


@dataclass(frozen=True)
class MonthCost:
    """``bill`` at list prices; ``after_free`` less what AWS gives every account for good."""

    month: str
    usage: Usage
    prices: PriceList
    bill: Bill
    after_free: Bill
    is_over: bool
    is_late: bool = False
    """AWS does not answer now, so this is an earlier reading."""

    @property
    def usd_a_ticket(self) -> float | None:
        """After what is free, the mails' fees with it; None before the first ticket."""
        whole = self.after_free.total + self.after_free.fees
        return whole / self.usage.tickets if self.usage.tickets else None


def months(now: datetime) -> tuple[str, ...]:
    """The months that can be looked at, newest first, as ``yyyy-mm``."""
    newest = now.year * 12 + now.month - 1
    return tuple(f"{each // 12:04d}-{each % 12 + 1:02d}" for each in range(newest, newest - MONTHS_SHOWN, -1))


def month(cloudwatch: Any, which: str, now: datetime) -> MonthCost:
    """A month's cost.  Only whole readings are kept; while CloudWatch gives none, the last one is shown.

    Raises:
        InvalidInput: a month not in ``months``.
        Refused: CloudWatch does not answer, or not in full, and never did for this month.
    """
    if which not in months(now):
        raise InvalidInput("That month cannot be looked at.", {"month": f"Choose one from {months(now)[-1]} on."})
    _, end = _span(which)
    known = usage.read(which)
    is_late = False
    if known is None or not _is_fresh(known, end, now):
        try:
            known = _read(cloudwatch, which, now, known)
            usage.keep(known)
        except Refused as error:
            warn("no whole reading of the costs", month=which, error=repr(error.__cause__ or error))
            if known is None:
                raise
            is_late = True
    made = prices()
    counts = known.counts
    return MonthCost(
        which, known, made, bill(counts, made, free_tier=False), bill(counts, made, free_tier=True), now >= end, is_late
    )  # fmt: skip


@lru_cache(maxsize=1)
def prices() -> PriceList:
    import tomllib  # few requests need it

    return price_list(tomllib.loads(PRICES.read_text(encoding="utf-8")))


def _span(which: str) -> tuple[datetime, datetime]:
    start = datetime.strptime(which, "%Y-%m").replace(tzinfo=UTC)
    return start, (start + timedelta(days=32)).replace(day=1)


def _is_fresh(known: Usage, end: datetime, now: datetime) -> bool:
    return known.read_at >= end + SETTLED or now - known.read_at < FRESH


def _read(cloudwatch: Any, which: str, now: datetime, before: Usage | None) -> Usage:
    start, end = _span(which)
    asked = metrics_of(_names())
    read = _values(cloudwatch, asked, start, min(end, now + timedelta(hours=1)))
    share = min(1.0, (now - start) / (end - start))
    counts: dict[str, float] = {}
    for metric, values in read:
        counts[metric.unit] = counts.get(metric.unit, 0.0) + metric.amount(values, share)
    reads = (before.reads if before else 0) + 1
    accounts = _accounts(which, now)
    people = sum(1 for agent in directory.agents() if agent.active)
    counts |= estimated(
        counts, received=sum(each.received for each in accounts), people=people, share=share,
        metrics_read=float(reads * len(asked)), table=_table_size(),
    )  # fmt: skip
    opened, shown = sum(each.opened for each in accounts), sum(each.shown for each in accounts)
    return Usage(which, now, {unit: round(amount, 9) for unit, amount in counts.items()}, opened, shown, reads)


def _names() -> Names:
    known = settings()
    urls = (
        known.inbound_queue_url, known.work_queue_url, known.later_queue_url, known.outbound_queue_url,
    )  # fmt: skip
    queues = [url.rsplit("/", 1)[-1] for url in urls]
    return Names(
        known.stage,
        known.table_name,
        {queue: queue.endswith(".fifo") for queue in queues},
        known.websocket_api_id,
        (known.originals_bucket, known.attachments_bucket),
    )


def _values(
    cloudwatch: Any, asked: tuple[Metric, ...], start: datetime, end: datetime
) -> list[tuple[Metric, list[float]]]:
    """Each metric with its value of every day; a desk that never wrote one has none.

    Raises Refused unless AWS calls every metric complete: a part would be kept for the whole.
    """
    found: list[list[float]] = [[] for _ in asked]
    said: dict[int, set[str]] = {number: set() for number in range(len(asked))}
    queries = [_query(number, metric) for number, metric in enumerate(asked)]
    token: dict[str, str] = {}
    for _ in range(PAGES_MOST):
        answer = _answer(cloudwatch, MetricDataQueries=queries, StartTime=start, EndTime=end, **token)
        for each in answer["MetricDataResults"]:
            number = int(each["Id"].removeprefix("m"))
            found[number] += each["Values"]
            said[number].add(each["StatusCode"])
        if not answer.get("NextToken"):
            break
        token = {"NextToken": answer["NextToken"]}
    else:
        raise Refused(f"CloudWatch, where AWS counts, gave more than {PAGES_MOST} pages. Try again in a minute.", 60)
    if not all(_is_whole(each) for each in said.values()):
        raise Refused("CloudWatch, where AWS counts, answered in part. Try again in a minute.", 60)
    return list(zip(asked, found, strict=True))


def _is_whole(said: Set[str]) -> bool:
    """PartialData alone says that more comes on a later page, which then says Complete."""
    return "Complete" in said and said <= {"Complete", "PartialData"}


def _answer(cloudwatch: Any, **asked: Any) -> Mapping[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: Mapping[str, Any] = cloudwatch.get_metric_data(**asked)
    except (BotoCoreError, ClientError) as error:
        raise Refused("CloudWatch, where AWS counts, does not answer. Try again in a minute.", 60) from error
    return answer


def _table_size() -> TableSize:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return usage.table_size()
    except (BotoCoreError, ClientError) as error:
        raise Refused(
            "DynamoDB, which says how big the table is, does not answer. Try again in a minute.", 60
        ) from error


def _query(number: int, metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions.items()]
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": f"m{number}", "MetricStat": {"Metric": named, "Period": DAY_SECONDS, "Stat": metric.stat}}


def _accounts(which: str, now: datetime) -> tuple[LedgerDay, ...]:
    """The month's kept accounts.  The hourly job keeps today's; where it has not run yet today, it is kept now."""
    today = f"{now:%Y-%m-%d}"
    kept = {account.day: account for account in ledger.kept(which)}
    if today.startswith(which) and today not in kept:
        kept[today] = ledger.so_far(now)
    return tuple(kept.values())
