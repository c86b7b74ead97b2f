"""Requests worth comparing one by one: edges that chance seldom meets."""

from typing import Any

from tests.simulation.conformance import TABLE, Request

KB = 1024


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _put(pk: str, sk: str, **more: Any) -> Request:
    return "PutItem", {"TableName": TABLE, "Item": {"pk": {"S": pk}, "sk": {"S": sk}, **more}}


def _update(pk: str, text: str, names: dict[str, str], values: dict[str, Any], **more: Any) -> Request:
    arguments = {
        "TableName": TABLE, "Key": {"pk": {"S": pk}, "sk": {"S": "S"}}, "UpdateExpression": text,
        "ExpressionAttributeNames": names, "ReturnValues": "ALL_NEW", **more,
    }  # fmt: skip
    return "UpdateItem", arguments | ({"ExpressionAttributeValues": values} if values else {})


def _query(text: str, names: dict[str, str], values: dict[str, Any], **more: Any) -> Request:
    return "Query", {
        "TableName": TABLE, "KeyConditionExpression": text, "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values, **more,
    }  # fmt: skip


def _transaction(*parts: tuple[str, dict[str, Any]], **more: Any) -> Request:
    return "TransactWriteItems", {
        "TransactItems": [{verb: {"TableName": TABLE, **part}} for verb, part in parts]
    } | more


def _new(pk: str) -> tuple[str, dict[str, Any]]:
    return "Put", {
        "Item": {"pk": {"S": pk}, "sk": {"S": "S"}, "n": {"N": "1"}},
        "ConditionExpression": "attribute_not_exists (#0)",
        "ExpressionAttributeNames": {"#0": "pk"},
    }


def _plus(pk: str) -> tuple[str, dict[str, Any]]:
    return "Update", {
        "Key": {"pk": {"S": pk}, "sk": {"S": "S"}},
        "UpdateExpression": "ADD #0 :0",
        "ExpressionAttributeNames": {"#0": "n"},
        "ExpressionAttributeValues": {":0": {"N": "1"}},
    }


def _copying(pk: str) -> tuple[str, dict[str, Any]]:
    return "Update", {
        "Key": {"pk": {"S": pk}, "sk": {"S": "S"}},
        "UpdateExpression": "SET #0 = #1",
        "ExpressionAttributeNames": {"#0": "n", "#1": "absent"},
    }


PK = {"#0": "pk"}
BOTH = {"#0": "pk", "#1": "sk"}
NAMED: dict[str, list[Request]] = {
    "the same transaction twice under one token": [
        _transaction(_plus("token"), ClientRequestToken="one"),
        _transaction(_plus("token"), ClientRequestToken="one"),
        _transaction(_plus("other"), ClientRequestToken="one"),
        _transaction(_plus("token"), ClientRequestToken="two"),
    ],
    "a refused transaction does nothing": [
        _transaction(_new("all"), _plus("counter")),
        _transaction(_plus("counter"), _new("all")),
        _query("#0 = :0", PK, {":0": {"S": "counter"}}),
    ],
    "an item twice in a transaction": [_transaction(_plus("twice"), _plus("twice"))],

    "an item of 400 KB and one of more": [
        _put("large", "fits", data={"S": "x" * (400 * KB - 20)}),
        _put("large", "does not", data={"S": "x" * (400 * KB)}),
        _update("large", "SET #0 = :0", {"#0": "data"}, {":0": {"S": "é" * (201 * KB)}}),
    ],
    "a page ends at 1 MB": [
        *(_put("page", f"{n}", data={"S": "x" * (300 * KB)}) for n in range(6)),
        _query("#0 = :0", PK, {":0": {"S": "page"}}),
        _query("#0 = :0", PK, {":0": {"S": "page"}}, ScanIndexForward=False, Limit=3),
    ],
    "keys that are no keys": [
        _put("", "sk"),
        _put("pk", ""),
        ("PutItem", {"TableName": TABLE, "Item": {"pk": {"S": "a"}}}),
        ("PutItem", {"TableName": TABLE, "Item": {"pk": {"N": "1"}, "sk": {"S": "a"}}}),
        ("GetItem", {"TableName": TABLE, "Key": {"pk": {"S": "a"}}}),
        _put("pk", "index", time_key={"N": "1"}),
        _put("pk", "index", time_key={"S": ""}, time_at={"S": "a"}),
        _update("a", "SET #0 = :0", PK, {":0": {"S": "b"}}),
        ("GetItem", {"TableName": "nothing-here", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}),
    ],
    "placeholders": [
        _update("a", "SET #0 = :0", {"#0": "data", "#1": "idle"}, {":0": {"S": "b"}}),
        _update("a", "SET #0 = :0", {"#0": "data"}, {":0": {"S": "b"}, ":1": {"S": "idle"}}),
        _update("a", "SET #0 = :1", {"#0": "data"}, {":0": {"S": "b"}}),
        _update("a", "SET #1 = :0", {"#0": "data"}, {":0": {"S": "b"}}),
    ],
    "an update that cannot be": [
        _put("types", "S", data={"S": "text"}),
        _update("types", "ADD #0 :0", {"#0": "data"}, {":0": {"N": "1"}}),
        _update("types", "ADD #0 :0", {"#0": "data"}, {":0": {"S": "1"}}),
        _update("types", "SET #0 = #1", {"#0": "data", "#1": "absent"}, {}),
        _update("types", "SET #0 = :0", {"#0": "set"}, {":0": {"SS": []}}),
        _update("types", "SET #0 = :0", {"#0": "set"}, {":0": {"SS": ["a", "a"]}}),
        _update("types", "SET #0 = :0", {"#0": "data"}, {":0": {"N": "1" * 39}}),
        _update("types", "SET #0 = :0", {"#0": "data"}, {":0": {"N": "one"}}),
    ],
    "the last member of a set": [
        _put("set", "S", ids={"SS": ["a"]}),
        _update("set", "DELETE #0 :0", {"#0": "ids"}, {":0": {"SS": ["a", "b"]}}),
        _update("set", "DELETE #0 :0", {"#0": "ids"}, {":0": {"SS": ["a"]}}),
    ],
    "a condition goes before what cannot be": [
        _update(
            "absent", "SET #0 = #1", {"#0": "data", "#1": "gone"}, {}, ConditionExpression="attribute_exists (#0)"
        ),
    ],
    "key conditions": [
        *(_put("keys", each) for each in ("A", "a", "é", "€", "𝄞", "a\x00", "ab", "b", "~")),
        _query("#0 = :0 AND begins_with (#1, :1)", BOTH, {":0": {"S": "keys"}, ":1": {"S": "a"}}),
        _query("#0 = :0 AND #1 > :1", BOTH, {":0": {"S": "keys"}, ":1": {"S": "a"}}),
        _query("#0 = :0 AND #1 <= :1", BOTH, {":0": {"S": "keys"}, ":1": {"S": "a"}}, ScanIndexForward=False),
        _query("#0 = :0 AND #1 BETWEEN :1 AND :2", BOTH, {":0": {"S": "keys"}, ":1": {"S": "a"}, ":2": {"S": "b"}}),
        _query("#0 = :0 AND #1 BETWEEN :1 AND :2", BOTH, {":0": {"S": "keys"}, ":1": {"S": "b"}, ":2": {"S": "a"}}),
        _query("#1 = :1", {"#1": "sk"}, {":1": {"S": "a"}}),
        _query("#0 = :0", PK, {":0": {"N": "1"}}),
        _query("#0 = :0", PK, {":0": {"S": "keys"}}, Limit=9),
        _query("#0 = :0", PK, {":0": {"S": "keys"}}, IndexName="by_nothing"),
        _query("#0 = :0", {"#0": "time_key"}, {":0": {"S": "x"}}, IndexName="by_time", ConsistentRead=True),
    ],
    "a number added to a text": [
        _put("types", "S", data={"S": "text"}),
        _update("types", "SET #0 = #0 + :0", {"#0": "data"}, {":0": {"N": "1"}}),
        _put("types", "S", data={"S": "text"}),
    ],
    "an attribute twice in an update": [
        _update("types", "SET #0 = :0, #0 = :1", {"#0": "data"}, {":0": {"S": "a"}, ":1": {"S": "b"}}),
        _put("types", "S", data={"S": "text"}),
    ],
    "sort keys other than one": [_query("#0 = :0 AND #1 <> :1", BOTH, {":0": {"S": "keys"}, ":1": {"S": "a"}})],
    "a filter on a key": [
        _query(
            "#0 = :0", BOTH, {":0": {"S": "keys"}, ":1": {"S": "a"}}, FilterExpression="#1 = :1"
        ),
    ],
    "a filter on what the index does not hold": [
        _query("#0 = :0", {"#0": "time_key", "#1": "data"}, {":0": {"S": "x"}}, IndexName="by_time",
               FilterExpression="attribute_exists (#1)"),
    ],
    "an update that cannot be, in a transaction": [
        _transaction(_new("fine"), _copying("gone")),
        _query("#0 = :0", PK, {":0": {"S": "fine"}}),
    ],
    "an item twice in a transaction that is refused anyway": [
        _transaction(_new("again")), _transaction(_new("again"), _plus("again")),
    ],
    "batches": [
        ("BatchWriteItem", {"RequestItems": {TABLE: [{"PutRequest": {"Item": _key("b", f"{n}")}} for n in range(26)]}}),
        ("BatchGetItem", {"RequestItems": {TABLE: {"Keys": [_key("b", "1")] * 2}}}),
    ],
}  # fmt: skip
