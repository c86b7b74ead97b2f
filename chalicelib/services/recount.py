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
from datetime import datetime, timedelta
from itertools import islice

from chalicelib import config
from chalicelib.store import counters, directory, lists, tickets
from chalicelib.store.counters import CountedAs
from chalicelib.store.lists import ListKind, ListName

PAGE = 200
LOOKS = 4
SETTLE_SECONDS = 15
"""Between two looks: an index may not know yet what a counter already counts, and seldom lags for seconds."""
LIVE_LISTS: tuple[ListKind, ...] = ("open", "pending", "snoozed")
MAX_SPAM = 5_000
"""Spam is counted as well, but kept for long.  A night reads so many of it; of more, only the rebuild counts it."""
SPAM: ListKind = "spam"
LATEST_ARRIVAL = timedelta(days=28)
"""A mail may open its ticket so long after it was received (it lay in a queue or on the tray): a ticket with a higher
number may be filed in an earlier month than the first one."""


def recount(at: datetime, max_spam: int | None = MAX_SPAM) -> int:
    """Repair the counters; returns by how much they had drifted in all.

    People go on working: a bucket is corrected once two looks one after the other, ``SETTLE_SECONDS`` apart, find it at
    rest and off by the same.
    ``max_spam``: above it the number of spam tickets stays as it is; None reads however many there are.
    """
    seen: dict[str, None] = {}
    drift = 0
    earlier: dict[str, int] = {}
    months = list(
        _months(at)
    )  # asked once: where the first tickets were erased, the first that is left lies far behind
    for _ in range(LOOKS):
        if earlier:
            config.pause(SETTLE_SECONDS)
        before = counters.totals()
        seen.update(dict.fromkeys(_live_ids()))
        spam = _spam_ids(months, max_spam)
        not_read = frozenset({SPAM}) if spam is None else frozenset()
        seen.update(dict.fromkeys(spam or ()))
        healed, found = _tally(list(seen), at)
        after = counters.totals()
        drift += healed
        off = {
            bucket: found[bucket] - after.get(bucket, 0)
            for bucket in (found.keys() | after.keys()) - not_read
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
        yield from _ids_in(ListName(kind), teams)


def _ids_in(name: ListName, teams: Sequence[str] = ()) -> Iterator[str]:
    cursor: str | None = None
    while True:
        page = lists.page(name, teams, cursor, PAGE)
        yield from (row.id for row in page.rows)
        cursor = page.next
        if cursor is None:
            return


def _spam_ids(months: Sequence[str], limit: int | None) -> list[str] | None:
    """The spam of the months that the desk has tickets of; None when there is more than ``limit``."""
    ids = (each for month in months for each in _ids_in(ListName(SPAM, month)))
    found = list(islice(ids, None if limit is None else limit + 1))
    return None if limit is not None and len(found) > limit else found


def _months(at: datetime) -> Iterator[str]:
    """From a little before the first ticket's month to that of ``at``, newest first, as ``yyyy-mm``."""
    oldest = tickets.oldest()
    year, month = at.year, at.month
    first = (oldest.created_at if oldest is not None else at) - LATEST_ARRIVAL  # the first of all may come meanwhile
    while (year, month) >= (first.year, first.month):
        yield f"{year:04d}-{month:02d}"
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def _tally(ticket_ids: Sequence[str], at: datetime) -> tuple[int, Counter[str]]:
    """How many tickets had to be counted anew, and what all of them are counted as now."""
    healed, found = 0, Counter[str]()
    rest = iter(ticket_ids)
    while part := list(islice(rest, PAGE)):
        healed += count_stale(part, at)
        for each in counters.counted(part).values():
            found.update(each.buckets)
    return healed, found


def count_stale(ticket_ids: Sequence[str], at: datetime) -> int:
    """Count those of the tickets anew that are not counted as they stand now; returns how many those were."""
    known = counters.counted(ticket_ids)
    healed = 0
    for ticket_id, loaded in tickets.get_many(ticket_ids).items():
        ticket = loaded.ticket
        snoozed = ticket.snoozed_until is not None and ticket.snoozed_until > at
        now = CountedAs(ticket.version, counters.buckets_of(ticket, snoozed))
        if ticket_id not in known or counters.is_newer(now, known[ticket_id]):
            healed += counters.count_again(ticket, snoozed)
    return healed
