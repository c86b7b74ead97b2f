"""docs/domain/threading.md as tables of cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.message import Inbound, MailKind, Party
from chalicelib.domain.people import Inbox
from chalicelib.domain.threading import Candidate, Evidence, Join, New, decide, took_part
from chalicelib.domain.ticket import Status, Ticket

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
LINA = "lina@customer.example"
BEN = "ben@customer.example"
SUPPORT = Inbox("support", "email", "support@shop.example", "Support")
SALES = Inbox("sales", "email", "sales@shop.example", "Sales")


def a_ticket(number: str = "1042", status: Status = "open", **changes: Any) -> Ticket:
    ticket = Ticket(
        id=number, subject="Where is my parcel?", status=status, priority="normal", inbox_id="support", channel="email",
        customer_id="c1", customer_name="Lina", customer_handle=LINA, created_at=NOW - timedelta(days=90),
        updated_at=NOW - timedelta(days=1), version=1, participants=(LINA, "support@shop.example"),
    )  # fmt: skip
    return replace(ticket, **changes)


def a_mail(sender: str = LINA, kind: MailKind = "human", **changes: Any) -> Inbound:
    mail = Inbound("f", Party("", sender), NOW, subject="Re: Where is my parcel?", mail_kind=kind, proven_sender=True)
    return replace(mail, **changes)


@pytest.mark.parametrize("evidence", ["token", "reference", "number"])
def test_whoever_took_part_joins(evidence: Evidence) -> None:
    assert decide(a_mail(), [Candidate(evidence, a_ticket())], SUPPORT, NOW) == Join("1042", wakes=True)


@pytest.mark.parametrize("evidence", ["token", "reference", "number"])
def test_a_stranger_opens_a_linked_flagged_ticket_whatever_the_key(evidence: Evidence) -> None:
    decision = decide(a_mail(BEN), [Candidate(evidence, a_ticket())], SUPPORT, NOW)
    assert decision == New("1042", "ben@customer.example never took part in ticket 1042.", "stranger")


def test_who_stood_in_cc_of_an_earlier_mail_joins() -> None:
    ticket = a_ticket(participants=(LINA, BEN))
    assert decide(a_mail(BEN.upper()), [Candidate("reference", ticket)], SUPPORT, NOW) == Join("1042", wakes=True)


def test_nothing_found_opens_a_ticket() -> None:
    assert decide(a_mail(), [], SUPPORT, NOW) == New()


def test_the_better_evidence_wins_whatever_the_order() -> None:
    candidates = [
        Candidate("number", a_ticket("3")),
        Candidate("reference", a_ticket("2")),
        Candidate("token", a_ticket("1")),
    ]
    assert decide(a_mail(), candidates, SUPPORT, NOW) == Join("1", wakes=True)


def test_of_equal_evidence_the_first_wins() -> None:
    candidates = [Candidate("reference", a_ticket("7")), Candidate("reference", a_ticket("8"))]
    assert decide(a_mail(), candidates, SUPPORT, NOW) == Join("7", wakes=True)


def test_a_ticket_of_ones_own_wins_over_a_strangers_with_better_evidence() -> None:
    """A forwarded mail carries another customer's token; the sender's own thread stands in References."""
    other = a_ticket("1", customer_handle=BEN, participants=(BEN,))
    candidates = [Candidate("token", other), Candidate("reference", a_ticket("2"))]
    assert decide(a_mail(), candidates, SUPPORT, NOW) == Join("2", wakes=True)


def test_fifty_answers_to_one_newsletter_are_fifty_tickets() -> None:
    newsletter = a_ticket("9", customer_handle="list@shop.example", participants=("list@shop.example",))
    decisions = [
        decide(a_mail(f"reader{number}@example.net"), [Candidate("reference", newsletter)], SUPPORT, NOW)
        for number in range(50)
    ]
    assert all(isinstance(decision, New) and decision.reason == "stranger" for decision in decisions)


SPAMLIKE = {"spam": "SES judged this mail to be spam."}
NOTHING_PROVES = "The subject names ticket 1042, but nothing proves that lina@customer.example wrote this."


@pytest.mark.parametrize(
    ("doubt", "why"),
    [
        (SPAMLIKE, "The subject names ticket 1042, and SES judged this mail from lina@customer.example to be spam."),
        ({"proven_sender": False}, NOTHING_PROVES),
        ({"proven_sender": False, **SPAMLIKE}, NOTHING_PROVES),
    ],
)
def test_a_doubtful_mail_joins_by_reference_but_not_by_number(doubt: dict[str, Any], why: str) -> None:
    assert decide(a_mail(**doubt), [Candidate("number", a_ticket())], SUPPORT, NOW) == New("1042", why, "unproven")
    assert isinstance(decide(a_mail(**doubt), [Candidate("reference", a_ticket())], SUPPORT, NOW), Join)


CLOSED = NOW - timedelta(days=31)
RECENT = NOW - timedelta(days=30)


@pytest.mark.parametrize(
    ("status", "closed_at", "kind", "expected"),
    [
        ("pending", None, "human", Join("1042", True)),
        ("resolved", RECENT, "human", Join("1042", True)),
        ("closed", RECENT, "human", Join("1042", True)),
        ("resolved", CLOSED, "human", New("1042", "", "closed")),
        ("closed", CLOSED, "human", New("1042", "", "closed")),
        ("closed", CLOSED, "list", New("1042", "", "closed")),
        ("open", None, "auto_reply", Join("1042", False)),
        ("closed", RECENT, "auto_reply", Join("1042", False)),
        ("closed", CLOSED, "auto_reply", Join("1042", False)),
        ("trash", None, "human", New("1042", "", "trashed")),
        ("trash", None, "auto_reply", Join("1042", False)),
        ("spam", None, "human", Join("1042", False)),
    ],
)
def test_how_the_ticket_stands(
    status: Status, closed_at: datetime | None, kind: MailKind, expected: Join | New
) -> None:
    ticket = a_ticket(status=status, closed_at=closed_at)
    assert decide(a_mail(kind=kind), [Candidate("reference", ticket)], SUPPORT, NOW) == expected


def test_reopen_days_are_the_inboxes_own() -> None:
    ticket = a_ticket(status="closed", closed_at=NOW - timedelta(hours=1))
    assert isinstance(decide(a_mail(), [Candidate("token", ticket)], replace(SUPPORT, reopen_days=0), NOW), New)


SPAM = "SES judged this mail to be spam."


@pytest.mark.parametrize(("status", "wakes"), [("pending", True), ("resolved", True), ("spam", False)])
@pytest.mark.parametrize("evidence", ["token", "reference"])
def test_a_reply_that_looks_like_spam_wakes_its_ticket_as_any_reply(
    evidence: Evidence, status: Status, wakes: bool
) -> None:
    ticket = a_ticket("1", status, closed_at=RECENT)
    assert decide(a_mail(spam=SPAM), [Candidate(evidence, ticket)], SUPPORT, NOW) == Join("1", wakes)


@pytest.mark.parametrize("kind", ["human", "auto_reply"])
@pytest.mark.parametrize("status", ["open", "pending", "resolved", "closed", "trash"])
def test_a_blocked_senders_reply_opens_a_linked_ticket(status: Status, kind: MailKind) -> None:
    ticket = a_ticket("1", status, closed_at=RECENT)
    decision = decide(a_mail(kind=kind), [Candidate("token", ticket)], SUPPORT, NOW, blocked=True)
    assert decision == New("1", "", "blocked")


def test_a_blocked_senders_reply_joins_a_ticket_in_spam_whatever_else_it_names() -> None:
    candidates = [Candidate("token", a_ticket("1")), Candidate("reference", a_ticket("2", "spam"))]
    assert decide(a_mail(), candidates, SUPPORT, NOW, blocked=True) == Join("2", wakes=False)


def test_a_blocked_sender_joins_no_spam_of_an_inbox_that_is_kept_apart() -> None:
    candidates = [Candidate("reference", a_ticket("2", "spam"), separated=True)]
    assert decide(a_mail(), candidates, SALES, NOW, blocked=True) == New("2", "", "blocked")


@pytest.mark.parametrize("found", [[], [Candidate("token", a_ticket(customer_handle=BEN, participants=(BEN,)))]])
def test_a_blocked_sender_without_a_ticket_is_as_any_other(found: list[Candidate]) -> None:
    assert decide(a_mail(), found, SUPPORT, NOW, blocked=True) == decide(a_mail(), found, SUPPORT, NOW)


def test_a_mail_to_a_second_inbox_joins_the_same_conversation() -> None:
    assert decide(a_mail(), [Candidate("reference", a_ticket())], SALES, NOW) == Join("1042", wakes=True)


@pytest.mark.parametrize(("mine", "theirs"), [(True, False), (False, True)])
def test_separated_inboxes_get_linked_tickets(mine: bool, theirs: bool) -> None:
    inbox = replace(SALES, separated=mine)
    decision = decide(a_mail(), [Candidate("reference", a_ticket(), separated=theirs)], inbox, NOW)
    assert decision == New("1042", "", "separated")


def test_a_separated_inbox_joins_its_own_tickets() -> None:
    inbox = replace(SUPPORT, separated=True)
    assert decide(a_mail(), [Candidate("token", a_ticket(), separated=True)], inbox, NOW) == Join("1042", wakes=True)


def test_a_chat_needs_no_proof_of_taking_part() -> None:
    ticket = a_ticket(channel="telegram", customer_handle="5120987341", participants=())
    assert decide(a_mail("5120987341"), [Candidate("chat", ticket)], SUPPORT, NOW) == Join("1042", wakes=True)


def test_no_address_took_part_in_nothing() -> None:
    assert not took_part("", a_ticket(customer_handle=""))


def test_of_two_separated_tickets_the_one_at_home_in_this_inbox_is_joined() -> None:
    theirs, ours = a_ticket("1"), a_ticket("2", inbox_id="sales")
    candidates = [Candidate("token", theirs), Candidate("reference", ours, separated=True)]
    assert decide(a_mail(), candidates, replace(SALES, separated=True), NOW) == Join("2", wakes=True)
    assert decide(a_mail(), candidates[::-1], SUPPORT, NOW) == Join("1", wakes=True)


def test_without_separation_the_better_evidence_wins_over_the_ticket_at_home() -> None:
    candidates = [Candidate("token", a_ticket("1")), Candidate("number", a_ticket("2", inbox_id="sales"))]
    assert decide(a_mail(), candidates, SALES, NOW) == Join("1", wakes=True)
