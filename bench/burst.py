"""How the local stack takes a burst: 800 mails in a minute, then 800 at once.

``python -m bench.burst [--mails N] [--paced | --at-once] [--data-dir …] [--plot FILE] [--json]``

A mail is *shown* when it is in ``GET /tickets`` and its fragment has reached an open console.  Times count from the
moment the mail port accepted the first (or the last) mail.  What a list page costs meanwhile is its CPU and its read
units, not its seconds: those belong to whoever else is on the cores.  CPU stretches too when all cores are busy, so the
limited ratio is that of the page to a fixed computation taken right after it, during over before; both are reported
raw.  A stack of its own is started for each way of sending, unless ``--data-dir`` names one that runs.
"""

import argparse
import json
import re
import secrets
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from bench.console import Listener, sign_in, socket_address
from bench.desk import Credentials, function_environment, running_desk, sign_in_of
from bench.plots import line_plot
from bench.result import NEVER, report
from tests.stack import ROOT

MAILS = 800
MINUTE = 60.0
PACED_SENDERS = 4
SENDERS_AT_ONCE = 40
FIRST_SHOWN_SECONDS = 3.0
LAST_SHOWN_SECONDS = {"paced": 30.0, "at_once": 120.0}
GIVE_UP_SECONDS = 300.0
PAGE = 100
FILL = 60
"""Tickets before the burst: the list's page is full then too."""
PAGES_LOOKED_AT = 40
LIST_RATIO = 1.1
SLACK = {"first_shown_seconds": NEVER, "last_shown_seconds": NEVER, "list_cpu_ratio": 2.0}
"""The page's CPU is a ratio of ratios: on full cores it wavers more than others do."""
WAYS = ("paced", "at_once")
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
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--paced", dest="ways", action="store_const", const=("paced",), help="only within a minute")
    only.add_argument("--at-once", dest="ways", action="store_const", const=("at_once",), help="only all at once")
    parser.add_argument("--data-dir", type=Path, help="of a running stack; else one is started for the bench")
    parser.add_argument("--plot", type=Path, help="write how many were shown when to this SVG file")
    parser.add_argument("--json", action="store_true", help="only the result line")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a bench that is cut off still stops its stack
    say = (lambda line: None) if given.json else print
    figures: dict[str, float] = {"mails": given.mails}
    limits: dict[str, float] = {}
    series: dict[str, list[tuple[float, float]]] = {}
    for way in given.ways or WAYS:
        with running_desk(given.data_dir) as credentials:
            burst, before, during = run(credentials, given.mails, way == "at_once", say)
        found = figures_of(burst, given.mails, before, during)
        figures |= {f"{way}_{name}": value for name, value in found.items()}
        limits |= {f"{way}_{name}": limit for name, limit in limits_of(way).items()}
        series[f"800 {way.replace('_', ' ')}" if given.mails == MAILS else way] = _shown_over_time(burst)
    if given.plot:
        line_plot(given.plot, f"{given.mails} mails: shown", "seconds since the first", "mails shown", series)
    slack = {f"{way}_{name}": wider for way in given.ways or WAYS for name, wider in SLACK.items()}
    return report("burst", figures, limits, slack=slack)


def run(
    credentials: Credentials, mails: int, at_once: bool, say: Any
) -> tuple[Burst, Mapping[str, float], Mapping[str, float]]:
    """Send, listen and look; also what a list page costs before and during."""
    burst = Burst()
    api = httpx.Client(
        base_url=credentials["api_url"], headers={"Authorization": f"Bearer {credentials['api_token']}"}, timeout=60
    )
    browser = sign_in(credentials["console_url"], *sign_in_of(credentials))
    _fill(credentials, browser, say)
    listener = Listener(socket_address(browser, credentials["console_url"]), burst.hear)
    with _ListPage(credentials) as page:
        before = page.cost()
        say(f"a list page before: {before}")
        watching = threading.Thread(target=_watch_first, args=(burst, api), daemon=True)
        watching.start()
        with ThreadPoolExecutor(1) as beside:
            sending = beside.submit(send_all, burst, credentials["smtp_port"], mails, at_once)
            while len(burst.heard) < mails / 10 and not sending.done():
                time.sleep(0.05)
            during = page.cost()
            say(f"a list page during, {len(burst.heard)} of {mails} shown: {during}")
            sending.result()
        say(f"{len(burst.accepted)} mails accepted in {_span(burst.accepted):.1f} s")
        _await_all(burst, api, mails, say)
        watching.join(GIVE_UP_SECONDS)
    listener.close()
    return burst, before, during


class _ListPage:
    """A process that answers list pages and says what they cost (``bench.burst_page``)."""

    def __init__(self, credentials: Credentials) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.burst_page", credentials["api_token"]],
            cwd=ROOT, env=function_environment(credentials), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> "_ListPage":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(GIVE_UP_SECONDS)

    def cost(self) -> Mapping[str, float]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{PAGES_LOOKED_AT}\n")
        self._process.stdin.flush()
        while True:
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("the list page could not be answered")
            said = json.loads(line)
            if "cpu_ms" in said:  # the others are the function's own log
                return {name: float(value) for name, value in said.items()}


def _fill(credentials: Credentials, browser: httpx.Client, say: Any) -> None:
    """So many tickets that a page of the list is as long before the burst as during."""
    first = Burst()
    listener = Listener(socket_address(browser, credentials["console_url"]), first.hear)
    send_all(first, credentials["smtp_port"], FILL, at_once=True)
    end = time.monotonic() + GIVE_UP_SECONDS
    while len(first.heard) < FILL and time.monotonic() < end:
        time.sleep(0.1)
    listener.close()
    say(f"{len(first.heard)} tickets to begin with")


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
    """From the first fragment on: shown is what is in the listing as well, and asking earlier would only be load."""
    end = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < end:
        if burst.heard and any(True for _ in burst.numbers_in(api.get("/tickets", params={"limit": 20}).text)):
            burst.listed_first = time.monotonic()
            return
        time.sleep(0.02)


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


def _span(moments: dict[int, float]) -> float:
    return max(moments.values()) - min(moments.values())


def figures_of(burst: Burst, mails: int, before: Mapping[str, float], during: Mapping[str, float]) -> dict[str, float]:
    first_sent, last_sent = min(burst.accepted.values()), max(burst.accepted.values())
    figures: dict[str, float] = {
        "accepted": len(burst.accepted),
        "sending_seconds": round(last_sent - first_sent, 2),
        "lost": burst.lost,
        "doubled": burst.doubled,
        "fragments_missing": mails - len(burst.heard),
        "list_cpu_ms_before": round(before["cpu_ms"], 2),
        "list_cpu_ms_during": round(during["cpu_ms"], 2),
        "reference_cpu_ms_before": round(before["reference_cpu_ms"], 2),
        "reference_cpu_ms_during": round(during["reference_cpu_ms"], 2),
        "list_cpu_ratio": round(_growth("cpu_by_reference", before, during), 3),
        "list_read_units_before": before["read_units"],
        "list_read_units_during": during["read_units"],
        "list_read_units_ratio": round(_growth("read_units", before, during), 3),
    }
    if burst.heard and burst.listed_first is not None:
        figures["first_fragment_seconds"] = round(min(burst.heard.values()) - first_sent, 2)
        figures["first_shown_seconds"] = round(max(min(burst.heard.values()), burst.listed_first) - first_sent, 2)
    if len(burst.heard) == mails:
        last_heard = max(burst.heard.values())
        figures["last_shown_seconds"] = round(max(0.0, last_heard - last_sent), 2)
        waits = sorted(burst.heard[n] - burst.accepted[n] for n in burst.heard)
        figures["shown_after_median_seconds"] = round(waits[len(waits) // 2], 2)
        figures["shown_after_p99_seconds"] = round(waits[int(len(waits) * 0.99)], 2)
    return figures


def _growth(name: str, before: Mapping[str, float], during: Mapping[str, float]) -> float:
    return during[name] / before[name]


def limits_of(way: str) -> dict[str, float]:
    return {
        "lost": 0.0,
        "doubled": 0.0,
        "fragments_missing": 0.0,
        "first_shown_seconds": FIRST_SHOWN_SECONDS,
        "last_shown_seconds": LAST_SHOWN_SECONDS[way],
        "list_cpu_ratio": LIST_RATIO,
        "list_read_units_ratio": LIST_RATIO,
    }


def _shown_over_time(burst: Burst) -> list[tuple[float, float]]:
    """How many were shown after so many seconds, in forty steps."""
    first = min(burst.accepted.values())
    moments = sorted(at - first for at in burst.heard.values())
    step = max(1, len(moments) // 40)
    return [(0.0, 0.0), *((at, n + 1.0) for n, at in enumerate(moments) if (n + 1) % step == 0)]


if __name__ == "__main__":
    sys.exit(main())
