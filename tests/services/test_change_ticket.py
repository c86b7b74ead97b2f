"""Status, assignee, tags, snooze, spam and trash; each with its line in the history."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.message import Party
from chalicelib.domain.moments import stamp
from chalicelib.domain.people import Actor
from chalicelib.domain.ticket import STATUSES, Status, Ticket
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.services import notices
from chalicelib.services.change_ticket import Changes, Timer, block_sender, change, restore, wake
from chalicelib.services.create_ticket import create
from chalicelib.services.rebuild import index
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.services.search import find
from chalicelib.store import counters, lists, messages, tickets
from chalicelib.store.lists import ListKind, ListName
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail

pytestmark = pytest.mark.engine


@pytest.fixture
def lina(desk: Desk) -> Actor:
    return desk.actor()


@pytest.fixture
def ticket(desk: Desk, lina: Actor) -> Ticket:
    customer = Party("Ada Müller", "ada@example.com")
    return create(lina, desk.inbox().id, customer, "Order #4711 is late", "Called us.", "in", desk.now)[0]


def ids(desk: Desk, kind: ListKind, of: str = "") -> list[str]:
    return [row.id for row in lists.page(ListName(kind, of)).rows]


def test_assigning_moves_it_between_lists_and_tells_the_assignee(desk: Desk, lina: Actor, ticket: Ticket) -> None:
    desk.agent("ken")
    change(ticket.id, lina, Changes(assignee_id="ken"), desk.advance(minutes=1))
    assert ids(desk, "mine", "ken") == [ticket.id] and ids(desk, "unassigned") == []
    assert [each.text for each in notices.of("ken")] == [f"Lina assigned ticket #{ticket.id} to you: {ticket.subject}"]
    events = [each.event for each in messages.newest(ticket.id).messages if each.kind == "event"]
    assert events == [{"assignee_id": "Ken"}]


def test_who_wants_no_word_of_assignments_gets_none(desk: Desk, lina: Actor, ticket: Ticket) -> None:
    desk.agent("ken", notify=False)
    change(ticket.id, lina, Changes(assignee_id="ken"), desk.advance(minutes=1))
    assert ids(desk, "mine", "ken") == [ticket.id]
    assert notices.of("ken") == ()


def test_a_change_that_changes_nothing_writes_nothing(desk: Desk, lina: Actor, ticket: Ticket) -> None:
    assert change(ticket.id, lina, Changes(status="open"), desk.advance(minutes=1)) == tickets.get(ticket.id)
    assert len(messages.newest(ticket.id).messages) == 1


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Changes(status="solved"), "status"),  # type: ignore[arg-type]  # as a body may bring it
        (Changes(priority="max"), "priority"),  # type: ignore[arg-type]  # as a body may bring it
        (Changes(subject="  "), "subject"),
        (Changes(tags=("x" * 99,)), "tags"),
    ],
)
def test_a_value_that_cannot_be_is_named(desk: Desk, lina: Actor, ticket: Ticket, wanted: Changes, field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        change(ticket.id, lina, wanted, desk.now)
    assert field in error.value.fields


def test_an_old_version_is_a_conflict(desk: Desk, lina: Actor, ticket: Ticket) -> None:
    change(ticket.id, lina, Changes(priority="high"), desk.now, expected_version=ticket.version)
    with pytest.raises(Conflict):
        change(ticket.id, lina, Changes(priority="low"), desk.now, expected_version=ticket.version)


def test_snoozed_it_leaves_the_lists_and_wakes_once_at_its_time(desk: Desk, lina: Actor, ticket: Ticket) -> None:
    until = desk.now + timedelta(hours=2)
    change(ticket.id, lina, Changes(snoozed_until=until), desk.now)
    assert ids(desk, "open") == [] and ids(desk, "snoozed") == [ticket.id]
    timer = Timer("snooze", ticket.id, stamp(until))
    desk.advance(hours=2)
    assert wake(timer, desk.now) and not wake(timer, desk.now)
    assert ids(desk, "open") == [ticket.id]


def test_a_reply_wakes_it_and_the_old_timer_does_nothing(desk: Desk, lina: Actor) -> None:
    inbox = desk.inbox()
    receipt = receive(mail(desk), Envelope("o1", "kept/o1", desk.now, inbox, "2026-11-20"), desk.now)
    until = desk.now + timedelta(hours=2)
    change(receipt.ticket_id or "", lina, Changes(snoozed_until=until), desk.now)
    again = mail(desk, 2, thread_keys=("mid:1@example.com",))
    receive(again, Envelope("o2", "kept/o2", desk.advance(minutes=1), inbox, "2026-11-20"), desk.now)
    assert tickets.get(receipt.ticket_id or "").snoozed_until is None
    assert not wake(Timer("snooze", receipt.ticket_id or "", stamp(until)), until)


def test_trash_and_back(desk: Desk, lina: Actor, ticket: Ticket) -> None:
    change(ticket.id, lina, Changes(status="pending"), desk.now)
    change(ticket.id, lina, Changes(status="trash"), desk.now)
    assert ids(desk, "trash", f"{desk.now:%Y-%m}") == [ticket.id]
    assert restore(ticket.id, lina, desk.now).status == "pending"


def test_a_blocked_senders_next_mail_is_spam_until_it_is_not(desk: Desk, lina: Actor) -> None:
    inbox = desk.inbox()
    first = receive(mail(desk), Envelope("o1", "kept/o1", desk.now, inbox, "2026-11-20"), desk.now)
    block_sender(first.ticket_id or "", lina, desk.now)
    second = receive(mail(desk, 2), Envelope("o2", "kept/o2", desk.now, inbox, "2026-11-20"), desk.now)
    assert tickets.get(second.ticket_id or "").status == "spam"
    restore(first.ticket_id or "", lina, desk.now)
    third = receive(mail(desk, 3), Envelope("o3", "kept/o3", desk.now, inbox, "2026-11-20"), desk.now)
    assert tickets.get(third.ticket_id or "").status == "open"


@pytest.fixture
def asked(desk: Desk) -> str:
    """A ticket whose customer waits."""
    return receive(mail(desk), envelope(desk), desk.now).ticket_id or ""


@pytest.mark.parametrize("status", ["resolved", "closed", "spam", "trash"])
def test_a_customer_who_waited_waits_again_when_a_person_brings_the_ticket_back(
    desk: Desk, lina: Actor, asked: str, status: Status
) -> None:
    since = desk.now
    change(asked, lina, Changes(status=status), desk.advance(minutes=1))
    assert ids(desk, "waiting") == []
    back = change(asked, lina, Changes(status="open"), desk.advance(minutes=1))
    assert (back.waiting_since, back.set_aside) == (since, None)
    assert ids(desk, "waiting") == [asked]


def test_a_detour_over_spam_and_closed_forgets_no_wait(desk: Desk, lina: Actor, asked: str) -> None:
    since = desk.now
    for status in STATUSES[2:] * 2:
        change(asked, lina, Changes(status=status), desk.advance(minutes=1))
    assert change(asked, lina, Changes(status="pending"), desk.now).waiting_since == since


def test_a_snooze_comes_back_while_its_time_lies_ahead_and_ends_at_its_time(
    desk: Desk, lina: Actor, asked: str
) -> None:
    until = desk.now + timedelta(hours=2)
    change(asked, lina, Changes(snoozed_until=until), desk.now)
    change(asked, lina, Changes(status="resolved"), desk.advance(minutes=1))
    back = change(asked, lina, Changes(status="open"), desk.advance(minutes=1))
    assert back.snoozed_until == until and ids(desk, "snoozed") == [asked]
    assert messages.newest(asked).messages[-1].event == {"status": "open", "snoozed_until": stamp(until)}
    assert wake(Timer("snooze", asked, stamp(until)), until)
    assert tickets.get(asked).waiting_since is not None


def test_a_snooze_whose_time_has_passed_stays_away(desk: Desk, lina: Actor, asked: str) -> None:
    change(asked, lina, Changes(snoozed_until=desk.now + timedelta(hours=2)), desk.now)
    change(asked, lina, Changes(status="resolved"), desk.now)
    back = change(asked, lina, Changes(status="open"), desk.advance(hours=2))
    assert back.snoozed_until is None and ids(desk, "open") == [asked]


@pytest.mark.parametrize("wanted", [None, timedelta(hours=9)])
def test_a_snooze_chosen_with_the_status_wins(desk: Desk, lina: Actor, asked: str, wanted: timedelta | None) -> None:
    change(asked, lina, Changes(snoozed_until=desk.now + timedelta(hours=2)), desk.now)
    change(asked, lina, Changes(status="resolved"), desk.now)
    until = desk.now + wanted if wanted else None
    assert change(asked, lina, Changes(status="open", snoozed_until=until), desk.now).snoozed_until == until


def test_an_answer_meanwhile_ends_the_wait_that_was_set_aside(desk: Desk, lina: Actor, asked: str) -> None:
    change(asked, lina, Changes(status="resolved"), desk.now)
    reply(asked, lina, Reply("It left.", undo_seconds=0), desk.advance(minutes=1))
    assert tickets.get(asked).status == "resolved"
    assert change(asked, lina, Changes(status="open"), desk.now).waiting_since is None


def test_a_forward_meanwhile_ends_no_wait(desk: Desk, lina: Actor, asked: str) -> None:
    since = desk.now
    change(asked, lina, Changes(status="resolved"), desk.now)
    factory = (Party("", "supplier@factory.example"),)
    reply(asked, lina, Reply("Is it true?", undo_seconds=0, to=factory, forward=True), desk.advance(minutes=1))
    assert change(asked, lina, Changes(status="open"), desk.now).waiting_since == since


def test_a_new_message_of_the_customers_begins_the_wait_anew(desk: Desk, lina: Actor, asked: str) -> None:
    change(asked, lina, Changes(status="resolved"), desk.now)
    answer = mail(desk, 2, thread_keys=("mid:1@example.com",))
    receive(answer, replace(envelope(desk, "o2"), received_at=desk.advance(minutes=1)), desk.now)
    ticket = tickets.get(asked)
    assert (ticket.status, ticket.waiting_since, ticket.set_aside) == ("open", desk.now, None)


def test_not_spam_lets_the_customer_wait_since_their_message(desk: Desk, lina: Actor) -> None:
    since = desk.now
    receipt = receive(mail(desk, spam="SES judged it spam."), envelope(desk), desk.now)
    assert ids(desk, "waiting") == []
    restored = restore(receipt.ticket_id or "", lina, desk.advance(hours=1))
    assert (restored.status, restored.waiting_since) == ("open", since)
    assert ids(desk, "waiting") == [restored.id]


def test_an_automatic_mail_out_of_spam_makes_nobody_wait(desk: Desk, lina: Actor) -> None:
    away = mail(desk, spam="SES judged it spam.", mail_kind="auto_reply")
    receipt = receive(away, envelope(desk), desk.now)
    assert restore(receipt.ticket_id or "", lina, desk.advance(hours=1)).waiting_since is None


def test_a_message_that_joined_in_spam_is_waited_for_and_shown_after_not_spam(
    desk: Desk, lina: Actor, asked: str
) -> None:
    reply(asked, lina, Reply("It left.", undo_seconds=0), desk.advance(minutes=1))
    change(asked, lina, Changes(status="spam"), desk.now)
    tickets.mark_seen(asked, "lina")
    again = mail(desk, 2, thread_keys=("mid:1@example.com",), text="It never came.")
    receipt = receive(again, replace(envelope(desk, "o2"), received_at=desk.advance(minutes=1)), desk.now)
    assert (tickets.get(asked).status, tickets.load(asked).seen_by) == ("spam", frozenset())
    restored = restore(asked, lina, desk.advance(hours=1))
    assert restored.waiting_since == desk.now - timedelta(hours=1)
    assert (restored.last_inbound_id, restored.snippet) == (receipt.message_id, "It never came.")


def test_counts_follow_the_ticket_and_count_once(desk: Desk, lina: Actor, ticket: Ticket) -> None:
    assert counters.count(ticket, snoozed=False) and not counters.count(ticket, snoozed=False)
    assert counters.all_counts() == {
        "open": 1, "unassigned": 1, "team:-": 1, "inbox:support": 1, "waiting": 1,
    }  # fmt: skip
    counters.count(change(ticket.id, lina, Changes(assignee_id="lina", status="pending"), desk.now), snoozed=False)
    counted = {bucket: total for bucket, total in counters.all_counts().items() if total}
    assert counted == {"pending": 1, "mine:lina": 1, "inbox:support": 1, "waiting": 1}


@pytest.mark.parametrize("asked", ["{id}", "#{id}", "ada@example.com", "4711", "#4711", "late", "Muller", "order late"])
def test_the_search_box_finds_exact_things(desk: Desk, ticket: Ticket, asked: str) -> None:
    index(ticket.id)
    assert [each.ticket.id for each in find(asked.format(id=ticket.id), desk.now).tickets] == [ticket.id]


def test_the_search_box_finds_nothing_for_what_is_not_there(desk: Desk, ticket: Ticket) -> None:
    index(ticket.id)
    assert not any(find(asked, desk.now).tickets for asked in ("early", "99999", " "))


def test_an_address_nobody_can_be_written_to_is_said_beside_its_field(desk: Desk, lina: Actor) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(lina, desk.inbox().id, Party("Ada", "ada at example"), "Hello", "Text", "out", desk.now)
    assert set(caught.value.fields) == {"customer"}


def test_the_same_seed_makes_one_ticket(desk: Desk, lina: Actor) -> None:
    inbox, customer = desk.inbox(), Party("Ada", "ada@example.com")
    first = create(lina, inbox.id, customer, "Hello", "Text", "out", desk.now, seed="k")
    again = create(lina, inbox.id, customer, "Hello", "Text", "out", desk.advance(seconds=3), seed="k")
    assert first[0].id == again[0].id and first[1].id == again[1].id
