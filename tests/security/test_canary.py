"""Secrets of every kind, planted or found, and every place in which none of them may stand.

A whole local stack; errors of every kind are provoked with the secrets in hand; then everything that the desk wrote,
stored, sent or shows is searched for them.
"""

import http.cookiejar
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, Request, build_opener

import pytest

from chalicelib.api.console.on_demand import ROUTES
from infra.package import ROOT
from local.engine import client as engine_client
from tests.stack import LocalStack, mail, running_stack, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow]

BOT_TOKEN = "710007:CANARYbottokenAAAAAAAAAAAAAAAAAAAAA"
MISTYPED = "CANARY-mistyped-Password-1"
GUESSED = "CANARYguessedBearerToken000000000000000"


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *given: Any) -> None:
        return None


@dataclass
class Browser:
    """An agent's browser: cookies, forms, no redirects; keeps every page it saw."""

    base: str
    seen: dict[str, str] = field(default_factory=dict)
    jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)
    location: str = ""
    opener: OpenerDirector = field(init=False)

    def __post_init__(self) -> None:
        self.opener = build_opener(HTTPCookieProcessor(self.jar), _Stay())

    def ask(self, path: str, fields: dict[str, str] | None = None, keep: bool = True, **headers: str) -> str:
        data = urlencode(fields).encode() if fields is not None else None
        sent = {"Origin": self.base, "Content-Type": "application/x-www-form-urlencoded"} if fields is not None else {}
        request = Request(self.base + path, data, {**sent, **headers})
        try:
            with self.opener.open(request, timeout=60) as answer:
                text: str = answer.read().decode("utf-8", "replace")
        except HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
                self.location = error.headers.get("Location", "")
        if keep:
            self.seen[f"page {path}{'' if fields is None else ' (posted)'}"] = text
        return text

    def sign_in(self, email: str, password: str) -> str:
        return self.ask("/sign-in", {"email": email, "password": password, "next": ""})

    def csrf(self, page: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', page) or re.search(r'data-csrf="([^"]+)"', page)
        assert found
        return found[1]


@contextmanager
def failing_provider() -> Iterator[str]:
    """A Bot API that answers well at first, then breaks in turn, repeating the URL that holds the token."""
    calls: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            calls.append(self.path)
            good = {"ok": True, "result": {"id": 710007, "username": "canary_bot", "first_name": "Bot"}}
            bad = {"ok": False, "error_code": 401, "description": f"No such bot: {self.path}"}
            ways = [(401, bad), (500, bad), (429, bad | {"parameters": {"retry_after": 1}}), (200, {"ok": self.path})]
            status, body = (200, good) if "sendMessage" not in self.path else ways[len(calls) % len(ways)]
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the screen for the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Hunt:
    """secrets: by name.  places: texts by where they were found."""

    stack: LocalStack
    admin: Browser
    endpoint: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    tickets: list[str] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return engine_client(self.endpoint, service)

    def api(self, method: str, path: str, body: object = None, **headers: str) -> str:
        """The answer's text, error or not; kept."""
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.stack.credentials['api_token']}", "Content-Type": "application/json"}
        request = Request(self.stack.credentials["api_url"] + path, raw, {**sent, **headers}, method=method)
        text = _answered(request)
        self.places[f"answer to {method} {path} {len(self.places)}"] = text
        return text


def _answered(request: Request) -> str:
    try:
        with build_opener(_Stay()).open(request, timeout=60) as answer:
            return str(answer.read().decode("utf-8", "replace"))
    except HTTPError as error:
        with error:
            return error.read().decode("utf-8", "replace")


@pytest.fixture(scope="module")
def hunt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hunt]:
    for stack in running_stack(tmp_path_factory.mktemp("desk"), seed=True):
        admin = Browser(stack.credentials["console_url"])
        made = Hunt(stack, admin)
        _plant(made)
        with failing_provider() as provider:
            _provoke(made, provider)
        _search(made)
        yield made


# Secrets


def _plant(hunt: Hunt) -> None:
    stack, admin = hunt.stack, hunt.admin
    signed = next(each for each in stack.credentials["agents"] if each["role"] == "admin")
    admin.sign_in(signed["email"], signed["password"])
    (cookie,) = [each.value for each in admin.jar if each.name == "deskbell"]
    assert cookie
    page = admin.ask("/lists/open")
    passes = re.search(r'data-live-pass="([^"]+)"', page)
    assert passes
    number = str(stack.tickets()[0]["number"])
    hunt.tickets = [str(each["number"]) for each in stack.tickets()]
    found = re.search(r'href="(/tickets/\d+/messages/\w+/original)"', admin.ask(f"/tickets/{number}"))
    assert found
    admin.ask(found[1])
    hunt.endpoint = "{0.scheme}://{0.netloc}".format(urlsplit(admin.location))
    signature = re.search(r"(?:X-Amz-)?Signature=([^&]+)", admin.location)
    assert signature
    hunt.secrets |= {
        "session cookie": cookie,
        "socket pass": passes[1],
        "signature of a link": signature[1],
        "API token": stack.credentials["api_token"],
        "bot token": BOT_TOKEN,
        "mistyped password": MISTYPED,
        "guessed token": GUESSED,
        **{f"password of {each['email']}": each["password"] for each in stack.credentials["agents"]},
    }
    _plant_links_and_codes(hunt)


def _plant_links_and_codes(hunt: Hunt) -> None:
    stack, admin = hunt.stack, hunt.admin
    page = admin.ask("/settings/me")
    signed = next(each for each in stack.credentials["agents"] if each["role"] == "admin")
    form = {"csrf": admin.csrf(page), "factor_password": signed["password"]}
    shown = admin.ask("/settings/me/factor", form, keep=False)
    code = re.search(r"<code>([A-Z2-7 ]{16,})</code>", shown)
    assert code, shown
    hunt.secrets["TOTP secret"] = code[1].replace(" ", "")
    agent = next(each for each in stack.credentials["agents"] if each["role"] == "agent")
    Browser(admin.base).ask("/forgot", {"email": agent["email"]})

    def link() -> str | None:
        mails = [each["eml"].decode() for each in stack.sent_mails() if agent["email"] in str(each["rcpt_to"])]
        bare = "".join(mails).replace("=\r\n", "").replace("=\n", "").replace("=3D", "=")
        found = re.search(r"/password\?link=([\w.%-]+)", bare)
        return found[1] if found else None

    token = wait_for(link, 20, what="the mail with the link")
    assert token
    hunt.secrets["password link"] = token


def _stored_secrets(hunt: Hunt) -> dict[str, str]:
    """What lies in SSM and Cognito and nowhere else."""
    ssm, cognito = hunt.client("ssm"), hunt.client("cognito-idp")
    found: dict[str, str] = {}
    for page in ssm.get_paginator("describe_parameters").paginate():
        for each in page["Parameters"]:
            value = ssm.get_parameter(Name=each["Name"], WithDecryption=True)["Parameter"]["Value"]
            if each["Type"] == "SecureString" and len(value) >= 8:
                found[f"parameter {each['Name']}"] = value
    for pool in cognito.list_user_pools(MaxResults=10)["UserPools"]:
        for each in cognito.list_user_pool_clients(UserPoolId=pool["Id"], MaxResults=10)["UserPoolClients"]:
            known = cognito.describe_user_pool_client(UserPoolId=pool["Id"], ClientId=each["ClientId"])
            if secret := known["UserPoolClient"].get("ClientSecret"):
                found["client secret"] = secret
    return found


# Errors


def _provoke(hunt: Hunt, provider: str) -> None:
    stack = hunt.stack
    bot = json.loads(
        hunt.api("POST", "/inboxes", {
            "channel": "telegram", "name": "Bot", "base_url": provider, "secrets": {"bot_token": BOT_TOKEN},
        }, **{"Idempotency-Key": "canary-bot"})
    )  # fmt: skip
    assert "id" in bot, bot
    hunt.secrets |= _stored_secrets(hunt)
    webhook = next(value for name, value in hunt.secrets.items() if name.endswith(f"{bot['id']}/webhook_secret"))
    _knock(hunt, bot["id"], webhook)
    _answer_on_telegram(hunt)
    _wrong_calls(hunt)
    for name in ("password", "mistyped password"):
        value = hunt.secrets.get(name, MISTYPED)
        for agent in stack.credentials["agents"]:
            Browser(hunt.admin.base).sign_in(agent["email"], value)
    Browser(hunt.admin.base).sign_in(MISTYPED, MISTYPED)
    stack.local("ses", {"mode": "throttle", "count": 1})
    stack.send(mail("Canary", f"My token is not here. {'x' * 50}"))
    hunt.tickets.append(str(stack.ticket_about("Canary")["number"]))


def _knock(hunt: Hunt, inbox_id: str, secret: str) -> None:
    """The webhook, well and badly: wrong secret, broken bodies, the secret where it does not belong."""
    update = {"update_id": 1, "message": {
        "message_id": 5, "date": 1795000000, "text": "Hello from Telegram",
        "chat": {"id": 77, "type": "private"}, "from": {"id": 77, "is_bot": False, "first_name": "Tara"},
    }}  # fmt: skip
    for body in (json.dumps(update).encode(), b"{broken", b"[]", b"\xff\xfe", b'{"update_id": {"a": []}}'):
        for given, query in ((secret, ""), (f"{secret}x", f"?secret={secret}&token={quote(BOT_TOKEN)}")):
            headers = {
                "X-Telegram-Bot-Api-Secret-Token": given, "X-Api-Key": secret, "Content-Type": "application/json",
            }  # fmt: skip
            request = Request(f"{hunt.admin.base}/hooks/{inbox_id}{query}", body, headers, method="POST")
            hunt.places[f"answer to a knock {len(hunt.places)}"] = _answered(request)
    wait_for(
        lambda: any(each["inbox_id"] == inbox_id for each in hunt.stack.tickets()), 30, what="the ticket from Telegram"
    )


def _answer_on_telegram(hunt: Hunt) -> None:
    """Each answer runs into another trouble of the provider's."""
    bots = [each for each in json.loads(hunt.api("GET", "/inboxes"))["items"] if each["channel"] == "telegram"]
    ticket = next(each for each in hunt.stack.tickets() if each["inbox_id"] == bots[0]["id"])
    number = str(ticket["number"])
    hunt.tickets.append(number)
    for n in range(4):
        body = {"kind": "reply", "text": f"Answer {n}"}
        hunt.api("POST", f"/tickets/{number}/messages", body, **{"Idempotency-Key": f"canary-{n}"})

    def settled() -> bool:
        items = json.loads(hunt.api("GET", f"/tickets/{number}/messages"))["items"]
        states = [each["delivery"]["state"] for each in items if each["direction"] == "out" and each.get("delivery")]
        return len(states) == 4 and not {"sending"} & set(states) and {"failed", "unclear"} & set(states) != set()

    wait_for(settled, 60, what="the answers to fail")


def _wrong_calls(hunt: Hunt) -> None:
    token = str(hunt.stack.credentials["api_token"])
    for secret in (token, GUESSED, BOT_TOKEN):
        hunt.api("GET", f"/tickets?token={quote(secret)}&api_token={quote(secret)}")
        hunt.api("GET", "/tickets", Authorization=f"Bearer {secret[:-3]}xyz")
        hunt.api("GET", "/tickets", Authorization=f"Basic {secret}")
        hunt.api("GET", "/tickets?cursor=broken", Cookie=f"deskbell={secret}")
        hunt.api("POST", "/tickets", f'{{"token": "{secret}", '.encode())
        hunt.api("POST", "/tickets", {"inbox_id": "nowhere", "customer": {"email": "x"}, "password": 7})
        hunt.api("PATCH", "/tickets/1", {"status": {"no": "status"}})
        hunt.api("POST", "/inboxes", {"channel": "nothing", "secrets": {"bot_token": secret}, "name": "x"})
    cookie = hunt.secrets["session cookie"]
    for path in ("/lists/open", "/nowhere", "/tickets/999999", "/lists/%ff", "/settings/agents/none"):
        hunt.admin.ask(f"{path}?session={cookie}", keep=False)
        Browser(hunt.admin.base).ask(path, Cookie=f"deskbell={cookie}x; broken=\x7f; a")
    hunt.admin.ask("/settings/teams", {"csrf": "wrong", "name": "x"})
    hunt.admin.ask("/tickets/1/messages/m1/undo", {"csrf": "wrong"})
    hunt.admin.ask(f"/password?link={hunt.secrets['password link']}x", keep=False)
    hunt.admin.ask(
        "/password", {"link": hunt.secrets["password link"] + "x", "password": MISTYPED, "again": "y"}, keep=False
    )


# Places


def _search(hunt: Hunt) -> None:
    stack = hunt.stack
    for page in [path for path, method, _, _ in ROUTES if method == "GET" and "{" not in path]:
        hunt.admin.ask(page)
    for page in ("/lists/mine", "/search?q=canary", "/notices", "/operations/failed", "/operations/kept-out"):
        hunt.admin.ask(page)
    for number in hunt.tickets:
        hunt.admin.ask(f"/tickets/{number}")
        hunt.api("GET", f"/tickets/{number}/messages")
    for path in ("/inboxes", "/agents", "/teams", "/customers", "/ledger", "/dead-letters", "/health", "/openapi.json"):
        hunt.api("GET", path)
    hunt.places |= hunt.admin.seen
    for name in ("functions.log", "functions.log.1", "desk.log"):
        log = stack.data_dir / name
        if log.exists():
            hunt.places[name] = log.read_text("utf-8", "replace")
    for mailed in stack.sent_mails():
        hunt.places[f"mail {mailed['our_id']}"] = mailed["eml"].decode("utf-8", "replace")
    _search_aws(hunt)
    _search_package(hunt)


def _search_aws(hunt: Hunt) -> None:
    s3, sqs, functions = hunt.client("s3"), hunt.client("sqs"), hunt.client("lambda")
    dynamodb, logs = hunt.client("dynamodb"), hunt.client("logs")
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for each in page.get("Contents", ()):
                found = s3.get_object(Bucket=bucket["Name"], Key=each["Key"])
                body = "" if each["Key"].endswith(".zip") else found["Body"].read().decode("utf-8", "replace")
                headers = json.dumps(found["Metadata"])
                hunt.places[f"object {bucket['Name']}/{each['Key']}"] = f"{each['Key']}\n{headers}\n{body}"
    for url in sqs.list_queues().get("QueueUrls", ()):
        held = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        hunt.places[f"queue {url}"] = json.dumps(held.get("Messages", []))
    for each in functions.list_functions()["Functions"]:
        hunt.places[f"environment of {each['FunctionName']}"] = json.dumps(each.get("Environment", {}))
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                key = f"{item['pk'].get('S')} {item['sk'].get('S')}"
                hunt.places[f"item {key}"] = json.dumps(item, default=repr)
    for group in logs.describe_log_groups()["logGroups"]:
        events = logs.filter_log_events(logGroupName=group["logGroupName"]).get("events", ())
        hunt.places[f"log {group['logGroupName']}"] = "\n".join(each["message"] for each in events)


def _search_package(hunt: Hunt) -> None:
    """The template and the zip that the stack was made of, and the project itself."""
    for path in hunt.stack.data_dir.rglob("template.json"):
        hunt.places[str(path)] = path.read_text()
    for path in hunt.stack.data_dir.rglob("deployment.zip"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                hunt.places[f"zip {name}"] = archive.read(name).decode("utf-8", "replace")
    for folder in ("chalicelib", "infra", "docs"):
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix in {".py", ".html", ".js", ".json", ".md", ".toml"}:
                hunt.places[f"file {path.relative_to(ROOT)}"] = path.read_text("utf-8", "replace")


# Findings


def found_in(hunt: Hunt, secret: str) -> list[str]:
    """Where it stands, as it is or as URLs write it."""
    forms = {secret, quote(secret, safe="")}
    return sorted(where for where, text in hunt.places.items() if any(form in text for form in forms))


def test_the_hunt_has_secrets_and_places(hunt: Hunt) -> None:
    """A search that looked for nothing, or nowhere, proves nothing."""
    kinds = {name.split()[0] for name in hunt.places}
    assert len(hunt.secrets) >= 12, sorted(hunt.secrets)
    assert any("reply-key" in name for name in hunt.secrets)
    assert any("webhook_secret" in name for name in hunt.secrets)
    assert {"page", "answer", "object", "item", "environment", "mail", "functions.log", "zip"} <= kinds, kinds
    assert len(hunt.places["functions.log"]) > 5_000
    assert all(len(secret) >= 8 for secret in hunt.secrets.values())


def test_what_was_provoked_is_in_the_logs_without_secrets(hunt: Hunt) -> None:
    """The errors did happen, and the logs tell of them."""
    told = hunt.places["functions.log"]
    assert "refused" in told.lower() or "failed" in told.lower()


def test_no_secret_stands_anywhere(hunt: Hunt) -> None:
    leaks = {}
    for name, secret in hunt.secrets.items():
        places = [where for where in found_in(hunt, secret) if not _belongs(name, where)]
        if places:
            leaks[name] = places[:5]
    assert leaks == {}


def _belongs(name: str, where: str) -> bool:
    """The few places where a secret is at home."""
    homes = {
        "password link": "mail ",  # that is how it reaches the agent
        "socket pass": "page ",  # the page opens its socket with it, once
    }
    return name in homes and where.startswith(homes[name])
