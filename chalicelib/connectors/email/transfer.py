"""Content-Transfer-Encoding undone, also where the declaration is wrong or the encoding is damaged."""

import binascii
import re

KNOWN_ENCODINGS = frozenset(
    {"", "7bit", "8bit", "binary", "base64", "quoted-printable", "x-uuencode", "uuencode", "x-uue", "uue"}
)
UUENCODED = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})
WHITE = b" \t\r\n\x0b\x0c"
NOT_DIGITS = re.compile(rb"[^A-Za-z0-9+/]+")
DIGIT_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}\s*\Z")
UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,200})\r?\n", re.MULTILINE)


def decode_transfer(body: bytes, encoding: str, *, is_text: bool) -> bytes:
    """Bytes of the content.  Damaged encodings give what can be read; text that never was encoded stays as it is."""
    if encoding == "base64":
        return _text_base64(body) if is_text else lenient_base64(body)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if encoding in UUENCODED:
        files = uuencoded_files(body)
        return files[0][1] if files else body
    return body


def plausible_base64(body: bytes) -> bool:
    """Nothing but base64 digits, and lines without blanks inside."""
    sample = body[:4_000].strip()
    return bool(sample) and all(DIGIT_LINE.match(line.strip() + b" ") for line in sample.split(b"\n")[:-1] or [sample])


def lenient_base64(body: bytes) -> bytes:
    """Every digit counts, whatever stands between; padding in the middle ends a piece, as when files are joined."""
    if b"=" not in body.rstrip(WHITE + b"="):
        return _digits(NOT_DIGITS.sub(b"", body))
    return b"".join(_digits(NOT_DIGITS.sub(b"", piece)) for piece in re.split(rb"=+", body))


def _digits(digits: bytes) -> bytes:
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def _text_base64(body: bytes) -> bytes:
    """Encoded lines first, then what a list server appended in plain; all of it plain when nothing is encoded."""
    lines = body.splitlines(keepends=True)
    encoded = 0
    while encoded < len(lines) and (DIGIT_LINE.match(lines[encoded]) or not lines[encoded].strip()):
        encoded += 1
    head = b"".join(lines[:encoded])
    rest = b"".join(lines[encoded:])
    if not head.strip():
        return body
    decoded = lenient_base64(head)
    if not rest.strip() or _looks_encoded(rest):
        return lenient_base64(body) if rest.strip() else _unless_garbage(decoded, body)
    if encoded == 1 and len(head.strip()) < 40:
        return body  # one short word before plain text
    return decoded.rstrip(b"\r\n") + b"\n\n" + rest


def _looks_encoded(rest: bytes) -> bool:
    """A few damaged characters between digits, rather than sentences."""
    lines = [line for line in rest.splitlines() if line.strip()]
    return sum(1 for line in lines if DIGIT_LINE.match(line) and len(line) > 30) * 2 > len(lines)


def _unless_garbage(decoded: bytes, body: bytes) -> bytes:
    """A single word of letters is valid base64 too; decoded, it is control characters."""
    controls = sum(1 for byte in decoded[:2_000] if byte < 9 or 13 < byte < 27 or 27 < byte < 32)
    wide = decoded[:2] in (b"\xff\xfe", b"\xfe\xff") or decoded[:200].count(b"\0") * 3 > len(decoded[:200])
    return body if controls * 10 > len(decoded[:2_000]) and not wide else decoded


def uuencoded_files(body: bytes) -> list[tuple[bytes, bytes, int, int]]:
    """(name, content, start, end) of every uuencoded file in a text; a "begin" without valid lines is a sentence."""
    files = []
    position = 0
    while (begin := UU_BEGIN.search(body, position)) is not None:
        content, end = _uu_lines(body, begin.end())
        position = end if content is not None else begin.end()
        if content is not None:
            files.append((begin[1].strip(), content, begin.start(), end))
    return files


def _uu_lines(body: bytes, position: int) -> tuple[bytes | None, int]:
    out = bytearray()
    while position < len(body):
        stop = body.find(b"\n", position)
        stop = len(body) if stop < 0 else stop
        line = body[position:stop].rstrip(b"\r")
        position = stop + 1
        if line == b"end":
            return bytes(out), position
        if line in (b"`", b" ", b""):
            continue
        try:
            out += binascii.a2b_uu(line)
        except binascii.Error:
            count = ((line[0] - 32) & 63) * 4 // 3 + 4  # encoders disagree about trailing garbage; the length rules
            if len(line) <= count:
                return None, position
            try:
                out += binascii.a2b_uu(line[:count])
            except binascii.Error:
                return None, position
    return None, position
