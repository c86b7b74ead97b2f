"""One DynamoDB table: its items, its indexes, and its stream.  String keys alone, as ours are.

Secondary indexes and eventually consistent reads see a change only once its delay is over; with no delay they see it
at once.  Delays are drawn by the simulation, so that what AWS calls "usually within a second" can be at its worst.
"""

import zlib
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.aws.errors import invalid
from tests.simulation.aws.expressions import Wanted
from tests.simulation.aws.values import Item, item_size

Key = tuple[str, str]
Row = tuple[str, str, str]
"""A row's place in its partition: sort key of the view, then the item's own keys."""

MAX_ITEM_BYTES = 400 * 1024
SHARDS = 2


@dataclass
class View:
    """Items by partition in the order of a sort key: the table itself, or an index of it."""

    hash_name: str
    range_name: str
    columns: frozenset[str] | None = None
    images: dict[Key, Item] = field(default_factory=dict)
    sizes: dict[Key, int] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def apply(self, key: Key, image: Item | None, size: int) -> None:
        before = self.images.pop(key, None)
        if before is not None:
            del self.sizes[key]
            rows = self.rows[before[self.hash_name]["S"]]
            del rows[bisect_left(rows, (before[self.range_name]["S"], *key))]
        if image is None or self.hash_name not in image or self.range_name not in image:
            return  # sparse: an item without the index's keys is not in it
        if self.columns is not None:
            image = {name: value for name, value in image.items() if name in self.columns}
            size = item_size(image)
        self.images[key], self.sizes[key] = image, size
        insort(self.rows.setdefault(image[self.hash_name]["S"], []), (image[self.range_name]["S"], *key))

    def place(self, start_key: Item, pk: str, sk: str) -> Row:
        """Where a page ended."""
        return start_key[self.range_name]["S"], start_key[pk]["S"], start_key[sk]["S"]

    def slice(self, wanted: Wanted, after: Row | None, forward: bool) -> Sequence[Row]:
        """The rows that a key condition names, behind ``after``, in the order they are to be read."""
        rows = self.rows.get(wanted.partition, [])
        low, high = _bounds(wanted)
        start = bisect_left(rows, (low,)) if low else 0
        stop = len(rows) if high is None else bisect_left(rows, (high,))
        if after is not None and forward:
            start = max(start, bisect_right(rows, after))
        if after is not None and not forward:
            stop = min(stop, bisect_left(rows, after))
        found = rows[start:stop]
        return found if forward else found[::-1]


def _bounds(wanted: Wanted) -> tuple[str, str | None]:
    """First sort key that may be in, and the first behind it that may not (None: no end)."""
    if not wanted.operator:
        return "", None
    text = wanted.texts[0]
    behind = text + "\x00"
    last = text[:-1] + chr(ord(text[-1]) + 1) if text else None
    bounds: dict[str, tuple[str, str | None]] = {
        "=": (text, behind),
        "<": ("", text),
        "<=": ("", behind),
        ">": (behind, None),
        ">=": (text, None),
        "begins_with": (text, last),
        "between": (text, wanted.texts[-1] + "\x00"),
    }
    return bounds[wanted.operator]


@dataclass(frozen=True)
class _Change:
    """What an index has not seen yet."""

    visible_at: float
    key: Key
    image: Item | None
    size: int


class Table:
    """``pk`` and ``sk``: its keys' names.  ``delay``: seconds after which indexes see a change made ``now``."""

    def __init__(
        self,
        definition: dict[str, Any],
        now: Callable[[], float],
        delay: Callable[[], float],
    ) -> None:
        self.name: str = definition["TableName"]
        self.pk, self.sk = _key_names(definition)
        self.items = View(self.pk, self.sk)
        self.shards: list[deque[dict[str, Any]]] = [deque() for _ in range(SHARDS)]
        """Stream records not yet taken, oldest first; every record of one item is in the same shard."""
        self._replica = View(self.pk, self.sk)
        self._indexes = {each["IndexName"]: self._index(each) for each in definition.get("GlobalSecondaryIndexes", ())}
        self._coming: deque[_Change] = deque()
        self._now, self._delay = now, delay
        self._sequence = 0

    def _index(self, definition: dict[str, Any]) -> View:
        hash_name, range_name = _key_names(definition)
        projection = definition["Projection"]
        columns = {self.pk, self.sk, hash_name, range_name, *projection.get("NonKeyAttributes", ())}
        whole = projection["ProjectionType"] == "ALL"
        return View(hash_name, range_name, None if whole else frozenset(columns))

    @property
    def index_keys(self) -> set[str]:
        return {name for view in self._indexes.values() for name in (view.hash_name, view.range_name)}

    def view(self, index: str | None, consistent: bool) -> View:
        """What a read sees."""
        if index is None and consistent:
            return self.items
        self._catch_up()
        if index is None:
            return self._replica
        if consistent:
            raise invalid("Consistent reads are not supported on global secondary indexes")
        if index not in self._indexes:
            raise invalid(f"The table does not have the specified index: {index}")
        return self._indexes[index]

    def key_of(self, item: Item) -> Key:
        found = []
        for name in (self.pk, self.sk):
            if name not in item:
                raise invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
            text = item[name].get("S")
            if text is None:
                raise invalid(f"One or more parameter values were invalid: Type mismatch for key {name} expected: S")
            if not text:
                raise invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
                    f"contain an empty string value. Key: {name}"
                )
            found.append(text)
        pk, sk = found
        if len(pk.encode()) > 2048 or len(sk.encode()) > 1024:
            raise invalid("One or more parameter values were invalid: Size of a key has exceeded the size limit")
        return pk, sk

    def checked(self, item: Item) -> int:
        """The item's size; refuses what the table or one of its indexes cannot hold."""
        for name in self.index_keys & item.keys():
            text = item[name].get("S")
            if text is None:
                raise invalid(f"One or more parameter values were invalid: Type mismatch for Index Key {name}")
            if not text:
                raise invalid(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not "
                    f"supported. The AttributeValue for a key attribute cannot contain an empty string value: {name}"
                )
        size = item_size(item)
        if size > MAX_ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        return size

    def write(self, key: Key, image: Item | None, size: int, by: str | None = None) -> None:
        """Put or delete (None) one item; ``by``: the service that did it in place of a caller."""
        before = self.items.images.get(key)
        if before == image:
            return  # nothing changed: no record in the stream
        self.items.apply(key, image, size)
        due = self._now() + self._delay()
        if self._coming:
            due = max(due, self._coming[-1].visible_at)
        self._coming.append(_Change(due, key, image, size))
        self._record(key, before, image, by)

    def _catch_up(self) -> None:
        now = self._now()
        while self._coming and self._coming[0].visible_at <= now:
            change = self._coming.popleft()
            for view in (self._replica, *self._indexes.values()):
                view.apply(change.key, change.image, change.size)

    def _record(self, key: Key, before: Item | None, after: Item | None, by: str | None) -> None:
        self._sequence += 1
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": int(self._now()),
            "Keys": {self.pk: {"S": key[0]}, self.sk: {"S": key[1]}},
            "SequenceNumber": f"{self._sequence:021d}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if before is not None:
            change["OldImage"] = before
        if after is not None:
            change["NewImage"] = after
        record = {
            "eventID": f"{zlib.crc32(self.name.encode()):08x}{self._sequence:024x}",
            "eventName": "INSERT" if before is None else "REMOVE" if after is None else "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-west-1",
            "dynamodb": change,
        }
        if by:
            record["userIdentity"] = {"type": "Service", "principalId": by}
        self.shards[zlib.crc32("\x00".join(key).encode()) % SHARDS].append(record)


def _key_names(definition: dict[str, Any]) -> tuple[str, str]:
    by_type = {each["KeyType"]: each["AttributeName"] for each in definition["KeySchema"]}
    return by_type["HASH"], by_type["RANGE"]
