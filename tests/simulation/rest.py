"""The REST API as a program calls it: through the edge's own checks and its idempotency, without a gateway."""

import json
from functools import lru_cache
from typing import Any

from chalice.app import Request

from chalicelib.api import operations
from chalicelib.api.rest import declare_all
from chalicelib.api.rest.routes import PREFIX, ROUTES


def request(
    method: str, path: str, body: bytes, headers: dict[str, str] | None = None, query: dict[str, str] | None = None
) -> Request:
    """As API Gateway hands it to Chalice."""
    sent = {"content-type": "application/json", "host": "desk.example", **(headers or {})}
    asked = {name: [value] for name, value in (query or {}).items()}
    context = {"httpMethod": method, "resourcePath": path, "identity": {"sourceIp": "127.0.0.1"}, "path": path}
    event: dict[str, Any] = {
        "requestContext": {**context, "requestId": "11111111-2222-3333-4444-555555555555"},
        "multiValueQueryStringParameters": asked or None, "pathParameters": {}, "headers": sent, "stageVariables": {},
        "body": body.decode() or None, "isBase64Encoded": False,
    }  # fmt: skip
    return Request(event, None)


@lru_cache(maxsize=1)
def _declared() -> bool:
    declare_all()
    return True


def call(
    name: str,
    bearer: str,
    body: object = None,
    key: str | None = None,
    query: dict[str, str] | None = None,
    **parts: str,
) -> tuple[int, Any]:
    """One call; its status and its answer."""
    _declared()
    _, method, path = ROUTES[name]
    headers = {"authorization": f"Bearer {bearer}"}
    if key is not None:
        headers["idempotency-key"] = key
    raw = b"" if body is None else json.dumps(body).encode()
    answer = operations.answered(name, request(method, PREFIX + path.format_map(parts), raw, headers, query), parts)
    text = answer.body if isinstance(answer.body, str) else ""
    return int(answer.status_code), json.loads(text) if text else None
