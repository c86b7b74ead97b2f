"""A browser without scripts: keeps cookies, follows forms as they stand in the page."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from chalice.local import LambdaContext, LocalGateway

from tests.api.client import Answer, gateway

FORM = "application/x-www-form-urlencoded"
HOST = "desk.test"


@dataclass
class PageForm:
    """A form of a page: where it goes and what its fields hold."""

    action: str
    fields: dict[str, list[str]]


class Reader(HTMLParser):
    """Forms, visible text, and what each field is tied to."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.words: list[str] = []
        self.described: dict[str, list[str]] = {}
        self.invalid: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.controls: list[tuple[str, dict[str, Any]]] = []
        self._form: PageForm | None = None
        self._select = ""
        self._area = ""
        self._quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "label" and found.get("for"):
            self.labels.append(str(found["for"]))
        if tag == "form":
            self._form = PageForm(found.get("action") or "", {})
            self.forms.append(self._form)
        elif tag in ("input", "select", "textarea"):
            self._control(tag, found)
        elif tag == "option" and self._select and self._form and "selected" in found:
            self._form.fields[self._select] = [found.get("value") or ""]
        elif tag in ("style", "script", "title"):
            self._quiet += 1

    def _control(self, tag: str, found: dict[str, str | None]) -> None:
        name = found.get("name") or ""
        self.controls.append((tag, found))
        if found.get("aria-describedby"):
            self.described[name] = str(found["aria-describedby"]).split()
        if found.get("aria-invalid") == "true":
            self.invalid.append(name)
        if not self._form or not name:
            return
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area = name
            self._form.fields[name] = [""]
        elif found.get("type") not in ("checkbox", "radio") or "checked" in found:
            self._form.fields.setdefault(name, []).append(found.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""
        elif tag in ("style", "script", "title"):
            self._quiet -= 1

    def handle_data(self, data: str) -> None:
        if self._area and self._form:
            self._form.fields[self._area][0] += data
        elif not self._quiet and data.strip():
            self.words.append(" ".join(data.split()))


@dataclass
class Page:
    status: int
    headers: dict[str, Any]
    html: str
    read: Reader = field(init=False)

    def __post_init__(self) -> None:
        self.read = Reader()
        self.read.feed(self.html)

    @property
    def text(self) -> str:
        return " ".join(self.read.words)

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))

    def form(self, action: str) -> PageForm:
        found = [each for each in self.read.forms if each.action.split("?")[0] == action]
        assert found, f"no form {action} among {[each.action for each in self.read.forms]}: {self.text}"
        return found[0]


@dataclass
class Browser:
    """``cookies`` by name; ``address``: where it seems to come from."""

    cookies: dict[str, str] = field(default_factory=dict)
    address: str = "198.51.100.7"
    gateway: LocalGateway = field(repr=False, default_factory=gateway)
    page: Page = field(init=False, repr=False)

    def get(self, path: str, **headers: str) -> Page:
        return self._send("GET", path, None, headers)

    def post(self, path: str, fields: Any, **headers: str) -> Page:
        body = urlencode(fields, doseq=True).encode()
        return self._send("POST", path, body, {"content-type": FORM, "origin": f"https://{HOST}", **headers})

    def submit(self, action: str, **changed: Any) -> Page:
        """Send a form of the page that is open, with some fields changed (None: left out)."""
        fields: dict[str, Any] = {**self.page.form(action).fields, **changed}
        return self.post(action, {name: value for name, value in fields.items() if value is not None})

    def follow(self) -> Page:
        assert self.page.status in (302, 303), (self.page.status, self.page.text)
        return self.get(self.page.location)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Page:
        sent = {"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self._answered(method, path, sent, body)
        for value in [answer.headers.get("Set-Cookie")]:
            if value:
                self._keep(value if isinstance(value, str) else value[0])
        self.page = Page(answer.status, answer.headers, answer.text)
        return self.page

    def _answered(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
        event = self.gateway.event_converter.create_lambda_event(method=method, path=path, headers=headers, body=body)
        event["requestContext"]["identity"] = {"sourceIp": self.address}
        event["requestContext"]["domainName"] = HOST
        event["path"] = path.split("?")[0]
        found = self.gateway._app_object(event, LambdaContext("web", 1024))
        return Answer(found["statusCode"], {**found["headers"], **found["multiValueHeaders"]}, found["body"])

    def _keep(self, set_cookie: str) -> None:
        pair, *rest = set_cookie.split(";")
        name, _, value = pair.partition("=")
        if re.search(r"max-age=0\b", ";".join(rest), re.IGNORECASE):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value
