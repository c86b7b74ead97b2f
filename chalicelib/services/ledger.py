"""The ledger: received = shown + quarantined + suppressed, for every day.

*Received* counts the objects in S3 and the inboxes of their envelopes; the other side counts receipts in the table.
The two sides share no code: a mail that one of them forgets shows as a difference.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from chalicelib.errors import InvalidInput
from chalicelib.store import directory, documents, objects, receipts

BY_HAND = "by-hand/"
ENVELOPES_AT_ONCE = 8
SETTLING = timedelta(minutes=5)
"""An object's time is when its copy began, and it is listed when the copy is done.  Intake has one minute for both."""
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
    """Counted in full after its day, with nothing waiting or missing: it cannot change any more."""


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


def day(which: str) -> LedgerDay:
    """The account of a day (UTC, ``yyyy-mm-dd``), every original read."""
    try:
        wanted = date.fromisoformat(which)
    except ValueError as error:
        raise InvalidInput("That is not a day.", {"day": "Write it as yyyy-mm-dd."}) from error
    waiting, addresses = _waiting(wanted), _addresses()
    received = _inboxes([key for key, _ in _archive(wanted)], addresses)
    return _account(which, waiting, sum(received.values()), received)


def so_far(at: datetime) -> LedgerDay:
    """The account of the day of ``at``, kept; only originals that are new since the last one of this day are read.

    Where originals are missing, all are read, for only then can they be named.
    """
    which = f"{at:%Y-%m-%d}"
    waiting, addresses = _waiting(at.date()), _addresses()
    archive = sorted(_archive(at.date()))
    before = documents.read(Read, "LEDGERREAD", "LEDGERREAD")
    if before and (before.day != which or before.seal != _seal(archive, before.until, addresses)):
        before = None
    received = _inboxes([key for key, stored in archive if not before or stored > before.until], addresses)
    account = _account(which, waiting, sum(received.values()) + (before.inboxes if before else 0), received)
    if account.difference > 0 and before:
        account = day(which)
    documents.write("LEDGER", which, account)
    until = max(at - SETTLING, before.until) if before else at - SETTLING
    settled = sum(received[_name(key)] for key, stored in archive if stored <= until and _name(key) in received)
    read = Read(which, until, _seal(archive, until, addresses), settled + (before.inboxes if before else 0))
    documents.write("LEDGERREAD", "LEDGERREAD", read)
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
        account = day(which)
        found.append(replace(account, closed=not account.waiting and not account.difference))
        documents.write("LEDGER", which, found[-1])
    return tuple(found)


def kept(month: str) -> tuple[LedgerDay, ...]:
    """The kept accounts of a month (``yyyy-mm``)."""
    return tuple(account for _, account in documents.under(LedgerDay, "LEDGER", f"{month}-"))


def recent(days: int = 14) -> tuple[LedgerDay, ...]:
    """The newest kept accounts, newest first."""
    return tuple(account for _, account in documents.under(LedgerDay, "LEDGER", newest_first=True, limit=days))


def _account(which: str, waiting: int, received: int, inboxes: Mapping[str, int]) -> LedgerDay:
    """Hold what was received against the receipts.  ``inboxes``: of the originals that were read now."""
    outcomes: Counter[str] = Counter()
    receipted: Counter[str] = Counter()
    opened = 0
    for receipt in receipts.of_day(which):
        if receipt.name.startswith(BY_HAND):
            continue
        original, _, n = receipt.name.rsplit("#", 2)
        if n == "0":
            outcomes[receipt.outcome] += 1
            opened += receipt.new_ticket
            receipted[original] += 1
    missing = [name for name, wanted in inboxes.items() if receipted[name] < wanted]
    return LedgerDay(
        which, received + waiting, waiting, outcomes["shown"], outcomes["quarantined"], outcomes["suppressed"],
        received - sum(outcomes.values()), tuple(missing[:100]), opened,
    )  # fmt: skip


# What was received


def _waiting(wanted: date) -> int:
    """How many of that day still lie in the tray.  Counted first: what is moved meanwhile is then counted twice, as
    waiting and as received, and balances; the other way round it would be missing."""
    return sum(1 for _, stored in objects.list_originals(objects.RAW) if stored.date() == wanted)


def _archive(wanted: date) -> Iterable[tuple[str, datetime]]:
    return objects.list_originals(f"{objects.KEPT}{wanted:%Y/%m/%d}/")


def _name(key: str) -> str:
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
