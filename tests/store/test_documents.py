"""Small documents: what has expired is not there any more, however late DynamoDB deletes it."""

from datetime import timedelta

import pytest

from chalicelib.services import notices
from chalicelib.store import documents, live
from chalicelib.store.live import Connection
from chalicelib.store.transaction import Transaction
from tests.engine import Desk

pytestmark = pytest.mark.engine


def test_a_list_ends_where_its_entries_have_expired(desk: Desk) -> None:
    documents.write("LIST#x", "1", "old", desk.now)
    documents.write("LIST#x", "2", "young", desk.now + timedelta(seconds=1))
    documents.write("LIST#x", "3", "for ever")
    assert dict(documents.under(str, "LIST#x")) == {"2": "young", "3": "for ever"}
    assert dict(documents.under(str, "LIST#x", newest_first=True, limit=3, after="9")) == {
        "2": "young",
        "3": "for ever",
    }
    desk.advance(seconds=1)
    assert dict(documents.under(str, "LIST#x")) == {"3": "for ever"}


def test_a_console_that_was_closed_unheard_is_told_nothing_after_its_hours(desk: Desk) -> None:
    live.open_connection(Connection("c1", "lina"), desk.now)
    desk.advance(hours=live.CONNECTION_HOURS, seconds=-1)
    live.open_connection(Connection("c2", "lina"), desk.now)
    assert [each.id for each in live.connections()] == ["c1", "c2"]
    desk.advance(seconds=1)
    assert [each.id for each in live.connections()] == ["c2"]
    live.look_at("c1", "1001", desk.now)
    assert [each.id for each in live.connections()] == ["c1", "c2"], "it speaks, so it stands"


def test_a_notice_goes_after_its_days(desk: Desk) -> None:
    transaction = Transaction()
    transaction.put("notice", notices.item("lina", "assigned", "1001", "Assigned to you.", desk.now))
    transaction.commit()
    assert [each.text for each in notices.of("lina")] == ["Assigned to you."]
    desk.advance(days=notices.NOTICE_DAYS)
    assert notices.of("lina") == ()


def test_an_earlier_account_never_comes_over_a_later_one(desk: Desk) -> None:
    documents.write("LEDGER", "d", "written before moments were kept")
    assert documents.write_newer("LEDGER", "d", "second", desk.now)
    assert not documents.write_newer("LEDGER", "d", "first", desk.now - timedelta(milliseconds=1))
    assert documents.read(str, "LEDGER", "d") == "second"
    assert documents.write_newer("LEDGER", "d", "second again", desk.now)
    assert documents.write_newer("LEDGER", "d", "third", desk.now + timedelta(milliseconds=1))
    assert documents.read(str, "LEDGER", "d") == "third"


def test_what_was_found_later_is_kept(desk: Desk) -> None:
    assert documents.write_newer("FOUND#x", "1", "first", desk.now)
    assert not documents.write_newer("FOUND#x", "1", "before", desk.now - timedelta(seconds=1))
    assert documents.read(str, "FOUND#x", "1") == "first"
    assert documents.write_newer("FOUND#x", "1", "after", desk.advance(seconds=1))
    assert documents.read(str, "FOUND#x", "1") == "after"
