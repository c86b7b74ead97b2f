"""Every route times everybody who may knock: who should come in does, nobody else, and a refused call leaves no trace.

The routes come from the application itself, the rules from ``rules.py``; a route without a rule fails.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pytest

from chalicelib.domain.people import SYSTEM, Agent, Role
from chalicelib.services import sessions, tokens
from tests.security.conftest import CELLS
from tests.security.requests import REQUESTS, Wanted, wanted
from tests.security.rules import BEYOND, RULES, SOCKET, Rule
from tests.security.world import Answer, World, deactivated, expired

pytestmark = pytest.mark.engine


def routes() -> list[str]:
    from app import app

    return sorted(f"{method} {path}" for path, methods in app.routes.items() for method in methods)


@dataclass(frozen=True)
class Visitor:
    """Somebody who knocks.  role, scope: what they really hold; empty for all whom the desk must take for nobody."""

    name: str
    role: Role | Literal[""] = ""
    scope: str = ""
    cookie: Callable[[World, Agent], str] | None = None
    bearer: Callable[[World], str] | None = None


def _ended(world: World, agent: Agent) -> str:
    cookie = world.cookie(agent)
    sessions.end(sessions.signed_in(cookie, world.desk.now))
    return cookie


def _revoked(world: World) -> str:
    made = tokens.create("revoked", ("read", "write", "admin"), SYSTEM, world.desk.now)
    tokens.revoke(made.token.id, SYSTEM, world.desk.now)
    return made.bearer


def _holding(scope: str) -> Callable[[World], str]:
    return lambda world: world.token(scope)


VISITORS = (
    Visitor("anonymous"),
    *(Visitor(role, role=role, cookie=World.cookie) for role in ("viewer", "agent", "leader", "admin")),
    Visitor("expired admin", cookie=expired),
    Visitor("signed-out admin", cookie=_ended),
    Visitor("deactivated admin", cookie=deactivated),
    Visitor("forged cookie", cookie=lambda world, agent: "planted-by-somebody"),
    *(Visitor(f"{scope} token", scope=scope, bearer=_holding(scope)) for scope in ("read", "write", "admin")),
    Visitor("revoked token", bearer=_revoked),
    Visitor("made-up token", bearer=lambda world: tokens.PREFIX + "x" * 43),
)


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    assert sorted(RULES) == routes()
    assert set(REQUESTS) <= set(RULES)


@pytest.mark.parametrize("visitor", VISITORS, ids=lambda visitor: visitor.name)
def test_who_may_come_in_does_and_nobody_else(world: World, visitor: Visitor) -> None:
    me = world.agent(visitor.role or "admin")
    bearer = visitor.bearer(world) if visitor.bearer else ""
    refused = [route for route in RULES if not _may(visitor, RULES[route])]
    prepared = {route: wanted(world, route, me) for route in refused}
    cookie = visitor.cookie(world, me) if visitor.cookie else ""
    before = world.everything()
    faults = [
        fault
        for route in refused
        if (fault := _refusal_fault(route, RULES[route], visitor, _ask(world, route, prepared[route], cookie, bearer)))
    ]
    assert world.everything() == before, "a refused call left something behind"
    for route in RULES:
        if _may(visitor, RULES[route]):
            this = wanted(world, route, me)
            cookie = visitor.cookie(world, me) if visitor.cookie else ""
            faults += _admission_faults(route, _ask(world, route, this, cookie, bearer))
    CELLS.update(cells=len(RULES), gaps=len(faults), visitors=1)
    CELLS["routes"] = len(routes())
    assert not faults, "\n".join(faults)


def _may(visitor: Visitor, rule: Rule) -> bool:
    if rule.kind == "public":
        return True
    return (visitor.role if rule.kind == "console" else visitor.scope) in rule.allow


def _ask(world: World, route: str, this: Wanted, cookie: str, bearer: str) -> Answer:
    method, _, pattern = route.partition(" ")
    path = pattern.format_map(this.parts) + this.query
    if pattern.startswith(("/api/", "/hooks/")):
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        headers |= {"cookie": f"__Host-deskbell={cookie}"} if cookie else {}
        body = None if method == "GET" else json.dumps(this.fields).encode()
        return world.send(method, path, headers | {"content-type": "application/json"}, body)
    if method == "GET":
        return world.send("GET", path, _console_headers(cookie, bearer))
    fields = dict(this.fields)
    if cookie:
        fields["csrf"] = _csrf(world, cookie)
    return world.form(path, fields, cookie, **({"authorization": f"Bearer {bearer}"} if bearer else {}))


def _console_headers(cookie: str, bearer: str) -> dict[str, str]:
    found = {"cookie": f"__Host-deskbell={cookie}"} if cookie else {}
    return found | ({"authorization": f"Bearer {bearer}"} if bearer else {})


def _csrf(world: World, cookie: str) -> str:
    """The token of the session's forms: also of one that has ended, for nothing else may be what refuses it."""
    from chalicelib.store import documents
    from chalicelib.store.sessions import Session

    session = documents.read(Session, f"SESSION#{sessions.hashed(cookie)}", "SESSION")
    return session.csrf if session else "of-no-session"


def _refusal_fault(route: str, rule: Rule, visitor: Visitor, answer: Answer) -> str:
    """ "" when the call was refused as it should be."""
    if rule.kind == "hook":
        right = answer.status == (403 if route.startswith("POST") else 404)
    elif rule.kind == "api":
        right = answer.status == (403 if visitor.scope else 401)
    elif visitor.role:
        right = answer.status == 403
    elif route.startswith("GET"):
        right = answer.status == 303 and answer.location.startswith("/sign-in?next=")
    else:
        right = answer.status == 401
    return "" if right else f"{route}: not refused: {answer.status} {answer.location} {answer.text[:300]}"


def _admission_faults(route: str, answer: Answer) -> list[str]:
    """A call that is allowed must do what it is for: nothing short of success shows that."""
    came_in = answer.status in (200, 201, 204, BEYOND.get(route)) or (
        answer.status == 303 and (not answer.location.startswith("/sign-in") or RULES[route].kind == "public")
    )
    return [] if came_in else [f"{route}: {answer.status} {answer.location} {answer.text[:600]}"]


def test_the_sockets_routes_are_known() -> None:
    from app import app

    assert set(app.websocket_handlers) == set(SOCKET)
