"""Lists, tickets and writing as a browser without scripts sees them, and the guards around every page."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import config
from chalicelib.api.console.ticket import snoozes
from chalicelib.domain.message import Inbound, IncomingFile, Party
from chalicelib.domain.people import Role
from chalicelib.services import drafts, receive_message, sessions
from chalicelib.services.receive_message import Envelope
from chalicelib.store import directory, lists, messages, tickets
from tests.api.console.browser import Browser, PageForm
from tests.builders import an_agent
from tests.engine import Desk

COOKIE = "__Host-deskbell"
HTMX = {"hx_request": "true"}
LINA = Party("Lina Meyer", "lina@customer.example")
TABLE = "<table><tr><td>Where is it?</td></tr></table><img src='cid:one'><img src='https://tracker.example/x.png'>"


def signed_in(desk: Desk, name: str = "ben", role: Role = "agent") -> Browser:
    return Browser({COOKIE: sessions.open_session(desk.agent(name, role=role), desk.now)})


@pytest.fixture
def ben(desk: Desk) -> Browser:
    desk.inbox()
    return signed_in(desk)


def receive(desk: Desk, name: str = "one", **changed: Any) -> str:
    """A customer's mail; the ticket it became."""
    wanted: dict[str, Any] = {"subject": "Where is it?", "text": "Hello.\n> quoted", "new_text": "Hello."} | changed
    inbound = Inbound(name, LINA, desk.now, **wanted)
    envelope = Envelope(name, f"kept/{name}", desk.now, directory.inbox("support"), f"{desk.now:%Y-%m-%d}")
    receive_message.receive(inbound, envelope, desk.now)
    page = lists.page(lists.ListName("open"))
    return page.rows[0].id


def test_a_list_shows_who_wrote_and_an_empty_one_says_what_next(desk: Desk, ben: Browser) -> None:
    assert "Nothing is yours right now Take one from Unassigned" in ben.get("/lists/mine").text
    receive(desk)
    page = ben.get("/lists/unassigned")
    assert "Unread. Lina Meyer waits now Where is it?" in page.text


def test_opening_a_ticket_makes_it_read_for_this_agent_alone(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    assert "Hello." in ben.get(f"/tickets/{number}").text
    assert "Unread" not in ben.get("/lists/open").text
    assert "Unread" in signed_in(desk, "chloe").get("/lists/open").text


def test_htmx_gets_the_part_it_swaps(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    part = ben.get(f"/tickets/{number}", **HTMX)
    assert "<html" not in part.html
    assert part.html.lstrip().startswith('<div class="ticket"')
    restored = ben.get(f"/tickets/{number}", hx_request="true", hx_history_restore_request="true")
    assert "<html" in restored.html


def test_every_link_and_form_stands_behind_the_base_path(
    desk: Desk, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = receive(desk)
    monkeypatch.setenv("BASE_PATH", "/api")
    config.settings.cache_clear()
    page = ben.get(f"/tickets/{number}")
    forms = {form.action for form in page.read.forms}
    assert forms
    assert all(action.startswith("/api/") for action in forms)
    assert 'href="/lists' not in page.html
    assert 'src="/static' not in page.html


def test_words_that_cannot_be_sent_come_back_with_the_reason(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    ben.get(f"/tickets/{number}")
    page = ben.submit(f"/tickets/{number}/write", text="Not to be lost", to="nowhere")
    assert page.status == 422
    assert "is not an e-mail address" in page.text
    form = page.form(f"/tickets/{number}/write")
    assert _text(form) == "Not to be lost"
    assert "to" in page.read.invalid
    assert page.read.described["to"] == ["c-to-error"]


def test_the_same_form_sent_twice_is_one_answer(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    ben.get(f"/tickets/{number}")
    form = ben.page.form(f"/tickets/{number}/write")
    for _ in range(2):
        assert ben.post(form.action, {**form.fields, "text": "Once"}).status == 303
    said = [each for each in messages.newest(number).messages if each.direction == "out" and each.kind == "message"]
    assert [each.text for each in said] == ["Once"]


def test_an_answer_to_what_has_moved_on_is_stopped(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    ben.get(f"/tickets/{number}")
    desk.advance(minutes=1)
    receive(desk, "two", ticket_token=number, text="One more thing", new_text="One more thing")
    page = ben.submit(f"/tickets/{number}/write", text="My answer")
    assert page.status == 409
    assert "Send anyway" in page.html
    assert ben.submit(f"/tickets/{number}/write", send_anyway="1").status == 303


def test_a_draft_is_kept_and_changes_its_kind(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    ben.get(f"/tickets/{number}")
    fields = ben.page.form(f"/tickets/{number}/write").fields
    ben.post(f"/tickets/{number}/draft", {**fields, "text": "Half a sentence"})
    page = ben.get(f"/tickets/{number}")
    assert _text(page.form(f"/tickets/{number}/write")) == "Half a sentence"
    page = ben.post(f"/tickets/{number}/composer", {**fields, "text": "Half a sentence", "to_mode": "note"})
    form = page.form(f"/tickets/{number}/write")
    assert (form.fields["mode"], _text(form)) == (["note"], "Half a sentence")
    assert drafts.load(number, "ben") is not None


def _text(form: PageForm) -> str:
    """What the agent typed: browsers drop the line break after <textarea>."""
    return form.fields["text"][0].removeprefix("\n")


def test_everything_of_a_message_can_be_read(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    (message,) = messages.newest(number).messages
    assert f"/tickets/{number}/messages/{message.id}/full" in ben.get(f"/tickets/{number}").html
    page = ben.get(f"/tickets/{number}/messages/{message.id}/full")
    assert "> quoted" in page.text


def test_a_mail_as_sent_runs_nothing_and_loads_only_its_own_pictures(desk: Desk, ben: Browser) -> None:
    picture = IncomingFile("one.png", "image/png", b"\x89PNG", "one", inline=True)
    number = receive(desk, html=TABLE, files=(picture,))
    (message,) = messages.newest(number).messages
    here = f"/tickets/{number}/messages/{message.id}"
    page = ben.get(f"{here}/html")
    policy = str(page.headers["Content-Security-Policy"])
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox" in policy
    assert "https:" not in policy.split("img-src")[1].split(";")[0].replace("https://", "")
    assert f"{here}/files/{message.attachments[0].id}?inline=1" in page.html
    assert "tracker.example" not in page.html
    asked_for = ben.get(f"{here}/html?images=1")
    assert "tracker.example" in asked_for.html


@pytest.mark.parametrize(
    ("changed", "headers"),
    [({"csrf": None}, {}), ({"csrf": "made up"}, {}), ({}, {"origin": "https://evil.example"}),
     ({}, {"sec_fetch_site": "cross-site"})],
)  # fmt: skip
def test_a_form_that_is_not_ours_changes_nothing(
    desk: Desk, ben: Browser, changed: dict[str, str | None], headers: dict[str, str]
) -> None:
    number = receive(desk)
    ben.get(f"/tickets/{number}")
    fields = {"csrf": ben.page.form(f"/tickets/{number}/write").fields["csrf"][0], "status": "closed"} | changed
    page = ben.post(f"/tickets/{number}/change", {n: v for n, v in fields.items() if v is not None}, **headers)
    assert page.status == 403
    assert tickets.get(number).status == "open"


def test_a_viewer_reads_and_changes_nothing(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    viewer = signed_in(desk, "vera", "viewer")
    page = viewer.get(f"/tickets/{number}")
    assert "You may read here." in page.text
    csrf = page.form("/sign-out").fields["csrf"][0]
    assert viewer.post(f"/tickets/{number}/change", {"csrf": csrf, "status": "closed"}).status == 403
    assert tickets.get(number).status == "open"


def test_a_stranger_is_sent_to_sign_in_and_htmx_is_told_where(desk: Desk) -> None:
    stranger = Browser()
    assert stranger.get("/lists/open").location == "/sign-in?next=%2Flists%2Fopen"
    part = stranger.get("/lists/open", **HTMX)
    assert (part.status, part.headers["HX-Retarget"]) == (401, "#toasts")


def test_an_error_page_gives_back_what_was_typed(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    page = ben.post("/tickets/999999/write", {"csrf": _csrf(ben, number), "text": "Precious words", "mode": "note"})
    assert page.status == 404
    assert "Precious words" in page.html


def _csrf(browser: Browser, number: str) -> str:
    return browser.get(f"/tickets/{number}").form(f"/tickets/{number}/write").fields["csrf"][0]


def test_pages_may_only_run_our_own_scripts(ben: Browser) -> None:
    policy = str(ben.get("/lists/open").headers["Content-Security-Policy"])
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self' ws://127.0.0.1:1 " in policy


def test_static_files_are_kept_for_ever_under_their_own_name(ben: Browser) -> None:
    page = ben.get("/lists/open")
    (address,) = [part.split('"')[0] for part in page.html.split('href="') if "desk.css" in part[:60]]
    assert "immutable" in str(ben.get(address).headers["Cache-Control"])
    assert ben.get("/static/old/desk.css").headers["Cache-Control"] == "no-cache"
    assert ben.get("/static/old/secret.py").status == 404


def test_counts_and_a_fresh_token_for_a_page_that_asks(ben: Browser) -> None:
    assert json.loads(ben.get("/counts").html) == {"notices": 0}
    known = json.loads(ben.get("/session").html)
    assert known["agent"] == "ben"
    assert known["csrf"] in ben.get("/lists/open").html


def test_a_ticket_made_by_hand_can_be_taken_back(desk: Desk, ben: Browser) -> None:
    desk.inbox(id="billing", address="billing@shop.example", name="Billing")
    page = ben.get("/new?in=inbox:billing")
    assert page.form("/new").fields["inbox_id"] == ["billing"]
    typed = {"inbox_id": "support", "customer": "not an address", "subject": "Your cup", "text": "It is on its way."}
    page = ben.submit("/new", **typed)
    assert "not an address" in page.text.partition("is not an e-mail address")[0][-24:]
    page = ben.submit("/new", **(typed | {"customer": "Lina <lina@customer.example>"}))
    made = ben.get(page.location) if page.location else page
    assert "Sending to Lina" in made.text
    assert "Undo" in made.text


def test_a_forward_is_not_the_mail_that_recipients_are_compared_with(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    fields = {"mode": "forward", "to": "press@paper.example", "text": "For you."}
    ben.post(f"/tickets/{number}/write", {"csrf": _csrf(ben, number), **fields})
    page = ben.get(f"/tickets/{number}")
    assert "Added since the last mail" not in page.text
    assert "Left out" not in page.text


def test_the_composer_says_who_gets_the_answer_when_somebody_else_wrote(desk: Desk, ben: Browser) -> None:
    """A courier to whom the ticket was forwarded answers: the next answer goes to them, not to the customer."""
    number = receive(desk)
    assert 'placeholder="Answer Lina Meyer"' in ben.get(f"/tickets/{number}").html
    fields = {"mode": "forward", "to": "courier@parcels.example", "text": "Where is it?"}
    ben.post(f"/tickets/{number}/write", {"csrf": _csrf(ben, number), **fields})
    courier = Inbound(
        "two", Party("Cora Courier", "courier@parcels.example"), desk.now, subject="Re: Where is it?",
        text="At the depot.", new_text="At the depot.", ticket_token=number,
    )  # fmt: skip
    envelope = Envelope("two", "kept/two", desk.now, directory.inbox("support"), f"{desk.now:%Y-%m-%d}")
    receive_message.receive(courier, envelope, desk.now)
    page = ben.get(f"/tickets/{number}")
    assert 'placeholder="Answer Cora Courier"' in page.html
    assert "Added since the last mail: courier@parcels.example. Left out: lina@customer.example." in page.text


def test_a_forward_says_what_goes_along(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    page = ben.post(f"/tickets/{number}/composer", {"csrf": _csrf(ben, number), "mode": "reply", "to_mode": "forward"})
    assert "The conversation goes along, without notes." in page.text
    assert "Quote the conversation" not in page.text


def test_no_moment_to_snooze_to_is_offered_twice() -> None:
    sunday = datetime(2026, 11, 22, 12, tzinfo=UTC)
    moments = [moment for _, moment in snoozes(sunday, an_agent())]
    assert len(moments) == len(set(moments)) == 2
    assert len(snoozes(sunday + timedelta(days=1), an_agent())) == 3


def test_spam_shows_its_banner_at_once(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    part = ben.post(f"/tickets/{number}/change", {"csrf": _csrf(ben, number), "status": "spam"}, **HTMX)
    assert "This ticket is marked as spam." in part.text
