"""Received = shown + quarantined + suppressed, and a difference names what is missing."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.jobs import inbound
from chalicelib.services import ledger, originals
from chalicelib.services.ledger import LedgerDay
from chalicelib.store import documents, objects, receipts
from chalicelib.store.models import ReceiptItem
from chalicelib.store.receipts import Receipt
from tests.engine import Desk

pytestmark = pytest.mark.engine
HELLO = (
    b"From: Ada <ada@example.com>\r\nTo: support@shop.example\r\nSubject: Hi\r\nMessage-ID: <1@example.com>\r\n\r\nHi"
)
OURS = HELLO.replace(b"Subject: Hi", b"Subject: Hi\r\nX-HD-Loop: test")


def put(desk: Desk, name: str, raw: bytes, recipients: str = "support@shop.example", **verdicts: str) -> str:
    objects.put_original(f"raw/{name}", raw, {"recipients": recipients, **verdicts})
    return f'{{"key": "raw/{name}"}}'


@pytest.fixture
def today(desk: Desk) -> str:
    desk.inbox()
    desk.inbox(id="sales", address="sales@shop.example", name="Sales")
    inbound.take_in(put(desk, "a", HELLO))
    return next(key for key, _ in objects.list_originals(objects.KEPT))[5:15].replace("/", "-")


def test_every_outcome_is_counted_once_for_each_inbox(desk: Desk, today: str) -> None:
    both = "support@shop.example,sales@shop.example"
    inbound.take_in(put(desk, "b", HELLO.replace(b"<1@", b"<2@"), both))
    inbound.take_in(put(desk, "c", HELLO.replace(b"<1@", b"<3@"), virus="FAIL"))
    inbound.take_in(put(desk, "d", OURS))
    inbound.take_in(put(desk, "e", HELLO))
    put(desk, "f", HELLO)
    account = ledger.day(today)
    assert (account.received, account.waiting) == (7, 1)
    assert (account.shown, account.quarantined, account.suppressed) == (3, 1, 2)
    assert (account.difference, account.missing) == (0, ())


def test_an_original_without_a_receipt_is_a_difference_with_its_name(desk: Desk, today: str) -> None:
    objects.put_original(f"kept/{today.replace('-', '/')}/lost", HELLO, {"recipients": "support@shop.example"})
    account = ledger.day(today)
    assert (account.difference, account.missing) == (1, ("lost",))


def test_a_ticket_made_by_hand_was_not_received(desk: Desk, today: str) -> None:
    receipts.add_alone(Receipt(today, "by-hand/m1", "shown", desk.now, "support", new_ticket=True))
    account = ledger.day(today)
    assert (account.received, account.shown, account.opened, account.difference) == (1, 1, 1, 0)


def test_a_mail_to_nobody_of_ours_is_quarantined_with_the_reason(desk: Desk, today: str) -> None:
    inbound.take_in(put(desk, "g", HELLO.replace(b"<1@", b"<9@"), "stranger@shop.example"))
    assert ledger.day(today).difference == 0
    assert [each.reason for each in originals.kept_out("quarantined").entries] == [
        "No inbox of ours was among its recipients."
    ]


def test_a_replayed_original_changes_nothing(desk: Desk, today: str) -> None:
    key = next(key for key, _ in objects.list_originals(objects.KEPT))
    before = ledger.day(today)
    originals.replay(key, lambda again: inbound.take_in(f'{{"key": "{again}"}}'))
    assert ledger.day(today) == before


def test_what_is_no_day_is_said(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        ledger.day("yesterday")


def test_an_original_driven_again_without_its_notice_goes_to_everybody_it_names(desk: Desk, today: str) -> None:
    raw = HELLO.replace(b"To: support@shop.example", b"To: support@shop.example\r\nCc: sales@shop.example")
    objects.put_original("raw/h", raw.replace(b"<1@", b"<8@"), {})
    inbound.take_in('{"key": "raw/h"}')
    account = ledger.day(today)
    assert (account.shown, account.difference, account.missing) == (3, 0, ())


# What each hour counts


class Archive:
    """Today's archive as S3 lists it, and which envelopes were read.

    at: when an original was stored; at 09:30 unless said.
    """

    def __init__(self, day: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00")
        self.at: dict[str, timedelta] = {}
        self.read: list[str] = []
        listed, head = objects.list_originals, objects.head_original
        monkeypatch.setattr(
            objects, "list_originals", lambda prefix: [(key, self._stored(key)) for key, _ in listed(prefix)]
        )

        def noted(key: str) -> Mapping[str, str]:
            self.read.append(key)
            return head(key)

        monkeypatch.setattr(objects, "head_original", noted)

    def _stored(self, key: str) -> datetime:
        return self.midnight + self.at.get(key.rsplit("/", 1)[-1], timedelta(hours=9.5))

    def hour(self, hours: float) -> tuple[LedgerDay, list[str]]:
        """The account of that hour, and the originals it read."""
        self.read.clear()
        account = ledger.so_far(self.midnight + timedelta(hours=hours))
        return account, sorted(key.rsplit("/", 1)[-1] for key in self.read)


@pytest.fixture
def archive(today: str, monkeypatch: pytest.MonkeyPatch) -> Archive:
    return Archive(today, monkeypatch)


def take(desk: Desk, name: str, *recipients: str) -> None:
    raw = HELLO.replace(b"<1@", f"<{name}@".encode())
    inbound.take_in(put(desk, name, raw, ",".join(recipients) or "support@shop.example"))


def test_an_hour_reads_only_what_is_new_and_says_what_a_full_count_says(
    desk: Desk, today: str, archive: Archive
) -> None:
    assert archive.hour(10)[1] == ["a"]
    archive.at |= {"b": timedelta(hours=10.2), "c": timedelta(hours=11.5)}
    take(desk, "b", "support@shop.example", "sales@shop.example")
    account, read = archive.hour(11)
    assert (account.received, account.shown, account.difference, read) == (3, 3, 0, ["b"])
    take(desk, "c")
    account, read = archive.hour(12)
    assert read == ["c"]
    assert account == ledger.day(today) == ledger.recent()[0]


def test_a_repeated_hour_reads_nothing_and_a_skipped_one_is_made_good(desk: Desk, today: str, archive: Archive) -> None:
    first = archive.hour(10)[0]
    assert archive.hour(10) == (first, [])
    archive.at |= {"b": timedelta(hours=11), "c": timedelta(hours=14)}
    take(desk, "b")
    take(desk, "c")
    account, read = archive.hour(15)
    assert (account, read) == (ledger.day(today), ["b", "c"])


def test_what_may_still_be_on_its_way_is_read_again(desk: Desk, archive: Archive) -> None:
    archive.at["a"] = timedelta(hours=10) - ledger.SETTLING / 2
    assert [archive.hour(hour)[1] for hour in (10, 11, 12)] == [["a"], ["a"], []]


def test_an_original_that_shows_up_late_is_counted(desk: Desk, today: str, archive: Archive) -> None:
    """Stored, by its time, before what was counted last: everything is read again."""
    archive.at["b"] = timedelta(hours=9)
    archive.hour(10)
    take(desk, "b", "support@shop.example", "sales@shop.example")
    account, read = archive.hour(11)
    assert (account, read) == (ledger.day(today), ["a", "b"])
    assert archive.hour(12)[1] == []


def test_an_original_that_goes_is_not_carried_on(desk: Desk, today: str, archive: Archive) -> None:
    take(desk, "b")
    archive.hour(10)
    objects.delete_original(f"kept/{today.replace('-', '/')}/b")
    account = archive.hour(11)[0]
    assert (account.received, account.difference) == (1, -1)


def test_a_new_address_is_looked_for_in_every_envelope_of_the_day(desk: Desk, today: str, archive: Archive) -> None:
    take(desk, "b", "support@shop.example", "returns@shop.example")
    assert archive.hour(10)[0].difference == 0
    desk.inbox(id="returns", address="returns@shop.example", name="Returns")
    account = archive.hour(11)[0]
    assert (account.difference, account.missing) == (1, ("b",))


def test_what_is_missing_of_an_earlier_hour_has_its_name(desk: Desk, today: str, archive: Archive) -> None:
    take(desk, "b", "support@shop.example", "sales@shop.example")
    archive.hour(10)
    ReceiptItem(f"RECEIPTS#{today}", "b#sales#0").delete()
    assert archive.hour(11)[0].missing == ("b",)
    assert archive.hour(12)[0].difference == 1


def test_a_new_day_starts_from_nothing(desk: Desk, today: str, archive: Archive) -> None:
    archive.hour(23.5)
    account, read = archive.hour(24.5)
    assert (account.received, read) == (0, [])
    assert [each.received for each in ledger.recent()] == [0, 1]


def test_a_day_is_closed_when_nothing_of_it_waits_any_more(desk: Desk, today: str, archive: Archive) -> None:
    put(desk, "late", HELLO.replace(b"<1@", b"<7@"))
    archive.hour(23.9)
    (account,) = ledger.close(archive.midnight + timedelta(hours=26))
    assert (account.waiting, account.received, account.closed) == (1, 2, False)
    inbound.take_in('{"key": "raw/late"}')
    first = ledger.close(archive.midnight + timedelta(hours=50))[-1]
    assert (first.day, first.waiting, first.shown, first.difference, first.closed) == (today, 0, 2, 0, True)
    assert today not in [each.day for each in ledger.close(archive.midnight + timedelta(hours=51))]


def test_a_day_whose_night_was_missed_is_closed_in_the_next(desk: Desk, today: str, archive: Archive) -> None:
    archive.hour(20)
    take(desk, "b")
    closed = ledger.close(archive.midnight + timedelta(hours=50))
    assert [(each.received, each.closed) for each in closed] == [(0, True), (2, True)]
    assert ledger.close(archive.midnight + timedelta(hours=50)) == ()


# While mail is being dealt with


def meanwhile(monkeypatch: pytest.MonkeyPatch, where: object, name: str, act: Callable[[], object]) -> None:
    """Before ``name`` is called for the first time, somebody else does this."""
    real, todo = getattr(where, name), [act]

    def called(*given: Any, **named: Any) -> Any:
        if todo:
            todo.pop()()
        return real(*given, **named)

    monkeypatch.setattr(where, name, called)


def test_a_mail_dealt_with_while_the_day_is_counted_is_no_difference(
    desk: Desk, today: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.advance(hours=1)
    meanwhile(monkeypatch, receipts, "of_day", lambda: take(desk, "b"))
    account = ledger.day(today)
    assert (account.received, account.shown, account.difference) == (1, 1, 0)
    account = ledger.day(today)
    assert (account.received, account.shown, account.difference) == (2, 2, 0)


def test_a_mail_dealt_with_while_an_hour_is_counted_is_no_difference(
    desk: Desk, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.hour(10)
    archive.at["b"] = timedelta(hours=11, seconds=1)
    desk.now = archive.midnight + timedelta(hours=11)
    meanwhile(monkeypatch, receipts, "of_day", lambda: take(desk, "b", "support@shop.example", "sales@shop.example"))
    account = archive.hour(11)[0]
    assert (account.received, account.shown, account.difference) == (1, 1, 0)
    account = archive.hour(12)[0]
    assert (account.received, account.shown, account.difference) == (3, 3, 0)


def test_an_original_that_goes_at_once_is_a_difference_once_it_must_have_been_kept(
    desk: Desk, today: str, archive: Archive
) -> None:
    desk.now = archive.midnight + timedelta(hours=10)
    take(desk, "b")
    objects.delete_original(f"kept/{today.replace('-', '/')}/b")
    settled = desk.now + ledger.SETTLING
    for at, difference in ((desk.now, 0), (settled, 0), (settled + timedelta(seconds=1), -1)):
        assert (ledger.day(today, at).difference, ledger.so_far(at).difference) == (difference, difference)


def test_a_mail_whose_reader_died_before_it_left_the_tray_waits(
    desk: Desk, today: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise ConnectionError("S3 is away")

    notice = put(desk, "b", HELLO.replace(b"<1@", b"<2@"))
    with monkeypatch.context() as patch:
        patch.setattr(objects, "keep", dies)
        with pytest.raises(ConnectionError):
            inbound.take_in(notice)
    desk.advance(hours=1)
    account = ledger.day(today)
    assert (account.received, account.waiting, account.shown, account.difference) == (2, 1, 1, 0)
    inbound.take_in(notice)
    account = ledger.day(today)
    assert (account.received, account.waiting, account.shown, account.difference) == (2, 0, 2, 0)


def test_a_mail_to_nobody_counts_once_when_its_inbox_is_made_and_it_is_replayed(desk: Desk, today: str) -> None:
    take(desk, "b", "returns@shop.example")
    account = ledger.day(today)
    assert (account.shown, account.quarantined, account.difference) == (1, 1, 0)
    desk.inbox(id="returns", address="returns@shop.example", name="Returns")
    for _ in range(2):
        originals.replay(f"kept/{today.replace('-', '/')}/b", lambda again: inbound.take_in(f'{{"key": "{again}"}}'))
        desk.advance(hours=1)
        account = ledger.day(today)
        assert (account.received, account.shown, account.quarantined, account.difference) == (2, 2, 0, 0)


def test_a_mail_whose_inbox_went_counts_once_when_it_is_replayed(desk: Desk, today: str) -> None:
    take(desk, "b", "sales@shop.example")
    documents.delete("INBOXES", "sales")
    documents.delete("ADDRESS#sales@shop.example", "ADDRESS")
    originals.replay(f"kept/{today.replace('-', '/')}/b", lambda again: inbound.take_in(f'{{"key": "{again}"}}'))
    assert {each.inbox_id for each in receipts.of_original(today, "b")} == {"sales", "nobody"}
    account = ledger.day(today)
    assert (account.received, account.shown, account.quarantined, account.difference) == (2, 2, 0, 0)


# Two at once: the page and the hour


@pytest.mark.parametrize("other", [11.5, 11, 10.5])
@pytest.mark.parametrize(
    "moment",
    [(documents, "read"), (objects, "head_original"), (receipts, "of_day"), (documents, "write_newer")],
    ids=lambda moment: moment[1],
)
def test_two_that_count_at_once_leave_no_wrong_sum(
    desk: Desk, today: str, archive: Archive, monkeypatch: pytest.MonkeyPatch, moment: tuple[object, str], other: float
) -> None:
    """While one counts, a mail comes and another one counts, by a clock before or behind its own."""
    archive.hour(10)
    archive.at |= {"b": timedelta(hours=10.2), "c": timedelta(hours=10.9)}
    take(desk, "b", "support@shop.example", "sales@shop.example")
    desk.now = archive.midnight + timedelta(hours=10.9)

    def comes() -> None:
        take(desk, "c", "support@shop.example", "sales@shop.example")
        archive.hour(other)

    meanwhile(monkeypatch, *moment, comes)
    archive.hour(11)
    assert ledger.recent()[0].counted_at == archive.midnight + timedelta(hours=max(11, other))
    account = archive.hour(12)[0]
    assert (account.received, account.shown, account.difference) == (5, 5, 0)
    assert account == ledger.day(today) == ledger.recent()[0]
    assert archive.hour(13) == (account, [])


# What a look shows


def test_a_look_at_today_reads_only_what_is_new(desk: Desk, today: str, archive: Archive) -> None:
    at = archive.midnight + timedelta(hours=10)
    assert ledger.look(today, at).shown == 1
    archive.read.clear()
    archive.at["b"] = timedelta(hours=10.5)
    take(desk, "b")
    account = ledger.look(today, at + timedelta(hours=1))
    assert (account.received, account.shown, account.counted_at) == (2, 2, at + timedelta(hours=1))
    assert archive.read == [f"kept/{today.replace('-', '/')}/b"]


def test_a_look_at_a_closed_day_reads_no_original_and_at_an_open_one_counts(
    desk: Desk, today: str, archive: Archive
) -> None:
    night = archive.midnight + timedelta(hours=26)
    put(desk, "late", HELLO.replace(b"<1@", b"<7@"))
    ledger.close(night)
    inbound.take_in('{"key": "raw/late"}')
    archive.read.clear()
    account = ledger.look(today, night + timedelta(hours=1))
    assert (account.shown, account.waiting, account.counted_at) == (2, 0, night + timedelta(hours=1))
    assert len(archive.read) == 2
    archive.read.clear()
    account = ledger.look(today, night + timedelta(days=2))
    assert (account.shown, account.closed, account.counted_at) == (2, True, night + timedelta(hours=1))
    assert archive.read == []


def test_a_closed_day_is_counted_anew_once_an_original_of_it_was_read_again(
    desk: Desk, today: str, archive: Archive
) -> None:
    put(desk, "nobody", HELLO.replace(b"<1@", b"<8@"), "returns@shop.example")
    inbound.take_in('{"key": "raw/nobody"}')
    night = archive.midnight + timedelta(hours=26)
    (account,) = ledger.close(night)
    assert (account.shown, account.quarantined, account.closed) == (1, 1, True)
    desk.inbox(id="returns", address="returns@shop.example", name="Returns")
    desk.now = night + timedelta(hours=8)
    inbound.take_in(f'{{"key": "kept/{today.replace("-", "/")}/nobody"}}')
    account = ledger.look(today, night + timedelta(hours=9))
    assert (account.shown, account.quarantined, account.difference, account.closed) == (2, 0, 0, True)
    assert ledger.recent()[0].shown == 2


def test_what_is_missing_is_named_again_without_reading_the_whole_day(desk: Desk, today: str, archive: Archive) -> None:
    for name in ("b", "c", "d"):
        take(desk, name, "support@shop.example", "sales@shop.example")
    archive.hour(10)
    ReceiptItem(f"RECEIPTS#{today}", "b#sales#0").delete()
    assert archive.hour(11)[0].missing == ("b",)
    account, read = archive.hour(12)
    assert (account.difference, account.missing, read) == (1, ("b",), ["b"])
    for inbox in ("sales", "support"):
        ReceiptItem(f"RECEIPTS#{today}", f"c#{inbox}#0").delete()
    account, read = archive.hour(13)
    assert (account.difference, account.missing, read) == (3, ("b", "c"), ["b"])
