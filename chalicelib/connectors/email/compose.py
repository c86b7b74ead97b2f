"""One outgoing message as the bytes SES gets.  The same input gives the same bytes.

Written here by hand rather than with ``email.message``: its folder breaks long message ids in References into encoded
words, its boundaries are random, and it picks base64 for plain text.  Tests read every mail back with ``email``.
Sources: RFC 5322, 2045-2047, 2231, 3834.
"""

import base64
import binascii
import hashlib
import html as html_entities
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.header import Header
from email.utils import format_datetime
from urllib.parse import quote

from chalicelib.connectors.email.addresses import our_message_id
from chalicelib.connectors.email.thread_index import continued
from chalicelib.domain.message import IncomingFile, Outbound, Party
from chalicelib.errors import InvalidInput

LOOP_HEADER = "X-HD-Loop"
MESSAGE_HEADER = "X-HD-Message"
"""Comes back in the returned headers of a bounce, where SES's Message-ID stands in place of ours."""

MAX_ATTACHMENT_BYTES = 10_000_000
"""Together, before base64: many servers refuse mails of more than 20 MB."""
MAX_REFERENCES = 20
MAX_ID_CHARS = 500
MAX_LINE_OCTETS = 998
MAX_FILE_NAME_CHARS = 150
FOLD_AT = 76

DANGEROUS_SUFFIXES = frozenset(
    re.split(
        r"\s+",
        "ade adp app asp bas bat cer chm cmd com cpl crt csh der exe fxp gadget hlp hta inf ins isp its js"
        " jse ksh lib lnk mad maf mag mam maq mar mas mat mau mav maw mda mdb mde mdt mdw mdz msc msh msh1"
        " msh2 mshxml msh1xml msh2xml msi msp mst ops pcd pif plg prf prg ps1 ps1xml ps2 ps2xml psc1 psc2 reg"
        " scf scr sct shb shs sys tmp url vb vbe vbs vps vsmacros vss vst vsw vxd ws wsc wsf wsh xnk",
    )
)
"""SES accepts a mail with one of these and then drops it.
Source: https://docs.aws.amazon.com/ses/latest/dg/mime-types.html"""

PREFIXES = re.compile(
    r"^(?:\s*(?:re|aw|sv|antw|vs|rif|ref|odp|ynt|回复|答复|回覆|返信)\s*(?:\[\d+\])?\s*[:：])+\s*", re.IGNORECASE
)
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}")
MESSAGE_ID = re.compile(r"<[!-;=?-~]+>")
CONTROLS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}']")


@dataclass(frozen=True)
class Part:
    """One MIME part: its header lines and its body, encoded."""

    headers: tuple[str, ...]
    body: bytes

    def as_bytes(self) -> bytes:
        return _lines(self.headers) + b"\r\n" + self.body


def composed(message: Outbound, reply_to: str, stage: str) -> bytes:
    """The raw mail.

    Bcc stands in no header: the envelope carries it.  ``reply_to`` is the signed address answers shall go to.
    """
    part = _body(message)
    return _lines((*_headers(message, reply_to, stage), "MIME-Version: 1.0", *part.headers)) + b"\r\n" + part.body


def message_id_of(message: Outbound, stage: str) -> str:
    """The Message-ID ``composed`` writes."""
    return our_message_id(message.message_id, stage, message.from_address.rpartition("@")[2])


def checked_files(files: Iterable[tuple[str, int]]) -> None:
    """Refuse, by name and size in bytes, what would not arrive.

    Raises:
        InvalidInput: a sentence for the agent.
    """
    known = list(files)
    for name, _ in known:
        suffix = name.strip().rstrip(".").lower().rpartition(".")[2]
        if "." in name and suffix in DANGEROUS_SUFFIXES:
            sentence = f"“{name}” cannot be mailed: mail servers refuse .{suffix} files. Send a link instead."
            raise InvalidInput("A file cannot be mailed.", {"attachments": sentence})
    total = sum(size for _, size in known)
    if total > MAX_ATTACHMENT_BYTES:
        limit = MAX_ATTACHMENT_BYTES // 1_000_000
        sentence = f"Together they are {total / 1_000_000:.1f} MB; a mail carries {limit} MB. Send a link instead."
        raise InvalidInput("The attachments are too large.", {"attachments": sentence})


def answer_subject(subject: str) -> str:
    """The subject being answered with exactly one ``Re:``."""
    return f"Re: {base_subject(subject)}".strip()


def base_subject(subject: str) -> str:
    """The subject without any ``Re:``, in the languages mail clients write it."""
    return PREFIXES.sub("", _one_line(subject))


# headers


def _headers(message: Outbound, reply_to: str, stage: str) -> tuple[str, ...]:
    sender = Party(message.from_name, message.from_address)
    answering = bool(message.in_reply_to or message.references or message.automatic)
    subject = answer_subject(message.subject) if answering else _one_line(message.subject)
    lines = [
        _addresses("From", (sender,)),
        _addresses("To", message.to),
        *([_addresses("Cc", message.cc)] if message.cc else []),
        _addresses("Reply-To", (Party(message.from_name, reply_to),)),
        _text_header("Subject", subject),
        f"Date: {format_datetime(message.at.astimezone(UTC))}",
        f"Message-ID: {message_id_of(message, stage)}",
        *_thread_headers(message),
        f"{LOOP_HEADER}: {_token(stage)}",
        f"{MESSAGE_HEADER}: {_token(message.message_id)}",
    ]
    if message.automatic:
        lines += ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Precedence: bulk"]
    return tuple(lines)


def _thread_headers(message: Outbound) -> list[str]:
    answered = _valid_ids((message.in_reply_to,) if message.in_reply_to else ())
    references = _trimmed(_valid_ids((*message.references, *answered)))
    seed = f"{message.ticket_id}/{message.message_id}"
    return [
        *(f"In-Reply-To: {one}" for one in answered),
        *(["References: " + "\r\n ".join(references)] if references else []),
        _text_header("Thread-Topic", base_subject(message.subject)),
        "Thread-Index: " + continued(message.thread_index, message.at, message.ticket_id, seed),
    ]


def _valid_ids(ids: Sequence[str]) -> tuple[str, ...]:
    """What is a message id and nothing else; of repeats the last, so that the answered one ends the list."""
    kept = [one for one in ids if MESSAGE_ID.fullmatch(one) and len(one) <= MAX_ID_CHARS]
    return tuple(reversed(dict.fromkeys(reversed(kept))))


def _trimmed(references: tuple[str, ...]) -> tuple[str, ...]:
    """The first one, which names the thread, and the newest: some servers refuse very long headers."""
    if len(references) <= MAX_REFERENCES:
        return references
    return (references[0], *references[-(MAX_REFERENCES - 1) :])


def _addresses(name: str, parties: Sequence[Party]) -> str:
    """One address a line: no line grows past the limit, however many there are."""
    return f"{name}: " + ",\r\n ".join(_address(party) for party in parties)


def _address(party: Party) -> str:
    address = re.sub(r"[\s<>,;\x00-\x1f\x7f]", "", party.address)
    phrase = _one_line(party.name)[:200]
    if not phrase:
        return address
    if not phrase.isascii():
        return f"{_encoded(phrase)}\r\n <{address}>"
    if PLAIN_PHRASE.fullmatch(phrase) and "=?" not in phrase:
        return f"{phrase} <{address}>"
    escaped = phrase.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>' if "=?" not in phrase else f"{_encoded(phrase)}\r\n <{address}>"


def _text_header(name: str, value: str) -> str:
    text = _one_line(value)
    if text.isascii() and len(text) + len(name) + 2 <= FOLD_AT and "=?" not in text:
        return f"{name}: {text}"
    if text.isascii() and "=?" not in text and all(len(word) < FOLD_AT for word in text.split(" ")):
        return _folded(name, text)
    return f"{name}: {_encoded(text, len(name) + 2)}"


def _folded(name: str, text: str) -> str:
    lines = [f"{name}:"]
    for word in text.split(" "):
        if len(lines[-1]) + 1 + len(word) > FOLD_AT and lines[-1].strip() != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines)


def _encoded(text: str, first_line_taken: int = 20) -> str:
    """RFC 2047 encoded words, also for text that only looks like one."""
    words = Header(text, "utf-8", maxlinelen=FOLD_AT, header_name="X" * first_line_taken).encode(linesep="\r\n")
    return re.sub(r"\r\n[ \t]*", "\r\n ", words)


def _one_line(text: str) -> str:
    """Without line ends and controls: what a header holds can never start another."""
    clean = CONTROLS.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))
    return " ".join(clean.split())


def _token(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "", text)


# body


def _body(message: Outbound) -> Part:
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
    last = re.split(r"[\\/]", _one_line(name))[-1].strip(" .")
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


def _lines(headers: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in headers).encode("ascii", "replace")
