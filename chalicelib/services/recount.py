"""Count the lists anew and repair the counters: they are maintained, and this proves it every night.

A total has to equal what the tickets of the live lists are counted as.  Two things can part them:

- A ticket is counted wrongly (its fact was lost).  It is counted here as any worker would, so both sides move together.
- A total is wrong, or a ticket left the live lists and its last fact was lost, so that its "counted as" still names
  live buckets.  Both show as a difference between the totals and the live lists, and the difference is added.  For the
  left ticket that is right although its "counted as" stays: the lists are what people see, and when that ticket moves
  again it is off by one for a day at most, until the next recount.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from chalicelib.store import counters, directory, lists, tickets
from chalicelib.store.counters import CountedAs
from chalicelib.store.lists import ListKind, ListName

PAGE = 200
LOOKS = 4
LIVE_LISTS: tuple[ListKind, ...] = ("open", "pending", "snoozed")
NOT_READ = frozenset({"spam"})
"""Counted, but kept for long: the recount reads the live tickets only (bounded by the work to be done)."""


def recount(at: datetime) -> int:
    """Repair the counters; returns by how much they had drifted in all.

    People go on working: a bucket is corrected once two looks one after the other find it at rest and off by the same.
    """
    seen: dict[str, None] = {}
    drift = 0
    earlier: dict[str, int] = {}
    for _ in range(LOOKS):
        before = counters.totals()
        seen.update(dict.fromkeys(_live_ids()))
        healed, found = _tally(list(seen), at)
        after = counters.totals()
        drift += healed
        off = {
            bucket: found[bucket] - after.get(bucket, 0)
            for bucket in (found.keys() | after.keys()) - NOT_READ
            if before.get(bucket, 0) == after.get(bucket, 0) != found[bucket]
        }
        agreed = {bucket: difference for bucket, difference in off.items() if earlier.get(bucket) == difference}
        counters.correct(agreed)
        drift += sum(abs(difference) for difference in agreed.values())
        earlier = {bucket: difference for bucket, difference in off.items() if bucket not in agreed}
        if not earlier and before == after:
            break
    return drift


def _live_ids() -> Iterator[str]:
    teams = [team.id for team in directory.teams()]
    for kind in LIVE_LISTS:
        cursor: str | None = None
        while True:
            page = lists.page(ListName(kind), teams, cursor, PAGE)
            yield from (row.id for row in page.rows)
            cursor = page.next
            if cursor is None:
                break


def _tally(ticket_ids: Sequence[str], at: datetime) -> tuple[int, Counter[str]]:
    """How many tickets had to be counted anew, and what all of them are counted as now."""
    healed, found = 0, Counter[str]()
    rest = iter(ticket_ids)
    while part := list(islice(rest, PAGE)):
        healed += _count_stale(part, at)
        for each in counters.counted(part).values():
            found.update(each.buckets)
    return healed, found


def _count_stale(ticket_ids: Sequence[str], at: datetime) -> int:
    known = counters.counted(ticket_ids)
    healed = 0
    for ticket_id, loaded in tickets.get_many(ticket_ids).items():
        ticket = loaded.ticket
        snoozed = ticket.snoozed_until is not None and ticket.snoozed_until > at
        now = CountedAs(ticket.version, counters.buckets_of(ticket, snoozed))
        if ticket_id not in known or counters.is_newer(now, known[ticket_id]):
            healed += counters.count_again(ticket, snoozed)
    return healed
