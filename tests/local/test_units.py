"""Units as AWS's guide works them out; where it gives an example, that one."""

from typing import Any

import pytest

from local import units

KEYS: dict[str, Any] = {"pk": {"S": "T#1"}, "sk": {"S": "TICKET"}}


def an_item(text_bytes: int, **more: str) -> dict[str, Any]:
    return KEYS | {"data": {"S": "x" * text_bytes}} | {name: {"S": value} for name, value in more.items()}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "né"}, 3), ({"N": "0"}, 2), ({"N": "1234"}, 3), ({"N": "-12345"}, 5), ({"BOOL": True}, 1),
        ({"N": "1200000"}, 2), ({"B": b"abc"}, 3), ({"NS": ["1", "234"]}, 5),
        ({"NULL": True}, 1), ({"SS": ["a", "bc"]}, 3), ({"B": "AAEC"}, 3), ({"L": [{"S": "a"}]}, 5),
        ({"M": {"ab": {"S": "c"}}}, 7),
    ],
)  # fmt: skip
def test_the_size_of_a_value(value: dict[str, Any], size: int) -> None:
    assert units.value_bytes(value) == size


def test_an_items_size_counts_its_names() -> None:
    assert units.item_bytes({"pk": {"S": "ab"}, "sk": {"S": "c"}}) == 7


def test_what_no_attribute_is_has_no_size() -> None:
    with pytest.raises(ValueError, match="kind X"):
        units.value_bytes({"X": "?"})


def test_a_write_costs_a_unit_a_kilobyte_of_the_larger_image() -> None:
    assert units.write_units(None, an_item(10)) == 1
    assert units.write_units(an_item(2_500), an_item(10)) == 3
    assert units.write_units(an_item(2_500), None) == 3


def test_an_index_costs_when_its_entry_comes_changes_moves_or_goes() -> None:
    inside = an_item(10, status_key="open#0", activity_key="a", subject="Hi")
    assert units.write_units(None, inside) == 2
    assert units.write_units(inside, inside | {"data": {"S": "y"}}) == 1
    assert units.write_units(inside, inside | {"subject": {"S": "Ho"}}) == 2
    assert units.write_units(inside, inside | {"activity_key": {"S": "b"}}) == 3
    assert units.write_units(inside, an_item(10)) == 2


def test_reads_cost_half_unless_consistent() -> None:
    found = {"Item": an_item(5_000)}
    assert units.read_units("GetItem", {}, found) == 1.0
    assert units.read_units("GetItem", {"ConsistentRead": True}, found) == 2.0
    assert units.read_units("GetItem", {}, {}) == 0.5


def test_a_query_adds_up_before_it_rounds_and_a_batch_after() -> None:
    items = [an_item(1_000)] * 8
    assert units.read_units("Query", {}, {"Items": items}) == 1.0
    asked: dict[str, Any] = {"RequestItems": {"desk": {"Keys": [{}] * 9}}}
    assert units.read_units("BatchGetItem", asked, {"Responses": {"desk": items}}) == 4.5
    assert units.read_units("TransactGetItems", {}, {"Responses": [{"Item": items[0]}]}) == 2.0


def test_the_table_is_found_in_every_kind_of_request() -> None:
    put = {"Put": {"TableName": "desk"}}
    requests: list[dict[str, Any]] = [
        {"TableName": "desk"}, {"RequestItems": {"desk": []}}, {"TransactItems": [put]},
    ]  # fmt: skip
    for request in requests:
        assert units.table_of(request) == "desk"
    assert units.conditions_checked({"TransactItems": [put, {"ConditionCheck": {}}]}) == 1


def test_what_is_stored_counts_with_its_index_entries() -> None:
    inside = an_item(10, status_key="open#0", activity_key="a")
    alone = units.item_bytes(an_item(10)) + 100
    assert units.stored_bytes(an_item(10)) == alone
    assert units.stored_bytes(inside) > 2 * alone
