"""Instants sort as text, ids sort by time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib.domain.moments import from_stamp, sortable_id, stamp, whole_milliseconds
from chalicelib.errors import InvalidInput

AT = datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC)


def test_a_stamp_is_utc_with_milliseconds_and_comes_back() -> None:
    assert stamp(AT.astimezone(timezone(timedelta(hours=9)))) == "2026-11-20T09:00:00.123Z"
    assert from_stamp(stamp(AT)) == whole_milliseconds(AT)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput):
        stamp(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the case


def test_ids_sort_by_time_and_repeat_for_the_same_seed() -> None:
    ids = [sortable_id("m", AT + timedelta(milliseconds=n), b"x") for n in range(50)]
    assert ids == sorted(ids) and len(set(ids)) == 50
    assert sortable_id("m", AT, b"x") == ids[0] != sortable_id("m", AT, b"y")
