"""File names and what deserves a warning."""

import pytest

from chalicelib.domain.files import MAX_NAME_CHARS, checked_name, warning_for


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("bill.pdf", "bill.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\bill.pdf", "bill.pdf"),
        ("bi\r\nll\x00.pdf", "bill.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("  ...  ", "file"),
        ("", "file"),
        ("請求書.pdf", "請求書.pdf"),
    ],
)
def test_a_name_loses_paths_and_what_deceives(name: str, clean: str) -> None:
    assert checked_name(name) == clean


def test_a_long_name_keeps_its_ending() -> None:
    assert len(checked_name("x" * 400 + ".pdf")) == MAX_NAME_CHARS and checked_name("x" * 400 + ".pdf").endswith(".pdf")


@pytest.mark.parametrize(
    ("name", "kind", "warned"),
    [
        ("a.pdf", "application/pdf", False),
        ("a.EXE", "application/pdf", True),
        ("a.docm", "application/msword", True),
        ("a.svg", "image/svg+xml", True),
        ("a", "text/html", True),
        ("photo.jpg", "image/jpeg", False),
    ],
)
def test_what_runs_is_warned_of(name: str, kind: str, warned: bool) -> None:
    assert (warning_for(name, kind) is not None) == warned
