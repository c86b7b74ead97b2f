"""DynamoDB: the operations that the desk calls.  There is no Scan: the desk must never make one."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.aws.errors import client_error, invalid, only
from tests.simulation.aws.expressions import Given, check_update, holds, key_condition, names_in, projected, updated
from tests.simulation.aws.table import Key, Table, View
from tests.simulation.aws.values import Item, handed_out, item_size, normal_item

PAGE_BYTES = 1024 * 1024
BATCH_GET_BYTES = 16 * 1024 * 1024
TRANSACTION_BYTES = 4 * 1024 * 1024
MAX_TRANSACTION = 100
MAX_BATCH_GET = 100
MAX_BATCH_WRITE = 25
TOKEN_SECONDS = 600
IGNORED = ("ReturnConsumedCapacity", "ReturnItemCollectionMetrics")
NAMED = ("ExpressionAttributeNames", "ExpressionAttributeValues")
CONDITIONAL = ("ConditionExpression", "ReturnValuesOnConditionCheckFailure", *NAMED)


@dataclass
class _Write:
    """One write: first its condition is looked at, then what it makes of the item, and only then it is done."""

    table: Table
    key: Key
    request: Mapping[str, Any]
    make: Callable[[Item | None], tuple[Item | None, frozenset[str]]]
    """What the item becomes, and the attributes that an update names."""
    changes: bool = True
    size: int = 0

    def __post_init__(self) -> None:
        self.before = self.table.items.images.get(self.key)
        self.after = self.before
        self.touched: frozenset[str] = frozenset()

    def refused(self) -> dict[str, Any] | None:
        """The item that a refusal tells of (often none); None when the condition holds."""
        if holds(self.request.get("ConditionExpression"), self.before or {}, Given.of(self.request)):
            return None
        told = self.request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and self.before is not None
        return {"Item": handed_out(self.before)} if told and self.before is not None else {}

    def look(self) -> None:
        """Raise where the item cannot become what the write says."""
        if self.changes:
            self.after, self.touched = self.make(self.before)
            self.size = 0 if self.after is None else self.table.checked(self.after)

    def do(self) -> None:
        if self.changes:
            self.table.write(self.key, self.after, self.size)


class DynamoDB:
    """Knobs, for the simulation to turn: ``index_delay`` gives the seconds after which indexes and eventually
    consistent reads see a write; ``unprocessed`` says how many of a batch's n entries AWS leaves undone.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._tokens: dict[str, tuple[float, str]] = {}
        self.tables: dict[str, Table] = {}
        self.index_delay: Callable[[], float] = lambda: 0.0
        self.unprocessed: Callable[[int], int] = lambda entries: 0

    def create_table(self, request: dict[str, Any]) -> dict[str, Any]:
        types = {each["AttributeName"]: each["AttributeType"] for each in request["AttributeDefinitions"]}
        if set(types.values()) != {"S"}:
            raise NotImplementedError("the simulated DynamoDB knows string keys alone")
        self.tables[request["TableName"]] = Table(request, self._now, lambda: self.index_delay())
        return {"TableDescription": {"TableName": request["TableName"], "TableStatus": "ACTIVE"}}

    def describe_table(self, request: dict[str, Any]) -> dict[str, Any]:
        """Its size is still unknown: AWS looks about every six hours."""
        only(request, "TableName")
        return {"Table": {"TableName": self._table(request).name, "TableStatus": "ACTIVE", "TableSizeBytes": 0}}

    def expire(self, table_name: str, attribute: str = "expires_at") -> int:
        """Delete what DynamoDB's time to live would have deleted by now (it may take days); returns how many."""
        table, now = self.tables[table_name], self._now()
        late = [key for key, item in table.items.images.items() if float(item.get(attribute, {}).get("N", now)) < now]
        for key in late:
            table.write(key, None, 0, by="dynamodb.amazonaws.com")
        return len(late)

    def _table(self, request: Mapping[str, Any]) -> Table:
        name = request["TableName"]
        if name not in self.tables:
            raise client_error("ResourceNotFoundException", "Requested resource not found")
        return self.tables[name]

    # one item

    def get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "TableName", "Key", "ConsistentRead", "ProjectionExpression", *NAMED, *IGNORED)
        table = self._table(request)
        found = self._read(table, request["Key"], bool(request.get("ConsistentRead")))
        if found is None:
            return {}
        return {"Item": handed_out(projected(request.get("ProjectionExpression"), found, Given.of(request)))}

    def _read(self, table: Table, key: Item, consistent: bool) -> Item | None:
        if key.keys() != {table.pk, table.sk}:
            raise invalid("The provided key element does not match the schema")
        return table.view(None, consistent).images.get(table.key_of(key))

    def put_item(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "TableName", "Item", "ReturnValues", *CONDITIONAL, *IGNORED)
        return self._written(request, self._put(request))

    def update_item(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "TableName", "Key", "UpdateExpression", "ReturnValues", *CONDITIONAL, *IGNORED)
        return self._written(request, self._update(request))

    def delete_item(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "TableName", "Key", "ReturnValues", *CONDITIONAL, *IGNORED)
        return self._written(request, self._delete(request))

    def _put(self, request: Mapping[str, Any]) -> _Write:
        table, item = self._table(request), normal_item(request["Item"])
        table.checked(item)
        return _Write(table, table.key_of(item), request, lambda before: (item, frozenset()))

    def _update(self, request: Mapping[str, Any]) -> _Write:
        table, given = self._keyed(request), Given.of(request)
        keys, text = (table.pk, table.sk), request.get("UpdateExpression", "")
        check_update(text, given, keys)

        def make(before: Item | None) -> tuple[Item | None, frozenset[str]]:
            return updated(text, before if before is not None else dict(request["Key"]), given)

        return _Write(table, table.key_of(request["Key"]), request, make)

    def _delete(self, request: Mapping[str, Any]) -> _Write:
        table = self._keyed(request)
        return _Write(table, table.key_of(request["Key"]), request, lambda before: (None, frozenset()))

    def _check(self, request: Mapping[str, Any]) -> _Write:
        table = self._keyed(request)
        return _Write(table, table.key_of(request["Key"]), request, lambda before: (before, frozenset()), changes=False)

    def _keyed(self, request: Mapping[str, Any]) -> Table:
        table = self._table(request)
        self._read(table, request["Key"], consistent=True)
        return table

    def _written(self, request: Mapping[str, Any], write: _Write) -> dict[str, Any]:
        if (shown := write.refused()) is not None:
            raise client_error("ConditionalCheckFailedException", "The conditional request failed", **shown)
        write.look()
        write.do()
        wanted = request.get("ReturnValues", "NONE")
        image = write.before if wanted.endswith("OLD") else write.after
        if wanted == "NONE" or image is None:
            return {}
        if wanted.startswith("UPDATED"):
            image = {name: value for name, value in image.items() if name in write.touched}
        return {"Attributes": handed_out(image)} if image else {}

    # transactions

    def transact_write_items(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "TransactItems", "ClientRequestToken", *IGNORED)
        if self._done_before(request):
            return {}
        parts = [next(iter(each.items())) for each in request["TransactItems"]]
        if not 1 <= len(parts) <= MAX_TRANSACTION:
            raise invalid(f"Member must have length less than or equal to {MAX_TRANSACTION}")
        looks: dict[str, Callable[[Mapping[str, Any]], _Write]] = {
            "Put": self._put, "Update": self._update, "Delete": self._delete, "ConditionCheck": self._check,
        }  # fmt: skip
        writes = [looks[verb](part) for verb, part in parts]
        if len({(write.table.name, write.key) for write in writes}) < len(writes):
            raise invalid("Transaction request cannot include multiple operations on one item")
        reasons = [_reason(write) for write in writes]
        if sum(write.size for write in writes) > TRANSACTION_BYTES:
            raise invalid("Transaction request size exceeded: 4194304 bytes")
        if any(reason["Code"] != "None" for reason in reasons):
            raise _cancelled(reasons)
        for write in writes:
            write.do()
        if token := request.get("ClientRequestToken"):
            self._tokens[token] = (self._now(), _digest(request))
        return {}

    def _done_before(self, request: Mapping[str, Any]) -> bool:
        """The SDK repeats a transaction whose answer was lost under the same token: it takes effect once."""
        at, digest = self._tokens.get(request.get("ClientRequestToken") or "", (0.0, ""))
        if not digest or self._now() - at >= TOKEN_SECONDS:
            return False
        if digest != _digest(request):
            raise client_error("IdempotentParameterMismatchException", "Request parameters do not match the token")
        return True

    def transact_get_items(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "TransactItems", *IGNORED)
        parts = [each["Get"] for each in request["TransactItems"]]
        if not 1 <= len(parts) <= MAX_TRANSACTION:
            raise invalid(f"Member must have length less than or equal to {MAX_TRANSACTION}")
        keys = [(part["TableName"], self._table(part).key_of(part["Key"])) for part in parts]
        if len(set(keys)) < len(keys):
            raise invalid("Transaction request cannot include multiple operations on one item")
        return {"Responses": [self.get_item({**part, "ConsistentRead": True}) for part in parts]}

    # batches

    def batch_get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "RequestItems", *IGNORED)
        found: dict[str, list[Item]] = {}
        left: dict[str, Any] = {}
        _check_batch([(name, key) for name, part in request["RequestItems"].items() for key in part["Keys"]],
                     MAX_BATCH_GET)  # fmt: skip
        room = BATCH_GET_BYTES
        for name, part in request["RequestItems"].items():
            only(part, "Keys", "ConsistentRead", "ProjectionExpression", *NAMED)
            table, given = self._table({"TableName": name}), Given.of(part)
            keys = sorted(part["Keys"], key=table.key_of)  # PynamoDB asks in the order of a set: of this process
            taken = max(1, len(keys) - self.unprocessed(len(keys)))
            found[name] = []
            while keys and taken and room > 0:
                item = self._read(table, keys.pop(0), bool(part.get("ConsistentRead")))
                taken -= 1
                if item is not None:
                    room -= item_size(item)
                    found[name].append(handed_out(projected(part.get("ProjectionExpression"), item, given)))
            if keys:
                left[name] = {**part, "Keys": keys}
        return {"Responses": found, "UnprocessedKeys": left}

    def batch_write_item(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "RequestItems", *IGNORED)
        left: dict[str, Any] = {}
        writes: list[_Write] = []
        for name, entries in request["RequestItems"].items():
            parts = [self._entry(name, entry) for entry in entries]
            _check_batch([(name, write.key) for write in parts], MAX_BATCH_WRITE)
            taken = len(parts) - min(len(parts), self.unprocessed(len(parts)))
            writes += parts[:taken]
            if parts[taken:]:
                left[name] = entries[taken:]
        for write in writes:
            write.look()
        for write in writes:
            write.do()
        return {"UnprocessedItems": left}

    def _entry(self, name: str, entry: Mapping[str, Any]) -> _Write:
        ((verb, part),) = entry.items()
        return (self._put if verb == "PutRequest" else self._delete)({"TableName": name, **part})

    # queries

    def query(self, request: dict[str, Any]) -> dict[str, Any]:
        only(
            request, "TableName", "IndexName", "KeyConditionExpression", "FilterExpression", "ProjectionExpression",
            "Limit", "ScanIndexForward", "ExclusiveStartKey", "ConsistentRead", "Select", *NAMED, *IGNORED,
        )  # fmt: skip
        table, given = self._table(request), Given.of(request)
        view = table.view(request.get("IndexName"), bool(request.get("ConsistentRead")))
        wanted = key_condition(request["KeyConditionExpression"], given, view.hash_name, view.range_name)
        _check_names(request, view, given)
        limit = request.get("Limit")
        if limit is not None and limit < 1:
            raise invalid("Value at 'limit' failed to satisfy constraint: Member must be greater than or equal to 1")
        start = request.get("ExclusiveStartKey")
        after = view.place(start, table.pk, table.sk) if start else None
        found: list[Item] = []
        looked_at, room, last = 0, PAGE_BYTES, None
        for row in view.slice(wanted, after, request.get("ScanIndexForward", True)):
            if looked_at == limit or room <= 0:
                break
            key = (row[1], row[2])
            item, looked_at, last = view.images[key], looked_at + 1, key
            room -= view.sizes[key]
            if holds(request.get("FilterExpression"), item, given):
                found.append(item)
        answer: dict[str, Any] = {"Count": len(found), "ScannedCount": looked_at}
        if request.get("Select") != "COUNT":
            text = request.get("ProjectionExpression")
            answer["Items"] = [handed_out(projected(text, item, given)) for item in found]
        if last is not None and (looked_at == limit or room <= 0):
            answer["LastEvaluatedKey"] = _last_key(table, view, last)
        return answer


def _check_names(request: Mapping[str, Any], view: View, given: Given) -> None:
    filtered = names_in(request.get("FilterExpression"), given)
    if wrong := filtered & {view.hash_name, view.range_name}:
        raise invalid(f"Filter Expression can only contain non-primary key attributes: {sorted(wrong)}")
    named = filtered | names_in(request.get("ProjectionExpression"), given)
    if view.columns is not None and (absent := named - view.columns):
        raise invalid(f"Secondary index does not project one or more attributes: {sorted(absent)}")


def _last_key(table: Table, view: View, key: Key) -> Item:
    names = dict.fromkeys((table.pk, table.sk, view.hash_name, view.range_name))
    return handed_out({name: view.images[key][name] for name in names})


def _reason(write: _Write) -> dict[str, Any]:
    if (shown := write.refused()) is not None:
        return {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", **shown}
    try:
        write.look()
    except ClientError as error:
        return {"Code": "ValidationError", "Message": error.response["Error"]["Message"]}
    return {"Code": "None"}


def _cancelled(reasons: list[dict[str, Any]]) -> ClientError:
    codes = ", ".join(reason["Code"] for reason in reasons)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return client_error("TransactionCanceledException", text, CancellationReasons=reasons)


def _check_batch(keys: list[tuple[str, Any]], most: int) -> None:
    if not 1 <= len(keys) <= most:
        raise invalid(f"Too many items requested for the batch call: at most {most}")
    if len({json.dumps(key, sort_keys=True, default=str) for key in keys}) < len(keys):
        raise invalid("Provided list of item keys contains duplicates")


def _digest(request: Mapping[str, Any]) -> str:
    told = json.dumps(request["TransactItems"], sort_keys=True, default=repr)
    return hashlib.sha256(told.encode()).hexdigest()
