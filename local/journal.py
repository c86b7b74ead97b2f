"""A journal of the table's changes since the last snapshot, so that a killed process loses none of them.

The engine keeps its tables in memory and a snapshot is a rewrite of everything, hence rare.  Between two snapshots
each DynamoDB request that changed something appends one line here *before* it is answered.  One request is one line,
so a transaction is replayed whole or not at all; a line torn by the kill is dropped, and nobody was told it succeeded.
The operating system holds what was written when the process dies, so no ``fsync`` is needed.
"""

import base64
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

Item = dict[str, Any]
"""An item in DynamoDB's own notation: ``{"pk": {"S": "…"}}``."""

BATCH = 25
"""Requests that ``BatchWriteItem`` takes at once."""


class TableWriter(Protocol):
    """The one call of a DynamoDB client that replaying needs."""

    def batch_write_item(self, *, RequestItems: dict[str, list[dict[str, Any]]]) -> Any: ...


class Journal:
    """Collects the changes of the request being served; ``commit`` writes them as one line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._pending: list[tuple[str, Item, Item | None]] = []
        self._file: int | None = None

    def open(self, sequence: int) -> None:
        """Write to the journal that follows snapshot ``sequence`` from now on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self._file is not None:
                os.close(self._file)
            self._file = os.open(_path(self._folder, sequence), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def add(self, table: str, key: Item, item: Item | None) -> None:
        """Note that ``item`` (None: nothing) now stands under ``key``."""
        self._pending.append((table, key, item))

    def commit(self) -> None:
        """Write what was noted since the last commit."""
        if not self._pending:
            return
        changes, self._pending = self._pending, []
        line = json.dumps(changes, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            if self._file is not None:
                os.write(self._file, line)


def replay(folder: Path, since: int, client: TableWriter) -> int:
    """Bring the tables to where the journals from snapshot ``since`` on end; return how many items were written.

    Only the last state of each item is written: what lay between has had its consequences or is marked as pending.
    """
    last: dict[tuple[str, str], tuple[Item, Item | None]] = {}
    for table, key, item in _changes(folder, since):
        last[table, json.dumps(key, sort_keys=True)] = (key, item)
    requests: dict[str, list[dict[str, Any]]] = {}
    for (table, _), (key, item) in last.items():
        request = _request(key, item)
        requests.setdefault(table, []).append(request)
    for table, wanted in requests.items():
        for start in range(0, len(wanted), BATCH):
            client.batch_write_item(RequestItems={table: wanted[start : start + BATCH]})
    return len(last)


def forget(folder: Path, before: int) -> None:
    """Delete the journals that no snapshot needs any more."""
    for path in folder.glob("journal-*.jsonl"):
        if _sequence(path) < before:
            path.unlink(missing_ok=True)


def _changes(folder: Path, since: int) -> Iterator[tuple[str, Item, Item | None]]:
    for path in sorted(folder.glob("journal-*.jsonl"), key=_sequence):
        if _sequence(path) < since:
            continue
        for line in path.read_bytes().splitlines():
            try:
                changes = json.loads(line)
            except ValueError:
                break  # torn by the kill: nothing valid can follow in this file
            yield from ((table, key, item) for table, key, item in changes)


def _request(key: Item, item: Item | None) -> dict[str, Any]:
    if item is None:
        return {"DeleteRequest": {"Key": _for_client(key)}}
    return {"PutRequest": {"Item": _for_client(item)}}


def _path(folder: Path, sequence: int) -> Path:
    return folder / f"journal-{sequence:08d}.jsonl"


def _sequence(path: Path) -> int:
    return int(path.stem.removeprefix("journal-"))


def _for_client(item: Item) -> Item:
    """The item as a client takes it: the engine holds binary values as base64 text, a client wants bytes."""
    return {name: _value(value) for name, value in item.items()}


def _value(value: dict[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: base64.b64decode(content)}
    if kind == "BS":
        return {kind: [base64.b64decode(part) for part in content]}
    if kind == "M":
        return {kind: _for_client(content)}
    if kind == "L":
        return {kind: [_value(part) for part in content]}
    return value
