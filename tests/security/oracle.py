"""A Chromium that tells everything a page did: what ran, what was asked of whom, where windows went."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

from tests.security.corpus import RAN

POKE = """doc => {
  const kinds = [["mouseover", MouseEvent], ["mouseenter", MouseEvent], ["mousemove", MouseEvent],
    ["mousedown", MouseEvent], ["mouseup", MouseEvent], ["contextmenu", MouseEvent], ["dblclick", MouseEvent],
    ["pointerover", PointerEvent], ["pointerdown", PointerEvent], ["pointerrawupdate", PointerEvent],
    ["keydown", KeyboardEvent], ["keyup", KeyboardEvent], ["wheel", WheelEvent], ["scroll", Event],
    ["focusin", FocusEvent], ["input", InputEvent], ["change", Event], ["select", Event], ["copy", ClipboardEvent],
    ["paste", ClipboardEvent], ["dragstart", DragEvent], ["drop", DragEvent], ["touchstart", Event],
    ["animationend", AnimationEvent], ["transitionend", TransitionEvent], ["toggle", Event], ["load", Event]];
  for (const each of [...doc.querySelectorAll("*")].slice(0, 400)) {
    for (const [name, Kind] of kinds) {
      try { each.dispatchEvent(new Kind(name, { bubbles: true, cancelable: true })); } catch { }
    }
    if (each.matches("a[href], area[href], button, input, summary, [href]")) {
      const away = /^https?:/i.test(each.href || "");
      try { if (!away) each.click?.() ?? each.dispatchEvent(new MouseEvent("click", { bubbles: true })); } catch { }
    } else each.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  }
}"""
"""Touches everything in a document as a hand would, links to the web aside."""


@dataclass
class Seen:
    """What the windows of one context did."""

    ran: set[int] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    """What the browser itself had to stop: the second line held where the first did not."""
    asked: set[str] = field(default_factory=set)
    """Origins asked, by any kind of request."""
    windows: int = 0
    dialogs: int = 0
    moved: list[str] = field(default_factory=list)
    """Where the top windows went."""

    def listen(self, context: BrowserContext) -> None:
        context.on("console", lambda said: self._heard(said.text))
        context.on("weberror", lambda error: self._heard(str(error.error)))
        context.on("request", lambda request: self.asked.add(origin_of(request.url)))
        context.on("page", self._opened)

    def _heard(self, text: str) -> None:
        if ran := RAN.fullmatch(text):  # a refusal repeats the words, and is none
            self.ran.add(int(ran[1]))
        if "Blocked script execution" in text or "Content Security Policy" in text or "sandboxed" in text:
            self.refused.append(text[:300])

    def _opened(self, page: Page) -> None:
        self.windows += 1
        page.on("dialog", self._dialog)
        page.on("framenavigated", lambda frame: self.moved.append(frame.url) if frame.parent_frame is None else None)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs += 1
        dialog.dismiss()


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}:" if parts.scheme in ("data", "blob", "about") else f"{parts.scheme}://{parts.netloc}"


@contextmanager
def logging_browser(like: Browser, args: list[str], log: Path) -> Iterator[Browser]:
    """A second Chromium, for a test of its own; once it has ended ``log`` holds all that it did on the network."""
    launch: Callable[..., Browser] = like.browser_type.launch
    netlog = [f"--log-net-log={log}", "--net-log-capture-mode=Default"]
    browser = launch(executable_path="/usr/bin/chromium", args=[*args, *netlog])
    try:
        yield browser
    finally:
        browser.close()
