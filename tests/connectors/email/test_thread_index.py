"""Outlook's Thread-Index."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.connectors.email.thread_index import FILETIME_EPOCH, continued

START = datetime(2026, 11, 20, 14, tzinfo=UTC)


def decoded(text: str) -> bytes:
    return base64.b64decode(text)


def test_a_fresh_one_holds_the_time_and_a_guid() -> None:
    index = decoded(continued(None, START, "1042", "s"))
    assert len(index) == 22
    since = int.from_bytes(index[:6] + b"\0\0", "big") / 10_000_000
    assert abs(FILETIME_EPOCH + timedelta(seconds=since) - START) < timedelta(seconds=1)
    assert index[6:] == decoded(continued(None, START + timedelta(days=3), "1042", "t"))[6:]
    assert index[6:] != decoded(continued(None, START, "1043", "s"))[6:]


def test_outlooks_first_byte() -> None:
    assert decoded(continued(None, START, "1", "s"))[0] == 1


def test_an_answer_appends_five_bytes_with_the_time_since() -> None:
    parent = continued(None, START, "1042", "s")
    child = decoded(continued(parent, START + timedelta(hours=1), "1042", "x"))
    assert child[:22] == decoded(parent)
    assert len(child) == 27
    bits = int.from_bytes(child[22:26], "big")
    assert bits >> 31 == 0
    assert abs((bits << 18) / 10_000_000 - 3600) < 0.1


def test_after_years_the_coarser_form_is_used() -> None:
    child = decoded(continued(continued(None, START, "1", "s"), START + timedelta(days=1000), "1", "x"))
    bits = int.from_bytes(child[22:26], "big")
    assert bits >> 31 == 1
    assert abs(((bits & 0x7FFFFFFF) << 23) / 10_000_000 / 86_400 - 1000) < 0.01


def test_a_clock_that_went_back_counts_as_now() -> None:
    child = decoded(continued(continued(None, START, "1", "s"), START - timedelta(days=1), "1", "x"))
    assert child[22:26] == b"\0\0\0\0"


@pytest.mark.parametrize("parent", ["", "no base64!", "QUJD", base64.b64encode(b"x" * 23).decode(), "AdX" * 4000])
def test_a_broken_parent_starts_afresh(parent: str) -> None:
    assert len(decoded(continued(parent, START, "1", "s"))) == 22


def test_it_stops_growing() -> None:
    index = continued(None, START, "1", "s")
    for number in range(100):
        index = continued(index, START, "1", str(number))
    assert len(decoded(index)) == 22 + 60 * 5
