"""Fills a fresh desk: ``python -m local.seed --bare | --tickets``, in the functions' environment.

Nothing is written past the desk's own services: each customer mail is built as a mail, kept as an original under its
day, read by the connector and received; agents answer through ``reply``.  Only the sending is left out, for these
answers were "sent" days ago.  The last line printed is one JSON object: ``api_token`` and ``agents`` with passwords.
"""

import json
import os
import secrets
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

from chalicelib import wiring
from chalicelib.connectors import Original
from chalicelib.connectors.email.channel import EmailChannel
from chalicelib.domain.message import Inbound, Message
from chalicelib.domain.people import SYSTEM, Actor, Agent, Inbox, Role, Team, actor_of
from chalicelib.services import (
    add_note,
    agents,
    attachments,
    change_ticket,
    receive_message,
    reply_to_ticket,
    teams,
    tokens,
)
from chalicelib.services.change_ticket import Changes
from chalicelib.services.receive_message import Envelope
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.services.user_pool import UserPool
from chalicelib.store import counters, directory, messages, objects, staff, tickets
from local import drawings, receipt

DOMAIN = "northwind-mugs.example"
DEMO = Path(__file__).with_name("demo.toml")
PASSWORD_BYTES = 12
FIRST_LINE, SECOND_LINE = "First line", "Second line"
ADMIN_NAME = "Ada Northwind"
PEOPLE: tuple[tuple[str, Role, str], ...] = (
    ("Ben Okafor", "agent", FIRST_LINE),
    ("Chloe Marsh", "agent", FIRST_LINE),
    ("Dana Petrescu", "leader", SECOND_LINE),
)
SCOPES = ("read", "write", "admin")


@dataclass(frozen=True)
class Desk:
    """Who works here, by first name in lower case, and where mail comes in."""

    people: Mapping[str, Agent]
    inboxes: Mapping[str, Inbox]
    sign_ins: tuple[dict[str, str], ...]
    api_token: str


@dataclass(frozen=True)
class Step:
    """One thing that happened; ``story`` is the ticket it belongs to."""

    at: datetime
    story: "Story"
    entry: Mapping[str, Any]


@dataclass
class Story:
    """A conversation being written: what the next step needs to know."""

    told: Mapping[str, Any]
    inbox: Inbox
    ticket_id: str = ""
    last_mail_id: str = ""
    references: list[str] = field(default_factory=list)


def main() -> int:
    wiring.connect()
    now = datetime.now(UTC)
    with_tickets = "--tickets" in sys.argv
    desk = set_up(now, with_tickets)
    if with_tickets:
        told = steps(desk, now)
        for step in told:
            _do(step, desk)
        _count({step.story.ticket_id for step in told}, now)
    print(json.dumps({"api_token": desk.api_token, "agents": desk.sign_ins}))
    return 0


def set_up(now: datetime, with_people: bool) -> Desk:
    """Agents, teams, inboxes and the token; without people: one admin and one inbox."""
    pool = UserPool(wiring.client("cognito-idp"))
    mail = f"ada@{DOMAIN}"
    agents.create_first_admin(pool, mail, ADMIN_NAME, now)
    admin = directory.agent(agents.agent_id(mail))
    sign_ins = [_with_password(pool, admin)]
    token = tokens.create("Local programs", SCOPES, actor_of(admin), now)
    people, team_ids = {"ada": admin}, dict[str, str]()
    if with_people:
        team_ids = {name: _team(name, admin, now).id for name in (FIRST_LINE, SECOND_LINE)}
        for name, role, team in PEOPLE:
            agent = _agent(pool, name, role, team_ids[team], now)
            people[name.split()[0].lower()] = agent
            sign_ins.append(_with_password(pool, agent))
    inboxes = {"support": _inbox("support", "Support", team_ids.get(FIRST_LINE))}
    if with_people:
        inboxes["orders"] = _inbox("orders", "Orders", team_ids[SECOND_LINE])
    return Desk(people, inboxes, tuple(sign_ins), token.bearer)


def steps(desk: Desk, now: datetime) -> list[Step]:
    """Everything that happened in all conversations, in the order of time: ticket numbers grow with it."""
    told = tomllib.loads(DEMO.read_text())["ticket"]
    return sorted((step for each in told for step in _story_steps(each, desk, now)), key=lambda step: step.at)


def _story_steps(told: Mapping[str, Any], desk: Desk, now: datetime) -> Iterator[Step]:
    story = Story(told, desk.inboxes[told.get("to", "support")])
    at = now - timedelta(days=told["days"])
    yield Step(at, story, {"by": "customer", "text": told["text"].strip(), "files": told.get("files", ())})
    for entry in told.get("then", ()):
        at += timedelta(hours=entry["hours"])
        yield Step(at, story, entry)
    yield Step(at + timedelta(minutes=1), story, {"by": "nobody"})


def _count(ticket_ids: set[str], now: datetime) -> None:
    """Count the lists now: the first page a newcomer sees must be right, and not only once the queues are through."""
    for loaded in tickets.get_many(sorted(ticket_ids)).values():
        until = loaded.ticket.snoozed_until
        counters.count_again(loaded.ticket, until is not None and until > now)


def _do(step: Step, desk: Desk) -> None:
    by = step.entry["by"]
    if by == "customer":
        _customer_writes(step)
    elif by == "nobody":
        _file(step, desk)
    elif "note" in step.entry:
        add_note.add_note(step.story.ticket_id, actor_of(desk.people[by]), step.entry["note"], step.at)
    else:
        _agent_answers(step, desk.people[by])


# What customers do


def _customer_writes(step: Step) -> None:
    """A real mail, kept and received as ``intake`` does it."""
    story = step.story
    mail = _mail(step)
    source = parseaddr(str(mail["From"]))[1]
    taken = receipt.receive(mail.as_bytes(), source, [story.inbox.address], "mail.example.com", step.at)
    metadata = {"recipients": story.inbox.address, "source": source, "ses_id": taken.ses_id} | {
        name: taken.verdicts[name] for name in receipt.VERDICTS
    }
    key = objects.kept_key(taken.key, step.at)
    objects.put_original(key, taken.raw, metadata)
    original = Original(key, taken.raw, metadata, step.at)
    for event in EmailChannel().parse(original, story.inbox, wiring.tools(story.inbox)):
        if isinstance(event, Inbound):
            received = receive_message.receive(
                event, Envelope(taken.ses_id, key, step.at, story.inbox, f"{step.at:%Y-%m-%d}"), step.at
            )
            story.ticket_id = received.ticket_id or story.ticket_id
    story.last_mail_id = str(mail["Message-ID"])
    story.references.append(story.last_mail_id)


def _mail(step: Step) -> EmailMessage:
    story, told = step.story, step.story.told
    mail = EmailMessage()
    mail["From"], mail["To"] = told["from"], story.inbox.address
    mail["Subject"] = ("Re: " if story.references else "") + str(told["subject"])
    mail["Date"] = format_datetime(step.at)
    mail["Message-ID"] = f"<{secrets.token_hex(10)}@{parseaddr(told['from'])[1].rpartition('@')[2]}>"
    if story.references:
        mail["In-Reply-To"], mail["References"] = story.references[-1], " ".join(story.references)
    for name, value in told.get("headers", {}).items():
        mail[name] = value
    mail.set_content(step.entry["text"] + "\n")
    for name in step.entry.get("files", ()):
        data, main_type, sub_type = drawings.draw(name)
        mail.add_attachment(data, maintype=main_type, subtype=sub_type, filename=name)
    return mail


# What agents do


def _agent_answers(step: Step, agent: Agent) -> None:
    story, actor = step.story, actor_of(agent)
    files = tuple(_upload(story.ticket_id, actor, name, step.at) for name in step.entry.get("files", ()))
    text = f"{step.entry['reply']}\n{agent.name.split()[0]}"
    wanted = Reply(text=text, attachment_ids=files, undo_seconds=0, send_anyway=True)
    message = reply_to_ticket.reply(story.ticket_id, actor, wanted, step.at)
    _mark_delivered(message, step.at)


def _mark_delivered(message: Message, at: datetime) -> None:
    """It went out days ago: nothing is to be sent now."""
    then = at + timedelta(seconds=4)
    messages.move_delivery(message.ticket_id, message.id, "delivered", ["queued"], then, settled=True)


def _upload(ticket_id: str, actor: Actor, name: str, at: datetime) -> str:
    data, main_type, sub_type = drawings.draw(name)
    kind = f"{main_type}/{sub_type}"
    upload = attachments.start_upload(ticket_id, actor, name, kind, len(data), at, name.encode())
    objects.put_attachment(f"uploads/{upload.attachment_id}", data, kind)
    return upload.attachment_id


def _file(step: Step, desk: Desk) -> None:
    """Tags, priority, holder and status as they stand today."""
    told = step.story.told
    wanted: dict[str, Any] = {name: told[name] for name in ("priority", "status") if name in told}
    if "tags" in told:
        wanted["tags"] = tuple(told["tags"])
    holder = desk.people[told["assignee"]] if "assignee" in told else None
    if holder is not None:
        wanted |= {"assignee_id": holder.id, "team_id": holder.team_ids[0]}
    if step.story.ticket_id and wanted:
        change_ticket.change(step.story.ticket_id, SYSTEM, Changes(**wanted), step.at)


# Who works here


def _team(name: str, admin: Agent, now: datetime) -> Team:
    return teams.create(name, actor_of(admin), now)


def _agent(pool: UserPool, name: str, role: Role, team_id: str, now: datetime) -> Agent:
    first = name.split()[0]
    mail = f"{first.lower()}@{DOMAIN}"
    agent = Agent(
        agents.agent_id(mail), mail, name, role, True, now, (team_id,), agents.initials_of(name),
        signature=name,
    )  # fmt: skip
    pool.add(mail, _password())
    staff.add_agent(agent)
    return agent


def _with_password(pool: UserPool, agent: Agent) -> dict[str, str]:
    password = _password()
    pool.set_password(agent.email, password)
    return {"email": agent.email, "password": password, "role": agent.role}


def _password() -> str:
    return f"Mug-{secrets.token_urlsafe(PASSWORD_BYTES)}-1a"


def _inbox(local_part: str, name: str, team_id: str | None) -> Inbox:
    inbox = Inbox(
        id=f"in-{local_part}", channel="email", address=f"{local_part}@{DOMAIN}", name=name, team_id=team_id,
        signature="Northwind Mugs",
    )  # fmt: skip
    directory.save_inbox(inbox)
    directory.save_desk_settings(directory.DeskSettings(os.environ.get("CONSOLE_URL", ""), mail_domain=DOMAIN))
    return inbox


if __name__ == "__main__":
    sys.exit(main())
