"""What DynamoDB charges for an operation, worked out by ourselves from the request and the items it touches.

Written beside the engine's own figures so that neither is believed alone.  Sizes are those of ``local.units``.  Rules:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html (units of an operation)
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html ("Provisioned throughput considerations")
A transaction doubles its writes.  AWS's text does not say whether those to indexes too, only that they follow after it
(transaction-apis.html).  DynamoDB Local doubles them, and so do we: it is the dearer answer.
``with_indexes_once`` says what the same writes cost where they are not.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.resources.table import INDEXES
from local.units import item_bytes

Item = Mapping[str, Mapping[str, Any]]
"""As DynamoDB writes it: ``{"pk": {"S": "TICKET#1"}, …}``."""
KEYS = ("pk", "sk")
KB = 1024


@dataclass(frozen=True)
class Units:
    read: float = 0.0
    write: float = 0.0

    def __add__(self, other: "Units") -> "Units":
        return Units(self.read + other.read, self.write + other.write)


@dataclass(frozen=True)
class Index:
    """``columns``: what it holds beside its own keys and the table's."""

    name: str
    keys: tuple[str, str]
    columns: tuple[str, ...]

    def entry(self, item: Item | None) -> dict[str, Mapping[str, Any]] | None:
        """What the index holds of an item; None for one that lacks a key."""
        if item is None or not all(key in item for key in self.keys):
            return None
        return {name: item[name] for name in (*KEYS, *self.keys, *self.columns) if name in item}


THE_INDEXES = tuple(Index(name, (hash_key, range_key), columns) for name, hash_key, range_key, columns in INDEXES)


# Single items


def read_units(size: int, consistent: bool) -> float:
    """Of a GetItem, or of all that a Query looked at; nothing found costs the least there is."""
    return max(1, math.ceil(size / (4 * KB))) * (1.0 if consistent else 0.5)


def write_units(size: int) -> float:
    return float(max(1, math.ceil(size / KB)))


def write_cost(before: Item | None, after: Item | None) -> float:
    """Of putting, changing (both images) or deleting one item, with what it causes in the indexes."""
    table = write_units(max((item_bytes(each) for each in (before, after) if each is not None), default=0))
    return table + sum(index_cost(index, before, after) for index in THE_INDEXES)


def index_cost(index: Index, before: Item | None, after: Item | None) -> float:
    """A moved entry is taken out and put in: two writes.  One that stays as it is costs nothing."""
    old, new = index.entry(before), index.entry(after)
    if old is None or new is None:
        present = old or new
        return write_units(item_bytes(present)) if present else 0.0
    if old == new:
        return 0.0
    if all(old[key] == new[key] for key in index.keys):
        return write_units(max(item_bytes(old), item_bytes(new)))
    return write_units(item_bytes(old)) + write_units(item_bytes(new))


# Operations


@dataclass(frozen=True)
class Change:
    """One item before and after an operation."""

    before: Item | None
    after: Item | None


def read_operation(operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any], examined: int) -> Units:
    """A GetItem, BatchGetItem or Query.  ``examined``: bytes of what a query looked at."""
    consistent = bool(asked.get("ConsistentRead"))
    if operation == "GetItem":
        return Units(read=read_units(item_bytes(answer.get("Item", {})), consistent))
    if operation == "BatchGetItem":
        return Units(read=_batch_read(asked, answer))
    return Units(read=read_units(examined, consistent))


def _batch_read(asked: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """Each item for itself; a key that nothing lies under costs the least there is."""
    units = 0.0
    for table, wanted in asked["RequestItems"].items():
        consistent = bool(wanted.get("ConsistentRead"))
        found = answer["Responses"].get(table, ())
        units += sum(read_units(item_bytes(each), consistent) for each in found)
        units += (len(wanted["Keys"]) - len(found)) * read_units(0, consistent)
    return units


def with_indexes_once(changes: Iterable[Change], transaction: bool) -> float:
    """Write units if only the table's writes are doubled."""
    units = 0.0
    for each in changes:
        indexes = sum(index_cost(index, each.before, each.after) for index in THE_INDEXES)
        units += indexes + (write_cost(each.before, each.after) - indexes) * (2 if transaction else 1)
    return units


def write_operation(changes: Iterable[Change], transaction: bool) -> Units:
    return Units(write=sum(write_cost(each.before, each.after) for each in changes) * (2 if transaction else 1))
