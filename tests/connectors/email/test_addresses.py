"""Signed reply addresses and the keys of message ids."""

import pytest

from chalicelib.connectors.email.addresses import (
    message_key,
    our_message_id,
    ses_key,
    signed_address,
    ticket_of,
    without_signature,
)

KEY = b"reply-key-2026-01"
VECTOR = "support+t42.c01jd3m7qk8.ptzsmsvkhmva@in.helpdesk.example"


def test_the_vector() -> None:
    assert signed_address("support@in.helpdesk.example", "t42", "c01jd3m7qk8", KEY) == VECTOR
    assert ticket_of(VECTOR, "t42", [KEY]) == "c01jd3m7qk8"


@pytest.mark.parametrize("address", [VECTOR.upper(), f" {VECTOR} ", VECTOR.replace("support", "other+tag")])
def test_what_mail_servers_do_to_an_address_does_not_matter(address: str) -> None:
    assert ticket_of(address, "t42", [KEY]) == "c01jd3m7qk8"


def test_the_old_key_is_accepted_and_the_new_one_signs() -> None:
    assert ticket_of(VECTOR, "t42", [b"new key", KEY]) == "c01jd3m7qk8"
    assert signed_address("support@in.helpdesk.example", "t42", "c01jd3m7qk8", b"new key") != VECTOR


@pytest.mark.parametrize(
    ("address", "stage", "keys"),
    [
        (VECTOR.replace("ptz", "qtz"), "t42", [KEY]),
        (VECTOR.replace("qk8", "qk9"), "t42", [KEY]),
        (VECTOR, "t43", [KEY]),
        (VECTOR.replace("t42", "t43"), "t42", [KEY]),
        (VECTOR, "t42", [b"another key"]),
        (VECTOR, "t42", []),
        ("support@in.helpdesk.example", "t42", [KEY]),
        ("support+sale@in.helpdesk.example", "t42", [KEY]),
        ("t42.c01jd3m7qk8.ptzsmsvkhmva@in.helpdesk.example", "t42", [KEY]),
        ("", "t42", [KEY]),
        ("support+t42.c01jd3m7qk8.ptzsmsvkhmvä@in.helpdesk.example", "t42", [KEY]),
    ],
)
def test_anything_else_names_no_ticket(address: str, stage: str, keys: list[bytes]) -> None:
    assert ticket_of(address, stage, keys) is None


def test_a_local_part_too_long_to_sign_stays_unsigned() -> None:
    base = f"{'s' * 50}@shop.example"
    assert signed_address(base, "prod", "1042", KEY) == base
    signed = signed_address(f"{'s' * 40}@shop.example", "prod", "1042", KEY)
    assert len(signed.partition("@")[0]) <= 64
    assert ticket_of(signed, "prod", [KEY]) == "1042"


def test_the_inbox_behind_a_signed_address() -> None:
    assert without_signature(VECTOR.upper()) == "support@in.helpdesk.example"
    assert without_signature(VECTOR.replace("ptz", "bad")) == "support@in.helpdesk.example"
    assert without_signature("Support+Sale@shop.example") == "support+sale@shop.example"


@pytest.mark.parametrize(
    ("message_id", "key"),
    [
        ("<CAF1x9-7731@mail.example.com>", "mid:caf1x9-7731@mail.example.com"),
        (" CAF1x9-7731@mail.example.com ", "mid:caf1x9-7731@mail.example.com"),
        ("<0102019aB0c1-000000@email.amazonses.com>", "ses:0102019ab0c1-000000"),
        ("<0102019ab0c1-000000@eu-west-1.amazonses.com>", "ses:0102019ab0c1-000000"),
        ("<0102019ab0c1-000000@amazonses.com>", "ses:0102019ab0c1-000000"),
        ("<0102@amazonses.com.evil.example>", "mid:0102@amazonses.com.evil.example"),
        ("<0102@evilamazonses.com>", "mid:0102@evilamazonses.com"),
    ],
)
def test_keys_of_message_ids(message_id: str, key: str) -> None:
    assert message_key(message_id) == key


def test_a_wrong_guess_of_ses_domain_does_no_harm() -> None:
    assert message_key("<0102019ab0c1-000000@email.amazonses.com>") == ses_key("0102019ab0c1-000000")


def test_a_long_id_is_hashed() -> None:
    key = message_key(f"<{'x' * 400}@mail.example>")
    assert len(key) <= 200
    assert key == message_key(f"<{'X' * 400}@mail.example>")
    assert key != message_key(f"<{'x' * 401}@mail.example>")


def test_our_own_id() -> None:
    assert our_message_id("M01JD3N0AA1", "t42", "Helpdesk.Example") == "<m01jd3n0aa1.t42@helpdesk.example>"
