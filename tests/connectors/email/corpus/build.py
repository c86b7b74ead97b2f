"""Small pieces of mail as bytes: headers, parts, multiparts, transfer encodings.  No mail library on purpose."""

import base64
import quopri

USUAL_HEADERS = (
    "From: Lina Meyer <lina.meyer@example.com>",
    "To: support@northwind-mugs.example",
    "Subject: Where is my order #1042?",
    "Date: Fri, 20 Nov 2026 15:00:00 +0100",
    "Message-ID: <CAF1x9-7731@mail.example.com>",
    "MIME-Version: 1.0",
)


def as_bytes(piece: str | bytes) -> bytes:
    return piece if isinstance(piece, bytes) else piece.encode()


def crlf(piece: str | bytes) -> bytes:
    return as_bytes(piece).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def mail(*headers: str | bytes, body: str | bytes = "Hello\n", usual: bool = True, binary: bool = False) -> bytes:
    """Headers of our own replace the usual ones of the same name; ``binary`` leaves the body's line ends alone."""
    given = [as_bytes(header) for header in headers]
    names = {header.split(b":", 1)[0].lower() for header in given}
    kept = [line.encode() for line in USUAL_HEADERS if line.split(":", 1)[0].lower().encode() not in names]
    lines = (kept if usual else []) + given
    head = b"\r\n".join(line.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for line in lines)
    return head + b"\r\n\r\n" + (as_bytes(body) if binary else crlf(body))


def part(content_type: str, body: str | bytes, *headers: str | bytes) -> bytes:
    head = [f"Content-Type: {content_type}".encode(), *(as_bytes(header) for header in headers)]
    return b"\r\n".join(head) + b"\r\n\r\n" + as_bytes(body)


def multipart(subtype: str, *parts: bytes, boundary: str = "b1", extra: str = "") -> tuple[str, bytes]:
    """(Content-Type header, body)."""
    mark = b"--" + boundary.encode()
    body = b"".join(mark + b"\r\n" + piece + b"\r\n" for piece in parts) + mark + b"--\r\n"
    return f'Content-Type: multipart/{subtype}; boundary="{boundary}"{extra}', body


def nested(subtype: str, *parts: bytes, boundary: str, extra: str = "") -> bytes:
    header, body = multipart(subtype, *parts, boundary=boundary, extra=extra)
    return header.encode() + b"\r\n\r\n" + body


def composed(subtype: str, *parts: bytes, headers: tuple[str | bytes, ...] = (), extra: str = "") -> bytes:
    content_type, body = multipart(subtype, *parts, boundary="outer", extra=extra)
    return mail(*headers, content_type, body=body, binary=True)


def base64_part(content_type: str, data: bytes, *headers: str | bytes) -> bytes:
    return part(
        content_type, base64.encodebytes(data).replace(b"\n", b"\r\n"), "Content-Transfer-Encoding: base64", *headers
    )


def attached(name: str, data: bytes, content_type: str = "application/octet-stream") -> bytes:
    return base64_part(content_type, data, f'Content-Disposition: attachment; filename="{name}"')


def plain(text: str, charset: str = "utf-8") -> bytes:
    return part(f"text/plain; charset={charset}", crlf(text.encode(charset)), "Content-Transfer-Encoding: 8bit")


def html(text: str) -> bytes:
    return part("text/html; charset=utf-8", quoted_printable(text), "Content-Transfer-Encoding: quoted-printable")


def quoted_printable(text: str, charset: str = "utf-8") -> bytes:
    return crlf(quopri.encodestring(text.encode(charset)))


def text_mail(text: str, *headers: str | bytes) -> bytes:
    return mail(*headers, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", body=text)


def html_mail(text: str, *headers: str | bytes) -> bytes:
    return mail(
        *headers,
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        body=quoted_printable(text),
    )


def word(text: str, charset: str = "utf-8", how: str = "B") -> str:
    """One RFC 2047 encoded word."""
    data = text.encode(charset)
    if how == "B":
        return f"=?{charset}?B?{base64.b64encode(data).decode()}?="
    quoted = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"={byte:02X}" for byte in data)
    return f"=?{charset}?Q?{quoted}?="
