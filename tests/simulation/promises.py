"""The desk's promises, checked from outside: the table's items, the objects, what left the house, and what was done.

Nothing here asks the code under test; what it needs of the rules is written down a second time, in its own words.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.simulation import consequences
from tests.simulation.desk import Desk, Said, instant, plain, soon
from tests.simulation.mails import UNREADABLE, Mail
from tests.simulation.witness import Witness

WORD = re.compile(r"lulu[a-z0-9]+?olo")
LIVE = ("open", "pending")
AUTOMATIC = ("auto_reply", "bounce", "complaint")
OUT_THERE = frozenset({"sent", "delivered", "delayed", "bounced", "complained"})
OVER = OUT_THERE | {"failed", "unclear", "cancelled"}
NEVER_ARRIVED = frozenset({"cancelled", "failed", "bounced"})
SENT_AGAIN = "sent-again"
DIED_OF = 2
"""Whoever read a mail has to be gone so often before the mail is given up as one that cannot be read."""
GIVEN_UP = "could not be read"
KNOWN_SECONDS = 120
"""How long an act may take that began before somebody left."""
CORRECTS = "store/counters.py correct UpdateItem"
"""The site that sets totals right without what tickets are counted as."""

Message = dict[str, Any]


@dataclass
class State:
    """Everything as it lies there at the end.

    A merged ticket's messages and deliveries are those of the ticket that goes on; ``place`` is where they lie.

    ``tickets``: those that go on.  ``places``: all.
    """

    desk: Desk
    witness: Witness
    tickets: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    deliveries: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    words: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    """Messages that hold a word in their text."""

    def __post_init__(self) -> None:
        self.places = {each: self.desk.ticket(each) for each in self.desk.ticket_ids()}
        self.tickets = {each: ticket for each, ticket in self.places.items() if not ticket.get("merged_into")}
        for (pk, sk), item in sorted(self.desk.items.items()):
            kind, _, name = sk.partition("#")
            if pk.startswith("RECEIPTS#"):
                receipt = {**plain(item), "day": pk.removeprefix("RECEIPTS#")}
                if receipt.get("ticket_id"):
                    receipt["ticket_id"] = self.goes_on(str(receipt["ticket_id"]))
                self.receipts[sk].append(receipt)
            elif not pk.startswith("TICKET#"):
                continue
            elif kind == "MESSAGE":
                self._message(pk.removeprefix("TICKET#"), plain(item))
            elif kind == "DELIVERY":
                self.deliveries[name] = {**plain(item), "ticket_id": self.goes_on(pk.removeprefix("TICKET#"))}

    def goes_on(self, ticket_id: str) -> str:
        return str(self.places.get(ticket_id, {}).get("merged_into") or ticket_id)

    def kin(self, ticket_id: str) -> str:
        """The same for all tickets that were ever one: the first of them."""
        family, before = {ticket_id}, 0
        while len(family) > before:
            before = len(family)
            for group in self.desk.kin:
                family |= set(group) if family & set(group) else set()
        return min(family)

    def _message(self, place: str, message: Message) -> None:
        ticket_id = self.goes_on(place)
        message["ticket_id"], message["place"] = ticket_id, place
        self.messages[ticket_id].append(message)
        for word in set(WORD.findall(str(message.get("text", "")))):
            self.words[word].append(message)

    def all_messages(self) -> Iterator[Message]:
        for found in self.messages.values():
            yield from found

    def saw(self, promise: str, times: int = 1) -> None:
        self.desk.world.saw(promise, times)

    def tickets_of(self, mail: Mail) -> set[str]:
        """Where a mail is shown: where its word stands; of one that nobody can read, what its receipts say."""
        found = {each["ticket_id"] for each in self.words.get(mail.word, ())}
        if self.was_given_up(mail):
            found |= {each["ticket_id"] for each in self._shown(mail)}
        return found

    def may_be_given_up(self, mail: Mail) -> bool:
        """Reading this very mail failed, or took its reader along again and again.  Whatever AWS does is no reason."""
        return mail.kind in UNREADABLE or self.desk.world.died_of[mail.ses_id] >= DIED_OF

    def was_given_up(self, mail: Mail) -> bool:
        """It is shown as what could not be read, its original beside it, and rightly so."""
        shown = [each["message_id"] for each in self._shown(mail)]
        return self.may_be_given_up(mail) and any(
            GIVEN_UP in str(each.get("banners")) for each in self.all_messages() if each["id"] in shown
        )

    def _shown(self, mail: Mail) -> list[dict[str, Any]]:
        """Its receipts that name a ticket."""
        return [
            each
            for name, receipts in self.receipts.items()
            if name.startswith(f"{mail.ses_id}#")
            for each in receipts
            if each.get("ticket_id")
        ]

    def said_of(self, message: Message) -> Said | None:
        found = [self.desk.said[word] for word in WORD.findall(str(message.get("text", ""))) if word in self.desk.said]
        return found[0] if found else None


Tell = Callable[[str, str], None]


def check(desk: Desk, witness: Witness, tell: Tell) -> None:
    """Hold the end of a history against every promise; ``tell`` hears of each that is broken."""
    state = State(desk, witness)
    for promise in PROMISES:
        promise(state, tell)
    consequences.check(state, tell)


# 1


def _inboxes_of(desk: Desk, addresses: tuple[str, ...]) -> set[str]:
    known = {inbox.address: inbox.id for inbox in desk.inboxes} | {"in@desk.shop.example": "returns"}
    found = set()
    for address in addresses:
        local, _, domain = address.rpartition("@")
        for each in (address, f"{local.partition('+')[0]}@{domain}"):
            if each in known:
                found.add(known[each])
    return found


def originals_are_kept(state: State, tell: Tell) -> None:
    cloud = state.desk.world.cloud
    for key in cloud.objects("raw/"):
        tell("1 every original is dealt with", f"{key} still lies in the tray")
    kept = {key.split("/", 4)[-1]: stored for key, stored in cloud.objects("kept/").items()}
    state.saw("1 every original is dealt with", len(kept))
    state.saw("1 originals are kept byte for byte", len(state.desk.mails))
    for mail in state.desk.mails:
        stored = kept.get(mail.ses_id)
        if stored is None or stored.body != mail.stored:
            tell("1 originals are kept byte for byte", f"{mail.ses_id} is {'changed' if stored else 'gone'}")


def every_mail_is_one_message(state: State, tell: Tell) -> None:
    groups: dict[bytes, list[Mail]] = defaultdict(list)
    for mail in state.desk.mails:
        groups[mail.raw].append(mail)
        _one_receipt_each(state, mail, tell)
    for same in groups.values():
        _one_message(state, same, tell)


def _one_receipt_each(state: State, mail: Mail, tell: Tell) -> None:
    wanted = _inboxes_of(state.desk, mail.recipients)
    named = _inboxes_of(state.desk, tuple(mail.people))
    state.saw("1 one receipt for each original and inbox", len(wanted))
    for inbox_id in wanted:
        found = state.receipts.get(f"{mail.ses_id}#{inbox_id}#0", [])
        if len(found) != 1:
            tell("1 one receipt for each original and inbox", f"{mail.ses_id} has {len(found)} for {inbox_id}")
    for name, found in state.receipts.items():
        original, _, rest = name.partition("#")
        if original != mail.ses_id:
            continue
        inbox_id = rest.partition("#")[0]
        if inbox_id not in wanted | named:
            tell("1 one receipt for each original and inbox", f"{mail.ses_id} was never for {inbox_id}")
        for receipt in found:
            state.saw("1 kept out with a reason", receipt["outcome"] != "shown")
            state.saw("1 a virus is kept out", mail.virus)
            if receipt["outcome"] != "shown" and not receipt.get("reason"):
                tell("1 kept out with a reason", f"{name} is {receipt['outcome']} without one")
            if mail.virus and receipt["outcome"] == "shown":
                tell("1 a virus is kept out", f"{name} is shown")


def _one_message(state: State, same: list[Mail], tell: Tell) -> None:
    """However often the same bytes came: one message, or one in each of two tickets where an inbox is separated."""
    first = same[0]
    if first.kind in (*UNREADABLE, "our own") or not first.sender:
        return
    found = [each for each in state.words.get(first.word, ()) if each["direction"] == "in"]
    inboxes = set().union(*(_inboxes_of(state.desk, mail.recipients) for mail in same))
    if first.virus:
        if found:
            tell("1 a virus is kept out", f"{first.word} is shown in {[each['ticket_id'] for each in found]}")
        return
    apart = {inbox.id for inbox in state.desk.inboxes if inbox.separated} & (
        inboxes | _inboxes_of(state.desk, tuple(first.people))
    )
    most = 2 if apart and len(inboxes | _inboxes_of(state.desk, tuple(first.people))) > 1 else 1
    tickets = [each["place"] for each in found]
    state.saw("1 every mail is exactly one message")
    given_up = any(state.was_given_up(mail) for mail in same)
    if not 1 <= len(found) <= most and not (given_up and not found):
        tell("1 every mail is exactly one message", f"{[each.ses_id for each in same]} {first.word} is in {tickets}")
    if len(found) == 2:
        one, two = tickets
        linked = {*state.places[one].get("linked_ticket_ids", ()), *state.places[two].get("linked_ticket_ids", ())}
        if one == two or not {state.kin(each) for each in linked} & {state.kin(one), state.kin(two)}:
            tell("1 separated inboxes have two linked tickets", f"{first.word} is in {tickets}, linked {linked}")


def what_can_be_read_is_read(state: State, tell: Tell) -> None:
    """Nothing is given up that could be read; what cannot be read is shown as such, unless it may do harm."""
    given_up = {str(each["id"]) for each in state.all_messages() if GIVEN_UP in str(each.get("banners"))}
    mails = {mail.ses_id: mail for mail in state.desk.mails}
    for name, found in state.receipts.items():
        mail = mails.get(name.partition("#")[0])
        for receipt in found:
            state.saw("1 what can be read is read", mail is None or not state.may_be_given_up(mail))
            state.saw("1 what cannot be read is shown as that", mail is not None and mail.kind in UNREADABLE)
            gave_up = receipt.get("message_id") in given_up or GIVEN_UP in str(receipt.get("reason"))
            if gave_up and (mail is None or not state.may_be_given_up(mail)):
                times = state.desk.world.died_of[name.partition("#")[0]]
                tell("1 what can be read is read", f"{name} was given up, its reader was gone {times} times")
            if mail is not None and mail.kind in UNREADABLE and not mail.virus and not gave_up:
                tell("1 what cannot be read is shown as that", f"{name} is {receipt['outcome']}")


def telegram_is_one_message(state: State, tell: Tell) -> None:
    kept = b"\n".join(stored.body for key, stored in state.desk.world.cloud.objects("kept/").items() if "hook." in key)
    for chat in state.desk.chats:
        came = f'Hello, {chat.word}"'.encode() in kept
        found = [each for each in state.words.get(chat.word, ()) if each["kind"] == "message"]
        state.saw("1 every chat message is exactly one message", came)
        if len(found) != int(came):
            tell(
                "1 every chat message is exactly one message",
                f"{chat.word} {'came' if came else 'never came'}: {len(found)}",
            )


def edits_are_shown(state: State, tell: Tell) -> None:
    """The newest words of those whose edit reached us; an edit that came for good before its message is told of."""
    edits: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for key, stored in state.desk.world.cloud.objects("kept/").items():
        if "hook." not in key or b"edited_message" not in stored.body:
            continue
        edited = json.loads(stored.body)["edited_message"]
        word = WORD.findall(edited["text"])[0]
        edits[word].append((edited["edit_date"], edited["text"], key.split("/", 4)[-1]))
    for word, known in edits.items():
        found = [each for each in state.words.get(word, ()) if each["kind"] == "message"]
        newest = max(date for date, _, _ in known)
        allowed = {text for date, text, _ in known if date == newest}
        never = any("never received" in str(each.get("reason")) for _, _, name in known
                    for each in state.receipts.get(f"{name}#bot#0", ()))  # fmt: skip
        state.saw("1 an edit is shown", bool(found) and not never)
        if found and not never and found[0]["text"] not in allowed:
            tell("1 an edit is shown", f"{word} says “{found[0]['text']}”, not {sorted(allowed)}")


def ledger_agrees(state: State, tell: Tell) -> None:
    """Objects times the inboxes of their envelope, against the receipts of that day."""
    received: Counter[str] = Counter()
    for key, stored in state.desk.world.cloud.objects("kept/").items():
        day = "-".join(key.split("/")[1:4])
        addresses = tuple(each.strip() for each in stored.metadata.get("recipients", "").lower().split(",") if each)
        received[day] += max(1, len(_inboxes_of(state.desk, addresses)))
    known: Counter[str] = Counter()
    for name, found in state.receipts.items():
        if name.endswith("#0") and not name.startswith("by-hand/"):
            known.update(receipt["day"] for receipt in found)
    state.saw("1 the ledger's difference is 0", len(received))
    for day in sorted({*received, *known}):
        if received[day] != known[day]:
            tell("1 the ledger's difference is 0", f"{day}: {received[day]} received, {known[day]} receipts")


# 2


def at_most_one_send(state: State, tell: Tell) -> None:
    sent = Counter(mail.tags["msg"] for mail in state.desk.world.cloud.sent if "msg" in mail.tags)
    authors = {str(each["id"]): each for each in state.all_messages()}
    state.saw("2 at most one send", len(sent))
    for message_id, times in sent.items():
        if times > 1:
            tell("2 at most one send", f"{message_id} went out {times} times")
    posted = Counter(word for post in state.desk.world.cloud.telegram.posts for word in set(WORD.findall(post.text)))
    for word, times in posted.items():
        written = [each for each in state.words.get(word, ()) if each["direction"] == "out"]
        if times > len(written):
            tell("2 at most one send", f"{word} was posted {times} times for {len(written)} messages")
    for message_id, delivery in state.deliveries.items():
        _one_state(state, message_id, delivery, sent[message_id], authors.get(message_id), tell)
    state.saw("2 what was taken back is never sent", len(state.desk.taken_back))
    for message_id in state.desk.taken_back:
        if sent[message_id] or state.deliveries[message_id]["state"] != "cancelled":
            tell("2 what was taken back is never sent", f"{message_id} went out {sent[message_id]} times")


def _one_state(
    state: State, message_id: str, delivery: dict[str, Any], times: int, message: Message | None, tell: Tell
) -> None:
    is_mail = delivery.get("inbox_id") != "bot"
    found = delivery["state"]
    state.saw("2 every message ends")
    state.saw("2 every delivery has its message")
    if found not in OVER:
        tell("2 every message ends", f"{message_id} of {delivery['ticket_id']} is still {found}")
    if message is None:
        tell("2 every delivery has its message", f"{message_id} has none")
    if not is_mail:
        return
    again = SENT_AGAIN in delivery.get("event_ids", ())
    state.saw("2 what went out is not called anything else", times)
    state.saw("2 what is called sent went out", found in OUT_THERE)
    if times and (found in ("queued", "sending", "cancelled") or (found == "failed" and not again)):
        tell("2 what went out is not called anything else", f"{message_id} went out and is {found}")
    if not times and found in OUT_THERE and message_id not in state.desk.settled:
        tell("2 what is called sent went out", f"{message_id} is {found} and never went out")


def unclear_is_shown(state: State, tell: Tell) -> None:
    for message_id, delivery in state.deliveries.items():
        if delivery["state"] not in ("unclear", "failed", "bounced") or SENT_AGAIN in delivery.get("event_ids", ()):
            continue
        state.saw("2 what did not arrive is shown")
        ticket = state.tickets[delivery["ticket_id"]]
        message = next((each for each in state.messages[delivery["ticket_id"]] if each["id"] == message_id), None)
        if message is None or message["author_kind"] == "system" or ticket.get("undelivered"):
            continue
        when = state.witness.troubled.get(message_id, state.desk.world.time)
        if not any(_answered_over(state, each, message_id, when) for each in state.messages[delivery["ticket_id"]]):
            told = f"{message_id} of {delivery['ticket_id']} is {delivery['state']} and on no list"
            tell("2 what did not arrive is shown", told)


def _answered_over(state: State, other: Message, message_id: str, when: datetime) -> bool:
    """Somebody wrote a new answer afterwards, or sent one again."""
    if other["id"] == message_id or other["kind"] != "message" or other["direction"] != "out":
        return False
    return other["author_kind"] != "system" and state.witness.committed[str(other["id"])][1] >= when


# 3


def one_first_answer(state: State, tell: Tell) -> None:
    """To one message of a customer's: what follows a mail of our own is no answer to anybody."""
    for ticket_id, said in state.messages.items():
        answers: dict[str, list[Message]] = defaultdict(list)
        for each in said:
            if _is_answer(state, each):
                answers[each["event"]["answers"]].append(each)
        asked = {str(each["id"]) for each in said if each["direction"] == "in"}
        for question, given in answers.items():
            if question not in asked:
                continue
            given.sort(key=lambda each: state.witness.committed[str(each["id"])])
            for first, second in pairwise(given):
                state.saw("3 never two first answers")
                if not _may_follow(state, first, second):
                    told = f"{first['id']} and {second['id']} both answer {question} of {ticket_id}"
                    tell("3 never two first answers", told)


def _is_answer(state: State, message: Message) -> bool:
    event = message.get("event", {})
    if message["kind"] != "message" or message["direction"] != "out" or message["author_kind"] == "system":
        return False
    return bool(event.get("answers")) and not event.get("forward") and "repeats" not in event


def _may_follow(state: State, first: Message, second: Message) -> bool:
    """The same author; or sent anyway; or its author saw the first; or the first was known not to have arrived.

    Or the customer wrote between the two: a mail that was long on its way is answered by the second, although the
    answer continues the newer mail, by which it threads.
    """
    said = state.said_of(second)
    if first["author_id"] == second["author_id"] or said is None or said.mode == "anyway":
        return True
    committed = state.witness.committed
    astray = state.witness.astray.get(str(first["id"]))
    if astray is not None and astray <= committed[str(second["id"])][1]:
        return True
    place = [committed[str(each["id"])][0] for each in (first, second)]
    asked = (committed[str(each["id"])][0] for each in state.messages[first["ticket_id"]] if each["direction"] == "in")
    if any(place[0] < each < place[1] for each in asked):
        return True
    seen = committed.get(said.last_seen or "", (-1, None))[0]
    return seen >= committed[str(first["id"])][0]


def one_act_is_one_message(state: State, tell: Tell) -> None:
    """A form sent twice, a call repeated under its key: one message (a copy sent again says whose copy it is).

    What came in as a mail is no act of ours: our own mail that comes back to another team is shown there, too.
    """
    for word in state.desk.said:
        written = [each for each in state.words.get(word, ()) if not each.get("original_key")]
        own = [each for each in written if each["direction"] == "out" and each["kind"] != "event"]
        own = [each for each in own if "repeats" not in each.get("event", {})]
        opened = {each["ticket_id"] for each in written if "repeats" not in each.get("event", {})}
        state.saw("one act is one message", len(own))
        if len(own) > 1 or len(opened) > 1:
            tell("one act is one message", f"{word} stands in {[each['id'] for each in own]} of {sorted(opened)}")


def who_was_not_answered_waits(state: State, tell: Tell) -> None:
    """Nobody whose newest message no agent or bot answered is off the list, whoever brought the ticket back.

    One direction only: who was answered may wait on, as does whoever asked before, or whose answer may not have come.
    """
    for ticket_id, ticket in state.tickets.items():
        newest = ticket.get("last_inbound_id")
        asked = next((each for each in state.messages[ticket_id] if newest and each["id"] == newest), None)
        if ticket["status"] not in LIVE or asked is None or asked.get("mail_kind", "human") in AUTOMATIC:
            continue
        if any(_answers(state, each, str(newest)) for each in state.messages[ticket_id]):
            continue
        state.saw("3 who was not answered waits")
        if not ticket.get("waiting_since"):
            tell("3 who was not answered waits", f"{newest} of {ticket_id} has no answer, and nobody waits")


def _answers(state: State, message: Message, question: str) -> bool:
    """Said to the customer, and not known to have failed: a copy counts, of an acknowledgement it does not."""
    event = message.get("event", {})
    if message["kind"] != "message" or message["direction"] != "out" or message["author_kind"] == "system":
        return False
    if event.get("answers") != question or event.get("forward") or event.get("automatic"):
        return False
    return state.deliveries.get(str(message["id"]), {}).get("state") not in NEVER_ARRIVED


def who_left_keeps_nothing_that_waits(state: State, tell: Tell) -> None:
    """What waits with somebody who is away was given to them, or opened again, by a person who could know it."""
    agents = {sk: plain(item) for (pk, sk), item in state.desk.items.items() if pk == "AGENTS"}
    state.saw("who left keeps nothing that waits", sum("is away" in _why(each) for each in state.all_messages()))
    for ticket_id, ticket in state.tickets.items():
        holder = agents.get(str(ticket.get("assignee_id")), {})
        away, since = holder.get("away"), instant(ticket.get("waiting_since"))
        if ticket["status"] != "open" or since is None or not away:
            continue
        until = instant(away.get("until"))
        if until is not None and until <= state.desk.world.time:
            continue
        if any(_came_back(state, each) for each in state.messages[ticket_id]):
            continue  # an answer came back, or was taken back: that is its author's
        left = soon(datetime.fromisoformat(away["since"]), -KNOWN_SECONDS)
        by_people = [
            each for each in state.messages[ticket_id]
            if each["author_kind"] in ("agent", "bot") and datetime.fromisoformat(each["at"]) >= left
        ]  # fmt: skip
        if not by_people:
            tell("who left keeps nothing that waits", f"{ticket_id} waits with {holder.get('name')}, who is away")


def _why(message: Message) -> str:
    return str(message.get("event", {}).get("why", ""))


def _came_back(state: State, message: Message) -> bool:
    return state.deliveries.get(str(message["id"]), {}).get("state") in NEVER_ARRIVED


# 4


def timers_are_kept(state: State, tell: Tell) -> None:
    state.saw("4 no timer lost", len(state.witness.lateness))
    for ticket_id, ticket in state.tickets.items():
        until = instant(ticket.get("snoozed_until"))
        if until is not None and until <= state.desk.world.time:
            tell("4 no timer lost", f"ticket {ticket_id} sleeps since {until:%H:%M:%S}")


# 5


def counts_follow(desk: Desk, tell: Tell) -> None:
    """Before the night: where the stream lost nothing, counts are right; and always what tickets are counted as."""
    _each_is_counted(desk, tell)
    if "counts" in desk.spoiled or any(each.name == CORRECTS for each in desk.world.called):
        return
    counted = [plain(item)["buckets"] for (_, sk), item in desk.items.items() if sk == "COUNTED"]
    desk.world.saw("5 counts are what tickets are counted as")
    _same_buckets(desk, counted, lambda _, told: tell("5 counts are what tickets are counted as", told))
    if desk.sources.lost:
        return
    desk.world.saw("5 counts follow the stream")
    tickets = {pk: plain(item) for (pk, sk), item in desk.items.items() if sk == "TICKET"}
    _same_counts(desk, tickets.values(), lambda _, told: tell("5 counts follow the stream", told))


def _each_is_counted(desk: Desk, tell: Tell) -> None:
    """Whatever is put wrong and put right about the totals: a ticket whose facts all came is counted as it stands."""
    for (pk, sk), item in desk.items.items():
        ticket_id = pk.removeprefix("TICKET#")
        if sk != "TICKET" or ticket_id in desk.sources.lost:
            continue
        counted = desk.items.get((pk, "COUNTED"))
        wanted, found = sorted(_buckets(plain(item))), sorted(plain(counted)["buckets"]) if counted else None
        desk.world.saw("5 a ticket is counted as it stands")
        if wanted != found:
            tell("5 a ticket is counted as it stands", f"{ticket_id} is counted as {found}, not as {wanted}")


def counts_agree(state: State, tell: Tell) -> None:
    state.saw("5 counts equal the tickets")
    _same_counts(state.desk, state.tickets.values(), tell)


def _same_counts(desk: Desk, tickets: Iterable[dict[str, Any]], tell: Tell) -> None:
    _same_buckets(desk, map(_buckets, tickets), tell)


def _same_buckets(desk: Desk, counted: Iterable[Iterable[str]], tell: Tell) -> None:
    stored: Counter[str] = Counter()
    for (pk, sk), item in desk.items.items():
        if pk == "COUNTERS":
            stored[sk.rpartition("#")[0]] += int(plain(item).get("amount", 0))
    wanted: Counter[str] = Counter()
    for buckets in counted:
        wanted.update(buckets)
    for bucket in sorted({*stored, *wanted}):
        if stored[bucket] != wanted[bucket]:
            tell("5 counts equal the tickets", f"{bucket}: {stored[bucket]} counted, {wanted[bucket]} there")


def _buckets(ticket: dict[str, Any]) -> list[str]:
    if ticket.get("merged_into"):
        return []
    if ticket["status"] not in LIVE:
        return ["spam"] if ticket["status"] == "spam" else []
    holder = ticket.get("assignee_id")
    return [
        f"pending:{holder}" if ticket["status"] == "pending" and holder else ticket["status"],
        *([f"mine:{holder}"] if holder else ["unassigned", f"team:{ticket.get('team_id') or '-'}"]),
        f"inbox:{ticket['inbox_id']}",
        *(["waiting"] if ticket.get("waiting_since") else []),
        *(["undelivered"] if ticket.get("undelivered") else []),
    ]


# 6


def nothing_reaches_others(state: State, tell: Tell) -> None:
    took_part: dict[str, set[str]] = defaultdict(set)
    for mail in state.desk.mails:
        for ticket_id in state.tickets_of(mail):
            took_part[state.kin(ticket_id)] |= mail.people
    for said in state.desk.said.values():
        for message in state.words.get(said.word, ()):
            took_part[state.kin(message["ticket_id"])] |= said.to
    secret = {said.word for said in state.desk.said.values() if said.mode == "note" and said.ticket_id}
    ours = state.desk.addresses()
    for sent in state.desk.world.cloud.sent:
        ticket_id = sent.tags.get("ticket", "")
        state.saw("6 the desk's own mails go to its people", not ticket_id)
        if not ticket_id:
            if WORD.search(sent.raw.decode("utf-8", "replace")) or not all(
                to.endswith("@shop.example") for to in sent.to
            ):
                tell("6 the desk's own mails go to its people", f"one went to {sent.to}")
            continue
        for address in sent.to:
            state.saw("6 mail goes to those who took part")
            if address.lower() not in took_part[state.kin(ticket_id)] or address.lower() in ours:
                tell("6 mail goes to those who took part", f"{sent.tags['msg']} of {ticket_id} went to {address}")
        _only_its_own_words(state, ticket_id, sent.raw.decode("utf-8", "replace").replace("=\r\n", ""), secret, tell)
    for post in state.desk.world.cloud.telegram.posts:
        for word in set(WORD.findall(post.text)) & secret:
            tell("6 notes stay inside", f"{word} was posted to chat {post.chat}")


def _only_its_own_words(state: State, ticket_id: str, text: str, secret: set[str], tell: Tell) -> None:
    family = state.kin(ticket_id)
    there = {word: {state.kin(each["ticket_id"]) for each in found} for word, found in state.words.items()}
    near = {word for word in secret if family in there.get(word, ())}
    state.saw("6 notes stay inside", len(near))
    for word in set(WORD.findall(text)):
        state.saw("6 nothing reaches another customer")
        if word in secret:
            tell("6 notes stay inside", f"{word} went out of ticket {ticket_id}")
        if family not in there.get(word, ()):
            tell("6 nothing reaches another customer", f"{word} went out of ticket {ticket_id}, where it never stood")


# what follows from the six


def lists_agree(state: State, tell: Tell) -> None:
    for ticket_id, ticket in state.tickets.items():
        for name, wanted in _keys(ticket_id, ticket).items():
            state.saw("lists agree with tickets")
            if ticket.get(name) != wanted:
                tell("lists agree with tickets", f"{ticket_id}: {name} is {ticket.get(name)}, not {wanted}")
    for ticket_id, ticket in state.places.items():
        keys = [name for name in _keys(ticket_id, ticket) if ticket.get("merged_into") and ticket.get(name)]
        if keys:
            tell("lists agree with tickets", f"{ticket_id} is merged, and has {keys}")
    listed = {str(int(sk)) for pk, sk in state.desk.items if pk == "LIST#undelivered"}
    wanted_there = {each for each, it in state.tickets.items() if it.get("undelivered") and it["status"] in LIVE}
    if listed != wanted_there:
        tell("lists agree with tickets", f"undelivered: {sorted(listed)} listed, {sorted(wanted_there)} there")


def _keys(ticket_id: str, ticket: dict[str, Any]) -> dict[str, str | None]:
    live, shard = ticket["status"] in LIVE, int(ticket_id) % 2
    month = str(ticket.get("closed_at") or ticket["updated_at"])[:7]
    if ticket.get("snoozed_until"):
        return {"status_key": f"snoozed#{shard}" if live else f"{ticket['status']}#{month}"}
    holder = f"agent#{ticket['assignee_id']}" if ticket.get("assignee_id") else f"team#{ticket.get('team_id') or '-'}"
    waits = live and ticket.get("waiting_since")
    tail = f"{ticket_id}{_clock_tail(ticket) if waits else ''}"
    return {
        "status_key": f"{ticket['status']}#{shard if live else month}",
        "activity_key": f"{ticket['updated_at']}#{tail}",
        "holder_key": holder if live else None,
        "inbox_key": f"{ticket['inbox_id']}#{shard}" if live else None,
        "wait_key": f"wait#{shard}" if waits else None,
        "waiting_key": f"{ticket['waiting_since']}#{tail}" if waits else None,
    }


def _clock_tail(ticket: dict[str, Any]) -> str:
    """Who waits anew since an answer, and how far a clock had come that was stopped once."""
    counted = ticket.get("counted") or {}
    same = counted.get("started_at") == ticket["waiting_since"]
    stopped = [counted["since"], str(counted.get("used_ms", 0)), counted.get("due", "")] if same else []
    anew = ticket["waiting_since"] > ticket["created_at"]
    return "".join(f"#{each}" for each in ("n" if anew else "f", *stopped)) if anew or stopped else ""


def merged_tickets_go_on(state: State, tell: Tell) -> None:
    """Each in a ticket that goes on itself, and says so: one step, no circle, nothing half done."""
    for ticket_id, ticket in state.places.items():
        survivor = ticket.get("merged_into")
        state.saw("merged tickets go on in one", survivor is not None)
        if survivor is not None and ticket_id not in state.tickets.get(survivor, {}).get("merged", ()):
            tell("merged tickets go on in one", f"{ticket_id} names {survivor}, which does not go on for it")
    for ticket_id, ticket in state.tickets.items():
        for each in ticket.get("merged", ()):
            if state.goes_on(each) != ticket_id:
                tell("merged tickets go on in one", f"{ticket_id} goes on for {each}, which stands for itself")


def nothing_is_left(state: State, tell: Tell) -> None:
    cloud = state.desk.world.cloud
    state.saw("nothing is left outstanding")
    state.saw("dead letters are poison alone", len(state.desk.poison | state.desk.letters))
    for (pk, sk), item in cloud.marks(""):
        tell("nothing is left outstanding", f"{pk} {sk} carries {item['time_key']['S']}")
    for queue in ("inbound", "work", "later", "outbound"):
        for body in cloud.waiting(queue):
            tell("nothing is left outstanding", f"{queue} holds {body[:80]}")
    for shard in range(cloud.shards()):
        if cloud.stream(shard, 1):
            tell("nothing is left outstanding", f"the stream's shard {shard} holds records")
    for letter in cloud.letters():
        if letter.body not in state.desk.poison:
            tell("dead letters are poison alone", f"{letter.queue}: {letter.body[:100]}")


def one_acknowledgement(state: State, tell: Tell) -> None:
    given = Counter(
        (each["ticket_id"], each["event"].get("answers"))
        for each in state.all_messages()
        if each["author_kind"] == "system" and each["kind"] == "message"
    )
    state.saw("one acknowledgement a message", len(given))
    for (ticket_id, answered), times in given.items():
        if times > 1:
            tell("one acknowledgement a message", f"{answered} of {ticket_id} was acknowledged {times} times")


PROMISES: tuple[Callable[[State, Tell], None], ...] = (
    originals_are_kept, every_mail_is_one_message, what_can_be_read_is_read, telegram_is_one_message, edits_are_shown,
    ledger_agrees, at_most_one_send, unclear_is_shown, one_first_answer, one_act_is_one_message,
    who_was_not_answered_waits, who_left_keeps_nothing_that_waits, timers_are_kept,
    counts_agree, nothing_reaches_others, lists_agree, merged_tickets_go_on, nothing_is_left, one_acknowledgement,
)  # fmt: skip
