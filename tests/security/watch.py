"""A server that hostile mail would like to reach, and everything a browser did on the network.

Chromium finds every name below ``localhost`` on this machine without asking anybody, so each vector can have a host of
its own.  The server sees what is fetched; the browser's own log of the network sees names that are only looked up and
connections that carry nothing.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.security.corpus import HOST

PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
LOGGED_HOST = re.compile(r'"(?:host|hostname|dns_query_name)":"(?:\w+://)?([^"/:]+)')
LOGGED_URL = re.compile(r'"(?:url|uri|original_url)":"(\w+)://([^"/:?#]+)')


@dataclass(frozen=True)
class Fetched:
    """A request: the vector's number, 0 for the server's own pages; what it told about the reader."""

    vector: int
    method: str
    path: str
    told: dict[str, str]


@dataclass
class Watch:
    port: int = 0
    fetched: list[Fetched] = field(default_factory=list)
    pages: dict[str, tuple[dict[str, str], bytes]] = field(default_factory=dict)
    """Own pages by path: headers and body."""

    @property
    def vectors(self) -> set[int]:
        return {each.vector for each in self.fetched}

    def answer(self, vector: int, path: str) -> tuple[dict[str, str], bytes]:
        """Something that does harm where the kind of file allows it."""
        run = f"console.log(/ran{vector}/)"
        ending = path.partition("?")[0].rpartition(".")[2]
        kinds = {
            "js": ("text/javascript", run),
            "css": ("text/css", "*{background-image:url(/inner)}"),
            "html": ("text/html", f"<script>{run}</script>"),
            "svg": ("image/svg+xml", f'<svg xmlns="http://www.w3.org/2000/svg" id="x" onload="{run}"></svg>'),
        }
        kind, body = kinds.get(ending, ("image/gif", ""))
        return {"Content-Type": kind, "Access-Control-Allow-Origin": "*"}, body.encode() or PIXEL


@contextmanager
def watching() -> Iterator[Watch]:
    watch = Watch()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            host = HOST.search(self.headers.get("Host", ""))
            if host is None:
                headers, body = watch.pages.get(self.path, ({}, b""))
            else:
                told = {name.lower(): value for name, value in self.headers.items()}
                watch.fetched.append(Fetched(int(host[1]), self.command, self.path, told))
                headers, body = watch.answer(int(host[1]), self.path)
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(body)), "Cache-Control": "no-store"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_HEAD = do_OPTIONS = answer

        def log_message(self, format: str, *args: object) -> None:
            """Keep the screen for the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    watch.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def logged_hosts(log: Path) -> set[str]:
    """Every host that the browser looked up, connected to or asked, by its own log (whole once it has ended)."""
    text = log.read_text("utf-8", "replace")
    json.loads(text)  # a log that was cut off would prove nothing
    return set(LOGGED_HOST.findall(text)) | {host for _, host in LOGGED_URL.findall(text)}
