"""Read and write units as AWS bills them, from the items themselves: the engine's own figures for reads are constants.

Rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html and, for sizes,
CapacityUnitCalculations.html beside it.  An item of a transaction counts twice, its index entries too: the guide does
not say whether they do, and DynamoDB Local says yes.
"""

import base64
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from infra.resources.table import INDEXES

Item = Mapping[str, Any]
"""In DynamoDB's notation: ``{"pk": {"S": "…"}}``."""

WRITE_BYTES, READ_BYTES, COLLECTION_BYTES = 1024, 4096, 3
READS = {"GetItem": "Item", "Query": "Items", "BatchGetItem": "Responses", "TransactGetItems": "Responses"}
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})


def value_bytes(value: Mapping[str, Any]) -> int:
    """``B``: as boto3 hands it out, or as it travels."""
    ((kind, held),) = value.items()
    if kind == "S":
        return len(held.encode())
    if kind == "N":
        return _number_bytes(held)
    if kind == "B":
        return len(base64.b64decode(held)) if isinstance(held, str) else len(held)
    if kind in ("BOOL", "NULL"):
        return 1
    if kind in ("SS", "NS", "BS"):
        return sum(value_bytes({kind[0]: each}) for each in held)
    if kind == "L":
        return COLLECTION_BYTES + sum(1 + value_bytes(each) for each in held)
    if kind == "M":
        return COLLECTION_BYTES + sum(1 + len(name.encode()) + value_bytes(each) for name, each in held.items())
    raise ValueError(f"nothing is known of an attribute of kind {kind}")


def _number_bytes(text: str) -> int:
    """One byte for each two significant digits, and one; zeros before and behind do not count.

    "Approximately", says the guide, and nothing of 0 and of the sign: the dearer answer.
    """
    digits = text.lstrip("-").split("e")[0].replace(".", "").strip("0")
    return math.ceil(max(1, len(digits)) / 2) + 1 + (1 if text.startswith("-") else 0)


def item_bytes(item: Item | None) -> int:
    return sum(len(name.encode()) + value_bytes(value) for name, value in (item or {}).items())


def _entry(item: Item | None, keys: tuple[str, str], columns: Iterable[str]) -> dict[str, Any] | None:
    """What an index holds of an item; None when it lacks one of the index's keys."""
    if not item or any(key not in item for key in keys):
        return None
    wanted = {"pk", "sk", *keys, *columns}
    return {name: value for name, value in item.items() if name in wanted}


def _units(size_bytes: int, step: int) -> int:
    return max(1, math.ceil(size_bytes / step))


def write_units(old: Item | None, new: Item | None) -> int:
    """Of one write that is not part of a transaction: the table and every index it touches."""
    total = _units(max(item_bytes(old), item_bytes(new)), WRITE_BYTES)
    for _, hash_key, range_key, columns in INDEXES:
        keys = (hash_key, range_key)
        before, after = _entry(old, keys, columns), _entry(new, keys, columns)
        if before == after:
            continue
        moved = before and after and any(before[key] != after[key] for key in keys)
        sizes = (item_bytes(before), item_bytes(after))
        total += sum(_units(size, WRITE_BYTES) for size in sizes) if moved else _units(max(sizes), WRITE_BYTES)
    return total


def read_units(operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """Of one answered read."""
    if operation == "GetItem":
        return _read(item_bytes(answer.get("Item")), bool(request.get("ConsistentRead")))
    if operation == "Query":
        found = answer.get("Items", ())
        return _read(sum(item_bytes(item) for item in found), bool(request.get("ConsistentRead")))
    if operation == "TransactGetItems":
        return sum(2 * _read(item_bytes(each.get("Item")), True) for each in answer.get("Responses", ()))
    total = 0.0
    for table, asked in request.get("RequestItems", {}).items():
        found = answer.get("Responses", {}).get(table, ())
        consistent = bool(asked.get("ConsistentRead"))
        total += sum(_read(item_bytes(item), consistent) for item in found)
        total += _read(0, consistent) * max(0, len(asked.get("Keys", ())) - len(found))
    return total


def _read(size_bytes: int, consistent: bool) -> float:
    return _units(size_bytes, READ_BYTES) * (1.0 if consistent else 0.5)


def conditions_checked(request: Mapping[str, Any]) -> int:
    """ConditionChecks of a transaction, which write nothing and are billed like writes."""
    return sum(1 for each in request.get("TransactItems", ()) if "ConditionCheck" in each)


def table_of(request: Mapping[str, Any]) -> str:
    """The table a request names; ours name one."""
    if "TableName" in request:
        return str(request["TableName"])
    if "RequestItems" in request:
        return str(next(iter(request["RequestItems"])))
    return next(str(part["TableName"]) for item in request["TransactItems"] for part in item.values())


def decoded(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def stored_bytes(item: Item) -> int:
    """What storage is billed for: the item and its index entries, each with 100 bytes of overhead."""
    entries = [_entry(item, (hash_key, range_key), columns) for _, hash_key, range_key, columns in INDEXES]
    return sum(item_bytes(each) + 100 for each in (item, *entries) if each)
