"""Fragments as the page and the jobs render them: the same templates, readable without the page around them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from selectolax.lexbor import LexborHTMLParser

from chalicelib import config
from chalicelib.domain.message import DeliveryState
from chalicelib.web.render import STATIC_FILES, message_fragment, row_fragment, static_path, url
from tests.builders import NOON, a_desk, a_message, a_note, a_reply, a_row, an_agent, an_attachment, an_event

NAMES = (
    "STAGE AWS_REGION TABLE_NAME ORIGINALS_BUCKET ATTACHMENTS_BUCKET INBOUND_QUEUE_URL WORK_QUEUE_URL LATER_QUEUE_URL "
    "OUTBOUND_QUEUE_URL INBOUND_DEAD_QUEUE_URL WORK_DEAD_QUEUE_URL LATER_DEAD_QUEUE_URL OUTBOUND_DEAD_QUEUE_URL "
    "USER_POOL_ID USER_POOL_CLIENT_ID CONFIGURATION_SET WEBSOCKET_API_ID WEBSOCKET_URL WEBSOCKET_ENDPOINT "
    "PARAMETER_PREFIX"
)
OWN_STYLE_BYTES = 20_480
SOCKET_SCRIPT_BYTES = 2_048


@pytest.fixture(autouse=True)
def _behind_a_stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in NAMES.split():
        monkeypatch.setenv(name, "unset")
    monkeypatch.setenv("BASE_PATH", "/api")
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


def _text(html: str) -> str:
    return " ".join(LexborHTMLParser(html).text(separator=" ").split())


def test_a_url_knows_the_base_path_and_escapes_what_it_is_given() -> None:
    assert url("/search", q="a b&c", cursor=None) == "/api/search?q=a%20b%26c"


def test_a_row_says_who_what_how_long_and_who_has_it() -> None:
    row = a_row(waiting_since=NOON - timedelta(minutes=12), assignee_id="ben", priority="urgent")
    html = row_fragment(row, frozenset({"ben"}), a_desk(), NOON)
    said = _text(html)
    for words in ("Lina Meyer", "Where is my parcel?", "12 min", "Urgent", "mail", "Ben Okafor has it"):
        assert words in said
    item = LexborHTMLParser(html).css_first("li")
    link = LexborHTMLParser(html).css_first("a")
    assert item is not None and link is not None
    assert item.attributes["data-seen"] == "ben"
    assert link.attributes["href"] == "/api/tickets/1042"


def test_what_a_customer_writes_is_never_markup() -> None:
    hostile = "<script>alert(1)</script>"
    message = a_message(text=hostile, author_name=hostile, banners=(hostile,))
    assert "<script" not in message_fragment(message, a_desk(), NOON)
    assert "<script" not in row_fragment(a_row(subject=hostile, customer_name=hostile), frozenset(), a_desk(), NOON)


def test_a_note_is_named_as_one() -> None:
    assert "Note, seen by agents only" in _text(message_fragment(a_note(), a_desk(), NOON))


def test_an_event_is_one_line() -> None:
    assert _text(message_fragment(an_event(status="closed"), a_desk(), NOON)) == (
        "Ben Okafor set the status to closed · 12:05"
    )


@pytest.mark.parametrize(
    ("state", "reason", "buttons"),
    [
        ("delivered", "", []),
        ("bounced", "No such address.", ["Send again"]),
        ("failed", "Sent again by Ben.", []),
        ("unclear", "The provider did not answer.", ["It arrived", "Send again"]),
        ("queued", "", ["Undo"]),
    ],
)
def test_a_delivery_offers_what_can_be_done_about_it(state: DeliveryState, reason: str, buttons: list[str]) -> None:
    html = message_fragment(a_reply(state, reason), a_desk(), NOON)
    assert [button.text() for button in LexborHTMLParser(html).css("button")] == buttons
    assert reason in _text(html)


def test_a_reply_taken_back_is_one_line_with_its_words_folded_away() -> None:
    html = message_fragment(a_reply("cancelled", "Taken back by Chloe."), a_desk(), NOON)
    assert _text(html).startswith("Chloe took Ben Okafor’s reply back · 12:05 Show it It is on its way.")
    (folded,) = LexborHTMLParser(html).css("details:not([open])")
    assert "It is on its way." in folded.text()


def test_an_edited_message_says_so_and_the_line_says_what_it_said() -> None:
    html = message_fragment(a_message(edited_at=NOON), a_desk(), NOON)
    assert "edited 12:00" in _text(html)
    html = message_fragment(an_event(edited="Two <b>mugs</b>"), a_desk(), NOON)
    assert "edited a message, which said before: “Two &lt;b&gt;mugs&lt;/b&gt;” ·" in html
    html = message_fragment(an_event(edited="<b>" + "x" * 300), a_desk(), NOON)
    (folded,) = LexborHTMLParser(html).css("details .text")
    assert folded.text() == "<b>" + "x" * 300


def test_a_dangerous_file_is_flagged_and_inline_pictures_are_not_listed() -> None:
    files = (
        an_attachment(name="run.exe", warning="It can run programs."),
        an_attachment(id="a1", inline=True, content_id="<a@x>"),
    )
    html = message_fragment(a_message(attachments=files, has_html=True), a_desk(), NOON)
    assert [link.attributes["data-ask"] for link in LexborHTMLParser(html).css("a.file")] == [
        "It can run programs. Download it all the same?"
    ]


def test_a_former_agent_is_called_that() -> None:
    html = row_fragment(a_row(assignee_id="gone"), frozenset(), a_desk(an_agent()), NOON)
    assert "a former agent has it" in _text(html)


def test_our_own_files_stay_small() -> None:
    sizes = {name: static_path(name).stat().st_size for name in STATIC_FILES if name != "htmx.min.js"}
    assert sizes["live.js"] <= SOCKET_SCRIPT_BYTES
    assert sizes["desk.css"] <= OWN_STYLE_BYTES


@pytest.mark.parametrize(
    ("has_html", "content_id", "listed"),
    [(True, "<photo@x>", False), (True, None, True), (False, "<photo@x>", True)],
    ids=["within the page", "which no page can name", "of a mail without a page"],
)
def test_only_a_picture_that_the_page_shows_is_left_out_of_the_files(
    has_html: bool, content_id: str | None, listed: bool
) -> None:
    photo = an_attachment(name="photo.jpg", inline=True, content_id=content_id)
    html = message_fragment(a_message(attachments=(photo,), has_html=has_html), a_desk(), NOON)
    assert ("photo.jpg" in html) == listed
