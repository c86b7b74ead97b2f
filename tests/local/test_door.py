"""No page of another site reaches the engine or what only a laptop has; the console's own pages reach their files."""

import asyncio
import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.door import Door
from local.engine import client
from local.snapshots import newest
from tests.stack import LocalStack

EVIL = "https://evil.example"
FORM = "text/plain"
"""A page may send this to anybody without asking first."""
FUNCTION = {
    "FunctionName": "intruder", "Runtime": "python3.12", "Role": "arn:aws:iam::000000000000:role/x",
    "Handler": "x.y", "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
}  # fmt: skip
AWS: dict[str, tuple[str, str, dict[str, str], object]] = {
    "a preflight": ("OPTIONS", "/", {"Access-Control-Request-Method": "POST"}, None),
    "tables": ("POST", "/", {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": FORM}, {}),
    "secrets": (
        "POST", "/", {"X-Amz-Target": "AmazonSSM.GetParametersByPath", "Content-Type": FORM},
        {"Path": "/", "Recursive": True, "WithDecryption": True},
    ),
    "a function": ("POST", "/2015-03-31/functions", {"Content-Type": FORM}, FUNCTION),
    "a picture's address": ("GET", "/?Action=CreateQueue&QueueName=intruder", {}, None),
    "the engine's own": ("POST", "/_ministack/reset", {}, None),
}  # fmt: skip
LOCAL = {"clock": {"advance_seconds": 1}, "ses": {"mode": "ok", "count": 0}, "stream": {"hold": False}}
FOREIGN: dict[str, dict[str, str]] = {
    "another origin": {"Origin": EVIL},
    "no origin that counts": {"Origin": "null"},
    "another host": {"Host": "evil.example"},
    "another port of this machine": {"Origin": "http://127.0.0.1:3000"},
    "both": {"Origin": "http://evil.example", "Host": "evil.example"},
    "a host that begins like ours": {"Host": "127.0.0.1.evil.example"},
}


def asked(
    port: int, method: str, path: str, headers: dict[str, str], body: object = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, body."""
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, sent or None, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def engine_of(stack: LocalStack) -> str:
    """Where the engine answers, as its snapshot tells."""
    kept = newest(stack.data_dir / "engine")
    assert kept is not None
    return f"http://127.0.0.1:{kept.port}"


@pytest.mark.stack
@pytest.mark.parametrize("who", FOREIGN)
def test_another_sites_page_reaches_nothing_of_the_engine(stack: LocalStack, who: str) -> None:
    at = engine_of(stack)
    for what, (method, path, headers, body) in AWS.items():
        status, told, answer = asked(urlsplit(at).port or 0, method, path, headers | FOREIGN[who], body)
        assert status == 403, (what, answer[:200])
        assert not [name for name in told if name.startswith("access-control-")], what
    names = [each["FunctionName"] for each in client(at, "lambda").list_functions()["Functions"]]
    assert names and "intruder" not in names
    assert not [url for url in client(at, "sqs").list_queues()["QueueUrls"] if "intruder" in url]


@pytest.mark.stack
def test_a_picture_of_another_page_does_nothing_although_it_names_no_origin(stack: LocalStack) -> None:
    at = engine_of(stack)
    method, path, _, _ = AWS["a picture's address"]
    for site in ("cross-site", "same-site", "none"):
        assert asked(urlsplit(at).port or 0, method, path, {"Sec-Fetch-Site": site})[0] == 403
    assert not [url for url in client(at, "sqs").list_queues()["QueueUrls"] if "intruder" in url]


@pytest.mark.stack
@pytest.mark.parametrize("who", FOREIGN)
def test_another_sites_page_turns_no_switch_of_the_laptop(stack: LocalStack, who: str) -> None:
    for name, body in LOCAL.items():
        status, told, _ = asked(stack.port, "POST", f"/_local/{name}", {"Content-Type": FORM} | FOREIGN[who], body)
        assert (status, "access-control-allow-origin" in told) == (403, False), name
    assert "now" in stack.local("clock", {"advance_seconds": 0}), "a program may"
    assert asked(stack.port, "GET", "/sign-in", FOREIGN[who])[0] == 403
    for host in ("127.0.0.1", "localhost"):
        own = {"Host": f"{host}:{stack.port}", "Origin": f"http://{host}:{stack.port}"}
        assert asked(stack.port, "GET", "/sign-in", own)[0] == 200


@pytest.mark.stack
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_consoles_pages_go_on_sending_and_fetching_files(stack: LocalStack, name: str) -> None:
    """As ``tools.js`` does: a form to S3, and what a redirect of ours leads to."""
    at = engine_of(stack)
    port, origin, s3 = urlsplit(at).port or 0, f"http://{name}:{stack.port}", client(at, "s3")
    bucket = next(each["Name"] for each in s3.list_buckets()["Buckets"] if "attachments" in each["Name"])
    form = s3.generate_presigned_post(bucket, "answers/of-the-test")
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in form["fields"].items()
    ]
    body = "".join(parts) + '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Origin": origin, "Sec-Fetch-Site": "same-site"}
    status, told, _ = asked(port, "POST", urlsplit(form["url"]).path, headers, body.encode())
    assert (status, told["access-control-allow-origin"], told["vary"]) == (204, origin, "Origin")
    url = urlsplit(s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "answers/of-the-test"}))
    fetched = f"{url.path}?{url.query}"
    status, told, answer = asked(port, "GET", fetched, {"Origin": origin})
    assert (status, told["access-control-allow-origin"], answer) == (200, origin, b"hello")
    preflight = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    assert asked(port, "OPTIONS", url.path, preflight)[1]["access-control-allow-origin"] == origin
    status, told, answer = asked(port, "GET", fetched, {"Sec-Fetch-Site": "same-site"})
    assert (status, answer) == (200, b"hello"), "a download follows a redirect and names no origin"
    assert "access-control-allow-origin" not in told
    method, path, headers, body_of = AWS["tables"]
    assert asked(port, method, path, headers | {"Origin": origin}, body_of)[0] == 403, "files and nothing else"
    assert asked(port, "GET", f"/{bucket}x/a", {"Origin": origin})[0] == 403


class Inner:
    """Stands in for what lies behind the door; it shares with everybody."""

    def __init__(self) -> None:
        self.reached = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached += 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Access-Control-Allow-Origin", b"*")]})
        await send({"type": "http.response.body", "body": b""})


def knock(door: Door, kind: str, *headers: tuple[str, str]) -> Any:
    """The first thing that is answered."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "method": "GET", "path": "/live", "raw_path": b"/live", "headers": raw}
    with ThreadPoolExecutor(1) as other:  # a browser of other tests may hold a loop on this thread
        other.submit(lambda: asyncio.run(door(scope, receive, send))).result()
    return sent[0]


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (["127.0.0.1"], 200), (["localhost:1"], 200), ([], 403), (["127.0.0.1", "evil.example"], 403),
        (["127.0.0.1:80:90"], 403), (["127.0.0.1@evil.example"], 403), (["127.0.0.1\n.evil.example"], 403),
        (["[::1]:8000"], 403), (["0.0.0.0:8000"], 403),
    ],
)  # fmt: skip
def test_one_host_of_ours_is_asked_for(hosts: list[str], status: int) -> None:
    inner = Inner()
    found = knock(Door(inner), "http", *(("host", each) for each in hosts))
    assert (found["status"], inner.reached) == (status, int(status == 200))
    assert b"access-control-allow-origin" not in {name.lower() for name, _ in found["headers"]}


@pytest.mark.parametrize(("origin", "reached"), [("http://127.0.0.1:8000", 1), ("https://evil.example", 0)])
def test_a_socket_of_another_page_is_closed_before_it_opens(origin: str, reached: int) -> None:
    inner = Inner()
    found = knock(Door(inner, own_pages=True), "websocket", ("host", "127.0.0.1:8000"), ("origin", origin))
    assert (inner.reached, found["type"] == "websocket.close") == (reached, not reached)
