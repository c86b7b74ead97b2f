"""Requests to compare engines with: drawn at random from the operations and expressions that the desk uses.

Few keys and few values, so that conditions fail as often as they hold and pages end in the middle of things.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from infra.resources.table import INDEXES

TABLE = "conformance"
Request = tuple[str, dict[str, Any]]


@dataclass
class Expression:
    """Collects placeholders, as PynamoDB writes them."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def name(self, name: str) -> str:
        placeholder = next((key for key, held in self.names.items() if held == name), f"#{len(self.names)}")
        self.names[placeholder] = name
        return placeholder

    def value(self, value: dict[str, Any]) -> str:
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = value
        return placeholder

    def given(self) -> dict[str, Any]:
        found: dict[str, Any] = {"ExpressionAttributeNames": self.names} if self.names else {}
        return found | ({"ExpressionAttributeValues": self.values} if self.values else {})


class Draw:
    """One sequence of requests; all its keys begin with its own prefix, so that sequences share a table.

    ``sound``: nothing that AWS would refuse as making no sense, for an engine that takes it and so ends elsewhere.
    """

    def __init__(self, seed: int, sound: bool = False) -> None:
        self.chance = random.Random(seed)
        self.sound = sound
        self.prefix = f"{seed:04d}-"

    def requests(self, count: int) -> Iterator[Request]:
        kinds: list[tuple[Callable[[], Request], int]] = [
            (self.put, 5), (self.update, 8), (self.delete, 2), (self.get, 2), (self.query, 6), (self.transaction, 4),
            (self.batch_write, 1), (self.batch_get, 1), (self.transact_get, 1),
        ]  # fmt: skip
        makers = [maker for maker, weight in kinds for _ in range(weight)]
        for _ in range(count):
            yield self.chance.choice(makers)()

    # parts

    def key(self) -> dict[str, Any]:
        return {"pk": {"S": f"{self.prefix}P{self.chance.randrange(2)}"}, "sk": {"S": self.sort()}}

    def unlike(self, key: dict[str, Any]) -> str:
        """An index's sort key that no other item has (ours end with an id): among equals DynamoDB has no order."""
        return f"{self.sort()}#{key['pk']['S'][-1]}{key['sk']['S']}"

    def sort(self) -> str:
        return self.chance.choice(("A#", "MESSAGE#", "DELIVERY#")) + str(self.chance.randrange(4))

    def number(self) -> dict[str, str]:
        return {"N": self.chance.choice(("0", "1", "2", "3", "-1", "2.50", "1E2", "007", "0.1"))}

    def text(self) -> dict[str, str]:
        return {"S": self.chance.choice(("queued", "sending", "sent", "é", ""))}

    def members(self) -> dict[str, list[str]]:
        return {"SS": self.chance.sample(("a", "b", "c"), self.chance.randint(1, 3))}

    def item(self) -> dict[str, Any]:
        made = self.key()
        wanted = {"version": self.number, "data": self.text, "state": self.text, "event_ids": self.members}
        made |= {name: make() for name, make in wanted.items() if self.chance.random() < 0.6}
        if self.chance.random() < 0.3:
            made["things"] = {"L": [self.text(), {"M": {"n": self.number()}}, {"NULL": True}, {"BOOL": True}]}
            made["raw"] = {"B": b"\x00\xff"}
        for index, hash_name, range_name, _ in INDEXES:
            if self.chance.random() < 0.3:
                made[hash_name] = {"S": f"{self.prefix}{index}{self.chance.randrange(2)}"}
            if self.chance.random() < 0.5:
                made[range_name] = {"S": self.unlike(made)}
        return made

    def condition(self, build: Expression) -> str:
        one = self._simple(build)
        joined = self.chance.random()
        if joined < 0.2:
            return f"({one} AND {self._simple(build)})"
        if joined < 0.35:
            return f"({one} OR ({self._simple(build)} AND {self._simple(build)}))"
        return f"(NOT {one})" if joined < 0.45 else one

    def _simple(self, build: Expression) -> str:
        n, v = build.name, build.value
        choices: list[Callable[[], str]] = [
            lambda: f"attribute_not_exists ({n('pk')})",
            lambda: f"attribute_exists ({n('pk')})",
            lambda: f"attribute_exists ({n('time_key')})",
            lambda: f"{n('version')} {self.chance.choice(('=', '<>', '<', '<=', '>', '>='))} {v(self.number())}",
            lambda: f"{n('state')} {self.chance.choice(('=', '<>', '<'))} {v(self.text())}",
            lambda: f"{n('state')} IN ({v({'S': 'queued'})}, {v({'S': 'sending'})})",
            lambda: f"contains ({n('event_ids')}, {v({'S': 'a'})})",
            lambda: f"contains ({n('data')}, {v({'S': 'en'})})",
            lambda: f"begins_with ({n('data')}, {v({'S': 'se'})})",
            lambda: f"{n('version')} BETWEEN {v({'N': '1'})} AND {v({'N': '2.5'})}",
            lambda: f"attribute_type ({n('data')}, {v({'S': self.chance.choice(('S', 'SS', 'N'))})})",
            lambda: f"size ({n('event_ids')}) > {v({'N': '1'})}",
            lambda: f"size ({n('data')}) >= {v({'N': '2'})}",
            lambda: f"{n('event_ids')} = {v(self.members())}",
            lambda: f"{n('things')}[1].{n('n')} = {v(self.number())}",
        ]
        if not self.sound:
            choices.append(lambda: f"{n('data')} = {n('state')}")
        return self.chance.choice(choices)()

    def conditional(self, build: Expression, often: float = 0.6) -> dict[str, Any]:
        if self.chance.random() >= often:
            return {}
        told = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if self.chance.random() < 0.5 else {}
        return {"ConditionExpression": self.condition(build), **told}

    def change(self, build: Expression, key: dict[str, Any], copies: bool) -> str:
        """``copies``: also from an attribute that may not be there."""
        n, v = build.name, build.value

        def appended() -> str:
            return f"list_append (if_not_exists ({n('things')}, {v({'L': []})}), {v({'L': [self.text()]})})"

        def more() -> str:
            return f"if_not_exists ({n('version')}, {v({'N': '1'})}) + {v(self.number())}"

        actions: dict[str, list[tuple[str, Callable[[], str]]]] = {
            "SET": [
                ("data", lambda: f"{n('data')} = {v(self.text())}"),
                ("state", lambda: f"{n('state')} = {n('data')}"),
                ("version", lambda: f"{n('version')} = {more()}"),
                ("things", lambda: f"{n('things')} = {appended()}"),
                ("time_key", lambda: f"{n('time_key')} = {v({'S': self.prefix + 'by_time0'})}"),
                ("time_at", lambda: f"{n('time_at')} = {v({'S': self.unlike(key)})}"),
            ],
            "REMOVE": [(name, partial(n, name)) for name in ("time_key", "time_at", "state")],
            "ADD": [
                ("version", lambda: f"{n('version')} {v(self.number())}"),
                ("event_ids", lambda: f"{n('event_ids')} {v(self.members())}"),
            ],
            "DELETE": [("event_ids", lambda: f"{n('event_ids')} {v(self.members())}")],
        }
        if not copies or self.sound:
            actions["SET"] = [each for each in actions["SET"] if each[0] != "state"]
        touched: set[str] = set()
        clauses: list[str] = []
        for verb in self.chance.sample(list(actions), self.chance.randint(1, 3)):
            picked = self.chance.sample(actions[verb], self.chance.randint(1, min(2, len(actions[verb]))))
            parts = []
            for name, make in picked:
                if name not in touched or (not self.sound and self.chance.random() < 0.05):  # which is refused
                    touched.add(name)
                    parts.append(make())
            if parts:
                clauses.append(f"{verb} {', '.join(parts)}")
        return " ".join(clauses) or f"SET {n('data')} = {v(self.text())}"

    # requests

    def put(self) -> Request:
        build = Expression()
        more = self.conditional(build)
        returned = self.chance.choice(("NONE", "ALL_OLD"))
        return "PutItem", {
            "TableName": TABLE, "Item": self.item(), **more, **build.given(), "ReturnValues": returned,
        }  # fmt: skip

    def update(self, copies: bool = True) -> Request:
        build = Expression()
        key = self.key()
        change, more = self.change(build, key, copies), self.conditional(build, 0.5)
        returned = self.chance.choice(("NONE", "ALL_OLD", "ALL_NEW", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"))
        return "UpdateItem", {
            "TableName": TABLE, "Key": key, "UpdateExpression": change, **more, **build.given(),
            "ReturnValues": returned,
        }  # fmt: skip

    def delete(self) -> Request:
        build = Expression()
        more = self.conditional(build)
        return "DeleteItem", {
            "TableName": TABLE, "Key": self.key(), **more, **build.given(), "ReturnValues": "ALL_OLD",
        }  # fmt: skip

    def get(self) -> Request:
        build = Expression()
        wanted = {"ProjectionExpression": f"{build.name('pk')}, {build.name('data')}"}
        more = wanted | build.given() if self.chance.random() < 0.5 else {}
        return "GetItem", {"TableName": TABLE, "Key": self.key(), "ConsistentRead": True, **more}

    def query(self) -> Request:
        build = Expression()
        index, hash_name, range_name, _ = self.chance.choice((*INDEXES, *([(None, "pk", "sk", ())] * 4)))
        n = self.chance.randrange(2)
        partition = f"{self.prefix}{index}{n}" if index else f"{self.prefix}P{n}"
        text = f"{build.name(hash_name)} = {build.value({'S': partition})}"
        edge = self._edge(build, range_name)
        request: dict[str, Any] = {
            "TableName": TABLE,
            "KeyConditionExpression": f"({text} AND {edge})" if edge else text,
        }
        if self.chance.random() < 0.2 and not (self.sound and index == "by_time"):
            name = "status" if self.sound else self.chance.choice(("version", "status"))  # no index holds the first
            request["FilterExpression"] = f"{build.name(name)} >= {build.value({'N': '1'})}"
        if self.chance.random() < 0.6:
            request["Limit"] = self.chance.randint(1, 4)
        if self.chance.random() < 0.5:
            request["ScanIndexForward"] = False
        if self.chance.random() < 0.1:
            request["Select"] = "COUNT"
        more = {"IndexName": index} if index else {"ConsistentRead": True}
        return "Query", request | more | build.given()

    def _edge(self, build: Expression, name: str) -> str:
        n, v = build.name(name), build.value
        low, high = sorted((self.sort(), self.sort()))
        choices: list[Callable[[], str]] = [
            lambda: "",
            lambda: f"{n} {self.chance.choice(('=', '<', '<=', '>', '>='))} {v({'S': self.sort()})}",
            lambda: f"begins_with ({n}, {v({'S': self.chance.choice(('MESSAGE#', 'A', 'X'))})})",
            lambda: f"{n} BETWEEN {v({'S': low})} AND {v({'S': high})}",
        ]
        made = self.chance.choice(choices)()
        if not made:
            del build.names[n]
        return made

    def transaction(self) -> Request:
        parts: dict[str, dict[str, Any]] = {}
        for _ in range(self.chance.randint(1, 4)):
            operation, request = self.chance.choice((self.put, lambda: self.update(copies=False), self.delete))()
            del request["ReturnValues"]
            parts[str(_key_of(request))] = {operation.removesuffix("Item"): request}
        if self.chance.random() < 0.2:
            build = Expression()
            check = {"TableName": TABLE, "Key": self.key(), "ConditionExpression": self.condition(build)}
            parts[str(check["Key"])] = {"ConditionCheck": check | build.given()}
        return "TransactWriteItems", {"TransactItems": list(parts.values())}

    def batch_write(self) -> Request:
        entries: list[dict[str, Any]] = [
            {"PutRequest": {"Item": self.item()}}
            if self.chance.random() < 0.7
            else {"DeleteRequest": {"Key": self.key()}}
            for _ in range(self.chance.randint(1, 5))
        ]
        return "BatchWriteItem", {"RequestItems": {TABLE: entries}}

    def batch_get(self) -> Request:
        keys = [self.key() for _ in range(self.chance.randint(1, 5))]
        return "BatchGetItem", {"RequestItems": {TABLE: {"Keys": keys, "ConsistentRead": True}}}

    def transact_get(self) -> Request:
        gets = [{"Get": {"TableName": TABLE, "Key": self.key()}} for _ in range(self.chance.randint(1, 3))]
        return "TransactGetItems", {"TransactItems": gets}


def _key_of(request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = request.get("Key") or {name: request["Item"][name] for name in ("pk", "sk")}
    return found
