"""Header values to text: encoded words (RFC 2047) and parameters (RFC 2045, RFC 2231), as senders really write them."""

import binascii
import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from chalicelib.connectors.email.charsets import clean, decode

MAX_PARAMETER_CHARS = 8_000
SPACES = re.compile(r"\s+")
CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
EXTENDED = re.compile(r"([^*]+)\*(?:(\d{1,4})(\*)?)?$")
NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


def header_text(raw: bytes, charset: str = "") -> str:
    """An unstructured header's value as people read it: one line, words decoded, controls gone."""
    return one_line(decode_words(unfolded(raw, charset)))


def unfolded(raw: bytes, charset: str = "") -> str:
    """A header's value as text, still with its encoded words; a fold becomes one blank.

    ``charset`` is a guess for raw 8-bit values: what the mail's first text is written in.
    """
    text = decode(raw, charset)
    if "\n" in text or "\r" in text:
        text = re.sub(r"[ \t]*[\r\n]+[ \t]*", " ", text)
    return text.strip()


def one_line(text: str) -> str:
    """Control characters would let a name or a subject start a header of its own when it is sent on."""
    text = re.sub(r"[\r\n\t\u2028\u2029]+", " ", text)
    return CONTROLS.sub("", text).strip()


def decode_words(value: str) -> str:
    """Every encoded word replaced; blanks between adjacent words belong to the encoding and go.

    Neighbours of one charset are joined as bytes first: senders cut in the middle of a character.
    Linear: the value is walked once, a word that is not one stays as it stands.
    """
    if "=?" not in value:
        return value
    out: list[str] = []
    waiting = b""
    charset = ""
    position = 0
    last = value.rfind("?=")
    while 0 <= (start := value.find("=?", position)) < last:
        word = _word_at(value, start)
        if word is None:
            out += [_flushed(waiting, charset), value[position : start + 2]]
            waiting, position = b"", start + 2
            continue
        between = value[position:start]
        joins = bool(charset) and not between.strip() and position > 0
        if not joins or word[0].lower() != charset.lower():
            out += [_flushed(waiting, charset), "" if joins else between]
            waiting = b""
        charset, data, position = word
        waiting += data
    out += [_flushed(waiting, charset), value[position:]]
    return clean("".join(out))


def _flushed(waiting: bytes, charset: str) -> str:
    return decode(waiting, charset) if waiting else ""


def _word_at(value: str, start: int) -> tuple[str, bytes, int] | None:
    """(charset, bytes, end) of the encoded word at ``start``; None when it is none."""
    first = value.find("?", start + 2, start + 60)
    if first < 0 or value[first + 2 : first + 3] != "?":
        return None
    how = value[first + 1].upper()
    end = value.find("?=", first + 3)
    if how not in "BQ" or end < 0:
        return None
    inner = value[first + 3 : end].encode("utf-8", "replace")
    data = _base64_word(inner) if how == "B" else binascii.a2b_qp(inner, header=True)
    return value[start + 2 : first].split("*")[0], data, end + 2


def _base64_word(inner: bytes) -> bytes:
    """Padding is often missing, and some senders leave a single character too many."""
    digits = NOT_BASE64.sub(b"", inner)
    digits = digits[: len(digits) - 1] if len(digits) % 4 == 1 else digits
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def parameters(raw: bytes) -> tuple[str, Mapping[str, str]]:
    """(value before the first semicolon in lower case, parameters by lower-case name) of a MIME header."""
    text = unfolded(raw)[:MAX_PARAMETER_CHARS]
    main = text.split(";", 1)[0]
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, value in PARAMETER.findall(text):
        extended = EXTENDED.match(name.lower())
        if extended is None:
            plain.setdefault(name.lower(), decode_words(_unquoted(value)))
            continue
        base, number, star = extended.groups()
        encoded = star is not None or number is None
        pieces.setdefault(base, {})[int(number or 0)] = (_unquoted(value), encoded)
    joined = {name: _joined(found) for name, found in pieces.items()}
    return SPACES.sub("", main).lower(), plain | joined


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value.startswith('"') and value.endswith('"'):
        return re.sub(r'\\(["\\])', r"\1", value[1:-1])
    return value.strip('"').strip()


def _joined(pieces: Mapping[int, tuple[str, bool]]) -> str:
    """RFC 2231 continuations in order; the charset stands in the first piece."""
    charset = ""
    data = b""
    for number, (value, encoded) in sorted(pieces.items()):
        if encoded and number == min(pieces) and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        data += unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace")
    text = decode(data, charset)
    return decode_words(text)
