"""A list shows what is due, a ticket says by when and why."""

from chalicelib.services import calendars
from chalicelib.services.calendars import CalendarForm
from tests.api.console.browser import Browser
from tests.api.console.test_tickets import ben, receive
from tests.engine import Desk

__all__ = ["ben"]

OFFICE = CalendarForm("Berlin office", "Europe/Berlin", {"friday": "9-17"}, for_others=True)


def test_a_row_says_when_it_is_due_and_then_that_it_is_late(desk: Desk, ben: Browser) -> None:
    receive(desk)
    desk.advance(minutes=25)
    page = ben.get("/lists/open")
    assert "due in 35 min" in page.text and 'class="state due"' in page.html
    desk.advance(minutes=36)
    page = ben.get("/lists/open")
    assert "late since 10:00" in page.text and 'class="state due bad"' in page.html


def test_a_ticket_says_by_when_to_answer_and_why(desk: Desk, ben: Browser) -> None:
    calendars.create(OFFICE, desk.actor("ada", role="admin"), desk.now)
    number = receive(desk)
    desk.advance(minutes=25)
    page = ben.get(f"/tickets/{number}")
    said = page.text.replace(" ,", ",").replace(" ;", ";")
    assert "Answer by 10:00, due in 35 min; 1 h of business hours since 09:00, Berlin office" in said
    assert "Due Fri 20 Nov 2026, 11:00 (Europe/Berlin). Promised: 1 h of business hours" in page.text
    ben.submit(f"/tickets/{number}/change", status="pending")
    desk.advance(hours=5)
    page = ben.get(f"/tickets/{number}")
    assert "The clock stands while it is pending, 35 min left; 1 h of business hours since" in page.text
    assert "due in" not in ben.get("/lists/pending").text


def test_what_found_its_way_into_spam_shows_no_deadline(desk: Desk, ben: Browser) -> None:
    number = receive(desk)
    ben.get(f"/tickets/{number}")
    ben.submit(f"/tickets/{number}/change", status="spam")
    assert "Answer by" not in ben.get(f"/tickets/{number}").text
    assert "due in" not in ben.get("/lists/spam").text
