"""Every change of a setting leaves a line: who, when, what (never a secret)."""

import secrets
from datetime import datetime

from chalicelib.domain.moments import stamp
from chalicelib.domain.people import Actor
from chalicelib.store import directory

MONTHS_SHOWN = 12


def record(actor: Actor, what: str, detail: str, now: datetime) -> None:
    """``what`` is a short sentence without names ("Agent invited"); ``detail`` says which and how."""
    entry = directory.AuditEntry(now, actor.name, what, detail)
    directory.audit(entry, f"{stamp(now)}#{secrets.token_hex(4)}")


def changes(before: object, after: object, names: tuple[str, ...]) -> str:
    """Those of ``names`` that differ, as ``role: agent → leader; active: yes → no``."""
    found = []
    for name in names:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            found.append(f"{name.replace('_', ' ')}: {_said(old)} → {_said(new)}")
    return "; ".join(found)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list, frozenset)):
        return ", ".join(str(each) for each in value) or "none"
    text = " ".join(str(value).split()) if value is not None else ""
    return f"{text[:60]}…" if len(text) > 60 else text or "none"


def months(now: datetime) -> tuple[str, ...]:
    """The months whose entries can be looked at, newest first, as ``yyyy-mm``."""
    year, month = now.year, now.month
    found = []
    for _ in range(MONTHS_SHOWN):
        found.append(f"{year:04d}-{month:02d}")
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return tuple(found)
