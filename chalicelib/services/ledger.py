"""The ledger: received = shown + quarantined + suppressed, for every day.

*Received* counts the objects in S3 and the inboxes of their envelopes; the other side counts receipts in the table.
The two sides share no code: a mail that one of them forgets shows as a difference.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from chalicelib.errors import InvalidInput
from chalicelib.store import directory, documents, objects, receipts

BY_HAND = "by-hand/"


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


def day(which: str) -> LedgerDay:
    """The account of a day (UTC, ``yyyy-mm-dd``)."""
    try:
        wanted = date.fromisoformat(which)
    except ValueError as error:
        raise InvalidInput("That is not a day.", {"day": "Write it as yyyy-mm-dd."}) from error
    received, waiting = _received(wanted)
    outcomes: Counter[str] = Counter()
    receipted: Counter[str] = Counter()
    opened = 0
    for receipt in receipts.of_day(which):
        if receipt.name.startswith(BY_HAND):
            continue
        original, inbox_id, n = receipt.name.rsplit("#", 2)
        if n == "0":
            outcomes[receipt.outcome] += 1
            opened += receipt.new_ticket
            receipted[f"{original}#{inbox_id}"] += 1
    per_original = Counter(name.rsplit("#", 1)[0] for name in receipted)
    missing = [name for name, inboxes in received.items() if per_original[name] < inboxes]
    total = sum(received.values()) + waiting
    known = sum(outcomes.values())
    return LedgerDay(
        which, total, waiting, outcomes["shown"], outcomes["quarantined"], outcomes["suppressed"],
        total - waiting - known, tuple(missing[:100]), opened,
    )  # fmt: skip


def _received(wanted: date) -> tuple[dict[str, int], int]:
    """Inboxes per original of that day's archive, and how many of that day still lie in the tray."""
    waiting = sum(1 for _, at in objects.list_originals(objects.RAW) if at.date() == wanted)
    prefix = f"{objects.KEPT}{wanted:%Y/%m/%d}/"
    own = {inbox.address.lower(): inbox.id for inbox in directory.inboxes()}
    own |= {to.lower(): inbox.id for inbox in directory.inboxes() if (to := inbox.settings.get("forward_to"))}
    counted = {key.removeprefix(prefix): _inboxes_of(key, own) for key, _ in objects.list_originals(prefix)}
    return counted, waiting


def _inboxes_of(key: str, own: Mapping[str, str]) -> int:
    """How many inboxes an original was for, by the envelope that rides with it; at least one."""
    recipients = objects.head_original(key).get("recipients", "")
    found = set()
    for address in recipients.lower().split(","):
        local, _, domain = address.strip().rpartition("@")
        for candidate in (f"{local}@{domain}", f"{local.split('+')[0]}@{domain}"):
            if candidate in own:
                found.add(own[candidate])
                break
    return max(1, len(found))


def save(at: datetime) -> LedgerDay:
    """The account of the day of ``at``, kept for the home page."""
    account = day(f"{at:%Y-%m-%d}")
    documents.write("LEDGER", account.day, account)
    return account


def kept(month: str) -> tuple[LedgerDay, ...]:
    """The kept accounts of a month (``yyyy-mm``)."""
    return tuple(account for _, account in documents.under(LedgerDay, "LEDGER", f"{month}-"))


def recent(days: int = 14) -> tuple[LedgerDay, ...]:
    """The newest kept accounts, newest first."""
    return tuple(account for _, account in documents.under(LedgerDay, "LEDGER", newest_first=True, limit=days))
