"""Guessing passwords, codes and who has an account: the same answer, the same work, and a lock that doubles."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient

from chalicelib.services import attempts, password_links, sign_in
from chalicelib.store import directory
from tests.security.world import World
from tests.services.people import GOOD_PASSWORD

pytestmark = pytest.mark.engine


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every call of AWS that is made meanwhile, by name."""
    made: list[str] = []
    really = BaseClient._make_api_call  # type: ignore[attr-defined]  # no part of botocore's stubs

    def call(self: Any, operation: str, arguments: Any) -> Any:
        made.append(f"{self.meta.service_model.service_name} {operation}")
        return really(self, operation, arguments)

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", call)
        yield made


def _people(world: World) -> dict[str, str]:
    known, gone = world.agent(), world.agent()
    directory.save_agent(replace(gone, active=False))
    return {"known": known.email, "deactivated": gone.email, "unknown": "nobody@shop.example"}


def test_wrong_unknown_and_deactivated_cost_the_same_calls_and_read_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: a call that is left out would show in the time it takes."""
    waits: list[float] = []
    monkeypatch.setattr(attempts, "wait_until", waits.append)
    seen = {}
    for name, email in _people(world).items():
        with counted(monkeypatch) as made:
            answer = world.form("/sign-in", {"email": email, "password": "not the password"}, address="203.0.113.1")
        page = answer.text.replace(email, "")
        seen[name] = (answer.status, page, made, sorted(answer.headers))
    assert seen["unknown"] == seen["known"] == seen["deactivated"]
    assert seen["known"][0] == 401 and len(waits) == 3


def test_a_right_password_of_a_deactivated_agent_reads_like_a_wrong_one(world: World) -> None:
    people = _people(world)
    pages = {
        name: world.form("/sign-in", {"email": people[name], "password": password}).text.replace(people[name], "")
        for name, password in (("deactivated", GOOD_PASSWORD), ("known", "wrong"))
    }
    assert pages["deactivated"] == pages["known"]


def test_asking_for_a_link_reads_the_same_and_takes_the_same_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the work differs, since one mail is sent: so every answer waits for the same moment."""
    moments: list[float] = []
    monkeypatch.setattr(password_links, "time", SimpleNamespace(monotonic=lambda: 100.0))
    monkeypatch.setattr(attempts, "wait_until", moments.append)
    pages = set()
    for email in _people(world).values():
        answer = world.form("/forgot", {"email": email})
        pages.add((answer.status, answer.text.replace(email, "")))
    assert moments == [100.0 + password_links.REQUEST_SECONDS] * 3
    assert len(pages) == 1
    assert len(world.mails.mails) == 1


def test_the_lock_comes_after_five_doubles_and_ends(world: World) -> None:
    me = world.agent()

    def tried(*password: str) -> int:
        fields = {"email": me.email, "password": password or "wrong"}
        return world.form("/sign-in", fields, address=f"203.0.113.{world.number}").status

    assert [tried() for _ in range(6)] == [401] * 5 + [429]
    assert tried(GOOD_PASSWORD) == 429, "locked for the right one too, from wherever it comes"
    world.desk.advance(seconds=attempts.FIRST_LOCK.total_seconds() + 1)
    assert [tried() for _ in range(6)] == [401] * 5 + [429], "the count begins anew"
    world.desk.advance(seconds=attempts.FIRST_LOCK.total_seconds() + 1)
    assert tried(GOOD_PASSWORD) == 429, "the second lock is twice as long"
    world.desk.advance(seconds=attempts.FIRST_LOCK.total_seconds())
    assert tried(GOOD_PASSWORD) == 303
    assert [tried() for _ in range(5)] == [401] * 5, "who came in starts from nothing"


def test_a_locked_agent_comes_back_by_a_link_and_a_stranger_cannot_lock_for_ever(world: World) -> None:
    me = world.agent()
    for _ in range(6):
        world.form("/sign-in", {"email": me.email, "password": "wrong"})
    assert attempts.LONGEST_LOCK.total_seconds() == 3600
    world.form("/forgot", {"email": me.email})
    link = world.mails.mails[-1][2].split("link=")[1].split()[0]
    from urllib.parse import unquote

    fields = {"link": unquote(link), "password": "Violet ladders 42 rain", "again": "Violet ladders 42 rain"}
    assert world.form("/password", fields).status == 303
    answer = world.form("/sign-in", {"email": me.email, "password": "Violet ladders 42 rain"})
    assert answer.status == 303


def test_headers_cannot_choose_who_is_counted(world: World) -> None:
    """Thirty failures of one address lock it, whatever ``X-Forwarded-For`` says of the next."""
    for n in range(30):
        fields = {"email": f"name{n}@shop.example", "password": "x"}
        world.form("/sign-in", fields, address="203.0.113.7", x_forwarded_for=f"198.51.100.{n}", x_real_ip="10.0.0.1")
    fields = {"email": "name99@shop.example", "password": "x"}
    forged = world.form("/sign-in", fields, address="203.0.113.7", x_forwarded_for="198.51.100.99")
    assert forged.status == 429
    assert world.form("/sign-in", fields, address="203.0.113.8").status == 401


def test_an_attempt_is_counted_before_the_password_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a hundred at the same moment would all be looked at."""
    me = world.agent()
    with counted(monkeypatch) as made:
        world.form("/sign-in", {"email": me.email, "password": "wrong"})
    first_count = next(n for n, call in enumerate(made) if call == "dynamodb PutItem")
    assert first_count < made.index("cognito-idp AdminInitiateAuth")
    for _ in range(5):
        world.form("/sign-in", {"email": me.email, "password": "wrong"})
    with counted(monkeypatch) as made:
        assert world.form("/sign-in", {"email": me.email, "password": GOOD_PASSWORD}).status == 429
    assert not [call for call in made if call.startswith("cognito")], "a locked account costs no look at the password"


def test_the_api_tells_made_up_and_revoked_tokens_alike_and_limits_the_good_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.api import operations
    from chalicelib.domain.people import SYSTEM
    from chalicelib.services import tokens

    made = tokens.create("one", ("read",), SYSTEM, world.desk.now)
    tokens.revoke(made.token.id, SYSTEM, world.desk.now)
    details = set()
    for bearer in (made.bearer, tokens.PREFIX + "x" * 43):
        answer = world.call("GET", "/api/v1/agents", bearer)
        details.add((answer.status, answer.text.split('"instance"')[0]))
    assert len(details) == 1 and next(iter(details))[0] == 401
    monkeypatch.setattr(operations, "CALLS_PER_MINUTE", 3)
    bearer = world.token("read")
    answers = [world.call("GET", "/api/v1/agents", bearer).status for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert world.call("GET", "/api/v1/agents", world.token("read")).status == 200, "each token has its own"


def test_five_wrong_codes_end_the_step(world: World) -> None:
    from tests.security.requests import _with_factor
    from tests.services.people import totp, wrong_code

    them, secret = _with_factor(world)
    step = sign_in.begin(world.pool, them.email, GOOD_PASSWORD, "203.0.113.4", world.desk.now)
    bad = {"step": step.token, "code": wrong_code(secret)}
    answers = [world.form("/sign-in/code", bad, address="203.0.113.4").status for _ in range(5)]
    assert 303 not in answers and answers[-1] in (401, 429)
    late = world.form("/sign-in/code", bad | {"code": totp(secret)}, address="203.0.113.4")
    assert late.status in (401, 429)
