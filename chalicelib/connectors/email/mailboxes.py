"""Address lists as they arrive: quoted, commented, grouped, unquoted where they should be, or broken.

The angle's content wins over everything around it; without one, the last token that looks like an address.
Comments and names are decoded only after the list is cut, for an encoded word may hold a comma.
"""

import re

from chalicelib.connectors.email.words import decode_words, one_line
from chalicelib.domain.message import Party

MAX_LIST_CHARS = 100_000
MAX_NAME_PIECES = 4
ADDRESS = re.compile(
    r'(?:"[^"\n]{1,64}"|[^\s<>()\[\],;:"@\\：；，。、（）]{1,128})@(?:\[[^\]\s]{1,64}\]|[^\s<>()\[\],;:"@\\/：；，。、（）]{1,255})'
)
GROUP = re.compile(r'\s*[^<@",;:]{0,200}:')
REST_OF_QUOTE = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
BRACKETS = re.compile(r"[()]")
SPACES = re.compile(r"\s+")


def parse_mailboxes(value: str) -> tuple[Party, ...]:
    """Every mailbox of a From, To, Cc or Reply-To header that has an address."""
    pieces = _split(value[:MAX_LIST_CHARS])
    found: list[Party] = []
    pending: list[str] = []
    for piece in pieces:
        mailbox = _mailbox(", ".join([*pending, piece])) if "@" in piece else None
        if mailbox is None:
            pending = [*pending, piece][-MAX_NAME_PIECES:]  # "Meyer, Lina <…>": the comma belongs to an unquoted name
            continue
        found.append(mailbox)
        pending = []
    return tuple(found)


def _split(value: str) -> list[str]:
    """Cut at commas and semicolons that stand outside quotes, comments and angles; unbalanced marks are plain text."""
    if ";" in value and (group := GROUP.match(value)):
        value = value[group.end() :]
    pieces: list[str] = []
    start = position = 0
    unbalanced = ""
    while position < len(value):
        letter = value[position]
        if letter in '"(<' and letter not in unbalanced:
            end = _closing(value, position)
            if end < 0:
                unbalanced += letter  # searching once more from each of them would take quadratic time
            position = max(end, position) + 1
            continue
        if letter in ",;":
            pieces.append(value[start:position])
            start = position + 1
        position += 1
    pieces.append(value[start:])
    return [piece.strip() for piece in pieces if piece.strip()]


def _closing(value: str, position: int) -> int:
    """Where the quote, comment or angle that opens at ``position`` closes; -1 when it does not."""
    opening = value[position]
    if opening == "<":
        return value.find(">", position)
    if opening == '"':
        found = REST_OF_QUOTE.match(value, position + 1)
        return found.end() - 1 if found else -1
    depth = 0
    for bracket in BRACKETS.finditer(value, position):
        depth += 1 if bracket[0] == "(" else -1
        if not depth:
            return bracket.start()
    return -1


def _mailbox(piece: str) -> Party | None:
    outside, comment = _without_comments(piece)
    opened = _last_angle(outside)
    if opened >= 0:
        address = _in_angle(outside[opened:])
        if address:
            name = outside[:opened].rstrip("< ")
            return Party(_name(name) or _name(comment), address)
    tokens = list(ADDRESS.finditer(outside))
    if not tokens:
        return None
    last = tokens[-1]
    name = (outside[: last.start()] + " " + outside[last.end() :]).strip(" <>.")
    return Party(_name(name) or _name(comment), _tidy(last[0]))


def _without_comments(piece: str) -> tuple[str, str]:
    """(the piece without its comments, the last comment)."""
    if "(" not in piece:
        return piece, ""
    kept: list[str] = []
    comment = ""
    position = 0
    unbalanced = ""
    while position < len(piece):
        letter = piece[position]
        end = _closing(piece, position) if letter in '"(' and letter not in unbalanced else -1
        if letter == "(" and end < 0:
            kept.append(piece[position:])
            break
        if letter == '"' and end < 0:
            unbalanced = letter
        if letter == "(":
            comment = piece[position + 1 : end]
            position = end + 1
            continue
        stop = end + 1 if end > 0 else position + 1
        kept.append(piece[position:stop])
        position = stop
    return "".join(kept), comment


def _last_angle(outside: str) -> int:
    """Index of the angle that opens the address: the last one outside quotes."""
    opened = outside.rfind("<")
    if opened < 0 or "@" not in outside[opened:]:
        opened = outside.find("<")
    return opened


def _in_angle(rest: str) -> str:
    inner = rest.strip("< ").split(">", 1)[0].strip()
    inner = re.sub(r"^(?i:mailto:)", "", inner)
    if inner.startswith("@") and ":" in inner:
        inner = inner.rsplit(":", 1)[1]
    tokens = ADDRESS.findall(inner)
    return _tidy(tokens[-1]) if tokens else ""


def _tidy(address: str) -> str:
    return one_line(address).rstrip(".'").lstrip("'")


def _name(raw: str) -> str:
    raw = raw.strip()
    if raw.startswith('"'):
        raw = raw[1:-1] if raw.endswith('"') and len(raw) > 1 else raw[1:]
    raw = re.sub(r"\\(.)", r"\1", raw)
    name = SPACES.sub(" ", one_line(decode_words(raw)))
    for mark in "'\"":
        if len(name) > 1 and name.startswith(mark) and name.endswith(mark):
            name = name[1:-1]
    return name.strip()
