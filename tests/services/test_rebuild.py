"""What the table says twice can be made anew from what it says once: the same, item for item."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.message import Party, StateChange
from chalicelib.domain.people import Actor
from chalicelib.domain.ticket import Status, Ticket
from chalicelib.errors import DeskbellError
from chalicelib.jobs import relay, work
from chalicelib.services import change_ticket, create_ticket, rebuild, record_state, search, search_index
from chalicelib.services.add_note import add_note
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import counters, derived, messages, tickets
from chalicelib.store.models import DocumentItem
from tests.engine import Desk
from tests.services.test_receive_message import mail

pytestmark = pytest.mark.engine

Raw = dict[str, Any]
ACTS = 100
SUBJECTS = ("Where is order 4711?", "Broken mug", "Größe umtauschen", "請求書について", "Re: 302-1234567-7654321", "")


class History:
    """A random life of a desk; after each act its facts are worked off, as relay and worker do it."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.random = desk, random.Random(seed)
        self.inboxes = [desk.inbox(), desk.inbox(id="orders", address="orders@shop.example", name="Orders")]
        self.people = [desk.actor("lina"), desk.actor("ben")]
        self.teams = [desk.team("first"), desk.team("second", "Second line")]
        self.ids: list[str] = []
        self.n = 0
        self._images: dict[tuple[str, str], Raw] = {}

    def live(self, acts: int) -> None:
        every: tuple[Callable[[], object], ...] = (
            self.new_mail, self.new_mail, self.answer_mail, self.by_hand, self.say, self.note, self.file, self.file,
            self.assign, self.rename, self.snooze, self.wake, self.bounce, self.back, self.read,
        )  # fmt: skip
        for _ in range(acts):
            self.desk.advance(minutes=self.random.randrange(1, 600))
            try:
                self.random.choice(every)()
            except (DeskbellError, IndexError):
                continue  # not every act is possible everywhere
            finally:
                self.follow()
        self.end()
        while self.follow():
            pass

    def end(self) -> None:
        """So that each kind of list has somebody in it whatever the dice said."""
        self.receive(subject="Win a mug", spam="It looks like spam.")
        self.receive(subject="Broken mug")
        self.follow()
        self.ids, before = self.ids[-1:], self.ids
        self.say()
        self.bounce()
        self.ids = before

    def actor(self) -> Actor:
        return self.random.choice(self.people)

    def ticket(self) -> str:
        return self.random.choice(self.ids)

    def receive(self, **values: Any) -> None:
        self.n += 1
        who = self.random.randrange(12)
        inbound = mail(self.desk, self.n, sender=Party(f"Person {who}", f"p{who}@example.com"), **values)
        day = f"{self.desk.now:%Y-%m-%d}"
        where = Envelope(f"o{self.n}", f"kept/o{self.n}", self.desk.now, self.random.choice(self.inboxes), day)
        receipt = receive(inbound, where, self.desk.now)
        if receipt.ticket_id and receipt.ticket_id not in self.ids:
            self.ids.append(receipt.ticket_id)

    def new_mail(self) -> None:
        spam = "It looks like spam." if self.random.random() < 0.15 else None
        text = f"Order {self.random.randrange(100, 99999)} and #{self.random.randrange(100, 99999)}. " * 30
        self.receive(subject=self.random.choice(SUBJECTS), text=text, new_text=text[:90], spam=spam)

    def answer_mail(self) -> None:
        self.receive(subject="Re: whatever", text="And 302-7654321-1234567?", ticket_token=self.ticket())

    def by_hand(self) -> None:
        made, _ = create_ticket.create(
            self.actor(), self.inboxes[0].id, Party("Eve", "eve@example.com"), "Called about 123456", "She called.",
            self.random.choice(("in", "out")), self.desk.now,
        )  # fmt: skip
        self.ids.append(made.id)

    def say(self) -> None:
        reply(self.ticket(), self.actor(), Reply("On its way, 55555.", undo_seconds=0, send_anyway=True), self.desk.now)

    def note(self) -> None:
        add_note(self.ticket(), self.actor(), "Called the carrier about 77777.", self.desk.now)

    def file(self) -> None:
        statuses: tuple[Status, ...] = ("open", "pending", "resolved", "closed", "spam", "trash")
        status = self.random.choice(statuses)
        change(self.ticket(), self.actor(), Changes(status=status), self.desk.now)

    def assign(self) -> None:
        to, team = self.random.choice(("lina", "ben", None)), self.random.choice(("first", "second", None))
        change(self.ticket(), self.actor(), Changes(assignee_id=to, team_id=team), self.desk.now)

    def rename(self) -> None:
        change(self.ticket(), self.actor(), Changes(subject=f"Renamed {self.n} 88{self.n:04d}"), self.desk.now)

    def snooze(self) -> None:
        until = self.desk.now + timedelta(days=self.random.randrange(1, 30))
        change(self.ticket(), self.actor(), Changes(snoozed_until=until), self.desk.now)

    def wake(self) -> None:
        loaded = tickets.get_many(self.ids).values()
        for each in [one.ticket for one in loaded if one.ticket.snoozed_until]:
            if each.snoozed_until and each.snoozed_until <= self.desk.now:
                timer = derived_timer(each)
                change_ticket.wake(timer, self.desk.now)

    def bounce(self) -> None:
        ticket_id = self.ticket()
        sent = [each for each in messages.newest(ticket_id).messages if each.delivery is not None]
        message = self.random.choice(sent)
        messages.move_delivery(ticket_id, message.id, "sent", ["queued"], self.desk.now, settled=True)
        told = StateChange("bounced", self.desk.now, message.id, ticket_id=ticket_id, reason="No such mailbox.")
        record_state.record(told, self.desk.now)

    def back(self) -> None:
        change_ticket.restore(self.ticket(), self.actor(), self.desk.now)

    def read(self) -> None:
        tickets.mark_seen(self.ticket(), self.actor().id)

    def follow(self) -> bool:
        """Tell the worker what the stream would have said since the last time; False when that was nothing."""
        images = {(each["pk"]["S"], each["sk"]["S"]): each for each in everything(self.desk)}
        bodies = []
        for key, image in images.items():
            old = self._images.get(key, {})
            if image != old:
                record = {"dynamodb": {"Keys": {"pk": image["pk"], "sk": image["sk"]}, "NewImage": image}}
                if old:
                    record["dynamodb"]["OldImage"] = old
                parcels = relay.parcels_of(record, self.desk.now)
                bodies += [each.entry["MessageBody"] for each in parcels if "work" in each.queue_url]
        self._images = images
        if bodies:
            records = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
            assert work.work({"Records": records}, None) == {"batchItemFailures": []}
        return bool(bodies)


def derived_timer(ticket: Ticket) -> change_ticket.Timer:
    from chalicelib.domain.moments import stamp

    assert ticket.snoozed_until is not None
    return change_ticket.Timer("snooze", ticket.id, stamp(ticket.snoozed_until))


def everything(desk: Desk) -> list[Raw]:
    pages = desk.client("dynamodb").get_paginator("scan").paginate(TableName="test-table")
    return [item for page in pages for item in page["Items"]]


def is_derived(item: Raw) -> bool:
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    return pk in ("COUNTERS", "LIST#undelivered") or pk.startswith(("RECENT", "BATCH#", "TERM#")) or sk == "COUNTED"


def said_twice(desk: Desk) -> dict[tuple[str, str], Raw]:
    """Every derived item, and of every ticket its list keys.  A counter that stands at 0 says nothing.

    Postings are compared where all of them end: which tier they lie in says nothing either.
    """
    search_index.move_all_on()
    found = {}
    for item in everything(desk):
        key = item["pk"]["S"], item["sk"]["S"]
        if is_derived(item) and item.get("amount") != {"N": "0"}:
            found[key] = item
        elif key[1] == "TICKET":
            found[key] = {name: item[name] for name in tickets.LIST_KEYS if name in item}
    return found


def wipe(desk: Desk) -> int:
    table, wiped = desk.client("dynamodb"), 0
    for item in everything(desk):
        key = {name: item[name] for name in ("pk", "sk")}
        if is_derived(item):
            table.delete_item(TableName="test-table", Key=key)
            wiped += 1
        elif key["sk"]["S"] == "TICKET":
            gone = "REMOVE " + ", ".join(tickets.LIST_KEYS)
            table.update_item(TableName="test-table", Key=key, UpdateExpression=gone)
            wiped += 1
    return wiped


def rebuilt(desk: Desk, *parts: rebuild.Part) -> rebuild.Progress:
    progress = rebuild.begin(parts or rebuild.PARTS, desk.now)
    while not rebuild.is_done(progress):
        progress = rebuild.step(progress, desk.now)
    rebuild.finish(progress, desk.now)
    return progress


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_wiped_comes_back_as_it_was_kept_live(desk: Desk, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "PAGE", 7)
    history = History(desk, seed)
    history.live(ACTS)
    live = said_twice(desk)
    assert len(history.ids) > 10 and any(pk.startswith("TERM#") for pk, _ in live)
    assert {"spam#0", "spam#1"} & {sk for pk, sk in live if pk == "COUNTERS"}
    assert any(pk == "LIST#undelivered" for pk, _ in live)
    assert wipe(desk) > len(history.ids)
    rebuilt(desk)
    assert said_twice(desk) == live
    assert counters.all_counts()["spam"] > 0


def test_a_rebuild_of_what_is_right_changes_nothing_and_tells_nobody(desk: Desk) -> None:
    history = History(desk, 4)
    history.live(40)
    search_index.move_all_on()
    before = {(each["pk"]["S"], each["sk"]["S"]): each for each in everything(desk)}
    progress = rebuilt(desk)
    assert (progress.lists, progress.counts, progress.words) == (0, 0, 0) and progress.tickets == len(history.ids)
    assert {(each["pk"]["S"], each["sk"]["S"]): each for each in everything(desk)} == before


def test_a_rebuild_that_writes_sends_nothing_to_any_queue(desk: Desk) -> None:
    history = History(desk, 5)
    history.live(40)
    wipe(desk)
    before = {(each["pk"]["S"], each["sk"]["S"]): each for each in everything(desk)}
    rebuilt(desk)
    for item in everything(desk):
        key = item["pk"]["S"], item["sk"]["S"]
        record = {"dynamodb": {"Keys": {"pk": item["pk"], "sk": item["sk"]}, "NewImage": item}}
        if key in before:
            record["dynamodb"]["OldImage"] = before[key]
        if before.get(key) != item:
            assert relay.parcels_of(record, desk.now) == []


def test_a_rebuild_that_was_cut_off_goes_on_where_it_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "PAGE", 10)
    history = History(desk, 6)
    history.live(50)
    live = said_twice(desk)
    wipe(desk)
    first = rebuild.step(rebuild.begin(rebuild.PARTS, desk.now), desk.now)
    assert 0 < first.tickets < len(history.ids)
    again = rebuild.begin(rebuild.PARTS, desk.advance(hours=1))
    assert again == first
    other: tuple[rebuild.Part, ...] = ("words",)
    assert rebuild.begin(other, desk.now).next == tickets.FIRST_NUMBER  # of other parts: a new one
    assert rebuilt(desk).tickets == len(history.ids)
    assert said_twice(desk) == live


def test_it_is_done_when_the_last_ticket_is(desk: Desk) -> None:
    begun = rebuild.begin(rebuild.PARTS, desk.now)
    assert not rebuild.is_done(replace(begun, next=1_050, last=1_050)), "it begins the next page"
    assert rebuild.is_done(replace(begun, next=1_051, last=1_050))


def test_a_ticket_that_moves_meanwhile_stays_as_it_moved(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(desk, 7)
    history.new_mail()
    history.follow()
    wipe(desk)
    real = derived.stored

    def stored(ids: list[str]) -> Any:
        found = real(ids)
        monkeypatch.setattr(derived, "stored", real)
        change(history.ids[0], history.people[0], Changes(status="closed"), desk.now)
        return found

    monkeypatch.setattr(derived, "stored", stored)
    rebuilt(desk, "lists")
    item = real(history.ids)[0]
    assert str(item.status_key).startswith("closed#")


def test_marks_of_tickets_that_are_delivered_or_gone_are_taken_off_the_list(desk: Desk) -> None:
    history = History(desk, 8)
    history.new_mail()
    for number in (int(history.ids[0]), 999_999):
        DocumentItem("LIST#undelivered", f"{number:012d}").save()
    rebuilt(desk, "lists")
    assert not [each for each in everything(desk) if each["pk"]["S"] == "LIST#undelivered"]


def test_a_ticket_is_found_by_the_name_it_was_given(desk: Desk) -> None:
    history = History(desk, 9)
    history.new_mail()
    history.follow()
    change(history.ids[0], history.people[0], Changes(subject="Teapot lid"), desk.now)
    history.follow()
    assert [each.ticket.id for each in search.find("teapot", desk.now).tickets] == history.ids
