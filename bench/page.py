"""What the console weighs and how it answers in a real Chromium, on a running local stack with the demo's data.

``python -m bench.page [--data-dir …] [--idle-seconds 60] [--json]``

Bytes are those on the wire, bodies compressed as the desk sends them, with a cold cache; headers are reported beside
them.  Bytes and requests have limits; milliseconds depend on the machine and are reported.
"""

import argparse
import signal
import smtplib
import statistics
import sys
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    ViewportSize,
    WebSocket,
    expect,
    sync_playwright,
)

from bench.desk import Credentials, running_desk, sign_in_of
from bench.result import report

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZE = ViewportSize(width=1440, height=900)
STEPS = 20
OPENED = 10
ANSWER = "Thank you for writing. A new one leaves our house today."
SENT_WAIT_MS = 60_000
IDLE_SECONDS = 60.0
LOADS = 8
"""One of them at least is not disturbed by what the tickets made before it brought about."""
LIMITS = {
    "requests": 6.0,
    "total_bytes": 60_000.0,
    "script_bytes": 25_600.0,
    "ticket_fragment_bytes": 10_000.0,
    "idle_requests": 0.0,
}
WATCH = """
window.bench = { longest: 0, tasks: 0, lcp: 0, cls: 0 };
new PerformanceObserver((list) => { for (const each of list.getEntries()) {
  bench.longest = Math.max(bench.longest, each.duration); bench.tasks += 1;
} }).observe({ type: "longtask", buffered: true });
new PerformanceObserver((list) => { bench.lcp = list.getEntries().at(-1).startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => { for (const each of list.getEntries()) {
  if (!each.hadRecentInput) bench.cls += each.value;
} }).observe({ type: "layout-shift", buffered: true });
addEventListener("keydown", () => { bench.pressed = performance.now(); }, true);
addEventListener("focusin", () => requestAnimationFrame(() => { bench.moved = performance.now(); }), true);
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target?.id === "ticket") requestAnimationFrame(() => { bench.opened = performance.now(); });
});
"""
"""Runs before the page's own scripts; it only listens."""
AFTER = """(done) => new Promise((tell, fail) => {
  const end = performance.now() + 15000;
  const look = () => {
    if (bench.pressed && bench[done] > bench.pressed) tell(bench[done] - bench.pressed);
    else if (performance.now() > end) fail(new Error(`nothing ${done}`));
    else requestAnimationFrame(look);
  };
  look();
})"""


@dataclass
class Traffic:
    """What a page asks for and what goes over its socket, from ``follow`` on."""

    requests: list[Request] = field(default_factory=list)
    sockets: int = 0
    frames_out: int = 0
    frames_in: int = 0

    def follow(self, page: Page) -> "Traffic":
        page.on("request", self._ask)
        page.on("websocket", self._open)
        return self

    def _ask(self, request: Request) -> None:
        if not request.url.startswith("data:"):
            self.requests.append(request)

    def _open(self, socket: WebSocket) -> None:
        self.sockets += 1
        socket.on("framesent", lambda _: self._count(out=True))
        socket.on("framereceived", lambda _: self._count(out=False))

    def _count(self, out: bool) -> None:
        self.frames_out, self.frames_in = self.frames_out + out, self.frames_in + (not out)

    def body_bytes(self, kind: str = "") -> int:
        """Bodies as they were transferred."""
        return sum(each.sizes()["responseBodySize"] for each in self.requests if kind in ("", each.resource_type))

    def header_bytes(self) -> int:
        return sum(each.sizes()["responseHeadersSize"] for each in self.requests)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="of a running stack with demo data; else one is started")
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    parser.add_argument("--json", action="store_true", help="only the result line")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a bench that is cut off still stops its stack
    with running_desk(given.data_dir, seed=True) as credentials, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            figures = measure(browser, credentials, given.idle_seconds)
        finally:
            browser.close()
    return report("page", figures, LIMITS)


def measure(browser: Browser, credentials: Credentials, idle_seconds: float) -> dict[str, float]:
    """All figures of one browser, one after the other."""
    cookies = _sign_in(browser, credentials)
    figures = {"chromium": float(browser.version.split(".")[0])}
    for part in (undisturbed, moving, answering):
        context = window(browser, credentials, cookies)
        figures |= part(context, credentials)
        context.close()
    context = window(browser, credentials, cookies)
    figures |= idle(context.new_page(), idle_seconds)
    context.close()
    return figures


def window(browser: Browser, credentials: Credentials, cookies: Any = ()) -> BrowserContext:
    """A window of its own with an empty cache."""
    context = browser.new_context(base_url=credentials["console_url"], viewport=SIZE)
    context.add_cookies(list(cookies))
    context.add_init_script(WATCH)
    return context


def _sign_in(browser: Browser, credentials: Credentials) -> Any:
    context = window(browser, credentials)
    page = context.new_page()
    address, password = sign_in_of(credentials, "ben")
    page.goto("/sign-in")
    page.get_by_label("Mail address").fill(address)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Mine").wait_for()
    cookies = context.cookies()
    context.close()
    return cookies


def _listening(page: Page) -> None:
    page.locator("html[data-live]").wait_for(state="attached")


def undisturbed(context: BrowserContext, credentials: Credentials) -> dict[str, float]:
    """The first of some first loads between whose page and socket nothing came: for that a page asks once more."""
    browser, cookies = context.browser, context.cookies()
    assert browser is not None
    figures = first_load(context, credentials)
    for _ in range(LOADS - 1):
        if not figures["pushed"]:
            break
        again = window(browser, credentials, cookies)
        figures = first_load(again, credentials)
        again.close()
    return figures


def first_load(context: BrowserContext, credentials: Credentials) -> dict[str, float]:
    """``pushed``: frames that came meanwhile."""
    page = context.new_page()
    traffic = Traffic().follow(page)
    page.goto("/lists/open", wait_until="networkidle")
    _listening(page)
    seen: dict[str, float] = page.evaluate("bench")
    return {
        "requests": len(traffic.requests) + traffic.sockets,
        "pushed": traffic.frames_in,
        "total_bytes": traffic.body_bytes(),
        "header_bytes": traffic.header_bytes(),
        "html_bytes": traffic.body_bytes("document"),
        "script_bytes": traffic.body_bytes("script"),
        "style_bytes": traffic.body_bytes("stylesheet"),
        "longest_task_ms": round(seen["longest"]),
        "long_tasks": seen["tasks"],
        "lcp_ms": round(seen["lcp"]),
        "cls": round(seen["cls"], 4),
    }


def moving(context: BrowserContext, credentials: Credentials) -> dict[str, float]:
    """j and k from row to row, and enter, which opens what has the focus."""
    page = context.new_page()
    page.goto("/lists/open", wait_until="networkidle")
    rows = page.locator("#rows > .row").count()
    stepped = [_pressed(page, "j" if n % (2 * rows - 2) < rows - 1 else "k", "moved") for n in range(STEPS)]
    for _ in range(rows):
        page.keyboard.press("k")
    opened, traffic = [], Traffic().follow(page)
    for _ in range(min(OPENED, rows - 1)):
        page.keyboard.press("j")
        opened.append(_pressed(page, "Enter", "opened"))
    fragments = [each.sizes()["responseBodySize"] for each in traffic.requests if "/tickets/" in each.url]
    return {
        "step_median_ms": round(statistics.median(stepped), 1),
        "step_worst_ms": round(max(stepped), 1),
        "open_ticket_median_ms": round(statistics.median(opened)),
        "open_ticket_worst_ms": round(max(opened)),
        "ticket_fragment_bytes": max(fragments),
    }


def _pressed(page: Page, key: str, done: str) -> float:
    """Milliseconds in the page from the key to the frame that shows what it did."""
    page.evaluate("bench.pressed = bench.moved = bench.opened = 0")
    page.keyboard.press(key)
    took: float = page.evaluate(AFTER, done)
    return took


def answering(context: BrowserContext, credentials: Credentials) -> dict[str, float]:
    """Open → r → words → Ctrl Enter, until the answer is in the conversation, and until it is shown as sent."""
    subject = f"Measured {time.time_ns()}"
    page = context.new_page()
    page.goto("/lists/open", wait_until="networkidle")
    _listening(page)
    sent_at = _mail(credentials, subject)
    row = page.locator("#rows > .row a", has_text=subject)
    row.wait_for()
    shown = time.perf_counter() - sent_at
    row.focus()
    begun = time.perf_counter()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=subject).wait_for()
    page.keyboard.press("r")
    typed = _typed(page)
    page.keyboard.press("Control+Enter")
    asked = time.perf_counter()
    answer = page.locator("#messages .message.out", has_text=ANSWER)
    answer.wait_for()
    in_conversation = time.perf_counter()
    expect(answer.locator(".delivery")).to_contain_text("Sent", timeout=SENT_WAIT_MS)
    done = time.perf_counter()
    longest: float = page.evaluate("bench.longest")
    return {
        "mail_to_row_ms": round(shown * 1000),
        "reply_by_keyboard_ms": round((in_conversation - begun) * 1000),
        "typing_ms_a_key": round(typed, 1),
        "send_to_conversation_ms": round((in_conversation - asked) * 1000),
        "send_to_sent_seconds": round(done - asked, 2),
        "longest_task_answering_ms": round(longest),
    }


def _typed(page: Page) -> float:
    begun = time.perf_counter()
    page.keyboard.type(ANSWER)
    return (time.perf_counter() - begun) * 1000 / len(ANSWER)


def _mail(credentials: Credentials, subject: str) -> float:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Lina Meyer <lina.meyer@example.com>", "support@northwind-mugs.example"
    mail["Subject"], mail["Message-ID"] = subject, f"<{time.time_ns()}@example.com>"
    mail.set_content("The handle broke off on the first day.\n")
    with smtplib.SMTP("127.0.0.1", credentials["smtp_port"], timeout=60) as server:
        server.send_message(mail)
    return time.perf_counter()


def idle(page: Page, seconds: float) -> dict[str, float]:
    """A console left alone with a ticket open: what it asks for, and what goes over its socket."""
    traffic = Traffic().follow(page)
    page.goto("/lists/open", wait_until="networkidle")
    _listening(page)
    page.locator("#rows > .row a").first.click()
    page.locator("#messages").wait_for()
    page.wait_for_load_state("networkidle")
    traffic.requests.clear()
    traffic.frames_in = traffic.frames_out = 0
    page.wait_for_timeout(seconds * 1000)
    return {
        "idle_seconds": seconds,
        "idle_requests": len(traffic.requests),
        "idle_frames_sent": traffic.frames_out,
        "idle_frames_received": traffic.frames_in,
    }


if __name__ == "__main__":
    sys.exit(main())
