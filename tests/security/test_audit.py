"""Every act that touches security leaves a line: changes in the audit, entries and refusals in the log."""

import json
from typing import Any

import pytest

from chalicelib import observability
from chalicelib.services import audit
from chalicelib.store import directory
from tests.security.requests import wanted
from tests.security.rules import ADMIN, API, BEYOND, CONSOLE, FULL, LEADER, RULES, _routes
from tests.security.test_matrix import _ask
from tests.security.world import World
from tests.services.people import GOOD_PASSWORD

pytestmark = pytest.mark.engine
OWN = (
    "POST /settings/me/password", "POST /settings/me/sign-out-everywhere", "POST /settings/me/factor/finish",
    "POST /settings/me/factor/off", "POST /password", "POST /sign-in/new-password",
)  # fmt: skip
ACTS = sorted(
    route
    for route in (*_routes(CONSOLE[ADMIN]), *_routes(CONSOLE[LEADER]), *_routes(API[FULL]), *OWN)
    if route.startswith("POST ") and route not in BEYOND
)
NOTHING_CHANGES = {"POST /settings/inboxes/{inbox_id}": {"name": "Another name"}}
"""What to send besides, where the usual request changes nothing and so leaves no line."""


def _lines(world: World) -> int:
    return len(directory.audit_entries(audit.months(world.desk.now)[0]))


def test_every_act_of_an_admin_leaves_a_line(world: World) -> None:
    """Generated: whatever only leaders or admins may do, and whatever an agent does to their own keys."""
    assert len(ACTS) >= 25 and set(ACTS) <= set(RULES)
    silent = []
    for route in ACTS:
        me = world.agent("admin")
        this = wanted(world, route, me)
        this.fields |= NOTHING_CHANGES.get(route, {})
        cookie, bearer = world.cookie(me), world.token("admin")
        before = _lines(world)
        answer = _ask(world, route, this, cookie, bearer)
        if answer.status >= 400 or _lines(world) == before:
            silent.append(f"{route}: {answer.status}, {_lines(world) - before} lines")
    assert not silent, "\n".join(silent)


def test_a_line_says_who_when_and_what_and_never_a_secret(world: World) -> None:
    me = world.agent("admin")
    cookie = world.cookie(me)
    fields = {"csrf": world.csrf(cookie), "name": "Export\r\nforged line", "scopes": ["read"]}
    world.form("/settings/tokens", fields, cookie)
    newest = directory.audit_entries(audit.months(world.desk.now)[0])[0]
    assert (newest.actor, newest.at, newest.what) == (me.name, world.desk.now, "API token created")
    assert newest.detail == "Export forged line (read)"
    assert "dbell_" not in str(newest)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(observability, "log", lambda event, **facts: lines.append({"event": event, **facts}))
    monkeypatch.setattr(observability, "warn", lambda event, **facts: lines.append({"event": event, **facts}))
    return lines


def test_entries_refusals_and_locks_are_logged_without_who_tried(world: World, logged: list[dict[str, Any]]) -> None:
    """Ids and counts; the address and the password that were tried stand nowhere."""
    me = world.agent("viewer")
    world.form("/sign-in", {"email": me.email, "password": GOOD_PASSWORD})
    for _ in range(5):
        world.form("/sign-in", {"email": me.email, "password": "guess-of-the-test"})
    cookie = world.cookie(me)
    world.page("/settings/agents", cookie)
    world.form("/settings/me", {"csrf": "forged", "name": "x"}, cookie)
    world.call("GET", "/api/v1/tickets", "dbell_madeup")
    world.call("POST", "/api/v1/tickets", world.token("read"), {})
    world.send("POST", "/hooks/bot", {"content-type": "application/json"}, b"{}")
    events = [line["event"] for line in logged]
    assert events.count("signed in") == 1 and events.count("sign-in refused") == 5 and events.count("locked") == 1
    refused = [(line["path"], line["code"]) for line in logged if line["event"] == "refused"]
    assert refused == [
        ("/settings/agents", "not-allowed"),
        ("/settings/me", "not-allowed"),
        ("/api/v1/tickets", "not-signed-in"),
        ("/api/v1/tickets", "not-allowed"),
        ("/hooks/{inbox_id}", "not-authentic"),
    ]
    said = json.dumps(logged, default=str)
    assert me.email not in said and "guess-of-the-test" not in said and "198.51.100" not in said
