"""The page of costs: for admins and leaders, a month at a time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.domain.people import Role
from chalicelib.services import sessions
from chalicelib.store import documents
from chalicelib.web.money import amount, usd
from tests.api.console.browser import Browser
from tests.engine import Desk
from tests.services.test_costs import CloudWatch, an_account

PATH = "/settings/costs"


def signed_in(desk: Desk, role: Role) -> Browser:
    return Browser({"__Host-deskbell": sessions.open_session(desk.agent("ada", role=role), desk.now)})


def answering(monkeypatch: pytest.MonkeyPatch, watch: CloudWatch) -> None:
    make: Any = wiring.client
    monkeypatch.setattr(wiring, "client", lambda service: watch if service == "cloudwatch" else make(service))


@pytest.mark.parametrize("role", ["leader", "admin"])
def test_a_month_by_service_and_per_ticket(desk: Desk, monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    answering(monkeypatch, CloudWatch({"Count": [2_000_000.0]}))
    documents.write("LEDGER", "2026-11-20", an_account("2026-11-20", received=40, shown=40, opened=1_000))
    page = signed_in(desk, role).get(PATH)
    assert page.status == 200
    assert "so far this month" in page.text and "2,000,000 requests" in page.text
    assert "About $0.0070 a ticket" in page.text  # seven dollars of requests, and little else
    assert "1,000 tickets opened by 40 received messages" in page.text
    assert "requests that write or list (estimated)" in page.text
    assert "list prices of 2026-11-15 in us-east-1" in page.text
    assert "storage and backups of the table are taken from how big it was" in page.text
    assert "Mails sent are the messages that Deskbell sent itself" in page.text
    assert "Left out: GB of attachments sent. AWS counts the mails that are sent, not their bytes." in page.text


@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_others_may_not_look_and_are_not_shown_the_way(desk: Desk, role: Role) -> None:
    browser = signed_in(desk, role)
    assert browser.get(PATH).status == 403
    assert PATH not in browser.get("/settings/me").html


def test_nobody_looks_without_signing_in(desk: Desk) -> None:
    page = Browser().get(PATH)
    assert (page.status, page.location.split("?")[0]) == (303, "/sign-in")


def test_an_empty_month_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, CloudWatch({}))
    browser = signed_in(desk, "admin")
    assert "No message has opened a ticket yet this month" in browser.get(PATH).text
    assert "in 2026-09 at AWS's list prices" in browser.get(f"{PATH}?month=2026-09").text


def test_another_month_is_chosen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = CloudWatch({"Count": [7.0]})
    answering(monkeypatch, watch)
    page = signed_in(desk, "admin").get(f"{PATH}?month=2026-10")
    assert page.read.forms and watch.asked[0]["StartTime"] == datetime(2026, 10, 1, tzinfo=UTC)
    assert "selected>2026-10" in page.html


@pytest.mark.parametrize("month", ["2031-01", "x", "<script>"])
def test_a_month_that_is_none_is_refused_in_its_place(desk: Desk, monkeypatch: pytest.MonkeyPatch, month: str) -> None:
    answering(monkeypatch, CloudWatch({}))
    page = signed_in(desk, "admin").get(f"{PATH}?month={month}")
    assert page.status == 422
    assert "Choose one from 2025-11 on." in page.text and page.read.described["month"] == ["month-error"]


def test_a_silent_cloudwatch_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, CloudWatch({}, broken=True))
    page = signed_in(desk, "admin").get(PATH)
    assert page.status == 502 and "does not answer" in page.text


def test_while_cloudwatch_is_silent_the_last_reading_stands_with_its_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(desk, "admin")
    answering(monkeypatch, CloudWatch({"Count": [2_000_000.0]}))
    assert "does not answer" not in browser.get(PATH).text
    desk.advance(hours=2)
    answering(monkeypatch, CloudWatch({}, broken=True))
    page = browser.get(PATH)
    assert page.status == 200 and "2,000,000 requests" in page.text
    assert "AWS does not answer now. This is its last full answer, of " in page.text


@pytest.mark.parametrize(
    ("dollars", "words"),
    [
        *((0, "$0.00"), (0.00001, "under $0.0001"), (0.00065, "$0.0006"), (0.25, "$0.25"), (0.996, "$1.00")),
        *((12.345, "$12.35"), (1234.5, "$1,234")),
    ],
)
def test_dollars_in_words(dollars: float, words: str) -> None:
    assert usd(dollars) == words


@pytest.mark.parametrize(
    ("many", "words"),
    [(0, "0"), (3, "3"), (1204.4, "1,204"), (12.34, "12.3"), (0.001423, "0.00142"), (0.000001, "under 0.00001")],
)
def test_amounts_in_words(many: float, words: str) -> None:
    assert amount(many) == words
