"""The body of an outgoing mail as MIME parts.  The same input gives the same bytes.

Sources: RFC 2045, 2046, 2183, 2231, 2387.
"""

import base64
import binascii
import hashlib
import html as html_entities
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from chalicelib.domain.message import IncomingFile, Outbound

MAX_LINE_OCTETS = 998
MAX_FILE_NAME_CHARS = 150
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}")
CONTROLS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}']")


@dataclass(frozen=True)
class Part:
    """One MIME part: its header lines and its body, encoded."""

    headers: tuple[str, ...]
    body: bytes

    def as_bytes(self) -> bytes:
        return as_lines(self.headers) + b"\r\n" + self.body


def body_of(message: Outbound) -> Part:
    """mixed(related(alternative(text, HTML), pictures), files), as much of it as is needed."""
    page = message.html or html_of_text(message.text)
    shown = tuple(file for file in message.files if _is_shown(file, page))
    attached = tuple(file for file in message.files if file not in shown)
    text = _joined_text(message)
    alternative = _multipart(
        "alternative", message, (_text_part("plain", text), _text_part("html", _page(message, page)))
    )
    related = _multipart("related", message, (alternative, *map(_inline, shown))) if shown else alternative
    return _multipart("mixed", message, (related, *map(_attachment, attached))) if attached else related


def _is_shown(file: IncomingFile, page: str) -> bool:
    return bool(file.inline and file.content_id and f"cid:{file.content_id.strip('<>')}" in page)


def _joined_text(message: Outbound) -> str:
    text = message.text.replace("\r\n", "\n").rstrip()
    if not message.quoted:
        return text + "\n"
    quoted = "\n".join(f"> {line}".rstrip() for line in message.quoted.replace("\r\n", "\n").rstrip().split("\n"))
    intro = f"{message.quoted_intro}\n" if message.quoted_intro else ""
    return f"{text}\n\n{intro}{quoted}\n"


def _page(message: Outbound, page: str) -> str:
    quoted = ""
    if message.quoted:
        intro = f"<div>{html_entities.escape(message.quoted_intro)}</div>" if message.quoted_intro else ""
        quoted = (
            f'<div class="gmail_quote">{intro}<blockquote type="cite" style="margin:0 0 0 .8ex;'
            f'border-left:1px solid #ccc;padding-left:1ex">{html_of_text(message.quoted)}</blockquote></div>'
        )
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{page}\n{quoted}</body></html>\n'


def html_of_text(text: str) -> str:
    """Plain text as HTML: paragraphs, line breaks, http links."""
    paragraphs = re.split(r"\n{2,}", text.replace("\r\n", "\n").strip("\n"))
    return "\n".join(f"<p>{_linked(paragraph).replace(chr(10), '<br>' + chr(10))}</p>" for paragraph in paragraphs)


def _linked(text: str) -> str:
    pieces: list[str] = []
    at = 0
    for found in LINK.finditer(text):
        url = html_entities.escape(found[0])
        pieces += [html_entities.escape(text[at : found.start()]), f'<a href="{url}">{url}</a>']
        at = found.end()
    return "".join((*pieces, html_entities.escape(text[at:])))


def _text_part(subtype: str, text: str) -> Part:
    """7bit where it can be, quoted-printable else, base64 only for scripts it would blow up."""
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text.replace("\r\n", "\n").replace("\r", "\n"))
    data = clean.encode("utf-8", "replace")
    if data.isascii() and all(len(line) <= MAX_LINE_OCTETS for line in data.split(b"\n")):
        return _typed(f"text/{subtype}; charset=us-ascii", "7bit", data.replace(b"\n", b"\r\n"))
    printable = binascii.b2a_qp(data, istext=True).replace(b"\n", b"\r\n")
    if data.isascii() or len(printable) <= len(data) * 4 // 3:
        return _typed(f"text/{subtype}; charset=utf-8", "quoted-printable", printable)
    return _typed(f"text/{subtype}; charset=utf-8", "base64", _base64(data.replace(b"\n", b"\r\n")))


def _typed(content_type: str, encoding: str, body: bytes, *more: str) -> Part:
    return Part((f"Content-Type: {content_type}", f"Content-Transfer-Encoding: {encoding}", *more), body)


def _inline(file: IncomingFile) -> Part:
    content_id = re.sub(r"[^!-;=?-~]", "", (file.content_id or "").strip("<>"))
    return _typed(
        _media_type(file),
        "base64",
        _base64(file.data),
        f"Content-ID: <{content_id}>",
        _disposition("inline", file.name),
    )


def _attachment(file: IncomingFile) -> Part:
    """An attached mail must not be base64 (RFC 2046, 5.2.1): it travels as it is, or as a plain file."""
    if _media_type(file) == "message/rfc822":
        as_is = file.data.isascii() and b"\x00" not in file.data
        lines = re.split(rb"\r\n|\r|\n", file.data)
        if as_is and all(len(line) <= MAX_LINE_OCTETS for line in lines):
            return _typed("message/rfc822", "7bit", b"\r\n".join(lines), _disposition("attachment", file.name))
        return _typed("application/octet-stream", "base64", _base64(file.data), _disposition("attachment", file.name))
    return _typed(_media_type(file), "base64", _base64(file.data), _disposition("attachment", file.name))


def _media_type(file: IncomingFile) -> str:
    bare = file.content_type.partition(";")[0].strip().lower()
    if not MEDIA_TYPE.fullmatch(bare) or bare.startswith("multipart/"):
        return "application/octet-stream"
    return "message/rfc822" if bare == "message/rfc822" else bare if not bare.startswith("message/") else "text/plain"


def _disposition(kind: str, name: str) -> str:
    """RFC 2231, in pieces so that a long name in any script stays within the line."""
    clean = safe_file_name(name)
    if re.fullmatch(r"[A-Za-z0-9!#$&+.^_`{}~ ()-]{1,60}", clean):
        return f'Content-Disposition: {kind}; filename="{clean}"'
    percent = quote(clean, safe="")
    pieces = re.findall(r"(?:%..|[^%]){1,20}", percent)
    if len(pieces) == 1:
        return f"Content-Disposition: {kind};\r\n filename*=utf-8''{percent}"
    numbered = [f"filename*{n}*={piece}" for n, piece in enumerate([f"utf-8''{pieces[0]}", *pieces[1:]])]
    return f"Content-Disposition: {kind};\r\n " + ";\r\n ".join(numbered)


def safe_file_name(name: str) -> str:
    """Without path and controls, never empty."""
    last = re.split(r"[\\/]", one_line(name))[-1].strip(" .")
    return last[-MAX_FILE_NAME_CHARS:] or "file"


def _multipart(subtype: str, message: Outbound, parts: Sequence[Part]) -> Part:
    """The boundary comes from what it divides: it cannot stand in it, and the same mail has the same bytes."""
    inner = [part.as_bytes() for part in parts]
    digest = hashlib.sha256(b"".join((message.message_id.encode(), subtype.encode(), *inner))).hexdigest()[:32]
    boundary = f"=_{subtype}_{digest}"
    divided = b"".join(b"--" + boundary.encode() + b"\r\n" + one + b"\r\n" for one in inner)
    header = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"'
    return Part((header,), divided + b"--" + boundary.encode() + b"--\r\n")


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def as_lines(headers: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in headers).encode("ascii", "replace")


def one_line(text: str) -> str:
    """Without line ends and controls: what a header holds can never start another."""
    clean = CONTROLS.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))
    return " ".join(clean.split())
