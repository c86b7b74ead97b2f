"""What a release writes into the table and the queues, and how it reads what another release wrote.

Run by ``bench.releases.Tree.run`` as a program of its own inside a release, this one or an earlier one, so it finds
shapes by the names in that release's code and imports nothing else:

``write``  every stored shape as that release stores it: with every field filled, and with none that it can leave out
``read``   the same document from standard input, as that release understands it
``relay``  the stream records of such items from standard input, as that release passes them on
"""

import dataclasses
import importlib
import json
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

READS = re.compile(r"(?:\bdecode|documents\.read|documents\.under|pending\.marked)\(\s*([A-Z]\w+),")
"""How the desk's code names a shape that it takes out of the table."""
ITEMS = ("Ticket", "Receipt", "Delivery")
"""Stored as items whose attributes are named."""
MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NUMBER = "1042"


def main() -> None:
    wanted = sys.argv[1]
    if wanted == "write":
        print(json.dumps(write()))
    elif wanted == "read":
        print(json.dumps(read(json.load(sys.stdin)), default=str))
    elif wanted == "relay":
        print(json.dumps(relay(json.load(sys.stdin))))


def shapes() -> dict[str, type]:
    """This release's dataclasses by name; of two with one name, the one that a store or a service has."""
    desk, found = importlib.import_module("chalicelib"), dict[str, type]()
    layers = ("domain", "services", "store")
    modules = [each.name for each in pkgutil.walk_packages(desk.__path__, "chalicelib.")]
    named = [name for layer in layers for name in modules if name.split(".")[1] == layer]
    for name in named:
        module = importlib.import_module(name)
        for shape in vars(module).values():
            if isinstance(shape, type) and dataclasses.is_dataclass(shape) and shape.__module__ == name:
                found[shape.__name__] = shape
    return found


def stored_shapes() -> list[str]:
    """The names of those that this release's code reads back, kept whole as JSON."""
    folders = importlib.import_module("chalicelib").__path__
    texts = (path.read_text() for folder in folders for path in Path(folder).rglob("*.py"))
    return sorted({name for text in texts for name in READS.findall(text)})


# Writing


def write() -> dict[str, Any]:
    codec = importlib.import_module("chalicelib.store.codec")
    known = shapes()
    found: dict[str, Any] = {}
    for name in stored_shapes():
        for fill in (True, False):
            found[f"{name} {'full' if fill else 'bare'}"] = codec.encode(filled(known[name], fill))
    for name in ITEMS:
        for fill in (True, False):
            found[f"{name} {'full' if fill else 'bare'}"] = _raw(name, filled(known[name], fill))
    return found


def filled(hint: Any, fill: bool, default: object = dataclasses.MISSING) -> Any:
    """A value of a type, other than ``default``; of a dataclass with all its fields, or with those it insists on."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return hint(**{
            each.name: NUMBER if each.name in ("id", "ticket_id") else filled(hints[each.name], fill, each.default)
            for each in dataclasses.fields(hint)
            if fill or (each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING)
        })  # fmt: skip
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return filled(next(each for each in inner if each is not type(None)), fill, default)
    if origin is typing.Literal:
        return next(each for each in inner if each != default)
    if origin in (tuple, frozenset):
        return origin([filled(inner[0], fill)])
    if origin is not None and issubclass(origin, Mapping):
        return {"key": filled(inner[1], fill)}
    plain: dict[Any, Any] = {str: "said", int: 7, float: 1.5, bool: default is not True, datetime: MORNING}
    return plain[hint]


def _raw(name: str, value: Any) -> Any:
    """The item as DynamoDB holds it."""
    return _models(name, value).serialize()


def _models(name: str, value: Any) -> Any:
    tickets, messages, receipts = (importlib.import_module(f"chalicelib.store.{each}") for each in _STORES)
    if name == "Ticket":
        return tickets.as_item(value, MORNING, {"lina"})
    if name == "Receipt":
        return receipts._item(value, pending=True)
    models = importlib.import_module("chalicelib.store.models")
    moments = importlib.import_module("chalicelib.domain.moments")
    values = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)} | {
        "send_at": moments.stamp(MORNING), "at": moments.stamp(MORNING), "inbox_id": "support"
    }  # fmt: skip
    key = (messages.ticket_key(NUMBER), "DELIVERY#m1")
    return models.DeliveryItem(*key, **{each: values[each] for each in values if hasattr(models.DeliveryItem, each)})


_STORES = ("tickets", "messages", "receipts")


# Reading


def read(written: Mapping[str, Any]) -> dict[str, Any]:
    """What each document says, None for a shape that this release does not have."""
    codec = importlib.import_module("chalicelib.store.codec")
    known, stored = shapes(), {*stored_shapes(), *ITEMS}
    found: dict[str, Any] = {}
    for title, document in written.items():
        name = title.split()[0]
        if name not in stored:  # a shape of that name may still be here, and be something else
            found[title] = None
        elif name in ITEMS:
            found[title] = _plain(_from_raw(name, document))
        else:
            found[title] = _plain(codec.decode(known[name], document))
    return found


def _from_raw(name: str, document: Any) -> Any:
    models = importlib.import_module("chalicelib.store.models")
    tickets, messages, receipts = (importlib.import_module(f"chalicelib.store.{each}") for each in _STORES)
    turn = {
        "Ticket": (models.TicketItem, tickets.as_ticket),
        "Receipt": (models.ReceiptItem, receipts._as_receipt),
        "Delivery": (models.DeliveryItem, messages._as_delivery),
    }
    item, shaped = turn[name]
    return shaped(item.from_raw_data(document))


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


# Passing on


def relay(written: Mapping[str, Any]) -> dict[str, Any]:
    """The parcels of the stream records that the items and documents make: queue and body."""
    job = importlib.import_module("chalicelib.jobs.relay")
    found: dict[str, Any] = {}
    for title, image in stream_images(written).items():
        keys = {name: image[name] for name in ("pk", "sk")}
        record = {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": image}}
        parcels = job.parcels_of(record, MORNING)
        found[title] = [
            {"queue": each.queue_url, **_stable(each.entry), "body": json.loads(each.entry["MessageBody"])}
            for each in parcels
        ]
    return found


def _stable(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("DelaySeconds", "MessageGroupId") if name in entry}


def stream_images(written: Mapping[str, Any]) -> dict[str, Any]:
    """What the stream shows of items that have consequences."""
    found = {title: written[title] for title in written if title.split()[0] in ITEMS}
    document = {"data": {"S": written["Message full"]}}
    found["message"] = {"pk": {"S": f"TICKET#{NUMBER}"}, "sk": {"S": "MESSAGE#m1"}, **document}
    found["notice"] = {"pk": {"S": "NOTICES#lina"}, "sk": {"S": "n1"}, "data": {"S": written["Notice full"]}}
    return found


if __name__ == "__main__":
    main()
