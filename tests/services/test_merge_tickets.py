"""Tickets go on as one and are taken apart again: whatever leads to one of them leads to the survivor."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from chalicelib.domain.message import Message, Party, StateChange
from chalicelib.domain.moments import sortable_id, stamp
from chalicelib.domain.people import Actor, Inbox
from chalicelib.domain.ticket import Ticket
from chalicelib.errors import Conflict, InvalidInput, NotFound
from chalicelib.services import (
    change_ticket,
    deliver_message,
    drafts,
    merge_tickets,
    read_ticket,
    receive_message,
    record_state,
    search,
    search_index,
    send_again,
    take_back,
)
from chalicelib.services.add_note import add_note
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.reply_to_ticket import Reply, lane_of, reply
from chalicelib.store import counters, lists, messages, tickets
from chalicelib.store.lists import ListName
from chalicelib.store.models import DocumentItem, TicketItem
from chalicelib.store.tickets import ticket_key
from chalicelib.store.transaction import Transaction
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail

pytestmark = pytest.mark.engine

SEQUENCES = 6
"""Of random merges on the engine; the rule itself is played 1,000 times in tests/domain/test_merging.py."""


@pytest.fixture
def lina(desk: Desk) -> Actor:
    desk.inbox()
    return desk.actor()


@pytest.fixture
def bot(desk: Desk) -> Inbox:
    return desk.inbox(id="bot", channel="telegram", address="northwind_bot", name="Bot")


def comes(desk: Desk, n: int, who: str = "ada", inbox: Inbox | None = None, **values: Any) -> str:
    """A mail of its own by somebody; returns its ticket."""
    values = {"sender": Party(who.capitalize(), f"{who}@example.com"), "text": f"Words number {n}."} | values
    where = envelope(desk, f"o{n}", **({"inbox": inbox} if inbox else {}))
    return receive_message.receive(mail(desk, n, **values), where, desk.advance(minutes=1)).ticket_id or ""


def chats(desk: Desk, n: int, inbox: Inbox, who: str = "77", **values: Any) -> str:
    chat: dict[str, Any] = {
        "conversation_key": f"tg#1#{who}",
        "sender": Party("Bob", who),
        "own_keys": (f"tg:{who}:{n}",),
        "to": (),
    }
    return comes(desk, n, inbox=inbox, **(chat | values))


def raw(ticket_id: str) -> dict[str, Any]:
    """All that lies under a ticket, as it lies there."""
    found = {}
    for item in [*DocumentItem.query(ticket_key(ticket_id)), TicketItem.get(ticket_key(ticket_id), "TICKET")]:
        found[str(item.sk)] = item.serialize()
    return found


def as_before(now: dict[str, Any], before: dict[str, Any]) -> None:
    """Byte for byte, but for the version and the lines of history that say what was done.

    A timer that was set while the ticket slept for another finds it awake and does nothing.
    """
    told = [sk for sk in now if sk not in before and sk != "TIMER#snooze"]
    assert all(sk.startswith("MESSAGE#") and "merge" in str(now[sk]) for sk in told), told
    for sk, item in before.items():
        wanted = {name: value for name, value in item.items() if name != "version"}
        assert {name: value for name, value in now[sk].items() if name != "version"} == wanted


def shown(kind: Any) -> list[str]:
    return [row.id for row in lists.page(ListName(kind)).rows]


def said(ticket: Ticket) -> list[str]:
    found = messages.newest(ticket.id, merged=ticket.merged).messages
    return [each.text for each in found if each.kind == "message"]


def test_two_tickets_go_on_as_one_and_are_taken_apart_byte_for_byte(desk: Desk, lina: Actor) -> None:
    one, two = comes(desk, 1), comes(desk, 2, "bob")
    change(two, lina, Changes(status="pending", tags=("vip",), assignee_id="lina"), desk.now)
    reply(two, lina, Reply("It is on its way."), desk.advance(minutes=1))
    before = raw(one), raw(two)
    ticket = merge_tickets.merge(one, [two], lina, desk.advance(minutes=1))
    assert (ticket.id, ticket.merged, ticket.status) == (one, (two,), "open")
    assert said(ticket) == ["Words number 1.", "Words number 2.", "It is on its way."]
    assert shown("open") == [one] and shown("pending") == []
    assert tickets.get(two) == ticket
    assert merge_tickets.merge(one, [two], lina, desk.now) == tickets.get(one)  # asked again: nothing happens
    apart = merge_tickets.unmerge(one, [two], lina, desk.advance(minutes=1))
    merge_tickets.unmerge(one, [two], lina, desk.now)
    assert apart.merged == () and shown("pending") == [two]
    as_before(raw(one), before[0])
    as_before(raw(two), before[1])


def test_random_merges_taken_apart_in_any_order_leave_every_ticket_as_it_was(desk: Desk, lina: Actor) -> None:
    ids = [comes(desk, n, who) for n, who in enumerate(("ada", "bob", "ada", "cleo", "dan"), 1)]
    change(ids[1], lina, Changes(status="resolved"), desk.now)
    change(ids[2], lina, Changes(snoozed_until=desk.now + timedelta(days=3)), desk.now)
    change(ids[3], lina, Changes(priority="urgent", assignee_id="lina"), desk.now)
    tickets.mark_seen(ids[0], "lina")
    before = {each: raw(each) for each in ids}
    for seed in range(SEQUENCES):
        chance = random.Random(seed)
        for _ in range(6):
            one, two = chance.sample(ids, 2)
            try:
                if chance.random() < 0.7:
                    merge_tickets.merge(one, [two], lina, desk.advance(seconds=5))
                else:
                    merge_tickets.unmerge(one, [two], lina, desk.advance(seconds=5))
            except (Conflict, InvalidInput):
                continue
        _all_apart(desk, lina, ids, chance)
        for each in ids:
            as_before(raw(each), before[each])


def _all_apart(desk: Desk, lina: Actor, ids: list[str], chance: random.Random) -> None:
    while merged := [each for each in ids if tickets.exactly(each).ticket.merged_into is not None]:
        survivor = tickets.get(chance.choice(merged))
        ways = [each.ticket.id for each in merge_tickets.merged_tickets(survivor) if each.outermost]
        merge_tickets.unmerge(survivor.id, [chance.choice(ways)], lina, desk.advance(seconds=5))


def test_a_reply_to_any_of_a_chain_of_five_reaches_the_survivor(desk: Desk, lina: Actor, bot: Inbox) -> None:
    people = ("ada", "bob", "cleo", "dan")
    ids = [comes(desk, n, who) for n, who in enumerate(people, 1)]
    ids.append(chats(desk, 5, bot))
    for older, newer in pairwise(ids):
        merge_tickets.merge(newer, [older], lina, desk.advance(minutes=1))
    survivor = ids[-1]
    assert tickets.get(survivor).merged == tuple(reversed(ids[:-1]))
    ways: tuple[Callable[[int], dict[str, Any]], ...] = (
        lambda n: {"thread_keys": (f"mid:{n}@example.com",)},
        lambda n: {"ticket_token": ids[n - 1]},
        lambda n: {"number_in_subject": ids[n - 1], "proven_sender": True},
    )
    at = 10
    for n, who in enumerate(people, 1):
        for way in ways:
            at += 1
            assert comes(desk, at, who, **way(n)) == survivor
    assert chats(desk, 50, bot) == survivor
    assert comes(desk, 60, "eve", thread_keys=("mid:1@example.com",)) not in ids  # who took part in none is a stranger
    assert tickets.get(survivor).message_count == 5 + 12 + 1


def test_one_ticket_of_five_is_taken_out_with_those_it_had(desk: Desk, lina: Actor) -> None:
    ids = [comes(desk, n) for n in range(1, 6)]
    merge_tickets.merge(ids[1], [ids[0]], lina, desk.advance(minutes=1))
    before = raw(ids[1])
    merge_tickets.merge(ids[4], [ids[1], ids[2], ids[3]], lina, desk.advance(minutes=1))
    with pytest.raises(Conflict, match=f"Ticket {ids[0]} came along with ticket {ids[1]}. Take that one out first."):
        merge_tickets.unmerge(ids[4], [ids[0]], lina, desk.now)
    merge_tickets.unmerge(ids[4], [ids[1]], lina, desk.advance(minutes=1))
    as_before(raw(ids[1]), before)
    assert tickets.get(ids[0]).id == ids[1] and tickets.get(ids[4]).merged == (ids[2], ids[3])


def test_two_merges_in_opposite_directions_at_once_make_no_circle(
    desk: Desk, lina: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second commits between the first one's reading and its commit, which then looks again."""
    one, two = comes(desk, 1), comes(desk, 2)
    real, meanwhile = Transaction.commit, [lambda: merge_tickets.merge(two, [one], lina, desk.now)]

    def commit(self: Transaction) -> None:
        if meanwhile:
            meanwhile.pop()()
        real(self)

    monkeypatch.setattr(Transaction, "commit", commit)
    with pytest.raises(Conflict, match=f"Ticket {one} was merged into ticket {two} already"):
        merge_tickets.merge(one, [two], lina, desk.now)
    assert (tickets.exactly(one).ticket.merged_into, tickets.exactly(two).ticket.merged_into) == (two, None)


@pytest.mark.parametrize("first", ["merge", "unmerge"])
def test_an_answer_that_meets_a_merge_goes_to_whoever_goes_on(
    desk: Desk, lina: Actor, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    one, two = comes(desk, 1), comes(desk, 2)
    if first == "unmerge":
        merge_tickets.merge(one, [two], lina, desk.now)
    act = merge_tickets.merge if first == "merge" else merge_tickets.unmerge
    real, meanwhile = Transaction.commit, [lambda: act(one, [two], lina, desk.now)]

    def commit(self: Transaction) -> None:
        if meanwhile:
            meanwhile.pop()()
        real(self)

    monkeypatch.setattr(Transaction, "commit", commit)
    given = reply(two, lina, Reply("At once."), desk.advance(minutes=1), seed="form")
    assert given.ticket_id == (one if first == "merge" else two)
    assert reply(two, lina, Reply("At once."), desk.now, seed="form").id == given.id


def test_an_answer_repeated_after_a_merge_is_the_first_one(desk: Desk, lina: Actor) -> None:
    one, two = comes(desk, 1), comes(desk, 2)
    given = reply(two, lina, Reply("Once."), desk.advance(minutes=1), seed="form")
    merge_tickets.merge(one, [two], lina, desk.now)
    assert reply(two, lina, Reply("Once."), desk.advance(minutes=1), seed="form").id == given.id
    assert said(tickets.get(one)).count("Once.") == 1


def outbound(message: Message, desk: Desk) -> Any:
    ready = deliver_message.prepare(message.ticket_id, message.id, desk.now)
    assert isinstance(ready, deliver_message.Ready)
    return ready


def test_an_answer_goes_by_the_channel_of_the_message_that_it_answers(desk: Desk, lina: Actor, bot: Inbox) -> None:
    by_mail, by_chat = comes(desk, 1), chats(desk, 2, bot)
    merge_tickets.merge(by_mail, [by_chat], lina, desk.advance(minutes=1))
    assert (lane_of(tickets.get(by_mail)).channel, lane_of(tickets.get(comes(desk, 9))).channel) == (
        "telegram",
        "email",
    )
    to_chat = reply(by_mail, lina, Reply("In the chat.", undo_seconds=0), desk.advance(minutes=1))
    ready = outbound(to_chat, desk)
    assert (ready.inbox.id, ready.outbound.thread_key) == ("bot", "tg#1#77")
    assert [each.address for each in to_chat.to] == ["77"]
    assert chats(desk, 3, bot) == by_mail  # and what the chat says next, though the ticket is one of mails
    ready = outbound(reply(by_mail, lina, Reply("Again.", undo_seconds=0), desk.advance(minutes=1)), desk)
    assert (ready.inbox.id, ready.outbound.thread_key) == ("bot", "tg#1#77")
    assert comes(desk, 4, thread_keys=("mid:1@example.com",)) == by_mail
    to_mail = reply(by_mail, lina, Reply("By mail.", undo_seconds=0), desk.advance(minutes=1))
    ready = outbound(to_mail, desk)
    assert (ready.inbox.id, ready.outbound.thread_key) == ("support", None)
    assert [each.address for each in to_mail.to] == ["ada@example.com"]


def test_what_goes_to_one_customer_quotes_nothing_of_the_other(desk: Desk, lina: Actor) -> None:
    one, two = comes(desk, 1, text="Ada's secret"), comes(desk, 2, "bob", text="Bob's matter")
    merge_tickets.merge(one, [two], lina, desk.advance(minutes=1))
    to_bob = reply(one, lina, Reply("Here.", quote_history=True, undo_seconds=0), desk.advance(minutes=1))
    assert [each.address for each in to_bob.to] == ["bob@example.com"]
    quoted = outbound(to_bob, desk).outbound.quoted
    assert "Bob's matter" in quoted and "secret" not in quoted
    assert comes(desk, 3, "bob", thread_keys=("mid:2@example.com",), text="And now?") == one
    again = reply(one, lina, Reply("So.", quote_history=True, undo_seconds=0), desk.advance(minutes=1))
    quoted = outbound(again, desk).outbound.quoted
    assert "And now?" in quoted and "Bob's matter" in quoted and "secret" not in quoted


def test_five_hundred_messages_of_two_channels_are_read_page_by_page_each_once(
    desk: Desk, lina: Actor, bot: Inbox
) -> None:
    one, two = comes(desk, 1), chats(desk, 2, bot)
    wanted = {each.id for place in (one, two) for each in messages.newest(place).messages}
    items: list[DocumentItem] = []
    for n in range(498):
        place, at = (one, two)[n % 2], desk.advance(seconds=1)
        made = Message(
            sortable_id("m", at, str(n).encode()), place, "message", "in", "customer", "c", "Ada", at, at, "Hi"
        )
        items.append(messages.as_item(made))
        wanted.add(made.id)
    with DocumentItem.batch_write() as batch:
        for item in items:
            batch.save(item)
    before = raw(one), raw(two)
    ticket = merge_tickets.merge(one, [two], lina, desk.advance(minutes=1))
    back: list[str] = []
    cursor: str | None = None
    while True:
        page = messages.newest(ticket.id, cursor, merged=ticket.merged)
        assert len(page.messages) <= messages.CONVERSATION_PAGE
        back[:0] = [each.id for each in page.messages if each.kind == "message"]
        cursor = page.earlier
        if cursor is None:
            break
    forth, after = [], None
    while True:
        found, after = messages.oldest(ticket.id, after, merged=ticket.merged)
        forth += [each.id for each in found if each.kind == "message"]
        if after is None:
            break
    assert back == forth == sorted(wanted) and len(back) == 500
    merge_tickets.unmerge(one, [two], lina, desk.now)
    as_before(raw(one), before[0])
    as_before(raw(two), before[1])


def test_twenty_tickets_are_merged_at_once(desk: Desk, lina: Actor) -> None:
    ids = [comes(desk, n, "ada") for n in range(1, 22)]
    ticket = merge_tickets.merge(ids[0], ids[1:], lina, desk.advance(minutes=1))
    assert ticket.merged == tuple(ids[1:]) and ticket.message_count == 21
    assert shown("open") == [ids[0]]
    merge_tickets.unmerge(ids[0], ids[1:], lina, desk.advance(minutes=1))
    assert sorted(shown("open")) == sorted(ids)


def test_drafts_survive_on_both_sides(desk: Desk, lina: Actor) -> None:
    one, two = comes(desk, 1), comes(desk, 2)
    drafts.save(one, "lina", drafts.Draft("reply", "On the one", desk.now))
    drafts.save(two, "lina", drafts.Draft("reply", "On the other", desk.now))
    merge_tickets.merge(one, [two], lina, desk.advance(minutes=1))
    drafts.save(two, "lina", drafts.Draft("reply", "On the other, still typing", desk.now))  # a tab left open
    view = read_ticket.open_ticket(two, "lina")
    assert view.ticket.id == one and view.draft and view.draft.text == "On the one"
    assert [(each, draft.text) for each, draft in view.further_drafts] == [(two, "On the other, still typing")]
    reply(two, lina, Reply("Sent from the tab"), desk.now)
    view = read_ticket.open_ticket(one, "lina")
    assert view.draft is not None and view.further_drafts == ()


def test_counts_and_search_follow(desk: Desk, lina: Actor) -> None:
    one, two = comes(desk, 1), comes(desk, 2, subject="Broken mug")
    search_index.index(messages.newest(two).messages[0])
    for each in (one, two):
        counters.count_again(tickets.exactly(each).ticket, False)
    merge_tickets.merge(one, [two], lina, desk.now)
    for each in (one, two):
        counters.count_again(tickets.exactly(each).ticket, False)
    assert counters.all_counts()["open"] == 1
    for asked in (two, f"#{two}", "mug", "ada@example.com"):
        assert [each.ticket.id for each in search.find(asked, desk.now).tickets] == [one], asked
    merge_tickets.unmerge(one, [two], lina, desk.now)
    for each in (one, two):
        counters.count_again(tickets.exactly(each).ticket, False)
    assert counters.all_counts()["open"] == 2
    assert [each.ticket.id for each in search.find("mug", desk.now).tickets] == [two]


def test_a_message_of_a_merged_ticket_that_bounces_is_the_survivors_to_mend_and_its_own_again(
    desk: Desk, lina: Actor
) -> None:
    one, two = comes(desk, 1), comes(desk, 2, "bob")
    given = reply(two, lina, Reply("Hello Bob", undo_seconds=0), desk.advance(minutes=1))
    merge_tickets.merge(one, [two], lina, desk.advance(minutes=1))
    change(one, lina, Changes(status="resolved"), desk.now)
    messages.move_delivery(two, given.id, "sent", ["queued"], desk.now)
    record_state.record(StateChange("bounced", desk.now, given.id, ticket_id=two, reason="No such box."), desk.now)
    ticket = tickets.get(one)
    assert (ticket.undelivered, ticket.status) == (True, "open")
    copy = send_again.send_again(one, given.id, lina, desk.advance(minutes=1), (Party("", "bob2@example.com"),))
    assert copy.ticket_id == one and not tickets.get(one).undelivered
    messages.move_delivery(one, copy.id, "bounced", ["queued"], desk.now)
    record_state.flag_undelivered(one, copy.id, "Nor there.", desk.advance(minutes=1))
    apart = merge_tickets.unmerge(one, [two], lina, desk.advance(minutes=1))
    assert apart.undelivered and not tickets.get(two).undelivered  # the copy was the survivor's


def test_an_answer_taken_back_after_the_merge_leaves_its_customer_waiting_in_both(desk: Desk, lina: Actor) -> None:
    one, two = comes(desk, 1), comes(desk, 2, "bob")
    waits = tickets.get(two).waiting_since
    given = reply(two, lina, Reply("Too early", undo_seconds=60), desk.advance(seconds=10))
    merge_tickets.merge(one, [two], lina, desk.advance(seconds=10))
    draft = take_back.undo(one, given.id, lina, desk.advance(seconds=10))
    assert draft is not None and draft.text == "Too early"
    assert messages.get(one, given.id).delivery.state == "cancelled"  # type: ignore[union-attr]  # it has one
    assert drafts.load(one, "lina") == draft
    merge_tickets.unmerge(one, [two], lina, desk.now)
    assert tickets.get(two).waiting_since == waits and tickets.get(two).status == "open"


def test_nobody_answers_blindly_beside_an_answer_because_an_older_ticket_waits(desk: Desk, lina: Actor) -> None:
    """Seed 9200012: somebody waits in the one, and the newest question, of the other, was answered."""
    older, newer = comes(desk, 1), comes(desk, 2)
    reply(newer, lina, Reply("It left today."), desk.advance(minutes=1))
    merge_tickets.merge(older, [newer], lina, desk.now)
    assert tickets.get(older).waiting_since is not None
    with pytest.raises(Conflict, match="has answered already"):
        reply(older, desk.actor("ben"), Reply("It leaves tomorrow."), desk.advance(minutes=1))


def test_an_answer_to_what_is_taken_out_leaves_the_survivors_own_customer_waiting(desk: Desk, lina: Actor) -> None:
    stays, goes = comes(desk, 1), comes(desk, 2)
    since = tickets.get(stays).waiting_since
    merge_tickets.merge(stays, [goes], lina, desk.now)
    reply(stays, lina, Reply("It left today."), desk.advance(minutes=1))
    assert tickets.get(stays).waiting_since is None
    change(stays, lina, Changes(status="open"), desk.now)
    merge_tickets.unmerge(stays, [goes], lina, desk.advance(minutes=1))
    assert (tickets.get(stays).status, tickets.get(stays).waiting_since) == ("open", since)


def test_what_came_meanwhile_stays_with_the_survivor(desk: Desk, lina: Actor) -> None:
    one, two = comes(desk, 1), comes(desk, 2, "bob")
    change(one, lina, Changes(status="resolved"), desk.now)
    merge_tickets.merge(one, [two], lina, desk.advance(minutes=1))
    assert comes(desk, 3, "bob", thread_keys=("mid:2@example.com",)) == one
    add_note(two, lina, "Ask the warehouse.", desk.now)
    merge_tickets.unmerge(one, [two], lina, desk.advance(minutes=1))
    ticket = tickets.get(one)
    assert said(ticket) == ["Words number 1.", "Words number 3."]
    assert (ticket.status, ticket.message_count, ticket.waiting_since is not None) == ("open", 3, True)
    assert said(tickets.get(two)) == ["Words number 2."]
    assert comes(desk, 4, "bob", thread_keys=("mid:2@example.com",)) == two


def test_a_snooze_that_a_merge_ended_goes_on_when_they_are_apart(desk: Desk, lina: Actor) -> None:
    one, two = comes(desk, 1), comes(desk, 2)
    until = desk.now + timedelta(hours=2)
    change(one, lina, Changes(snoozed_until=until), desk.now)
    assert merge_tickets.merge(one, [two], lina, desk.advance(minutes=1)).snoozed_until is None
    timer = change_ticket.Timer("snooze", one, stamp(until))
    assert not change_ticket.wake(timer, desk.advance(hours=3))
    assert merge_tickets.unmerge(one, [two], lina, desk.now).snoozed_until == until
    assert DocumentItem.get(ticket_key(one), "TIMER#snooze").time_key is not None
    assert change_ticket.wake(timer, desk.now)


def test_the_customer_s_tickets_say_where_one_was_merged(desk: Desk, lina: Actor) -> None:
    one, two, three = comes(desk, 1), comes(desk, 2), comes(desk, 3, "bob")
    merge_tickets.merge(three, [two], lina, desk.now)
    found = tickets.of_customer(tickets.get(one).customer_id)
    assert [(each.id, each.merged_into) for each in found] == [(two, three), (one, None)]
    assert [each.id for each in read_ticket.open_ticket(one, "lina").earlier] == [two]


def test_history_says_what_was_done_on_both_sides(desk: Desk, lina: Actor) -> None:
    one, two = comes(desk, 1), comes(desk, 2)
    merge_tickets.merge(one, [two], lina, desk.advance(minutes=1))
    ticket = tickets.get(one)
    events = [each.event for each in messages.newest(one, merged=ticket.merged).messages if each.kind == "event"]
    assert events == [{"merged": two}]
    merge_tickets.unmerge(one, [two], lina, desk.advance(minutes=1))
    assert [each.event for each in messages.newest(one).messages if each.kind == "event"][-1] == {"unmerged": two}
    told = [each.event for each in messages.newest(two).messages if each.kind == "event"]
    assert told == [{"merged_into": one}, {"unmerged_from": one}]


def test_what_cannot_be_is_refused_in_words(desk: Desk, lina: Actor) -> None:
    one, two, three = comes(desk, 1), comes(desk, 2), comes(desk, 3)
    for wanted, kind, words in (
        (["9999"], NotFound, "There is no ticket 9999."),
        (["abc"], InvalidInput, "no ticket number"),
        ([], InvalidInput, "nothing to merge"),
        ([one], InvalidInput, "into itself"),
    ):
        with pytest.raises(kind, match=words):
            merge_tickets.merge(one, wanted, lina, desk.now)
    merge_tickets.merge(two, [three], lina, desk.now)
    with pytest.raises(Conflict, match=f"Ticket {three} was merged into ticket {two} already"):
        merge_tickets.merge(one, [three], lina, desk.now)
    with pytest.raises(Conflict, match=f"Ticket {three} was merged into ticket {two}, not into this one"):
        merge_tickets.unmerge(one, [three], lina, desk.now)
    with pytest.raises(InvalidInput, match="nothing to take out"):
        merge_tickets.unmerge(one, [], lina, desk.now)


def test_no_acknowledgement_goes_out_for_a_ticket_that_was_merged_meanwhile(desk: Desk, lina: Actor) -> None:
    from chalicelib.services.acknowledge import acknowledge

    one, two = comes(desk, 1), comes(desk, 2, "bob")
    thanks = replace(desk.inbox(), acknowledgement="We have it: {number}.")
    desk.inbox(acknowledgement=thanks.acknowledgement)
    merge_tickets.merge(one, [two], lina, desk.now)
    question = messages.newest(two).messages[0]
    assert acknowledge(two, question.id, True, desk.now) is None


def test_a_merge_that_finds_its_survivor_gone_into_its_member_looks_again(
    desk: Desk, lina: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other direction commits between the two reads of one merge."""
    one, two, three = comes(desk, 1), comes(desk, 2), comes(desk, 3)
    merge_tickets.merge(two, [three], lina, desk.now)
    real, meanwhile = tickets.get_many, [lambda: merge_tickets.merge(two, [one], lina, desk.now)]

    def get_many(ids: Sequence[str], consistent: bool = False) -> dict[str, tickets.Loaded]:
        if meanwhile:
            meanwhile.pop()()
        return real(ids, consistent)

    monkeypatch.setattr(tickets, "get_many", get_many)
    with pytest.raises(Conflict, match=f"Ticket {one} was merged into ticket {two} already"):
        merge_tickets.merge(one, [two], lina, desk.now)
    assert tickets.get(one).id == two and set(tickets.get(two).merged) == {one, three}
