"""How the local stack takes a burst: 800 mails in a minute, or all at once.

``python -m bench.burst [--mails N] [--at-once] [--console-url …] [--json]``

A mail is *shown* when it is in ``GET /tickets`` and its fragment has reached an open console.  Times count from the
moment the mail port accepted the first (or the last) mail.  A stack of its own is started, unless ``--data-dir`` names
one that runs.
"""

import argparse
import json
import re
import secrets
import signal
import smtplib
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from bench.console import Listener, sign_in, socket_address
from bench.result import report
from tests.stack import LocalStack

MAILS = 800
MINUTE = 60.0
PACED_SENDERS = 4
SENDERS_AT_ONCE = 40
FIRST_SHOWN_SECONDS = 3.0
LAST_SHOWN_SECONDS = {"paced": 30.0, "at_once": 120.0}
GIVE_UP_SECONDS = 300.0
PAGE = 100
WORDS = (
    "mug",
    "order",
    "parcel",
    "handle",
    "glaze",
    "blue",
    "thank",
    "refund",
    "address",
    "gift",
    "invoice",
    "warehouse",
)


@dataclass
class Burst:
    """What happened to the mails of one run, by number."""

    run: str = field(default_factory=lambda: secrets.token_hex(3))
    accepted: dict[int, float] = field(default_factory=dict)
    heard: dict[int, float] = field(default_factory=dict)
    listed_first: float | None = None
    listed_all: float | None = None
    doubled: int = 0
    lost: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def subject(self, n: int) -> str:
        return f"Burst {self.run} {n:05d}"

    def numbers_in(self, text: str) -> Iterator[int]:
        return (int(found) for found in re.findall(rf"Burst {self.run} (\d{{5}})", text))

    def hear(self, frame: str, at: float) -> None:
        with self._lock:
            for number in self.numbers_in(frame):
                self.heard.setdefault(number, at)

    def accept(self, n: int) -> None:
        with self._lock:
            self.accepted[n] = time.monotonic()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=MAILS)
    parser.add_argument("--at-once", action="store_true", help="all at once instead of within a minute")
    parser.add_argument("--data-dir", type=Path, help="of a running stack; else one is started for the bench")
    parser.add_argument("--json", action="store_true", help="only the result line")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a bench that is cut off still stops its stack
    say = (lambda line: None) if given.json else print
    with _stack(given.data_dir) as credentials:
        burst, quiet_ms, busy_ms = run(credentials, given.mails, given.at_once, say)
    return _answer(burst, given.mails, given.at_once, quiet_ms, busy_ms)


def run(credentials: dict[str, Any], mails: int, at_once: bool, say: Any) -> tuple[Burst, float, float]:
    """Send, listen and look; also the list page's milliseconds before and during."""
    burst = Burst()
    api = httpx.Client(
        base_url=credentials["api_url"], headers={"Authorization": f"Bearer {credentials['api_token']}"}, timeout=60
    )
    admin = credentials["agents"][0]
    browser = sign_in(credentials["console_url"], admin["email"], admin["password"])
    listener = Listener(socket_address(browser, credentials["console_url"]), burst.hear)
    quiet_ms = _median_ms(api, 5)
    watching = threading.Thread(target=_watch_first, args=(burst, api), daemon=True)
    watching.start()
    send_all(burst, credentials["smtp_port"], mails, at_once)
    say(f"{len(burst.accepted)} mails accepted in {_span(burst.accepted):.1f} s")
    busy_ms = _median_ms(api, 5)
    _await_all(burst, api, mails, say)
    watching.join(GIVE_UP_SECONDS)
    listener.close()
    return burst, quiet_ms, busy_ms


def send_all(burst: Burst, port: int, mails: int, at_once: bool) -> None:
    """Send ``mails`` mails over the mail port, each from somebody else."""
    begun = time.monotonic()
    pause = 0.0 if at_once else MINUTE / mails

    def send(n: int) -> None:
        raw = _mail(burst, n).as_bytes()
        time.sleep(max(0.0, begun + n * pause - time.monotonic()))
        with smtplib.SMTP("127.0.0.1", port, timeout=GIVE_UP_SECONDS) as server:
            server.sendmail(f"customer{n}@example.com", ["support@northwind-mugs.example"], raw)
            burst.accept(n)

    with ThreadPoolExecutor(SENDERS_AT_ONCE if at_once else PACED_SENDERS) as pool:
        list(pool.map(send, range(mails)))


def _mail(burst: Burst, n: int) -> EmailMessage:
    """Every fourth with HTML, every tenth with a file, lengths from a line to two pages."""
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Customer {n} <customer{n}@example.com>", "support@northwind-mugs.example"
    mail["Subject"], mail["Message-ID"] = burst.subject(n), f"<{burst.run}.{n}@example.com>"
    text = " ".join(WORDS[(n * 7 + i * (1 + n % 5)) % len(WORDS)] for i in range(12 + n % 400))
    mail.set_content(text + "\n")
    if n % 4 == 0:
        mail.add_alternative(f"<p>{text}</p>", subtype="html")
    if n % 10 == 0:
        mail.add_attachment(bytes(n % 251 for _ in range(20_000)), maintype="image", subtype="png", filename="mug.png")
    return mail


def _watch_first(burst: Burst, api: httpx.Client) -> None:
    end = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < end:
        if any(True for _ in burst.numbers_in(api.get("/tickets", params={"limit": 20}).text)):
            burst.listed_first = time.monotonic()
            return
        time.sleep(0.1)


def _await_all(burst: Burst, api: httpx.Client, mails: int, say: Any) -> None:
    """Wait for the last fragment, then for the whole listing; count what is missing or double."""
    end = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < end and len(burst.heard) < mails:
        time.sleep(0.1)
    say(f"{len(burst.heard)} fragments heard")
    while True:
        listed = _listed(burst, api)
        if len(listed) >= mails or time.monotonic() >= end:
            break
        time.sleep(0.5)
    burst.listed_all = time.monotonic()
    burst.lost = mails - len(listed)
    burst.doubled = sum(listed.values()) - len(listed)


def _listed(burst: Burst, api: httpx.Client) -> Counter[int]:
    found: Counter[int] = Counter()
    cursor: str | None = ""
    while cursor is not None:
        page = api.get("/tickets", params={"limit": PAGE} | ({"cursor": cursor} if cursor else {})).json()
        found.update(number for ticket in page["items"] for number in burst.numbers_in(ticket["subject"]))
        cursor = page["next"]
    return found


def _median_ms(api: httpx.Client, times: int) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        api.get("/tickets", params={"limit": 50})
        taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)[times // 2]


def _span(moments: dict[int, float]) -> float:
    return max(moments.values()) - min(moments.values())


def _answer(burst: Burst, mails: int, at_once: bool, quiet_ms: float, busy_ms: float) -> int:
    first_sent, last_sent = min(burst.accepted.values()), max(burst.accepted.values())
    figures: dict[str, float] = {
        "mails": mails,
        "accepted": len(burst.accepted),
        "sending_seconds": round(last_sent - first_sent, 2),
        "lost": burst.lost,
        "doubled": burst.doubled,
        "fragments_missing": mails - len(burst.heard),
        "list_ms_before": round(quiet_ms, 1),
        "list_ms_during": round(busy_ms, 1),
    }
    if burst.heard and burst.listed_first is not None:
        figures["first_shown_seconds"] = round(max(min(burst.heard.values()), burst.listed_first) - first_sent, 2)
    if len(burst.heard) == mails:
        last_heard = max(burst.heard.values())
        figures["last_shown_seconds"] = round(max(0.0, last_heard - last_sent), 2)
        waits = sorted(burst.heard[n] - burst.accepted[n] for n in burst.heard)
        figures["shown_after_median_seconds"] = round(waits[len(waits) // 2], 2)
        figures["shown_after_p99_seconds"] = round(waits[int(len(waits) * 0.99)], 2)
    limits = {
        "lost": 0.0,
        "doubled": 0.0,
        "fragments_missing": 0.0,
        "first_shown_seconds": FIRST_SHOWN_SECONDS,
        "last_shown_seconds": LAST_SHOWN_SECONDS["at_once" if at_once else "paced"],
    }
    return report("burst", figures, limits)


@contextmanager
def _stack(data_dir: Path | None) -> Iterator[dict[str, Any]]:
    if data_dir is not None:
        yield json.loads((data_dir / "credentials.json").read_text())
        return
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder) / "data")
        try:
            stack.start()
            yield stack.credentials
        finally:
            if stack.process is not None:
                stack.stop()


if __name__ == "__main__":
    sys.exit(main())
