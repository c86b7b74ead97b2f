"""Who may talk to a port of the local stack: programs of this machine, and the console's own pages.

The engine asks nobody for a password, and every page of the web can make a browser send requests to this machine.  It
cannot read the answers unless they say so, but what it asked for happens.  So each port looks at what a browser cannot
keep a page from telling:

* the host: a name of somebody else's that leads here (DNS rebinding) is not ours;
* the origin: another site's page is refused, and no answer is shared with everybody.

Programs send neither an origin nor ``Sec-Fetch-Site``.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from local.asgi import AsgiApp, Send

OURS = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?")
REFUSED = {"message": "This port serves this machine alone: its own name, and no pages of other sites."}


@dataclass
class Door:
    """An ASGI application in front of ``app``.

    origins: of the pages that may ask.  own_pages: so may those that come from this very port.
    below: what alone browsers may ask for, and those pages read although it has another origin; None: everything, and
    nothing is shared.
    """

    app: AsgiApp
    origins: Collection[str] = ()
    own_pages: bool = False
    below: Collection[str] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        hosts, origins, fetches = (_values(scope, name) for name in (b"host", b"origin", b"sec-fetch-site"))
        known = len(hosts) == 1 and OURS.fullmatch(hosts[0]) is not None
        invited = all(self._is_ours(origin, hosts) for origin in origins)
        reachable = not (origins or fetches) or self._is_below(scope["path"])
        if not (known and invited and reachable):
            await _refuse(scope, receive, send)
            return
        shared_with = origins[0] if origins and self.below is not None else ""
        await self.app(scope, receive, _shared(send, shared_with))

    def _is_ours(self, origin: str, hosts: list[str]) -> bool:
        return origin in self.origins or (self.own_pages and origin == f"http://{hosts[0]}")

    def _is_below(self, path: str) -> bool:
        return self.below is None or any(path == each or path.startswith(f"{each}/") for each in self.below)


def console_origins(port: int) -> tuple[str, ...]:
    """The console has two names on its machine."""
    return f"http://127.0.0.1:{port}", f"http://localhost:{port}"


def _values(scope: Any, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]


def _shared(send: Send, origin: str) -> Send:
    """The engine shares every answer with every page; share it with ``origin``, or with none."""

    async def answer(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [each for each in message["headers"] if not _is_sharing(each[0], bool(origin))]
            named = (b"access-control-allow-origin", origin.encode("latin-1"))
            message = {**message, "headers": kept + ([named, (b"vary", b"Origin")] if origin else [])}
        await send(message)

    return answer


def _is_sharing(name: bytes, origin_known: bool) -> bool:
    """What goes with the origin (methods, headers) means something beside it alone."""
    return name.lower().startswith(b"access-control-allow-origin" if origin_known else b"access-control-")


async def _refuse(scope: Any, receive: Any, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    body = json.dumps(REFUSED).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
