"""What scanners find is kept with a reason or fails; what ships is listed whole."""

import tomllib

from infra import scan, vendor
from infra.scan import Finding, Reason

WORD = Finding("bandit", "B105", "chalicelib/api/x.py:7", "Possible hardcoded password")


def test_a_finding_without_a_reason_is_open() -> None:
    assert scan.judged([WORD], []) == ([WORD], [])
    kept = Reason("bandit", "B105", "Only a word.", ("chalicelib/",))
    assert scan.judged([WORD], [kept]) == ([], [])


def test_a_reason_covers_its_scanner_its_rule_and_its_places_only() -> None:
    for kept in (
        Reason("checkov", "B105", "Another scanner."),
        Reason("bandit", "B106", "Another rule."),
        Reason("bandit", "B105", "Another place.", ("local/", "infra/")),
    ):
        assert scan.judged([WORD], [kept]) == ([WORD], [kept])


def test_every_reason_says_why_and_stands_once() -> None:
    kept = scan.reasons()
    assert len(kept) >= 10
    assert all(len(each.why.split()) >= 4 for each in kept)
    assert len({(each.scanner, each.rule) for each in kept}) == len(kept)


def test_the_scanners_never_ship_and_are_pinned_by_hash() -> None:
    ships = (scan.ROOT / "requirements.txt").read_text()
    for name in ("requirements-scan.txt", "requirements-checkov.txt"):
        pins = (scan.ROOT / name).read_text()
        assert "--hash=sha256:" in pins and "index-url" not in pins
    for tool in ("bandit", "checkov", "pip-audit", "cyclonedx"):
        assert tool not in ships


def test_the_list_of_what_ships_names_the_file_for_browsers() -> None:
    entry = scan.htmx()
    assert entry["hashes"] == [{"alg": "SHA-256", "content": vendor.SHA256}]
    assert entry["properties"][0]["value"].startswith("pkg:pypi/django-htmx@")


def test_the_rules_are_read_as_written() -> None:
    assert set(tomllib.loads(scan.RULES.read_text())) == {"kept"}
