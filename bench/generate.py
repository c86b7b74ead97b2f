"""A desk's worth of data, the same every time: 1 k to 1 M tickets as a shop's desk would hold them.

    python -m bench.generate --size 10000      # prints what such a desk holds

Ticket 0 is the newest and each one is a minute older than the one before, so a larger desk is the smaller one with more
behind it: what a page costs on both can be compared.  Of RECENT tickets most are live, of the others few, so that
every list has more than a page on the smallest desk and grows with the desk.  The newest
WHOLE have their conversation, customer, receipts and search entries; the others are what lists and indexes hold.

Every item comes out of the store's own functions, so the data cannot drift from what the desk writes.
"""

import argparse
import hashlib
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any

from bench import dynamodb_local, words
from chalicelib.connectors.email.addresses import message_key, ses_key
from chalicelib.domain import terms
from chalicelib.domain.message import Message, Party
from chalicelib.domain.moments import random_id, sortable_id, stamp
from chalicelib.domain.people import Agent, Customer, Inbox, Team
from chalicelib.domain.ticket import LIVE, SNIPPET_CHARS, Status, Ticket
from chalicelib.services import drafts, notices
from chalicelib.services.change_ticket import Timer
from chalicelib.services.receive_message import Envelope
from chalicelib.store import counters, customers, documents, messages, postings, receipts, sources, tickets
from chalicelib.store.directory import AddressOf
from chalicelib.store.live import Connection
from chalicelib.store.models import CounterItem, Item
from chalicelib.store.pending import timer_key
from chalicelib.store.receipts import Receipt
from chalicelib.store.sources import Source
from chalicelib.store.tickets import Loaded
from chalicelib.store.transaction import Transaction

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NEWEST_NUMBER = 2_000_000
"""Counted down from here, so that numbers are as long on a small desk as on a large one."""
RECENT = 600
WHOLE = 240
LONG_EVERY = 20
LONG_CONVERSATION = 40
STEP = timedelta(minutes=37)
COMMON_WORD, RARE_WORD = "parcel", "mug"
"""Their postings are written for every ticket that has them, so that a search reads partitions of full length."""
RECENT_MESSAGES = 60
"""As many as lie unfolded when things are at their worst but for chance; those before them lie in batches."""
BATCH = 25
PART = 5_000
WRITERS = 2


def _id(prefix: str, name: str) -> str:
    return random_id(prefix, hashlib.sha256(name.encode()).digest()[:7])


FIRST, SECOND, RETURNS = TEAMS = tuple(Team(_id("tm", each), each) for each in ("First line", "Second line", "Returns"))
AGENTS = tuple(
    Agent(_id("ag", given), f"{given.lower()}@shop.example", f"{given} {family}", role, True, NOW - timedelta(days=90),
          team_ids=(FIRST.id,), initials=f"{given[0]}{family[0]}", signature=f"{given}\nShop")
    for given, family, role in zip(words.AGENTS, words.FAMILIES, words.ROLES, strict=True)
)  # fmt: skip
SUPPORT, *_ = INBOXES = (
    Inbox(_id("in", "support"), "email", "support@shop.example", "Shop", FIRST.id, signature="The shop"),
    Inbox(_id("in", "outlet"), "email", "hello@outlet.example", "Outlet", SECOND.id),
    Inbox(_id("in", "trade"), "email", "trade@shop.example", "Trade"),
    Inbox(_id("in", "bot"), "telegram", "shop_bot", "Shop bot", FIRST.id),
)
LINA = AGENTS[0]
AGENT_IDS = tuple(agent.id for agent in AGENTS)


class Collected(Transaction):
    """Takes what the store would write instead of writing it."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []

    def put(self, label: str, item: Item, condition: Any = None) -> None:
        self.items.append(item)


@dataclass(frozen=True)
class Story:
    """One ticket and who wrote."""

    n: int
    ticket: Ticket
    customer: Customer
    seen_by: frozenset[str]

    @property
    def is_snoozed(self) -> bool:
        return self.ticket.snoozed_until is not None


def number(n: int) -> str:
    return str(NEWEST_NUMBER - n)


def story(n: int) -> Story:
    """Ticket ``n`` (0 is the newest) as it stands now."""
    luck = random.Random(n)
    customer = _customer(n, luck)
    inbox = luck.choices(INBOXES, (60, 20, 10, 10))[0]
    updated_at = NOW - timedelta(minutes=1 + n)
    count = LONG_CONVERSATION if n % LONG_EVERY == 0 else luck.choices((1, 2, 3, 4, 6, 9), (30, 25, 18, 12, 10, 5))[0]
    status = _status(n, luck)
    live, waits = status in LIVE, status == "open" and luck.random() < 0.85
    snoozed = live and luck.random() < 0.15
    address = customer.handles[0].partition(":")[2]
    last_inbound = count - 1 if waits or count == 1 else count - 2
    ticket = Ticket(
        id=number(n), subject=words.subject(luck), status=status, inbox_id=inbox.id, channel=inbox.channel,
        priority=luck.choices(("low", "normal", "high", "urgent"), (5, 80, 12, 3))[0], customer_id=customer.id,
        customer_name=customer.name, customer_handle=address, created_at=updated_at - (count - 1) * STEP,
        updated_at=updated_at, version=count + 1, tags=tuple(luck.sample(words.TAGS, luck.choice((0, 0, 1, 1, 2, 3)))),
        assignee_id=_assignee(luck) if luck.random() < 0.5 else None,
        team_id=luck.choices((*(team.id for team in TEAMS), None), (45, 20, 10, 25))[0],
        snippet=" ".join(words.text(luck, 40).split())[:SNIPPET_CHARS],
        waiting_since=updated_at if waits else None, last_message_id=message_id(n, count, count - 1, updated_at),
        last_inbound_id=message_id(n, count, last_inbound, updated_at), message_count=count,
        snoozed_until=NOW + timedelta(hours=1 + luck.randrange(200)) if snoozed else None,
        closed_at=None if live else updated_at, undelivered=live and luck.random() < (0.15 if n < RECENT else 0.01),
        participants=(address, inbox.address),
    )  # fmt: skip
    return Story(n, ticket, customer, frozenset(luck.sample(AGENT_IDS, luck.choice((0, 1, 2)))))


def _status(n: int, luck: random.Random) -> Status:
    if luck.random() < (0.7 if n < RECENT else 0.05):
        return luck.choices(("open", "pending"), (65, 35))[0]
    return luck.choices(("resolved", "closed", "spam", "trash"), (60, 25, 10, 5))[0]


def _assignee(luck: random.Random) -> str:
    return LINA.id if luck.random() < 0.5 else luck.choice(AGENTS[1:]).id


def _customer(n: int, luck: random.Random) -> Customer:
    """Every fifth ticket is of one of forty who write often; the others write about twice."""
    who = n // 5 % 40 if n % 5 == 0 else 40 + n // 2
    name = words.name(random.Random(-1 - who))
    local = re.sub(r"[^a-z.]", "", terms.folded(name).replace(" ", "."))
    address = f"{local}.{who}@{words.DOMAINS[who % len(words.DOMAINS)]}"
    entropy = hashlib.sha256(f"customer {who}".encode()).digest()[:7]
    return Customer(random_id("c", entropy), name, (f"email:{address}",), NOW - timedelta(days=400))


def message_id(n: int, count: int, k: int, updated_at: datetime) -> str:
    return sortable_id("m", updated_at - (count - 1 - k) * STEP, f"{n} {k}".encode())


# Items


def shared_items() -> Iterator[Item]:
    """What a desk has once: people, inboxes, open consoles, notices."""
    for agent in AGENTS:
        yield documents.item("AGENTS", agent.id, agent)
    for team in TEAMS:
        yield documents.item("TEAMS", team.id, team)
    for inbox in INBOXES:
        yield documents.item("INBOXES", inbox.id, inbox)
        yield documents.item(f"ADDRESS#{inbox.address}", "ADDRESS", AddressOf(inbox.id))
    for agent in AGENTS[:4]:
        yield documents.item("LIVE", f"socket-of-{agent.id}=", Connection(f"socket-of-{agent.id}=", agent.id))
    for n in range(8):
        yield notices.item(LINA.id, "assigned", number(n), f"Ben assigned ticket #{number(n)} to you.", NOW)
    yield CounterItem("SEQUENCE", "ticket", amount=NEWEST_NUMBER)


def items_of(n: int) -> list[Item]:
    """All that the table holds of ticket ``n``."""
    told, into = story(n), Collected()
    if told.ticket.undelivered:  # the store lists it when it becomes so
        before = Loaded(replace(told.ticket, undelivered=False, version=told.ticket.version - 1), told.seen_by)
        tickets.put_changed(into, before, told.ticket, NOW)
    else:
        into.put("ticket", tickets.as_item(told.ticket, NOW, told.seen_by))
    if told.is_snoozed and told.ticket.snoozed_until:
        timer = documents.item(
            tickets.ticket_key(told.ticket.id), "TIMER#snooze",
            Timer("snooze", told.ticket.id, stamp(told.ticket.snoozed_until)),
        )  # fmt: skip
        timer.time_key, timer.time_at = timer_key(f"{told.ticket.id}#snooze", told.ticket.snoozed_until)
        into.put("timer", timer)
    if n < WHOLE:
        _add_whole(told, into)
    return into.items


def _add_whole(told: Story, into: Collected) -> None:
    ticket = told.ticket
    customers.add(into, told.customer)
    buckets = counters.buckets_of(ticket, told.is_snoozed)
    counted = counters.CountedAs(ticket.version, buckets)
    into.put("counted", documents.item(tickets.ticket_key(ticket.id), "COUNTED", counted, version=ticket.version))
    for said in conversation(told):
        html = f"<p>{said.text}</p>" if said.direction == "in" and len(said.text) % 4 == 0 else ""
        messages.add(into, said, html)
        if said.direction == "in":
            _add_arrival(said, into)
        elif said.kind == "message":
            _add_delivery(said, into)
    if told.n % 10 == 0:
        draft = drafts.Draft("reply", "Dear customer, let me look into", NOW)
        key = drafts.item_key(ticket.id, LINA.id)
        into.put("draft", documents.item(str(key.pk), str(key.sk), draft, NOW + timedelta(days=90)))


def conversation(told: Story) -> Iterator[Message]:
    """Question and answer by turns, now and then a note or a line of the history; the last one as the ticket says."""
    ticket, luck = told.ticket, random.Random(1_000_000_007 + told.n)
    theirs_last = ticket.last_inbound_id == ticket.last_message_id
    for k in range(ticket.message_count):
        at = ticket.updated_at - (ticket.message_count - 1 - k) * STEP
        ours = (ticket.message_count - 1 - k) % 2 == (1 if theirs_last else 0)
        kind = "message" if not ours else luck.choices(("message", "note", "event"), (80, 10, 10))[0]
        known = message_id(told.n, ticket.message_count, k, ticket.updated_at)
        yield _ours(told, known, at, kind, luck) if ours else _theirs(told, known, at, luck)


def _theirs(told: Story, known: str, at: datetime, luck: random.Random) -> Message:
    ticket = told.ticket
    inbox = next(each for each in INBOXES if each.id == ticket.inbox_id)
    mail_id = mail_id_of(known)
    return Message(
        id=known, ticket_id=ticket.id, kind="message", direction="in", author_kind="customer",
        author_id=told.customer.id, author_name=told.customer.name, at=at, sent_at=at, text=words.text(luck),
        subject=ticket.subject, sender=Party(told.customer.name, ticket.customer_handle),
        to=(Party("", inbox.address),), inbox_id=inbox.id, original_key=f"kept/{at:%Y/%m/%d}/{known}",
        own_keys=(message_key(mail_id),), references=(mail_id,),
    )  # fmt: skip


def mail_id_of(known: str) -> str:
    """The Message-ID of a customer's mail."""
    return f"<{known}.phone@mail.example>"


def _ours(told: Story, known: str, at: datetime, kind: str, luck: random.Random) -> Message:
    ticket, agent = told.ticket, luck.choice(AGENTS)
    said = replace(
        _theirs(told, known, at, luck), direction="out", author_kind="agent", author_id=agent.id, own_keys=(),
        author_name=agent.name, sender=None, to=(Party(told.customer.name, ticket.customer_handle),),
        original_key=None, sent_at=None, text=words.text(luck, 90), event={"answers": ticket.last_inbound_id},
    )  # fmt: skip
    if kind == "note":
        return replace(said, kind="note", to=(), references=(), event={})
    if kind == "event":
        return replace(said, kind="event", to=(), references=(), text="", event={"assignee_id": agent.name})
    return said


def _add_arrival(said: Message, into: Collected) -> None:
    inbox = next(each for each in INBOXES if each.id == said.inbox_id)
    envelope = Envelope(said.id, said.original_key or "", said.at, inbox, f"{said.at:%Y-%m-%d}")
    receipt = Receipt(
        envelope.day, envelope.receipt_name, "shown", said.at, inbox.id, "", said.ticket_id, said.id, False,
        envelope.original_key,
    )  # fmt: skip
    receipts.add(into, receipt)
    _settled(into.items[-1])
    fingerprint = hashlib.sha256(said.id.encode()).hexdigest()
    sources.claim(into, said.own_keys[0], fingerprint, Source(said.ticket_id, said.id, inbox.id))


def _add_delivery(said: Message, into: Collected) -> None:
    messages.add_delivery(into, said, said.inbox_id, said.at)
    made: Any = into.items[-1]
    made.state, made.attempts, made.provider_id = "delivered", 1, f"0102{said.id}-000000"
    _settled(made)
    source = Source(said.ticket_id, said.id, said.inbox_id, outgoing=True)
    into.put("source", sources.key_item(ses_key(f"0102{said.id}-000000"), f"out#{said.id}", source))


def _settled(item: Any) -> None:
    item.time_key = item.time_at = None


def count_items(size: int) -> list[Item]:
    """The counters of the lists as they stand after ``size`` tickets."""
    amounts: Counter[str] = Counter()
    for n in range(size):
        told = story(n)
        for bucket in counters.buckets_of(told.ticket, told.is_snoozed):
            amounts[f"{bucket}#{int(told.ticket.id) % counters.COUNTER_SHARDS}"] += 1
    return [CounterItem("COUNTERS", name, amount=amount) for name, amount in amounts.items()]


def posting_items(size: int) -> Iterator[Item]:
    """The index of a desk of ``size``: of the whole tickets all terms, of the others two, each in its tier."""
    said = sorted((each for n in range(min(size, WHOLE)) for each in conversation(story(n))), key=lambda each: each.at)
    packed = [postings.recent_item(each.id, each.ticket_id, terms.of_message(each, each.text)) for each in said]
    older, recent = packed[:-RECENT_MESSAGES], packed[-RECENT_MESSAGES:]
    yield from recent
    for first in range(0, len(older), postings.FOLD_EVERY):
        yield from postings.batch_items(older[first : first + postings.FOLD_EVERY])
    subjects = ((n, terms.of_text(story(n).ticket.subject)) for n in range(size))
    carry: dict[str, list[int]] = {COMMON_WORD: [], RARE_WORD: []}
    for n, found in subjects:
        for word in carry.keys() & found.keys():
            carry[word].append(NEWEST_NUMBER - n)
    yield from postings.block_items(carry)


# Writing


def write(client: Any, table: str, items: Iterable[Item]) -> int:
    """Put items in batches; returns how many.  A customer comes with each of their tickets, but once in a batch."""
    batch: dict[tuple[object, object], dict[str, Any]] = {}
    written = 0
    for item in items:
        batch[(item.pk, item.sk)] = {"PutRequest": {"Item": item.serialize()}}
        if len(batch) == BATCH:
            written += _send(client, table, list(batch.values()))
            batch = {}
    return written + (_send(client, table, list(batch.values())) if batch else 0)


def _send(client: Any, table: str, batch: list[dict[str, Any]]) -> int:
    wanted = {table: batch}
    for _ in range(10):
        wanted = client.batch_write_item(RequestItems=wanted).get("UnprocessedItems") or {}
        if not wanted:
            return len(batch)
    raise RuntimeError("the engine keeps leaving items unwritten")


def fill(client: Any, table: str, size: int) -> int:
    """Write a desk of ``size`` tickets with one client (tests)."""
    tickets_of = (item for n in range(size) for item in items_of(n))
    parts = (shared_items(), count_items(size), posting_items(size), tickets_of)
    return sum(write(client, table, items) for items in parts)


def _fill_part(endpoint: str, table: str, start: int, stop: int) -> int:
    return write(dynamodb_local.client(endpoint), table, (item for n in range(start, stop) for item in items_of(n)))


def fill_in_parallel(endpoint: str, table: str, size: int) -> int:
    """Write a desk of ``size`` tickets with WRITERS processes; returns the items written."""
    client = dynamodb_local.client(endpoint)
    written = sum(write(client, table, items) for items in (shared_items(), count_items(size), posting_items(size)))
    parts: Sequence[range] = [range(start, min(size, start + PART)) for start in range(0, size, PART)]
    with ProcessPoolExecutor(WRITERS, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_fill_part, endpoint, table, part.start, part.stop) for part in parts]
        return written + sum(each.result() for each in waiting)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000)
    size = parser.parse_args().size
    kinds: Counter[str] = Counter()
    for n in range(size):
        told = story(n)
        kinds[told.ticket.status] += 1
        kinds["snoozed"] += told.is_snoozed
        kinds["waiting"] += told.ticket.waiting_since is not None
        kinds["undelivered"] += told.ticket.undelivered
    kinds["items"] = sum(len(items_of(n)) for n in range(min(size, WHOLE)))
    print(json.dumps({"size": size, **kinds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
