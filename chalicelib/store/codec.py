"""Frozen dataclasses to JSON text and back: what an item carries that no index or condition looks at."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from chalicelib.domain.moments import from_stamp, stamp

T = TypeVar("T")


def encode(value: object) -> str:
    """Compact JSON; fields that hold their default are left out, so new fields cost old items nothing."""
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False)


def decode(shape: type[T], text: str) -> T:
    """The dataclass that ``encode`` wrote.  Unknown fields are ignored: a newer release may have written them."""
    return typing.cast(T, _shaped(shape, json.loads(text)))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            name: _plain(given)
            for name, default in _defaults(type(value))
            if (given := getattr(value, name)) != default
        }
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, (list, tuple, frozenset, set)):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return value


@lru_cache(maxsize=64)
def _defaults(shape: type) -> tuple[tuple[str, object], ...]:
    found = []
    for field in dataclasses.fields(shape):
        default: object = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found.append((field.name, default))
    return tuple(found)


@lru_cache(maxsize=64)
def _hints(shape: type) -> dict[str, Any]:
    return typing.get_type_hints(shape)


def _shaped(shape: Any, value: Any) -> Any:
    if value is None:
        return None
    if dataclasses.is_dataclass(shape):
        hints = _hints(shape)  # type: ignore[arg-type]  # a dataclass type is hashable
        known = {name: _shaped(hints[name], each) for name, each in value.items() if name in hints}
        return shape(**known)  # type: ignore[operator]  # a dataclass is called like any class
    if shape is datetime:
        return from_stamp(value)
    origin = typing.get_origin(shape)
    if origin in (typing.Union, types.UnionType):
        inner = next(each for each in typing.get_args(shape) if each is not type(None))
        return _shaped(inner, value)
    if origin is tuple:
        inner = typing.get_args(shape)[0]
        return tuple(_shaped(inner, each) for each in value)
    return value
