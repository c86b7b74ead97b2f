"""The desk's ways to its table (docs/architecture.md, "Table"), each done as the desk does it.

A ticket is acted on once: every sample takes another one, the same ones on a desk of any size.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Any

from bench import words
from bench.generate import (
    AGENTS,
    COMMON_WORD,
    FIRST,
    LINA,
    NOW,
    RARE_WORD,
    SECOND,
    SUPPORT,
    TEAMS,
    WHOLE,
    Story,
    conversation,
    mail_id_of,
    story,
)
from bench.metered import Metered
from bench.request import answer_of, api_event
from chalicelib.domain.message import StateChange
from chalicelib.domain.people import MAX_CAPACITY, Team, actor_of
from chalicelib.jobs import clock, inbound
from chalicelib.services import change_ticket, read_ticket, record_state, reply_to_ticket, search, search_index, tokens
from chalicelib.services.change_ticket import Changes
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import directory, lists, objects, tickets
from chalicelib.store.lists import ListName

SAMPLES = 5
ANSWER = words.prose(random.Random(4), 400)
TWO_KB = words.prose(random.Random(2), 2_000)
"""The longest text that lies inline in its message."""
QUOTED = words.prose(random.Random(3), 300)
LISTS = {
    "open": ListName("open"), "mine": ListName("mine", LINA.id), "team": ListName("team", FIRST.id),
    "unassigned": ListName("unassigned"), "waiting": ListName("waiting"), "inbox": ListName("inbox", SUPPORT.id),
    "pending": ListName("pending"), "snoozed": ListName("snoozed"), "resolved": ListName("resolved", f"{NOW:%Y-%m}"),
    "undelivered": ListName("undelivered"),
}  # fmt: skip


@dataclass
class Cast:
    """Who plays in the samples: the whole tickets, each once."""

    _left: list[Story] = field(default_factory=lambda: [story(n) for n in range(WHOLE)])

    def take(self, fits: Callable[[Story], bool]) -> Story:
        chosen = next(each for each in self._left if fits(each))
        self._left.remove(chosen)
        return chosen


def is_long(told: Story) -> bool:
    return told.ticket.message_count >= 30 and told.ticket.status in ("open", "pending")


def waits_for_customer(told: Story) -> bool:
    """Answered by us last, in the mail inbox, by an agent."""
    ticket = told.ticket
    return ticket.status == "pending" and _is_plain(told) and ticket.last_inbound_id != ticket.last_message_id


def waits_for_us(told: Story) -> bool:
    return told.ticket.status == "open" and told.ticket.waiting_since is not None and _is_plain(told)


def is_free(told: Story) -> bool:
    return waits_for_us(told) and told.ticket.assignee_id is None and told.ticket.team_id != SECOND.id


def _is_plain(told: Story) -> bool:
    ticket = told.ticket
    short = 1 < ticket.message_count < 10
    return short and ticket.inbox_id == SUPPORT.id and not told.is_snoozed and not ticket.undelivered


# Reading


def look_at_lists(desk: Metered, cast: Cast) -> None:
    team_ids = tuple(team.id for team in TEAMS)
    for name, asked in LISTS.items():
        page = desk.step(f"list {name}", lists.page, asked, team_ids)
        _expect(len(page.rows), lists.PAGE_SIZE, f"rows of the list {name}")
        desk.step(f"list {name}, page 2", lists.page, asked, team_ids, page.next)


def look_through_the_api(desk: Metered, cast: Cast) -> None:
    bearer = tokens.create("bench", ("read",), actor_of(AGENTS[1]), desk.now).bearer
    answer_of(api_event("/tickets?limit=50", "/tickets", bearer))  # notes that the token is used, once in a while
    answer = desk.step("API: 50 tickets", answer_of, api_event("/tickets?limit=50", "/tickets", bearer))
    _expect(len(json.loads(answer)["items"]), 50, "tickets of the API's page")
    rows = "/tickets?limit=50&fields=row"
    answer = desk.step("API: 50 rows", answer_of, api_event(rows, "/tickets", bearer))
    _expect(len(json.loads(answer)["items"]), 50, "rows of the API's page")


def open_tickets(desk: Metered, cast: Cast) -> None:
    for _ in range(SAMPLES):
        told = cast.take(is_long)
        desk.step("open a ticket, first look", read_ticket.open_ticket, told.ticket.id, LINA.id)
        view = desk.step("open a ticket", read_ticket.open_ticket, told.ticket.id, LINA.id)
        _expect(len(view.conversation.messages), 30, "messages shown")


def find(desk: Metered, cast: Cast) -> None:
    found = desk.step("search, two words", search.find, f"{COMMON_WORD} {RARE_WORD}", desk.now)
    again = desk.step("search, one common word", search.find, COMMON_WORD, desk.now)
    _expect(len(again.tickets), search.PAGE, "tickets found")
    _expect(bool(found.tickets), True, "something found")


def sweep_nothing(desk: Metered, cast: Cast) -> None:
    """Before the first timer of the data falls due."""
    desk.step("sweep, nothing due", clock.sweep)


# Writing


def take_in_answers(desk: Metered, cast: Cast) -> None:
    """A customer answers on a ticket that waits for them: it opens again and waits for us."""
    for n in range(SAMPLES):
        told = cast.take(waits_for_customer)
        _take_in(desk, "inbound, known ticket", _mail(told, TWO_KB, n), told, f"known{n}")


def take_in_more(desk: Metered, cast: Cast) -> None:
    """A customer writes again while they wait for us; once more with what the mail program quotes, and HTML."""
    for n in range(SAMPLES):
        told = cast.take(waits_for_us)
        _take_in(desk, "inbound, writes again", _mail(told, TWO_KB, n), told, f"again{n}")
    for n in range(SAMPLES):
        told = cast.take(waits_for_us)
        mail = _mail(told, f"{TWO_KB}\n\nOn Friday the shop wrote:\n> {QUOTED}\n", n)
        mail.add_alternative(f"<p>{TWO_KB}</p><blockquote>{QUOTED}</blockquote>", subtype="html")
        _take_in(desk, "inbound, quotes and HTML", mail, told, f"quoted{n}")


def take_in_strangers(desk: Metered, cast: Cast) -> None:
    """The first mail of somebody new."""
    for n in range(SAMPLES):
        mail = EmailMessage()
        mail["From"], mail["To"] = f"Nele Neu <nele.neu{n}@buyer.example>", SUPPORT.address
        mail["Subject"] = f"Where is my parcel? Order {77_000 + n}"
        mail["Message-ID"], mail["Date"] = f"<new{n}@buyer.example>", "Fri, 20 Nov 2026 12:00:00 +0000"
        mail.set_content(TWO_KB)
        _take_in(desk, "inbound, new ticket", mail, None, f"new{n}")


def _mail(told: Story, text: str, n: int) -> EmailMessage:
    newest = [each for each in conversation(told) if each.direction == "in"][-1]
    mail = EmailMessage()
    mail["From"], mail["To"] = f"{told.customer.name} <{told.ticket.customer_handle}>", SUPPORT.address
    mail["Subject"] = f"Re: {told.ticket.subject}"
    mail["Message-ID"], mail["Date"] = f"<again{told.n}.{n}@buyer.example>", "Fri, 20 Nov 2026 12:00:00 +0000"
    mail["References"] = mail_id_of(newest.id)
    mail.set_content(text)
    return mail


def _take_in(desk: Metered, name: str, mail: EmailMessage, told: Story | None, key: str) -> None:
    at = desk.later()
    objects.put_original(f"raw/{key}", mail.as_bytes(), {})
    verdicts = {f"{each}Verdict": {"status": "PASS"} for each in ("spam", "virus", "spf", "dkim", "dmarc")}
    action = {"type": "S3", "objectKey": f"raw/{key}"}
    notice = {
        "notificationType": "Received",
        "mail": {"messageId": key, "source": "x@buyer.example", "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000Z"},
        "receipt": {"recipients": [SUPPORT.address], "action": action, **verdicts},
    }
    desk.step(name, inbound.take_in, json.dumps(notice))
    committed = [call for call in desk.last(name) if call.operation == "TransactWriteItems"]
    _expect(len(committed), 1, "transactions of one mail")
    if told is not None:
        keys = {str(change.after["pk"]["S"]) for change in committed[0].changes if change.after}
        _expect(f"TICKET#{told.ticket.id}" in keys, True, "the mail joins its ticket")
    desk.steps[f"{name}: transaction"].append(committed)
    desk.follow(name, desk.last(name))


def answer_tickets(desk: Metered, cast: Cast) -> None:
    """An agent's answer: queued, sent by the outbound queue, reported as delivered."""
    for _ in range(SAMPLES):
        told = cast.take(waits_for_us)
        wanted = Reply(ANSWER, undo_seconds=0, last_seen_message_id=told.ticket.last_message_id)
        at = desk.later()
        queued = desk.step("answer: queue", reply_to_ticket.reply, told.ticket.id, actor_of(LINA), wanted, at)
        desk.follow("answer", desk.last("answer: queue"))
        news = StateChange("delivered", desk.later(), queued.id, ticket_id=queued.ticket_id, event_id="delivered-1")
        desk.step("answer: delivered", record_state.record, news, desk.now)
        desk.follow("answer, delivered", desk.last("answer: delivered"))


def hand_over(desk: Metered, cast: Cast) -> None:
    """A ticket without team and agent gets both, with its line in the history, the notice and the counters."""
    for _ in range(SAMPLES):
        told, at = cast.take(is_free), desk.later()
        wanted = Changes(assignee_id=AGENTS[3].id, team_id=SECOND.id)
        desk.step("assign", change_ticket.change, told.ticket.id, actor_of(LINA), wanted, at)
        desk.follow("assign", desk.last("assign"))


def route(desk: Metered, cast: Cast) -> None:
    """A ticket comes to a team that assigns by itself: the worker gives, tells, explains and counts it."""
    team = Team("tm-routed", "Routed", "least_load")
    directory.save_team(team)
    directory.save_agent(replace(AGENTS[3], team_ids=(*AGENTS[3].team_ids, team.id), capacity=MAX_CAPACITY))
    for _ in range(SAMPLES):
        told, at = cast.take(is_free), desk.later()
        desk.step("to a team", change_ticket.change, told.ticket.id, actor_of(LINA), Changes(team_id=team.id), at)
        desk.follow("route", desk.last("to a team"))
        _expect(tickets.get(told.ticket.id).assignee_id, AGENTS[3].id, "routed")


def index_words(desk: Metered, cast: Cast) -> None:
    for _ in range(SAMPLES):
        *_, newest = conversation(cast.take(waits_for_us))
        desk.step("index a message", search_index.index, replace(newest, text=TWO_KB))


def _expect(found: Any, wanted: Any, what: str) -> None:
    """What was measured must be the thing meant."""
    if found != wanted:
        raise RuntimeError(f"{what}: {found}, expected {wanted}")


ACTS: tuple[Callable[[Metered, Cast], None], ...] = (
    look_at_lists, look_through_the_api, sweep_nothing, open_tickets, find, take_in_answers, take_in_more,
    take_in_strangers, answer_tickets, hand_over, route, index_words,
)  # fmt: skip
"""Reading first: what is written below would stand on top of the lists."""
