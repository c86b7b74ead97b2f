"""Markup where only words belong, and files that a browser would run: in every place of the console, in Chromium."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import Window, listens
from tests.security import corpus
from tests.security.letters import ATTACKER, mail_in_words
from tests.security.oracle import Seen, origin_of
from tests.security.watch import Watch, watching
from tests.stack import LocalStack, wait_for

WORDS = 20_000
"""Where the numbers of these vectors begin."""
FILES = 21_000
MAX_TEAM_CHARS = 55
REFLECTED = (
    "/search?q={}",
    "/sign-in?next={}",
    "/password?link={}",
    "/tickets/{}",
    "/lists/{}",
    "/lists/open?cursor={}",
)
"""Pages that repeat, or might repeat, what the address says."""
Record = Callable[[str, object], None]


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watching() as made:
        yield made


TOUCH = """() => {
  for (const each of [...document.body.querySelectorAll("*")].slice(0, 2000))
    for (const name of ["mouseover", "mouseenter", "pointerover", "focus", "focusin", "load", "error"])
      each.dispatchEvent(new Event(name, { bubbles: false }));
}"""


def touch(page: Page) -> None:
    """Hover over everything; a handler that markup brought would run."""
    page.evaluate(TOUCH)


def assert_nothing_happened(seen: Seen, watch: Watch, stack: LocalStack) -> None:
    assert seen.ran == set()
    assert seen.refused == []
    assert seen.dialogs == 0
    assert watch.fetched == []
    assert seen.asked <= {origin_of(stack.credentials["console_url"]), "data:"}


def test_markup_in_names_subjects_files_tags_and_notes_stays_words(
    stack: LocalStack, window: Window, watch: Watch, record_property: Record
) -> None:
    vectors = corpus.word_vectors(WORDS)
    filled = [each.filled(watch.port) for each in vectors]
    seen = Seen()
    agents = stack.api("GET", "/agents")["items"]
    ben = next(each["id"] for each in agents if each["name"].startswith("Ben"))
    lists = window("ben", "/lists/open")
    seen.listen(lists.context)
    listens(lists)
    places = 0
    for vector, words in zip(vectors, filled, strict=True):
        stack.send(mail_in_words(words, f"w{vector.number}.{watch.port}", [(words, "text/plain", b"x")]), ATTACKER)
    rows = lists.get_by_role("list", name="Tickets")
    for vector in vectors:  # as fragments over the socket
        expect(rows.get_by_text(f"w{vector.number}.{watch.port}").first).to_be_attached(timeout=20_000)
    tickets = {
        found[1]: each for each in stack.tickets() if (found := re.search(r" (w\d+\.\d+)$", each["subject"]))
    }  # fmt: skip
    assert len(tickets) == len(vectors)
    touch(lists)
    shown = rows.inner_text()
    places += 2 * len(vectors)  # name and subject, live
    first = str(tickets[f"w{WORDS}.{watch.port}"]["number"])
    page = window("ben", f"/tickets/{first}")
    seen.listen(page.context)
    listens(page)
    for n, (vector, words) in enumerate(zip(vectors, filled, strict=True)):
        key = f"w{vector.number}.{watch.port}"
        assert " ".join(f"{words} {key}".split()) in " ".join(shown.split())
        number = str(tickets[key]["number"])
        stack.api("PATCH", f"/tickets/{number}", {"subject": f"{words} renamed", "tags": [words[:40]]})
        if n < 3:  # a notice, as a toast in the list's window
            stack.api("PATCH", f"/tickets/{number}", {"assignee_id": ben})
        stack.api("POST", f"/tickets/{first}/messages", {"kind": "note", "text": f"{words} note {n}"})
        expect(page.get_by_text(f"note {n}", exact=False).last).to_be_attached()  # a fragment over the socket
        places += 4
    touch(page)
    for ticket in tickets.values():
        page.goto(f"/tickets/{ticket['number']}")
        assert page.title().startswith(f"#{ticket['number']} ")
        expect(page.locator("#ticket-name")).to_contain_text("renamed")
        expect(page.locator(".files .cut")).to_have_text(re.compile(r"\S"))
        assert page.locator(".files .cut *, h2 b, .row b, .by img, .tag *").count() == 0
        touch(page)
        places += 7  # title, heading, fields, events, name, to and cc, file, body, customer
    for path in REFLECTED:
        for words in filled if path.startswith("/search") else filled[::3]:
            page.goto(path.format(quote(words, safe="")))
            touch(page)
            places += 1
    page.goto("/notices")
    expect(page.get_by_text("renamed").first).to_be_visible()
    touch(page)
    touch(lists)
    assert_nothing_happened(seen, watch, stack)
    record_property("vectors in places", places)


def test_markup_in_settings_stays_words(stack: LocalStack, window: Window, watch: Watch) -> None:
    """Names that an admin gives: teams, tokens, inboxes; and what the audit tells of them."""
    seen = Seen()
    admin = next(each for each in stack.credentials["agents"] if each["role"] == "admin")
    page = window(admin["email"].split("@")[0], "/settings/teams")
    seen.listen(page.context)
    made: list[str] = []
    for n, vector in enumerate(corpus.word_vectors(WORDS + 100)):
        words = vector.filled(watch.port)
        if len(words) > MAX_TEAM_CHARS:
            continue
        page.goto("/settings/teams")
        page.get_by_label("Name", exact=True).fill(f"{words} {n}")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_label(f"Name of the team {words} {n}", exact=True)).to_have_value(f"{words} {n}")
        made.append(f"{words} {n}")
    assert len(made) >= 10
    for path in ("/settings/audit", "/lists/open", "/settings/agents", "/settings/tokens"):
        page.goto(path)
    for name in made:
        page.goto("/settings/teams")
        page.get_by_role("button", name=f"Delete the team {name}", exact=True).click()
    assert_nothing_happened(seen, watch, stack)


def test_files_of_customers_never_run_in_the_browser(stack: LocalStack, window: Window, watch: Watch) -> None:
    """Each is opened as a link, as a picture asked for inline, and as the original."""
    files = corpus.files(FILES)
    raw = mail_in_words(
        "Files", f"files.{watch.port}", [(n, k, v.filled(watch.port).encode()) for v, n, k in files[:-2]]
    )
    stack.send(raw, ATTACKER)
    number = str(stack.ticket_about(f"Files files.{watch.port}")["number"])
    page = window("ben", f"/tickets/{number}")
    seen = Seen()
    seen.listen(page.context)
    links = [str(link.get_attribute("href")) for link in page.locator(".files a.file").all()]
    assert len(links) >= len(files) - 3
    links.append(str(page.get_by_role("link", name="Original").get_attribute("href")))
    for link in links:
        for query in ("", "?inline=1"):
            answer = page.context.request.get(link + query)
            kind, shown = answer.headers["content-type"], answer.headers.get("content-disposition", "")
            assert kind in {"application/octet-stream", "image/png", "image/gif", "image/jpeg", "image/webp"}, (
                link,
                kind,
            )
            assert shown.startswith("attachment") or kind.startswith("image/"), (link, shown)
            tab = page.context.new_page()
            opened(tab, link + query)
            tab.close()
    assert seen.ran == set() and seen.dialogs == 0
    assert watch.fetched == []


def opened(tab: Page, path: str) -> None:
    """Go there; a download ends the journey, which is fine."""
    try:
        tab.goto(path)
    except Error as error:
        if not re.search("Download is starting|ERR_ABORTED", str(error)):
            raise
    tab.wait_for_timeout(50)


TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def test_names_cannot_turn_the_line_around(stack: LocalStack, window: Window) -> None:
    """Overrides would make "exe.gpj" out of a file's name and turn the ticket's number behind a subject."""
    turned = "Bill \u202egpj.exe\u2066"
    stack.send(mail_in_words(turned, "turned", [(f"{turned}.pdf", "text/plain", b"x")]), ATTACKER)
    ticket = wait_for(
        lambda: next((each for each in stack.tickets() if each["subject"].endswith(" turned")), None), 20, "the ticket"
    )
    assert ticket is not None
    page = window("ben", f"/tickets/{ticket['number']}")
    told = "h2, .by, .files, .row, title, .panel, .to"
    texts: list[Any] = page.locator(told).evaluate_all("all => all.map(each => each.outerHTML)")
    assert any("gpj.exe" in text for text in texts)
    assert [text for text in texts if TURNING.search(text)] == []
