"""Mails that stop other desks: too deep, too many, too long, cut off, or not mail at all."""

from .build import attached, composed, mail, multipart, nested, plain, text_mail
from .case import Case


def deep(levels: int) -> bytes:
    piece = plain("The bottom.")
    for level in range(levels):
        piece = nested("mixed", piece, boundary=f"level-{level}-")
    return b"From: Lina <lina@example.com>\r\nSubject: deep\r\n" + piece


def many(parts: int) -> bytes:
    return composed("mixed", plain("The words."), *(attached(f"{number}.txt", b"x") for number in range(parts)))


SAME_BOUNDARY = nested("mixed", nested("mixed", plain("Inner."), boundary="same"), boundary="same")

ODD_CASES: tuple[Case, ...] = (
    Case("odd: empty", b"", address="", subject="", text="", kind="human"),
    Case("odd: blank lines only", b"\r\n\r\n\r\n", address="", text=""),
    Case("odd: one NUL", b"\x00", text=""),
    Case("odd: forty levels", deep(40), text="The bottom.", subject="deep"),
    Case("odd: three hundred levels", deep(300), subject="deep", address="lina@example.com", banner="50"),
    Case("odd: 900 parts", many(900), text="The words."),
    Case("odd: 3000 parts", many(3000), text="The words.", banner="1,000"),
    Case(
        "odd: header section of two megabytes",
        b"X-Big: " + b"a" * 2_000_000 + b"\r\n" + text_mail("The words."),
        banner="1 MB",
    ),
    Case("odd: 50,000 header lines", b"X-A: b\r\n" * 50_000 + text_mail("The words."), text="The words."),
    Case("odd: a megabyte of From", mail("From: " + "<" * 100_000 + "lina@example.com", body="Words"), text="Words"),
    Case("odd: endless comment in From", mail("From: " + "(" * 50_000, body="Words"), text="Words"),
    Case("odd: endless encoded words", mail("Subject: " + "=?utf-8?Q?a" * 20_000, body="Words"), text="Words"),
    Case("odd: same boundary inside", b"From: Lina <lina@example.com>\r\n" + SAME_BOUNDARY, address="lina@example.com"),
    Case(
        "odd: boundary is one character",
        mail(
            *multipart("mixed", plain("Words."), boundary="-")[:1],
            body=multipart("mixed", plain("Words."), boundary="-")[1],
            binary=True,
        ),
        text="Words.",
    ),
    Case(
        "odd: message inside message inside message",
        b"From: Lina <lina@example.com>\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 200 + b"x",
        address="lina@example.com",
    ),
    Case(
        "odd: utf-16 file", text_mail("Hello").decode().encode("utf-16"), text="Hello", address="lina.meyer@example.com"
    ),
    Case(
        "odd: html of 60,000 open tags", mail("Content-Type: text/html", body="<div>" * 60_000 + "Words"), text="Words"
    ),
    Case("odd: date of the year 99999", text_mail("Words", "Date: Fri, 20 Nov 99999 15:00:00 +0100"), text="Words"),
    Case("odd: date without a zone", text_mail("Words", "Date: Fri, 20 Nov 2026 15:00:00"), text="Words"),
    Case(
        "odd: lone surrogate in utf-7", mail("Content-Type: text/plain; charset=utf-7", body="+2AA-x"), text="\ufffdx"
    ),
    Case("odd: lone surrogate in a subject", mail("Subject: =?utf-7?Q?+2AA-x?="), subject="\ufffdx"),
    Case(
        "odd: two From headers",
        mail("X-A: b", "From: Ada <ada@example.com>").replace(b"X-A: b", b"From: Lina <lina@example.com>"),
        address="lina@example.com",
    ),
)
