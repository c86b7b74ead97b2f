"""Merging in the console: from the ticket's menu or beside the customer's other tickets, with a way back."""

from datetime import timedelta

import pytest

from chalicelib.domain.message import Inbound, Party
from chalicelib.services import drafts, merge_tickets, receive_message
from chalicelib.services.receive_message import Envelope
from chalicelib.store import directory, messages, tickets
from tests.api.console.browser import Browser
from tests.api.console.test_tickets import HTMX, receive, signed_in
from tests.engine import Desk


@pytest.fixture
def ben(desk: Desk) -> Browser:
    desk.inbox(undo_seconds=30)
    return signed_in(desk)


def two_tickets(desk: Desk) -> tuple[str, str]:
    one = receive(desk, "one")
    desk.now += timedelta(minutes=1)
    return one, receive(desk, "two", subject="Broken mug")


def by_ada(desk: Desk, name: str) -> str:
    ada = Party("Ada", "ada@customer.example")
    envelope = Envelope(name, f"kept/{name}", desk.now, directory.inbox("support"), f"{desk.now:%Y-%m-%d}")
    receipt = receive_message.receive(Inbound(name, ada, desk.now, subject="Hers", text="Hi"), envelope, desk.now)
    return receipt.ticket_id or ""


def merged(desk: Desk, ben: Browser) -> tuple[str, str]:
    one, two = two_tickets(desk)
    merge_tickets.merge(one, [two], desk.actor("ben"), desk.now)
    return one, two


def test_a_ticket_is_merged_into_another_by_its_number_and_taken_back_by_the_toast(desk: Desk, ben: Browser) -> None:
    one, two = two_tickets(desk)
    page = ben.get(f"/tickets/{two}")
    csrf = page.form(f"/tickets/{two}/merge").fields["csrf"][0]
    answer = ben.post(f"/tickets/{two}/merge", {"csrf": csrf, "into": f"#{one}"})
    assert answer.location.startswith(f"/tickets/{one}?")
    page = ben.get(answer.location)
    assert f"Merged #{two} into this ticket." in page.text and f"Merged: #{two} Broken mug" in page.text
    assert f"Ben merged #{two} into this ticket" in page.text
    undo = page.form(f"/tickets/{one}/unmerge")
    assert undo.fields["ticket_ids"] == [two]
    back = ben.get(ben.post(f"/tickets/{one}/unmerge", undo.fields).location)
    assert f"Took #{two} out again. What was written meanwhile stays here." in back.text
    assert tickets.get(two).id == two
    assert f"Ben merged this ticket into #{one}" in ben.get(f"/tickets/{two}").text


def test_the_customers_other_tickets_are_ticked_and_merged(desk: Desk, ben: Browser) -> None:
    one, two = two_tickets(desk)
    desk.now += timedelta(minutes=1)
    three = receive(desk, "three")
    page = ben.get(f"/tickets/{one}")
    assert all(f'aria-label="Merge #{each}"' in page.html for each in (two, three))
    csrf = page.form(f"/tickets/{one}/write").fields["csrf"][0]
    page = ben.get(ben.post(f"/tickets/{one}/merge", {"csrf": csrf, "ticket_ids": [three, two]}).location)
    assert f"Merged #{three}, #{two} into this ticket." in page.text
    assert tickets.get(one).merged == (three, two)
    assert "None: this is the first." in page.text


def test_the_address_of_a_merged_ticket_leads_to_the_one_that_goes_on_which_says_so(desk: Desk, ben: Browser) -> None:
    one, two = merged(desk, ben)
    answer = ben.get(f"/tickets/{two}")
    assert (answer.status, answer.location) == (303, f"/tickets/{one}?from={two}")
    assert f"Ticket #{two} was merged into this one." in ben.get(answer.location).text
    for part in (f"/tickets/{two}", f"/tickets/{two}/head"):
        asked = ben.get(part, **HTMX)
        assert (asked.status, asked.headers["HX-Redirect"]) == (204, f"/tickets/{one}?from={two}")
    assert f"Ticket #{two}" not in ben.get(f"/tickets/{one}?from=9999").text


def test_an_other_customers_panel_says_where_their_ticket_is(desk: Desk, ben: Browser) -> None:
    one = receive(desk, "one")
    desk.now += timedelta(minutes=1)
    other = by_ada(desk, "two")
    desk.now += timedelta(minutes=1)
    hers = by_ada(desk, "three")
    merge_tickets.merge(one, [other], desk.actor("ben"), desk.now)
    page = ben.get(f"/tickets/{hers}")
    assert f"Merged #{other} in #{one}" in page.text
    assert f"Merge #{other}" not in page.text
    assert "by Ada" in ben.get(f"/tickets/{one}").text


def test_drafts_of_both_stand_in_the_composer_and_go_with_the_answer(desk: Desk, ben: Browser) -> None:
    one, two = two_tickets(desk)
    drafts.save(one, "ben", drafts.Draft("reply", "On the one", desk.now))
    drafts.save(two, "ben", drafts.Draft("reply", "On the other", desk.now))
    merge_tickets.merge(one, [two], desk.actor("ben"), desk.now)
    fields = ben.get(f"/tickets/{one}").form(f"/tickets/{one}/write").fields
    assert fields["text"] == ["\nOn the one\n\nOn the other"]
    assert fields["took"] == [two]
    ben.post(f"/tickets/{one}/draft", {**fields, "text": "Both"})
    assert drafts.load(two, "ben") is None
    kept = drafts.load(one, "ben")
    assert kept is not None and kept.text == "Both"


def test_a_tab_left_open_on_the_merged_ticket_loses_no_draft(desk: Desk, ben: Browser) -> None:
    one, two = two_tickets(desk)
    fields = ben.get(f"/tickets/{two}").form(f"/tickets/{two}/write").fields
    drafts.save(one, "ben", drafts.Draft("reply", "On the one", desk.now))
    merge_tickets.merge(one, [two], desk.actor("ben"), desk.now)
    ben.post(f"/tickets/{two}/draft", {**fields, "text": "Typed in the old tab"})
    assert "On the one Typed in the old tab" in " ".join(
        ben.get(f"/tickets/{one}").form(f"/tickets/{one}/write").fields["text"][0].split()
    )
    ben.post(f"/tickets/{two}/write", {**fields, "text": "Sent from the old tab", "send_anyway": "1"})
    said = [each.text for each in messages.newest(one, merged=(two,)).messages if each.kind == "message"]
    assert "Sent from the old tab" in said
    assert drafts.load(two, "ben") is None and drafts.load(one, "ben") is not None


def test_an_answer_of_the_merged_ticket_is_taken_back_where_it_is_shown(desk: Desk, ben: Browser) -> None:
    one, two = two_tickets(desk)
    fields = ben.get(f"/tickets/{two}").form(f"/tickets/{two}/write").fields
    ben.post(f"/tickets/{two}/write", {**fields, "text": "Too quick"})
    (sent,) = (each.id for each in messages.newest(two).messages if each.delivery)
    merge_tickets.merge(one, [two], desk.actor("ben"), desk.now)
    fields = ben.get(f"/tickets/{one}").form(f"/tickets/{one}/write").fields
    page = ben.post(f"/tickets/{two}/messages/{sent}/undo", fields, **HTMX)
    assert page.form(f"/tickets/{one}/write").fields["text"] == ["\nToo quick"]


def test_what_cannot_be_merged_says_why(desk: Desk, ben: Browser) -> None:
    one, two = two_tickets(desk)
    csrf = ben.get(f"/tickets/{one}").form(f"/tickets/{one}/write").fields["csrf"][0]
    for fields, status, words in (
        ({"into": "9999"}, 404, "There is no ticket 9999."),
        ({"into": "Ada"}, 404, "There is no ticket Ada."),
        ({"into": f"{one} {two}"}, 422, "Say which ticket."),
        ({}, 422, "Say which ticket."),
        ({"into": one}, 422, "cannot be merged into itself"),
        ({"ticket_ids": ["abc"]}, 422, "no ticket number"),
    ):
        page = ben.post(f"/tickets/{one}/merge", {"csrf": csrf, **fields})
        assert (page.status, words in page.text) == (status, True), page.text
    page = ben.post(f"/tickets/{one}/unmerge", {"csrf": csrf})
    assert (page.status, "There is nothing to take out." in page.text) == (422, True)


def test_who_may_only_read_is_offered_no_merge(desk: Desk, ben: Browser) -> None:
    one, two = two_tickets(desk)
    page = signed_in(desk, "vera", "viewer").get(f"/tickets/{one}")
    assert "Merge" not in page.text and two in page.text
