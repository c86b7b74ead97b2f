"""What stands around every answer: policies, caches, origins, redirects."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib import config
from infra.resources.http import gateway_responses
from tests.infra.conftest import strings_in
from tests.security.requests import wanted
from tests.security.rules import RULES
from tests.security.test_matrix import _ask, routes
from tests.security.world import COOKIE, FORM, Answer, World

pytestmark = pytest.mark.engine
FRAME = "GET /tickets/{ticket_id}/messages/{message_id}/html"
KEPT_BY_BROWSERS = {"GET /static/{version}/{name}"}


def _answers(world: World) -> dict[str, Answer]:
    """What everybody who may gets from each route."""
    me = world.agent("admin")
    bearer = world.token("read", "write", "admin")
    return {route: _ask(world, route, wanted(world, route, me), world.cookie(me), bearer) for route in RULES}


def test_no_answer_is_without_its_headers(world: World) -> None:
    faults = []
    for route, answer in _answers(world).items():
        headers = {name.lower(): str(value) for name, value in answer.headers.items()}
        policy = headers.get("content-security-policy", "")
        html = headers.get("content-type", "").startswith("text/html")
        wanted_here = {
            "nosniff": headers.get("x-content-type-options") == "nosniff",
            "https for two years": "max-age=63072000; includeSubDomains"
            in headers.get("strict-transport-security", ""),
            "nothing by default": "default-src 'none'" in policy,
            "frames": "frame-ancestors 'self'" in policy if route == FRAME else "frame-ancestors 'none'" in policy,
            "no script of others": "unsafe-eval" not in policy
            and "'unsafe-inline'" not in policy.split("style-src")[0],
            "styles": route == FRAME or "unsafe" not in policy,
            "base": not html or route == FRAME or "base-uri 'none'" in policy,
            "referrer": headers.get("referrer-policy") in ("same-origin", "strict-origin", "no-referrer"),
            "not kept": route in KEPT_BY_BROWSERS
            or route == "GET /health"
            or headers.get("cache-control") == "no-store",
            "a kind": answer.status in (204, 303) or bool(headers.get("content-type")),
            "a charset": not html or "charset=utf-8" in headers["content-type"],
            "no other origin": "access-control-allow-origin" not in headers,
            "no software named": not {"server", "x-powered-by"} & set(headers),
        }
        faults += [f"{route}: {name}" for name, right in wanted_here.items() if not right]
    assert not faults, "\n".join(faults)


def test_the_frame_of_a_mail_runs_nothing(world: World) -> None:
    ticket = world.ticket(html="<p>x</p><script>alert(1)</script>")
    me = world.agent()
    answer = world.page(f"/tickets/{ticket}/messages/{world.first_message(ticket)}/html?images=1", world.cookie(me))
    policy = str(answer.headers["Content-Security-Policy"])
    sandbox = re.search(r"sandbox([^;]*)", policy)
    assert sandbox and "allow-scripts" not in sandbox[1] and "allow-forms" not in sandbox[1]
    assert "script-src" not in policy and "form-action 'none'" in policy and "<script" not in answer.text


@pytest.mark.parametrize("path", ["/lists/open", "/api/v1/tickets", "/sign-in"])
def test_refusals_carry_them_too(world: World, path: str) -> None:
    for method in ("GET", "PUT", "POST"):
        answer = world.send(method, path, {"content-type": "text/plain"}, b"x")
        assert answer.headers["X-Content-Type-Options"] == "nosniff", (method, answer)
        assert "frame-ancestors 'none'" in str(answer.headers["Content-Security-Policy"])


def test_no_route_lets_another_origin_in() -> None:
    from app import app

    assert [route for route in routes() for entry in [_entry(app, route)] if entry.cors] == []
    assert "Access-Control-Allow-Origin" not in " ".join(strings_in(gateway_responses()))


def _entry(app: Any, route: str) -> Any:
    method, _, path = route.partition(" ")
    return app.routes[path][method]


ODD = (
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
    "/%0d%0aX:y", "https:evil.example", "/\t/evil.example", "http://desk.test@evil.example", "data:text/html,x",
    "/ok\r\nSet-Cookie: a=b", "////evil.example", "/\u2028/evil.example", " https://evil.example",
)  # fmt: skip
WHERE_TO = ("next", "in", "sent", "done", "cursor", "before", "mode", "return", "redirect", "url", "entry", "letter")


def test_no_redirect_leads_elsewhere(world: World) -> None:
    """Every route, with every odd address in every parameter that pages know: its redirect stays on the desk."""
    me = world.agent("admin")
    faults = []
    for route in sorted(RULES):
        if RULES[route].kind not in ("console", "public") or route.endswith(("/files/{file_id}", "/original")):
            continue  # the last two lead to S3, see test_links
        method, _, pattern = route.partition(" ")
        this = wanted(world, route, me)
        path = pattern.format_map(this.parts)
        for turn in range(3):
            odd = {name: ODD[(at * 3 + turn * 5) % len(ODD)] for at, name in enumerate(WHERE_TO)}
            query = "&".join(f"{name}={quote(value, safe='')}" for name, value in odd.items() if name not in this.query)
            path_now = path + (f"{this.query}&" if this.query else "?") + query
            cookie = world.cookie(me)
            if method == "GET":
                answer = world.page(path_now, cookie)
            else:
                fields = {"csrf": world.csrf(cookie), "next": odd["next"]}
                answer = world.form(
                    path_now, fields, cookie, referer="https://evil.example/lists/open?in=//evil.example"
                )
            target = answer.location or str(answer.headers.get("HX-Redirect", ""))
            if target and not re.match(r"/(?![/\\])[\x21-\x7e]*$", target):
                faults.append(f"{route} with {odd}: {target!r}")
            if "a=b" in str(answer.headers.get("Set-Cookie", "")):
                faults.append(f"{route}: a cookie of the caller's making")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("after", ODD)
def test_signing_in_leads_nowhere_else(world: World, after: str) -> None:
    from tests.services.people import GOOD_PASSWORD

    me = world.agent()
    answer = world.form("/sign-in", {"email": me.email, "password": GOOD_PASSWORD, "next": after})
    assert answer.status == 303
    assert answer.location in ("/lists/mine", "/%0d%0aX:y"), "the second is a path of ours, however odd"


def test_on_plain_http_nothing_promises_https(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL", "1")
    config.settings.cache_clear()
    for path in ("/sign-in", "/api/v1/health", "/static/x/desk.css"):
        assert "Strict-Transport-Security" not in world.page(path).headers


def test_a_page_says_nothing_of_what_went_wrong_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.store import lists

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of the house")

    monkeypatch.setattr(lists, "page", broken)
    answer = world.page("/lists/open", world.cookie(world.agent()))
    assert answer.status == 500
    assert "secret of the house" not in answer.text and "Traceback" not in answer.text


def test_the_session_cookie_is_read_from_the_cookie_header_alone(world: World) -> None:
    cookie = world.cookie(world.agent())
    assert world.page(f"/lists/mine?{COOKIE}={cookie}").location.startswith("/sign-in")
    answer = world.send("GET", "/lists/mine", {"authorization": f"Bearer {cookie}", "content-type": FORM})
    assert answer.location.startswith("/sign-in")
