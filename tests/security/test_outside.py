"""An address that somebody typed is called only when it is one of the internet."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from chalicelib import config, wiring
from chalicelib.errors import MalformedPayload, Refused
from chalicelib.jobs import delivery_events
from chalicelib.services import outside
from tests.engine import ROOT, Desk
from tests.security.world import World

INNER = [
    "http://127.0.0.1:9001", "https://127.0.0.1", "https://localhost", "http://169.254.169.254", "https://169.254.169.254",
    "https://10.0.0.1", "https://[::1]", "https://[fd00:ec2::254]", "https://[::ffff:169.254.169.254]", "https://0",
    "https://2130706433", "https://0x7f.1", "https://0x7f000001", "https://017700000001", "https://127.1", "https://１２７.0.0.1",
    "http://127.0.0.1.evil.example", "http://localhost@evil.example", "https://user@api.telegram.org",
    "https://api.telegram.org:8443", "https://api.telegram.org?x=", "https://api.telegram.org#x", "https://metadata.internal",
    "https://db.local", "https://intranet", "ftp://api.telegram.org", "file:///etc/passwd", "gopher://x.example",
    "https://", "//api.telegram.org", "https://api.telegram.org\\@10.0.0.1", "https://api telegram.org", "https://a\r\nb.example",
    "https://ap%69.telegram.org:x", "https://x..example", "https://api.telegram.org./\u2028",
]  # fmt: skip


@pytest.mark.parametrize("url", INNER)
def test_an_inner_or_odd_address_is_refused(url: str) -> None:
    assert outside.fault(url, local=False)


@pytest.mark.parametrize(
    "url", ["https://api.telegram.org", "https://bots.shop.example/api", "https://bots.example:443"]
)
def test_a_server_of_the_internet_is_not(url: str) -> None:
    assert outside.fault(url, local=False) == ""


def test_locally_a_simulator_may_answer() -> None:
    assert outside.fault("http://127.0.0.1:9/bot", local=True) == ""
    assert outside.fault("http://10.0.0.1", local=True)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.0", "::1", "fe80::1%eth0",
     "fd00:ec2::254", "::ffff:127.0.0.1", "224.0.0.1", "255.255.255.255"],
)  # fmt: skip
def test_where_a_connection_may_not_lead(address: str) -> None:
    assert not outside.is_outside(address)
    assert outside.is_outside("149.154.167.220") and outside.is_outside("2001:67c:4e8:f004::9")


@contextmanager
def a_server() -> Iterator[tuple[int, list[bytes]]]:
    """Somebody on this very machine; every byte it gets."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def listen() -> None:
            try:
                client, _ = server.accept()
            except (TimeoutError, OSError):
                return
            with client:
                client.settimeout(2)
                try:
                    heard.append(client.recv(1000))
                except (TimeoutError, OSError):
                    return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield server.getsockname()[1], heard
        thread.join(timeout=6)


@pytest.mark.engine
def test_a_name_that_leads_inside_is_given_up_before_a_byte_is_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is fine and the name server lies, or changes its mind: what counts is where the socket is open to."""
    with a_server() as (port, heard):

        def lying(host: str, _: object, *__: object, **___: object) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        wiring._pool.cache_clear()
        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", lying)
            with pytest.raises(Refused):
                wiring.post_json("https://api.telegram.org/bot1:secret/getMe", {})
    wiring._pool.cache_clear()
    assert heard in ([], [b""]), "nothing was said to it"


@pytest.mark.engine
@pytest.mark.parametrize("address", ["http://127.0.0.1:9001", "https://169.254.169.254", "https://db.internal"])
def test_no_form_and_no_call_of_the_api_leads_inside(world: World, address: str) -> None:
    wanted = {"channel": "telegram", "name": "Bot", "bot_token": "1:secret", "base_url": address, "active": "1"}
    me = world.agent("admin")
    cookie = world.cookie(me)
    page = world.form("/settings/inboxes/new", {"csrf": world.csrf(cookie), **wanted}, cookie)
    assert page.status == 422, page.text[:300]
    body = {"channel": "telegram", "name": "Bot", "secrets": {"bot_token": "1:x"}, "base_url": address}
    answer = world.call("POST", "/api/v1/inboxes", world.token("admin"), body)
    assert (answer.status, list(json.loads(answer.text)["fields"])) == (422, ["base_url"])


class Endless(BaseHTTPRequestHandler):
    """Redirects once, then talks without end."""

    def do_POST(self) -> None:
        if self.path.endswith("/redirect"):
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"x" * 100_000)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the screen for the tests."""


@pytest.mark.engine
def test_redirects_are_not_followed_and_answers_are_cut(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL", "1")
    config.settings.cache_clear()
    wiring._pool.cache_clear()
    with HTTPServer(("127.0.0.1", 0), Endless) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        here = f"http://127.0.0.1:{server.server_port}"
        assert wiring.post_json(f"{here}/redirect", {}).status == 307
        assert len(wiring.post_json(f"{here}/endless", {}).body) <= wiring.MAX_ANSWER_BYTES
        server.shutdown()
        thread.join(timeout=10)
    wiring._pool.cache_clear()


def test_nothing_else_of_the_program_opens_connections() -> None:
    """One place calls the world (``wiring.post_json``), one asks name servers; AWS is reached through botocore."""
    calls = (
        "urlopen",
        "import requests",
        "http.client",
        "urllib.request",
        "PoolManager(",
        "socket.create_connection",
        "socket.socket(",
    )
    found = {
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "chalicelib").rglob("*.py"))
        if any(call in path.read_text("utf-8") for call in calls)
    }
    assert found == {"chalicelib/wiring.py", "chalicelib/services/outside.py", "chalicelib/services/dns_lookup.py"}


@pytest.mark.engine
def test_a_confirmation_url_in_a_notice_is_never_fetched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """SNS subscriptions are made by the template; whoever forges such a notice gets no request out of us."""
    asked: list[str] = []
    monkeypatch.setattr(wiring, "post_json", lambda url, payload: asked.append(url))
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: asked.append("socket"))
    document = {
        "Type": "SubscriptionConfirmation", "SubscribeURL": "https://169.254.169.254/", "Token": "x", "Message": "x",
        "UnsubscribeURL": "https://169.254.169.254/", "SigningCertURL": "https://169.254.169.254/cert.pem",
    }  # fmt: skip
    for message in (json.dumps(document), json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded"})):
        with contextlib.suppress(MalformedPayload):
            delivery_events.apply({"Records": [{"Sns": {"Message": message, **document}}]})
    assert asked == []


def test_the_template_subscribes_functions_and_queues_only() -> None:
    """No https subscription: nobody posts notices at us over the internet, so there is no signature to check."""
    text = "".join(path.read_text("utf-8") for path in Path(ROOT / "infra/resources").rglob("*.py"))
    assert '"Protocol": "https"' not in text and '"Protocol": "http"' not in text
