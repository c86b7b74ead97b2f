"""The composer of a forward offers the conversation's files; what is chosen goes along and is kept with the draft."""

from typing import Any

import pytest

from chalicelib.domain.message import IncomingFile
from chalicelib.services import drafts
from chalicelib.store import messages
from tests.api.console.browser import Browser, PageForm
from tests.api.console.test_tickets import receive, signed_in
from tests.engine import Desk

FILES = (
    IncomingFile("bill.pdf", "application/pdf", b"%PDF-1" * 400),
    IncomingFile("logo.png", "image/png", b"\x89PNG", "<logo@x>", True),
    IncomingFile("run.exe", "application/x-exe", b"MZ"),
)


@pytest.fixture
def ben(desk: Desk) -> Browser:
    desk.inbox()
    return signed_in(desk)


def write_form(ben: Browser, number: str, query: str = "") -> PageForm:
    return ben.get(f"/tickets/{number}{query}").form(f"/tickets/{number}/write")


def ids(number: str) -> list[str]:
    """Of the customer's files, as they are sent on."""
    (message,) = (each for each in messages.newest(number).messages if each.direction == "in")
    return [f"{message.id}.{each.id}" for each in message.attachments]


def test_a_forward_offers_the_files_and_takes_the_chosen_ones_along(desk: Desk, ben: Browser) -> None:
    number = receive(desk, files=FILES, html='<p>Hello <img src="cid:logo@x"></p>')
    bill, logo, _ = ids(number)
    form = write_form(ben, number, "?mode=forward")
    assert "bill.pdf 2 KB" in ben.page.text
    assert logo not in ben.page.html, "a picture inside the words is no file of its own"
    assert "run.exe" not in ben.page.html.split('id="composer"')[1]
    assert form.fields["pass"] == [bill]
    ben.post(f"/tickets/{number}/write", {**form.fields, "to": "lab@supplier.example", "text": "Please look."})
    (sent,) = (each for each in messages.newest(number).messages if each.delivery)
    assert [(each.id, each.name) for each in sent.attachments] == [(bill, "bill.pdf")]
    assert f"/messages/{sent.id}/files/{bill}" in ben.get(f"/tickets/{number}").html
    assert ben.get(f"/tickets/{number}/messages/{sent.id}/files/{bill}").status == 303


@pytest.mark.parametrize("chosen", [[], ["bill"]], ids=["none", "one"])
def test_the_choice_outlasts_other_modes_and_goes_with_none_of_them(
    desk: Desk, ben: Browser, chosen: list[str]
) -> None:
    number = receive(desk, files=FILES)
    passed = ids(number)[:1] if chosen else []
    fields: dict[str, Any] = write_form(ben, number, "?mode=forward").fields | {"pass": passed, "text": "Please look."}
    for mode in ("note", "reply", "forward"):
        page = ben.post(f"/tickets/{number}/composer", {**fields, "to_mode": mode})
        fields = page.form(f"/tickets/{number}/write").fields
        if mode == "note":
            assert "bill.pdf" not in page.html.split('id="composer"')[1]
            ben.post(f"/tickets/{number}/write", {**fields, "seed": "other"})
            (note,) = (each for each in messages.newest(number).messages if each.kind == "note")
            assert note.attachments == ()
    assert fields.get("pass", []) == passed


def test_an_answer_offers_none(desk: Desk, ben: Browser) -> None:
    number = receive(desk, files=FILES)
    assert "pass" not in write_form(ben, number).fields


def test_the_choice_is_kept_with_the_draft_and_alone_makes_none(desk: Desk, ben: Browser) -> None:
    label = IncomingFile("label.pdf", "application/pdf", b"%PDF-2")
    number = receive(desk, files=(*FILES, label))
    second = ids(number)[-1]
    fields = write_form(ben, number, "?mode=forward").fields | {"pass": [second]}
    ben.post(f"/tickets/{number}/draft", {**fields, "text": ""})
    assert drafts.load(number, "ben") is None
    ben.post(f"/tickets/{number}/draft", {**fields, "text": "Please look."})
    assert write_form(ben, number).fields["pass"] == [second]
    ben.post(f"/tickets/{number}/draft", {**fields, "pass": [], "text": "Please look."})
    assert "pass" not in write_form(ben, number).fields


def test_too_much_for_a_mail_is_said_beside_the_files(desk: Desk, ben: Browser) -> None:
    number = receive(desk, files=(IncomingFile("film.mp4", "video/mp4", b"x" * 10_500_000),))
    fields = write_form(ben, number, "?mode=forward").fields
    page = ben.post(f"/tickets/{number}/write", {**fields, "to": "lab@supplier.example", "text": "Look."})
    assert page.status == 422
    assert "Together they are 10.5 MB; a mail carries 10 MB." in page.text
    assert page.form(f"/tickets/{number}/write").fields["pass"] == ids(number)
