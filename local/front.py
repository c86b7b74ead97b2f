"""The desk's stable address: ``http://127.0.0.1:8000`` in front of an API whose id changes with its routes.

It runs on the engine's own event loop and calls the engine without a socket, so it costs no hop:
every path goes to the REST API's stage, ``/live`` to the WebSocket API, ``/_local/`` to what only a laptop has.
"""

import asyncio
import gzip
import json
from dataclasses import dataclass
from typing import Any, cast, get_args

from infra.resources.http import gateway_responses
from local.asgi import AsgiApp, Send
from local.clock import Clock
from local.door import Door, console_origins
from local.outbox import Mode, Outbox, Trouble

MIN_GZIP_BYTES = 1024
GZIP_LEVEL = 5
TEXT_TYPES = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")
TROUBLE_AFTER_EFFECT: tuple[Mode, ...] = ("timeout",)
"""Modes in which the mail goes out all the same, unless the request says otherwise."""

UNKNOWN_PATH = (b"x-amzn-errortype", b"MissingAuthenticationTokenException")
"""How the engine, like API Gateway, marks a path that no route has."""
UNKNOWN = gateway_responses()["MISSING_AUTHENTICATION_TOKEN"]

Json = dict[str, Any]


@dataclass(frozen=True)
class Routes:
    """Where the stack's APIs are reached on the engine."""

    rest: str
    """``/_aws/execute-api/<id>/<stage>``"""
    live: str


class BadRequest(Exception):
    """A sentence for the caller."""


class Front:
    """An ASGI application.  ``routes`` may be replaced while it runs."""

    def __init__(self, engine_app: AsgiApp, routes: Routes, port: int) -> None:
        self.routes = routes
        self.clock: Clock | None = None
        self.outbox: Outbox | None = None
        self._engine_app, self._port = engine_app, port
        self._moving = asyncio.Lock()
        self._door = Door(self._answer, console_origins(port), own_pages=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._door(scope, receive, send)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._engine_app(_moved(scope, self.routes.live, keep_path=False), receive, send)
        elif scope["path"].startswith("/_local/"):
            await self._local(scope, receive, send)
        else:
            inner = _moved(scope, self.routes.rest)
            inner["headers"] = [*scope["headers"], *self._forwarded(scope)]
            await self._engine_app(inner, receive, _as_the_gateway(_compressing(scope, send)))

    def _forwarded(self, scope: Any) -> list[tuple[bytes, bytes]]:
        client = (scope.get("client") or ("127.0.0.1",))[0]
        return [
            (b"x-forwarded-proto", b"http"),
            (b"x-forwarded-port", str(self._port).encode()),
            (b"x-forwarded-for", str(client).encode()),
        ]

    # -- what only a laptop has ----------------------------------------------------------------------------------

    async def _local(self, scope: Any, receive: Any, send: Any) -> None:
        handlers = {
            ("POST", "/_local/clock"): self._move_clock,
            ("POST", "/_local/ses"): self._trouble_ses,
            ("POST", "/_local/stream"): self._hold_stream,
        }
        handler = handlers.get((scope["method"], scope["path"]))
        body = await _body(receive)
        if handler is None:
            await _answer(send, 404, {"message": "There is POST /_local/clock, /_local/ses and /_local/stream."})
            return
        try:
            await _answer(send, 200, await handler(_object(body)))
        except BadRequest as error:
            await _answer(send, 400, {"message": str(error)})

    async def _move_clock(self, request: Json) -> Json:
        seconds = request.get("advance_seconds")
        if self.clock is None or not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise BadRequest('Send {"advance_seconds": <number>}.')
        async with self._moving:
            try:
                fired = await asyncio.to_thread(self.clock.advance, float(seconds))
            except ValueError as error:
                raise BadRequest(f"{error}.") from error
        return {"offset_seconds": self.clock.offset_seconds, "now": self.clock.now().isoformat(), "fired": fired}

    async def _trouble_ses(self, request: Json) -> Json:
        mode, count = request.get("mode"), request.get("count", 1)
        if self.outbox is None or mode not in get_args(Mode) or not isinstance(count, int) or count < 0:
            raise BadRequest(f'Send {{"mode": one of {", ".join(get_args(Mode))}, "count": <number of sends>}}.')
        sent = bool(request.get("sent", mode in TROUBLE_AFTER_EFFECT))
        self.outbox.trouble = Trouble(cast(Mode, mode), count, sent)
        return {"mode": mode, "count": count, "sent": sent}

    async def _hold_stream(self, request: Json) -> Json:
        """The table's stream stands still (``{"hold": true}``) or goes on, with or without what it held back."""
        hold, forget = request.get("hold"), request.get("forget", False)
        if self.clock is None or not isinstance(hold, bool) or not isinstance(forget, bool):
            raise BadRequest('Send {"hold": true}, or {"hold": false, "forget": <true to delete what was held>}.')
        engine = self.clock.engine
        if hold:
            engine.hold_stream()
            return {"hold": True}
        return {"hold": False, "forgotten": await asyncio.to_thread(engine.release_stream, forget)}


def _moved(scope: Any, prefix: str, keep_path: bool = True) -> Any:
    raw = scope.get("raw_path") or scope["path"].encode()
    path, raw = (prefix + scope["path"], prefix.encode() + raw) if keep_path else (prefix, prefix.encode())
    return {**scope, "path": path, "raw_path": raw}


def _is_unknown_path(start: Any) -> bool:
    return start["status"] == 403 and UNKNOWN_PATH in [(name.lower(), value) for name, value in start["headers"]]


def _as_the_gateway(send: Send) -> Send:
    """Answer unknown paths as the template's gateway response says; the engine knows nothing of those."""
    replaced = False

    async def answer(message: Any) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start" and _is_unknown_path(message):
            replaced = True
            body = UNKNOWN["ResponseTemplates"]["application/json"].encode()
            kind = (b"content-type", b"application/problem+json")
            headers = [kind, (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": UNKNOWN["StatusCode"], "headers": headers})
            await send({"type": "http.response.body", "body": body})
        elif not replaced:
            await send(message)

    return answer


def _compressing(scope: Any, send: Send) -> Send:
    """Compress whole text answers for clients that take it, as API Gateway does."""
    accepted = b",".join(value for name, value in scope["headers"] if name.lower() == b"accept-encoding")
    if b"gzip" not in accepted:
        return send
    held: list[Any] = []

    async def compress(message: Any) -> None:
        if message["type"] == "http.response.start":
            held.append(message)
            return
        if held:
            start = held.pop()
            if not message.get("more_body") and _worth_compressing(start, message.get("body", b"")):
                packed = gzip.compress(message["body"], GZIP_LEVEL, mtime=0)
                start, message = _with_encoding(start, len(packed)), {**message, "body": packed}
            await send(start)
        await send(message)

    return compress


def _worth_compressing(start: Any, body: bytes) -> bool:
    headers = {name.lower(): value for name, value in start["headers"]}
    kind = headers.get(b"content-type", b"").decode("latin-1")
    return len(body) >= MIN_GZIP_BYTES and kind.startswith(TEXT_TYPES) and b"content-encoding" not in headers


def _with_encoding(start: Any, length: int) -> Any:
    kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    added = [(b"content-encoding", b"gzip"), (b"content-length", str(length).encode()), (b"vary", b"Accept-Encoding")]
    return {**start, "headers": kept + added}


async def _lifespan(receive: Any, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _object(body: bytes) -> Json:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise BadRequest("Send a JSON object.") from error
    if not isinstance(document, dict):
        raise BadRequest("Send a JSON object.")
    return document


async def _answer(send: Send, status: int, document: Json) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
