"""An agent's console as a program: its pages, its forms, its socket, and the list that its screen would show."""

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from selectolax.lexbor import LexborHTMLParser, LexborNode
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

TIMEOUT = 60.0
SOCKET_TRIES = 5
LIST = "open"
HTMX = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}


@dataclass
class Taken:
    """What every agent's requests took, by page, and what went wrong."""

    milliseconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    sockets_refused: int = 0

    def note(self, page: str, begun: float) -> None:
        self.milliseconds[page].append((time.perf_counter() - begun) * 1000)


@dataclass(frozen=True)
class Row:
    """What a list shows of a ticket, as far as two rows can be told apart by it."""

    ticket: str
    updated: str
    last: str
    state: str
    subject: str
    snippet: str


@dataclass(frozen=True)
class Composer:
    """The hidden fields of an opened ticket's form."""

    ticket: str
    seed: str
    last_seen: str


def row_of(node: LexborNode) -> Row:
    said = {name: value or "" for name, value in node.attributes.items()}
    words = {name: _words(node, name) for name in ("what", "snippet")}
    return Row(
        said["data-ticket"],
        said["data-updated"],
        said["data-last"],
        said["data-state"],
        words["what"],
        words["snippet"],
    )


def _words(node: LexborNode, name: str) -> str:
    found = node.css_first(f".{name}")
    return found.text().strip() if found is not None else ""


def rows_in(html: str) -> dict[str, Row]:
    return {row.ticket: row for row in map(row_of, LexborHTMLParser(html).css("li.row"))}


def composer_in(html: str, ticket: str) -> Composer:
    fields = {
        str(node.attributes.get("name")): node.attributes.get("value") or ""
        for node in LexborHTMLParser(html).css("#composer > input[type=hidden]")
    }
    return Composer(ticket, fields["seed"], fields["last_seen"])


class Console:
    """One signed-in agent.  ``rows`` is what the open list would show: the page's rows, then what the socket pushed."""

    def __init__(self, url: str, cookie: str, agent_id: str, taken: Taken, door: asyncio.Semaphore) -> None:
        self.agent_id = agent_id
        self._door = door
        """So many requests at once as there are functions for; waiting at it is part of what a page takes."""
        self.rows: dict[str, Row] = {}
        self.more = False
        self.heard: dict[str, float] = {}
        """Messages pushed into the opened ticket, by id, and when."""
        self.subjects: dict[str, float] = {}
        """Subjects of pushed rows, and when each was first heard."""
        self.frames = self.crossed = self.caught_up = 0
        self._versions: dict[str, int] = {}
        self._came: dict[str, float] = {}
        self._asking: asyncio.Task[None] | None = None
        self.since = 0.0
        """When the socket was open."""
        self._taken, self._csrf = taken, ""
        self._browser = httpx.AsyncClient(
            base_url=url, cookies={"deskbell": cookie}, timeout=TIMEOUT, headers={"Sec-Fetch-Site": "same-origin"}
        )
        self._socket: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None

    # -- pages ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Load the page and open its socket, as a browser does."""
        page = await self._ask("whole page", "GET", f"/lists/{LIST}", headers={})
        data = {name: value or "" for name, value in _the(page, "body").attributes.items()}
        self._csrf = data["data-csrf"]
        self.rows, self.more = rows_in(page), 'id="more"' in page
        await self._listen_at(data["data-live-url"], data["data-live-pass"], data["data-now"])

    async def _listen_at(self, url: str, live_pass: str, made: str) -> None:
        """Open the socket; where it is refused, try again with a new pass and look at what was missed, as live.js."""
        for attempt in range(SOCKET_TRIES):
            try:
                async with self._door:
                    begun = time.perf_counter()
                    self._socket = await connect(
                        f"{url}?pass={live_pass}",
                        max_size=None,
                        open_timeout=TIMEOUT,
                        ping_interval=None,
                        compression=None,
                    )
                    self._taken.note("socket", begun)
                break
            except (OSError, WebSocketException):
                self._taken.sockets_refused += 1
                await asyncio.sleep(2**attempt)
                live_pass = _pass_in(await self._ask("pass", "POST", "/live-pass"))
        else:
            raise RuntimeError(f"{self.agent_id} could not open a socket")
        self.since = time.monotonic()
        self._listening = asyncio.create_task(self._listen(self._socket))
        await self._socket.send(json.dumps({"look": "", "since": made}))
        if attempt:
            await self._catch_up()

    async def _catch_up(self) -> None:
        """As ``catchUp`` in tools.js: what was pushed meanwhile is newer than the answer."""
        asked = time.monotonic()
        found = await self.first_rows()
        pushed = {ticket for ticket, came in self._came.items() if came >= asked}
        self.rows = {ticket: row for ticket, row in found.items() if ticket not in pushed} | {
            ticket: row for ticket, row in self.rows.items() if ticket in pushed
        }
        self.caught_up += 1

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        for task in (self._listening, self._asking):
            if task is not None:
                await asyncio.wait([task])
        await self._browser.aclose()

    async def look(self, ticket: str) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps({"look": ticket}))

    async def show_list(self) -> None:
        """Another list and back: what the rail's links fetch."""
        await self._ask("list", "GET", "/lists/unassigned")

    async def first_rows(self) -> dict[str, Row]:
        return rows_in(await self._ask("rows", "GET", f"/lists/{LIST}/rows"))

    async def open_ticket(self, ticket: str) -> Composer:
        page = await self._ask("ticket", "GET", f"/tickets/{ticket}", params={"in": LIST})
        await self.look(ticket)
        return composer_in(page, ticket)

    async def search(self, words: str) -> None:
        await self._ask("search", "GET", "/search", params={"q": words})

    async def draft(self, composer: Composer, text: str) -> None:
        await self._ask("draft", "POST", f"/tickets/{composer.ticket}/draft", data=_typed(composer, text))

    async def change(self, ticket: str, **field_: str) -> None:
        await self._ask("change", "POST", f"/tickets/{ticket}/change", data=field_)

    async def note(self, composer: Composer, text: str) -> None:
        data = {**_typed(composer, text), "mode": "note"}
        await self._ask("note", "POST", f"/tickets/{composer.ticket}/write", data=data)

    async def reply(self, composer: Composer, text: str) -> bool:
        """True when it was taken; False when it was stopped because the conversation has moved on."""
        path = f"/tickets/{composer.ticket}/write"
        page = await self._ask("reply", "POST", path, also=(409,), data=_typed(composer, text))
        if 'role="alert"' not in page:
            return True
        kept = text in page
        if not kept or "Send anyway" not in page:
            self._taken.errors.append(
                f"a stopped reply to #{composer.ticket} came back without its words or its choice"
            )
        return False

    async def _ask(self, what: str, method: str, path: str, also: tuple[int, ...] = (), **given: Any) -> str:
        headers = {**HTMX, "X-CSRF-Token": self._csrf} if "headers" not in given else given.pop("headers")
        begun = time.perf_counter()
        async with self._door:
            answer = await self._browser.request(method, path, headers=headers, **given)
        self._taken.note(what, begun)
        if answer.status_code >= 300 and answer.status_code not in also:
            self._taken.errors.append(f"{method} {path}: {answer.status_code}")
        return answer.text

    # -- the socket ----------------------------------------------------------------------------------------------

    async def _listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            self.frames += 1
            frame = json.loads(text)
            if "missed" in frame:
                self._asking = asyncio.create_task(self._catch_up())
            if "row" in frame:
                self._put(frame["row"])
            if "message" in frame:
                self.heard.setdefault(frame["message"]["id"], time.monotonic())

    def _put(self, pushed: dict[str, Any]) -> None:
        """As ``putRow`` in desk.js."""
        if pushed["version"] < self._versions.get(pushed["ticket"], 0):
            self.crossed += 1
            return
        self._versions[pushed["ticket"]] = pushed["version"]
        self._came[pushed["ticket"]] = time.monotonic()
        node = LexborHTMLParser(pushed["html"]).css_first("li.row")
        assert node is not None
        row = row_of(node)
        self.subjects.setdefault(row.subject, time.monotonic())
        if LIST not in pushed["lists"]:
            self.rows.pop(row.ticket, None)
        elif row.ticket in self.rows or not self.more or any(row.updated > each.updated for each in self.rows.values()):
            self.rows[row.ticket] = row

    async def until(self, heard: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not heard():
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.05)
        return True


def _typed(composer: Composer, text: str) -> dict[str, str]:
    return {"seed": composer.seed, "mode": "reply", "last_seen": composer.last_seen, "text": text, "html": ""}


def _pass_in(answer: str) -> str:
    """ "" where the desk answered something else: the next try asks anew."""
    try:
        said = json.loads(answer)
    except ValueError:
        return ""
    return str(said.get("pass", "")) if isinstance(said, dict) else ""


def _the(page: str, what: str) -> LexborNode:
    found = LexborHTMLParser(page).css_first(what)
    if found is None or not re.search(r"data-live-pass", page):
        raise RuntimeError("the console did not let an agent in")
    return found
