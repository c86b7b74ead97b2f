"""API tokens and the table of who may do what."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.people import ROLES, SYSTEM
from chalicelib.errors import InvalidInput, NotAllowed, NotFound, NotSignedIn
from chalicelib.services import permissions, tokens
from chalicelib.store import directory
from tests.engine import Desk


def test_a_token_is_shown_once_and_kept_as_a_hash(desk: Desk) -> None:
    made = tokens.create(" Warehouse  export ", ("write", "read"), SYSTEM, desk.now)
    assert made.token.name == "Warehouse export"
    assert made.token.scopes == ("read", "write")
    everything = str(desk.client("dynamodb").scan(TableName="test-table")["Items"])
    assert made.bearer not in everything
    assert made.bearer.removeprefix(tokens.PREFIX) not in everything


@pytest.mark.parametrize("written", ["{}", "Bearer {}", "bearer {}", "  Bearer   {} "])
def test_a_token_authenticates(desk: Desk, written: str) -> None:
    made = tokens.create("Export", ("read",), SYSTEM, desk.now)
    found = tokens.authenticate(written.format(made.bearer), desk.now)
    assert (found.id, found.name, found.scopes) == (made.token.id, "Export", ("read",))


def test_a_token_opens_nothing_but_what_is_its_own(desk: Desk) -> None:
    first, second = (tokens.create(name, ("read",), SYSTEM, desk.now) for name in ("Export", "Import"))
    assert tokens.authenticate(first.bearer, desk.now).id == first.token.id
    assert tokens.authenticate(second.bearer, desk.now).id == second.token.id
    guess = first.bearer[:-1] + ("a" if first.bearer[-1] != "a" else "b")
    with pytest.raises(NotSignedIn):
        tokens.authenticate(guess, desk.now)


@pytest.mark.parametrize("bearer", ["", "Bearer", "Bearer ", "dbell_", "Basic abc", "dbell_" + "x" * 5000])
def test_what_is_no_token_of_ours_is_refused(desk: Desk, bearer: str) -> None:
    with pytest.raises(NotSignedIn):
        tokens.authenticate(bearer, desk.now)


def test_a_revoked_token_stops_at_once_and_stays_in_the_list(desk: Desk) -> None:
    made = tokens.create("Export", ("read",), SYSTEM, desk.now)
    tokens.authenticate(made.bearer, desk.now)
    tokens.revoke(made.token.id, SYSTEM, desk.now)
    with pytest.raises(NotSignedIn):
        tokens.authenticate(made.bearer, desk.now)
    assert [(each.name, each.revoked_at) for each in tokens.listing()] == [("Export", desk.now)]
    with pytest.raises(NotFound):
        tokens.revoke("nothing", SYSTEM, desk.now)


def test_the_last_use_is_noted_at_most_every_five_minutes(desk: Desk) -> None:
    made = tokens.create("Export", ("read",), SYSTEM, desk.now)
    assert tokens.listing()[0].last_used_at is None
    first = desk.now
    tokens.authenticate(made.bearer, first)
    tokens.authenticate(made.bearer, first + timedelta(minutes=4))
    assert tokens.listing()[0].last_used_at == first
    tokens.authenticate(made.bearer, first + timedelta(minutes=6))
    assert tokens.listing()[0].last_used_at == first + timedelta(minutes=6)


def test_what_happens_to_tokens_is_audited_without_the_secret(desk: Desk) -> None:
    made = tokens.create("Export", ("read",), SYSTEM, desk.now)
    tokens.revoke(made.token.id, SYSTEM, desk.now + timedelta(seconds=1))
    entries = directory.audit_entries(f"{desk.now:%Y-%m}")
    assert [(each.what, each.detail) for each in entries] == [
        ("API token revoked", "Export"),
        ("API token created", "Export (read)"),
    ]


@pytest.mark.parametrize(
    ("name", "scopes", "field"),
    [("", ("read",), "name"), ("x" * 81, ("read",), "name"), ("x", (), "scopes"), ("x", ("root",), "scopes")],
)
def test_a_wrong_field_is_named_and_nothing_is_written(
    desk: Desk, name: str, scopes: tuple[str, ...], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        tokens.create(name, scopes, SYSTEM, desk.now)
    assert list(refused.value.fields) == [field]
    assert tokens.listing() == ()


ALLOWED: dict[str, str] = {  # action → letters of the roles that may: viewer, agent, leader, admin
    "tickets.read": "vala",
    "tickets.write": " ala",
    "tickets.trash": " ala",
    "tickets.send_anyway": " ala",
    "customers.write": " ala",
    "customers.block": " ala",
    "originals.download": " ala",
    "own.settings": "vala",
    "replies.own": " ala",
    "replies.manage": "  la",
    "operations.read": "  la",
    "operations.retry": "  la",
    "inbox_texts.manage": "  la",
    "audit.read": "  la",
    "costs.read": "  la",
    "operations.discard": "   a",
    "teams.manage": "   a",
    "calendars.manage": "   a",
    "agents.manage": "   a",
    "inboxes.manage": "   a",
    "tokens.manage": "   a",
    "desk.manage": "   a",
}


def test_every_action_stands_in_the_table() -> None:
    assert set(ALLOWED) == set(permissions.ACTIONS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", sorted(ALLOWED))
def test_role_and_action(role: str, action: str) -> None:
    place = ("viewer", "agent", "leader", "admin").index(role)
    assert permissions.allowed(role, action) == (ALLOWED[action][place] != " ")


@pytest.mark.parametrize(
    ("role", "action"), [("admin", "no.such"), ("root", "tickets.read"), ("", ""), ("ADMIN", "desk.manage")]
)
def test_what_nobody_wrote_down_is_denied(role: str, action: Any) -> None:
    assert not permissions.allowed(role, action)
    assert not permissions.allowed_by_scopes([role], action)
    with pytest.raises(NotAllowed):
        permissions.require(role, action)


@pytest.mark.parametrize(
    ("scopes", "action", "may"),
    [
        (("read",), "tickets.read", True),
        (("read",), "tickets.write", False),
        (("write",), "tickets.write", True),
        (("write",), "agents.manage", False),
        (("read", "write"), "operations.read", True),
        (("admin",), "agents.manage", True),
        (("admin",), "own.settings", False),
        ((), "tickets.read", False),
    ],
)
def test_scope_and_action(scopes: tuple[str, ...], action: str, may: bool) -> None:
    assert permissions.allowed_by_scopes(scopes, action) == may


def test_a_token_does_what_its_scopes_allow_and_nothing_else() -> None:
    permissions.require_scope(("read",), "tickets.read")
    with pytest.raises(NotAllowed, match="scopes"):
        permissions.require_scope(("read",), "tickets.write")
