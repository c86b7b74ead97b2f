"""What people type never starts a header of a mail that leaves: not by console or API, not by a mail in."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.domain.message import Message
from chalicelib.domain.people import actor_of
from chalicelib.services import agents, attachments, deliver_message, inboxes
from chalicelib.services.deliver_message import Claimed, Ready
from chalicelib.store import messages, objects
from tests.security.world import World

pytestmark = pytest.mark.engine
ENDS = (
    "\r\n",
    "\n",
    "\r",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x85",
    "\u2028",
    "\u2029",
    "\x00\r\n",
    "\r\n\r\n",
    "\r\n ",
    "%0d%0a",
)
KNOWN = {
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "thread-topic",
    "thread-index", "mime-version", "content-type", "content-transfer-encoding", "content-disposition",
    "x-hd-loop", "x-hd-message",
}  # fmt: skip


@dataclass
class Post:
    """Stands for SES: what it was asked to send, and to whom."""

    sent: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)

    def __call__(self, sender: str, recipients: Sequence[str], raw: bytes, tags: object) -> str:
        self.sent.append((sender, tuple(recipients), raw))
        return f"ses-{len(self.sent)}"

    def deliver(self, world: World, message: Message) -> bytes:
        """Send it as the deliver function does."""
        world.desk.advance(minutes=1)
        ready = deliver_message.prepare(message.ticket_id, message.id, world.desk.now)
        assert isinstance(ready, Ready), ready
        claimed = deliver_message.claim(ready, world.desk.now)
        assert isinstance(claimed, Claimed)
        tools = replace(wiring.tools(claimed.inbox), send_mail=self)
        wiring.channel("email").send(claimed.outbound, claimed.inbox, tools)
        return self.sent[-1][2]


def hostile(end: str) -> str:
    return f"Your cup{end}Bcc: victim@evil.example{end}X-Evil: 1{end}{end}<script>"


def check(raw: bytes, recipients: tuple[str, ...], expected: set[str]) -> None:
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    for line in re.split(rb"\r\n|\r|\n", re.sub(rb"\r\n[ \t]+", b" ", head)):
        assert line.partition(b":")[0].strip().lower().decode() in KNOWN, line
    parsed = message_from_bytes(raw, policy=policy.default)
    for part in parsed.walk():
        assert not {"x-evil", "bcc"} & {name.lower() for name in part}
        assert {name.lower() for name in part} <= KNOWN
    assert set(recipients) == expected


def out_of(world: World, ticket_id: str) -> Message:
    said = [each for each in messages.newest(ticket_id).messages if each.direction == "out" and each.kind == "message"]
    return said[-1]


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_a_ticket_made_by_hand(world: World, end: str) -> None:
    cookie = world.cookie(world.agent())
    fields = {
        "inbox_id": "support", "customer": "lina@customer.example", "name": hostile(end), "subject": hostile(end),
        "text": hostile(end), "direction": "out",
    }  # fmt: skip
    page = world.form("/new", {"csrf": world.csrf(cookie), **fields}, cookie)
    if page.status == 422:
        return  # refused in words: nothing was sent
    assert page.status == 303, page.text[:300]
    ticket = page.location.split("/tickets/")[1].split("?")[0]
    post = Post()
    raw = post.deliver(world, out_of(world, ticket))
    check(raw, post.sent[-1][1], {"lina@customer.example"})


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_an_answer_with_names_and_a_file(world: World, end: str) -> None:
    """Names in To and Cc, a file's name and its media type; to whom it goes is only who was named."""
    ben = world.agent()
    ticket, cookie = world.ticket(), world.cookie(ben)
    upload = attachments.start_upload(
        ticket, actor_of(ben), f"label{end}X-Evil: 1.pdf", f"application/pdf{end}X-Evil: 1", 5, world.desk.now, b"1"
    )
    objects.put_attachment(f"uploads/{upload.attachment_id}", b"%PDF-", "application/pdf")
    fields = {
        "csrf": world.csrf(cookie), "mode": "reply", "text": "Here it is.", "attachment": upload.attachment_id,
        "to": f'"Lina{end}X-Evil: 1" <lina@customer.example>',
        "cc": f'"Bob{end}Bcc: victim@evil.example" <bob@c.example>',
    }  # fmt: skip
    page = world.form(f"/tickets/{ticket}/write", fields, cookie)
    if page.status == 422:
        return
    assert page.status == 303, page.text[:300]
    post = Post()
    raw = post.deliver(world, out_of(world, ticket))
    check(raw, post.sent[-1][1], {"lina@customer.example", "bob@c.example"})


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_the_api(world: World, end: str) -> None:
    bearer = world.token("write")
    body: dict[str, Any] = {
        "inbox_id": "support", "customer": {"email": "lina@customer.example", "name": hostile(end)},
        "subject": hostile(end), "text": hostile(end), "html": f"<p>{hostile(end)}</p>", "direction": "out",
    }  # fmt: skip
    made = world.call("POST", "/api/v1/tickets", bearer, body)
    if made.status == 422:
        assert set(json.loads(made.text)["fields"]) <= {"subject", "customer.name", "text", "html"}
        return
    assert made.status == 201, made.text
    ticket = json.loads(made.text)["id"]
    post = Post()
    check(post.deliver(world, out_of(world, ticket)), post.sent[-1][1], {"lina@customer.example"})
    to = [{"address": "lina@customer.example", "name": hostile(end)}]
    answer = {"kind": "reply", "text": "Again.", "to": to, "cc": [{"address": "bob@c.example", "name": hostile(end)}]}
    said = world.call("POST", f"/api/v1/tickets/{ticket}/messages", bearer, answer | {"send_anyway": True})
    if said.status == 201:
        check(post.deliver(world, out_of(world, ticket)), post.sent[-1][1], {"lina@customer.example", "bob@c.example"})


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_what_a_customer_wrote_comes_back_in_no_header(world: World, end: str) -> None:
    """Subject, references and names of the mail that is answered stand in the answer."""
    ben = world.agent()
    ticket = world.ticket(
        subject=hostile(end),
        references=(f"<1@c.example>{end}X-Evil: 1", "<2@c.example>", f"<3{end}X-Evil:1@c.example>"),
        own_keys=(f"mid:2@c.example{end}X-Evil: 1",),
    )
    world.answer(ticket, ben)
    post = Post()
    check(post.deliver(world, out_of(world, ticket)), post.sent[-1][1], {"lina@customer.example"})


@pytest.mark.parametrize("address", [
    "lina@customer.example\r\nBcc: victim@evil.example", "lina@customer.example, victim@evil.example",
    "lina@customer.example>\r\nRCPT TO:<victim@evil.example", "li na@customer.example", "lina@customer.example\x00",
    "lina@customer.example%0abcc:victim@evil.example", "lina\u2028@customer.example", "<lina@customer.example",
])  # fmt: skip
def test_an_address_is_one_address(world: World, address: str) -> None:
    bearer = world.token("write")
    body = {"inbox_id": "support", "customer": {"email": address}, "subject": "x", "text": "x", "direction": "out"}
    made = world.call("POST", "/api/v1/tickets", bearer, body)
    assert made.status == 422, made.text
    ticket = world.ticket()
    answer = {"kind": "reply", "text": "x", "to": [{"address": address}]}
    assert world.call("POST", f"/api/v1/tickets/{ticket}/messages", bearer, answer).status == 422


ODD_ADDRESSES = (
    "a\x00b@shop.example", "a\x01@shop.example", "a\x7f@shop.example", "a\u2028@shop.example", "a\x85@shop.example",
    "a\r\n@shop.example", "a@shop.example\r\n", "a@shop.example\n", "a@sh\x00op.example",
)  # fmt: skip


@pytest.mark.parametrize("address", ODD_ADDRESSES, ids=repr)
def test_an_agents_and_an_inboxs_address_hold_nothing_odd(address: str) -> None:
    assert not agents.is_email(address)
    assert vars(inboxes)["is_email"] is agents.is_email


@pytest.mark.parametrize("end", ENDS[:-1], ids=repr)
def test_names_of_agents_and_inboxes_stand_in_one_line(world: World, end: str) -> None:
    cookie = world.cookie(world.agent("admin"))
    fields = {"csrf": world.csrf(cookie), "name": f"Ben{end}X-Evil: 1", "time_zone": "Europe/Berlin"}
    world.form("/settings/me", fields, cookie)
    inbox = {
        "csrf": world.csrf(cookie),
        "name": f"Shop{end}X-Evil: 1",
        "address": "support@shop.example",
        "active": "1",
    }
    world.form("/settings/inboxes/support", inbox, cookie)
    ticket = world.ticket()
    page = world.form(f"/tickets/{ticket}/write", {"csrf": world.csrf(cookie), "mode": "reply", "text": "x"}, cookie)
    assert page.status == 303, page.text[:300]
    post = Post()
    check(post.deliver(world, out_of(world, ticket)), post.sent[-1][1], {"lina@customer.example"})
