"""What every HTTP answer to a program shares: problems in the form of RFC 9457, checked bodies, an id per request."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Request, Response

from chalicelib import observability
from chalicelib.api.headers import bare
from chalicelib.config import settings
from chalicelib.connectors import HttpAnswer, WebhookRequest
from chalicelib.errors import Conflict, DeskbellError, InvalidInput, NotSignedIn, TooLarge, TooMany
from chalicelib.store.transaction import Lost

PROBLEM = "application/problem+json"
JSON = "application/json"
MAX_JSON_BYTES = 4_000_000
"""The longest text and HTML with every character escaped; Lambda itself takes 6 MB."""
MAX_FAULTS, MAX_FAULT_CHARS = 30, 100
"""What a problem says of a body that is wrong in thousands of places."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

TITLES = {
    "bad-json": "The body is not JSON",
    "conflict": "It changed meanwhile",
    "error": "Something broke on our side",
    "invalid-input": "Some of the input is not valid",
    "malformed-payload": "The payload is not what the provider sends",
    "method-not-allowed": "There is no such method here",
    "not-allowed": "Not allowed",
    "not-authentic": "The sender could not be verified",
    "not-configured": "The desk is not set up for this yet",
    "not-found": "Not found",
    "not-signed-in": "A valid token is needed",
    "refused": "The provider refused",
    "too-large": "Too large",
    "too-many": "Too many requests",
    "unclear": "The provider's answer is unclear",
    "wrong-content-type": "The content type is not supported",
}
"""Title of a problem by the last part of its type; the same for every occurrence."""


class BadJson(DeskbellError):
    status = 400
    code = "bad-json"


class WrongContentType(DeskbellError):
    status = 415
    code = "wrong-content-type"


class MethodNotAllowed(DeskbellError):
    status = 405
    code = "method-not-allowed"


def problem_type(code: str) -> str:
    return f"urn:deskbell:problem:{code}"


def problem(error: DeskbellError, request_id: str) -> Response:
    """The answer for one of our errors."""
    body: dict[str, Any] = {
        "type": problem_type(error.code),
        "title": TITLES.get(error.code, TITLES["error"]),
        "status": error.status,
        "detail": error.message,
        "instance": f"urn:deskbell:request:{request_id}",
    }
    headers = {"Content-Type": PROBLEM}
    if isinstance(error, InvalidInput) and error.fields:
        body["fields"] = {name[:MAX_FAULT_CHARS]: error.fields[name] for name in list(error.fields)[:MAX_FAULTS]}
    if isinstance(error, Conflict) and error.latest_message_id:
        body["latest_message_id"] = error.latest_message_id
        if error.latest_ticket_id:
            body["latest_ticket_id"] = error.latest_ticket_id
    retry_after = getattr(error, "retry_after_seconds", None)
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, round(retry_after)))
    if isinstance(error, TooMany):
        body["retry_after_seconds"] = error.retry_after_seconds
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="deskbell"'
    return answer(json.dumps(body, ensure_ascii=False), error.status, request_id, headers)


def answer(body: str, status: int, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """Text for a program; never cached, never sniffed, never framed."""
    return Response(
        body,
        status_code=status,
        headers={
            "Content-Type": JSON,
            **bare(),
            "Cache-Control": "no-store",
            "X-Request-Id": request_id,
            **(headers or {}),
        },
    )


def request_id_of(request: Request) -> str:
    """The caller's ``X-Request-Id``, else API Gateway's id, else a new one: it ties answer and log lines together."""
    for found in (request.headers.get("x-request-id", ""), request.context.get("requestId", "")):
        if REQUEST_ID.fullmatch(str(found)):
            return str(found)
    return secrets.token_hex(16)


def reached_at(request: Request) -> str:
    """Where this request reached the desk.  API Gateway answers only to its own names, so they cannot be forged."""
    host = str(request.context.get("domainName") or request.headers.get("host", "localhost"))
    return f"{'http' if settings().local else 'https'}://{host}{settings().base_path}"


def guarded(request: Request, act: Callable[[str], Response]) -> Response:
    """Call ``act`` with the request's id; every error becomes a problem, and every bug a line in the log.

    Chalice's own middleware comes too late for that: it sees an exception only as a finished 500.
    """
    request_id = request_id_of(request)
    with observability.traced(request_id):
        try:
            return act(request_id)
        except DeskbellError as error:
            if error.status in (401, 403):
                observability.warn("refused", code=error.code, path=request.path, method=request.method)
            return problem(error, request_id)
        except Lost:
            return problem(Conflict("Somebody changed the same thing at the same moment. Try again."), request_id)
        except Exception:  # noqa: BLE001  # the last stop: logged, and answered in words
            observability.failed("request broke", path=request.path, method=request.method)
            return problem(DeskbellError("Something broke on our side. Try again in a moment."), request_id)
        finally:
            observability.flush()


def method_refused(request: Request, allowed: str) -> Response:
    refused = problem(MethodNotAllowed(f"Here you can {allowed}."), request_id_of(request))
    refused.headers["Allow"] = allowed
    return refused


# What was sent


def raw_body(request: Request) -> bytes:
    """The body byte for byte, whether API Gateway handed it over as text or in base 64."""
    body = request.raw_body
    return body.encode() if isinstance(body, str) else bytes(body)


def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object.

    Raises WrongContentType, TooLarge or BadJson, each with what to do instead.
    """
    kind = str(request.headers.get("content-type", JSON)).split(";")[0].strip().lower()
    if kind != JSON:
        raise WrongContentType("Send JSON, with the header Content-Type: application/json.")
    raw = raw_body(request)
    if len(raw) > MAX_JSON_BYTES:
        raise TooLarge(f"The body is over {MAX_JSON_BYTES // 1_000_000} MB. Send files as attachments instead.")
    try:
        found = json.loads(raw.decode(), parse_constant=_no_constant)
    except RecursionError as error:
        raise BadJson("The body is nested too deeply.") from error
    except ValueError as error:
        where = f" It breaks at character {error.pos}." if isinstance(error, json.JSONDecodeError) else ""
        raise BadJson(f"The body is not valid JSON in UTF-8.{where}") from error
    if not isinstance(found, dict):
        raise BadJson("The body must be a JSON object, like {…}.")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def query_of(request: Request) -> dict[str, list[str]]:
    """All values of each query parameter."""
    asked = request.query_params
    return {name: asked.getlist(name) for name in asked} if asked else {}


# Webhooks


def webhook_request(request: Request) -> WebhookRequest:
    """A provider's knock as connectors want it."""
    headers = {str(name).lower(): str(value) for name, value in request.headers.items()}
    query = {name: values[-1] for name, values in query_of(request).items() if values}
    return WebhookRequest(headers, raw_body(request), request.method, query)


def as_response(heard: HttpAnswer, request_id: str) -> Response:
    """What a provider wants to hear."""
    return answer(heard.body, heard.status, request_id, {"Content-Type": heard.content_type})
