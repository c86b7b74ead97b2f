"""Counts of the lists: maintained from the table's stream, never counted on read.

Each ticket has a "counted as" item that names the buckets it is counted in.  Old and new buckets change in one
conditional transaction with it, so a fact handled twice, or late, counts once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition
from pynamodb.pagination import ResultIterator

from chalicelib.domain.ticket import LIVE, Ticket
from chalicelib.store import documents
from chalicelib.store.codec import decode
from chalicelib.store.models import CounterItem, DocumentItem
from chalicelib.store.tickets import ticket_key
from chalicelib.store.transaction import Lost, Transaction

COUNTER_SHARDS = 2
PENDING_WITH = "pending:"
"""Whose a pending ticket is: all of them together are the list's count, and what is left of "mine" is open."""
DAY = "~day"
"""Sort key of ``DayCounted``: no bucket's, for those have a shard."""


@dataclass(frozen=True)
class CountedAs:
    """``version``: the ticket's version that was counted."""

    version: int
    buckets: tuple[str, ...]


def buckets_of(ticket: Ticket, snoozed: bool) -> tuple[str, ...]:
    """The lists whose count a ticket is part of; the names equal those of ``bucket_name``."""
    if ticket.merged_into is not None:
        return ()
    if ticket.status not in LIVE:
        return ("spam",) if ticket.status == "spam" else ()
    undelivered = ("undelivered",) if ticket.undelivered else ()
    if snoozed:
        return ("snoozed", *undelivered)
    holder = f"mine:{ticket.assignee_id}" if ticket.assignee_id else "unassigned"
    team = () if ticket.assignee_id else (f"team:{ticket.team_id or '-'}",)
    waiting = ("waiting",) if ticket.waiting_since else ()
    theirs = ticket.status == "pending" and ticket.assignee_id
    status = f"{PENDING_WITH}{ticket.assignee_id}" if theirs else ticket.status
    return (status, holder, *team, f"inbox:{ticket.inbox_id}", *waiting, *undelivered)


def _shard(ticket_id: str) -> int:
    return int(ticket_id) % COUNTER_SHARDS


def count(ticket: Ticket, snoozed: bool) -> bool:
    """Count a ticket where it stands now; False when the counts stay as they are.

    The version counted is noted even where no count changes, so that a slower worker with an older ticket is refused.
    Raises Lost when another worker counted it at the same moment: try again.
    """
    stored = _stored(ticket.id)
    before = decode(CountedAs, stored.data or "{}") if stored else None
    new = CountedAs(ticket.version, buckets_of(ticket, snoozed))
    if before is not None and not is_newer(new, before):
        return False
    item = documents.item(ticket_key(ticket.id), "COUNTED", new, version=ticket.version)
    unchanged = DocumentItem.data == stored.data if stored else DocumentItem.pk.does_not_exist()
    steps = _steps(before.buckets if before else (), new.buckets)
    if not steps:
        _note(item, unchanged)
        return False
    transaction = Transaction()
    transaction.put("counted", item, unchanged)
    for bucket, step in steps:
        counter = CounterItem("COUNTERS", f"{bucket}#{_shard(ticket.id)}")
        transaction.update("counter", counter, [CounterItem.amount.add(step)])
    transaction.commit()
    return True


def is_newer(new: CountedAs, before: CountedAs) -> bool:
    """Whether ``new`` says something that ``before`` does not; one version moves when its snooze has run out."""
    if new.version == before.version:
        return set(new.buckets) != set(before.buckets)
    return new.version > before.version


def _stored(ticket_id: str) -> DocumentItem | None:
    try:
        return DocumentItem.get(ticket_key(ticket_id), "COUNTED", consistent_read=True)
    except DocumentItem.DoesNotExist:
        return None


def _steps(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int]]:
    return [(each, 1) for each in new if each not in old] + [(each, -1) for each in old if each not in new]


def _note(item: DocumentItem, unchanged: Condition) -> None:
    """The same buckets at a newer version: one plain write, half the price of a transaction."""
    try:
        item.save(condition=unchanged)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise Lost(frozenset({"counted"})) from error
        raise


def count_again(ticket: Ticket, snoozed: bool, attempts: int = 4) -> bool:
    """``count``, tried again when another worker was quicker."""
    for _ in range(attempts - 1):
        try:
            return count(ticket, snoozed)
        except Lost:
            continue
    return count(ticket, snoozed)


def counted(ticket_ids: Iterable[str]) -> dict[str, CountedAs]:
    """What the tickets are counted as at this moment, by id; those never counted are left out."""
    keys = [(ticket_key(each), "COUNTED") for each in ticket_ids]
    found: Iterable[DocumentItem] = DocumentItem.batch_get(keys, consistent_read=True)
    return {str(item.pk).removeprefix("TICKET#"): decode(CountedAs, item.data or "{}") for item in found}


@dataclass(frozen=True)
class DayCounted:
    """What the ledger last counted of a day (UTC, ``yyyy-mm-dd``), as every page shows it."""

    day: str
    received: int
    shown: int
    kept_out: int
    waiting: int
    difference: int
    counted_at: datetime


def note_day(counted: DayCounted) -> None:
    """Kept beside the counts, so that a page reads both at once; a slower count takes no newer one's place."""
    documents.write_newer("COUNTERS", DAY, counted, counted.counted_at)


def with_day() -> tuple[dict[str, int], DayCounted | None]:
    """``all_counts`` and what the ledger last counted, in the same read."""
    items = _items(consistent=False)
    noted = next((item.data for item in items if item.sk == DAY), None)
    return _shown(_totals(items)), decode(DayCounted, noted) if noted else None


def all_counts() -> dict[str, int]:
    """Every list's count by bucket name, never below 0; pending tickets of all agents as one."""
    return _shown(totals(consistent=False))


def totals(consistent: bool = True) -> dict[str, int]:
    """Every list's count by bucket name as it is stored, shards added up."""
    return _totals(_items(consistent))


def _items(consistent: bool) -> list[CounterItem]:
    found: ResultIterator[CounterItem] = CounterItem.query("COUNTERS", consistent_read=consistent)
    return list(found)


def _totals(items: Iterable[CounterItem]) -> dict[str, int]:
    added: dict[str, int] = {}
    for item in items:
        if item.sk != DAY:
            bucket = str(item.sk).rsplit("#", 1)[0]
            added[bucket] = added.get(bucket, 0) + int(item.amount)
    return added


def _shown(stored: Mapping[str, int]) -> dict[str, int]:
    shown = {bucket: max(0, total) for bucket, total in stored.items() if not bucket.startswith(PENDING_WITH)}
    if any(bucket.startswith(PENDING_WITH) for bucket in stored):
        shown["pending"] = max(0, sum(n for name, n in stored.items() if name.partition(":")[0] == "pending"))
    return shown


def open_with(stored: Mapping[str, int], agent_id: str) -> int:
    """Of ``totals``: how many open tickets an agent holds."""
    return max(0, stored.get(f"mine:{agent_id}", 0) - stored.get(f"{PENDING_WITH}{agent_id}", 0))


def correct(differences: Mapping[str, int]) -> None:
    """Add what the recount found missing (or take off): a count made meanwhile stays in."""
    for bucket, difference in differences.items():
        CounterItem("COUNTERS", f"{bucket}#0").update(actions=[CounterItem.amount.add(difference)])
