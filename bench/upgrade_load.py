"""The load of an upgrade: mail in, answers out, a console that listens, and two probes; then the account of it all."""

import email
import email.policy
import json
import secrets
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from bench.console import sign_in, socket_address
from local.engine import Engine
from local.stack import Stack

PROBE_SECONDS = 0.1
ANSWER_SECONDS = 30.0
GIVE_UP_SECONDS = 180.0
INBOX = "support@northwind-mugs.example"
QUEUES = ("INBOUND", "WORK", "LATER", "OUTBOUND")


@dataclass(frozen=True)
class Access:
    """How the load gets in."""

    token: str
    email: str
    password: str


@dataclass
class Sent:
    """What was handed in and when (monotonic seconds), by its text; ``seen``: when it was there."""

    sent: dict[str, float] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)


@dataclass
class Load:
    """Runs from ``with`` to its end, in bounded loops of threads of its own."""

    engine: Engine
    stack: Stack
    access: Access
    url: str
    smtp_port: int
    mails_per_second: float
    run: str = field(default_factory=lambda: secrets.token_hex(3))
    mails: Sent = field(default_factory=Sent)
    replies: Sent = field(default_factory=Sent)
    heard: set[str] = field(default_factory=set)
    sockets: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    _healthy: list[float] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _done: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        loops: tuple[Callable[[], None], ...] = (self._mail, self._reply, self._listen, self._probe_health, self._watch)
        self._threads = [threading.Thread(target=loop, daemon=True, name=loop.__name__) for loop in loops]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads[:2]:
            thread.join(GIVE_UP_SECONDS)

    # -- in ------------------------------------------------------------------------------------------------------

    def _mail(self) -> None:
        for n in range(1_000_000):
            if self._stop.wait(1 / self.mails_per_second):
                return
            subject = f"Upgrade {self.run} {n:05d}"
            mail = EmailMessage()
            mail["From"], mail["To"] = f"Customer {n} <customer{n}@example.com>", INBOX
            mail["Subject"], mail["Message-ID"] = subject, f"<{self.run}.{n}@example.com>"
            mail.set_content(f"Where is my parcel {n}?\n")
            with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=GIVE_UP_SECONDS) as server:
                server.sendmail(f"customer{n}@example.com", [INBOX], mail.as_bytes())
            self.mails.sent[subject] = self.mails.accepted[subject] = time.monotonic()

    # -- out -----------------------------------------------------------------------------------------------------

    def _reply(self) -> None:
        """One answer to each ticket that shows up, repeated with its key until the desk says that it has it."""
        answered: set[str] = set()
        with httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {self.access.token}"},
            timeout=ANSWER_SECONDS,
        ) as api:
            while not self._stop.wait(0.5 / self.mails_per_second):
                ticket_id = next((each for each in self._listed(api) if each not in answered), None)
                if ticket_id is not None:
                    answered.add(ticket_id)
                    self._answer(api, ticket_id)

    def _listed(self, api: httpx.Client) -> list[str]:
        try:
            found = api.get("/tickets", params={"limit": 50, "status": "open"})
            self.answers[found.status_code] += 1
            return [each["id"] for each in found.json()["items"]] if found.status_code == 200 else []
        except (httpx.HTTPError, ValueError):
            return []

    def _answer(self, api: httpx.Client, ticket_id: str) -> None:
        text = f"Answer {self.run} {ticket_id}"
        self.replies.sent[text] = time.monotonic()
        end = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < end:
            try:
                found = api.post(
                    f"/tickets/{ticket_id}/messages",
                    json={"kind": "reply", "text": text},
                    headers={"Idempotency-Key": text.replace(" ", "-")},
                )
            except httpx.HTTPError:
                time.sleep(PROBE_SECONDS)
                continue
            self.answers[found.status_code] += 1
            if found.status_code == 201:
                self.replies.accepted[text] = time.monotonic()
                return
            time.sleep(1.0 if found.status_code == 409 else PROBE_SECONDS)

    # -- beside --------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """A console: when its socket ends it takes a fresh pass and comes again."""
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        browser: httpx.Client | None = None
        while not self._done.is_set():
            try:
                browser = browser or sign_in(self.url, self.access.email, self.access.password)
                with connect(socket_address(browser, self.url), max_size=None, open_timeout=ANSWER_SECONDS) as socket:
                    self.sockets += 1
                    while not self._done.is_set():
                        try:
                            frame = str(socket.recv(timeout=1))
                        except TimeoutError:
                            continue
                        self.heard.update(each for each in list(self.mails.sent) if each in frame)
            except (OSError, RuntimeError, httpx.HTTPError, WebSocketException):
                self._done.wait(PROBE_SECONDS)

    def _probe_health(self) -> None:
        with httpx.Client(base_url=self.url, timeout=ANSWER_SECONDS) as api:
            while not self._stop.wait(PROBE_SECONDS):
                try:
                    if api.get("/api/v1/health").status_code == 200:
                        self._healthy.append(time.monotonic())
                except httpx.HTTPError:
                    continue
            self._healthy.append(time.monotonic())

    def _watch(self) -> None:
        """The mail job's probe: which mails have become tickets, ten times a second, past all functions."""
        while not self._done.wait(PROBE_SECONDS):
            now = time.monotonic()
            for subject, _ in self._subjects():
                self.mails.seen.setdefault(subject, now)

    def _subjects(self) -> Iterator[tuple[str, str]]:
        for pk in self.engine.partition_keys(self.stack.table):
            if pk.startswith("TICKET#"):
                ticket = self.engine.partition(self.stack.table, pk).get("TICKET", {})
                if "subject" in ticket and self.run in ticket["subject"]["S"]:
                    yield ticket["subject"]["S"], pk

    # -- the account ---------------------------------------------------------------------------------------------

    def queue_urls(self) -> list[str]:
        environment = self._environment()
        return [environment[f"{name}_QUEUE_URL"] for name in QUEUES]

    def all_there(self) -> bool:
        """Every mail is a ticket, every answer has come to an end."""
        unsettled = any(state in ("queued", "sending") for state in self._deliveries().values())
        return not unsettled and all(subject in self.mails.seen for subject in self.mails.sent)

    def state(self) -> tuple[int, dict[str, str]]:
        """How far everything is."""
        return len(self.mails.seen), self._deliveries()

    def figures(self, outbox: Path) -> dict[str, float]:
        """What went in against what is there; the longest times without service."""
        self._done.set()
        shown = Counter(subject for subject, _ in self._subjects())
        stored = Counter(self._stored_answers())
        left = Counter(_answers_in(outbox, self.run))
        states = self._deliveries()
        unclear = {text for text, state in states.items() if state == "unclear"}
        lost = [subject for subject in self.mails.sent if not shown[subject]]
        lost += [text for text in self.replies.accepted if not stored[text] or not (left[text] or text in unclear)]
        doubled = [each for counted in (shown, stored, left) for each, times in counted.items() if times > 1]
        waits = sorted(self.mails.seen[each] - at for each, at in self.mails.sent.items() if each in self.mails.seen)
        answer_waits = [at - self.replies.sent[text] for text, at in self.replies.accepted.items()]
        return {
            "mails": len(self.mails.sent),
            "replies": len(self.replies.accepted),
            "lost": len(lost),
            "doubled": len(doubled),
            "unclear_sends": len(unclear),
            "ledger_difference": self._ledger_difference(),
            "dead_letters": self._dead_letters(),
            "parked": self._parked(),
            "health_gap_seconds": round(_longest(self._healthy), 2),
            "mail_gap_seconds": round(_longest(sorted(self.mails.seen.values())), 2),
            "mail_slowest_seconds": round(waits[-1], 2) if waits else 0.0,
            "reply_slowest_seconds": round(max(answer_waits, default=0.0), 2),
            "console_connections": self.sockets,
            "fragments_missed": len(self.mails.sent.keys() - self.heard),
            "errors_seen_by_callers": sum(times for status, times in self.answers.items() if status >= 500),
        }

    def _environment(self) -> dict[str, str]:
        found = self.engine.client("lambda").get_function_configuration(FunctionName=self.stack.functions["APIHandler"])
        variables: dict[str, str] = found["Environment"]["Variables"]
        return variables

    def _items(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for pk in self.engine.partition_keys(self.stack.table):
            if pk.startswith("TICKET#"):
                for sk, item in self.engine.partition(self.stack.table, pk).items():
                    if sk.startswith(prefix):
                        yield f"{pk} {sk.removeprefix(prefix)}", item

    def _stored_answers(self) -> Iterator[str]:
        for _, item in self._items("MESSAGE#"):
            text = json.loads(item["data"]["S"]).get("text", "")
            if text.startswith(f"Answer {self.run} "):
                yield text

    def _deliveries(self) -> dict[str, str]:
        """How far each of our answers got, by its text (acknowledgements are none of them)."""
        states = {name: item["state"]["S"] for name, item in self._items("DELIVERY#")}
        texts = {name: json.loads(item["data"]["S"]).get("text", "") for name, item in self._items("MESSAGE#")}
        return {text: states[name] for name, text in texts.items() if name in states and text.startswith("Answer ")}

    def _ledger_difference(self) -> float:
        answer = httpx.get(
            f"{self.url}/api/v1/ledger",
            headers={"Authorization": f"Bearer {self.access.token}"},
            timeout=ANSWER_SECONDS,
        )
        account = answer.raise_for_status().json()
        return float(abs(account["difference"]) + account["waiting"])

    def _dead_letters(self) -> float:
        sqs, environment = self.engine.client("sqs"), self._environment()
        asked = ["ApproximateNumberOfMessages"]
        return sum(
            int(
                sqs.get_queue_attributes(QueueUrl=environment[f"{name}_DEAD_QUEUE_URL"], AttributeNames=asked)[
                    "Attributes"
                ][asked[0]]
            )
            for name in QUEUES
        )

    def _parked(self) -> float:
        listed = self.engine.client("s3").list_objects_v2(Bucket=self.stack.originals_bucket, Prefix="parked/")
        return float(listed.get("KeyCount", 0))


def _answers_in(outbox: Path, run: str) -> Iterator[str]:
    for path in outbox.glob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = mail.get_body(("plain",))
        text = body.get_content() if body is not None else ""
        yield from (line.strip() for line in text.splitlines() if line.startswith(f"Answer {run} "))


def _longest(moments: list[float]) -> float:
    """The longest time between two neighbours."""
    return max((after - before for before, after in pairwise(moments)), default=float("inf"))
