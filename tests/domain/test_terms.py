"""What a text is found by: one form for all ways to write the same word, number or address."""

import re
import time
from datetime import UTC, datetime

import pytest

from chalicelib.domain import terms
from chalicelib.domain.message import Attachment, Message, Party

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Müller", "muller"), ("ÉCHANGE à Noël", "echange a noel"), ("Straße", "strasse"),
        ("Łukasz Ørsted", "lukasz orsted"),
        ("İstanbul ılık", "istanbul ilik"), ("Ὀδυσσεύς", "οδυσσευσ"), ("Ёлка", "елка"), ("ＡＢＣ１２３", "abc123"),
        ("ｶﾞｲﾄﾞ", "ガイド"), ("がか", "がか"), ("한국어", "한국어"), ("O’Brien", "o'brien"), ("أهلاً", "اهلا"),
    ],
)  # fmt: skip
def test_accents_case_and_width_are_folded(written: str, folded: str) -> None:
    assert terms.folded(written) == folded
    assert terms.folded(terms.folded(written)) == folded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Where is my parcel?", ["where", "is", "my", "parcel"]),
        ("Jean-Luc's e-mail", ["jean", "luc", "mail"]),
        ("IMG_2041.jpg", ["img", "2041", "jpg"]),
        ("注文について", ["注文", "文に", "につ", "つい", "いて"]),
        ("退货 退款", ["退货", "退款"]),
        ("배송이 늦어요", ["배송", "송이", "늦어", "어요"]),
        ("iPhone15ケースは", ["iphone15", "ケー", "ース", "スは"]),
        ("茶", ["茶"]),
        ("أين طلبي؟", ["اين", "طلبي"]),
        ("คืนเงิน", ["คื", "ืน", "นเ", "เง", "งิ", "ิน"]),
        ("a b c", []),
        ("x" * 90, ["x" * 60]),
    ],
)  # fmt: skip
def test_words_of_every_script(text: str, words: list[str]) -> None:
    assert terms.words(terms.folded(text)) == words


PHONES = (
    "+49 30 1234567", "+49 (0)30 1234567", "0049 30 1234567", "030/1234567", "030 123 45 67", "(030) 123-4567",
    "030.1234567", "+49301234567", "0301234567", "+49–30–1234567", "030 12 34 56 7",
)  # fmt: skip


@pytest.mark.parametrize("written", PHONES)
@pytest.mark.parametrize("around", ["{}", "Call me at {}, please.", "Tel:{}\n", "2 mugs, {} 5 pm"])
def test_a_telephone_number_is_the_same_in_any_form(written: str, around: str) -> None:
    assert "tel:01234567" in terms.of_text(around.format(written))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Order 302-1234567-7654321", "30212345677654321"),  # Amazon
        ("order 30212345677654321", "30212345677654321"),
        ("12-34567-89012", "tel:56789012"),  # eBay
        ("#1042", "1042"), ("SHOP-1042", "1042"), ("SHOP-1042", "shop1042"), ("SHOP1042", "1042"),  # Shopify
        ("1Z 999 AA1 01 2345 6784", "1z999aa10123456784"), ("1Z999AA10123456784", "1z999aa10123456784"),  # UPS
        ("RR 123 456 789 DE", "rr123456789de"), ("RR123456789DE", "rr123456789de"),  # S10
        ("0034 0434 1610 9400 0000", "00340434161094000000"), ("00340434161094000000", "00340434161094000000"),  # DHL
        ("9400 1000 0000 0000 0000 00", "9400100000000000000000"),  # USPS
        ("TBA123456789012", "tba123456789012"),
        ("Write to Ada.Lovelace@Example.com.", "ada.lovelace@example.com"), ("a@b.example,", "@b.example"),
    ],
)  # fmt: skip
def test_numbers_and_addresses_have_one_form(text: str, term: str) -> None:
    assert term in terms.of_text(text)


def test_a_number_that_stands_among_others_is_found_by_itself() -> None:
    found = terms.of_text("I have 2 orders, 10482 10483, call 030 1234567 today")
    assert {"10482", "10483", "tel:01234567"} <= found.keys()


def message(**values: object) -> Message:
    wanted: dict[str, object] = {
        "id": "m1", "ticket_id": "1042", "kind": "message", "direction": "in", "author_kind": "customer",
        "author_id": "c1", "author_name": "Zoë Müller", "at": AT, "sent_at": AT, "text": "It broke.",
    } | values  # fmt: skip
    return Message(**wanted)  # type: ignore[arg-type]  # each of them fits


def test_a_message_is_found_by_its_words_its_people_and_its_files() -> None:
    told = message(
        subject="Broken mug", sender=Party("Zoë", "zoe@buyer.example"), to=(Party("Shop", "support@shop.example"),),
        attachments=(Attachment("a1", "Rechnung_77.pdf", "application/pdf", 1, "", "k"),),
    )  # fmt: skip
    found = terms.of_message(told, "It broke.")
    assert {"broken", "mug", "broke", "zoe@buyer.example", "support@shop.example", "rechnung", "77", "pdf"} <= {*found}
    assert {"@buyer.example", "zoe", "muller"} <= {*found}
    assert len(set(found)) == len(found)


def test_a_line_of_the_history_tells_nothing_but_a_new_subject() -> None:
    assert terms.of_message(message(kind="event", event={"assignee_id": "Lina"}), "") == ()
    assert terms.of_message(message(kind="event", event={"subject": "Teapot lid"}), "") == ("teapot", "lid")


def test_what_one_message_puts_into_the_index_has_an_end() -> None:
    assert len(terms.of_message(message(), " ".join(f"word{n}" for n in range(9_000)))) == terms.MAX_TERMS


@pytest.mark.parametrize(
    "bomb", ["1 " * 60_000, "1-" * 60_000 + "a", "a" * 120_000 + "@", "a.a" * 50_000, "注" * 90_000]
)
def test_no_text_takes_long(bomb: str) -> None:
    """Ten times as long takes about ten times as long: nothing here is quadratic."""
    short, whole = _seconds(bomb[: len(bomb) // 10]), _seconds(bomb)
    assert whole < 60 * max(short, 0.0005)


def _seconds(text: str) -> float:
    began = time.process_time()
    terms.of_text(text)
    return time.process_time() - began


def test_every_term_can_be_packed_in_a_line() -> None:
    """Terms stand beside each other with a blank between (``store.postings``)."""
    odd = "a\u2028b\u00a0c\x1cd 1\u20072 x@y.z\u3000q 1\u00a0234\u00a0567 1z 999 aa1 01 2345 6784"
    assert not [term for term in terms.of_text(odd) if re.search(r"\s", term)]


def test_of_a_long_mail_its_numbers_and_addresses_are_kept() -> None:
    words = " ".join(f"w{n}ord" for n in range(2_200))
    found = terms.of_text(f"Order 302-1234567-7654399, {words} write to helper@shop.example")
    kept = list(found)[: terms.MAX_TERMS]
    assert {"30212345677654399", "helper@shop.example", "@shop.example"} <= {*kept}
