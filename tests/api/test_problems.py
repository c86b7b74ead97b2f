"""What every call has in common: tokens, scopes, bodies, and problems in the form of RFC 9457."""

import json

import pytest

from chalicelib.api import operations, rest
from chalicelib.domain.people import SYSTEM
from chalicelib.services import search, tokens
from chalicelib.store import tickets
from chalicelib.store.transaction import Lost
from tests.api.client import Answer, Api

GOOD = {"inbox_id": "support", "customer": {"email": "ada@customer.example"}, "subject": "Mug", "text": "Broken."}


def assert_problem(answer: Answer, status: int, code: str) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.status, answer.json["status"], answer.json["type"]) == (
        status,
        status,
        f"urn:deskbell:problem:{code}",
    )
    assert answer.json["title"]
    assert answer.json["detail"][-1] in ".…"
    assert answer.json["instance"] == f"urn:deskbell:request:{answer.headers['X-Request-Id']}"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer dbell_unknown", "Bearer " + "x" * 5000]
)
def test_without_a_known_token_nothing_is_shown(api: Api, authorization: str) -> None:
    answer = api.call("GET", "/tickets", headers={"authorization": authorization})
    assert_problem(answer, 401, "not-signed-in")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="deskbell"'


def test_a_revoked_token_is_refused(api: Api) -> None:
    token = tokens.create("to revoke", ("read",), SYSTEM, api.desk.now)
    program = Api(api.desk, token.bearer, api.gateway)
    assert program.get("/tickets").status == 200
    tokens.revoke(token.token.id, SYSTEM, api.desk.now)
    assert_problem(program.get("/tickets"), 401, "not-signed-in")


@pytest.mark.parametrize(
    ("scopes", "method", "path", "allowed"),
    [
        (["read"], "GET", "/tickets", True),
        (["read"], "GET", "/ledger", True),
        (["read"], "POST", "/tickets", False),
        (["read"], "PATCH", "/tickets/1001", False),
        (["read"], "POST", "/dead-letters/x/retry", False),
        (["write"], "POST", "/tickets", True),
        (["write"], "GET", "/ledger", False),
        (["write"], "POST", "/dead-letters/x/discard", False),
        (["write"], "POST", "/inboxes", False),
        (["admin"], "GET", "/ledger", True),
        (["admin"], "GET", "/dead-letters", True),
    ],
)
def test_scopes(api: Api, scopes: list[str], method: str, path: str, allowed: bool) -> None:
    body = GOOD if method == "POST" else {"priority": "low"} if method == "PATCH" else None
    answer = api.as_token(*scopes).call(method, path, body)
    if allowed:
        assert answer.status in (200, 201)
    else:
        assert_problem(answer, 403, "not-allowed")


def test_every_call_but_health_needs_a_right() -> None:
    rest.declare_all()
    assert [name for name, (each, _) in operations.DECLARED.items() if each.action is None] == ["get_health"]


def test_health_is_open_to_everybody(api: Api) -> None:
    answer = api.call("GET", "/health", headers={"authorization": ""})
    assert (answer.status, answer.json["ok"]) == (200, True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\xe9"}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
)
def test_what_is_no_json_object_is_refused(api: Api, body: bytes) -> None:
    assert_problem(api.call("POST", "/tickets", body), 400, "bad-json")


@pytest.mark.parametrize(
    ("content_type", "good"),
    [
        ("application/json; charset=utf-8", True),
        ("APPLICATION/JSON", True),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("application/jsonp", False),
        ("*/*", False),
    ],
)
def test_content_types(api: Api, content_type: str, good: bool) -> None:
    answer = api.call("POST", "/tickets", GOOD, headers={"content-type": content_type})
    if good:
        assert answer.status == 201
    else:
        assert_problem(answer, 415, "wrong-content-type")


def test_a_body_without_a_content_type_is_read_as_json(api: Api) -> None:
    assert api.call("POST", "/tickets", GOOD, headers={"content-type": ""}).status == 201


def test_a_body_in_base_64_is_the_same_body(api: Api) -> None:
    event = api.gateway.event_converter.create_lambda_event(
        method="POST",
        path="/api/v1/tickets",
        headers={"authorization": f"Bearer {api.bearer}", "content-type": "application/json"},
        body=None,
    )
    import base64

    event |= {"body": base64.b64encode(json.dumps(GOOD).encode()).decode(), "isBase64Encoded": True}
    assert api.gateway._app_object(event, None)["statusCode"] == 201


def test_a_huge_body_is_refused_before_it_is_read(api: Api) -> None:
    answer = api.call("POST", "/tickets", b'{"text": "' + b"x" * 4_000_000 + b'"}')
    assert_problem(answer, 413, "too-large")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/tickets", "GET, POST"), ("PUT", "/tickets/1001", "GET, PATCH"), ("POST", "/health", "GET")],
)
def test_another_method_is_a_problem_too(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.call(method, path, {})
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == allowed


def test_more_calls_than_a_token_may_make(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "CALLS_PER_MINUTE", 3)
    api.desk.advance(seconds=20)
    other = api.as_token("read")
    assert [api.get("/teams").status for _ in range(4)] == [200, 200, 200, 429]
    answer = api.get("/teams")
    assert_problem(answer, 429, "too-many")
    assert answer.headers["Retry-After"] == "40"
    assert answer.json["retry_after_seconds"] == 40
    assert other.get("/teams").status == 200
    api.desk.advance(seconds=40)
    assert api.get("/teams").status == 200


def test_a_bug_is_answered_in_words_and_tells_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of the house")

    monkeypatch.setattr(search, "find", broken)
    answer = api.get("/search", q="mug")
    assert_problem(answer, 500, "error")
    assert "secret" not in answer.text


def test_a_lost_race_is_a_conflict(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise Lost(frozenset())

    ticket = api.ticket()
    monkeypatch.setattr(tickets, "load", lost)
    assert_problem(api.patch(f"/tickets/{ticket['id']}", {"priority": "low"}), 409, "conflict")


def test_the_callers_request_id_is_kept_when_it_is_harmless(api: Api) -> None:
    for given, kept in [
        ("order-sync-20261121-7", True),
        ("x" * 65, False),
        ("a b c d e f", False),
        ("<script>", False),
    ]:
        answer = api.call("GET", "/teams", headers={"x-request-id": given})
        assert (answer.headers["X-Request-Id"] == given) is kept


def test_unknown_parameters_are_named(api: Api) -> None:
    answer = api.get("/teams", page=2)
    assert answer.json["fields"] == {"page": "There is no such parameter. None is known here."}
