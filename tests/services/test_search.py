"""The search box as somebody uses it: fields, phrases, pages, and what cannot be meant."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.message import Message, Party
from chalicelib.domain.people import Actor
from chalicelib.errors import InvalidInput
from chalicelib.jobs import relay, work
from chalicelib.services import search, search_index
from chalicelib.services.add_note import add_note
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.rebuild import index
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import messages, postings
from chalicelib.store.models import PostingItem
from tests.engine import Desk
from tests.services.test_receive_message import mail

pytestmark = pytest.mark.engine

Arrive = Callable[..., str]


@pytest.fixture
def lina(desk: Desk) -> Actor:
    return desk.actor("lina", name="Lina Meyer")


@pytest.fixture
def arrive(desk: Desk) -> Arrive:
    """A mail arrives an hour later and is indexed; answers with its ticket."""
    inboxes = {"support": desk.inbox(), "outlet": desk.inbox(id="outlet", address="hi@outlet.example", name="Outlet")}
    seen: list[str] = []

    def arrive(
        text: str, to: str = "support", name: str = "Ada", address: str = "ada@buyer.example", **more: Any
    ) -> str:
        desk.advance(hours=1)
        seen.append(text)
        inbound = mail(desk, len(seen), text=text, new_text=text, sender=Party(name, address), **more)
        where = Envelope(f"o{len(seen)}", f"kept/o{len(seen)}", desk.now, inboxes[to], f"{desk.now:%Y-%m-%d}")
        ticket_id = receive(inbound, where, desk.now).ticket_id or ""
        index(ticket_id)
        return ticket_id

    return arrive


def found(desk: Desk, text: str, **how: Any) -> list[str]:
    return [each.ticket.id for each in search.find(text, desk.now, **how).tickets]


def test_fields_narrow_what_words_find(desk: Desk, lina: Actor, arrive: Arrive) -> None:
    first = arrive("The mug is broken.", subject="Mug")
    second = arrive("My mug never came.", to="outlet", name="Zoë Müller", address="zoe@other.example", subject="Mug")
    change(first, lina, Changes(status="resolved", tags=("refund", "vip"), assignee_id="lina"), desk.now)
    for text, wanted in {
        "mug": [second, first], "mug is:open": [second], "is:resolved": [first], "is:open is:resolved": [second, first],
        "tag:refund": [first], "mug tag:refund tag:vip": [first], "tag:refund tag:gift": [], "in:outlet": [second],
        "in:hi@outlet.example mug": [second], "mug assignee:me": [first], "assignee:meyer": [first],
        "assignee:nobody": [second], "is:unassigned": [second], "from:zoe": [second], "from:muller mug": [second],
        "from:@buyer.example": [first], "from:ada@buyer.example mug": [first], "from:ada zoe": [], "is:snoozed": [],
        "is:undelivered": [], "before:today": [], "after:today mug": [second, first],
    }.items():  # fmt: skip
        assert found(desk, text, me="lina") == wanted, text


def test_a_day_is_the_agents_own(desk: Desk, arrive: Arrive) -> None:
    ticket = arrive("It was late.")  # 10:00 UTC on the 20th, which is the 21st in Kiritimati from 10:00 on
    assert found(desk, "late after:2026-11-21") == []
    assert found(desk, "late after:2026-11-21", zone="Pacific/Kiritimati") == [ticket]
    assert found(desk, "late before:2026-11-21") == [ticket]
    assert found(desk, "late before:2026-11-21", zone="Pacific/Kiritimati") == []


@pytest.mark.parametrize(
    ("phrase", "is_there"),
    [
        ('"broken mug"', True), ('"mug broken"', False), ('"A BROKEN, mug"', True),
        ('"湯のみ"', True), ('"みの湯"', False),
        ('"broken mug" "two weeks"', True), ('"mug two"', False), ('"Ihre Größe"', True),
    ],
)  # fmt: skip
def test_a_phrase_stands_together_in_one_message(desk: Desk, arrive: Arrive, phrase: str, is_there: bool) -> None:
    long = "I waited two weeks. " * 200  # so that its end lies in the body's own item
    ticket = arrive(f"{long} I have a broken mug. Dürfte ich Ihre Größe wissen? 湯のみが割れた。")
    assert found(desk, phrase) == ([ticket] if is_there else [])


@pytest.mark.parametrize("text", ["in:nowhere", "assignee:nobodyelse mug", "is:lost", "after:soon"])
def test_what_cannot_be_meant_is_said(desk: Desk, arrive: Arrive, text: str) -> None:
    arrive("mug")
    with pytest.raises(InvalidInput):
        search.find(text, desk.now)


def test_late_is_who_was_to_be_answered_by_now_the_longest_wait_first(desk: Desk, arrive: Arrive, lina: Actor) -> None:
    first, answered, snoozed, second, pending = (arrive("mug", address=f"a{n}@buyer.example") for n in range(5))
    reply(answered, lina, Reply("It is on its way."), desk.now)
    change(snoozed, lina, Changes(snoozed_until=desk.now + timedelta(days=1)), desk.now)
    change(pending, lina, Changes(status="pending"), desk.now)
    newest = arrive("mug", address="b@buyer.example")
    assert found(desk, "is:late") == [first, second, snoozed]
    assert sorted(found(desk, "mug is:late")) == sorted([first, second, snoozed])
    assert found(desk, "is:late is:snoozed") == [snoozed]
    desk.advance(minutes=61)
    assert newest in found(desk, "is:late") and not {answered, pending} & {*found(desk, "is:late")}


@pytest.mark.parametrize("text", ["mug", "is:open", "mug is:open"])
def test_pages_follow_each_other_and_say_when_they_end(desk: Desk, arrive: Arrive, text: str) -> None:
    ids = [arrive("A mug.", address=f"a{n}@buyer.example") for n in range(7)]
    pages, cursor = [], None
    while True:
        page = search.find(text, desk.now, cursor, limit=3)
        pages.append([each.ticket.id for each in page.tickets])
        cursor = page.next
        if cursor is None:
            break
    assert [each for page in pages for each in page] == ids[::-1]
    assert max(map(len, pages)) == 3


@pytest.mark.parametrize(("text", "cursor"), [("mug", "x"), ("mug", "-1"), ("is:open", "99."), ("is:open", "x.y")])
def test_a_cursor_of_somebody_else_is_refused(desk: Desk, text: str, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        search.find(text, desk.now, cursor)


def test_notes_and_new_subjects_are_found_as_the_stream_tells_of_them(desk: Desk, lina: Actor, arrive: Arrive) -> None:
    ticket = arrive("Hello there.")
    add_note(ticket, lina, "Called the courier about it.", desk.now)
    change(ticket, lina, Changes(subject="Teapot lid"), desk.now)
    change(ticket, lina, Changes(tags=("vip",)), desk.now)
    assert found(desk, "courier") == [] == found(desk, "teapot")
    facts = [
        each.entry["MessageBody"] for record in images(desk, ticket) for each in relay.parcels_of(record, desk.now)
    ]
    assert sum('"said"' in fact for fact in facts) == 2, "a change of tags has nothing to be found by"
    assert work.work({"Records": [{"messageId": str(n), "body": each} for n, each in enumerate(facts)]}, None) == {
        "batchItemFailures": []
    }
    assert found(desk, "courier lid") == [ticket]


def images(desk: Desk, ticket_id: str) -> list[dict[str, Any]]:
    """The messages as the stream tells of new ones."""
    client = desk.client("dynamodb")
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": f"TICKET#{ticket_id}"}}}
    items = client.query(TableName="test-table", **query)["Items"]
    return [
        {"dynamodb": {"Keys": {"pk": each["pk"], "sk": each["sk"]}, "NewImage": each}}
        for each in items
        if each["sk"]["S"].startswith("MESSAGE#")
    ]


def test_the_index_is_compared_with_the_messages_and_put_right(desk: Desk, arrive: Arrive) -> None:
    ids = [arrive(f"Mug number {n} broke.", address=f"a{n}@buyer.example") for n in range(3)]
    search_index.move_all_on()
    assert search_index.compare(ids).size == 0
    postings.take_out_of_blocks({"mug": {int(ids[0])}})
    postings.put_into_blocks({"broke": {int(ids[1])}, "number": {int(ids[1])}})
    PostingItem(postings.term_key("a2"), postings.block_key(int(ids[2]) // postings.BLOCK)).delete()
    postings.put_into_blocks({"a0": {int(ids[1])}})
    difference = search_index.compare(ids)
    assert difference.missing == {"mug": {int(ids[0])}, "a2": {int(ids[2])}}
    assert difference.extra == {"a0": {int(ids[1])}}
    assert found(desk, "mug") == [ids[2], ids[1]]
    assert search_index.put_right(difference) == 3
    assert search_index.compare(ids).size == 0 and found(desk, "mug") == ids[::-1]


def test_a_message_that_comes_while_the_index_is_compared_is_not_too_much(
    desk: Desk, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = arrive("A mug."), arrive("A teapot.", address="b@buyer.example")
    search_index.move_all_on()
    real = postings.stored_blocks

    def stored(terms: Sequence[str], block: int) -> dict[str, set[int]]:
        monkeypatch.setattr(postings, "stored_blocks", real)
        add_note(first, desk.actor("lina"), "teapot", desk.now + timedelta(minutes=1))
        for message in messages.oldest(first)[0]:
            search_index.index(message)
        search_index.move_all_on()
        return real(terms, block)

    monkeypatch.setattr(postings, "stored_blocks", stored)
    assert search_index.compare([first, other]).extra == {}


def test_a_message_that_a_reading_does_not_know_yet_stays_found(
    desk: Desk, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = arrive("A mug."), arrive("A mug.", address="b@buyer.example")
    search_index.move_all_on()
    real = messages._oldest_of

    def lagging(ticket_id: str, after: str | None, limit: int, consistent: bool) -> list[Message]:
        return [] if ticket_id == first and not consistent else real(ticket_id, after, limit, consistent)

    monkeypatch.setattr(messages, "_oldest_of", lagging)
    assert search_index.compare([first, other]).size == 0
