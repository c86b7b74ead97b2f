"""A valid request for every route, so that a refusal is about who asks and never about what was sent."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from chalicelib.domain.message import DeliveryState, Party
from chalicelib.domain.people import SYSTEM, Agent
from chalicelib.services import change_ticket, merge_tickets, sign_in
from chalicelib.services.sign_in import Step
from chalicelib.store import directory, objects, tickets
from tests.security.world import World
from tests.services.people import GOOD_PASSWORD, SOURCE, totp

OTHER_PASSWORD = "Violet ladders 42 rain"


@dataclass
class Wanted:
    """parts: of the path; fields: of the form or the JSON body; query: behind the path."""

    parts: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    query: str = ""


Make = Callable[[World, Agent], Wanted]


def a(**fields: Any) -> Make:
    return lambda world, me: Wanted(fields=fields)


def _message(state: DeliveryState) -> Make:
    def make(world: World, me: Agent) -> Wanted:
        ticket = world.ticket()
        return Wanted({"ticket_id": ticket, "message_id": world.answer(ticket, me, state)}, {"arrived": "yes"})

    return make


def _step(world: World, email: str, password: str) -> Step:
    return sign_in.begin(world.pool, email, password, SOURCE, world.desk.now)


def _new_password(world: World, me: Agent) -> Wanted:
    step = _step(world, *world.temporary_agent())
    return Wanted(fields={"step": step.token, "password": GOOD_PASSWORD, "again": GOOD_PASSWORD})


def _with_factor(world: World) -> tuple[Agent, str]:
    them = world.agent()
    step = sign_in.begin_own_set_up(world.pool, them, GOOD_PASSWORD, SOURCE, world.desk.now)
    sign_in.finish_set_up(world.pool, step.token, totp(step.totp_secret), world.desk.now, by=them.id)
    return them, step.totp_secret


def _code(world: World, me: Agent) -> Wanted:
    them, secret = _with_factor(world)
    return Wanted(fields={"step": _step(world, them.email, GOOD_PASSWORD).token, "code": totp(secret)})


def _set_up(world: World, me: Agent) -> Wanted:
    directory.save_desk_settings(replace(directory.desk_settings(), require_totp=True))
    step = _step(world, world.agent().email, GOOD_PASSWORD)
    directory.save_desk_settings(replace(directory.desk_settings(), require_totp=False))
    return Wanted(fields={"step": step.token, "code": totp(step.totp_secret)})


def _fresh_me(world: World, me: Agent) -> None:
    """The password as it was, and no second factor."""
    world.pool.set_password(me.email, GOOD_PASSWORD)
    world.pool.use_totp(me.email, False)
    world.desk.agent(me.id, role=me.role, active=me.active)


def _own(**fields: str) -> Make:
    def make(world: World, me: Agent) -> Wanted:
        _fresh_me(world, me)
        return Wanted(fields=fields)

    return make


def _own_factor(world: World, me: Agent) -> Wanted:
    _fresh_me(world, me)
    step = sign_in.begin_own_set_up(world.pool, me, GOOD_PASSWORD, SOURCE, world.desk.now)
    return Wanted(fields={"step": step.token, "code": totp(step.totp_secret)})


def _letter(world: World, me: Agent) -> Wanted:
    letter = world.dead_letter()
    return Wanted({"letter_id": letter}, {"letter": letter, "reason": "A test."}, f"?letter={letter}")


def _json_letter(**fields: str) -> Make:
    return lambda world, me: Wanted({"letter_id": world.dead_letter()}, fields)


def _receipt(world: World, me: Agent) -> Wanted:
    entry = world.kept_out()
    return Wanted(
        fields={"list": "suppressed", "entry": entry}, query=f"?list=suppressed&entry={quote(entry, safe='')}"
    )


def _lost(world: World, me: Agent) -> Wanted:
    day, name = f"{world.desk.now:%Y-%m-%d}", world.next("lost")
    objects.put_original(f"kept/{day.replace('-', '/')}/{name}", b"x", {"recipients": world.inbox().address})
    return Wanted(fields={"day": day, "original": name})


def _target(world: World, me: Agent) -> Wanted:
    them = world.agent()
    return Wanted({"agent_id": them.id}, {"name": "Somebody Else", "role": "agent", "active": "1"})


def _filed(world: World, me: Agent) -> Wanted:
    ticket = world.ticket()
    return Wanted({"ticket_id": ticket}, {"status": "closed"})


def _two(world: World) -> tuple[str, str]:
    """Tickets of somebody whom no other request blocks: what lies in spam cannot be merged."""
    return world.ticket(sender=Party("Ada", "ada@customer.example")), world.ticket(
        sender=Party("Bo", "bo@customer.example")
    )


def _to_merge(world: World, me: Agent) -> Wanted:
    survivor, member = _two(world)
    return Wanted({"ticket_id": survivor}, {"ticket_ids": [member]})


def _merged(world: World, me: Agent) -> Wanted:
    survivor, member = _two(world)
    merge_tickets.merge(survivor, [member], SYSTEM, world.desk.now)
    return Wanted({"ticket_id": survivor}, {"ticket_ids": [member]})


def _new_inbox(world: World, me: Agent) -> Wanted:
    address = f"{world.next('box')}@shop.example"
    return Wanted(fields={"channel": "email", "name": "Sales", "address": address, "mailbox": "ses", "active": "1"})


def _new_json_inbox(world: World, me: Agent) -> Wanted:
    return Wanted(
        fields={"channel": "email", "name": "Sales", "address": f"{world.next('box')}@shop.example"},
    )


def _upload(world: World, me: Agent) -> Wanted:
    return Wanted(fields={"name": "label.pdf", "type": "application/pdf", "size": "5"})


REQUESTS: dict[str, Make] = {
    "GET /search": lambda world, me: Wanted(query="?q=parcel"),
    "POST /notices/{notice_id}/dismiss": lambda world, me: Wanted({"notice_id": world.notice(me)}),
    "GET /password": lambda world, me: Wanted(query=f"?link={world.invitation_link()}"),
    "POST /password": lambda world, me: Wanted(
        fields={"link": world.invitation_link(), "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}
    ),
    "POST /sign-in": lambda world, me: Wanted(fields={"email": world.agent().email, "password": GOOD_PASSWORD}),
    "POST /sign-in/new-password": _new_password,
    "POST /sign-in/code": _code,
    "POST /sign-in/set-up": _set_up,
    "POST /forgot": lambda world, me: Wanted(fields={"email": world.agent().email}),
    "POST /settings/me": a(name="Somebody", time_zone="Europe/Berlin"),
    "POST /settings/me/password": _own(old=GOOD_PASSWORD, password=OTHER_PASSWORD, again=OTHER_PASSWORD),
    "POST /settings/me/factor": _own(factor_password=GOOD_PASSWORD),
    "POST /settings/me/factor/finish": _own_factor,
    "POST /settings/me/factor/off": _own(factor_password=GOOD_PASSWORD),
    "POST /new": a(
        inbox_id="support", customer="Lina <lina@customer.example>", subject="Your cup", text="On its way.",
        direction="out",
    ),
    "POST /tickets/{ticket_id}/change": _filed,
    "POST /tickets/{ticket_id}/block": lambda world, me: Wanted({"ticket_id": world.ticket()}),
    "POST /tickets/{ticket_id}/write": a(mode="note", text="Called the carrier."),
    "POST /tickets/{ticket_id}/composer": a(mode="reply", to_mode="note", text="Half a sentence"),
    "POST /tickets/{ticket_id}/draft": a(mode="reply", text="Half a sentence"),
    "POST /tickets/{ticket_id}/uploads": _upload,
    "POST /tickets/{ticket_id}/messages/{message_id}/undo": _message("queued"),
    "POST /tickets/{ticket_id}/messages/{message_id}/use": _message("cancelled"),
    "POST /tickets/{ticket_id}/messages/{message_id}/settle": _message("unclear"),
    "POST /tickets/{ticket_id}/messages/{message_id}/again": _message("failed"),
    "POST /tickets/{ticket_id}/restore": lambda world, me: Wanted({"ticket_id": _trashed(world)}),
    "POST /tickets/{ticket_id}/merge": _to_merge,
    "POST /tickets/{ticket_id}/unmerge": _merged,
    "POST /settings/texts/{inbox_id}": a(signature="Regards", acknowledgement="We have your mail."),
    "POST /tickets/{ticket_id}/replies": a(mode="reply", text="Half a sentence"),
    "POST /tickets/{ticket_id}/replies/{reply_id}": lambda world, me: Wanted({"reply_id": world.saved_reply(me)}),
    "POST /settings/replies": lambda world, me: Wanted(
        fields={"name": world.next("Reply "), "owner": "personal", "text_en": "It left."}
    ),
    "POST /settings/replies/settings": a(languages="en, de", shop_name="Northwind"),
    "GET /settings/replies/{reply_id}": lambda world, me: Wanted({"reply_id": world.saved_reply(me)}),
    "POST /settings/replies/{reply_id}": lambda world, me: Wanted(
        {"reply_id": world.saved_reply(me)}, {"name": "Renamed", "owner": "personal", "text_en": "It left."}
    ),
    "POST /settings/replies/{reply_id}/delete": lambda world, me: Wanted({"reply_id": world.saved_reply(me)}),
    "POST /settings/replies/{reply_id}/restore": lambda world, me: Wanted({"reply_id": world.saved_reply(me)}),
    "GET /operations/kept-out/original": _receipt,
    "POST /operations/kept-out/replay": _receipt,
    "POST /operations/ledger/replay": _lost,
    "GET /operations/failed/original": _letter,
    "POST /operations/failed/retry": _letter,
    "POST /operations/failed/discard": _letter,
    "POST /operations/stopped/resume": lambda world, me: Wanted(fields={"inbox": world.stop_sending()}),
    "POST /settings/agents/new": lambda world, me: Wanted(
        fields={"email": f"{world.next('new')}@shop.example", "name": "Somebody New", "role": "agent"}
    ),
    "POST /settings/agents/{agent_id}": _target,
    "POST /settings/agents/{agent_id}/invite": _target,
    "POST /settings/agents/{agent_id}/factor": _target,
    "POST /settings/agents/{agent_id}/presence": lambda world, me: Wanted(
        {"agent_id": world.agent().id}, {"away": "1"}
    ),
    "POST /settings/agents/{agent_id}/routing": lambda world, me: Wanted(
        {"agent_id": world.agent().id}, {"capacity": "5", "languages": "german"}
    ),
    "POST /settings/teams/{team_id}/assignment": lambda world, me: Wanted(
        {"team_id": world.team()}, {"assignment": "least_load"}
    ),
    "PATCH /api/v1/agents/{agent_id}": lambda world, me: Wanted({"agent_id": world.agent().id}, {"capacity": 5}),
    "PATCH /api/v1/teams/{team_id}": lambda world, me: Wanted({"team_id": world.team()}, {"assignment": "round_robin"}),
    "POST /presence": a(away="1"),
    "POST /api/v1/agents/{agent_id}/away": lambda world, me: Wanted({"agent_id": world.agent().id}, {"until": None}),
    "POST /api/v1/agents/{agent_id}/back": lambda world, me: Wanted({"agent_id": world.agent().id}),
    "POST /settings/teams": lambda world, me: Wanted(fields={"name": world.next("New team ")}),
    "POST /settings/teams/{team_id}": lambda world, me: Wanted(
        {"team_id": world.team()}, {"name": world.next("Renamed ")}
    ),
    "POST /settings/teams/{team_id}/delete": lambda world, me: Wanted({"team_id": world.team()}),
    "GET /settings/calendars/{calendar_id}": lambda world, me: Wanted({"calendar_id": world.calendar()}),
    "POST /settings/calendars/new": lambda world, me: Wanted(
        fields={"name": world.next("Hours "), "time_zone": "Europe/Berlin", "monday": "9-17"}
    ),
    "POST /settings/calendars/{calendar_id}": lambda world, me: Wanted(
        {"calendar_id": world.calendar()}, {"name": world.next("Hours "), "time_zone": "UTC", "sunday": "9-17"}
    ),
    "POST /settings/calendars/{calendar_id}/delete": lambda world, me: Wanted({"calendar_id": world.calendar()}),
    "GET /api/v1/calendars/{calendar_id}": lambda world, me: Wanted({"calendar_id": world.calendar()}),
    "POST /api/v1/calendars": lambda world, me: Wanted(
        fields={"name": world.next("Hours "), "time_zone": "Europe/Berlin", "weekly": {"monday": "9-17"}}
    ),
    "PATCH /api/v1/calendars/{calendar_id}": lambda world, me: Wanted(
        {"calendar_id": world.calendar()}, {"time_zone": "UTC"}
    ),
    "DELETE /api/v1/calendars/{calendar_id}": lambda world, me: Wanted({"calendar_id": world.calendar()}),
    "POST /settings/inboxes/new": _new_inbox,
    "POST /settings/inboxes/{inbox_id}": a(name="Support", address="support@shop.example", active="1"),
    "POST /settings/tokens": a(name="Export", scopes=["read"]),
    "POST /settings/tokens/{token_id}/revoke": lambda world, me: Wanted({"token_id": world.unused_token()}),
    "POST /settings/desk": a(public_url="https://desk.shop.example", mail_domain="shop.example"),
    "GET /api/v1/search": lambda world, me: Wanted(query="?q=parcel"),
    "GET /api/v1/customers": lambda world, me: Wanted(query="?handle=lina@customer.example"),
    "POST /api/v1/tickets": a(
        inbox_id="support", customer={"email": "lina@customer.example"}, subject="Where?", text="Where is it?"
    ),
    "PATCH /api/v1/tickets/{ticket_id}": lambda world, me: Wanted({"ticket_id": world.ticket()}, {"priority": "high"}),
    "POST /api/v1/tickets/{ticket_id}/merge": _to_merge,
    "POST /api/v1/tickets/{ticket_id}/unmerge": _merged,
    "POST /api/v1/tickets/{ticket_id}/messages": a(kind="note", text="Called the carrier."),
    "POST /api/v1/tickets/{ticket_id}/attachments": a(name="label.pdf", content_type="application/pdf", size_bytes=5),
    "POST /api/v1/tickets/{ticket_id}/messages/{message_id}/undo": _message("queued"),
    "POST /api/v1/inboxes": _new_json_inbox,
    "POST /api/v1/inboxes/{inbox_id}/resume": lambda world, me: Wanted({"inbox_id": world.stop_sending()}),
    "GET /api/v1/saved-replies/{reply_id}": lambda world, me: Wanted({"reply_id": world.saved_reply(me)}),
    "GET /api/v1/tickets/{ticket_id}/saved-replies/{reply_id}": lambda world, me: Wanted(
        {"reply_id": world.saved_reply(me)}
    ),
    "POST /api/v1/saved-replies": lambda world, me: Wanted(
        fields={"name": "By a program", "texts": {"en": "Hi."}, "scope": "personal", "agent_id": me.id}
    ),
    "PATCH /api/v1/saved-replies/{reply_id}": lambda world, me: Wanted(
        {"reply_id": world.saved_reply(me)}, {"name": "Renamed"}
    ),
    "DELETE /api/v1/saved-replies/{reply_id}": lambda world, me: Wanted({"reply_id": world.saved_reply(me)}),
    "POST /api/v1/saved-replies/{reply_id}/restore": lambda world, me: Wanted({"reply_id": world.saved_reply(me)}),
    "POST /api/v1/dead-letters/{letter_id}/retry": _json_letter(),
    "POST /api/v1/dead-letters/{letter_id}/discard": _json_letter(reason="A test."),
}  # fmt: skip
"""Routes that stand here need more than the parts of their path."""


def _trashed(world: World) -> str:
    ticket = world.ticket()
    change_ticket.change(ticket, SYSTEM, change_ticket.Changes(status="trash"), world.desk.now)
    return ticket


def wanted(world: World, route: str, me: Agent) -> Wanted:
    """A valid request for a route; what its path names exists."""
    found = REQUESTS.get(route, a())(world, me)
    for name in re.findall(r"{(\w+)}", route):
        if name not in found.parts:
            found.parts[name] = _part(world, name)
    return found


def _part(world: World, name: str) -> str:
    if not world.known:
        ticket = world.ticket()
        world.known = {
            "ticket_id": ticket,
            "message_id": world.first_message(ticket),
            "file_id": "a0",
            "attachment_id": "a0",
            "customer_id": tickets.get(ticket).customer_id,
            "agent_id": world.agent().id,
            "inbox_id": "support",
            "key": "open",
            "version": "any",
            "name": "desk.css",
        }
    return world.known[name]
