"""The world of the security tests, and what the authorisation matrix covered."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.api import inbox_tools
from chalicelib.api.console import handed, settings_inboxes
from chalicelib.connectors import HttpReply
from chalicelib.services import attempts
from tests.api.client import gateway
from tests.engine import Desk
from tests.figures import MATRIX
from tests.security.world import SECRET, World
from tests.services.people import Mailbox, make_pool

CELLS: Counter[str] = Counter()
"""What the matrix called: "cells", "gaps", and the number of routes and of visitors."""


@pytest.fixture(autouse=True)
def told_of_the_matrix(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[None]:
    """A visitor's share of it, for the line at the end of the run."""
    before = CELLS.copy()
    yield
    share = {name: CELLS[name] - before[name] for name in ("cells", "gaps", "visitors")}
    if share["visitors"]:
        role = bool(request.node.callspec.params["visitor"].role)
        record_property(MATRIX, {"routes": CELLS["routes"], "roles": int(role), **share})


def a_bot(url: str, payload: Any) -> HttpReply:
    """Telegram, to whom every token is good."""
    return HttpReply(200, b'{"ok": true, "result": {"id": 1, "username": "NorthwindBot", "message_id": 7}}')


def no_records(name: str, kind: str) -> tuple[str, ...]:
    return ()


@pytest.fixture
def world(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> World:
    """Real: table, buckets, queues, user pool, SES without its receipt rules (the engine has none).

    Not real: Telegram, name servers, the wait before a refusal.
    """
    tools = inbox_tools.inbox_tools
    pool = make_pool(desk.client("cognito-idp"))
    box = Mailbox()
    monkeypatch.setattr(attempts, "wait_until", lambda _: None)
    monkeypatch.setattr(handed, "user_pool", lambda: pool)
    monkeypatch.setattr(handed, "send_system_mail", box.send)
    monkeypatch.setattr(settings_inboxes, "Resolver", lambda: no_records)
    monkeypatch.setattr(wiring, "post_json", a_bot)
    for where in (settings_inboxes, inbox_tools):
        monkeypatch.setattr(where, "inbox_tools", lambda *given: replace(tools(*given), receiving=None))
    desk.inbox()
    desk.inbox(id="bot", channel="telegram", address="northwindbot", name="Bot", undo_seconds=0)
    name = "/deskbell/test/inbox/bot/webhook_secret"
    desk.client("ssm").put_parameter(Name=name, Value=SECRET, Type="SecureString")
    return World(desk, pool, gateway(), box)
