"""Counts of the lists: maintained from the table's stream, never counted on read.

Each ticket has a "counted as" item that names the buckets it is counted in.  Old and new buckets change in one
conditional transaction with it, so a fact handled twice, or late, counts once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pynamodb.pagination import ResultIterator

from chalicelib.domain.ticket import LIVE, Ticket
from chalicelib.store import documents
from chalicelib.store.models import CounterItem, DocumentItem
from chalicelib.store.tickets import ticket_key
from chalicelib.store.transaction import Lost, Transaction

COUNTER_SHARDS = 2


@dataclass(frozen=True)
class CountedAs:
    """``version``: the ticket's version that was counted."""

    version: int
    buckets: tuple[str, ...]


def buckets_of(ticket: Ticket, snoozed: bool) -> tuple[str, ...]:
    """The lists whose count a ticket is part of; the names equal those of ``bucket_name``."""
    if ticket.status not in LIVE:
        return ("spam",) if ticket.status == "spam" else ()
    undelivered = ("undelivered",) if ticket.undelivered else ()
    if snoozed:
        return ("snoozed", *undelivered)
    holder = f"mine:{ticket.assignee_id}" if ticket.assignee_id else "unassigned"
    team = () if ticket.assignee_id else (f"team:{ticket.team_id or '-'}",)
    waiting = ("waiting",) if ticket.waiting_since else ()
    return (ticket.status, holder, *team, f"inbox:{ticket.inbox_id}", *waiting, *undelivered)


def _shard(ticket_id: str) -> int:
    return int(ticket_id) % COUNTER_SHARDS


def count(ticket: Ticket, snoozed: bool) -> bool:
    """Count a ticket where it stands now; False when nothing had to change.

    Raises Lost when another worker counted it at the same moment: the caller reads the ticket again.
    """
    before = documents.read(CountedAs, ticket_key(ticket.id), "COUNTED")
    new = buckets_of(ticket, snoozed)
    if before is not None and (before.version > ticket.version or set(before.buckets) == set(new)):
        return False
    transaction = Transaction()
    item = documents.item(ticket_key(ticket.id), "COUNTED", CountedAs(ticket.version, new), version=ticket.version)
    fresh = DocumentItem.pk.does_not_exist()
    transaction.put("counted", item, fresh if before is None else DocumentItem.version == before.version)
    old = set(before.buckets) if before else set()
    for bucket, step in [(each, 1) for each in new if each not in old] + [(each, -1) for each in old - set(new)]:
        counter = CounterItem("COUNTERS", f"{bucket}#{_shard(ticket.id)}")
        transaction.update("counter", counter, [CounterItem.amount.add(step)])
    transaction.commit()
    return True


def count_again(ticket: Ticket, snoozed: bool, attempts: int = 4) -> None:
    """``count``, tried again when another worker was quicker."""
    for attempt in range(attempts):
        try:
            count(ticket, snoozed)
        except Lost:
            if attempt == attempts - 1:
                raise
        else:
            return


def all_counts() -> dict[str, int]:
    """Every list's count by bucket name, shards added up, never below 0."""
    totals: dict[str, int] = {}
    found: ResultIterator[CounterItem] = CounterItem.query("COUNTERS")
    for item in found:
        bucket = str(item.sk).rsplit("#", 1)[0]
        totals[bucket] = totals.get(bucket, 0) + int(item.amount)
    return {bucket: max(0, total) for bucket, total in totals.items()}


def overwrite(totals: Iterable[tuple[str, int]]) -> None:
    """Set counts as the nightly recount found them (all on shard 0, the others to nothing)."""
    wanted = dict(totals)
    for bucket in set(all_counts()) | set(wanted):
        for shard in range(COUNTER_SHARDS):
            CounterItem("COUNTERS", f"{bucket}#{shard}", amount=wanted.get(bucket, 0) if shard == 0 else 0).save()
