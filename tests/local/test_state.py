"""Snapshots, the journal between them, and the moments at which schedules fire."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local import snapshots
from local.clock import due_schedules
from local.journal import Journal, forget, replay

KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}


class Written:
    """Stands in for a DynamoDB client."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def batch_write_item(self, *, RequestItems: dict[str, list[dict[str, Any]]]) -> None:
        self.requests += [request for requests in RequestItems.values() for request in requests]


def test_snapshots_alternate_and_the_newest_complete_one_wins(tmp_path: Path) -> None:
    first = snapshots.write(tmp_path, {"x.json": "1"}, 10.0, 15000, 1)
    second = snapshots.write(tmp_path, {"x.json": "2"}, 20.0, 15000, 2)
    assert first.folder != second.folder
    assert snapshots.newest(tmp_path) == second
    (second.folder / snapshots.MARK).unlink()  # as if the process had died while it wrote
    assert snapshots.newest(tmp_path) == first
    assert snapshots.write(tmp_path, {}, 30.0, 15000, 3).folder == second.folder


def test_a_snapshot_moves_to_another_port(tmp_path: Path) -> None:
    made = snapshots.write(tmp_path, {"sqs.json": '"http://127.0.0.1:15000/q" "127.0.0.1:150001"'}, 1.0, 15000, 1)
    snapshots.move_to_port(made, 16000)
    assert (made.folder / "sqs.json").read_text() == '"http://127.0.0.1:16000/q" "127.0.0.1:150001"'


def test_the_journal_replays_the_last_state_of_each_item(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.open(1)
    other = {"pk": {"S": "a"}, "sk": {"S": "2"}}
    journal.add("table", KEY, KEY | {"n": {"N": "1"}})
    journal.add("table", other, other | {"b": {"B": "AP8="}})
    journal.commit()
    journal.add("table", KEY, None)
    journal.commit()
    journal.close()
    client = Written()
    assert replay(tmp_path, 1, client) == 2
    assert client.requests == [
        {"DeleteRequest": {"Key": KEY}},
        {"PutRequest": {"Item": other | {"b": {"B": b"\x00\xff"}}}},
    ]


def test_a_torn_line_and_older_journals_are_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for sequence, value in ((1, "old"), (2, "new")):
        journal.open(sequence)
        journal.add("table", KEY, KEY | {"v": {"S": value}})
        journal.commit()
    journal.close()
    path = tmp_path / "journal-00000002.jsonl"
    path.write_bytes(path.read_bytes() + b'[["table",{"pk"')
    client = Written()
    assert replay(tmp_path, 2, client) == 1
    assert client.requests == [{"PutRequest": {"Item": KEY | {"v": {"S": "new"}}}}]
    forget(tmp_path, before=2)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_schedules_fire_in_order_through_a_night() -> None:
    fired = list(due_schedules(datetime(2026, 1, 1, 1, 59, 30, tzinfo=UTC), datetime(2026, 1, 1, 2, 17, tzinfo=UTC)))
    assert fired[0] == (datetime(2026, 1, 1, 2, 0, tzinfo=UTC), ["Sweep", "Repair", "Hourly"])
    assert fired[1] == (datetime(2026, 1, 1, 2, 1, tzinfo=UTC), ["Sweep"])
    assert fired[-1] == (datetime(2026, 1, 1, 2, 17, tzinfo=UTC), ["Sweep", "Daily"])
    assert len(fired) == 18
