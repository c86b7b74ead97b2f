"""What a ticket is with others in it, and that taking them out leaves no trace: any tickets, in any order."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.merging import (
    MAX_AT_ONCE,
    MAX_MERGED,
    Merge,
    check_may_merge,
    joined,
    kept_of,
    outermost,
    parted,
)
from chalicelib.domain.ticket import DONE, LIVE, PRIORITIES, SetAside, Status, Ticket
from chalicelib.errors import Conflict, InvalidInput

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STATUSES: tuple[Status, ...] = ("open", "pending", "resolved", "closed")
SEQUENCES = 1_000


def a_ticket(number: int, chance: random.Random | None = None, **values: object) -> Ticket:
    """An open ticket; with ``chance`` any that can be."""
    made = Ticket(
        str(number), "Where is it?", "open", "normal", "support", "email", f"c{number}", "Ada",
        f"ada{number}@example.com", START, START, 1, message_count=1, last_message_id=f"m{number}",
        last_inbound_id=f"m{number}", snippet=f"From {number}", waiting_since=START,
    )  # fmt: skip
    if chance is not None:
        made = _any(made, chance)
    return replace(made, **values)  # type: ignore[arg-type]  # fields of the ticket


def _moment(chance: random.Random) -> datetime:
    return START + timedelta(minutes=chance.randrange(600))


def _any(ticket: Ticket, chance: random.Random) -> Ticket:
    status = chance.choice(STATUSES)
    wait = chance.choice((None, _moment(chance)))
    aside = SetAside(wait, chance.choice((None, _moment(chance)))) if status in DONE else None
    return replace(
        ticket, status=status, priority=chance.choice(PRIORITIES), updated_at=_moment(chance),
        waiting_since=wait if status in LIVE else None, set_aside=None if aside == SetAside() else aside,
        closed_at=_moment(chance) if status in DONE else None,
        snoozed_until=chance.choice((None, _moment(chance))) if status in LIVE else None,
        tags=tuple(chance.sample(("refund", "vip", "late"), chance.randrange(3))), undelivered=chance.random() < 0.3,
        flags=tuple(chance.sample(("Nobody knows.", "Look."), chance.randrange(2))),
        assignee_id=chance.choice((None, "lina", "ben")), inbox_id=chance.choice(("support", "bot", "sales")),
        last_message_id=f"m{chance.randrange(10**6):06d}", last_inbound_id=f"m{chance.randrange(10**6):06d}",
        message_count=chance.randrange(1, 500), snippet=f"Words {chance.random()}",
    )  # fmt: skip


def merged(survivor: Ticket, members: list[Ticket]) -> tuple[Ticket, list[Merge]]:
    records = []
    for member in members:
        before, survivor = survivor, joined(survivor, member)
        records.append(Merge(member.id, START, "Lina", kept_of(before), kept_of(survivor)))
    return survivor, records


def test_whatever_somebody_has_to_do_stays_to_be_done() -> None:
    done = a_ticket(1, status="resolved", closed_at=START, waiting_since=None)
    waits = a_ticket(2, waiting_since=START - timedelta(hours=3), undelivered=True, priority="urgent")
    together = joined(done, waits)
    assert (together.status, together.closed_at, together.undelivered) == ("open", None, True)
    assert together.waiting_since == START - timedelta(hours=3)
    assert together.priority == "urgent" and together.message_count == 2


def test_the_clock_is_that_of_whoever_waits_longest() -> None:
    early, late = START - timedelta(days=2), START
    assert joined(a_ticket(1, waiting_since=late), a_ticket(2, waiting_since=early)).waiting_since == early
    assert joined(a_ticket(1, waiting_since=None), a_ticket(2, waiting_since=None)).waiting_since is None


def test_who_was_closed_unanswered_waits_again_in_a_live_ticket() -> None:
    closed = a_ticket(2, status="closed", closed_at=START, waiting_since=None, set_aside=SetAside(START))
    assert joined(a_ticket(1, waiting_since=None), closed).waiting_since == START


def test_it_sleeps_only_while_everything_live_in_it_sleeps() -> None:
    until = START + timedelta(days=1)
    asleep, later = a_ticket(1, snoozed_until=until), a_ticket(2, snoozed_until=until + timedelta(days=1))
    assert joined(later, asleep).snoozed_until == until
    assert joined(asleep, a_ticket(3)).snoozed_until is None
    assert joined(asleep, a_ticket(3, status="closed", waiting_since=None)).snoozed_until == until


def test_inboxes_tags_and_warnings_of_both_are_seen() -> None:
    one = a_ticket(1, tags=("refund",), flags=("Look.",))
    together = joined(one, a_ticket(2, inbox_id="bot", other_inbox_ids=("sales",), tags=("vip",), flags=("Look.", "!")))
    assert together.other_inbox_ids == ("bot", "sales")
    assert (together.tags, together.flags) == (("refund", "vip"), ("Look.", "!"))


@pytest.mark.parametrize(
    ("survivor", "members", "words"),
    [
        (a_ticket(1), [], "nothing to merge"),
        (a_ticket(1), [a_ticket(1)], "into itself"),
        (a_ticket(1), [a_ticket(2, status="spam")], "Ticket 2 is in Spam"),
        (a_ticket(1, status="trash"), [a_ticket(2)], "Ticket 1 is in the trash"),
        (a_ticket(1), [a_ticket(2, merged_into="9")], "was merged into ticket 9 already"),
        (a_ticket(1), [a_ticket(n) for n in range(2, MAX_AT_ONCE + 3)], "too many at once"),
        (a_ticket(1, merged=tuple(map(str, range(50, 50 + MAX_MERGED)))), [a_ticket(2)], "too many tickets for one"),
    ],
)
def test_what_cannot_be_merged_is_refused_with_what_to_do(survivor: Ticket, members: list[Ticket], words: str) -> None:
    with pytest.raises((InvalidInput, Conflict), match=words):
        check_may_merge(survivor, members)


def test_those_that_came_along_are_taken_out_with_the_one_they_came_with() -> None:
    inner, outer = a_ticket(2, merged_into="9"), a_ticket(3, merged=("2",), merged_into="9")
    assert outermost({"2": inner, "3": outer}) == ("3",)


def test_any_tickets_taken_out_in_any_order_leave_no_trace() -> None:
    """The survivor is, after each step, what it would be if only those that are left had ever been merged."""
    for seed in range(SEQUENCES):
        chance = random.Random(seed)
        survivor = a_ticket(1, chance)
        members = [a_ticket(n, chance) for n in range(2, 3 + chance.randrange(5))]
        ticket, records = merged(survivor, members)
        left = {each.id: each for each in members}
        for gone in chance.sample(members, chance.randrange(1, len(members) + 1)):
            found = parted(ticket, records, gone, left)
            del left[gone.id]
            ticket, records = found.ticket, list(found.records)
            assert (ticket, records) == merged(survivor, list(left.values())), f"seed {seed}: without {gone.id}"


def test_what_somebody_changed_meanwhile_stays() -> None:
    survivor, member = a_ticket(1, tags=("refund",)), a_ticket(2, tags=("vip",), assignee_id="ben")
    ticket, records = merged(survivor, [member])
    changed = replace(ticket, tags=("late",), priority="high")
    found = parted(changed, records, member, {"2": member}).ticket
    assert (found.tags, found.priority) == (("late",), "high")
    assert (found.assignee_id, found.message_count, found.merged) == (None, 1, ())


def test_what_arrived_meanwhile_keeps_the_survivor_where_people_look() -> None:
    survivor = a_ticket(1, status="resolved", closed_at=START, waiting_since=None)
    member = a_ticket(2)
    ticket, records = merged(survivor, [member])
    wrote = replace(ticket, last_message_id="m9", last_inbound_id="m9", message_count=3, snippet="Still nothing")
    found = parted(wrote, records, member, {"2": member}).ticket
    assert (found.status, found.waiting_since, found.message_count) == ("open", START, 2)
    assert (found.last_message_id, found.snippet) == ("m9", "Still nothing")


def test_a_message_that_did_not_arrive_keeps_its_flag() -> None:
    survivor, member = a_ticket(1), a_ticket(2, undelivered=True)
    ticket, records = merged(survivor, [member])
    assert not parted(ticket, records, member, {"2": member}).ticket.undelivered
    assert parted(ticket, records, member, {"2": member}, trouble=True).ticket.undelivered


def test_who_had_seen_it_has_seen_it_again_and_who_looked_meanwhile_too() -> None:
    survivor, member = a_ticket(1), a_ticket(2)
    ticket, (record,) = merged(survivor, [member])
    noted = replace(record, seen_by=("ben", "lina"), seen_after=("lina",))
    assert parted(ticket, [noted], member, {"2": member}, frozenset({"lina", "anna"})).seen_by == {
        "ben",
        "lina",
        "anna",
    }


def test_a_wait_that_was_answered_before_the_next_merge_does_not_come_back_with_it() -> None:
    first, second = a_ticket(2, waiting_since=START - timedelta(days=3)), a_ticket(3, waiting_since=START)
    ticket, records = merged(a_ticket(1), [first])
    answered = replace(ticket, waiting_since=None, status="pending", last_message_id="m8")
    whole, more = merged(answered, [second])
    found = parted(whole, [*records, *more], first, {"2": first, "3": second}).ticket
    assert found.waiting_since == START  # the second's alone: the first one's customer was answered
