"""The API behind a real socket, for clients that speak HTTP: one request at a time, as one function has."""

import http
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalice.local import LocalGateway

from tests.api.client import gateway, send

NOTHING = b'{"type":"about:blank","title":"Not found","status":404,"detail":"There is nothing at this address."}'
"""What API Gateway is told to answer of paths it does not know."""


@contextmanager
def serving() -> Iterator[str]:
    """Yield the address at which the API answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(gateway()))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def _handler(made: LocalGateway) -> type[BaseHTTPRequestHandler]:
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                with one_at_a_time:
                    found = send(made, self.command, self.path, headers, body or None)
                status, sent, text = found.status, found.headers, found.text.encode()
            except ValueError:  # the gateway knows no such path
                status, sent, text = 404, {"Content-Type": "application/problem+json"}, NOTHING
            self.send_response(status)
            for name, value in sent.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the screen for the tests."""

    for method in (*http.HTTPMethod, "QUERY"):
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler
