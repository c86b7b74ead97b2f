"""The whole local stack as a subprocess, for tests of what runs and for browser tests.

Everything is real: ``python -m local`` on free ports with a data folder of its own.
"""

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
STOP_SECONDS = 60
SUPPORT = "support@northwind-mugs.example"
T = TypeVar("T")


@dataclass
class LocalStack:
    """One data folder, running or not."""

    data_dir: Path
    seed: bool = False
    port: int = field(default_factory=lambda: free_port())
    smtp_port: int = field(default_factory=lambda: free_port())
    extra: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def command_environment(self) -> dict[str, str]:
        mine = {
            "PORT": str(self.port),
            "SMTP_PORT": str(self.smtp_port),
            "DATA_DIR": str(self.data_dir),
            "SEED": "1" if self.seed else "0",
        }
        return {**os.environ, **mine, **self.extra}

    @property
    def screen(self) -> str:
        """What the last start has printed."""
        return (self.data_dir / "screen.txt").read_text()

    def start(self) -> None:
        """Start and wait until the desk says that it is ready."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "screen.txt").open("wb") as screen:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local"],
                cwd=ROOT,
                env=self.command_environment(),
                stdout=screen,
                stderr=subprocess.STDOUT,
            )
        process = self.process

        def ready() -> bool:
            assert process.poll() is None, f"the local stack ended by itself:\n{self.screen}"
            return "Deskbell is ready" in self.screen and "Ctrl-C" in self.screen

        wait_for(ready, START_SECONDS, what="the local stack")

    def stop(self) -> int:
        """End it as Ctrl-C does; return the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        self.process = None
        return status

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        self.process = None

    # -- using it ------------------------------------------------------------------------------------------------

    @property
    def credentials(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads((self.data_dir / "credentials.json").read_text())
        return known

    @property
    def outbox(self) -> Path:
        return Path(self.credentials["outbox_dir"])

    def api(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Call ``/api/v1`` + path with the token; the decoded answer.  Raises HTTPError."""
        sent = {"Authorization": f"Bearer {self.credentials['api_token']}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.credentials["api_url"] + path, data, {**sent, **headers}, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def local(self, path: str, body: object) -> Any:
        """Call ``/_local/…``; the decoded answer, errors too."""
        request = Request(f"http://127.0.0.1:{self.port}/_local/{path}", json.dumps(body).encode(), method="POST")
        try:
            with urlopen(request, timeout=300) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            with error:
                return json.loads(error.read())

    def send(self, mail: EmailMessage | bytes, source: str = "lina.meyer@example.com", to: str = SUPPORT) -> None:
        """Send one mail into the desk."""
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=60) as server:
            server.sendmail(source, [to], raw)

    def tickets(self, query: str = "") -> list[dict[str, Any]]:
        """Every ticket of a listing."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.api("GET", f"/tickets?limit=100{query}{f'&cursor={cursor}' if cursor else ''}")
            found += page["items"]
            cursor = page["next"] or ""
            if not cursor:
                return found

    def ticket_about(self, subject: str, seconds: float = 20) -> dict[str, Any]:
        """The ticket with this subject, once there is one."""

        def find() -> dict[str, Any] | None:
            return next((ticket for ticket in self.tickets() if ticket["subject"] == subject), None)

        found = wait_for(find, seconds, what=f"a ticket about {subject!r}")
        assert found is not None
        return found

    def sent_mails(self) -> list[dict[str, Any]]:
        """What the outbox's ``.json`` files say, oldest first, each with its ``eml``."""
        return [
            json.loads(path.read_text()) | {"eml": path.with_suffix(".eml").read_bytes()}
            for path in sorted(self.outbox.glob("*.json"))
        ]


def mail(subject: str, text: str = "Where is my parcel?", **headers: str) -> EmailMessage:
    """A plain customer mail with a Message-ID of its own."""
    made = EmailMessage()
    made["From"] = headers.pop("sender", "Lina Meyer <lina.meyer@example.com>")
    made["To"] = SUPPORT
    made["Subject"] = subject
    made["Message-ID"] = f"<{time.time_ns()}@mail.example.com>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def wait_for(check: Callable[[], T], seconds: float, what: str = "it") -> T:
    """The first true answer of ``check``; fails after ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def running_stack(data_dir: Path, seed: bool = False) -> Iterator[LocalStack]:
    """For fixtures: a started stack that is stopped afterwards."""
    stack = LocalStack(data_dir, seed)
    try:
        stack.start()
        yield stack
    finally:
        if stack.process is not None:
            stack.stop()
