"""A console without a browser: signs in as a person does and listens on the socket as the page does."""

import json
import re
import threading
import time
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

SIGN_IN_SECONDS = 30


class Form(HTMLParser):
    """The first form that asks for a password: where it goes and what its fields hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.email_field = self.password_field = ""
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.password_field:
            self._inside, self.action, self.fields = True, given.get("action", ""), {}
        elif tag == "input" and self._inside and given.get("name"):
            self.fields[given["name"]] = given.get("value", "")
            if given.get("type") == "password":
                self.password_field = given["name"]
            elif given.get("type") == "email" or "email" in given["name"]:
                self.email_field = given["name"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def sign_in(console_url: str, email: str, password: str) -> httpx.Client:
    """A client that carries the session's cookie."""
    browser = httpx.Client(follow_redirects=True, timeout=SIGN_IN_SECONDS, headers={"Sec-Fetch-Site": "same-origin"})
    page = browser.get(console_url + "/")
    form = Form(page.text)
    if not form.password_field:
        raise RuntimeError(f"{page.url} shows no sign-in form (status {page.status_code})")
    filled = {**form.fields, form.email_field: email, form.password_field: password}
    answer = browser.post(urljoin(str(page.url), form.action), data=filled)
    if "data-live-pass" not in browser.get(console_url + "/").text:
        raise RuntimeError(f"signing in as {email} failed (status {answer.status_code})")
    return browser


def socket_address(browser: httpx.Client, console_url: str) -> str:
    """The socket's URL with a fresh pass, as the page names them."""
    page = browser.get(console_url + "/").text
    found = {name: re.search(rf'data-live-{name}="([^"]*)"', page) for name in ("url", "pass")}
    url, live_pass = (match[1] if match else "" for match in found.values())
    return f"{url}?pass={live_pass}"


class Listener:
    """Hands every frame, with the moment it came, to ``hear`` until it is closed."""

    def __init__(self, address: str, hear: Callable[[str, float], None]) -> None:
        from websockets.sync.client import connect

        self._socket: Any = connect(address, max_size=None, open_timeout=SIGN_IN_SECONDS)
        self._socket.send(json.dumps({"look": ""}))  # as every page does first
        self._hear = hear
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.close()
        self._thread.join(SIGN_IN_SECONDS)

    def _listen(self) -> None:
        for frame in self._socket:
            self._hear(str(frame), time.monotonic())
