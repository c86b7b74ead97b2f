"""What agents, and programs with a token, do on tickets."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.message import Party
from chalicelib.domain.people import Actor, Agent
from chalicelib.domain.ticket import PRIORITIES
from chalicelib.services import (
    add_note,
    attachments,
    change_ticket,
    create_ticket,
    drafts,
    read_ticket,
    reply_to_ticket,
    send_again,
    take_back,
)
from chalicelib.services.change_ticket import Changes
from chalicelib.services.reply_to_ticket import Reply
from tests.simulation import mails, rest
from tests.simulation.acts import Turn, act
from tests.simulation.cloud import ATTACHMENTS
from tests.simulation.desk import CUSTOMERS, STRANGERS, Mode, Said, instant
from tests.simulation.draws import among
from tests.simulation.world import Ended

PROGRAM_TRIES = 5


def _agent(turn: Turn) -> tuple[Agent, Actor]:
    agent = turn.among(turn.desk.agents[:3], "agent")
    return agent, turn.desk.actor(agent)


def _on_a_ticket(turn: Turn, do: Callable[[str, Agent, Actor], None]) -> None:
    newest = among((2, 4, 12), turn.desk.world.seed, "how many tickets are worked on")  # few: people meet there
    ticket_id = turn.maybe(turn.desk.at_hand()[-newest:], "ticket")
    if ticket_id is not None:
        do(ticket_id, *_agent(turn))


def _twice(turn: Turn, ended: Ended, again: Callable[[], None]) -> None:
    """Whoever got no answer presses the button once more (the form carries the same seed)."""
    if ended.died and turn.chance(0.7, "presses again"):
        turn.desk.world.after(turn.between(2, 40, "patience"), again)


@act(9)
def answers(turn: Turn) -> None:
    """In the console: with or without time to take it back, with what was seen, unseen, or sent anyway."""
    _on_a_ticket(turn, lambda *which: _answer(turn, *which))


def _answer(turn: Turn, ticket_id: str, agent: Agent, actor: Actor, below_history: bool = False) -> None:
    desk = turn.desk
    ticket = desk.ticket(ticket_id)
    mode: Mode = turn.among(("seen", "seen", "unseen", "anyway", "forward"), "mode")
    if ticket["channel"] != "email" and mode == "forward":
        mode = "seen"
    word = mails.word_of(f"r{turn.n}")
    named = _named(turn, mode)
    last_seen = str(ticket.get("last_message_id", "")) if mode in ("seen", "anyway") else None
    if mode == "seen" and turn.chance(0.25, "stale"):
        last_seen = _older(turn, ticket_id) or last_seen
    undo = turn.among((None, 0, 5, 30), "undo")
    seconds = undo if undo is not None else _window(turn, str(ticket["inbox_id"]))
    desk.said[word] = Said(str(turn.n), word, ticket_id, agent.id, mode, desk.world.time, named, last_seen, seconds)
    wanted = Reply(
        f"Dear customer, {word}. We look into it.",
        to=tuple(Party("", each) for each in sorted(named)) if mode == "forward" else None,
        cc=tuple(Party("", each) for each in sorted(named)) if mode != "forward" and ticket["channel"] == "email"
        else (),
        quote_history=below_history or turn.chance(0.4, "quote"), undo_seconds=undo, last_seen_message_id=last_seen,
        send_anyway=mode == "anyway", forward=mode == "forward",
        then_status=turn.among((None, None, "resolved", "closed", "open"), "then"),
    )  # fmt: skip

    def answered(ended: Ended) -> None:
        """Now and then somebody regrets it at the very last moment."""
        if ended.well and turn.chance(0.35, "regrets"):
            _take_back(turn, ticket_id, ended.value.id, actor, at_the_last_moment=True)

    _press(
        turn,
        f"answers {ticket_id} ({mode}, {word})",
        agent.id,
        lambda: reply_to_ticket.reply(ticket_id, actor, wanted, desk.now(), f"form-{turn.n}"),
        answered,
    )()


def _press(
    turn: Turn, label: str, who: str, act_now: Callable[[], Any], heard: Callable[[Ended], None] = lambda ended: None
) -> Callable[[], None]:
    def press(tries: int = 0) -> None:
        def done(ended: Ended) -> None:
            heard(ended)
            if tries < 2:
                _twice(turn, ended, lambda: press(tries + 1))

        turn.desk.web(who, label, act_now, done)

    return press


def _named(turn: Turn, mode: Mode) -> frozenset[str]:
    """Third parties that the agent names on purpose."""
    if mode == "forward":
        return frozenset({turn.among(STRANGERS[1:], "to")})
    return frozenset({STRANGERS[2]}) if turn.chance(0.1, "cc") else frozenset()


def _window(turn: Turn, inbox_id: str) -> int:
    return next(each.undo_seconds for each in turn.desk.inboxes if each.id == inbox_id)


def _older(turn: Turn, ticket_id: str) -> str | None:
    known = [str(each["id"]) for each in turn.desk.messages(ticket_id) if each["kind"] == "message"]
    return turn.maybe(known, "older")


@act(4)
def a_program_answers(turn: Turn) -> None:
    """By the REST API, repeated under its Idempotency-Key until it hears an answer."""
    desk = turn.desk

    def do(ticket_id: str, agent: Agent, actor: Actor) -> None:
        word = mails.word_of(f"p{turn.n}")
        as_agent = turn.chance(0.5, "as")
        undo = turn.among((0, 0, 20), "undo")
        anyway = turn.chance(0.2, "anyway")
        author = agent.id if as_agent else "program"
        mode: Mode = "anyway" if anyway else "unseen"
        desk.said[word] = Said(str(turn.n), word, ticket_id, author, mode, desk.world.time, undo_seconds=undo)
        body: dict[str, Any] = {"kind": "reply", "text": f"Dear customer, {word}.", "undo_seconds": undo}
        if as_agent:
            body["as"] = agent.id
        if anyway:
            body["send_anyway"] = True
        _ask(turn, "create_message", body, f"POST messages {ticket_id} ({word})", ticket_id=ticket_id)

    _on_a_ticket(turn, do)


def _ask(turn: Turn, name: str, body: dict[str, Any], label: str, tries: int = 0, **parts: str) -> None:
    """A program repeats what it heard no good answer to, under the same key."""
    desk = turn.desk

    def done(ended: Ended) -> None:
        status = ended.value[0] if ended.well else 0
        unheard = status == 0 or status >= 500 or status == 409
        if tries < PROGRAM_TRIES and (unheard or turn.chance(0.1, "asks again", tries)):
            wait = 40 if tries else 3
            desk.world.after(wait, lambda: _ask(turn, name, body, label, tries + 1, **parts))
        if ended.well and status >= 400:
            desk.world.say("program", f"{status} {ended.value[1].get('detail', '')}"[:120])

    key = f"key-{turn.n}"
    desk.web("program", label, lambda: rest.call(name, desk.bearer, body, key, None, **parts), done)


@act(3)
def takes_back(turn: Turn) -> None:
    desk = turn.desk
    found = turn.maybe([each for each in desk.deliveries() if each["state"] == "queued"], "which")
    if found is None:
        return
    ticket_id, message_id = str(found["ticket_id"]), str(found["message_id"])
    message = next(each for each in desk.messages(ticket_id) if each["id"] == message_id)
    actor = next((desk.actor(each) for each in desk.agents if each.id == message["author_id"]), None)
    if actor is not None:
        _take_back(turn, ticket_id, message_id, actor, turn.chance(0.5, "at the last moment"))


def _take_back(turn: Turn, ticket_id: str, message_id: str, actor: Actor, at_the_last_moment: bool) -> None:
    """At once, or about when it goes out: then both happen at the same time."""
    desk = turn.desk

    def done(ended: Ended) -> None:
        if ended.well:
            desk.taken_back.add(message_id)
            desk.world.say(actor.id, f"was told that {message_id} is taken back")

    def press() -> None:
        label = f"takes back {message_id} of {ticket_id}"
        desk.web(actor.id, label, lambda: take_back.undo(ticket_id, message_id, actor, desk.now()), done)

    delivery = next((each for each in desk.deliveries() if each["message_id"] == message_id), None)
    leaves = instant(delivery["send_at"]) if delivery is not None else None
    if leaves is None or not at_the_last_moment:
        press()
    else:
        desk.world.at(leaves + timedelta(seconds=turn.between(-1, 3, "moment")), press)


@act(3)
def looks_after_what_did_not_arrive(turn: Turn) -> None:
    """Sends again what failed, bounced or is unclear, or says that it arrived."""
    desk = turn.desk
    states = ("failed", "bounced", "unclear")
    found = turn.maybe([each for each in desk.deliveries() if each["state"] in states], "which")
    if found is None:
        return
    agent, actor = _agent(turn)
    ticket_id, message_id = str(found["ticket_id"]), str(found["message_id"])
    if found["state"] == "unclear" and turn.chance(0.4, "arrived"):
        desk.settled.add(message_id)
        settle = f"says that {message_id} arrived"
        desk.web(agent.id, settle, lambda: send_again.settle_unclear(ticket_id, message_id, actor, True, desk.now()))
        return
    label = f"sends {message_id} of {ticket_id} again"
    desk.web(agent.id, label, lambda: send_again.send_again(ticket_id, message_id, actor, desk.now()))


@act(2.5)
def notes(turn: Turn) -> None:
    """For colleagues; often whoever wrote it answers the customer next, with the conversation below."""
    desk = turn.desk

    def do(ticket_id: str, agent: Agent, actor: Actor) -> None:
        word = mails.word_of(f"n{turn.n}")
        desk.said[word] = Said(str(turn.n), word, ticket_id, agent.id, "note", desk.world.time)
        _press(
            turn,
            f"notes on {ticket_id}",
            agent.id,
            lambda: add_note.add_note(ticket_id, actor, f"For us alone: {word}", desk.now(), seed=f"note-{turn.n}"),
        )()
        if turn.chance(0.6, "answers next"):
            wait = turn.between(3, 40, "wait")
            desk.world.after(wait, lambda: _answer(turn, ticket_id, agent, actor, below_history=True))

    _on_a_ticket(turn, do)


@act(6)
def changes_a_ticket(turn: Turn) -> None:
    """Assignee, team, status, priority, tags, spam and back, subject; now and then on a stale page."""
    desk = turn.desk

    def do(ticket_id: str, agent: Agent, actor: Actor) -> None:
        kinds = ("assign", "leave", "team", "status", "priority", "tags", "spam", "subject")
        what = turn.among(kinds, "what")
        changes = {
            "assign": Changes(assignee_id=turn.among(desk.agents[:3], "whom").id),
            "leave": Changes(assignee_id=None),
            "team": Changes(team_id=turn.among(("first", "second", None), "team")),
            "status": Changes(status=turn.among(("open", "pending", "resolved", "closed", "trash"), "status")),
            "priority": Changes(priority=turn.among(PRIORITIES, "priority")),
            "tags": Changes(tags=(f"tag{turn.n % 3}",)),
            "spam": Changes(status="spam"),
            "subject": Changes(subject=f"Renamed {turn.n}"),
        }[what]
        version = int(desk.ticket(ticket_id)["version"]) if turn.chance(0.3, "version") else None
        label = f"changes {ticket_id}: {what}"
        desk.web(agent.id, label, lambda: change_ticket.change(ticket_id, actor, changes, desk.now(), version))

    _on_a_ticket(turn, do)


@act(1.5)
def brings_back_or_blocks(turn: Turn) -> None:
    desk = turn.desk

    def do(ticket_id: str, agent: Agent, actor: Actor) -> None:
        filed = [each for each in desk.ticket_ids() if desk.ticket(each)["status"] in ("spam", "trash")]
        chosen = turn.maybe(filed, "filed")
        if chosen is not None and turn.chance(0.8, "restore"):
            label = f"restores {chosen}"
            desk.web(agent.id, label, lambda: change_ticket.restore(chosen, actor, desk.now()))
        else:
            label = f"blocks the sender of {ticket_id}"
            desk.web(agent.id, label, lambda: change_ticket.block_sender(ticket_id, actor, desk.now()))

    _on_a_ticket(turn, do)


@act(6)
def snoozes(turn: Turn) -> None:
    """One ticket or a few; most of them are left alone, so that nothing but their timer wakes them."""
    desk = turn.desk
    awake = [each for each in desk.at_hand() if desk.ticket(each)["status"] in ("open", "pending")]
    chosen = {turn.maybe(awake, "ticket", n) for n in range(turn.among((1, 2, 4), "how many"))} - {None}
    for ticket_id in sorted(str(each) for each in chosen):
        agent, actor = _agent(turn)
        minutes = turn.among((1, 1, 2, 4, 12, 45, 200), "minutes", ticket_id)
        until = desk.world.time + timedelta(minutes=minutes, seconds=turn.among(range(60), "second", ticket_id))
        if turn.chance(0.7, "left alone", ticket_id):
            desk.left_alone[ticket_id] = until
        _snooze(turn, ticket_id, agent, actor, until)


def _snooze(turn: Turn, ticket_id: str, agent: Agent, actor: Actor, until: datetime) -> None:
    desk, changes = turn.desk, Changes(snoozed_until=until)
    label = f"snoozes {ticket_id} until {until:%H:%M:%S}"
    desk.web(agent.id, label, lambda: change_ticket.change(ticket_id, actor, changes, desk.now()))


@act(2.5)
def opens_a_ticket_by_hand(turn: Turn) -> None:
    """What a customer said on the phone, or the first mail of ours."""
    desk = turn.desk
    agent, actor = _agent(turn)
    out = turn.chance(0.6, "out")
    word = mails.word_of(f"h{turn.n}")
    address = turn.among((*CUSTOMERS, f"new{turn.n}@fresh.example"), "customer")
    inbox = turn.among(("support", "sales", "returns"), "inbox")
    undo = turn.among((0, 10), "undo")
    desk.said[word] = Said(
        str(turn.n), word, "", agent.id, "opening" if out else "note", desk.world.time, frozenset({address}),
        undo_seconds=undo,
    )  # fmt: skip
    if turn.chance(0.4, "by API"):
        body = {
            "inbox_id": inbox, "customer": {"name": "By hand", "email": address}, "subject": f"By hand {turn.n}",
            "text": f"Words: {word}.", "direction": "out" if out else "in", "undo_seconds": undo, "as": agent.id,
        }  # fmt: skip
        _ask(turn, "create_ticket", body, f"POST tickets ({word})")
        return
    _press(
        turn,
        f"opens a ticket ({word})",
        agent.id,
        lambda: create_ticket.create(
            actor,
            inbox,
            Party("By hand", address),
            f"By hand {turn.n}",
            f"Words: {word}.",
            "out" if out else "in",
            desk.now(),
            seed=f"hand-{turn.n}",
            undo_seconds=undo,
        ),
    )()


@act(2)
def reads_and_drafts(turn: Turn) -> None:
    desk = turn.desk

    def do(ticket_id: str, agent: Agent, actor: Actor) -> None:
        draft = drafts.Draft("reply", f"half an answer {turn.n}", desk.world.time)

        def read() -> None:
            read_ticket.open_ticket(ticket_id, agent.id)
            if turn.chance(0.5, "draft"):
                drafts.save(ticket_id, agent.id, draft)
            elif turn.chance(0.3, "unread"):
                read_ticket.mark_unread(ticket_id, agent.id)

        desk.web(agent.id, f"reads {ticket_id}", read)

    _on_a_ticket(turn, do)


@act(1.5)
def answers_with_a_file(turn: Turn) -> None:
    """The browser asks where to put it, puts it there (or not), and sends the answer."""
    desk = turn.desk

    def do(ticket_id: str, agent: Agent, actor: Actor) -> None:
        if desk.ticket(ticket_id)["channel"] != "email":
            return
        word = mails.word_of(f"f{turn.n}")
        arrives = turn.chance(0.85, "arrives")

        def uploaded(ended: Ended) -> None:
            if not ended.well:
                return
            file_id = ended.value.attachment_id
            if arrives:
                put = {"Bucket": ATTACHMENTS, "Key": f"uploads/{file_id}", "Body": b"picture"}
                desk.world.cloud.aws.s3.put_object(put)
            desk.said[word] = Said(str(turn.n), word, ticket_id, agent.id, "anyway", desk.world.time)
            wanted = Reply(f"See the file, {word}.", attachment_ids=(file_id,), send_anyway=True, undo_seconds=0)
            _press(
                turn,
                f"answers {ticket_id} with a file ({word})",
                agent.id,
                lambda: reply_to_ticket.reply(ticket_id, actor, wanted, desk.now(), f"file-{turn.n}"),
            )()

        desk.web(
            agent.id, f"uploads to {ticket_id}",
            lambda: attachments.start_upload(
                ticket_id, actor, "p.png", "image/png", 7, desk.now(), f"{turn.n}".encode()
            ), uploaded,
        )  # fmt: skip

    _on_a_ticket(turn, do)
