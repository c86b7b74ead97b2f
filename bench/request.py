"""A GET as API Gateway hands it to the web function, answered in this process."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chalicelib.api.web import cookie_name


class Context:
    """What Lambda says of an invocation."""

    function_name = "deskbell-bench"
    function_version = "1"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:deskbell-bench"
    aws_request_id = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def page_event(address: str, resource: str, cookie: str, parts: Mapping[str, str]) -> dict[str, Any]:
    """A browser's look at a page of the console."""
    return _event(address, resource, parts, {"cookie": f"{cookie_name()}={cookie}", "accept": "text/html"})


def api_event(address: str, resource: str, bearer: str, parts: Mapping[str, str] | None = None) -> dict[str, Any]:
    return _event(f"/api/v1{address}", f"/api/v1{resource}", parts or {}, {"authorization": f"Bearer {bearer}"})


def _event(address: str, resource: str, parts: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
    split = urlsplit(address)
    query = parse_qs(split.query)
    sent = {"host": "desk.example", "x-forwarded-proto": "https", **headers}
    return {
        "resource": resource,
        "path": split.path,
        "httpMethod": "GET",
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: values[0] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(parts) or None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": "GET",
            "path": split.path,
            "stage": "api",
            "requestId": Context.aws_request_id,
            "accountId": "000000000000",
            "apiId": "bench",
            "identity": {"sourceIp": "192.0.2.1"},
            "authorizer": None,
        },
    }


def answer_of(event: dict[str, Any]) -> str:
    """The body of a 200; anything else is an error of the bench."""
    import app

    answer: dict[str, Any] = app.app(event, Context())
    if answer["statusCode"] != 200:
        raise RuntimeError(f"{event['path']} answered {answer['statusCode']}: {answer['body'][:300]}")
    body: str = answer["body"]
    return body
