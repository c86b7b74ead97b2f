"""What a row must know of a clock beyond the list's columns: the end of the keys that lists sort by.

``<stamp>#<ticket>`` of most tickets; ``…#n`` of a wait that began after an answer, and ``…#f#<since>#<used ms>#<due>``
(or ``#n#…``) of a clock that was paused or handed on.
"""

from datetime import datetime

from chalicelib.domain.moments import from_stamp, stamp
from chalicelib.domain.ticket import LIVE, Counted, Ticket

FIRST, NEXT = "f", "n"
"""A wait that began with the ticket, and one after an answer."""


def tail_of(ticket: Ticket) -> str:
    """Nothing of most tickets: the clock of a first wait that was never paused nor handed on."""
    if ticket.waiting_since is None or ticket.status not in LIVE:
        return ""
    counted = ticket.counted if ticket.counted and ticket.counted.started_at == ticket.waiting_since else None
    if ticket.first_wait and counted is None:
        return ""
    kind = FIRST if ticket.first_wait else NEXT
    if counted is None:
        return f"#{kind}"
    return f"#{kind}#{stamp(counted.since)}#{counted.used_ms}#{stamp(counted.due) if counted.due else ''}"


def read_tail(key: str, waiting_since: datetime | None) -> tuple[bool, Counted | None]:
    """Whether it is a first wait, and how far its clock was counted."""
    parts = key.split("#")[2:]
    first_wait = parts[:1] != [NEXT]
    if waiting_since is None or len(parts) < 4:
        return first_wait, None
    _, since, used_ms, due = parts[:4]
    return first_wait, Counted(waiting_since, from_stamp(since), int(used_ms), from_stamp(due) if due else None)
