"""The simulated AWS answers as the embedded engine and AWS's own DynamoDB Local do.

The same requests go to all of them; answers, end states and streams must be equal.  Where an engine differs from what
AWS documents, the difference stands in ``DEVIATIONS`` with its reason, and nowhere else.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from unittest.mock import patch

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from bench import dynamodb_local
from infra.resources import table as table_resource
from local.engine import client as engine_client
from tests.simulation import history
from tests.simulation.aws import Aws
from tests.simulation.conformance import TABLE, Draw, Request
from tests.simulation.named import NAMED

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(900)]

SEQUENCES = 25
REQUESTS = 60
DEFINITION = {
    "TableName": TABLE,
    **{name: table_resource.resources("test")["Table"]["Properties"][name] for name in dynamodb_local.CREATED_WITH},
}
Call = Callable[[str, dict[str, Any]], Any]


@dataclass(frozen=True)
class Refused:
    """An error's code, the reasons of a cancelled transaction, and the items they tell of."""

    code: str
    reasons: tuple[str, ...] = ()
    shown: str = ""


@dataclass(frozen=True)
class Deviation:
    """In the named case ``case`` ``engine`` answers ``theirs``, the simulation ``mine``: an error's code, or "ok"."""

    engine: str
    case: str
    mine: str
    theirs: str
    reason: str


INVALID = "ValidationException"
DEVIATIONS = (
    Deviation(
        "DynamoDB Local", "an update that cannot be, in a transaction", "TransactionCanceledException", INVALID,
        "AWS lists it among the cancellation reasons (ValidationError); the engine does as AWS says",
    ),
    Deviation(
        "DynamoDB Local", "an item twice in a transaction that is refused anyway", INVALID,
        "TransactionCanceledException", "it looks at the conditions first; AWS looks at the request first",
    ),
    Deviation("engine", "a page ends at 1 MB", "ok", "ok", "its page ends before 1 MB, AWS's with what passes it"),
    Deviation("engine", "a number added to a text", INVALID, "ok", "it leaves the item as it is and says nothing"),
    Deviation("engine", "an attribute twice in an update", INVALID, "ok", "it takes the last one"),
    Deviation("engine", "sort keys other than one", INVALID, "ok", "it knows more key conditions than AWS"),
    Deviation("engine", "a filter on a key", INVALID, "ok", "it filters keys as anything else"),
    Deviation(
        "engine", "a filter on what the index does not hold", INVALID, "ok", "it takes the attribute as absent",
    ),
)  # fmt: skip


@cache
def recorded(histories: int = 3) -> tuple[Request, ...]:
    """What the desk itself asks of DynamoDB in some histories, faults and all."""
    found: list[Request] = []
    real = Aws.call

    def call(aws: Aws, service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if service == "dynamodb" and operation != "DescribeTable":  # how large a table is, each engine says its own way
            found.append((operation, _of_table(arguments)))
        return real(aws, service, operation, arguments)

    with patch.object(Aws, "call", call):
        for seed in range(1, histories + 1):
            history.run(history.Plan(seed))
    return tuple(found)


def _of_table(value: Any) -> Any:
    """The same request of the table that is compared; bytes stay bytes."""
    if isinstance(value, dict):
        return {_of_table(name): _of_table(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_of_table(each) for each in value]
    return TABLE if value == "sim-table" else copy.copy(value)


def outcome(call: Call, request: Request) -> Any:
    """An answer, or a refusal, in one form for all engines."""
    operation, arguments = request
    try:
        answer = plain(call(operation, copy.deepcopy(arguments)))
    except ClientError as error:
        reasons: Any = error.response.get("CancellationReasons", [])
        shown = [plain(each.get("Item", {})) for each in (error.response, *reasons)]
        codes = tuple(each["Code"] for each in reasons)
        return Refused(error.response["Error"]["Code"], codes, repr([_sorted(each) for each in shown]))
    for part in answer.get("Responses", {}).values() if operation == "BatchGetItem" else ():
        part.sort(key=lambda item: (item["pk"]["S"], item["sk"]["S"]))  # a batch has no order
    return answer


def _sorted(item: dict[str, Any]) -> list[Any]:
    return sorted(item.items())


def plain(value: Any) -> Any:
    """Without what describes the call; sets in order; numbers as numbers (an engine may keep idle digits)."""
    if isinstance(value, dict) and value.keys() == {"N"}:
        return {"N": str(Decimal(value["N"]).normalize() + 0)}
    if isinstance(value, dict):
        return {
            name: sorted(held) if name in ("SS", "NS", "BS") else plain(held)
            for name, held in value.items()
            if name not in ("ResponseMetadata", "ConsumedCapacity") and not (name == "Attributes" and not held)
        }
    return [plain(each) for each in value] if isinstance(value, list) else value


def equal(mine: Any, theirs: Any, more: Callable[[Any], bool]) -> bool:
    """``more``: does a page follow?  At a list's very end AWS may say "perhaps": the next page is empty then."""
    ends = [isinstance(each, dict) and each.get("LastEvaluatedKey") for each in (mine, theirs)]
    if any(ends) and not all(ends) and isinstance(mine, dict) and isinstance(theirs, dict):
        if more(ends[0] or ends[1]):
            return False
        mine, theirs = ({**each, "LastEvaluatedKey": None} for each in (mine, theirs))
    return bool(mine == theirs)


class Pair:
    """The simulation beside an engine."""

    def __init__(self, name: str, client: Any) -> None:
        self.name, self.client = name, client
        self.aws = Aws(lambda: 1_790_000_000.0)
        self.kinds: Counter[str] = Counter()
        self.differences: list[str] = []
        self.met: set[int] = set()
        self.aws.call("dynamodb", "CreateTable", DEFINITION)
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        client.create_table(**DEFINITION, StreamSpecification=stream)

    def mine(self, operation: str, arguments: dict[str, Any]) -> Any:
        return self.aws.call("dynamodb", operation, arguments)

    def theirs(self, operation: str, arguments: dict[str, Any]) -> Any:
        return getattr(self.client, xform_name(operation))(**arguments)

    def compare(self, what: str, request: Request) -> None:
        operation, arguments = request
        mine, theirs = outcome(self.mine, request), outcome(self.theirs, request)
        self.kinds[f"{operation} {mine.code if isinstance(mine, Refused) else 'ok'}"] += 1

        def more(key: Any) -> bool:
            return bool(self.mine(operation, {**arguments, "ExclusiveStartKey": key})["ScannedCount"])

        if equal(mine, theirs, more) or self._known(what, mine, theirs):
            return
        self.differences.append(f"{what}: {operation} {arguments}\n  simulated {mine}\n  {self.name} {theirs}")

    def _known(self, what: str, mine: Any, theirs: Any) -> bool:
        codes = [each.code if isinstance(each, Refused) else "ok" for each in (mine, theirs)]
        found = [n for n, each in enumerate(DEVIATIONS) if [each.engine, each.case, each.mine, each.theirs] ==
                 [self.name, what, *codes]]  # fmt: skip
        self.met.update(found)
        return bool(found)

    def compare_end_state(self) -> None:
        table = self.aws.dynamodb.tables[TABLE]
        for index in (None, *(each["IndexName"] for each in DEFINITION["GlobalSecondaryIndexes"])):
            where = {"IndexName": index} if index else {}
            pages = self.client.get_paginator("scan").paginate(TableName=TABLE, **where)
            theirs = {_key(item): plain(item) for page in pages for item in page["Items"]}
            mine = {_key(item): plain(item) for item in table.view(index, consistent=index is None).images.values()}
            assert mine == theirs, f"{self.name}: {index or 'the table'} ends otherwise"


def compare_streams(pair: Pair, streams: Any) -> None:
    """Each item's changes, in their order.  ``streams``: a client of the engine's streams."""
    theirs: dict[tuple[str, str], list[Any]] = {}
    arn = streams.list_streams(TableName=TABLE)["Streams"][0]["StreamArn"]
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        where = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**where)["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                theirs.setdefault(_key(record["dynamodb"]["Keys"]), []).append(_change(record))
            iterator = page.get("NextShardIterator") if page["Records"] else None
    mine: dict[tuple[str, str], list[Any]] = {}
    for records in pair.aws.dynamodb.tables[TABLE].shards:
        for record in records:
            mine.setdefault(_key(record["dynamodb"]["Keys"]), []).append(_change(record))
    assert sum(map(len, mine.values())) > 300
    assert mine == theirs


def _change(record: Any) -> tuple[str, Any, Any]:
    images = (plain(record["dynamodb"].get(each)) for each in ("OldImage", "NewImage"))
    return (record["eventName"], *images)


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def run(pair: Pair) -> None:
    for name, requests in NAMED.items():
        for request in requests:
            pair.compare(name, request)
    for seed in range(SEQUENCES):
        for request in Draw(seed, sound=pair.name == "engine").requests(REQUESTS):
            pair.compare(f"sequence {seed}", request)
    asked = recorded()
    assert {operation for operation, _ in asked} >= {"TransactWriteItems", "UpdateItem", "PutItem", "Query", "GetItem"}
    for request in asked:
        pair.compare("recorded", request)
    assert not pair.differences, "\n".join(pair.differences[:10])
    pair.compare_end_state()
    wanted_of = {n for n, each in enumerate(DEVIATIONS) if each.engine == pair.name}
    assert pair.met == wanted_of, "a deviation is gone: take it off the list"
    wanted = {
        "PutItem": ("ok", "ConditionalCheckFailedException"),
        "UpdateItem": ("ok", "ConditionalCheckFailedException"),
        "DeleteItem": ("ok", "ConditionalCheckFailedException"),
        "TransactWriteItems": ("ok", "TransactionCanceledException"),
        "Query": ("ok",),
        "BatchGetItem": ("ok",), "BatchWriteItem": ("ok",), "TransactGetItems": ("ok",), "GetItem": ("ok",),
    }  # fmt: skip
    seldom = [f"{each} {code}" for each, codes in wanted.items() for code in codes if pair.kinds[f"{each} {code}"] < 5]
    assert not seldom, "the requests no longer reach these"


@pytest.fixture(scope="module")
def local() -> Iterator[str]:
    try:
        with dynamodb_local.running() as endpoint:
            yield endpoint
    except dynamodb_local.Unavailable as error:
        pytest.skip(str(error))


def test_dynamodb_answers_as_dynamodb_local_does(local: str) -> None:
    client = dynamodb_local.client(local)
    pair = Pair("DynamoDB Local", client)
    run(pair)
    session: Any = botocore.session.Session()
    session.set_credentials("bench", "bench")  # streams are kept apart by credentials, as tables are
    compare_streams(
        pair, session.create_client("dynamodbstreams", region_name=dynamodb_local.REGION, endpoint_url=local)
    )


def test_dynamodb_answers_as_the_engine_does(engine: str) -> None:
    client = engine_client(engine, "dynamodb")
    try:
        run(Pair("engine", client))
    finally:
        client.delete_table(TableName=TABLE)
