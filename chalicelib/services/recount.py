"""Count the lists anew and repair the counters: they are maintained, and this proves it every night."""

from collections import Counter
from datetime import datetime

from chalicelib.store import counters, directory, lists, tickets
from chalicelib.store.lists import ListKind, ListName

PAGE = 200


def recount(at: datetime) -> int:
    """Overwrite the counters with what the live lists hold; returns by how much they had drifted in all.

    Reads the live tickets only (their number is bounded by the work to be done, not by the data kept).
    """
    found: Counter[str] = Counter()
    teams = [team.id for team in directory.teams()]
    kinds: tuple[ListKind, ...] = ("open", "pending", "snoozed")
    for kind in kinds:
        cursor: str | None = None
        while True:
            page = lists.page(ListName(kind), teams, cursor, PAGE)
            for loaded in tickets.get_many([row.id for row in page.rows]).values():
                ticket = loaded.ticket
                snoozed = ticket.snoozed_until is not None and ticket.snoozed_until > at
                found.update(counters.buckets_of(ticket, snoozed))
            cursor = page.next
            if cursor is None:
                break
    found["spam"] = counters.all_counts().get("spam", 0)
    before = counters.all_counts()
    drift = sum(abs(found[bucket] - before.get(bucket, 0)) for bucket in set(found) | set(before))
    if drift:
        counters.overwrite(found.items())
    return drift
