"""Counters do not drift, and where they did, the night repairs them without losing what is counted meanwhile."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.message import Party
from chalicelib.domain.ticket import Ticket
from chalicelib.services import recount
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.store import counters, lists, tickets
from chalicelib.store.lists import Page
from chalicelib.store.models import CounterItem
from tests.engine import Desk
from tests.services.test_receive_message import mail

pytestmark = pytest.mark.engine


def arrived(desk: Desk, n: int = 1, count: bool = True) -> Ticket:
    inbound = mail(desk, n, sender=Party("", f"p{n}@example.com"))
    receipt = receive(inbound, Envelope(f"o{n}", f"kept/o{n}", desk.now, desk.inbox(), "2026-11-20"), desk.now)
    ticket = tickets.get(receipt.ticket_id or "")
    if count:
        counters.count(ticket, False)
    return ticket


def spoil(bucket: str, by: int) -> None:
    CounterItem("COUNTERS", f"{bucket}#1").update(actions=[CounterItem.amount.add(by)])


def test_a_slow_worker_with_an_older_ticket_changes_no_count(desk: Desk) -> None:
    ticket, lina = arrived(desk), desk.actor()
    older = change(ticket.id, lina, Changes(status="pending"), desk.now)
    newer = change(ticket.id, lina, Changes(status="open"), desk.now)
    assert not counters.count(newer, False)
    assert not counters.count(older, False)
    assert counters.all_counts()["open"] == 1 and counters.all_counts().get("pending", 0) == 0
    assert recount.recount(desk.now) == 0
    counters.count(change(ticket.id, lina, Changes(status="resolved"), desk.now), False)
    assert counters.all_counts()["open"] == 0


def test_what_is_counted_already_costs_no_write(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = arrived(desk)
    monkeypatch.setattr(counters, "_note", lambda *_: pytest.fail("written again"))
    assert not counters.count(ticket, False)


def test_the_recount_repairs_totals_in_both_directions_and_says_by_how_much(desk: Desk) -> None:
    arrived(desk)
    spoil("open", 4)
    spoil("unassigned", -3)
    spoil("mine:gone", 1)
    assert recount.recount(desk.now) == 8
    counts = counters.all_counts()
    assert (counts["open"], counts["unassigned"], counts["mine:gone"]) == (1, 1, 0)
    assert recount.recount(desk.now) == 0


def test_what_is_counted_while_the_recount_writes_stays_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived(desk)
    spoil("open", 4)
    real = counters.correct
    meanwhile: list[Ticket] = []

    def correct(differences: Mapping[str, int]) -> None:
        if differences and not meanwhile:
            meanwhile.append(arrived(desk, 2))
        real(differences)

    monkeypatch.setattr(counters, "correct", correct)
    recount.recount(desk.now)
    assert meanwhile and counters.all_counts()["open"] == 2


def test_what_moves_while_the_recount_reads_is_counted_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket that comes, one that goes, and one that jumps to the top of a list already read."""
    first, second, lina = arrived(desk), arrived(desk, 2), desk.actor()
    spoil("open", 1)
    real = lists.page
    moved: list[Ticket] = []

    def page(name: lists.ListName, *arguments: Any) -> Page:
        found = real(name, *arguments)
        if not moved:
            moved.append(arrived(desk, 3))
            counters.count(change(first.id, lina, Changes(status="closed"), desk.now), False)
            return Page(found.rows[1:], found.seen_by[1:], found.next)
        return found

    monkeypatch.setattr(lists, "page", page)
    recount.recount(desk.now)
    assert moved and second and counters.all_counts()["open"] == 2
    assert recount.recount(desk.now) == 0


def test_a_ticket_that_the_index_does_not_know_yet_stays_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index lags behind the table: the counters, read consistently, may be ahead of the lists."""
    arrived(desk)
    late, known_at, real = arrived(desk, 2), desk.now + timedelta(seconds=10), lists.page

    def page(name: lists.ListName, *arguments: Any) -> Page:
        found = real(name, *arguments)
        kept = [n for n, row in enumerate(found.rows) if desk.now >= known_at or row.id != late.id]
        return Page(tuple(found.rows[n] for n in kept), tuple(found.seen_by[n] for n in kept), found.next)

    monkeypatch.setattr(lists, "page", page)
    assert recount.recount(desk.now) == 0
    assert counters.all_counts()["open"] == 2


def test_a_ticket_whose_fact_was_lost_is_counted_by_the_recount_as_by_a_worker(desk: Desk) -> None:
    ticket, lina = arrived(desk, count=False), desk.actor()
    assert recount.recount(desk.now) > 0
    assert counters.all_counts()["open"] == 1
    assert counters.counted([ticket.id])[ticket.id].version == ticket.version
    counters.count(change(ticket.id, lina, Changes(status="resolved"), desk.now), False)
    assert counters.all_counts()["open"] == 0


def test_a_ticket_that_left_the_lists_unnoticed_leaves_the_counts_and_comes_back_right(desk: Desk) -> None:
    ticket, lina = arrived(desk), desk.actor()
    change(ticket.id, lina, Changes(status="closed"), desk.now)  # and its fact is lost
    recount.recount(desk.now)
    assert counters.all_counts()["open"] == 0
    back = change(ticket.id, lina, Changes(status="open"), desk.now)
    counters.count(back, False)
    recount.recount(desk.now)
    assert counters.all_counts()["open"] == 1
    assert recount.recount(desk.now) == 0


def spam_of(desk: Desk, n: int) -> Ticket:
    inbound = mail(desk, n, sender=Party("", f"p{n}@example.com"), spam="It looks like spam.")
    receipt = receive(inbound, Envelope(f"o{n}", f"kept/o{n}", desk.now, desk.inbox(), "2026-11-20"), desk.now)
    ticket = tickets.get(receipt.ticket_id or "")
    counters.count(ticket, False)
    return ticket


def test_spam_is_recounted_in_every_month_since_the_first_ticket(desk: Desk) -> None:
    spam_of(desk, 1)
    desk.advance(days=70)
    spam_of(desk, 2)
    desk.advance(days=300)
    spoil("spam", 5)
    assert recount.recount(desk.now) == 5
    assert counters.all_counts()["spam"] == 2
    spoil("spam", -2)
    assert recount.recount(desk.now) == 2
    assert recount.recount(desk.now) == 0


def test_the_first_ticket_is_looked_for_once_a_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many numbers may lie before it, and a run looks up to four times."""
    spam_of(desk, 1)
    spoil("spam", 5)
    real, asked = tickets.oldest, list[Ticket | None]()

    def oldest() -> Ticket | None:
        asked.append(real())
        return asked[-1]

    monkeypatch.setattr(tickets, "oldest", oldest)
    real_totals, looks = counters.totals, list[int]()

    def totals(consistent: bool = True) -> Mapping[str, int]:
        looks.append(1)
        return real_totals(consistent)

    monkeypatch.setattr(counters, "totals", totals)
    assert recount.recount(desk.now) == 5
    assert len(looks) >= 4 and len(asked) == 1


def test_the_very_first_ticket_may_come_while_the_recount_reads(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real, came = counters.totals, list[Ticket]()

    def totals(consistent: bool = True) -> Mapping[str, int]:
        if not came:
            came.append(spam_of(desk, 1))
        return real(consistent)

    monkeypatch.setattr(counters, "totals", totals)
    assert recount.recount(desk.now) == 0
    assert counters.all_counts()["spam"] == 1


def test_spam_received_before_the_first_ticket_and_taken_in_after_it_is_recounted(desk: Desk) -> None:
    """Mail that lay on the tray over the end of the month: filed by the month in which it was received."""
    desk.advance(days=11)  # the first of December
    spam_of(desk, 1)
    desk.advance(days=-2)
    spam_of(desk, 2)
    desk.advance(days=2)
    assert recount.recount(desk.now) == 0
    spoil("spam", -1)
    assert recount.recount(desk.now) == 1
    assert counters.all_counts()["spam"] == 2


def test_spam_whose_fact_was_lost_is_counted(desk: Desk) -> None:
    ticket, lina = arrived(desk), desk.actor()
    change(ticket.id, lina, Changes(status="spam"), desk.now)
    assert recount.recount(desk.now) > 0
    counts = counters.all_counts()
    assert (counts["open"], counts["spam"]) == (0, 1)


def test_more_spam_than_a_night_reads_stays_as_counted_and_the_rest_is_repaired(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "PAGE", 1)
    for n in (1, 2, 3):
        spam_of(desk, n)
    arrived(desk, 4)
    spoil("spam", 5)
    spoil("open", 1)
    assert recount.recount(desk.now, max_spam=2) == 1
    assert counters.all_counts()["spam"] == 8
    assert recount.recount(desk.now, max_spam=None) == 5
    assert counters.all_counts()["spam"] == 3
