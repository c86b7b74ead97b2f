"""The API as a program sees it: requests go through API Gateway's event, Chalice and our edge, in this process."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from chalice.config import Config
from chalice.local import LambdaContext, LocalGateway

from chalicelib.api.openapi import PROBLEM
from chalicelib.api.operations import DECLARED, Operation
from chalicelib.api.rest import declare_all
from chalicelib.api.schema import Faults
from chalicelib.domain.people import SYSTEM
from chalicelib.services import tokens
from tests.engine import Desk

PREFIX = "/api/v1"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Api:
    """``bearer``: sent with every call, unless a call brings its own headers for it."""

    desk: Desk
    bearer: str
    gateway: LocalGateway = field(repr=False, default_factory=lambda: gateway())

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        **query: object,
    ) -> Answer:
        """``body``: bytes and text go as they are, anything else as JSON."""
        raw = body.encode() if isinstance(body, str) else body
        if raw is not None and not isinstance(raw, bytes):
            raw = json.dumps(raw).encode()
        sent = {"authorization": f"Bearer {self.bearer}", "content-type": "application/json"}
        if key is not None:
            sent["idempotency-key"] = key
        sent |= headers or {}
        address = path if path.startswith("/hooks/") else PREFIX + path
        if query:
            address += "?" + urlencode(query, doseq=True)
        answer = send(self.gateway, method, address, {name: value for name, value in sent.items() if value}, raw)
        if not path.startswith("/hooks/"):
            check_declared(method, path, answer)
        return answer

    def get(self, path: str, **query: object) -> Answer:
        return self.call("GET", path, None, None, None, **query)

    def post(self, path: str, body: object = None, key: str | None = None) -> Answer:
        return self.call("POST", path, body, key)

    def patch(self, path: str, body: object) -> Answer:
        return self.call("PATCH", path, body)

    def as_token(self, *scopes: str) -> "Api":
        """The same API for a token with other scopes."""
        return Api(self.desk, bearer(self.desk, *scopes), self.gateway)

    def ticket(self, **values: object) -> dict[str, Any]:
        """A ticket that records what a customer said."""
        wanted = {
            "inbox_id": "support",
            "customer": {"email": "ada@customer.example", "name": "Ada"},
            "subject": "Where is my parcel?",
            "text": "It was to come on Monday.",
        } | values
        made = self.post("/tickets", wanted)
        assert made.status == 201, made.text
        found: dict[str, Any] = made.json
        return found


def operation_at(method: str, path: str) -> Operation | None:
    """What is declared for a call, the most literal path first."""
    declare_all()
    for each in sorted((found for found, _ in DECLARED.values()), key=lambda declared: declared.path):
        if each.method == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", each.path), path):
            return each
    return None


def check_declared(method: str, path: str, answer: Answer) -> None:
    """Every answer of every test has the status, the shape and the content type that its declaration promises."""
    declared = operation_at(method, path)
    if declared is None:
        return
    shape = declared.answers if answer.status == declared.status else PROBLEM
    assert answer.status in (declared.status, *declared.statuses()), (declared.name, answer)
    assert answer.headers["Content-Type"] == (
        "application/json" if shape is not PROBLEM else "application/problem+json"
    )
    faults: Faults = {}
    assert shape is not None
    shape.check(answer.json, "", faults)
    assert not faults, (declared.name, faults)


def bearer(desk: Desk, *scopes: str) -> str:
    return tokens.create("tests", scopes, SYSTEM, desk.now).bearer


def gateway() -> LocalGateway:
    from app import app

    return LocalGateway(app, Config.create())


def send(gateway: LocalGateway, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
    """One request as API Gateway hands it on.  Chalice's own test client would exchange ``os.environ`` around it."""
    event = gateway.event_converter.create_lambda_event(method=method, path=path, headers=headers, body=body)
    event["requestContext"]["requestId"] = "11111111-2222-3333-4444-555555555555"
    found = gateway._app_object(event, LambdaContext("web", 1024))
    return Answer(found["statusCode"], {**found["headers"], **found["multiValueHeaders"]}, found["body"])
