"""What the desk's ways to its table cost: counts and sizes, no clock.

The rules of the calculator against sizes worked out by hand, then every way once on the embedded engine, whose answers
the calculator prices.  ``bench.capacity`` does the same on DynamoDB Local at sizes up to 100 k and more.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.request import Request, urlopen

import pytest

from bench import capacity, generate, units
from bench.generate import SUPPORT
from bench.meter import Call
from bench.metered import Metered, metered, prepare_engine
from bench.patterns import ACTS, Cast
from bench.units import THE_INDEXES, Change, Units
from infra.resources import table as table_resource
from local.engine import client as engine_client

TICKETS = 620
TABLE = "counted"
CREATED_WITH = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


# The rules


@pytest.mark.parametrize(("size", "read", "write"), [(0, 0.5, 1), (1024, 0.5, 1), (1025, 0.5, 2), (4097, 1.0, 5)])
def test_units_go_up_in_steps(size: int, read: float, write: float) -> None:
    assert units.read_units(size, consistent=False) == read
    assert units.read_units(size, consistent=True) == 2 * read
    assert units.write_units(size) == write


def ticket(**values: str) -> units.Item:
    listed = {"status_key": "open#0", "activity_key": "1", "customer_key": "c1", "created_key": "0"}
    return {name: {"S": text} for name, text in {"pk": "TICKET#1", "sk": "TICKET", **listed, **values}.items()}


@pytest.mark.parametrize(
    ("before", "after", "cost"),
    [
        (None, ticket(), 1 + 2),
        (ticket(), None, 1 + 2),
        (ticket(), ticket(), 1),
        (ticket(), ticket(data="what no index holds"), 1),
        (ticket(), ticket(snippet="what by_status holds"), 1 + 1),
        (ticket(), ticket(status="what both hold"), 1 + 2),
        (ticket(), ticket(activity_key="2"), 1 + 2),
        (ticket(), ticket(inbox_key="i1#0"), 1 + 1),
        (ticket(data="x" * 2900), ticket(data="x"), 3),
    ],
    ids=["put", "delete", "same", "unseen", "column", "both", "moved", "enters", "shrinks"],
)
def test_what_a_write_costs_with_its_indexes(before: units.Item | None, after: units.Item | None, cost: float) -> None:
    assert units.write_cost(before, after) == cost
    assert units.write_operation([Change(before, after)], transaction=True) == Units(write=2 * cost)


def test_a_transaction_may_double_the_table_alone() -> None:
    assert units.with_indexes_once([Change(None, ticket())], transaction=True) == 2 + 2


def test_a_batch_read_rounds_each_item_up() -> None:
    wanted: dict[str, Any] = {"RequestItems": {"t": {"Keys": [{}, {}, {}]}}}
    answer = {"Responses": {"t": [{"pk": {"S": "x" * 5000}}, {"pk": {"S": "x"}}]}}

    assert units.read_operation("BatchGetItem", wanted, answer, 0).read == 1.0 + 0.5 + 0.5


def test_the_indexes_are_those_of_the_template() -> None:
    assert [each.name for each in THE_INDEXES] == [name for name, *_ in table_resource.INDEXES]


# The ways


@pytest.fixture(scope="module")
def counted(engine: str) -> Iterator[Metered]:
    """Every way done on a desk of TICKETS tickets."""
    urlopen(Request(f"{engine}/_ministack/reset", method="POST"), timeout=30).close()
    client = partial(engine_client, engine)
    properties = table_resource.resources("test")["Table"]["Properties"]
    table = client("dynamodb")
    table.create_table(TableName=TABLE, **{each: properties[each] for each in CREATED_WITH})
    generate.fill(table, TABLE, TICKETS)
    prepare_engine(client, SUPPORT.address)
    with metered(engine, engine, TABLE, table) as desk:
        cast = Cast()
        for act in ACTS:
            act(desk, cast)
        yield desk


@pytest.mark.engine
@pytest.mark.parametrize("row", [row for row in capacity.ROWS if row.limit], ids=lambda row: row.figure)
def test_stays_within_its_budget(counted: Metered, row: capacity.Row) -> None:
    figures = capacity.figures_of(counted, [row])

    assert figures[row.figure] <= (row.limit or 0.0)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("step", "most"),
    [
        ("list open", {"Query": 4}),
        ("list mine", {"Query": 1}),
        ("open a ticket", {"GetItem": 4, "Query": 4}),
        ("search, two words", {"Query": 7, "BatchGetItem": 1}),
        ("sweep, nothing due", {"Query": 4}),
        ("inbound, writes again", {"GetItem": 7, "Query": 4, "BatchGetItem": 1, "TransactWriteItems": 1}),
        ("inbound, new ticket", {"GetItem": 5, "UpdateItem": 1, "TransactWriteItems": 1}),
        ("answer: queue", {"GetItem": 4, "Query": 1, "TransactWriteItems": 1}),
        ("answer: send", {"GetItem": 8, "Query": 1, "UpdateItem": 3, "PutItem": 2}),
        ("answer: delivered", {"GetItem": 1, "UpdateItem": 1}),
        ("assign", {"GetItem": 4, "Query": 2, "TransactWriteItems": 1}),  # what hours are in force
    ],
)
def test_makes_no_more_calls(counted: Metered, step: str, most: dict[str, int]) -> None:
    for calls in counted.steps[step]:
        made = Counter(call.operation for call in calls)
        assert all(made[operation] <= most.get(operation, 0) for operation in made), made


@pytest.mark.engine
@pytest.mark.parametrize(
    ("step", "items"),
    [
        ("inbound, writes again: transaction", 4),
        ("inbound, known ticket: transaction", 4),
        ("inbound, quotes and HTML: transaction", 5),
        ("inbound, new ticket: transaction", 6),
        ("answer: queue", 6),
        ("assign", 3),
    ],
)
def test_commits_no_more_items_at_once(counted: Metered, step: str, items: int) -> None:
    for calls in counted.steps[step]:
        assert max(_items(call) for call in calls) <= items


def _items(call: Call) -> int:
    return call.items if call.operation == "TransactWriteItems" else 0


@pytest.mark.engine
def test_nothing_is_refused_and_every_row_is_measured(counted: Metered) -> None:
    assert not [call for runs in counted.steps.values() for calls in runs for call in calls if call.refused]
    assert {row.figure for row in capacity.ROWS} == set(capacity.figures_of(counted))


# The data


def test_the_data_is_the_same_every_time_and_on_every_size() -> None:
    once, again = (generate.story(7) for _ in range(2))

    assert once == again
    assert [item.serialize() for item in generate.items_of(7)] == [item.serialize() for item in generate.items_of(7)]


def test_the_data_holds_what_a_desk_holds() -> None:
    told = [generate.story(n) for n in range(TICKETS)]
    statuses = Counter(each.ticket.status for each in told)

    assert set(statuses) == {"open", "pending", "resolved", "closed", "spam", "trash"}
    assert any(each.is_snoozed for each in told)
    assert len({each.customer.id for each in told}) < len(told)
    assert all(each.ticket.subject == replace(each.ticket).subject.strip() for each in told)
    for each in told[: generate.WHOLE]:
        said = list(generate.conversation(each))
        assert said[-1].id == each.ticket.last_message_id
        assert [one.id for one in said if one.direction == "in"][-1] == each.ticket.last_inbound_id
