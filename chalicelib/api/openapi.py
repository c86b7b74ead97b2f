"""The OpenAPI 3.1 document of the REST API, made from the declarations that the routes themselves use."""

import json
from collections.abc import Iterable
from functools import lru_cache

from chalice.app import Request, Response

from chalicelib import __version__
from chalicelib.api import http, idempotency
from chalicelib.api.operations import CALLS_PER_MINUTE, DECLARED, PATH_PARTS, Operation
from chalicelib.api.rest.routes import PREFIX, ROUTES
from chalicelib.api.schema import Json, MapOf, Number, Record, Words, records_in
from chalicelib.config import settings
from chalicelib.services.permissions import SCOPES, allowed_by_scopes

ABOUT = f"""\
The desk's tickets, messages, customers and operations.

Every call but `/health` and this document needs an API token: `Authorization: Bearer dbell_…`. Admins create tokens in
the console under Settings, API tokens, with the scopes `read`, `write` or `admin`; each call names those that allow it.

Lists answer `{{"items": […], "next": cursor or null}}`. Errors are problem documents (RFC 9457): `detail` says what is
wrong, `fields` says it field by field. Every POST takes an `Idempotency-Key`: repeated with the same body within
{idempotency.KEPT_HOURS} hours it has no second effect and gets the first answer again. A token may make
{CALLS_PER_MINUTE} calls a minute.

`/orders` and `/reports` are not part of this version: the desk knows neither shops nor reports yet.
"""

PROBLEM = Record(
    "Problem",
    {
        "type": Words("What kind of problem: `urn:deskbell:problem:…`."),
        "title": Words("The kind in words."),
        "status": Number(400, 599),
        "detail": Words("What is wrong this time, and what to do."),
        "instance": Words("This very answer, as the desk's log names it."),
    },
    {
        "fields": MapOf(
            Words(),
            Words(),
            http.MAX_FAULTS,
            about="What is wrong, by field (`customer.email`, `tags.0`) or parameter.",
        ),
        "latest_message_id": Words("With 409 on a reply: the message that came meanwhile."),
        "latest_ticket_id": Words("With it: the ticket in which it stands, where that is another one."),
        "retry_after_seconds": Number(1, about="With 429: when to come back."),
    },
)

MEANING = {
    400: "The body is not JSON.",
    401: "The token is missing, unknown or revoked.",
    403: "The token's scopes do not allow this.",
    404: "It is not, or no longer, there.",
    409: "Something changed meanwhile, or the first request with this Idempotency-Key is still running.",
    413: "The body, or the file, is too large.",
    415: "The body is not JSON by its content type.",
    422: "Something in the request cannot be used; `fields` says what.",
    429: "Too many calls with this token.",
    500: "Something broke on our side.",
    502: "A provider refused, or its answer is unclear.",
    503: "The desk is not set up for this yet.",
}


def served(request: Request) -> Response:
    """The document as an answer."""
    return http.guarded(request, lambda request_id: http.answer(_text(), 200, request_id))


@lru_cache(maxsize=1)
def _text() -> str:
    return json.dumps(document(settings().base_path + PREFIX), ensure_ascii=False, separators=(",", ":"))


def document(server: str) -> Json:
    """The whole document.  ``server``: the path before those of the calls, with the stage of API Gateway if any."""
    from chalicelib.api import rest

    rest.declare_all()
    operations = [DECLARED[name][0] for name in ROUTES]
    records: dict[str, Record] = records_in(PROBLEM)
    paths: Json = {}
    for each in operations:
        records |= _records_of(each)
        paths.setdefault(each.path, {})[each.method.lower()] = _described(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Deskbell API",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": tag} for tag in dict.fromkeys(each.tag for each in operations)],
        "paths": paths,
        "components": {
            "schemas": {name: record.definition() for name, record in sorted(records.items())},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _records_of(each: Operation) -> dict[str, Record]:
    shapes = [shape for shape in (each.answers, each.body) if shape is not None]
    found: dict[str, Record] = {}
    for shape in shapes:
        found |= records_in(shape)
    return found


def _described(each: Operation) -> Json:
    found: Json = {
        "operationId": each.name,
        "summary": each.summary,
        "tags": [each.tag],
        "parameters": list(_parameters(each)),
        "responses": _responses(each),
        "security": [{"token": _scopes(each)}] if each.action else [],
    }
    if each.about:
        found["description"] = each.about
    if each.body is not None:
        found["requestBody"] = {"required": True, "content": {http.JSON: {"schema": each.body.schema()}}}
    return found


def _scopes(each: Operation) -> list[str]:
    """Each of these scopes alone allows the call (for a bearer token OpenAPI leaves their meaning to us)."""
    return [scope for scope in SCOPES if each.action and allowed_by_scopes([scope], each.action)]


def _parameters(each: Operation) -> Iterable[Json]:
    for part in each.path.split("/"):
        if part.startswith("{"):
            name = part[1:-1]
            yield {"name": name, "in": "path", "required": True, "schema": PATH_PARTS[name].schema()}
    for name, shape in each.query.items():
        yield {"name": name, "in": "query", "required": name in each.needs, "schema": shape.schema()}
    if each.method == "POST":
        yield {
            "name": idempotency.HEADER,
            "in": "header",
            "required": False,
            "description": "A new one for each new request, say a UUID; the same one only to repeat a request.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{idempotency.KEY.pattern}$"},
        }


def _responses(each: Operation) -> Json:
    headers = {"X-Request-Id": {"schema": {"type": "string"}, "description": "Names this answer in the desk's log."}}
    success: Json = {"description": each.summary + ".", "headers": headers}
    if each.answers is not None:
        success["content"] = {http.JSON: {"schema": each.answers.schema()}}
    found = {str(each.status): success}
    for status in each.statuses():
        described: Json = {
            "description": MEANING[status],
            "headers": dict(headers),
            "content": {http.PROBLEM: {"schema": PROBLEM.schema()}},
        }
        if status == 429 or (status == 409 and each.method == "POST"):
            described["headers"]["Retry-After"] = {"schema": {"type": "integer"}, "description": "Seconds."}
        found[str(status)] = described
    return found
