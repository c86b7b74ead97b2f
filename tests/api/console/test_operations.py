"""Operations: the ledger, what was kept out, and what could not be processed."""

import html
import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from chalicelib import config
from chalicelib.domain.message import Inbound, Party
from chalicelib.domain.people import Role
from chalicelib.services import breaker, originals, receive_message, sessions
from chalicelib.services.ledger import LedgerDay
from chalicelib.services.receive_message import Envelope
from chalicelib.store import directory, documents, objects
from tests.api.console.browser import Browser, Page
from tests.engine import MORNING, Desk

COOKIE = "__Host-deskbell"
MAIL = Inbound("one", Party("Lina", "lina@customer.example"), MORNING, "Where is it?", "Hello", "Hello")


def signed_in(desk: Desk, role: Role = "admin") -> Browser:
    agent = desk.agent("ada", role=role)
    return Browser({COOKIE: sessions.open_session(agent, desk.now)})


@pytest.fixture
def admin(desk: Desk) -> Browser:
    desk.inbox()
    return signed_in(desk)


def receive(desk: Desk, name: str, **changed: Any) -> None:
    """An original in the archive, and what became of it."""
    key = f"raw/{name}"
    objects.put_original(key, b"From: lina@customer.example\n\nHello", {"recipients": "support@shop.example"})
    original = objects.get_original(key)
    kept = objects.keep(original, original.metadata)
    inbound = replace(MAIL, fingerprint=name, sent_at=desk.now, **changed)
    envelope = Envelope(name, key, desk.now, directory.inbox("support"), f"{original.at:%Y-%m-%d}")
    receive_message.receive(inbound, envelope, desk.now)
    assert kept.startswith("kept/")


def today(desk: Desk) -> str:
    """The engine stamps objects with the machine's day, so the desk's clock must show it too."""
    objects.put_original("raw/clock", b"", {})
    desk.now = objects.get_original("raw/clock").at
    objects.delete_original("raw/clock")
    return f"{desk.now:%Y-%m-%d}"


# Ledger


def test_received_equals_shown_plus_what_was_kept_out(desk: Desk) -> None:
    day = today(desk)
    desk.inbox()
    browser = signed_in(desk)
    receive(desk, "one")
    receive(desk, "two")
    receive(desk, "three", refused="It carries a virus.")
    page = browser.get("/operations/ledger")
    assert f"{day} : received 3 = shown 2 + quarantined 1" in page.text
    assert f"Counted {desk.now:%H:%M}" in page.text
    assert "Every message that was received is accounted for" in page.text


def test_a_difference_is_named(desk: Desk) -> None:
    day = today(desk)
    desk.inbox()
    browser = signed_in(desk)
    objects.put_original(f"kept/{day.replace('-', '/')}/lost", b"x", {"recipients": "support@shop.example"})
    page = browser.get("/operations/ledger")
    assert "missing 1" in page.text
    assert "lost" in page.text
    assert "every five minutes" not in page.text
    form = page.form("/operations/ledger/replay").fields
    assert browser.post("/operations/ledger/replay", {**form, "original": "other"}).status == 404
    assert browser.submit("/operations/ledger/replay").status == 303
    assert "It is being read again." in browser.follow().text
    (body,) = desk.queued("inbound")
    assert json.loads(body)["key"] == f"kept/{day.replace('-', '/')}/lost"
    assert directory.audit_entries(f"{desk.now:%Y-%m}")[0].what == "Original read again"


def test_too_many_are_named_so_and_none_is_called_lost(admin: Browser) -> None:
    documents.write("LEDGER", "2026-11-19", LedgerDay("2026-11-19", 409, 0, 412, 0, 0, -3, closed=True))
    text = admin.get("/operations/ledger?day=2026-11-19").text
    assert "2026-11-19 : received 409 = shown 412 − too many 3" in text
    assert "409 412 0 0 3 too many" in text
    assert "More is shown or kept out than was received." in text
    assert "missing" not in text and "neither shown nor" not in text


def test_a_difference_without_a_name_asks_for_another_look(admin: Browser) -> None:
    documents.write("LEDGER", "2026-11-19", LedgerDay("2026-11-19", 412, 0, 410, 0, 0, 2, closed=True))
    assert "first; then reload this page." in admin.get("/operations/ledger?day=2026-11-19").text


@pytest.mark.parametrize(("day", "shown"), [("2026-11-19", "2026-11-19"), ("never", "2026-11-20")])
def test_what_cannot_be_taken_in_again_is_said_on_the_day_it_was_asked_of(admin: Browser, day: str, shown: str) -> None:
    csrf = admin.get("/operations/kept-out").form("/sign-out").fields["csrf"]
    page = admin.post("/operations/ledger/replay", {"csrf": csrf, "day": day, "original": "gone"})
    assert page.status in (404, 422)
    assert f"{shown} : received 0" in page.text


def test_days_before_are_listed_and_can_be_counted_again(admin: Browser, desk: Desk) -> None:
    documents.write("LEDGER", "2026-11-19", LedgerDay("2026-11-19", 412, 0, 409, 3, 0, 0))
    page = admin.get("/operations/ledger")
    assert "412 409 3 0 0" in page.text
    assert "2026-11-19 : received 0" in admin.get("/operations/ledger?day=2026-11-19").text


def test_a_closed_day_is_shown_as_it_was_counted_and_no_original_is_read(
    admin: Browser, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reads(key: str) -> dict[str, str]:
        raise AssertionError(f"{key} was read")

    objects.put_original("kept/2026/11/19/one", b"x", {"recipients": "support@shop.example"})
    at = desk.now.replace(day=20, hour=2, minute=17)
    kept = LedgerDay("2026-11-19", 412, 0, 409, 3, 0, 0, closed=True, counted_at=at)
    documents.write("LEDGER", "2026-11-19", kept)
    monkeypatch.setattr(objects, "head_original", reads)
    text = admin.get("/operations/ledger?day=2026-11-19").text
    assert "2026-11-19 : received 412 = shown 409 + quarantined 3" in text
    assert "Counted 02:17" in text
    documents.write("LEDGER", "2026-11-19", replace(kept, counted_at=None))
    text = admin.get("/operations/ledger?day=2026-11-19").text
    assert "received 412" in text and "Counted" not in text


def test_a_second_look_at_today_reads_only_what_is_new(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    day = today(desk)
    desk.inbox()
    receive(desk, "one")
    desk.advance(hours=1)
    read: list[str] = []
    head = objects.head_original

    def noted(key: str) -> Mapping[str, str]:
        read.append(key)
        return head(key)

    monkeypatch.setattr(objects, "head_original", noted)
    browser = signed_in(desk)
    for _ in range(2):
        assert f"{day} : received 1 = shown 1" in browser.get("/operations/ledger").text
    assert [key.rsplit("/", 1)[-1] for key in read] == ["one"]


@pytest.mark.parametrize("day", ["tomorrow", "2999-01-01", "2001-01-01", "2026-13-01"])
def test_a_day_that_cannot_be_counted_is_said(admin: Browser, day: str) -> None:
    page = admin.get(f"/operations/ledger?day={day}")
    assert (page.status, page.read.invalid) == (422, ["day"])


# Kept out


def test_what_was_kept_out_is_listed_with_its_reason(admin: Browser, desk: Desk) -> None:
    receive(desk, "virus", refused="It carries a virus.", subject="Invoice <script>")
    receive(desk, "loop", suppressed="It is our own mail coming back.")
    page = admin.get("/operations/kept-out")
    assert "It carries a virus." in page.text
    assert "It is our own mail coming back." in page.text
    assert "<script>" not in page.html.split("<body")[1].split("</main>")[0]
    assert page.html.count("Download original") == 1, "a quarantined original is not handed out"


def downloads(page: Page) -> list[str]:
    """Where the entries' originals are had."""
    return re.findall(r'href="([^"]*/kept-out/original[^"]*)"', html.unescape(page.html))


def keep_out(desk: Desk, name: str, reason: str, **metadata: str) -> None:
    """An original that became no message at all."""
    day = f"{desk.now:%Y-%m-%d}"
    key = f"kept/{day.replace('-', '/')}/{name}"
    objects.put_original(key, b"x", metadata)
    envelope = Envelope(name, key, desk.now, directory.inbox("support"), day)
    receive_message.keep_out(envelope, "quarantined", reason, desk.now)


def test_a_suppressed_original_is_downloaded_and_replayed(admin: Browser, desk: Desk) -> None:
    today(desk)
    receive(desk, "loop", suppressed="It is our own mail coming back.")
    admin = signed_in(desk)
    (link,) = downloads(admin.get("/operations/kept-out"))
    page = admin.get(link)
    assert page.status == 303
    assert "X-Amz-Signature" in page.location or "Signature=" in page.location
    admin.get("/operations/kept-out")
    admin.submit("/operations/kept-out/replay")
    assert "It is being read again." in admin.follow().text
    (body,) = desk.queued("inbound")
    assert json.loads(body)["key"].endswith("/loop")
    assert directory.audit_entries(f"{desk.now:%Y-%m}")[0].what == "Original read again"


def test_a_virus_is_not_handed_out(admin: Browser, desk: Desk) -> None:
    today(desk)
    receive(desk, "virus", refused="It carries a virus.")
    keep_out(desk, "nobody", "No inbox of ours was among its recipients.", virus="FAIL")
    admin = signed_in(desk)
    (unread,) = downloads(admin.get("/operations/kept-out"))
    assert "nobody" in unread
    assert admin.get(unread).status == 403
    (virus,) = (each for each in originals.kept_out("quarantined").entries if each.virus)
    named = urlencode({"list": "quarantined", "entry": virus.key})
    assert admin.get(f"/operations/kept-out/original?{named}").status == 403


@pytest.mark.parametrize("reason", ["No inbox of ours was among its recipients.", "It could not be read: no header."])
def test_what_was_for_nobody_or_could_not_be_read_can_be_seen(admin: Browser, desk: Desk, reason: str) -> None:
    today(desk)
    keep_out(desk, "odd", reason, virus="PASS")
    admin = signed_in(desk)
    (link,) = downloads(admin.get("/operations/kept-out"))
    assert admin.get(link).status == 303


def test_only_what_stands_in_the_list_can_be_had(admin: Browser, desk: Desk) -> None:
    documents.write("LIST#undelivered", "one", {})
    for named in ("list=quarantined&entry=kept/2026/11/20/anything", "list=undelivered&entry=one", ""):
        assert admin.get(f"/operations/kept-out/original?{named}").status == 404


def paging(page: Page) -> dict[str, str]:
    """Where each link between the pages of a list leads, by its name."""
    found = re.findall(r'href="([^"#]*)#[a-z]+" aria-label="((?:Older|Newest) [a-z]+)"', html.unescape(page.html))
    return {name: path for path, name in found}


def test_each_list_stays_where_it_is_while_the_other_is_paged(
    admin: Browser, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    today(desk)
    monkeypatch.setattr(originals, "LISTED", 1)
    for n in range(3):
        desk.advance(seconds=1)
        receive(desk, f"loop{n}", suppressed=f"Loop {n}.")
        keep_out(desk, f"odd{n}", f"Odd {n}.")
    page = (admin := signed_in(desk)).get("/operations/kept-out")
    for link, shown in (
        ("Older suppressed", ("Loop 1.", "Odd 2.")),
        ("Older quarantined", ("Loop 1.", "Odd 1.")),
        ("Older suppressed", ("Loop 0.", "Odd 1.")),
        ("Newest quarantined", ("Loop 0.", "Odd 2.")),
    ):
        page = admin.get(paging(page)[link])
        assert tuple(each for n in range(3) for each in (f"Loop {n}.",) if each in page.text) == shown[:1]
        assert tuple(each for n in range(3) for each in (f"Odd {n}.",) if each in page.text) == shown[1:]


def test_older_entries_are_a_page_further_and_can_be_replayed_there(
    admin: Browser, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    today(desk)
    monkeypatch.setattr(originals, "LISTED", 2)
    for n in range(5):
        desk.advance(seconds=1)
        receive(desk, f"loop{n}", suppressed="It is our own mail coming back.")
    keep_out(desk, "odd", "It could not be read.")
    admin = signed_in(desk)
    seen = []
    page = admin.get("/operations/kept-out")
    while True:
        links = [each for each in downloads(page) if "list=suppressed" in each]
        seen.append([re.search(r"loop\d", each).group() for each in links])  # type: ignore[union-attr]  # each has one
        assert "It could not be read." in page.text
        older = paging(page).get("Older suppressed")
        if not older:
            break
        page = admin.get(older)
    assert seen == [["loop4", "loop3"], ["loop2", "loop1"], ["loop0"]]
    assert admin.get(links[0]).status == 303
    fields = dict(parse_qsl(links[0].partition("?")[2]))
    csrf = page.form("/operations/kept-out/replay").fields["csrf"]
    assert admin.post("/operations/kept-out/replay", {"csrf": csrf, **fields}).status == 303
    (body,) = desk.queued("inbound")
    assert json.loads(body)["key"].endswith("/loop0")


# Could not be processed


def dead_letter(desk: Desk, name: str, body: str) -> None:
    extra = {"MessageGroupId": "g", "MessageDeduplicationId": body[:40]} if name == "outbound" else {}
    url = os.environ[f"{name.upper()}_DEAD_QUEUE_URL"]
    desk.client("sqs").send_message(QueueUrl=url, MessageBody=body, **extra)


def test_a_letter_is_tried_again(admin: Browser, desk: Desk) -> None:
    dead_letter(desk, "inbound", '{"key": "raw/one"}')
    page = admin.get("/operations/failed")
    assert "A message that came in" in page.text
    shown = admin.page.form("/operations/failed/retry").fields["letter"]
    admin.submit("/operations/failed/retry", letter=shown)
    assert "It is being processed again." in admin.follow().text
    assert desk.queued("inbound") == ['{"key": "raw/one"}']


def test_the_original_a_letter_is_about_is_downloaded(admin: Browser, desk: Desk) -> None:
    objects.put_original("raw/one", b"From: lina@customer.example\n\nHello", {})
    dead_letter(desk, "inbound", '{"key": "raw/one"}')
    link = re.search(r'href="(/operations/failed/original[^"]+)"', admin.get("/operations/failed").html)
    assert link
    assert "/raw/one" in admin.get(link[1].replace("&amp;", "&")).location
    assert admin.get("/operations/failed/original?letter=gone").status == 404


def test_a_virus_that_nobody_could_read_is_not_downloaded(admin: Browser, desk: Desk) -> None:
    verdict = b"X-SES-Virus-Verdict: FAIL\nReceived: from x by inbound-smtp.eu-west-1.amazonaws.com with SMTP id one\n"
    objects.put_original("raw/one", verdict + b"From: lina@customer.example\n\nHello", {})
    dead_letter(desk, "inbound", '{"key": "raw/one"}')
    link = re.search(r'href="(/operations/failed/original[^"]+)"', admin.get("/operations/failed").html)
    assert link
    answer = admin.get(link[1].replace("&amp;", "&"))
    assert (answer.status, answer.location) == (403, "")
    assert "SES found a virus in this mail." in answer.text


def test_a_letter_is_discarded_with_a_reason_that_is_kept(admin: Browser, desk: Desk) -> None:
    dead_letter(desk, "work", '{"ticket": "1"}')
    admin.get("/operations/failed")
    form = admin.page.form("/operations/failed/discard").fields
    page = admin.submit("/operations/failed/discard", reason=" ")
    assert page.status == 422
    admin.post("/operations/failed/discard", {**form, "reason": ["A test of the provider"]})
    assert "Everything was processed." in admin.follow().text
    assert any("A test of the provider" in each.detail for each in directory.audit_entries(f"{config.now():%Y-%m}"))


def test_what_somebody_else_has_dealt_with_is_said(admin: Browser) -> None:
    admin.get("/settings/me")
    csrf = admin.page.form("/settings/me").fields["csrf"][0]
    page = admin.post("/operations/failed/retry", {"csrf": csrf, "letter": "gone"})
    assert page.status == 404
    assert "somebody dealt with it" in page.text


def test_a_leader_may_try_again_but_not_discard(desk: Desk) -> None:
    dead_letter(desk, "inbound", '{"key": "raw/one"}')
    page = signed_in(desk, "leader").get("/operations/failed")
    actions = [form.action for form in page.read.forms]
    assert "/operations/failed/retry" in actions
    assert "/operations/failed/discard" not in actions


# Stopped sending


def test_a_stopped_inbox_says_why_and_goes_on_at_the_press_of_a_button(desk: Desk, admin: Browser) -> None:
    inbox = directory.inbox("support")
    for _ in range(breaker.FAILURES_TO_OPEN + 1):
        breaker.note_failure(inbox, desk.now)
    page = admin.get("/operations/stopped")
    assert "messages failed within a minute" in page.text and "Resume sending" in page.text
    admin.submit("/operations/stopped/resume")
    assert breaker.open_breakers() == ()
    assert "Every inbox may send." in admin.get("/operations/stopped").text


def test_an_agent_neither_sees_nor_resumes_what_is_stopped(desk: Desk, admin: Browser) -> None:
    agent = signed_in(desk, "agent")
    assert agent.get("/operations/stopped").status == 403
    assert agent.post("/operations/stopped/resume", {"inbox": "support"}).status == 403
