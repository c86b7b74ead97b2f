"""Counts what the desk's own code costs in DynamoDB, call by call: as the engine reports it and as we work it out.

    with Meter(dynamodb_client) as meter:
        read_ticket.open_ticket("1042", "lina")
    meter.units().read, meter.reported().read

It stands where botocore makes its calls, so it sees every client.  What lies in the table before and after a write is
read by a client of the meter's own, which is not counted.

DynamoDB Local counts single calls as AWS does, but two things not (3.3.0): of equal amounts within one transaction it
reports one, and a query that finds nothing is free.  So a transaction's items are written once more, one by one, to a
``shadow`` table, and what the engine takes for them is doubled; an empty query costs AWS's least.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from bench.units import (
    THE_INDEXES,
    Change,
    Item,
    Units,
    read_operation,
    read_units,
    with_indexes_once,
    write_operation,
)
from local.units import item_bytes

CLIENT: Any = BaseClient
"""Typed loosely: botocore's own entrance of every call is no part of its stubs."""
READS = ("GetItem", "BatchGetItem", "Query")
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
OPERATIONS = (*READS, *WRITES)
NOTHING: Item = {"pk": {"S": "nothing"}, "sk": {"S": "nothing"}}
"""What a delete of something absent stands for."""
NEVER = ("Scan", "TransactGetItems", "ExecuteStatement", "BatchExecuteStatement")
"""No page of the desk may need one (principle: cost grows with work, not with data)."""


@dataclass(frozen=True)
class Call:
    """One call.  ``items``: found by a read, or written.  refused: a condition failed."""

    operation: str
    units: Units
    reported: Units
    items: int
    index: str = ""
    changes: tuple[Change, ...] = ()
    refused: bool = False

    @property
    def written_with_indexes_once(self) -> float:
        return with_indexes_once(self.changes, self.operation == "TransactWriteItems")


@dataclass
class Meter:
    """``probe``: a client for the meter's own looks.  ``shadow``: a table like the desk's, for transactions."""

    probe: Any
    shadow: str = ""
    calls: list[Call] = field(default_factory=list)
    _real: Any = None
    _looking: bool = False

    def __enter__(self) -> "Meter":
        self._real = CLIENT._make_api_call

        def call(client: Any, operation: str, asked: dict[str, Any]) -> Any:
            if client.meta.service_model.service_name != "dynamodb" or self._looking:
                return self._real(client, operation, asked)
            return self._counted(client, operation, asked)

        CLIENT._make_api_call = call
        return self

    def __exit__(self, *_: object) -> None:
        CLIENT._make_api_call = self._real

    def units(self) -> Units:
        return sum((call.units for call in self.calls), Units())

    def reported(self) -> Units:
        return sum((call.reported for call in self.calls), Units())

    def changes(self) -> list[Change]:
        return [change for call in self.calls for change in call.changes]

    def counted(self) -> str:
        """How often which operation, for people: "GetItem 3, Query 2"."""
        names = [f"{call.operation}{f' {call.index}' if call.index else ''}" for call in self.calls]
        return ", ".join(f"{name} {names.count(name)}" for name in dict.fromkeys(names))

    def _counted(self, client: Any, operation: str, asked: dict[str, Any]) -> Any:
        if operation in NEVER:
            raise AssertionError(f"{operation}: no page of the desk may need one")
        if operation not in OPERATIONS:
            return self._real(client, operation, asked)
        keys = _written_keys(operation, asked)
        before = [self._look(asked, table, key) for table, key in keys]
        try:
            answer = self._real(client, operation, {**asked, "ReturnConsumedCapacity": "INDEXES"})
        except ClientError:
            kept = tuple(Change(each, each) for each in before)
            doubled = operation == "TransactWriteItems"
            self.calls.append(
                Call(operation, write_operation(kept, doubled), Units(), len(keys), changes=kept, refused=True)
            )
            raise
        self.calls.append(self._made(operation, asked, answer, keys, before))
        return answer

    def _made(
        self,
        operation: str,
        asked: Mapping[str, Any],
        answer: Mapping[str, Any],
        keys: Sequence[tuple[str, Item]],
        before: Sequence[Item | None],
    ) -> Call:
        if operation in READS:
            found = _found(operation, answer)
            size = self._examined(asked, answer) if operation == "Query" else 0
            units = read_operation(operation, asked, answer, size)
            reported = _reported(operation, answer)
            if operation == "Query" and not found:
                reported = Units(read=max(reported.read, read_units(0, bool(asked.get("ConsistentRead")))))
            return Call(operation, units, reported, len(found), str(asked.get("IndexName", "")))
        changes = tuple(Change(old, self._look(asked, *where)) for old, where in zip(before, keys, strict=True))
        doubled = operation == "TransactWriteItems"
        reported = _reported(operation, answer)
        if doubled and self.shadow:
            reported = Units(write=2 * sum(self._written_alone(each) for each in changes))
        return Call(operation, write_operation(changes, doubled), reported, len(keys), changes=changes)

    def _written_alone(self, change: Change) -> float:
        """What the engine takes for the same write outside a transaction."""
        key = {name: (change.after or change.before or NOTHING)[name] for name in ("pk", "sk")}
        self._looking = True
        try:
            self.probe.delete_item(TableName=self.shadow, Key=key)
            if change.before is not None:
                self.probe.put_item(TableName=self.shadow, Item=change.before)
            if change.after is None:
                done = self.probe.delete_item(TableName=self.shadow, Key=key, ReturnConsumedCapacity="INDEXES")
            else:
                done = self.probe.put_item(TableName=self.shadow, Item=change.after, ReturnConsumedCapacity="INDEXES")
        finally:
            self._looking = False
        return float(done["ConsumedCapacity"]["CapacityUnits"])

    def _examined(self, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> int:
        """Bytes of what a query looked at: of whole items or entries, even where it answers less of them."""
        if "FilterExpression" in asked or "ProjectionExpression" in asked:
            raise AssertionError("a filtered query's cost cannot be seen from its answer")
        index = next((each for each in THE_INDEXES if each.name == asked.get("IndexName")), None)
        entries = (index.entry(item) if index else item for item in answer["Items"])
        return sum(item_bytes(each or {}) for each in entries)

    def _look(self, asked: Mapping[str, Any], table: str, key: Item) -> Item | None:
        self._looking = True
        try:
            found: Item | None = self.probe.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
            return found
        finally:
            self._looking = False


def _written_keys(operation: str, asked: Mapping[str, Any]) -> list[tuple[str, Item]]:
    """Table and key of each item that a call writes."""
    if operation == "TransactWriteItems":
        actions = [next(iter(each.items())) for each in asked["TransactItems"]]
        return [(action["TableName"], _key(action)) for _, action in actions]
    if operation == "BatchWriteItem":
        requests = ((table, request) for table, all_of in asked["RequestItems"].items() for request in all_of)
        return [(table, _key(next(iter(request.values())))) for table, request in requests]
    if operation in WRITES:
        return [(asked["TableName"], _key(asked))]
    return []


def _key(action: Mapping[str, Any]) -> Item:
    whole: Item = action.get("Key") or action["Item"]
    return {name: whole[name] for name in ("pk", "sk")}


def _found(operation: str, answer: Mapping[str, Any]) -> list[Item]:
    if operation == "GetItem":
        return [answer["Item"]] if "Item" in answer else []
    if operation == "BatchGetItem":
        return [item for found in answer["Responses"].values() for item in found]
    return list(answer["Items"])


def _reported(operation: str, answer: Mapping[str, Any]) -> Units:
    """What the engine says it took, table and indexes together."""
    consumed = answer.get("ConsumedCapacity", ())
    each: Iterable[Mapping[str, Any]] = [consumed] if isinstance(consumed, Mapping) else consumed
    total = float(sum(part.get("CapacityUnits", 0.0) for part in each))
    return Units(read=total) if operation in READS else Units(write=total)
