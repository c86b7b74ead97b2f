"""Where the engine's state lies on disk: two folders written in turn, the newest complete one wins.

The engine's own persistence writes only on a clean exit, in place, and swallows errors.  Here a folder counts only
once its ``complete.json`` stands, and a failed write leaves the other folder as it was.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDERS = ("a", "b")
MARK = "complete.json"


@dataclass(frozen=True)
class Snapshot:
    """sequence: counts up with every snapshot.  at: epoch seconds.  port: the engine's when it was taken."""

    folder: Path
    sequence: int
    at: float
    port: int


def newest(root: Path) -> Snapshot | None:
    """The newest complete snapshot, or None on a fresh start."""
    found = [snapshot for name in FOLDERS if (snapshot := _read(root / name)) is not None]
    return max(found, key=lambda snapshot: snapshot.sequence, default=None)


def oldest_sequence(root: Path) -> int:
    """Sequence of the oldest snapshot that could still be restored; 0 on a fresh start."""
    return min((s.sequence for name in FOLDERS if (s := _read(root / name)) is not None), default=0)


def write(root: Path, files: Mapping[str, str], at: float, port: int, sequence: int) -> Snapshot:
    """Write ``files`` (name -> text) into the folder that does not hold the newest snapshot."""
    last = newest(root)
    folder = root / (FOLDERS[0] if last is None or last.folder.name == FOLDERS[1] else FOLDERS[1])
    (folder / MARK).unlink(missing_ok=True)  # first of all: half-written is not complete
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    mark = folder / f"{MARK}.new"
    mark.write_text(json.dumps({"sequence": sequence, "at": at, "port": port}))
    os.replace(mark, folder / MARK)
    return Snapshot(folder, sequence, at, port)


def move_to_port(snapshot: Snapshot, port: int) -> None:
    """Rewrite the addresses inside a snapshot when the engine's old port is no longer to be had.

    Queue URLs, endpoints in functions' settings and stack outputs all name ``127.0.0.1:<port>``.
    """
    old = re.compile(rf"127\.0\.0\.1:{snapshot.port}\b")
    for path in snapshot.folder.glob("*.json"):
        text = path.read_text()
        if old.search(text):
            path.write_text(old.sub(f"127.0.0.1:{port}", text))


def _read(folder: Path) -> Snapshot | None:
    try:
        mark: dict[str, Any] = json.loads((folder / MARK).read_text())
        return Snapshot(folder, int(mark["sequence"]), float(mark["at"]), int(mark["port"]))
    except (OSError, ValueError, KeyError):
        return None
