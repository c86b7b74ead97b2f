"""The shop around the desk: who works there, who writes to it, and what was done, as an observer would note it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib import config
from chalicelib.domain.people import Actor, Agent, Inbox, Role, Team, actor_of
from chalicelib.services import tokens
from chalicelib.store import directory
from tests.simulation import draws, mails
from tests.simulation.cloud import ORIGINALS, PARAMETERS, Item
from tests.simulation.mails import Mail
from tests.simulation.sources import Sources
from tests.simulation.world import OPERATOR, Ended, World

BOT = "bot"
BOT_SECRET = "telegram-knocks"
CUSTOMERS = (
    "ada@one.example", "ben@two.example", "cleo@three.example", "dan@one.example", "eve@gmail.com", "full@box.example",
    "bounce@gone.example", "slow@far.example", "complain@four.example",
)  # fmt: skip
STRANGERS = ("mallory@evil.example", "partner@carrier.example", "boss@shop-owner.example")
Mode = Literal["seen", "unseen", "anyway", "forward", "again", "opening", "note"]


@dataclass(frozen=True)
class Said:
    """What an agent set out to say; ``word`` finds it again wherever it went.  ``to``: whom the agent named."""

    n: str
    word: str
    ticket_id: str
    author: str
    mode: Mode
    at: datetime
    to: frozenset[str] = frozenset()
    last_seen: str | None = None
    undo_seconds: int = 0
    repeats: str = ""


@dataclass(frozen=True)
class Chat:
    """One Telegram message of a customer."""

    word: str
    chat: int
    message_id: int
    update_id: int


@dataclass
class Desk:
    world: World
    sources: Sources
    mails: list[Mail] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)
    said: dict[str, Said] = field(default_factory=dict)
    chats: list[Chat] = field(default_factory=list)
    edits: dict[str, str] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)
    """Messages whose author was told that they are taken back."""
    left_alone: dict[str, datetime] = field(default_factory=dict)
    """Snoozed tickets that nobody touches before they wake, and when that is."""
    spoiled: set[str] = field(default_factory=set)
    """What was put wrong in the table without the desk's doing: "counts", "lists", "words"."""
    letters: set[str] = field(default_factory=set)
    """Bodies of letters that have to go back to their queue."""
    kin: list[tuple[str, ...]] = field(default_factory=list)
    """Tickets that somebody once merged, or tried to."""
    taken_apart: set[str] = field(default_factory=set)
    """Tickets that were taken out of another, or had one taken out, or nearly."""
    settled: set[str] = field(default_factory=set)
    """Unclear messages of which an agent says that they arrived."""
    sockets: list[str] = field(default_factory=list)
    bearer: str = ""
    inboxes: tuple[Inbox, ...] = ()
    agents: tuple[Agent, ...] = ()

    # -- setting up ---------------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """A small shop with three mail inboxes, a bot, two teams and four people."""
        now, seed = self.world.time, self.world.seed
        for team in (Team("first", "First line"), Team("second", "Second line")):
            directory.save_team(team)
        separated = draws.share(seed, "separated") < 0.35
        thanks = "We have your message {number}."
        self.inboxes = (
            Inbox("support", "email", "support@shop.example", "Support", "first", "Shop", thanks, undo_seconds=10),
            Inbox("sales", "email", "sales@shop.example", "Sales", "second", separated=separated, undo_seconds=0),
            Inbox("returns", "email", "returns@shop.example", "Returns", acknowledgement=thanks, sends_per_minute=2,
                  settings={"forward_to": "in@desk.shop.example"}),
            Inbox(BOT, "telegram", "shop_bot", "Bot", undo_seconds=0),
        )  # fmt: skip
        for inbox in self.inboxes:
            directory.save_inbox(inbox)
        from chalicelib.store import documents
        from chalicelib.store.directory import AddressOf

        documents.write("ADDRESS#in@desk.shop.example", "ADDRESS", AddressOf("returns"))
        staff: tuple[tuple[str, Role], ...] = (
            ("lina", "agent"), ("omar", "agent"), ("ada", "admin"), ("leo", "leader"),
        )  # fmt: skip
        self.agents = tuple(
            Agent(name, f"{name}@shop.example", name.capitalize(), role, True, now) for name, role in staff
        )
        for agent in self.agents:
            directory.save_agent(agent)
        for name, value in (("bot_token", "77:AAtoken"), ("webhook_secret", BOT_SECRET)):
            self.world.cloud.aws.ssm.parameters[f"{PARAMETERS}inbox/{BOT}/{name}"] = value
        self.bearer = tokens.create("Shop", ("read", "write", "admin"), actor_of(self.agents[2]), now).bearer

    # -- looking (from outside) ---------------------------------------------------------------------------------------

    @property
    def items(self) -> Any:
        return self.world.cloud.items

    def ticket_ids(self) -> list[str]:
        return sorted(pk.removeprefix("TICKET#") for pk, sk in self.items if sk == "TICKET")

    def ticket(self, ticket_id: str) -> dict[str, Any]:
        """The ticket's columns, with what lies in its JSON."""
        return plain(self.items[(f"TICKET#{ticket_id}", "TICKET")])

    def at_hand(self) -> list[str]:
        """The tickets that people work on."""
        now = self.world.time
        return [each for each in self.ticket_ids() if self.left_alone.get(each, now) <= now]

    def messages(self, ticket_id: str) -> list[dict[str, Any]]:
        """A ticket's messages by id, oldest first."""
        pk = f"TICKET#{ticket_id}"
        found = [plain(item) for (p, sk), item in self.items.items() if p == pk and sk.startswith("MESSAGE#")]
        return sorted(found, key=lambda each: str(each["id"]))

    def deliveries(self) -> list[dict[str, Any]]:
        """Every delivery with its ``ticket_id`` and ``message_id``."""
        return [
            {**plain(item), "ticket_id": pk.removeprefix("TICKET#"), "message_id": sk.removeprefix("DELIVERY#")}
            for (pk, sk), item in sorted(self.items.items())
            if sk.startswith("DELIVERY#")
        ]

    def actor(self, agent: Agent) -> Actor:
        return actor_of(agent)

    @property
    def poison(self) -> set[str]:
        """Bodies of letters that may stay on a dead-letter queue."""
        return self.sources.rubbish

    def addresses(self) -> frozenset[str]:
        return frozenset({*(each.address for each in self.inboxes if each.channel == "email"), "in@desk.shop.example"})

    # -- doing --------------------------------------------------------------------------------------------------------

    def web(self, who: str, label: str, act: Callable[[], Any], done: Callable[[Ended], None] | None = None) -> None:
        """Somebody presses a button: one run of the web function."""
        world = self.world

        def heard(ended: Ended) -> None:
            if not ended.well:
                why = type(ended.broke).__name__ if ended.broke else "no answer"
                world.say(who, f"{label}: {why} {ended.broke or ''}"[:150])
            if done is not None:
                done(ended)

        world.say(who, label)
        world.invoke("web", act, heard)

    def operator(self, label: str, act: Callable[[], Any]) -> None:
        """Somebody runs a command on a machine of the desk's owner."""
        self.world.say("operator", label)
        self.world.invoke(OPERATOR, act)

    def mail_arrives(self, mail: Mail, notices: int = 1) -> None:
        """SES stores a mail and tells SNS, which tells the queue."""
        if mail.ses_id not in self.arrived:
            self.arrived.add(mail.ses_id)
            self.mails.append(mail)
        world = self.world
        world.say(mail.sender, f"mail {mail.ses_id} to {', '.join(mail.recipients)} ({mail.kind})")
        world.cloud.put_original(mail.key, mail.stored)
        if world.faults.chance("record lost", world.faults.rates.record_lost * 2, "notice", mail.n):
            world.say("SNS", f"! notice of {mail.ses_id} lost")
            return
        if world.faults.chance("delivered twice", world.faults.rates.delivered_twice, "notice", mail.n):
            notices += 1
        body = json.dumps(mails.ses_notice(mail, world.time, ORIGINALS))
        for _ in range(notices):
            self.sources.send("inbound", body)

    def now(self) -> datetime:
        return config.now()


def plain(item: Item) -> dict[str, Any]:
    """An item as it stands in the table, its JSON read and laid beside its columns."""
    found: dict[str, Any] = {}
    for name, typed in item.items():
        kind, value = next(iter(typed.items()))
        found[name] = float(value) if kind == "N" else set(value) if kind in ("SS", "NS") else value
    if "data" in found:
        try:
            document = json.loads(found.pop("data"))
        except ValueError:
            document = None
        if isinstance(document, dict):
            found |= document
    return found


def instant(stamp: str | None) -> datetime | None:
    return datetime.fromisoformat(stamp) if stamp else None


def soon(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)


def pick(options: Sequence[Any], seed: int, *what: object) -> Any:
    """One of them, or None where there is none."""
    return draws.among(options, seed, *what) if options else None
