"""An answer taken back: its words return to whoever wrote them, and no word that was typed since is lost."""

import pytest

from chalicelib.services import drafts
from chalicelib.store import messages
from tests.api.console.browser import Browser
from tests.api.console.test_tickets import HTMX, receive, signed_in
from tests.engine import Desk

SENT = "Wrong <price>."


@pytest.fixture
def ben(desk: Desk) -> Browser:
    desk.inbox(undo_seconds=30)
    return signed_in(desk)


def answered(desk: Desk, ben: Browser) -> tuple[str, str, str]:
    """Ticket, answer, and the page's token."""
    number = receive(desk)
    csrf = ben.get(f"/tickets/{number}").form(f"/tickets/{number}/write").fields["csrf"][0]
    ben.post(f"/tickets/{number}/write", {"csrf": csrf, "text": SENT})
    (sent,) = (each.id for each in messages.newest(number).messages if each.delivery)
    return number, f"/tickets/{number}/messages/{sent}", csrf


def test_into_an_empty_composer_the_words_return(desk: Desk, ben: Browser) -> None:
    number, answer, csrf = answered(desk, ben)
    page = ben.post(f"{answer}/undo", {"csrf": csrf, "of": number, "text": " "}, **HTMX)
    assert page.form(f"/tickets/{number}/write").fields["text"] == [f"\n{SENT}"]
    assert "Ben took a reply back" in page.text
    assert "HX-Reswap" not in page.headers


@pytest.mark.parametrize("mode", ["note", "reply", "forward"])
def test_a_composer_that_holds_words_stays_and_its_words_are_kept(desk: Desk, ben: Browser, mode: str) -> None:
    number, answer, csrf = answered(desk, ben)
    typed = {"csrf": csrf, "of": number, "mode": mode, "text": "Typed since"}
    page = ben.post(f"{answer}/undo", typed, **HTMX)
    assert page.headers["HX-Reswap"] == "none"
    assert "/write" not in page.html
    assert "Its text stands in the conversation." in page.text
    draft = drafts.load(number, "ben")
    assert draft is not None
    assert (draft.text, draft.kind, draft.forward) == (
        "Typed since", "note" if mode == "note" else "reply", mode == "forward",
    )  # fmt: skip
    again = ben.post(f"{answer}/use", typed, **HTMX)
    fields = again.form(f"/tickets/{number}/write").fields
    assert (fields["text"], fields["mode"]) == ([f"\nTyped since\n\n{SENT}"], [mode])


def test_a_composer_in_which_only_recipients_were_typed_stays(desk: Desk, ben: Browser) -> None:
    number, answer, _ = answered(desk, ben)
    fields = ben.get(f"/tickets/{number}").form(f"/tickets/{number}/write").fields
    typed = {**fields, "cc": "carrier@parcels.example"}
    page = ben.post(f"{answer}/undo", typed, **HTMX)
    assert page.headers["HX-Reswap"] == "none"
    again = ben.post(f"{answer}/use", typed, **HTMX).form(f"/tickets/{number}/write").fields
    assert (again["text"], again["cc"]) == ([f"\n{SENT}"], ["carrier@parcels.example"])


def test_proposed_recipients_are_no_words(desk: Desk, ben: Browser) -> None:
    number, answer, _ = answered(desk, ben)
    fields = ben.get(f"/tickets/{number}").form(f"/tickets/{number}/write").fields
    assert fields["to"] == ["Lina Meyer <lina@customer.example>"]
    page = ben.post(f"{answer}/undo", fields, **HTMX)
    assert page.form(f"/tickets/{number}/write").fields["text"] == [f"\n{SENT}"]


def test_the_words_of_another_tickets_composer_are_not_mixed_in(desk: Desk, ben: Browser) -> None:
    number, answer, csrf = answered(desk, ben)
    ben.post(f"{answer}/undo", {"csrf": csrf, "of": "999", "text": "About something else"}, **HTMX)
    draft = drafts.load(number, "ben")
    assert draft is not None
    assert draft.text == SENT


def test_without_scripts_the_text_is_used_behind_the_draft(desk: Desk, ben: Browser) -> None:
    number, answer, csrf = answered(desk, ben)
    ben.post(f"/tickets/{number}/draft", {"csrf": csrf, "mode": "reply", "text": "New", "html": "<b>New</b>"})
    assert ben.post(f"{answer}/undo", {"csrf": csrf}).status == 303
    assert ben.post(f"{answer}/use", {"csrf": csrf}).status == 303
    fields = ben.get(f"/tickets/{number}").form(f"/tickets/{number}/write").fields
    assert fields["text"] == [f"\nNew\n\n{SENT}"]
    assert fields["html"] == ["<b>New</b><br><br>Wrong &lt;price&gt;."]


def test_a_colleague_is_named_and_keeps_the_own_draft(desk: Desk, ben: Browser) -> None:
    number, answer, _ = answered(desk, ben)
    chloe = signed_in(desk, "chloe")
    csrf = chloe.get(f"/tickets/{number}").form(f"/tickets/{number}/write").fields["csrf"][0]
    page = chloe.post(f"{answer}/undo", {"csrf": csrf, "of": number, "text": "Half a sentence"}, **HTMX)
    assert "Chloe took Ben’s reply back" in page.text
    assert "Wrong &lt;price&gt;." in page.html
    texts = [each.text for each in (drafts.load(number, "chloe"), drafts.load(number, "ben")) if each]
    assert texts == ["Half a sentence", SENT]
    assert chloe.post(f"{answer}/undo", {"csrf": csrf, "of": number, "text": ""}, **HTMX).headers["HX-Reswap"] == "none"


def test_only_what_was_taken_back_is_used_again(desk: Desk, ben: Browser) -> None:
    _, answer, csrf = answered(desk, ben)
    assert ben.post(f"{answer}/use", {"csrf": csrf}, **HTMX).status == 409
