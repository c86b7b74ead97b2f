"""More promises, each for a bug that no other one noticed: planted, or a mutant that lived (``teeth``).

``lists_show_their_tickets`` reads the lists by the desk's own code: they are what people see.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Literal

from chalicelib import config
from chalicelib.domain.ticket import TicketRow
from chalicelib.services import search
from chalicelib.store import lists
from tests.simulation.desk import plain

if TYPE_CHECKING:
    from tests.simulation.promises import State

Tell = Callable[[str, str], None]
AT_ONCE_SECONDS = 100
"""Less than what ``repair`` waits: a few consequences may need it (a history may begin with a storm), never all."""
ENOUGH = 8
LATE_SECONDS = 240
SUBJECTS = ("parcel", "both")
"""How the customers' subjects begin (``acts.customers``)."""
MAILED = re.compile(r"lulu[a-z0-9]+?olo")
"""The word of a mail (``mails.word_of``)."""
PAGE = 7
ROW = ("subject", "status", "inbox_id", "channel", "customer_id", "customer_name", "assignee_id", "team_id", "snippet")


def check(state: "State", tell: Tell) -> None:
    for promise in (
        receipts_name_their_messages,
        consequences_follow_at_once,
        apart_is_apart,
        timers_are_on_time,
        an_admin_stays,
        letters_go_back,
        tickets_are_found,
        lists_show_their_tickets,
        frames_make_sense,
    ):
        promise(state, tell)


def receipts_name_their_messages(state: "State", tell: Tell) -> None:
    """A message that is shown has a receipt that says so, and a receipt that says so has its message."""
    shown = {
        str(receipt["message_id"]): receipt["ticket_id"]
        for found in state.receipts.values()
        for receipt in found
        if receipt["outcome"] == "shown" and receipt.get("message_id")
    }
    stored = {str(each["id"]): each for each in state.all_messages()}
    by_mail = [each for each in stored.values() if each["direction"] == "in" and each.get("original_key")]
    state.saw("1 what is shown has a receipt that says so", len(by_mail))
    state.saw("1 what a receipt calls shown is shown", len(shown))
    for message_id, message in stored.items():
        if message["direction"] == "in" and message.get("original_key") and message_id not in shown:
            tell("1 what is shown has a receipt that says so", f"{message_id} of {message['ticket_id']} has none")
    for message_id, ticket_id in shown.items():
        if message_id not in stored or stored[message_id]["ticket_id"] != ticket_id:
            tell("1 what a receipt calls shown is shown", f"{message_id} of {ticket_id} is not there")


def consequences_follow_at_once(state: "State", tell: Tell) -> None:
    """The stream carries a fact on; ``repair`` is there for what was lost, not for everything."""
    late = state.witness.settled_after
    state.saw("consequences follow at once", len(late) >= ENOUGH)
    if len(late) >= ENOUGH and min(late) > AT_ONCE_SECONDS:
        tell("consequences follow at once", f"all of {len(late)} receipts waited {min(late):.0f} s and longer")


def apart_is_apart(state: "State", tell: Tell) -> None:
    """A mail for an inbox that is apart and for another one is shown to both, in two tickets."""
    from tests.simulation.promises import _inboxes_of

    separated = {inbox.id for inbox in state.desk.inboxes if inbox.separated}
    inboxes: dict[bytes, set[str]] = defaultdict(set)
    for mail in state.desk.mails:
        inboxes[mail.raw] |= _inboxes_of(state.desk, mail.recipients)
    for mail in state.desk.mails:
        known = inboxes.pop(mail.raw, set())
        if len(known) < 2 or not known & separated or mail.kind != "human" or mail.virus or not mail.sender:
            continue
        found = [each for each in state.words.get(mail.word, ()) if each["direction"] == "in"]
        state.saw("1 separated inboxes have two linked tickets")
        given_up = any(state.was_given_up(each) for each in state.desk.mails if each.raw == mail.raw)
        if len(found) < 2 and not given_up:
            tell("1 separated inboxes have two linked tickets", f"{mail.word} for {sorted(known)} is shown once")


def timers_are_on_time(state: "State", tell: Tell) -> None:
    """What the world delays or loses is late; that all are late, more than it hindered, is the desk's doing."""
    late = state.witness.lateness
    hindered = sum({"later", "sweep"} & set(name) != set() for name in state.desk.world.faults.struck)
    state.saw("4 timers act on time", len(late) > max(1, hindered))
    if len(late) > max(1, hindered) and min(late) > LATE_SECONDS:
        tell("4 timers act on time", f"all of {len(late)} were {min(late):.0f} s late and more")


def an_admin_stays(state: "State", tell: Tell) -> None:
    """However people change each other's roles, somebody can change them back."""
    agents = [plain(item) for (pk, _), item in state.desk.items.items() if pk == "AGENTS"]
    state.saw("an admin stays", len(agents) > len(state.desk.agents))
    if not any(each["role"] == "admin" and each["active"] for each in agents):
        tell("an admin stays", f"{[(each['id'], each['role']) for each in agents]}")


def letters_go_back(state: "State", tell: Tell) -> None:
    """A dead letter that is no rubbish was sent back to its queue, whatever happened to whoever did it."""
    state.saw("a dead letter goes back", len(state.desk.letters))
    for body in sorted(state.desk.letters - state.witness.queued):
        tell("a dead letter goes back", f"{body} is gone")


def tickets_are_found(state: "State", tell: Tell) -> None:
    """A ticket that a mail opened is found by a word of its subject and by what each of its mails says.

    Read by the desk's own code, as the lists are: it is what people find.
    """
    found = cache(_found_by)
    for ticket_id, ticket in state.tickets.items():
        by_mail = any(
            each["direction"] == "in" and each.get("original_key") and each["place"] == ticket_id
            for each in state.messages[ticket_id]
        )
        word = str(ticket.get("subject", "")).partition(" ")[0].lower()
        if not by_mail:
            continue
        wanted = {word} & {*SUBJECTS}
        for message in state.messages[ticket_id]:
            if message["direction"] == "in" and message.get("original_key"):
                wanted.update(MAILED.findall(str(message.get("text", ""))))
        state.saw("a ticket is found by its words", len(wanted))
        for each in sorted(wanted):
            if ticket_id not in found(each):
                tell("a ticket is found by its words", f"{ticket_id} is not found by “{each}”")


def _found_by(word: str) -> frozenset[str]:
    """Ticket ids, from page to page."""
    ids: set[str] = set()
    cursor: str | None = None
    while True:
        page = search.find(word, config.now(), cursor)
        ids.update(each.ticket.id for each in page.tickets)
        cursor = page.next
        if cursor is None:
            return frozenset(ids)


def lists_show_their_tickets(state: "State", tell: Tell) -> None:
    """What the desk shows as open and pending, page by page, is what lies there: each once, newest first."""
    kinds: tuple[Literal["open", "pending"], ...] = ("open", "pending")
    for kind in kinds:
        wanted = {
            ticket_id: ticket
            for ticket_id, ticket in state.tickets.items()
            if ticket["status"] == kind and not ticket.get("snoozed_until")
        }
        shown = list(_pages(kind))
        state.saw("lists show their tickets", len(shown))
        if [row.id for row in shown] != sorted(wanted, key=lambda each: wanted[each]["activity_key"], reverse=True):
            tell("lists show their tickets", f"{kind}: {[row.id for row in shown]} shown, {sorted(wanted)} there")
        for row in shown:
            there = wanted.get(row.id, {})
            different = [name for name in ROW if (getattr(row, name) or "") != str(there.get(name) or "")]
            if there and (different or not row.customer_name):
                tell("lists show their tickets", f"{row.id} differs in {different or ['customer_name']}")


def _pages(kind: Literal["open", "pending"]) -> Iterator[TicketRow]:
    cursor: str | None = None
    while True:
        page = lists.page(lists.ListName(kind), cursor=cursor, limit=PAGE)
        yield from page.rows
        cursor = page.next
        if cursor is None:
            return


def frames_make_sense(state: "State", tell: Tell) -> None:
    """A pushed row says which lists it belongs to now, and where in them; a message, which ticket it is in."""
    for frames in state.desk.world.cloud.aws.websocket.open.values():
        for frame in frames:
            told = json.loads(frame)
            row, message = told.get("row"), told.get("message")
            state.saw("what is pushed can be shown", row is not None or message is not None)
            if row is not None and not (isinstance(row["lists"], list) and row["sort"] and row["html"]):
                tell("what is pushed can be shown", f"row of {row['ticket']}: lists {row['lists']}, sort {row['sort']}")
            if row is not None and row["ticket"] not in state.places:
                tell("what is pushed can be shown", f"there is no ticket {row['ticket']}")
            if message is not None and not (message.get("html") or message.get("fetch")):
                tell("what is pushed can be shown", f"message {message['id']} says nothing")
