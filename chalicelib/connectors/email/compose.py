"""One outgoing message as the bytes SES gets.  The same input gives the same bytes.

Written here by hand rather than with ``email.message``: its folder breaks long message ids in References into encoded
words, its boundaries are random, and it picks base64 for plain text.  Tests read every mail back with ``email``.
Sources: RFC 5322, 2045-2047, 2231, 3834.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC
from email.header import Header
from email.utils import format_datetime

from chalicelib.connectors.email.addresses import our_message_id
from chalicelib.connectors.email.outgoing_body import as_lines, body_of, one_line
from chalicelib.connectors.email.thread_index import continued
from chalicelib.domain.files import MAX_MAILED_BYTES
from chalicelib.domain.message import Outbound, Party
from chalicelib.errors import InvalidInput

LOOP_HEADER = "X-HD-Loop"
MESSAGE_HEADER = "X-HD-Message"
"""Comes back in the returned headers of a bounce, where SES's Message-ID stands in place of ours."""

MAX_REFERENCES = 20
MAX_ID_CHARS = 500
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
MESSAGE_ID = re.compile(r"<[!-;=?-~]+>")
PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


def composed(message: Outbound, reply_to: str, stage: str) -> bytes:
    """The raw mail.

    Bcc stands in no header: the envelope carries it.  ``reply_to`` is the signed address answers shall go to.
    """
    part = body_of(message)
    return as_lines((*_headers(message, reply_to, stage), "MIME-Version: 1.0", *part.headers)) + b"\r\n" + part.body


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
    if total > MAX_MAILED_BYTES:
        limit = MAX_MAILED_BYTES // 1_000_000
        sentence = f"Together they are {total / 1_000_000:.1f} MB; a mail carries {limit} MB. Send a link instead."
        raise InvalidInput("The attachments are too large.", {"attachments": sentence})


def answer_subject(subject: str) -> str:
    """The subject being answered with exactly one ``Re:``."""
    return f"Re: {base_subject(subject)}".strip()


def base_subject(subject: str) -> str:
    """The subject without any ``Re:``, in the languages mail clients write it."""
    return PREFIXES.sub("", one_line(subject))


# headers


def _headers(message: Outbound, reply_to: str, stage: str) -> tuple[str, ...]:
    sender = Party(message.from_name, message.from_address)
    answering = bool(message.in_reply_to or message.references or message.automatic)
    subject = answer_subject(message.subject) if answering and not message.forward else one_line(message.subject)
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
    phrase = one_line(party.name)[:200]
    if not phrase:
        return address
    if not phrase.isascii():
        return f"{_encoded(phrase)}\r\n <{address}>"
    if PLAIN_PHRASE.fullmatch(phrase) and "=?" not in phrase:
        return f"{phrase} <{address}>"
    escaped = phrase.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>' if "=?" not in phrase else f"{_encoded(phrase)}\r\n <{address}>"


def _text_header(name: str, value: str) -> str:
    text = one_line(value)
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


def _token(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "", text)
