"""Is the oracle of the attack corpus able to see?  The same attacks where nothing, or only the frame, holds them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import QUIET, WIDE, Window
from tests.security import corpus
from tests.security.corpus import Vector
from tests.security.letters import delivered, letter
from tests.security.oracle import POKE, Seen, logging_browser
from tests.security.watch import Watch, logged_hosts, watching
from tests.stack import LocalStack

Record = Callable[[str, object], None]


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watching() as made:
        yield made


BARE = 'sandbox="allow-scripts allow-same-origin allow-forms allow-modals allow-popups"'
"""Only the top window is kept from being sent away, for the others are in it."""
PER_PAGE = 60


def raw_pages(watch: Watch, vectors: Sequence[Vector], headers: dict[str, str], sandbox: str) -> list[str]:
    """Pages of the watching server with every vector, as it came, in a frame of its own."""
    kind = {"Content-Type": "text/html; charset=utf-8"}
    paths = []
    for vector in vectors:
        html = f"<!doctype html><body>{vector.filled(watch.port)}"
        watch.pages[f"/raw/{vector.number}"] = ({**kind, **headers}, html.encode())
    for start in range(0, len(vectors), PER_PAGE):
        frames = "".join(
            f'<iframe class="frame" src="/raw/{each.number}" {sandbox}></iframe>'
            for each in vectors[start : start + PER_PAGE]
        )
        paths.append(f"/page/{len(watch.pages)}")
        watch.pages[paths[-1]] = (kind, f"<!doctype html><body>{frames}".encode())
    return paths


def exposed(browser: Browser, watch: Watch, paths: Sequence[str]) -> Seen:
    """Open the pages and touch everything in them."""
    seen = Seen()
    context = browser.new_context(base_url=f"http://127.0.0.1:{watch.port}", viewport=WIDE)
    seen.listen(context)
    page = context.new_page()
    for path in paths:
        page.goto(path)
        page.wait_for_timeout(250)
        page.evaluate(
            f"""() => {{ for (const frame of document.querySelectorAll("iframe")) {{
              try {{ ({POKE})(frame.contentDocument); }} catch {{ }} }} }}"""
        )
        page.wait_for_timeout(250)
    context.close()
    return seen


def some_vectors() -> list[Vector]:
    """All that were written by hand and a third of those made; nested ones bite like what they hold."""
    return [
        each for each in corpus.html_vectors() if each.kind != "nesting" and (not each.made or each.number % 3 == 0)
    ]


def test_the_same_attacks_bite_in_a_page_without_protection(
    chromium: Browser, watch: Watch, tmp_path: Path, record_property: Record
) -> None:
    """Were the oracle blind, it would be blind here too.

    Many vectors only bite behind a sanitiser that reads them in another way than the browser, or in old browsers.
    """
    vectors = some_vectors()
    with logging_browser(chromium, QUIET, tmp_path / "net.json") as browser:
        seen = exposed(browser, watch, raw_pages(watch, vectors, {}, BARE))
    logged = logged_hosts(tmp_path / "net.json")
    looked_up = {int(found[1]) for host in logged if (found := corpus.HOST.search(host))}
    bitten = seen.ran | watch.vectors | looked_up
    figures = {
        "tried": len(vectors),
        "ran": len(seen.ran),
        "loaded": len(watch.vectors | looked_up),
        "bitten": len(bitten),
    }
    for name, figure in figures.items():
        record_property(name, figure)
    assert len(seen.ran) >= 150 and len(watch.vectors) >= 100 and len(bitten) >= len(vectors) * 0.35, figures
    for kind in ("script", "foreign", "load", "url", "css", "handler", "mutation"):
        of_kind = {each.number for each in vectors if each.kind == kind}
        assert len(of_kind & bitten) >= len(of_kind) * 0.3, kind
    assert looked_up - watch.vectors, "names that are only looked up must be seen too"


def test_the_frame_alone_lets_nothing_run_either(
    stack: LocalStack, chromium: Browser, window: Window, watch: Watch, tmp_path: Path, record_property: Record
) -> None:
    """The second line: HTML as it came, with the headers and the sandbox of the console's own frame."""
    thread = f"frame.{watch.port}"
    (number,) = delivered(stack, {f"Attack {thread}": [letter([], b"<img alt=x>", "utf-8", thread, 0)]})
    page = window("ben", "/lists/open")
    with page.expect_response(lambda answer: answer.url.endswith("/html")) as answered:
        page.goto(f"/tickets/{number}")
    names = ("content-security-policy", "x-content-type-options", "referrer-policy")
    headers = {name: answered.value.headers[name] for name in names}
    sandbox = page.locator("iframe.frame").get_attribute("sandbox")
    assert "sandbox" in headers["content-security-policy"] and "allow-scripts" not in str(headers) + str(sandbox)
    vectors = some_vectors()
    with logging_browser(chromium, QUIET, tmp_path / "net.json") as browser:
        seen = exposed(browser, watch, raw_pages(watch, vectors, headers, f'sandbox="{sandbox}"'))
    record_property("tried", len(vectors))
    record_property("loaded all the same", len(watch.vectors))
    assert seen.ran == set() and seen.dialogs == 0
    assert watch.vectors == set()
    assert seen.refused, "the frame had to refuse, so the attacks were there"
