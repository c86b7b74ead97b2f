"""The ledger: received = shown + quarantined + suppressed, for every day.

*Received* counts the objects in S3 and the inboxes of their envelopes; the other side counts receipts in the table.
The two sides share no code: a mail that one of them forgets shows as a difference.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from chalicelib import config
from chalicelib.errors import InvalidInput
from chalicelib.store import counters, directory, documents, objects, receipts
from chalicelib.store.counters import DayCounted
from chalicelib.store.receipts import Receipt

BY_HAND = "by-hand/"
NOBODY = "nobody"
ENVELOPES_AT_ONCE = 8
SETTLING = timedelta(minutes=5)
"""An object's time is when its copy began, and it is listed when the copy is done.  Intake has one minute for both, and
for the receipts that it writes before."""
DAYS_TO_CLOSE = 3
"""A day that does not balance is counted again on so many days."""


@dataclass(frozen=True)
class LedgerDay:
    """One day's account.  ``waiting``: originals still in the tray, not yet dealt with.

    ``difference`` = received - waiting - shown - quarantined - suppressed: 0, or something is wrong and ``missing``
    names the originals (at most 100).
    """

    day: str
    received: int
    waiting: int
    shown: int
    quarantined: int
    suppressed: int
    difference: int
    missing: tuple[str, ...] = field(default=())
    opened: int = 0
    """Tickets that these messages opened."""
    closed: bool = False
    """Counted in full after its day, with nothing waiting or missing; an original that is read again opens it anew."""
    counted_at: datetime | None = field(default=None, compare=False)
    """When this count began; None where an earlier release kept it."""


@dataclass(frozen=True)
class Read:
    """What ``so_far`` has read of a day's archive: the ``inboxes`` of all originals stored until ``until``.

    seal: of these originals.  It breaks when one comes late, goes or is stored anew, and when an inbox's address
    changes; then all are read again.
    """

    day: str
    until: datetime
    seal: str
    inboxes: int


def day(which: str, at: datetime | None = None) -> LedgerDay:
    """The account of a day (UTC, ``yyyy-mm-dd``), every original read.  ``at``: by the desk's clock unless said."""
    try:
        wanted = date.fromisoformat(which)
    except ValueError as error:
        raise InvalidInput("That is not a day.", {"day": "Write it as yyyy-mm-dd."}) from error
    began = at or config.now()
    tray, addresses = _tray(wanted), _addresses()
    inboxes = _inboxes([key for key, _ in _archive(wanted)], addresses)
    return _account(which, began, tray, list(inboxes), sum(inboxes.values()), inboxes)


def look(which: str, at: datetime) -> LedgerDay:
    """What a page shows of a day: a closed one as it was kept, today's with what is new, any other counted now."""
    known = documents.read(LedgerDay, "LEDGER", which)
    if known and known.closed:
        return known
    if which == f"{at:%Y-%m-%d}":
        return so_far(at)
    account = day(which, at)
    return _closed(account, at) if known else account


def so_far(at: datetime) -> LedgerDay:
    """The account of the day of ``at``, kept, and noted for every page.

    Only originals that are new since the last one of this day are read.

    Two may count at once, a page and the hour: each keeps what one listing of the archive gave it, and the seal says
    of which originals that is the sum.  Whichever is kept, the next count goes on from there.
    """
    which = f"{at:%Y-%m-%d}"
    tray, addresses = _tray(at.date()), _addresses()
    archive = sorted(_archive(at.date()))
    before = documents.read(Read, "LEDGERREAD", "LEDGERREAD")
    if before and (before.day != which or before.seal != _seal(archive, before.until, addresses)):
        before = None
    known = documents.read(LedgerDay, "LEDGER", which)
    missed = set(known.missing if known else ())  # read again, so that they keep their names until they are found
    new = {key: stored for key, stored in archive if not before or stored > before.until}
    inboxes = _inboxes([key for key, _ in archive if key in new or _name(key) in missed], addresses)
    carried = before.inboxes if before else 0
    received = carried + sum(inboxes[_name(key)] for key in new)
    account = _account(which, at, tray, [_name(key) for key, _ in archive], received, inboxes)
    if account.difference > 0 and not account.missing:
        account = day(which, at)  # an original read earlier misses one of several receipts: only a full count names it
    documents.write_newer("LEDGER", which, account, at)
    kept_out = account.quarantined + account.suppressed
    counters.note_day(
        DayCounted(which, account.received, account.shown, kept_out, account.waiting, account.difference, at)
    )
    until = max(at - SETTLING, before.until) if before else at - SETTLING
    settled = carried + sum(inboxes[_name(key)] for key, stored in new.items() if stored <= until)
    documents.write_newer("LEDGERREAD", "LEDGERREAD", Read(which, until, _seal(archive, until, addresses), settled), at)
    return account


def close(at: datetime) -> tuple[LedgerDay, ...]:
    """Count the day before ``at`` in full, and the ones before it that are not closed; keep their accounts.

    An original can leave the tray, and a receipt be written, long after its day.
    """
    found = []
    for back in range(1, DAYS_TO_CLOSE + 1):
        which = f"{at - timedelta(days=back):%Y-%m-%d}"
        known = documents.read(LedgerDay, "LEDGER", which)
        if (known and known.closed) or (not known and back > 1):
            continue
        found.append(_closed(day(which, at), at))
    return tuple(found)


def _closed(account: LedgerDay, at: datetime) -> LedgerDay:
    """Keep the account of a day that is over; closed when it balances."""
    kept = replace(account, closed=not account.waiting and not account.difference)
    documents.write_newer("LEDGER", account.day, kept, at)
    return kept


def reopen(which: str, at: datetime) -> None:
    """An original of that day was read again, so what was kept of the day may no longer be true."""
    known = documents.read(LedgerDay, "LEDGER", which)
    if known and known.closed:
        documents.write_newer("LEDGER", which, replace(known, closed=False), at)


def kept(month: str) -> tuple[LedgerDay, ...]:
    """The kept accounts of a month (``yyyy-mm``)."""
    return tuple(account for _, account in documents.under(LedgerDay, "LEDGER", f"{month}-"))


def recent(days: int = 14) -> tuple[LedgerDay, ...]:
    """The newest kept accounts, newest first."""
    return tuple(account for _, account in documents.under(LedgerDay, "LEDGER", newest_first=True, limit=days))


def _account(
    which: str, at: datetime, tray: Set[str], archive: Sequence[str], received: int, inboxes: Mapping[str, int]
) -> LedgerDay:
    """Hold what was received against the receipts.

    tray, archive: the names of the originals there, as they were listed before.  inboxes: of those that were read.
    """
    listed = set(archive)
    found: defaultdict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts.of_day(which):
        if receipt.name.startswith(BY_HAND):
            continue
        original, _, n = receipt.name.rsplit("#", 2)
        under_way = original not in listed and (original in tray or receipt.at >= at - SETTLING)
        if n == "0" and not under_way:
            found[original].append(receipt)
    dealt_with = [receipt for those in found.values() for receipt in _standing(those)]
    outcomes = Counter(receipt.outcome for receipt in dealt_with)
    missing = [name for name in archive if len(_standing(found[name])) < inboxes.get(name, 1)]
    return LedgerDay(
        which, received + len(tray), len(tray), outcomes["shown"], outcomes["quarantined"], outcomes["suppressed"],
        received - len(dealt_with), tuple(missing[:100]), sum(each.new_ticket for each in dealt_with), counted_at=at,
    )  # fmt: skip


def _standing(found: list[Receipt]) -> list[Receipt]:
    """That a mail was for nobody stands until it is replayed and somebody gets it."""
    return [each for each in found if each.inbox_id != NOBODY] or found


# What was received


def _tray(wanted: date) -> frozenset[str]:
    """Which originals of that day still lie in the tray.  Listed first: what is moved meanwhile is then counted twice,
    as waiting and as received, and balances; the other way round it would be missing."""
    return frozenset(_name(key) for key, stored in objects.list_originals(objects.RAW) if stored.date() == wanted)


def _archive(wanted: date) -> Iterable[tuple[str, datetime]]:
    return objects.list_originals(f"{objects.KEPT}{wanted:%Y/%m/%d}/")


def _name(key: str) -> str:
    """An original's name: the same in the tray and in the archive."""
    if key.startswith(objects.RAW):
        return key.removeprefix(objects.RAW).replace("/", ".")
    return key.split("/", 4)[-1]


def _addresses() -> dict[str, str]:
    """The inbox of each address of ours."""
    own = {inbox.address.lower(): inbox.id for inbox in directory.inboxes()}
    return own | {to.lower(): inbox.id for inbox in directory.inboxes() if (to := inbox.settings.get("forward_to"))}


def _inboxes(keys: Sequence[str], own: Mapping[str, str]) -> dict[str, int]:
    """Inboxes per original, by the envelopes that ride with them."""
    with ThreadPoolExecutor(ENVELOPES_AT_ONCE) as pool:
        envelopes = pool.map(objects.head_original, keys)
        return {_name(key): _inboxes_of(envelope, own) for key, envelope in zip(keys, envelopes, strict=True)}


def _inboxes_of(envelope: Mapping[str, str], own: Mapping[str, str]) -> int:
    """How many inboxes an original was for; at least one."""
    found = set()
    for address in envelope.get("recipients", "").lower().split(","):
        local, _, domain = address.strip().rpartition("@")
        for candidate in (f"{local}@{domain}", f"{local.split('+')[0]}@{domain}"):
            if candidate in own:
                found.add(own[candidate])
                break
    return max(1, len(found))


def _seal(archive: Iterable[tuple[str, datetime]], until: datetime, own: Mapping[str, str]) -> str:
    """Of the originals stored until then, in the order of their keys, and of the addresses they were read with."""
    seal = hashlib.sha256(repr(sorted(own.items())).encode())
    for key, stored in archive:
        if stored <= until:
            seal.update(f"{key} {stored.astimezone(UTC).isoformat()}\n".encode())
    return seal.hexdigest()
