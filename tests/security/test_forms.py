"""Every form of the console, sent by somebody else than a page of ours: refused, and nothing changed."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from tests.security.requests import wanted
from tests.security.rules import RULES
from tests.security.world import COOKIE, FORM, HOST, Answer, World

pytestmark = pytest.mark.engine
MUTATING = sorted(route for route, rule in RULES.items() if route.startswith("POST ") and rule.kind == "console")
PUBLIC = sorted(route for route, rule in RULES.items() if route.startswith("POST ") and rule.kind == "public")
OURS = {"content-type": FORM, "origin": f"https://{HOST}"}

Send = Callable[[World, str, str, dict[str, str]], Answer]


def _send(world: World, path: str, cookie: str, fields: dict[str, str], **headers: str) -> Answer:
    sent = OURS | {name.replace("_", "-"): value for name, value in headers.items()}
    return world.send("POST", path, sent | {"cookie": f"{COOKIE}={cookie}"}, urlencode(fields, doseq=True).encode())


FORGERIES: dict[str, tuple[str, dict[str, str]]] = {
    "no token": ("", {}),
    "a made-up token": ("made-up", {}),
    "the token of another session": ("other", {}),
    "another site's page": ("own", {"origin": "https://evil.example"}),
    "a sandboxed frame": ("own", {"origin": "null"}),
    "another site, says the browser": ("own", {"sec_fetch_site": "cross-site"}),
    "a sister site, says the browser": ("own", {"sec_fetch_site": "same-site"}),
    "another scheme of ours": ("own", {"origin": f"https://{HOST}.evil.example"}),
}


def test_no_form_of_the_console_can_be_sent_by_somebody_else(world: World) -> None:
    me = world.agent("admin")
    cookie, other = world.cookie(me), world.cookie(me)
    tokens = {"": None, "made-up": "made-up", "other": world.csrf(other), "own": world.csrf(cookie)}
    prepared = {route: wanted(world, route, me) for route in MUTATING}
    before = world.everything()
    faults = []
    for route, this in prepared.items():
        path = route.removeprefix("POST ").format_map(this.parts)
        for name, (token, headers) in FORGERIES.items():
            given = tokens[token]
            fields = dict(this.fields) | ({"csrf": given} if given is not None else {})
            answer = _send(world, path, cookie, fields, **headers)
            if answer.status != 403:
                faults.append(f"{route} by {name}: {answer.status}")
    assert not faults, "\n".join(faults)
    assert world.everything() == before
    assert len(prepared) >= 35, "the search finds the forms"


def test_a_json_body_or_a_plain_text_one_is_no_form(world: World) -> None:
    """Other sites can send these two kinds without asking first."""
    me = world.agent("admin")
    cookie = world.cookie(me)
    faults = []
    for route in MUTATING:
        this = wanted(world, route, me)
        path = route.removeprefix("POST ").format_map(this.parts)
        body = json.dumps({"csrf": world.csrf(cookie)}).encode()
        for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x"):
            answer = world.send("POST", path, {"cookie": f"{COOKIE}={cookie}", "content-type": kind}, body)
            if answer.status != 415:
                faults.append(f"{route} as {kind}: {answer.status}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}]
)
def test_not_even_signing_in_can_be_started_by_another_site(world: World, headers: dict[str, str]) -> None:
    """A victim signed in as the attacker would write into the attacker's account."""
    me = world.agent("admin")
    for route in PUBLIC:
        this = wanted(world, route, me)
        answer = world.form(route.removeprefix("POST "), this.fields, **headers)
        assert answer.status == 403, route
        assert "Set-Cookie" not in answer.headers


READINGS = ("LIVETICKET#", "LEDGER ", "LEDGERREAD ", "USAGE ", "COUNTERS ~day")
"""A page's pass to its socket, and accounts that are kept so as not to be made twice: nothing that anybody decided."""


def lasting(world: World) -> dict[str, object]:
    return {key: item for key, item in world.everything().items() if not key.startswith(READINGS)}


def test_nothing_is_changed_by_a_get(world: World) -> None:
    """Links and pictures of other sites ask with the agent's cookie: asking may leave no more than "has seen"."""
    me = world.agent("admin")
    cookie = world.cookie(me)
    calls = [route for route, rule in RULES.items() if route.startswith("GET ") and rule.kind in ("console", "public")]
    prepared = {route: wanted(world, route, me) for route in calls}
    world.page(f"/tickets/{world.known['ticket_id']}", cookie)
    before = lasting(world)
    for route, this in prepared.items():
        world.page(route.removeprefix("GET ").format_map(this.parts) + this.query, cookie)
    assert lasting(world) == before
