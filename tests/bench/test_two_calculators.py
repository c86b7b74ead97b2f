"""Two calculators of the table's units say the same: the local meter's and the capacity bench's.

They share the sizes of items; what is billed of them is written apart.
"""

from typing import Any

import pytest

from bench import units as bench_units
from local import units

KEYS: dict[str, Any] = {"pk": {"S": "TICKET#1042"}, "sk": {"S": "TICKET"}}
LISTED = {
    "status_key": "open#0", "activity_key": "2026-11-20", "holder_key": "lina", "inbox_key": "support#1",
    "customer_key": "c1", "created_key": "2026-11-20", "subject": "Where is it?", "snippet": "x" * 700,
}  # fmt: skip


def a_ticket(**more: str) -> dict[str, Any]:
    return KEYS | {name: {"S": value} for name, value in (LISTED | more).items()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, a_ticket()),
        (a_ticket(), None),
        (a_ticket(), a_ticket()),
        (a_ticket(), a_ticket(subject="Another")),
        (a_ticket(), a_ticket(status_key="pending#0")),
        (a_ticket(), a_ticket(wait_key="w#0", waiting_key="1", data="y" * 3_000)),
        (a_ticket(time_key="PENDING#1", time_at="1"), a_ticket()),
        (KEYS | {"n": {"N": "12345.670"}, "s": {"SS": ["a", "bb"]}, "l": {"L": [{"S": "a"}]}}, KEYS),
    ],
)
def test_a_write_is_worth_the_same(before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    assert units.write_units(before, after) == bench_units.write_cost(before, after)


@pytest.mark.parametrize("consistent", [True, False])
def test_a_read_is_worth_the_same(consistent: bool) -> None:
    item = a_ticket(data="y" * 9_000)
    asked = {"ConsistentRead": consistent}
    theirs = bench_units.read_operation("GetItem", asked, {"Item": item}, 0).read
    assert units.read_units("GetItem", asked, {"Item": item}) == theirs
