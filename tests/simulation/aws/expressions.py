"""DynamoDB's expressions: conditions, filters, key conditions, projections and updates.

The grammar is that of the developer guide ("Condition and filter expressions, operators, and functions", "Update
expressions").  Attribute names come as placeholders alone (``#0``), as PynamoDB writes them: the simulation carries no
list of reserved words, so it refuses a bare name instead of taking what AWS might not.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.simulation.aws.errors import invalid
from tests.simulation.aws.values import Item, Value, normal, order, plus

TOKENS = re.compile(r"\s*(?:([#:]?\w+)|(<>|<=|>=|[=<>(),.\[\]+-]))")
VERBS = ("SET", "REMOVE", "ADD", "DELETE")
SETS = ("SS", "NS", "BS")
COMPARED = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}
TESTS = {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}

Node = tuple[Any, ...]
"""``(operator, *operands)``: ("and", a, b), ("=", ("path", …), ("value", ":0")) …"""


@dataclass(frozen=True)
class Given:
    """What a request's placeholders stand for."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    @staticmethod
    def of(request: Mapping[str, Any]) -> "Given":
        """Refuses placeholders that no expression of the request names, as DynamoDB does."""
        texts = [str(text) for key, text in request.items() if key.endswith("Expression")]
        names: dict[str, str] = request.get("ExpressionAttributeNames") or {}
        values: dict[str, Value] = request.get("ExpressionAttributeValues") or {}
        if names or values:
            used = {each for text in texts for each in _placeholders(text)}
            if idle := sorted((names.keys() | values.keys()) - used):
                raise invalid(f"Value unused in ExpressionAttribute names or values: keys: {{{', '.join(idle)}}}")
        return Given(names, {name: normal(value) for name, value in values.items()})

    def name(self, placeholder: str) -> str:
        if placeholder not in self.names:
            raise invalid(f"An expression attribute name used in the document path is not defined: {placeholder}")
        return self.names[placeholder]

    def value(self, placeholder: str) -> Value:
        if placeholder not in self.values:
            raise invalid(f"An expression attribute value used in expression is not defined: {placeholder}")
        return self.values[placeholder]


@lru_cache(maxsize=4096)
def _placeholders(text: str) -> frozenset[str]:
    return frozenset(each for each in _tokens(text) if each[0] in "#:")


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[str, ...]:
    found, at = [], 0
    while text[at:].strip():
        match = TOKENS.match(text, at)
        if match is None:
            raise invalid(f"Invalid expression: Syntax error; token: {text[at:].strip()[:20]}")
        found.append(match.group(1) or match.group(2))
        at = match.end()
    return tuple(found)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    @property
    def head(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    @property
    def word(self) -> str:
        return self.head.upper()

    def take(self, wanted: str = "") -> str:
        token = self.head
        if not token or (wanted and token.upper() != wanted):
            raise invalid(f"Invalid expression: Syntax error; token: {token or '<EOF>'}, wanted {wanted or 'more'}")
        self._at += 1
        return token

    def done(self) -> None:
        if self.head:
            raise invalid(f"Invalid expression: Syntax error; token: {self.head}")

    # conditions

    def condition(self) -> Node:
        node = self._both()
        while self.word == "OR":
            self.take()
            node = ("or", node, self._both())
        return node

    def _both(self) -> Node:
        node = self._negated()
        while self.word == "AND":
            self.take()
            node = ("and", node, self._negated())
        return node

    def _negated(self) -> Node:
        if self.word == "NOT":
            self.take()
            return ("not", self._negated())
        if self.head == "(":
            self.take()
            node = self.condition()
            self.take(")")
            return node
        if self.head in TESTS:
            name = self.take()
            return (name, *self._arguments(TESTS[name]))
        return self._comparison()

    def _comparison(self) -> Node:
        left = self.operand()
        operator = self.take().upper()
        if operator == "BETWEEN":
            low = self.operand()
            self.take("AND")
            return ("between", left, low, self.operand())
        if operator == "IN":
            return ("in", left, *self._arguments())
        if operator not in ("=", "<>", *COMPARED):
            raise invalid(f"Invalid expression: Syntax error; token: {operator}")
        return (operator, left, self.operand())

    def _arguments(self, count: int | None = None) -> list[Node]:
        self.take("(")
        found = [self.operand()]
        while self.head == ",":
            self.take()
            found.append(self.operand())
        self.take(")")
        if count is not None and len(found) != count:
            raise invalid("Invalid expression: Incorrect number of operands for operator or function")
        return found

    # operands

    def operand(self) -> Node:
        if self.head.startswith(":"):
            return ("value", self.take())
        if self.head == "size":
            self.take()
            return ("size", *self._arguments(1))
        if self.head in ("if_not_exists", "list_append"):
            return (self.take(), *self._arguments(2))
        return self.path()

    def path(self) -> Node:
        steps: list[str | int] = [self._name()]
        while self.head in (".", "["):
            if self.take() == ".":
                steps.append(self._name())
            else:
                steps.append(int(self.take()))
                self.take("]")
        return ("path", *steps)

    def _name(self) -> str:
        name = self.take()
        if not name.startswith("#"):
            raise NotImplementedError(f"the simulated DynamoDB takes names as placeholders alone, not {name}")
        return name

    # updates and projections

    def update(self) -> list[Node]:
        found: list[Node] = []
        while self.head:
            verb = self.take().upper()
            if verb not in VERBS:
                raise invalid(f"Invalid UpdateExpression: Syntax error; token: {verb}")
            found.append((verb, *self._clause(verb)))
            while self.head == ",":
                self.take()
                found.append((verb, *self._clause(verb)))
        return found

    def _clause(self, verb: str) -> tuple[Node, ...]:
        path = self.path()
        if len(path) > 2:
            raise NotImplementedError("the simulated DynamoDB changes whole attributes alone")
        if verb == "REMOVE":
            return (path,)
        if verb != "SET":
            return (path, self.operand())
        self.take("=")
        value = self.operand()
        if self.head in ("+", "-"):
            value = (self.take(), value, self.operand())
        return (path, value)

    def paths(self) -> list[Node]:
        found = [self.path()]
        while self.head == ",":
            self.take()
            found.append(self.path())
        return found


# Conditions

Test = Callable[[Item, Given], bool]


def holds(text: str | None, item: Item, given: Given) -> bool:
    """Whether a condition or filter is true of an item; no expression is always true."""
    return not text or _test(text)(item, given)


@lru_cache(maxsize=4096)
def _test(text: str) -> Test:
    return _compiled(_condition(text))


@lru_cache(maxsize=4096)
def _condition(text: str) -> Node:
    parser = _Parser(text)
    node = parser.condition()
    parser.done()
    return node


def _compiled(node: Node) -> Test:
    operator, *operands = node
    if operator == "and":
        first, second = map(_compiled, operands)
        return lambda item, given: first(item, given) and second(item, given)
    if operator == "or":
        first, second = map(_compiled, operands)
        return lambda item, given: first(item, given) or second(item, given)
    if operator == "not":
        inner = _compiled(operands[0])
        return lambda item, given: not inner(item, given)
    compare = _COMPARISONS[operator]
    return lambda item, given: compare([_value(each, item, given) for each in operands])


def _value(node: Node, item: Item, given: Given) -> Value | None:
    operator = node[0]
    if operator == "value":
        return given.value(node[1])
    if operator == "size":
        return _length(_value(node[1], item, given))
    if operator != "path":
        raise invalid(f"Invalid expression: The function is not allowed to be used this way: {operator}")
    found: Any = item.get(given.name(node[1]))
    for step in node[2:]:
        held = (found or {}).get("L" if isinstance(step, int) else "M")
        if held is None:
            return None
        found = dict(enumerate(held)).get(step) if isinstance(step, int) else held.get(given.name(step))
    return found  # type: ignore[no-any-return]  # a value of the item


def _length(value: Value | None) -> Value | None:
    if value is None:
        return None
    ((kind, held),) = value.items()
    return {"N": str(len(held))} if kind not in ("N", "BOOL", "NULL") else None


def _between(values: Sequence[Value | None]) -> bool:
    if order(values[1], values[2]) == 1:
        raise invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
    return order(values[0], values[1]) in (0, 1) and order(values[0], values[2]) in (-1, 0)


def _begins(values: Sequence[Value | None]) -> bool:
    value, prefix = values
    if value is None or prefix is None or value.keys() != prefix.keys():
        return False
    ((kind, held),) = value.items()
    return kind in ("S", "B") and bool(held.startswith(prefix[kind]))


def _contains(values: Sequence[Value | None]) -> bool:
    value, wanted = values
    if value is None or wanted is None:
        return False
    ((kind, held),), ((other, sought),) = value.items(), wanted.items()
    if kind == "L":
        return wanted in held
    return kind in (other, f"{other}S") and kind in ("S", "B", "SS", "NS", "BS") and sought in held


def _is_of_type(values: Sequence[Value | None]) -> bool:
    value, wanted = values
    return value is not None and wanted is not None and wanted.get("S") in value


def _ordered(wanted: tuple[int, ...]) -> Callable[[Sequence[Value | None]], bool]:
    return lambda values: order(values[0], values[1]) in wanted


_COMPARISONS: dict[str, Callable[[Sequence[Value | None]], bool]] = {
    "=": lambda values: values[0] is not None and values[0] == values[1],
    "<>": lambda values: values[0] != values[1],
    **{operator: _ordered(wanted) for operator, wanted in COMPARED.items()},
    "between": _between,
    "in": lambda values: values[0] is not None and values[0] in values[1:],
    "attribute_exists": lambda values: values[0] is not None,
    "attribute_not_exists": lambda values: values[0] is None,
    "attribute_type": _is_of_type,
    "begins_with": _begins,
    "contains": _contains,
}


def names_in(text: str | None, given: Given) -> set[str]:
    """The attributes that an expression looks at."""
    return {given.name(each) for each in _placeholders(text or "") if each[0] == "#"}


# Key conditions


@dataclass(frozen=True)
class Wanted:
    """One partition, and what its sort keys must be: ``operator`` with the texts it compares to, "" for all."""

    partition: str
    operator: str = ""
    texts: tuple[str, ...] = ()


def key_condition(text: str, given: Given, hash_name: str, range_name: str) -> Wanted:
    partition: str | None = None
    operator = ""
    texts: tuple[str, ...] = ()
    for part in _conjuncts(_condition(text)):
        name = given.name(part[1][1])
        values = tuple(_text(given.value(each[1])) for each in part[2:])
        if name == hash_name and part[0] == "=" and partition is None:
            partition = values[0]
        elif name == range_name and not operator and part[0] in ("=", "begins_with", "between", *COMPARED):
            operator, texts = part[0], values
        else:
            raise invalid(f"Query key condition not supported: {part[0]} {name}")
    if partition is None:
        raise invalid(f"Query condition missed key schema element: {hash_name}")
    if operator == "between" and texts[0] > texts[1]:
        raise invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
    return Wanted(partition, operator, texts)


def _conjuncts(node: Node) -> list[Node]:
    return [*_conjuncts(node[1]), *_conjuncts(node[2])] if node[0] == "and" else [node]


def _text(value: Value) -> str:
    if "S" not in value:
        raise invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
    return str(value["S"])


# Projections


def projected(text: str | None, item: Item, given: Given) -> Item:
    if not text:
        return item
    wanted = _paths(text)
    if any(len(path) > 2 for path in wanted):
        raise NotImplementedError("the simulated DynamoDB projects whole attributes alone")
    names = [given.name(path[1]) for path in wanted]
    return {name: item[name] for name in names if name in item}


@lru_cache(maxsize=1024)
def _paths(text: str) -> tuple[Node, ...]:
    parser = _Parser(text)
    found = parser.paths()
    parser.done()
    return tuple(found)


# Updates


@lru_cache(maxsize=4096)
def _update(text: str) -> tuple[Node, ...]:
    return tuple(_Parser(text).update())


def check_update(text: str, given: Given, keys: Sequence[str]) -> None:
    """Refuse what is wrong with an update whatever the item looks like."""
    touched: set[str] = set()
    for verb, path, *operands in _update(text):
        name = given.name(path[1])
        if name in keys:
            raise invalid(f"Cannot update attribute {name}. This attribute is part of the key")
        if name in touched:
            raise invalid("Invalid UpdateExpression: Two document paths overlap with each other")
        touched.add(name)
        if verb in ("ADD", "DELETE"):
            ((kind, _),) = given.value(operands[0][1]).items()
            if kind not in SETS and not (verb == "ADD" and kind == "N"):
                raise invalid(f"Invalid UpdateExpression: Incorrect operand type for {verb}: {kind}")


def updated(text: str, item: Item, given: Given) -> tuple[Item, frozenset[str]]:
    """The item after an update, and the attributes the update names.  Every operand is read from ``item``."""
    after, touched = dict(item), set()
    for verb, path, *operands in _update(text):
        name = given.name(path[1])
        touched.add(name)
        if verb == "SET":
            after[name] = _assigned(operands[0], item, given)
            continue
        changed = None if verb == "REMOVE" else _with(item.get(name), given.value(operands[0][1]), verb)
        after.pop(name, None)
        if changed is not None:
            after[name] = changed
    return after, frozenset(touched)


def _assigned(node: Node, item: Item, given: Given) -> Value:
    operator = node[0]
    if operator in ("+", "-"):
        first, second = (_assigned(each, item, given) for each in node[1:])
        return plus(first, second, 1 if operator == "+" else -1)
    if operator == "if_not_exists":
        found = _value(node[1], item, given)
        return found if found is not None else _assigned(node[2], item, given)
    if operator == "list_append":
        first, second = (_assigned(each, item, given) for each in node[1:])
        if "L" not in first or "L" not in second:
            raise invalid("An operand in the update expression has an incorrect data type")
        return {"L": [*first["L"], *second["L"]]}
    value = _value(node, item, given)
    if value is None:
        raise invalid("The provided expression refers to an attribute that does not exist in the item")
    return value


def _with(before: Value | None, given: Value, verb: str) -> Value | None:
    """What ADD or DELETE makes of an attribute; None takes it away."""
    ((kind, members),) = given.items()
    if before is None:
        return given if verb == "ADD" else None
    if kind not in before:
        raise invalid("An operand in the update expression has an incorrect data type")
    if kind == "N":
        return plus(before, given)
    left = set(before[kind]) | set(members) if verb == "ADD" else set(before[kind]) - set(members)
    return normal({kind: list(left)}) if left else None
