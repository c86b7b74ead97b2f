"""A session ends everywhere at once: at sign-out, by a new password, a new role, a deactivation; its socket with it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import config, wiring
from chalicelib.domain.people import SYSTEM, Agent
from chalicelib.errors import NotSignedIn
from chalicelib.jobs import live as edge
from chalicelib.services import agents, desk, live_pass, password_links, sessions, sign_in
from chalicelib.services.agents import AgentChange
from chalicelib.store import directory, live
from tests.security.requests import OTHER_PASSWORD
from tests.security.world import COOKIE, MAKER, World
from tests.services.people import GOOD_PASSWORD, link_token, totp

pytestmark = pytest.mark.engine


def _form(world: World, path: str, cookie: str, **fields: str) -> None:
    answer = world.form(path, {"csrf": world.csrf(cookie), **fields}, cookie)
    assert answer.status == 303, (path, answer.status, answer.text[:300])


def _changed(world: World, them: Agent, **values: Any) -> None:
    wanted = AgentChange(them.name, them.role, them.team_ids, them.active)
    agents.change(world.pool, them.id, replace(wanted, **values), SYSTEM, world.desk.now)


def _reset(world: World, them: Agent) -> None:
    password_links.request_reset(MAKER, them.email, "203.0.113.9", world.mails.send, world.desk.now)
    token = link_token(world.mails.mails[-1][2])
    password_links.use(world.pool, MAKER, token, OTHER_PASSWORD, OTHER_PASSWORD, world.desk.now)


ENDS: dict[str, Callable[[World, Agent, str], object]] = {
    "sign-out": lambda world, them, cookie: _form(world, "/sign-out", cookie),
    "a password by link": lambda world, them, cookie: _reset(world, them),
    "a password of one's own, elsewhere": lambda world, them, cookie: _form(
        world, "/settings/me/password", world.cookie(them), old=GOOD_PASSWORD, password=OTHER_PASSWORD,
        again=OTHER_PASSWORD,
    ),
    "sign-out everywhere, elsewhere": lambda world, them, cookie: _form(
        world, "/settings/me/sign-out-everywhere", world.cookie(them)
    ),
    "a lower role": lambda world, them, cookie: _changed(world, them, role="viewer"),
    "a higher role": lambda world, them, cookie: _changed(world, them, role="admin"),
    "deactivation": lambda world, them, cookie: _changed(world, them, active=False),
    "a second factor taken away": lambda world, them, cookie: agents.reset_totp(
        world.pool, them.id, SYSTEM, world.desk.now
    ),
    "a second factor required": lambda world, them, cookie: desk.change("", "", True, SYSTEM, world.desk.now),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_what_ends_a_session_ends_its_pages_its_socket_and_its_passes(world: World, end: str) -> None:
    world.agent("admin")
    them = world.agent("leader")
    cookie = world.cookie(them)
    session = sessions.signed_in(cookie, world.desk.now)
    given, unused = (live_pass.issue(them.id, world.desk.now, session.session_id, "desk.test") for _ in range(2))
    assert edge.connect("c1", {"pass": given}, "https://desk.test")["statusCode"] == 200
    ENDS[end](world, them, cookie)
    assert world.page("/lists/mine", cookie).location.startswith("/sign-in")
    assert world.form("/settings/teams", {"csrf": session.csrf, "name": "Front"}, cookie).status == 401
    assert live.connections() == ()
    assert edge.connect("c2", {"pass": unused}, "https://desk.test")["statusCode"] == 403


UNDER_WAY = [end for end in ENDS if end not in ("sign-out", "a second factor required")]
"""Signing out in one browser is no end of another's sign-in."""


@pytest.mark.parametrize("end", UNDER_WAY)
def test_what_ends_a_session_ends_a_sign_in_under_way(world: World, end: str) -> None:
    """In the very moment too: the clock of this desk stands still."""
    world.agent("admin")
    them = world.agent("leader")
    cookie = world.cookie(them)
    directory.save_desk_settings(replace(directory.desk_settings(), require_totp=True))
    waiting = sign_in.begin(world.pool, them.email, GOOD_PASSWORD, "203.0.113.8", world.desk.now)
    own = sign_in.begin_own_set_up(world.pool, them, GOOD_PASSWORD, "203.0.113.8", world.desk.now)
    ENDS[end](world, them, cookie)
    for step in (waiting, own):
        answer = world.form("/sign-in/set-up", {"step": step.token, "code": totp(step.totp_secret)})
        assert (answer.status, answer.headers.get("Set-Cookie")) == (401, None)
        with pytest.raises(NotSignedIn):
            sign_in.finish_set_up(world.pool, step.token, totp(step.totp_secret), world.desk.now, by=them.id)
    assert not directory.agent(them.id).totp


def test_a_second_factor_that_is_required_ends_the_sign_ins_without_one(world: World) -> None:
    world.agent("admin")
    them = world.agent("leader")
    step = sign_in.begin_own_set_up(world.pool, them, GOOD_PASSWORD, "203.0.113.8", world.desk.now)
    desk.change("", "", True, SYSTEM, world.desk.now)
    with pytest.raises(NotSignedIn):
        sign_in.finish_set_up(world.pool, step.token, totp(step.totp_secret), world.desk.now, by=them.id)


def test_signing_out_here_leaves_the_socket_of_another_browser_open(world: World) -> None:
    them = world.agent()
    here, there = world.cookie(them), world.cookie(them)
    for name, cookie in (("here", here), ("there", there)):
        session = sessions.signed_in(cookie, world.desk.now)
        edge.connect(name, {"pass": live_pass.issue(them.id, world.desk.now, session.session_id)})
    _form(world, "/sign-out", here)
    assert [each.id for each in live.connections()] == ["there"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://desk.test.evil.example"])
def test_a_page_of_another_site_cannot_open_the_socket_even_with_a_pass(world: World, origin: str) -> None:
    them = world.agent()
    given = live_pass.issue(them.id, world.desk.now, host="desk.test")
    assert edge.connect("c1", {"pass": given}, origin)["statusCode"] == 403
    assert edge.connect("c2", {"pass": given}, "https://desk.test")["statusCode"] == 403, "and it is used up"


def test_behind_a_cdn_the_desks_public_address_may_open_the_socket(world: World) -> None:
    directory.save_desk_settings(directory.DeskSettings("https://help.shop.example"))
    them = world.agent()
    given = live_pass.issue(them.id, world.desk.now, host="abc.execute-api.eu-west-1.amazonaws.com")
    assert edge.connect("c1", {"pass": given}, "https://help.shop.example")["statusCode"] == 200


def test_behind_a_domain_of_its_own_the_stacks_address_may_open_the_socket(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host that we see is API Gateway's, and nobody has set a public address."""
    monkeypatch.setenv("CONSOLE_ORIGIN", "https://desk.shop.example")
    config.settings.cache_clear()
    them = world.agent()
    for origin, status in (("https://desk.shop.example", 200), ("https://evil.example", 403), ("null", 403)):
        given = live_pass.issue(them.id, world.desk.now, host="abc.execute-api.eu-west-1.amazonaws.com")
        assert edge.connect(f"of {origin}", {"pass": given}, origin)["statusCode"] == status
    assert [each.id for each in live.connections()] == ["of https://desk.shop.example"]


def test_a_refused_socket_says_why_in_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons: list[str] = []
    monkeypatch.setattr(live_pass, "log", lambda event, **facts: reasons.append(f"{event}: {facts['reason']}"))
    them = world.agent()
    gateway = "abc.execute-api.eu-west-1.amazonaws.com"
    given = live_pass.issue(them.id, world.desk.now, host=gateway)
    assert edge.connect("c1", {"pass": given}, "https://desk.shop.example")["statusCode"] == 403
    assert edge.connect("c1", {"pass": given}, f"https://{gateway}")["statusCode"] == 403
    (of_origin, of_pass) = reasons
    assert "'https://desk.shop.example'" in of_origin and gateway in of_origin and "ConsoleOrigin" in of_origin
    assert of_pass == "socket refused: the pass is unknown, used or too old"
    assert given not in "".join(reasons)


def test_the_socket_takes_only_a_fresh_unused_pass_of_an_agent(world: World) -> None:
    them = world.agent()
    old = live_pass.issue(them.id, world.desk.now - timedelta(seconds=61))
    good = live_pass.issue(them.id, world.desk.now)
    for given in ("", "made-up", old):
        assert edge.connect("c0", {"pass": given})["statusCode"] == 403
    assert edge.connect("c0", {})["statusCode"] == 403
    assert edge.connect("c1", {"pass": good})["statusCode"] == 200
    assert edge.connect("c2", {"pass": good})["statusCode"] == 403
    assert live_pass.redeem(live_pass.issue("nobody", world.desk.now), world.desk.now) is None


def test_frames_of_strangers_and_odd_frames_change_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []

    def push(connection_id: str, text: str) -> bool:
        told.append((connection_id, text))
        return True

    monkeypatch.setattr(wiring, "push", push)
    them = world.agent()
    edge.connect("c1", {"pass": live_pass.issue(them.id, world.desk.now)})
    before = live.connections()
    for connection, body in (
        ("stranger", '{"look": "1"}'),
        ("c1", "x" * 3000),
        ("c1", "[]"),
        ("c1", "{"),
        ("c1", '{"look": 1}'),
    ):
        edge.message(connection, body)
    assert live.connections() == before
    assert told == []
    edge.disconnect("stranger")
    assert live.connections() == before


def test_a_session_is_never_the_one_the_browser_brought(world: World) -> None:
    """Fixation: a planted cookie is neither adopted nor kept beside the new one."""
    them = world.agent()
    fields = {"email": them.email, "password": GOOD_PASSWORD}
    answer = world.form("/sign-in", fields, cookie="planted-by-somebody")
    assert answer.status == 303
    fresh = str(answer.headers["Set-Cookie"]).split(";")[0].partition("=")[2]
    assert fresh != "planted-by-somebody" and len(fresh) >= 43
    again = world.form("/sign-in", {**fields, "csrf": world.csrf(fresh)}, cookie=fresh)
    assert again.status == 303
    assert world.page("/lists/mine", fresh).location.startswith("/sign-in"), "the one before has ended"


@pytest.mark.parametrize("local", [False, True])
def test_the_cookies_flags_on_https_and_on_plain_http(
    world: World, monkeypatch: pytest.MonkeyPatch, local: bool
) -> None:
    monkeypatch.setenv("LOCAL", "1" if local else "0")
    config.settings.cache_clear()
    them = world.agent()
    answer = world.form("/sign-in", {"email": them.email, "password": GOOD_PASSWORD}, origin="http://desk.test")
    name, *flags = [part.strip() for part in str(answer.headers["Set-Cookie"]).split(";")]
    assert name.startswith("deskbell=" if local else f"{COOKIE}=")
    assert set(flags) == {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=604800"} | (set() if local else {"Secure"})
    assert len(name) < 100


def test_a_role_counts_as_it_is_now_and_not_as_it_was_at_sign_in(world: World) -> None:
    """Even when ending the sessions failed half-way."""
    world.agent("admin")
    them = world.agent("admin")
    cookie = world.cookie(them)
    assert world.page("/settings/tokens", cookie).status == 200
    directory.save_agent(replace(them, role="agent"))
    assert world.page("/settings/tokens", cookie).status == 403
