"""A parsed mail against what the corpus states: one place for the tests and for ``bench/mail``."""

import random
import re
from collections.abc import Iterator
from dataclasses import fields

from chalicelib.connectors.email.mime import ParsedMail
from chalicelib.domain.text import forwarded
from tests.connectors.email.corpus import CASES, Case

INSERTED = (b"\r\n", b"=?", b"?=", b"--b1", b'"', b"<", b";", b"\x1b$B", b"\0", b"=", b":", b"(", b"\r\n\r\n", b"\xff")
SMALL_BYTES = 20_000
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def differences(case: Case, mail: ParsedMail) -> dict[str, tuple[object, object]]:
    """field -> (read, stated), for every stated field that was read otherwise."""
    pairs: dict[str, tuple[object, object]] = {
        "address": (mail.from_address, case.address),
        "display_name": (mail.from_name, case.display_name),
        "subject": (mail.subject, case.subject),
        "text": (mail.text.strip(), case.text),
        "new": (mail.reply_text, case.new),
        "kind": (mail.kind, case.kind),
        "may_auto_answer": (mail.may_auto_answer, case.may_auto_answer),
        "bounced": (tuple(bounced.recipient for bounced in mail.bounced), case.bounced),
    }
    if case.forwarded_from is not None:
        found = forwarded(mail.text, mail.subject)
        pairs["forwarded_from"] = (found.from_address if found else "", case.forwarded_from)
        pairs["forwarded_subject"] = (found.subject if found else "", case.forwarded_subject)
    wrong = {field: pair for field, pair in pairs.items() if pair[1] is not None and pair[0] != pair[1]}
    if case.attachments is not None and not _same_files(case, mail):
        wrong["attachments"] = ([(file.name, len(file.data)) for file in mail.attachments], case.attachments)
    if case.banner is not None and not any(case.banner in banner for banner in mail.banners):
        wrong["banner"] = (mail.banners, case.banner)
    return wrong


def _same_files(case: Case, mail: ParsedMail) -> bool:
    left = [(file.name, file.data) for file in mail.attachments]
    for name, data in case.attachments or ():
        match = next((file for file in left if file[1] == data and name in (None, file[0])), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def crashed(mail: ParsedMail) -> bool:
    """Whether the reader gave up: its own way of saying so, for it never raises."""
    return any("could not be read (" in banner for banner in mail.banners)


def unstorable(mail: ParsedMail) -> list[str]:
    """Fields that hold NUL or a lone surrogate."""
    return [name for name, text in _texts(mail) if UNSTORABLE.search(text)]


def _texts(mail: ParsedMail) -> Iterator[tuple[str, str]]:
    for field in fields(mail):
        value = getattr(mail, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str):
                yield field.name, one
            elif one is not None and not isinstance(one, bool):
                inside = getattr(one, "__dict__", {}).values()
                yield from ((field.name, text) for text in inside if isinstance(text, str))


def mutated(seed: int, count: int) -> Iterator[bytes]:
    """Mails of the corpus with bytes flipped, cut, doubled and inserted; the same for the same seed."""
    chance = random.Random(seed)
    sources = [case.raw for case in CASES if len(case.raw) < SMALL_BYTES]
    for _ in range(count):
        raw = bytearray(chance.choice(sources))
        for _ in range(chance.randint(1, 30)):
            _damage(raw, chance)
        yield bytes(raw)


def _damage(raw: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(raw) + 1)
    other = chance.randrange(len(raw) + 1)
    how = chance.randrange(5)
    if how == 0 and raw:
        raw[place % len(raw)] = chance.randrange(256)
    elif how == 1:
        del raw[place : place + chance.randint(1, 40)]
    elif how == 2:
        raw[place:place] = chance.randbytes(chance.randint(1, 8))
    elif how == 3:
        raw[place:place] = raw[other : other + chance.randint(1, 60)]
    else:
        raw[place:place] = chance.choice(INSERTED)
