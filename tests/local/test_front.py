"""The stable address in front of the engine."""

import asyncio
import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.front import Front, Routes


class Engine:
    """Stands in for the engine: notes what it is asked and gives one answer."""

    def __init__(
        self,
        body: bytes = b"",
        content_type: bytes = b"text/html; charset=utf-8",
        status: int = 200,
        more: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        self.body, self.status, self.headers = body, status, [(b"content-type", content_type), *more]
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def ask(front: Front, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, Any, bytes]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    sent_headers = {"host": "127.0.0.1:8000", **headers}
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in sent_headers.items()]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": named,
             "client": ("127.0.0.9", 1)}  # fmt: skip
    with ThreadPoolExecutor(1) as other:  # a browser of other tests may hold a loop on this thread
        other.submit(lambda: asyncio.run(front(scope, receive, send))).result()
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def front_of(engine: Engine) -> Front:
    return Front(engine, Routes("/_aws/execute-api/abc/api", "/_aws/execute-api/ws/api"), 8000)


def test_a_path_goes_to_the_stage_with_its_host_and_protocol() -> None:
    engine = Engine()
    ask(front_of(engine), "/tickets/1%2F2", host="127.0.0.1:8000")
    (scope,) = engine.scopes
    assert scope["path"] == "/_aws/execute-api/abc/api/tickets/1%2F2"
    assert scope["raw_path"] == b"/_aws/execute-api/abc/api/tickets/1%2F2"
    headers = dict(scope["headers"])
    assert headers[b"host"] == b"127.0.0.1:8000"
    assert headers[b"x-forwarded-proto"] == b"http"
    assert headers[b"x-forwarded-for"] == b"127.0.0.9"


def test_text_is_compressed_for_those_who_take_it() -> None:
    page = b"<p>" * 1000
    status, headers, body = ask(front_of(Engine(page)), "/", accept_encoding="gzip, br")
    assert status == 200
    assert headers[b"content-encoding"] == b"gzip"
    assert headers[b"content-length"] == str(len(body)).encode()
    assert gzip.decompress(body) == page


@pytest.mark.parametrize(
    ("engine", "accepts"),
    [
        (Engine(b"<p>" * 1000), "identity"),
        (Engine(b"short"), "gzip"),
        (Engine(b"\x89PNG" * 1000, b"image/png"), "gzip"),
    ],
)
def test_other_answers_stay_as_they_are(engine: Engine, accepts: str) -> None:
    _, headers, body = ask(front_of(engine), "/", accept_encoding=accepts)
    assert b"content-encoding" not in headers
    assert body == engine.body


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/_local/clock", b"soon", "Send a JSON object"),
        ("/_local/clock", b"[]", "Send a JSON object"),
        ("/_local/clock", b'{"advance_seconds": true}', "advance_seconds"),
        ("/_local/ses", b'{"mode": "fire"}', "mode"),
    ],
)
def test_a_wrong_local_request_is_answered_with_a_sentence(path: str, body: bytes, says: str) -> None:
    status, _, answer = ask(front_of(Engine()), path, "POST", body)
    assert status == 400
    assert says in json.loads(answer)["message"]


def test_unknown_local_paths_are_not_passed_on() -> None:
    engine = Engine()
    assert ask(front_of(engine), "/_local/other")[0] == 404
    assert engine.scopes == []


def test_an_unknown_path_is_answered_as_api_gateway_will() -> None:
    mark = (b"x-amzn-ErrorType", b"MissingAuthenticationTokenException")
    engine = Engine(b'{"message":"Missing Authentication Token"}', b"application/json", 403, (mark,))
    status, headers, body = ask(front_of(engine), "/nowhere")
    assert (status, headers[b"content-type"]) == (404, b"application/problem+json")
    assert json.loads(body)["detail"] == "There is nothing at this address."


def test_a_refusal_of_our_own_stays_as_it_is() -> None:
    engine = Engine(b"no", b"text/html", 403)
    assert ask(front_of(engine), "/settings")[0] == 403
