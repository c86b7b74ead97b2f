"""Hostile mail on its whole way: SMTP, intake, store, console, a real Chromium.  Nothing runs, loads or gets out."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import QUIET, STEP_MS, WIDE, Window
from tests.figures import CORPUS
from tests.security.corpus.packing import mark
from tests.security.letters import delivered, letter, letters
from tests.security.oracle import POKE, Seen, logging_browser, origin_of
from tests.security.watch import Watch, logged_hosts, watching
from tests.stack import LocalStack, wait_for

OWN_HOSTS = re.compile(r"127\.0\.0\.1|[\w.-]+\.(?:google|googleapis)\.com")
"""The desk's, and those that Chromium asks for itself; no vector names one of them."""
Cookies = Callable[[str], Any]
Record = Callable[[str, object], None]

LOOK = f"""async () => {{
  const frames = [...document.querySelectorAll("iframe.frame")], poke = {POKE};
  for (const frame of frames) frame.loading = "eager";
  const ready = ({{ contentDocument: doc }}) => doc?.URL.includes("/html") && doc.readyState === "complete";
  for (let turn = 0; turn < 200 && !frames.every(ready); turn++) await new Promise((go) => setTimeout(go, 25));
  const seen = [];
  for (const frame of frames) {{
    const doc = frame.contentDocument, box = frame.getBoundingClientRect();
    const within = frame.closest(".box").getBoundingClientRect();
    poke(doc);
    const all = [...doc.querySelectorAll("body *")];
    seen.push({{
      ready: ready(frame), words: doc.body.innerText, sandbox: frame.getAttribute("sandbox"),
      marker: Object.keys(frame.contentWindow).filter((key) => /^ran/.test(key)),
      lifted: all.some((each) => frame.contentWindow.getComputedStyle(each).position !== "static"),
      outside: box.left < within.left - 1 || box.right > within.right + 1 || box.height > 6001,
      links: all.filter((each) => each.matches("a[href]:not(.desk-bar a)"))
        .map((each) => [each.href, each.target, each.rel]),
    }});
  }}
  const frames_at = [];
  for (let x = 5; x < innerWidth; x += 40) for (let y = 5; y < innerHeight; y += 40) {{
    const hit = document.elementFromPoint(x, y);
    if (hit?.tagName === "IFRAME" && !hit.closest(".conversation")) frames_at.push([x, y]);
  }}
  return {{ seen, frames_at, ids: document.querySelectorAll("#composer, #toasts, #rows, #ticket").length }};
}}"""


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watching() as made:
        yield made


def test_no_attack_in_a_mail_runs_loads_or_leaves_its_frame(
    stack: LocalStack,
    chromium: Browser,
    cookies: Cookies,
    watch: Watch,
    tmp_path: Path,
    record_property: Record,
) -> None:
    conversations = letters(watch.port)
    groups = list(conversations.values())
    started = time.monotonic()
    tickets = delivered(stack, conversations)
    record_property("seconds to deliver", round(time.monotonic() - started, 1))
    seen = Seen()
    with logging_browser(chromium, QUIET, tmp_path / "net.json") as browser:
        context = browser.new_context(base_url=stack.credentials["console_url"], viewport=WIDE)
        seen.listen(context)
        context.add_cookies(cookies("ben"))
        context.set_default_timeout(STEP_MS)
        page = context.new_page()
        shown: list[dict[str, Any]] = []
        for number, group in zip(tickets, groups, strict=True):
            page.goto(f"/tickets/{number}")
            shown += harmless_frames(page, len(group))
        page.wait_for_timeout(300)
        context.close()
    record_property("seconds in all", round(time.monotonic() - started, 1))
    figures = {"vectors": sum(len(each.vectors) for group in groups for each in group), "mails": len(shown)}
    record_property(CORPUS, figures | {"executed": len(seen.ran), "loaded": len(watch.fetched)})
    assert seen.ran == set()
    assert seen.refused == []
    assert seen.dialogs == 0 and seen.windows == 1
    assert len(seen.moved) == len(tickets)
    assert watch.fetched == []
    own = {origin_of(stack.credentials["console_url"]), "data:"}
    assert seen.asked <= own, seen.asked - own
    assert {host for host in logged_hosts(tmp_path / "net.json") if not OWN_HOSTS.fullmatch(host)} == set()
    words = "\n".join(each["words"] for each in shown)
    swallowed = [
        vector.template for group in groups for each in group if len(each.vectors) > 1
        for vector in each.vectors if mark(vector) not in words
    ]  # fmt: skip
    assert swallowed == []


def harmless_frames(page: Page, count: int) -> list[dict[str, Any]]:
    for link in page.get_by_role("link", name="As sent").all():
        link.click()  # a mail whose HTML adds nothing to its words shows those first
        link.locator("xpath=ancestor::article").locator("iframe.frame").wait_for()
    found = page.evaluate(LOOK)
    frames: list[dict[str, Any]] = found["seen"]
    assert len(frames) == count
    assert found["frames_at"] == [] and found["ids"] >= 3
    for each in frames:
        assert each["ready"]
        assert each["marker"] == [] and not each["lifted"] and not each["outside"], each
        assert set(each["sandbox"].split()) == {"allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"}
        for href, target, rel in each["links"]:
            assert re.match(r"(https?|mailto|tel):", href), href
            assert (target, rel) == ("_blank", "noopener noreferrer"), href
    return frames


CONSENT = """
<img alt=begin src="http://v9001.localhost:{port}/picture.gif"><img src="http:\\\\v9002.localhost:{port}/picture.gif">
<img srcset="http://v9003.localhost:{port}/s.gif 2x"><picture><source srcset="http://v9004.localhost:{port}/p"></picture>
<p style="background:url(http://v9005.localhost:{port}/c)">x</p><style>p{{color:red;background:url(http://v9006.localhost:{port}/d)}}</style>
<video poster="http://v9007.localhost:{port}/v"></video><link rel=stylesheet href="http://v9008.localhost:{port}/x.css">
<iframe src="http://v9009.localhost:{port}/f.html"></iframe><script src="http://v9010.localhost:{port}/x.js"></script>
<table background="http://v9011.localhost:{port}/b"><tr><td>x</td></tr></table><input type=image src="http://v9012.localhost:{port}/i">
<svg><image href="http://v9013.localhost:{port}/g"/></svg><img src="http://v9014.localhost:{port}/drawing.svg">
"""
ALLOWED = {9001, 9002, 9014}
"""Plain pictures, and nothing else; a drawing shown as a picture runs no script of its own."""


def test_after_consent_only_pictures_load(stack: LocalStack, window: Window, watch: Watch) -> None:
    thread = f"consent.{watch.port}"
    html = CONSENT.format(port=watch.port)
    conversations = {f"Attack {thread}": [letter([], html.encode(), "utf-8", thread, 0)]}
    (number,) = delivered(stack, conversations)
    page = window("ben", f"/tickets/{number}")
    seen = Seen()
    seen.listen(page.context)
    frame = page.frame_locator("iframe.frame")
    show = frame.get_by_role("link", name="Show pictures")
    expect(frame.get_by_text("3 pictures from the web are not shown")).to_be_visible()
    assert watch.fetched == []
    with page.expect_response(re.compile("images=1")):
        show.click()
    wait_for(lambda: watch.vectors >= ALLOWED, 40, what="the pictures")
    page.wait_for_load_state("networkidle")
    assert watch.vectors == ALLOWED
    for each in watch.fetched:
        assert each.method == "GET"
        assert not {"referer", "cookie", "authorization", "origin"} & set(each.told), each
    assert seen.ran == set() and seen.windows == 0
    page.reload()
    expect(frame.get_by_text("3 pictures from the web are not shown")).to_be_visible()


def test_links_open_outside_with_no_way_back(stack: LocalStack, window: Window, watch: Watch) -> None:
    """A click leads where the link says, in a window that knows neither the desk nor the ticket."""
    thread = f"links.{watch.port}"
    html = "<img alt=begin>" + "".join(
        f'<p><a {extra} href="http://v{9100 + n}.localhost:{watch.port}/page.html">link {n}</a></p>'
        for n, extra in enumerate(
            ["", "target=_top", "target=_parent rel=opener", "target=desk download", "onclick=x()"]
        )
    )
    conversations = {f"Attack {thread}": [letter([], html.encode(), "utf-8", thread, 0)]}
    (number,) = delivered(stack, conversations)
    page = window("ben", f"/tickets/{number}")
    before = page.url
    for n in range(5):
        with page.context.expect_page() as opened:
            page.frame_locator("iframe.frame").get_by_role("link", name=f"link {n}").click()
        opened.value.wait_for_load_state()
        assert opened.value.url == f"http://v{9100 + n}.localhost:{watch.port}/page.html"
        assert opened.value.evaluate("window.opener === null && document.referrer === ''")
        opened.value.close()
    assert page.url == before
    pages = [each for each in watch.fetched if each.path == "/page.html"]
    assert len(pages) == 5 and not [each for each in pages if {"referer", "cookie"} & set(each.told)]


def test_a_link_that_looks_like_another_place_names_the_true_one(stack: LocalStack, window: Window) -> None:
    thread = f"alike.{time.time_ns()}"
    html = '<img alt=begin><a href="https://b\u0430nk.example/">https://b\u0430nk.example</a>'
    conversations = {f"Attack {thread}": [letter([], html.encode(), "utf-8", thread, 0)]}
    (number,) = delivered(stack, conversations)
    page = window("ben", f"/tickets/{number}")
    expect(page.frame_locator("iframe.frame").get_by_text("xn--bnk-6cd.example")).to_be_visible()
    stack.api("POST", f"/tickets/{number}/messages", {"kind": "note", "text": "See https://b\u0430nk.example/login"})
    expect(page.get_by_text("[xn--bnk-6cd.example]")).to_be_visible()
