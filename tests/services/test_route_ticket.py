"""Tickets find their agent by themselves: once, longest waiting first, within what each takes, and it is said why."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.people import SYSTEM, Actor, Assignment, Team
from chalicelib.jobs import clock, work
from chalicelib.services import notices, presence, route_ticket
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.receive_message import receive
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import counters, directory, messages, tickets
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail

pytestmark = pytest.mark.engine


def automatic(desk: Desk, how: Assignment = "least_load") -> Team:
    team = Team("first", "First line", how)
    directory.save_team(team)
    desk.inbox(team_id="first")
    return team


def member(desk: Desk, name: str, **values: Any) -> Actor:
    return desk.actor(name, team_ids=("first",), **values)


def comes(desk: Desk, n: int, **values: Any) -> str:
    """A new ticket, before any worker knows of it."""
    inbox = directory.inbox("support")
    receipt = receive(mail(desk, n, **values), envelope(desk, f"o{n}", inbox=inbox), desk.advance(seconds=10))
    return receipt.ticket_id or ""


def worked(*ticket_ids: str) -> None:
    """The worker hears of these tickets."""
    records = [{"messageId": each, "body": json.dumps({"kind": "ticket", "ticket": each})} for each in ticket_ids]
    assert work.work({"Records": records}, None) == {"batchItemFailures": []}


def holder(ticket_id: str) -> str | None:
    return tickets.get(ticket_id).assignee_id


def whys(ticket_id: str) -> list[str]:
    return [each.event["why"] for each in messages.newest(ticket_id).messages if "why" in each.event]


def test_a_new_ticket_is_assigned_told_and_explained_once(desk: Desk) -> None:
    automatic(desk)
    desk.inbox(team_id="first", settings={"language": "german"})
    member(desk, "omar", languages=("german",)), member(desk, "max")
    ticket = comes(desk, 1)
    for _ in range(3):
        worked(ticket)
    assert holder(ticket) == "omar" and whys(ticket) == ["speaks German, 1 of 10 tickets, nobody else is free"]
    (told,) = notices.of("omar")
    assert (told.kind, told.ticket_id) == ("assigned", ticket) and "assigned ticket" in told.text
    counts = counters.all_counts()
    assert counts["mine:omar"] == counts["open"] == 1 and counts.get("unassigned", 0) == 0


def test_by_hand_stays_by_hand(desk: Desk) -> None:
    automatic(desk, "off"), member(desk, "omar")
    ticket = comes(desk, 1)
    worked(ticket)
    assert route_ticket.Routing().serve_all(desk.now) == 0 and holder(ticket) is None


def test_a_burst_is_spread_though_no_count_knows_of_it_yet(desk: Desk) -> None:
    team = automatic(desk)
    for name in ("omar", "max", "eva"):
        member(desk, name)
    found = [comes(desk, n) for n in range(7)]
    assert len(route_ticket.serve(team, desk.now)) == 7
    held = [holder(each) for each in found]
    assert sorted(held.count(name) for name in ("omar", "max", "eva")) == [2, 2, 3]
    worked(*found)
    totals = counters.totals()
    assert sorted(counters.open_with(totals, name) for name in ("omar", "max", "eva")) == [2, 2, 3]


def test_longest_waiting_first_when_somebody_has_room_again(desk: Desk) -> None:
    automatic(desk)
    omar = member(desk, "omar", capacity=1)
    first, second, third = (comes(desk, n) for n in (1, 2, 3))
    worked(third, second, first)
    assert [holder(each) for each in (first, second, third)] == ["omar", None, None]
    reply(first, omar, Reply("It left.", undo_seconds=0), desk.advance(seconds=1))
    worked(first)
    assert [holder(each) for each in (second, third)] == ["omar", None], "a pending ticket is no load"
    change(second, omar, Changes(status="resolved"), desk.advance(seconds=1))
    worked(second)
    assert holder(third) == "omar"


def test_workers_that_race_give_no_ticket_twice_and_nobody_too_much(desk: Desk) -> None:
    team = automatic(desk)
    member(desk, "omar", capacity=2), member(desk, "max", capacity=2)
    found = [comes(desk, n) for n in range(6)]
    with ThreadPoolExecutor(4) as pool:
        given = [each for served in pool.map(lambda _: route_ticket.serve(team, desk.now), range(4)) for each in served]
    given += route_ticket.serve(team, desk.now)
    assert sorted(given) == sorted(set(given)) == found[:4]
    held = [holder(each) for each in found]
    assert (held.count("omar"), held.count("max"), held.count(None)) == (2, 2, 2)
    assert all(len(whys(each)) == 1 for each in found[:4])


def test_nobody_absent_gets_anything_and_who_is_back_does(desk: Desk) -> None:
    automatic(desk)
    omar = member(desk, "omar")
    presence.leave("omar", desk.now + timedelta(hours=1), omar, desk.now)
    ticket = comes(desk, 1)
    worked(ticket)
    assert holder(ticket) is None
    desk.advance(hours=1)
    clock.repair()
    assert holder(ticket) == "omar"


def test_what_somebody_who_left_hands_back_goes_to_a_colleague(desk: Desk) -> None:
    automatic(desk)
    omar = member(desk, "omar")
    ticket = comes(desk, 1)
    worked(ticket)
    member(desk, "eva")
    presence.leave("omar", None, omar, desk.advance(minutes=1))
    since = directory.agent("omar").away
    assert since is not None and holder(ticket) == "omar"
    clock_at = desk.advance(minutes=3)
    clock.repair()
    for body in desk.queued("work"):
        work.work({"Records": [{"messageId": "1", "body": body}]}, None)
    worked(ticket)
    assert holder(ticket) == "eva" and clock_at == desk.now
    assert set(whys(ticket)) == {
        "1 of 10 tickets, nobody else is free", "Omar is away",
    }  # fmt: skip


def test_a_ticket_nobody_there_can_take_holds_up_none_behind_it(desk: Desk) -> None:
    automatic(desk)
    omar = member(desk, "omar", languages=("german",))
    member(desk, "max")
    presence.leave("omar", None, omar, desk.now)
    german, other = comes(desk, 1), comes(desk, 2)
    change(german, SYSTEM, Changes(tags=("german",)), desk.now)
    worked(german, other)
    assert (holder(german), holder(other)) == (None, "max")
    presence.come_back("omar", omar, desk.advance(seconds=1))
    worked(other)
    assert holder(german) == "omar"


def test_in_turn(desk: Desk) -> None:
    automatic(desk, "round_robin")
    for name in ("eva", "max"):
        member(desk, name)
    given = []
    for n in range(4):
        ticket = comes(desk, n)
        worked(ticket)
        given.append(holder(ticket))
        change(ticket, SYSTEM, Changes(status="resolved"), desk.now)
        worked(ticket)
    assert given == ["eva", "max", "eva", "max"]


def test_who_is_no_member_or_reads_only_gets_nothing(desk: Desk) -> None:
    automatic(desk)
    desk.actor("eva"), member(desk, "vera", role="viewer"), member(desk, "gone", active=False)
    ticket = comes(desk, 1)
    worked(ticket)
    assert holder(ticket) is None


def test_routing_that_fails_keeps_no_fact_from_being_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    automatic(desk), member(desk, "omar")
    ticket = comes(desk, 1)
    with monkeypatch.context() as broken:
        broken.setattr(route_ticket, "serve", lambda *_: 1 / 0)
        worked(ticket)
    assert counters.all_counts()["open"] == 1 and holder(ticket) is None
    clock.repair()
    assert holder(ticket) == "omar"


def test_what_was_counted_before_pending_had_owners_is_healed_by_the_recount(desk: Desk) -> None:
    omar = desk.actor("omar")
    desk.inbox()
    ticket = comes(desk, 1)
    reply(ticket, omar, Reply("It left.", undo_seconds=0), desk.now)
    now = tickets.get(ticket)
    old = replace(now, assignee_id=None)
    counters.count(old, False)
    counters.count(now, False)
    assert counters.all_counts()["pending"] == 1 and counters.open_with(counters.totals(), "omar") == 0
