"""Mail made to be dear: each bomb by its size ``n``, so that twice the size can be compared with once."""

from collections.abc import Callable
from dataclasses import dataclass

HEAD = b"From: Ada <ada@example.com>\r\nTo: support@shop.example\r\nMessage-ID: <%d@example.com>\r\n"


@dataclass(frozen=True)
class Bomb:
    """``make(n)`` is the whole mail; ``words``: what an agent must see of it, when it is not only a banner."""

    name: str
    n: int
    make: Callable[[int], bytes]
    words: str = ""


def plain(fields: bytes, body: bytes = b"The words.") -> bytes:
    return HEAD % len(fields + body) + b"Subject: Bomb\r\n" + fields + b"\r\n" + body


def html(body: str) -> bytes:
    return plain(b"Content-Type: text/html; charset=utf-8\r\n", body.encode())


def part(boundary: str, *parts: bytes, kind: str = "mixed") -> bytes:
    line = f"--{boundary}".encode()
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    return head + b"".join(line + b"\r\n" + each + b"\r\n" for each in parts) + line + b"--\r\n"


def multipart(*parts: bytes) -> bytes:
    return HEAD % len(parts) + b"Subject: Bomb\r\n" + part("b", *parts)


def nested(levels: int) -> bytes:
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level) for level in range(levels)
    )
    return HEAD % levels + b"Subject: Bomb\r\n" + head + b"Content-Type: text/plain\r\n\r\nThe bottom."


SAID = b"Content-Type: text/plain\r\n\r\nThe words."
WORDS = "The words."
BOMBS = [
    # headers
    Bomb(
        "returns behind headers without end",
        200_000,
        lambda n: HEAD % n + b"Subject: Bomb\r\n" + (b"X-A: %b\r\n" % (b"a" * 900)) * 1_200 + b"\r" * n + b"x",
    ),
    Bomb("header lines", 50_000, lambda n: plain(b"X-A: b\r\n" * n), WORDS),
    Bomb("one header of megabytes", 1_000_000, lambda n: plain(b"X-A: " + b"a" * n + b"\r\n"), WORDS),
    Bomb("folds", 100_000, lambda n: plain(b"X-A: b" + b"\r\n " * n + b"\r\n"), ""),
    Bomb(
        "hundred thousands of recipients",
        250_000,
        lambda n: plain(b"To: " + b"a@b.example,\r\n " * n + b"c@d.example\r\n"),
    ),
    Bomb("Cc of groups", 50_000, lambda n: plain(b"Cc: " + b"g:a@b.example;," * n + b"\r\n"), WORDS),
    Bomb("angle brackets in From", 50_000, lambda n: plain(b"Reply-To: " + b"<" * n + b"a@b.example\r\n"), WORDS),
    Bomb(
        "comments in comments",
        50_000,
        lambda n: plain(b"Reply-To: " + b"(" * n + b")" * n + b" a@b.example\r\n"),
        WORDS,
    ),
    Bomb("quoted pairs", 50_000, lambda n: plain(b'Reply-To: "' + b"\\a" * n + b'" <a@b.example>\r\n'), WORDS),
    Bomb("encoded words", 20_000, lambda n: plain(b"X-A: a\r\nSubject: " + b"=?utf-8?B?YQ==?= " * n + b"\r\n"), WORDS),
    Bomb("encoded words never closed", 20_000, lambda n: plain(b"Subject: " + b"=?utf-8?Q?a" * n + b"\r\n"), WORDS),
    Bomb(
        "encoded words of other charsets",
        5_000,
        lambda n: plain(b"Subject: " + b"".join(b"=?x-%d?Q?a?= " % k for k in range(n)) + b"\r\n"),
        WORDS,
    ),
    Bomb(
        "references",
        20_000,
        lambda n: plain(b"References: " + b"".join(b"<%d@x>\r\n " % k for k in range(n)) + b"\r\n"),
        WORDS,
    ),
    Bomb("references never closed", 50_000, lambda n: plain(b"References: " + b"<a@" * n + b"\r\n"), WORDS),
    Bomb("parameters", 20_000, lambda n: plain(b"Content-Type: text/plain" + b'; a="b"' * n + b"\r\n"), WORDS),
    Bomb(
        "parameters of RFC 2231",
        20_000,
        lambda n: plain(
            b"Content-Type: text/plain" + b"".join(b"; name*%d*=utf-8''a%%20" % k for k in range(n)) + b"\r\n"
        ),
        "",
    ),
    Bomb(
        "backslashes in a parameter",
        50_000,
        lambda n: plain(b'Content-Type: text/plain; name="' + b"\\" * n + b'"\r\n'),
        WORDS,
    ),
    Bomb(
        "Received lines",
        20_000,
        lambda n: plain(b"Received: from a by b; Fri, 20 Nov 2026 15:00:00 +0000\r\n" * n),
        WORDS,
    ),
    # parts
    Bomb("nested parts", 5_000, nested),
    Bomb("mails in mails", 5_000, lambda n: HEAD % n + b"Content-Type: message/rfc822\r\n\r\n" * n + b"x"),
    Bomb(
        "files", 5_000, lambda n: multipart(SAID, *[b"Content-Disposition: attachment; filename=a\r\n\r\nx"] * n), WORDS
    ),
    Bomb("empty parts", 50_000, lambda n: multipart(SAID, *[b""] * n), WORDS),
    Bomb("boundaries that are none", 100_000, lambda n: multipart(SAID, b"\r\n--bx" * n), WORDS),
    Bomb("texts to choose from", 3_000, lambda n: HEAD % n + part("b", *[SAID] * n, kind="alternative"), WORDS),
    Bomb("base64 of nothing", 1_000_000, lambda n: plain(b"Content-Transfer-Encoding: base64\r\n", b"=\r\n" * n)),
    Bomb(
        "base64 with blanks",
        1_000_000,
        lambda n: plain(b"Content-Transfer-Encoding: base64\r\n", b"VGhl IHdvcmRzLg==" + b" \r\n" * n),
        "",
    ),
    Bomb(
        "soft line ends",
        1_000_000,
        lambda n: plain(b"Content-Transfer-Encoding: quoted-printable\r\n", b"The words." + b"=\r\n" * n),
        WORDS,
    ),
    Bomb("uuencoded beginnings", 50_000, lambda n: plain(b"", b"The words.\r\n" + b"begin 644 a\r\n" * n), ""),
    # text
    Bomb("one line", 4_000_000, lambda n: plain(b"", b"a" * n)),
    Bomb("one line of quotes", 1_000_000, lambda n: plain(b"", b"> " * n)),
    Bomb("lines of quotes", 200_000, lambda n: plain(b"", b"The words.\r\n" + b"> a\r\n" * n), ""),
    Bomb(
        "dates that almost quote",
        20_000,
        lambda n: plain(b"", b"On Fri, 20 Nov 2026 at 15:00 Ada <a@b.example\r\n" * n),
    ),
    Bomb("signatures", 100_000, lambda n: plain(b"", b"The words.\r\n" + b"-- \r\n" * n), ""),
    Bomb("blank lines", 1_000_000, lambda n: plain(b"", b"The words." + b"\r\n" * n), WORDS),
    Bomb("addresses in the text", 100_000, lambda n: plain(b"", b"http://a.example/ " * n)),
    Bomb(
        "marks on one letter",
        500_000,
        lambda n: plain(b"Content-Type: text/plain; charset=utf-8\r\n", b"a" + "\u0301".encode() * n),
    ),
    Bomb(
        "one letter that is eighteen",
        200_000,
        lambda n: plain(
            b"Content-Type: text/plain; charset=utf-8\r\nSubject: " + "\ufdfa".encode() * 500 + b"\r\n",
            "\ufdfa".encode() * n,
        ),
    ),
    Bomb(
        "characters that turn",
        500_000,
        lambda n: plain(b"Content-Type: text/plain; charset=utf-8\r\n", "\u202e".encode() * n),
    ),
    Bomb(
        "escapes of ISO-2022-JP",
        200_000,
        lambda n: plain(b"Content-Type: text/plain; charset=iso-2022-jp\r\n", b"The words." + b"\x1b$B\x1b(B" * n),
    ),
    Bomb("shifts of UTF-7", 300_000, lambda n: plain(b"Content-Type: text/plain; charset=utf-7\r\n", b"+AGE-" * n)),
    # HTML
    Bomb("elements in elements", 10_000, lambda n: html("<div>" * n + "The words."), WORDS),
    Bomb("formatting in formatting", 10_000, lambda n: html("<b><i>" * n + "The words."), WORDS),
    Bomb("links in links", 10_000, lambda n: html("<a href=http://a.example>" * n + "The words."), WORDS),
    Bomb("tables in tables", 3_000, lambda n: html("<table><tr><td>" * n + "The words."), WORDS),
    Bomb("rows", 30_000, lambda n: html("<table>" + "<tr><td>a" * n + "</table>The words."), WORDS),
    Bomb(
        "columns of one row",
        50_000,
        lambda n: html("<table><tr>" + "<td colspan=1000>a" * n + "</table>The words."),
        WORDS,
    ),
    Bomb(
        "text where a table wants rows", 20_000, lambda n: html("<table>" + "a<tr>" * n + "</table>The words."), WORDS
    ),
    Bomb(
        "fonts never closed",
        20_000,
        lambda n: html("".join(f"<font color={k}><p>" for k in range(n)) + "The words."),
        WORDS,
    ),
    Bomb("ends without beginnings", 50_000, lambda n: html("The words." + "</p></b></div>" * n), WORDS),
    Bomb("comments never closed", 100_000, lambda n: html("The words." + "<!--" * n), WORDS),
    Bomb("quotes never closed", 100_000, lambda n: html("The words." + '<a href="' * n), WORDS),
    Bomb(
        "attributes", 20_000, lambda n: html("<p " + " ".join(f"a{k}=b" for k in range(n)) + ">The words.</p>"), WORDS
    ),
    Bomb("one attribute of megabytes", 2_000_000, lambda n: html('<p title="' + "a" * n + '">The words.</p>'), WORDS),
    Bomb("entities", 500_000, lambda n: html("The words." + "&amp;" * n), WORDS),
    Bomb("entities never closed", 500_000, lambda n: html("The words." + "&am" * n), WORDS),
    Bomb("declarations in one style", 50_000, lambda n: html(f'<p style="{"color:red;" * n}">The words.</p>'), WORDS),
    Bomb("brackets in one style", 100_000, lambda n: html(f'<p style="color:{"rgb(" * n}">The words.</p>'), WORDS),
    Bomb(
        "styles",
        30_000,
        lambda n: html("".join(f'<p style="margin:{k % 99}px">a</p>' for k in range(n)) + "The words."),
        WORDS,
    ),
    Bomb(
        "rules in a style sheet", 100_000, lambda n: html(f"<style>{'a b c d{color:red}' * n}</style>The words."), WORDS
    ),
    Bomb("pictures", 30_000, lambda n: html("<img src=http://a.example/b.png>" * n + "The words."), WORDS),
    Bomb(
        "links that lie",
        10_000,
        lambda n: html("<a href=http://evil.example>bank.example</a>" * n + "The words."),
        WORDS,
    ),
    Bomb(
        "one link of all words",
        300_000,
        lambda n: html(f"<a href=http://evil.example>{'bank.example ' * n}</a>The words."),
        "",
    ),
    Bomb(
        "a picture of megabytes",
        2_000_000,
        lambda n: html(f'<img src="data:image/png;base64,{"A" * n}">The words.'),
        WORDS,
    ),
]
