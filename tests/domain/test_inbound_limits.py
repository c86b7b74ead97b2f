"""Whatever a sender writes, it can be stored, and what was left out is said."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from chalicelib.domain.inbound_limits import MAX_BANNER_CHARS, whole, within_limits
from chalicelib.domain.message import Inbound, IncomingFile, Party

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
ADA = Party("Ada", "ada@example.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Grüße 😀", "Grüße 😀"), ("a\ud83d", "a\ufffd"), ("\ude00b", "\ufffdb"), ("\ud83d\ude00", "😀"), ("", "")],
)
def test_halves_of_characters_are_joined_or_replaced(text: str, expected: str) -> None:
    assert whole(text) == expected


def test_an_ordinary_message_stays_as_it_is() -> None:
    files = (IncomingFile("bill.pdf", "application/pdf", b"%PDF", "1@x", True),)
    mail = Inbound(
        "f", ADA, NOW, subject="Parcel", text="Where?", to=(ADA,), cc=(ADA,), files=files, banners=("Look.",),
        own_keys=("mid:1",), references=("<1@x>", "<2@x>"), thread_index="abc",
    )  # fmt: skip
    assert within_limits(mail) == mail


def test_names_and_subjects_cannot_turn_what_stands_behind_them() -> None:
    turned = Party("Ada \u202e\u2066gnp.exe\u202c\u2069", "ada@example.com")
    kept = within_limits(Inbound("f", turned, NOW, subject="\u202b12 \u05d0\u200f", to=(turned,)))
    assert kept.sender.name == kept.to[0].name == "Ada gnp.exe"
    assert kept.subject == "12 \u05d0\u200f"


def test_of_many_references_the_newest_are_kept() -> None:
    kept = within_limits(
        Inbound("f", ADA, NOW, references=tuple(f"<{n}-{'r' * 500}@x>" for n in range(200)))
    ).references
    assert 20 < len(kept) < 100 and kept[-1].startswith("<199-")


def test_a_long_banner_is_cut_in_the_middle_so_that_our_words_stand() -> None:
    mail = Inbound("f", ADA, NOW, banners=("d" * 90_000 + " may be forged.", "Share no order data."))
    first, second = within_limits(mail).banners
    assert len(first) == MAX_BANNER_CHARS and first.endswith(" may be forged.") and second == "Share no order data."


def test_one_file_and_one_recipient_left_out_are_named_in_the_singular() -> None:
    mail = Inbound("f", ADA, NOW, to=(ADA,) * 101, files=(IncomingFile("a", "b", b"", "c" * 200_000),))
    assert within_limits(mail).banners == (
        "1 more file: download the original to see them.",
        "1 more recipient: download the original to see them.",
    )


def test_the_worst_that_a_sender_can_write_leaves_room_in_an_item() -> None:
    party = Party("𝔸" * 1000, "𝔸" * 90_000)
    file = IncomingFile("𝔸" * 500, "𝔸" * 500, b"", "𝔸" * 300)
    worst = Inbound(
        "f", party, NOW, subject="𝔸" * 90_000, to=(party,) * 1000, cc=(party,) * 1000, files=(file,) * 1000,
        banners=("𝔸" * 90_000,) * 1000, references=("𝔸" * 900,) * 200, thread_index="𝔸" * 90_000,
    )  # fmt: skip
    kept = within_limits(worst)
    plain = asdict(kept) | {"files": [asdict(each) | {"data": "x" * 400} for each in kept.files], "sent_at": ""}
    assert len(json.dumps(plain, ensure_ascii=False).encode()) < 350_000
