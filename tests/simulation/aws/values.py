"""DynamoDB's values as they go over the wire, ``{"S": "text"}``: checked, brought to one form, compared, measured.

Values are never changed in place, so tables, indexes and stream records share them.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from tests.simulation.aws.errors import invalid

Value = dict[str, Any]
Item = dict[str, Value]

MAX_DIGITS = 38
ORDERED = frozenset({"S", "N", "B"})


def normal(value: Value) -> Value:
    """The value in the one form that a table keeps: numbers without idle digits, sets sorted."""
    if len(value) != 1:
        raise invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one")
    ((kind, held),) = value.items()
    if kind in ("S", "BOOL", "NULL", "B"):
        return value
    if kind == "N":
        return {"N": number(held)}
    if kind in ("SS", "NS", "BS"):
        return {kind: _members(kind, held)}
    if kind == "L":
        return {"L": [normal(each) for each in held]}
    if kind == "M":
        return {"M": normal_item(held)}
    raise invalid(f"Supplied AttributeValue is empty, must contain exactly one of the supported datatypes: {kind}")


def normal_item(item: Item) -> Item:
    return {name: normal(value) for name, value in item.items()}


def _members(kind: str, held: Any) -> list[Any]:
    members = [number(each) for each in held] if kind == "NS" else list(held)
    if not members:
        raise invalid("One or more parameter values were invalid: An string set  may not be empty")
    if len(set(members)) < len(members):
        raise invalid("One or more parameter values were invalid: Input collection contains duplicates")
    return sorted(members, key=Decimal) if kind == "NS" else sorted(members)


def number(text: str) -> str:
    if text.isdecimal() and text.isascii() and len(text) < MAX_DIGITS and (text[0] != "0" or text == "0"):
        return text
    try:
        found = Decimal(text).normalize()
    except InvalidOperation as error:
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}") from error
    if not found.is_finite() or len(Decimal(text).as_tuple().digits) > MAX_DIGITS:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    return "0" if not found else format(found, "f")


def plus(first: Value, second: Value, sign: int = 1) -> Value:
    if "N" not in first or "N" not in second:
        raise invalid("An operand in the update expression has an incorrect data type")
    return {"N": number(str(Decimal(first["N"]) + sign * Decimal(second["N"])))}


def order(first: Value | None, second: Value | None) -> int | None:
    """-1, 0 or 1; None where the two have no order: one is missing, or they are of two types."""
    if first is None or second is None:
        return None
    ((kind, left),), ((other, right),) = first.items(), second.items()
    if kind != other or kind not in ORDERED:
        return None
    if kind == "N":
        left, right = Decimal(left), Decimal(right)
    return int(left > right) - int(left < right)


def text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def size(value: Value) -> int:
    """Bytes as DynamoDB counts them for its limits (numbers roughly: it says so itself)."""
    ((kind, held),) = value.items()
    if kind == "S":
        return text_size(held)
    if kind == "N":
        return len(held.strip("-0.")) // 2 + 2
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "B":
        return len(held)
    if kind == "SS":
        return sum(map(text_size, held))
    if kind in ("BS", "NS"):
        return sum(map(len, held))
    if kind == "L":
        return 3 + sum(1 + size(each) for each in held)
    return 3 + sum(1 + text_size(name) + size(each) for name, each in held.items())


def item_size(item: Item) -> int:
    return sum(text_size(name) + size(value) for name, value in item.items())


def handed_out(item: Item) -> Item:
    """A copy that the caller may change."""
    return {name: dict(value) for name, value in item.items()}
