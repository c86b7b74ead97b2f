"""What the simulation found in the desk, each told as the shortest history that shows it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from chalicelib.domain.message import Inbound, Party
from chalicelib.domain.people import Inbox
from chalicelib.errors import Conflict, Unclear
from chalicelib.services import deliver_message, receive_message, reply_to_ticket
from chalicelib.services.deliver_message import Claimed
from chalicelib.services.receive_message import Envelope
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import directory, messages, objects, tickets
from tests.simulation.desk import Desk
from tests.simulation.faults import Rates
from tests.simulation.sources import Sources
from tests.simulation.world import World

MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A shop in a world where nothing goes wrong."""
    world = World(1, MORNING, Rates(0, 0, 0, 0, 0, 0, 0, 0))
    world.faults.on = False
    with world.running():
        made = Desk(world, Sources(world))
        made.set_up()
        world.time += timedelta(minutes=1)
        yield made


def a_question(desk: Desk) -> str:
    """A customer's mail in a ticket of its own."""
    inbound = Inbound("f1", Party("Ada", "ada@one.example"), desk.world.time, "Parcel", "Where is it?", own_keys=("k",))
    envelope = Envelope("in1", "kept/2026/11/20/in1", desk.world.time, desk.inboxes[0], "2026-11-20")
    ticket_id = receive_message.receive(inbound, envelope, desk.world.time).ticket_id
    assert ticket_id is not None
    return ticket_id


def test_an_inbox_made_this_second_gets_its_mail(desk: Desk) -> None:
    """Eventually consistent reads lag: what they do not find may be there."""
    desk.world.cloud.aws.dynamodb.index_delay = lambda: 5.0
    directory.save_inbox(Inbox("fresh", "email", "fresh@shop.example", "Fresh"))
    found = directory.inbox_at("Fresh+tag@shop.example")
    assert found is not None
    assert found.id == "fresh"
    assert directory.inbox_at("nobody@shop.example") is None


def test_of_two_deliveries_of_one_notice_the_slower_ends_well(desk: Desk) -> None:
    desk.world.cloud.put_original("raw/in1", b"mail")
    original = objects.get_original("raw/in1")
    first, second = objects.keep(original, {}), objects.keep(original, {})
    assert first == second == "kept/2026/11/20/in1"
    assert list(desk.world.cloud.objects("")) == [first]


def test_nobody_waits_while_another_answer_is_on_its_way(desk: Desk) -> None:
    """One answer's fate is unclear, a second one is queued: a third, blind one must be stopped."""
    ticket_id = a_question(desk)
    lina, omar, ada = (desk.actor(each) for each in desk.agents[:3])
    first = reply_to_ticket.reply(ticket_id, lina, Reply("It left."), desk.world.time)
    reply_to_ticket.reply(ticket_id, omar, Reply("It left today.", send_anyway=True), desk.world.time)
    told = SimpleNamespace(ticket_id=ticket_id, message_id=first.id)
    assert messages.move_delivery(ticket_id, first.id, "sending", ["queued"], desk.world.time)
    claimed = Claimed(told, desk.inboxes[0], 1)  # type: ignore[arg-type]  # only its ids are looked at
    deliver_message.record_unclear(claimed, Unclear("the line broke off"), desk.world.time)
    ticket = tickets.get(ticket_id)
    assert ticket.undelivered
    assert ticket.waiting_since is None
    with pytest.raises(Conflict, match="has answered already"):
        reply_to_ticket.reply(ticket_id, ada, Reply("We look for it."), desk.world.time)


def test_of_two_answers_in_one_millisecond_neither_hides_the_other(desk: Desk) -> None:
    """Whichever of the two ids sorts last: each author is told of the other's before a second, blind answer."""
    ticket_id = a_question(desk)
    lina, omar, ada = (desk.actor(each) for each in desk.agents[:3])
    for actor in (lina, omar):
        reply_to_ticket.reply(ticket_id, actor, Reply("It left.", send_anyway=True), desk.world.time)
    for actor in (lina, omar, ada):
        with pytest.raises(Conflict, match="has answered already"):
            reply_to_ticket.reply(ticket_id, actor, Reply("It left."), desk.world.time + timedelta(seconds=5))


def test_an_answer_that_was_long_on_its_way_still_counts_as_the_later_one(desk: Desk) -> None:
    """A repeated request carries the time of its first attempt: what it followed tells the order."""
    ticket_id = a_question(desk)
    lina, omar = (desk.actor(each) for each in desk.agents[:2])
    early = desk.world.time
    reply_to_ticket.reply(ticket_id, lina, Reply("It left."), early + timedelta(seconds=30))
    reply_to_ticket.reply(ticket_id, omar, Reply("It left.", send_anyway=True), early)
    with pytest.raises(Conflict, match="Omar has answered already"):
        reply_to_ticket.reply(ticket_id, lina, Reply("Once more."), early + timedelta(seconds=60))


def test_somebody_waits_again_when_no_answer_stands(desk: Desk) -> None:
    ticket_id = a_question(desk)
    lina = desk.actor(desk.agents[0])
    first = reply_to_ticket.reply(ticket_id, lina, Reply("It left."), desk.world.time)
    asked = tickets.get(ticket_id).created_at
    told = SimpleNamespace(ticket_id=ticket_id, message_id=first.id)
    assert messages.move_delivery(ticket_id, first.id, "sending", ["queued"], desk.world.time)
    claimed = Claimed(told, desk.inboxes[0], 1)  # type: ignore[arg-type]  # only its ids are looked at
    deliver_message.record_unclear(claimed, Unclear("the line broke off"), desk.world.time)
    assert tickets.get(ticket_id).waiting_since == asked
