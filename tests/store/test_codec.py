"""Dataclasses survive the way into an item and back, also across releases."""

from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.domain.message import Attachment, Delivery, Message, Party
from chalicelib.domain.people import Inbox
from chalicelib.store.codec import decode, encode

AT = datetime(2026, 11, 20, 9, 0, 0, 123000, tzinfo=UTC)


def test_a_message_comes_back_as_it_went() -> None:
    message = Message(
        "m1", "1042", "message", "out", "agent", "lina", "Lina", AT, None, "返品", to=(Party("Ada", "a@b.example"),),
        attachments=(Attachment("a0", "x.pdf", "application/pdf", 3, "00", "k"),), event={"answers": "m0"},
        delivery=Delivery("sent", at=AT),
    )  # fmt: skip
    assert decode(Message, encode(message)) == message


def test_mappings_and_defaults_come_back() -> None:
    inbox = Inbox("i", "email", "a@b.example", "A", settings={"forward_to": "c@d.example"})
    assert decode(Inbox, encode(inbox)) == inbox
    assert "undo_seconds" not in encode(inbox)


def test_a_field_of_a_newer_release_is_ignored_and_one_of_ours_defaults() -> None:
    @dataclass(frozen=True)
    class Old:
        name: str

    @dataclass(frozen=True)
    class New:
        name: str
        colour: str = "grey"

    assert decode(Old, encode(New("a", "red"))) == Old("a")
    assert decode(New, encode(Old("a"))) == New("a")
