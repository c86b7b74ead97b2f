"""A month's cost out of what AWS counted, read seldom and kept whole."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.validate import validate_parameters

from chalicelib import observability
from chalicelib.domain.usage import (
    CUSTOM_METRICS,
    ESTIMATED,
    INDEXES,
    LEFT_OUT,
    MEMORY_MB,
    Names,
    TableSize,
    estimated,
    metrics_of,
)
from chalicelib.errors import InvalidInput, Refused
from chalicelib.services import costs, ledger
from chalicelib.services.ledger import LedgerDay
from chalicelib.store import documents, models, usage
from chalicelib.store.usage import Usage
from infra.functions import FUNCTIONS
from infra.resources import alarms, queues, table
from tests.engine import MORNING, Desk

NAMES = Names("prod", "desk", {"a": False, "b.fifo": True}, "ws1", ("originals",))


@dataclass
class CloudWatch:
    """Answers each metric by its name, one value a day; checks each question as botocore would."""

    values: Mapping[str, list[float]]
    asked: list[dict[str, Any]] = field(default_factory=list)
    pages: int = 1
    broken: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    """What is said of a metric's name, where that is not Complete."""
    silent: frozenset[str] = frozenset()

    def get_metric_data(self, **question: Any) -> dict[str, Any]:
        shape = Session().get_service_model("cloudwatch").operation_model("GetMetricData").input_shape
        assert shape is not None
        validate_parameters(question, shape)
        self.asked.append(question)
        if self.broken:
            raise ClientError({"Error": {"Code": "Throttling"}}, "GetMetricData")
        page = int(question.get("NextToken", "0"))
        queries = question["MetricDataQueries"][page :: self.pages]
        names = {each["Id"]: each["MetricStat"]["Metric"]["MetricName"] for each in queries}
        found = [
            {"Id": key, "Values": self.values.get(name, []), "StatusCode": self.codes.get(name, "Complete")}
            for key, name in names.items()
            if name not in self.silent
        ]
        more = {"NextToken": str(page + 1)} if page + 1 < self.pages else {}
        return {"MetricDataResults": found, **more}


def an_account(day: str, **values: Any) -> LedgerDay:
    nothing = LedgerDay(day, received=0, waiting=0, shown=0, quarantined=0, suppressed=0, difference=0)
    return replace(nothing, **values)


def test_every_function_is_known_with_its_memory() -> None:
    assert {each.name: each.memory_mb for each in FUNCTIONS} == MEMORY_MB
    asked = {metric.dimensions["FunctionName"] for metric in metrics_of(NAMES) if metric.namespace == "AWS/Lambda"}
    assert asked == {each.physical_name("prod") for each in FUNCTIONS}


def test_every_index_and_every_polled_queue_is_asked_for() -> None:
    assert tuple(name for name, *_ in table.INDEXES) == INDEXES
    asked = {metric.dimensions.get("QueueName") for metric in metrics_of(NAMES) if metric.namespace == "AWS/SQS"}
    assert asked == {"a", "b.fifo"} and len(queues.QUEUES) == 4


def test_mails_sent_are_our_own_and_not_the_accounts(capsys: pytest.CaptureFixture[str]) -> None:
    """The shop's newsletters leave by the same account's SES, so what is asked for is what the desk says of a send."""
    observability.flush()
    capsys.readouterr()
    observability.latency("QueuedToSent", 800.0)
    observability.flush()
    said = json.loads(capsys.readouterr().out)
    (directive,) = said["_aws"]["CloudWatchMetrics"]
    (asked,) = [metric for metric in metrics_of(NAMES) if metric.unit == "ses_out"]
    assert (asked.namespace, asked.stat) == (directive["Namespace"], "SampleCount")
    assert asked.name in said and [list(asked.dimensions)] == directive["Dimensions"]
    assert {name: said[name] for name in asked.dimensions} == asked.dimensions
    assert asked.amount([3.0, 4.0], share=0.5) == 7
    assert "ses_out" in ESTIMATED and not [each for each in metrics_of(NAMES) if each.namespace == "AWS/SES"]


def test_what_is_paid_by_the_month_is_what_the_template_makes() -> None:
    made = [each for each in alarms.resources("prod").values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(made) == 10
    assert CUSTOM_METRICS == 5


def test_every_unit_with_a_price_is_read_or_left_out_with_a_reason() -> None:
    guessed = estimated({}, received=1, people=1, share=1.0, metrics_read=1.0, table=TableSize(1, 1))
    read = {metric.unit for metric in metrics_of(NAMES)} | guessed.keys()
    assert read | LEFT_OUT.keys() == costs.prices().prices.keys()
    assert not read & LEFT_OUT.keys() and all(LEFT_OUT.values())
    assert read >= ESTIMATED >= guessed.keys() - {"alarms", "metrics_read"}


@pytest.mark.engine
def test_what_is_kept_is_paid_by_the_months_share(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"TableSizeBytes": 8e9, "GlobalSecondaryIndexes": [{"IndexSizeBytes": 1e9}, {"IndexSizeBytes": 3e9}]}
    asked: list[str] = []

    def describe_table(TableName: str) -> dict[str, Any]:
        asked.append(TableName)
        return {"Table": sizes}

    monkeypatch.setattr(models.connection().client, "describe_table", describe_table)
    watch = CloudWatch({"BucketSizeBytes": [3e9, 5e9]})
    counts = costs.month(watch, "2026-11", datetime(2026, 11, 16, tzinfo=UTC)).usage.counts
    assert asked == ["test-table"]
    assert counts["dynamodb_gb"] == pytest.approx(6)
    assert counts["dynamodb_backup_gb"] == pytest.approx(4)
    assert counts["s3_gb"] == pytest.approx(2 * 4 / 2), "two buckets, each four GB for half a month"
    whole = costs.month(watch, "2026-10", datetime(2026, 11, 16, tzinfo=UTC)).usage.counts
    assert (whole["dynamodb_gb"], whole["s3_gb"]) == (12, 8)


@pytest.mark.engine
def test_a_table_that_does_not_say_its_size_leaves_no_reading(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def describe_table(TableName: str) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeTable")

    monkeypatch.setattr(models.connection().client, "describe_table", describe_table)
    with pytest.raises(Refused, match="DynamoDB"):
        costs.month(CloudWatch({}), "2026-11", desk.now)
    assert usage.read("2026-11") is None


@pytest.mark.engine
def test_counts_become_dollars(desk: Desk) -> None:
    documents.write("LEDGER", "2026-11-20", an_account("2026-11-20", received=4, shown=4, opened=2))
    watch = CloudWatch({"Count": [30.0, 10.0], "ConsumedWriteCapacityUnits": [100.0], "Duration": [1000.0]})
    found = costs.month(watch, "2026-11", desk.now)
    counts = found.usage.counts
    assert counts["api_requests"] == 40
    assert counts["dynamodb_writes"] == 100 * (1 + len(INDEXES))
    assert counts["lambda_gb_seconds"] == pytest.approx(sum(MEMORY_MB.values()) / 1024)
    assert (found.usage.tickets, found.usage.messages) == (2, 4)
    assert counts["ses_in"] == 4
    assert found.usd_a_ticket == pytest.approx((found.after_free.total + found.after_free.fees) / 2)
    assert found.bill.by_service()["API Gateway"] == pytest.approx(40 * 3.5e-6, rel=1e-6)
    assert found.after_free.total < found.bill.total
    (question,) = watch.asked
    assert question["StartTime"] == datetime(2026, 11, 1, tzinfo=UTC)
    assert {each["MetricStat"]["Period"] for each in question["MetricDataQueries"]} == {86_400}


@pytest.mark.engine
def test_all_pages_of_an_answer_are_read(desk: Desk) -> None:
    watch = CloudWatch({"Count": [1.0], "Invocations": [2.0]}, pages=3)
    found = costs.month(watch, "2026-11", desk.now)
    assert len(watch.asked) == 3
    assert found.usage.counts["api_requests"] == 1
    assert found.usage.counts["lambda_requests"] == 2 * len(FUNCTIONS)


@pytest.mark.engine
def test_cloudwatch_is_asked_at_most_once_an_hour_and_never_again_about_the_past(desk: Desk) -> None:
    watch = CloudWatch({"Count": [5.0]})
    costs.month(watch, "2026-11", desk.now)
    costs.month(watch, "2026-11", desk.advance(minutes=59))
    assert len(watch.asked) == 1
    costs.month(watch, "2026-11", desk.advance(minutes=1))
    assert len(watch.asked) == 2
    over = costs.month(watch, "2026-11", desk.advance(days=20))
    assert len(watch.asked) == 3 and over.is_over
    costs.month(watch, "2026-11", desk.advance(days=40))
    assert len(watch.asked) == 3
    assert over.usage.counts["metrics_read"] == 3 * len(watch.asked[0]["MetricDataQueries"])


@pytest.mark.engine
def test_a_month_paid_so_far_counts_its_alarms_so_far(desk: Desk) -> None:
    found = costs.month(CloudWatch({}), "2026-11", datetime(2026, 11, 16, tzinfo=UTC))
    assert found.usage.counts["alarms"] == pytest.approx(5)


@pytest.mark.engine
def test_an_older_reading_never_replaces_a_newer_one(desk: Desk) -> None:
    newer = Usage("2026-11", MORNING, {"api_requests": 2.0})
    assert usage.keep(newer)
    assert not usage.keep(Usage("2026-11", MORNING - timedelta(minutes=1), {"api_requests": 1.0}))
    assert usage.keep(newer)
    assert usage.read("2026-11") == newer


@pytest.mark.engine
def test_what_the_kept_accounts_do_not_hold_yet_is_counted_once(desk: Desk) -> None:
    costs.month(CloudWatch({}), "2026-11", desk.now)
    assert [account.day for account in ledger.kept("2026-11")] == ["2026-11-20"]


@pytest.mark.engine
def test_a_silent_cloudwatch_is_said_and_nothing_is_kept(desk: Desk) -> None:
    with pytest.raises(Refused, match="CloudWatch"):
        costs.month(CloudWatch({}, broken=True), "2026-11", desk.now)
    assert usage.read("2026-11") is None


@pytest.mark.engine
@pytest.mark.parametrize("part", [{"codes": {"Duration": "InternalError"}}, {"codes": {"Duration": "PartialData"}},
                                  {"codes": {"Duration": "Forbidden"}}, {"silent": frozenset({"Duration"})},
                                  {"pages": costs.PAGES_MOST + 1}])  # fmt: skip
def test_a_part_of_an_answer_is_never_kept_for_the_whole(desk: Desk, part: dict[str, Any]) -> None:
    """Not even of a month that is over, of which the reading is kept for good."""
    watch = CloudWatch({"Count": [3.0]}, **part)
    with pytest.raises(Refused, match="CloudWatch"):
        costs.month(watch, "2026-10", desk.now)
    assert usage.read("2026-10") is None and len(watch.asked) <= costs.PAGES_MOST
    assert costs.month(CloudWatch({"Count": [3.0]}), "2026-10", desk.now).usage.counts["api_requests"] == 3


@pytest.mark.engine
def test_what_is_said_in_part_and_then_in_full_is_whole(desk: Desk) -> None:
    first, second = CloudWatch({"Count": [1.0]}, codes={"Count": "PartialData"}), CloudWatch({"Count": [2.0]})

    class InTwo:
        def get_metric_data(self, **question: Any) -> dict[str, Any]:
            watch = second if "NextToken" in question else first
            more = {} if watch is second else {"NextToken": "0"}
            return {**watch.get_metric_data(**question), **more}

    assert costs.month(InTwo(), "2026-11", desk.now).usage.counts["api_requests"] == 3


@pytest.mark.engine
def test_the_last_whole_reading_is_shown_while_cloudwatch_gives_none(desk: Desk) -> None:
    before = costs.month(CloudWatch({"Count": [5.0]}), "2026-11", desk.now)
    for silent in (CloudWatch({}, broken=True), CloudWatch({}, codes={"Count": "InternalError"})):
        later = costs.month(silent, "2026-11", desk.advance(hours=2))
        assert (later.is_late, later.usage) == (True, before.usage) and not before.is_late
    assert usage.read("2026-11") == before.usage


@pytest.mark.parametrize("month", ["2026-12", "2025-10", "2026-13", "nonsense", ""])
def test_other_months_are_refused(month: str) -> None:
    with pytest.raises(InvalidInput):
        costs.month(CloudWatch({}), month, MORNING)


def test_thirteen_months_can_be_looked_at() -> None:
    assert costs.months(datetime(2026, 1, 31, tzinfo=UTC))[:3] == ("2026-01", "2025-12", "2025-11")
    assert len(costs.months(MORNING)) == 13
