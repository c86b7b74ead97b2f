"""GET /search: its rows, what it understood, what it marks, and what can be typed."""

import json
import re
from html import unescape

import pytest

from chalicelib.domain.message import Party
from chalicelib.services import create_ticket, search
from chalicelib.services.rebuild import index
from tests.api.console.test_tickets import HTMX, signed_in
from tests.engine import Desk

pytestmark = pytest.mark.engine


def a_ticket(desk: Desk, subject: str) -> str:
    inbox = desk.inbox()
    who = Party("Zoë <b>", f"zoe{desk.now:%H%M}@buyer.example")
    made, _ = create_ticket.create(desk.actor("ben"), inbox.id, who, subject, "Text.", "in", desk.now)
    index(made.id)
    desk.advance(minutes=1)
    return made.id


def test_a_search_says_what_it_understood_marks_what_it_found_and_goes_on(desk: Desk) -> None:
    browser = signed_in(desk)
    for n in range(search.PAGE + 1):
        last = a_ticket(desk, f"Broken mug & 湯のみ {n}")
    page = browser.get("/search?q=mug+%E6%B9%AF%E3%81%AE%E3%81%BF+is%3Aopen").html
    assert "Tickets with “mug”, “湯の”, “のみ”; is open. Newest first." in page
    assert "Broken <mark>mug</mark> &amp; <mark>湯のみ</mark> 25" in page and "Zoë &lt;b&gt;" in page
    assert page.count('class="row') == search.PAGE and f'id="t-{last}"' in page
    [cursor] = set(re.findall(r"cursor=(\d+)", page))
    more = f"/search?q=mug+%E6%B9%AF%E3%81%AE%E3%81%BF+is%3Aopen&part=rows&cursor={cursor}"
    rest = browser.get(more, **HTMX).html
    assert rest.count('class="row') == 1 and 'id="more"' not in rest and "<html" not in rest


def test_the_syntax_is_shown_where_nothing_is_found_and_what_cannot_be_meant_is_said(desk: Desk) -> None:
    browser = signed_in(desk)
    assert 'id="syntax"' in browser.get("/search?q=umbrella").html
    assert "What are you looking for?" in browser.get("/search?q=").html
    page = browser.get("/search?q=is%3Alost")
    assert page.status == 200
    assert "That cannot be searched for" in page.html and "“is:lost” is not known" in page.html


def test_a_row_knows_the_search_it_was_found_by_whatever_was_typed(desk: Desk) -> None:
    a_ticket(desk, "Broken \\ 'green' teapot")
    page = signed_in(desk).get("/search?q=%22green+teapot%22+%5C+%27").html
    (values,) = re.findall(r"<ul id=\"rows\"[^>]* hx-vals='([^']*)'", page)
    assert json.loads(unescape(values)) == {"in": 'search:"green teapot" \\ \''}
