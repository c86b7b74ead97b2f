"""Bytes of a mail to text, whatever the mail claims they are.

Order: the declared charset (under the name and the superset that senders really mean), UTF-8, detection, Windows-1252.
Never raises, and what comes out holds neither NUL nor lone surrogates.
"""

import codecs
import re
from collections.abc import Sequence

DETECTION_SAMPLE_BYTES = 20_000
MANY_HIGH_BYTES = 0.25  # above this share a text is not a western language with some accents

# What senders write, to the codec that reads what they mean: always the vendor's superset of the named set.
ALIASES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "utf8": "utf-8",
    "utf8mb4": "utf-8",
    "utf_8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "iso-gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "ms936": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "big5hkscs",
    "big-5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "cn-big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "ms_kanji": "cp932",
    "euc-jp": "euc_jp",
    "x-euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ksc5601": "cp949",
    "uhc": "cp949",
    "windows-949": "cp949",
    "tis-620": "cp874",
    "iso-8859-11": "cp874",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "logical": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "iso-8859-9": "cp1254",
    "macintosh": "mac-roman",
    "x-mac-roman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "koi8": "koi8-r",
    "ibm850": "cp850",
}
JAPANESE_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\$\(D|\([BJI])")
KOREAN_ESCAPE = b"\x1b$)C"
# Text codecs of Python that are no charset: they interpret escapes or host names.
NO_CHARSETS = frozenset(
    {"unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "mbcs", "oem", "unicode-escape"}
)
DETECTABLE = (
    "cp1251", "koi8_r", "cp1250", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp874", "cp932", "euc_jp",
    "gb18030", "big5", "cp949",
)  # fmt: skip
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(data: bytes, declared: str = "") -> str:
    """``declared`` is the charset parameter as it stands in the mail; "" when there is none."""
    if data.isascii() and b"\x1b" not in data and not _shifts(declared):
        return clean(data.decode("ascii"))
    if data.startswith(codecs.BOM_UTF8):
        return clean(data[3:].decode("utf-8", "replace"))
    if JAPANESE_ESCAPE.search(data):
        return clean(_iso_2022_jp(data))
    if KOREAN_ESCAPE in data:
        return clean(data.decode("iso2022_kr", "replace"))
    return clean(_decode_eight_bit(data, _codec(declared)))


def clean(text: str) -> str:
    """Without NUL; lone surrogates become U+FFFD: neither can be stored or sent on."""
    if "\0" in text:
        text = text.replace("\0", "")
    return LONE_SURROGATE.sub("\ufffd", text)


def _shifts(declared: str) -> bool:
    """Charsets whose bytes are ASCII while their text is not."""
    name = declared.lower()
    return "utf-7" in name or "utf-16" in name or "utf-32" in name or name.startswith("hz")


def _codec(declared: str) -> str:
    """Python's name for what was declared; "" when nobody knows it."""
    name = declared.strip().strip("\"'").strip().lower().split("*")[0]
    name = ALIASES.get(name, name)
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):  # ValueError: a NUL or non-ASCII in the name
        return ""
    # Python also has codecs from bytes to bytes and for escapes; as charsets they would unpack or rewrite the text.
    if found.name in NO_CHARSETS or not getattr(found, "_is_text_encoding", True):
        return ""
    return found.name


def _decode_eight_bit(data: bytes, codec: str) -> str:
    utf8 = _strictly(data, "utf-8")
    if codec in ("utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-7", "hz"):
        return data.decode(codec, "replace")
    if utf8 is not None:
        return utf8  # no other charset produces valid UTF-8 of some length by chance
    if codec == "utf-8":
        return _damaged_utf8(data)
    if codec and codec != "cp1252":
        text = _strictly(data, codec)
        if text is not None:
            return text
        text = data.decode(codec, "replace")
        if text.count("\ufffd") * 20 <= len(text):
            return text
    if codec == "cp1252":
        return _windows_1252(data)
    return _detected(data)


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeError:
        return None


def _damaged_utf8(data: bytes) -> str:
    """UTF-8 with some broken bytes stays UTF-8; when the most are broken the declaration is a lie."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    sound = sum(1 for character in text[:DETECTION_SAMPLE_BYTES] if character > "\x7f") - broken
    return text if sound >= broken else _detected(data)


def _windows_1252(data: bytes) -> str:
    """The five unassigned bytes become the control characters that latin-1 has there."""
    text = _strictly(data, "cp1252")
    return data.decode("latin-1") if text is None else text


def _detected(data: bytes) -> str:
    sample = data[:DETECTION_SAMPLE_BYTES]
    letters = sum(1 for byte in sample if byte > 0x40)
    high = sum(1 for byte in sample if byte > 0x9F)  # below are Windows-1252's quotes and dashes
    marks = sum(1 for byte in sample if 0x7F < byte <= 0x9F)
    high += marks if marks > 3 and marks * 4 > letters else 0
    if high > letters * MANY_HIGH_BYTES:
        codec = _guess(sample, DETECTABLE)
        text = _strictly(data, codec) if codec else None
        if text is not None:
            return text
    return _windows_1252(data)


def _guess(sample: bytes, codecs_: Sequence[str]) -> str:
    try:
        from charset_normalizer import from_bytes  # slow to import and needed once in a thousand mails
    except ImportError:  # the package may be pruned from the deployment: Windows-1252 then
        return ""
    best = from_bytes(sample, cp_isolation=list(codecs_), enable_fallback=False).best()
    return best.encoding if best is not None else ""


def _iso_2022_jp(data: bytes) -> str:
    """ISO-2022-JP with the characters that Microsoft's variant adds; Python's codec knows only the standard's.

    Two-byte runs are moved to Shift_JIS positions and read as cp932, which holds those characters.
    """
    text: list[str] = []
    shift, position = b"\x1b(B", 0
    for escape in JAPANESE_ESCAPE.finditer(data):
        text.append(_japanese_run(data[position : escape.start()], shift))
        shift, position = escape[0], escape.end()
    text.append(_japanese_run(data[position:], shift))
    return "".join(text)


def _japanese_run(run: bytes, shift: bytes) -> str:
    if shift in (b"\x1b(B", b"\x1b(J"):
        return run.decode("utf-8", "replace")
    if shift == b"\x1b(I":
        return bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in run).decode("cp932", "replace")
    out = bytearray()
    position = 0
    while position < len(run):
        first = run[position]
        second = run[position + 1] if position + 1 < len(run) else 0
        if not (0x21 <= first <= 0x7E and 0x21 <= second <= 0x7E):
            out.append(first if first < 0x80 else 0x3F)
            position += 1
            continue
        out += bytes((0x8F, first | 0x80, second | 0x80)) if shift == b"\x1b$(D" else _shift_jis_pair(first, second)
        position += 2
    return out.decode("euc_jp" if shift == b"\x1b$(D" else "cp932", "replace")


def _shift_jis_pair(first: int, second: int) -> bytes:
    """JIS X 0208 row and cell to their place in Shift_JIS."""
    lead = (first - 0x21) // 2 + 0x81
    lead += 0x40 if lead > 0x9F else 0
    if first % 2:
        return bytes((lead, second + (0x20 if second >= 0x60 else 0x1F)))
    return bytes((lead, second + 0x7E))
