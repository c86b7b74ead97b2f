"""A desk with one of everything, for tests that call every route: who knocks, and with what valid request."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from chalice.local import LambdaContext, LocalGateway

from chalicelib.domain.message import DeliveryState, Inbound, IncomingFile, Party
from chalicelib.domain.people import SYSTEM, Agent, Inbox, Role, actor_of
from chalicelib.services import (
    agents,
    breaker,
    calendars,
    notices,
    originals,
    receive_message,
    reply_to_ticket,
    saved_replies,
    sessions,
    teams,
    tokens,
)
from chalicelib.services.password_links import LinkMaker
from chalicelib.services.receive_message import Envelope
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.services.user_pool import UserPool
from chalicelib.store import directory, lists, messages, objects
from tests.engine import Desk
from tests.services.people import GOOD_PASSWORD, Mailbox, link_token

COOKIE = "__Host-deskbell"
HOST = "desk.test"
FORM = "application/x-www-form-urlencoded"
LINA = Party("Lina Meyer", "lina@customer.example")
MAKER = LinkMaker(b"reply-key-for-tests", f"https://{HOST}/password")
SECRET = "webhook-secret-of-the-test"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, Any]
    text: str

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))


@dataclass
class World:
    """``pool`` holds the agents' passwords; ``mails`` what the desk itself wrote to them."""

    desk: Desk
    pool: UserPool
    gateway: LocalGateway
    mails: Mailbox
    number: int = 0
    known: dict[str, str] = field(default_factory=dict)

    # Asking

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None, address: str = ""
    ) -> Answer:
        """One request as API Gateway hands it on; ``address`` is where it seems to come from."""
        sent = {"host": HOST, **headers}
        event = self.gateway.event_converter.create_lambda_event(method=method, path=path, headers=sent, body=body)
        event["requestContext"]["identity"] = {"sourceIp": address or f"198.51.100.{secrets.randbelow(250)}"}
        event["requestContext"]["domainName"] = HOST
        event["path"] = path.split("?")[0]
        found = self.gateway._app_object(event, LambdaContext("web", 1024))
        return Answer(found["statusCode"], {**found["headers"], **found["multiValueHeaders"]}, found["body"])

    def page(self, path: str, cookie: str = "") -> Answer:
        return self.send("GET", path, {"cookie": f"{COOKIE}={cookie}"} if cookie else {})

    def form(self, path: str, fields: Mapping[str, Any], cookie: str = "", address: str = "", **headers: str) -> Answer:
        """A form of our own page."""
        sent = {"content-type": FORM, "origin": f"https://{HOST}"}
        if cookie:
            sent["cookie"] = f"{COOKIE}={cookie}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", path, sent, urlencode(fields, doseq=True).encode(), address)

    def call(self, method: str, path: str, bearer: str, body: object = None) -> Answer:
        sent = {"authorization": f"Bearer {bearer}"} if bearer else {}
        raw = None if body is None else json.dumps(body).encode()
        return self.send(method, path, sent | ({"content-type": "application/json"} if raw is not None else {}), raw)

    # People

    def next(self, word: str) -> str:
        self.number += 1
        return f"{word}{self.number}"

    def agent(self, role: Role = "agent") -> Agent:
        """Somebody new with GOOD_PASSWORD."""
        made = self.desk.agent(self.next("agent"), role=role)
        self.pool.add(made.email, GOOD_PASSWORD)
        self.pool.set_password(made.email, GOOD_PASSWORD)
        return made

    def cookie(self, agent: Agent) -> str:
        return sessions.open_session(agent, self.desk.now)

    def csrf(self, cookie: str) -> str:
        return sessions.signed_in(cookie, self.desk.now).csrf

    def temporary_agent(self) -> tuple[str, str]:
        """Address and temporary password of somebody who was never here."""
        made = self.desk.agent(self.next("new"))
        password = f"Temporary words {self.number} kettle"
        self.pool.add(made.email, password)
        return made.email, password

    def invitation_link(self) -> str:
        self.agent()
        email = f"{self.next('invited')}@shop.example"
        new = agents.NewAgent(email, "Somebody Invited")
        return link_token(agents.invite(self.pool, new, MAKER, self.mails.send, SYSTEM, self.desk.now).link)

    def token(self, *scopes: str) -> str:
        return tokens.create(self.next("token "), scopes, SYSTEM, self.desk.now).bearer

    # Things

    def inbox(self, inbox_id: str = "support") -> Inbox:
        return directory.inbox(inbox_id)

    def ticket(self, sender: Party = LINA, **changed: Any) -> str:
        """A customer's mail with a picture and its original; the ticket it became."""
        name = self.next("mail")
        objects.put_original(f"kept/{name}", b"From: lina@customer.example\r\n\r\nHello", {})
        wanted: dict[str, Any] = {
            "subject": "Where is my parcel?", "text": "It was to come on Monday.\n> quoted",
            "new_text": "It was to come on Monday.", "html": "<p>It was to <b>come</b> on Monday.</p>",
            "to": (Party("", "support@shop.example"),),
            "files": (IncomingFile("photo.png", "image/png", b"\x89PNG", "one", inline=True),),
        } | changed  # fmt: skip
        mail = Inbound(name, sender, self.desk.now, **wanted)
        envelope = Envelope(name, f"kept/{name}", self.desk.now, self.inbox(), f"{self.desk.now:%Y-%m-%d}")
        receipt = receive_message.receive(mail, envelope, self.desk.now)
        return receipt.ticket_id or envelope.receipt_name

    def first_message(self, ticket_id: str) -> str:
        return messages.newest(ticket_id).messages[0].id

    def answer(self, ticket_id: str, by: Agent, state: DeliveryState = "queued") -> str:
        """An agent's answer, still to be sent or already in trouble."""
        wanted = Reply("It left today.", undo_seconds=10, send_anyway=True)
        made = reply_to_ticket.reply(ticket_id, actor_of(by), wanted, self.desk.now)
        if state != "queued":
            assert messages.move_delivery(ticket_id, made.id, state, ["queued"], self.desk.now, "It broke.")
        return made.id

    def kept_out(self) -> str:
        """An original that became no ticket and may be looked at: its entry among what was suppressed."""
        receipt = self.ticket(suppressed="It is our own mail coming back.")
        return next(each.key for each in originals.kept_out("suppressed").entries if each.receipt_name == receipt)

    def dead_letter(self) -> str:
        key = f"raw/{self.next('dead')}"
        objects.put_original(key, b"From: lina@customer.example\r\n\r\nHello", {})
        url = os.environ["INBOUND_DEAD_QUEUE_URL"]
        sent = self.desk.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"key": key}))
        return str(sent["MessageId"])

    def stop_sending(self) -> str:
        for _ in range(breaker.FAILURES_TO_OPEN + 1):
            breaker.note_failure(self.inbox(), self.desk.now)
        return "support"

    def notice(self, agent: Agent) -> str:
        item = notices.item(agent.id, "assigned", "1", "Assigned to you.", self.desk.now)
        item.save()
        return str(item.sk)

    def team(self) -> str:
        return teams.create(self.next("Team "), SYSTEM, self.desk.now).id

    def calendar(self) -> str:
        form = calendars.CalendarForm(self.next("Hours "), "Europe/Berlin", {"monday": "9-17"})
        return calendars.create(form, SYSTEM, self.desk.now).id

    def saved_reply(self, agent: Agent) -> str:
        """The agent's own one."""
        keeper = saved_replies.Keeper(actor_of(agent), False, agent.id)
        form = saved_replies.ReplyForm(self.next("Reply "), "", "personal", agent.id, {"en": "Hello {customer.name}"})
        return saved_replies.create(form, keeper, self.desk.now).entry.id

    def unused_token(self) -> str:
        return tokens.create(self.next("token "), ("read",), SYSTEM, self.desk.now).token.id

    def open_tickets(self) -> list[str]:
        return [row.id for row in lists.page(lists.ListName("open")).rows]

    def everything(self) -> dict[str, Any]:
        """What lies in the table and the buckets, without what merely asking leaves behind."""
        pages = self.desk.client("dynamodb").get_paginator("scan").paginate(TableName="test-table")
        found = {f"{each['pk']['S']} {each['sk']['S']}": each for page in pages for each in page["Items"]}
        asked = ("TOKEN#", "TOKENS_USED", "RATE#", "SESSION#", "ATTEMPTS#")
        kept = {key: item for key, item in found.items() if not key.startswith(asked)}
        for bucket in ("test-originals", "test-attachments"):
            for each in self.desk.client("s3").list_objects_v2(Bucket=bucket).get("Contents", ()):
                kept[f"{bucket} {each['Key']}"] = each["ETag"]
        return kept


def expired(world: World, agent: Agent) -> str:
    """The cookie of a session whose idle time is over; DynamoDB has not deleted it yet."""
    before, world.desk.now = world.desk.now, world.desk.now - sessions.IDLE - timedelta(minutes=1)
    cookie = world.cookie(agent)
    world.desk.now = before
    return cookie


def deactivated(world: World, agent: Agent) -> str:
    """The cookie of a session that outlived its agent's deactivation, as if ending it had failed."""
    cookie = world.cookie(agent)
    directory.save_agent(replace(agent, active=False))
    return cookie
