"""Who gets an answer."""

from datetime import UTC, datetime

import pytest

from chalicelib.domain.message import Direction, Message, Party
from chalicelib.domain.recipients import (
    Changed,
    Recipients,
    answer_to,
    changed,
    checked_address,
    checked_recipients,
    is_own,
    parse_parties,
    recipients_of,
)
from chalicelib.errors import InvalidInput

OWN = frozenset({"support@shop.example", "sales@shop.example"})


def people(*addresses: str) -> tuple[Party, ...]:
    return tuple(Party("", address) for address in addresses)


def a_message(sender: str, to: str = "", cc: str = "", bcc: str = "", direction: Direction = "in") -> Message:
    return Message(
        id="m1", ticket_id="1", kind="message", direction=direction, author_kind="customer", author_id="",
        author_name="", at=datetime(2026, 11, 20, tzinfo=UTC), sent_at=None, text="", sender=Party("", sender),
        to=people(*to.split()), cc=people(*cc.split()), bcc=people(*bcc.split()),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("message", "to", "cc"),
    [
        (a_message("a@x.example", "support@shop.example"), "a@x.example", ""),
        (a_message("a@x.example", "support@shop.example b@x.example"), "a@x.example b@x.example", ""),
        (a_message("a@x.example", "support@shop.example", "c@x.example"), "a@x.example", "c@x.example"),
        (a_message("a@x.example", "b@x.example", "support@shop.example"), "a@x.example b@x.example", ""),
        (a_message("a@x.example", "SUPPORT@Shop.Example Sales@shop.example"), "a@x.example", ""),
        (a_message("a@x.example", "support+prod.42.abcdefghijkl@shop.example"), "a@x.example", ""),
        (
            a_message("a@x.example", "A@x.example support@shop.example", "b@x.example a@X.example"),
            "a@x.example",
            "b@x.example",
        ),
        (a_message("a@x.example", "support@shop.example", "", "hidden@x.example"), "a@x.example", ""),
        (
            a_message("support@shop.example", "a@x.example", "c@x.example", "hidden@x.example", "out"),
            "a@x.example",
            "c@x.example",
        ),
        (a_message("support@shop.example", "sales@shop.example", "c@x.example"), "c@x.example", ""),
        (a_message("support@shop.example", "sales@shop.example"), "", ""),
    ],
)
def test_an_answer_goes_to_those_of_the_mail_less_ours_and_nobody_else(message: Message, to: str, cc: str) -> None:
    assert answer_to(message, OWN) == Recipients(people(*to.split()), people(*cc.split()))


def test_reply_goes_to_the_sender_alone() -> None:
    message = a_message("a@x.example", "support@shop.example b@x.example", "c@x.example")
    assert answer_to(message, OWN, everyone=False) == Recipients(people("a@x.example"))


def test_what_changed_since_the_last_mail() -> None:
    last = recipients_of(a_message("a@x.example", "support@shop.example", "c@x.example"))
    now = Recipients(people("A@x.example"), people("new@x.example"))
    assert changed(last, now) == Changed(("new@x.example",), ("support@shop.example", "c@x.example"))


def test_a_plus_address_of_ours_is_ours() -> None:
    assert is_own("Support+Prod.1.x@shop.example", OWN)
    assert not is_own("support@other.example", OWN)


def test_repeats_fall_away_and_idn_becomes_ascii() -> None:
    checked = checked_recipients(
        people("a@x.example", "A@X.example"), people("b@münchen.example", "c@großbank.example", "a@x.example")
    )
    assert checked == Recipients(people("a@x.example"), people("b@xn--mnchen-3ya.example", "c@xn--grobank-2va.example"))


@pytest.mark.parametrize(
    "address",
    ["", "lina", "lina@", "@x.example", "lina@localhost", "li na@x.example", "lina@x..example", "lina@-x.example",
     ".lina@x.example", "lina@x.example\r\nBcc: all@x.example", "lïna@x.example",
     f"{'a' * 65}@x.example", f"a@{'b' * 64}.example", f"a@{'b.' * 130}example", "a@b@c@", "a<b>@x.example"],
)  # fmt: skip
def test_what_is_no_address_is_said_in_a_sentence(address: str) -> None:
    with pytest.raises(InvalidInput, match=r"^“.*” (is not an e-mail address|cannot be reached): .*\.$"):
        checked_address(address)


@pytest.mark.parametrize(
    "address",
    ["lina@x.example", "o'brien+tag@sub.x.example", "a.b-c_d@1.example", "x@xn--mnchen-3ya.example", " l@x.example "],
)
def test_what_is_an_address_stays(address: str) -> None:
    assert checked_address(address) == address.strip()


def test_the_field_at_fault_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_recipients(people("a@x.example"), people("broken"))
    assert list(caught.value.fields) == ["cc"]


def test_fifty_people_are_the_limit() -> None:
    fifty = people(*(f"p{number}@x.example" for number in range(50)))
    assert len(checked_recipients(fifty).to) == 50
    with pytest.raises(InvalidInput, match="Too many"):
        checked_recipients(fifty, people("one-more@x.example"))


def test_nobody_in_to_and_our_own_address_are_refused() -> None:
    with pytest.raises(InvalidInput, match="somebody in To"):
        checked_recipients(())
    with pytest.raises(InvalidInput, match="ours"):
        checked_recipients(people("support@shop.example"), own=OWN)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a@x.example", people("a@x.example")),
        (
            "a@x.example, b@x.example; c@x.example\nd@x.example",
            people(*["a@x.example", "b@x.example", "c@x.example", "d@x.example"]),
        ),
        ('"Meyer, Lina" <lina@x.example>', (Party("Meyer, Lina", "lina@x.example"),)),
        ("Lina Meyer <lina@x.example>,", (Party("Lina Meyer", "lina@x.example"),)),
        ("", ()),
        (" , ", ()),
    ],
)
def test_what_is_typed_into_to(typed: str, expected: tuple[Party, ...]) -> None:
    assert parse_parties(typed) == expected


def test_rubbish_typed_into_to_reaches_the_check() -> None:
    with pytest.raises(InvalidInput):
        checked_recipients(parse_parties("not an address at all"))
