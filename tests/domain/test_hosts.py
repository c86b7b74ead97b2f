"""Where an address leads, as browsers read it; what is expected here is what Chromium's ``new URL(…)`` says."""

import pytest

from chalicelib.domain import hosts

EVIL = "\u0435vil"
"""With a Cyrillic letter."""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://good.example/a", "good.example"),
        ("https://good.example", "good.example"),
        (f"https://{EVIL}.com#@good.com/", f"{EVIL}.com"),
        (f"https://{EVIL}.com\\@good.com/", f"{EVIL}.com"),
        (f"https://{EVIL}.com?@good.com/", f"{EVIL}.com"),
        (f"https://{EVIL}.com/@good.com", f"{EVIL}.com"),
        (f"https://good.com@{EVIL}.com:8443/a", f"{EVIL}.com"),
        (f"https://good.com:p@ss@{EVIL}.com/", f"{EVIL}.com"),
        (f"https:///{EVIL}.com/", f"{EVIL}.com"),
        (f"https://\\/{EVIL}.com/", f"{EVIL}.com"),
        (f"https://{EVIL}.com%2F@good.com/", "good.com"),
        ("https://%D0%B5vil.com/", f"{EVIL}.com"),
        ("https://[::1]:80/a", "[::1]"),
        ("https://", ""),
    ],
)
def test_the_host_ends_where_browsers_end_it(address: str, expected: str) -> None:
    assert hosts.host_of(address) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("gro\u00dfbank.de", "xn--grobank-2va.de"),
        ("GRO\u1e9eBANK.de", "xn--grobank-2va.de"),
        ("fa\u00df.de", "xn--fa-hia.de"),
        (f"{EVIL}.com", "xn--vil-qdd.com"),
        (f"{EVIL}\u3002com", "xn--vil-qdd.com"),
        ("M\u00dcNCHEN.Example", "xn--mnchen-3ya.example"),
        ("b\u00fccher.example.", "xn--bcher-kva.example."),
        ("\u0392\u0391\u03a3.example", "xn--mxab6c.example"),
        ("\u03b2\u03b1\u03c2.example", "xn--mxab3c.example"),
        ("\uff47\uff4f\uff4f\uff47\uff4c\uff45.com", "google.com"),
        ("\u0130x.example", "xn--ix-rub.example"),
        ("\ufb01sh.ex\u0430mple", "fish.xn--exmple-4nf"),
        ("go\u200b\u043egle.com", "xn--gogle-kye.com"),
        ("good.com", "good.com"),
        ("[::1]", "[::1]"),
    ],
)
def test_a_name_is_written_as_machines_know_it(host: str, expected: str) -> None:
    assert hosts.machine_name(host) == expected


@pytest.mark.parametrize(
    "host",
    [
        f"good.com\uff0f.{EVIL}.com",  # a wide slash
        f"\u2100.{EVIL}.com",  # a sign that holds a slash
        f"{EVIL}.com#.good.com",
        "\u043d|\u0430.example",
        "\u0430" * 80 + ".example",  # longer than a name's part may be
        "\ufffd.example",  # bytes that are no letters
    ],
)
def test_what_leads_nowhere_has_no_name(host: str) -> None:
    assert hosts.machine_name(host) is None
