"""What was kept out, the originals themselves, and driving one again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from chalicelib.domain.message import Message
from chalicelib.errors import NotAllowed, NotFound
from chalicelib.services.receive_message import KeptOut
from chalicelib.store import documents, objects

LISTED = 100
TRAY_MINUTES = 10
"""What lies longer in the tray is driven again."""


Kind = Literal["quarantined", "suppressed"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Page:
    """behind: the key where older ones begin; empty on the last page."""

    entries: tuple[KeptOut, ...]
    behind: str = ""


def kept_out(kind: Kind, before: str = "") -> Page:
    """Newest first."""
    listed = documents.under(KeptOut, f"LIST#{kind}", newest_first=True, limit=LISTED + 1, after=before)
    found = [entry for _, entry in listed]
    return Page(tuple(found[:LISTED]), found[LISTED - 1].key if len(found) > LISTED else "")


def find_kept_out(kind: str, key: str, at: datetime) -> KeptOut:
    """Only what stands in the lists: an original of the caller's own choosing cannot be had."""
    found = documents.read(KeptOut, f"LIST#{kind}", key, at) if kind in KINDS else None
    if found is None:
        raise NotFound("This entry is no longer in the list.")
    return found


def current_key(key: str, received_at: datetime) -> str:
    """Where an original lies now: in the tray, or in the archive of the day it was received."""
    for candidate in (key, objects.kept_key(key, received_at)):
        if objects.original_exists(candidate):
            return candidate
    raise NotFound("The original is no longer kept.")


def link_of(message: Message) -> str:
    """A short-lived link to a message's original."""
    if not message.original_key:
        raise NotFound("This message has no original: it was written here.")
    return objects.original_url(current_key(message.original_key, message.at))


def link_of_kept_out(entry: KeptOut) -> str:
    """Nobody downloads a virus; what nobody could read, or was for nobody, may carry one too."""
    key = current_key(entry.original_key, midnight(entry.day))
    if not is_offered(entry) or objects.head_original(key).get("virus", "").upper() == "FAIL":
        raise NotAllowed("This original carries a virus: it cannot be downloaded.")
    return objects.original_url(key)


def link_of_unread(key: str, at: datetime, danger: Callable[[objects.StoredOriginal], str]) -> str:
    """Of what could not be processed: only SES's verdict, which ``danger`` finds in its headers, can tell of a virus.

    A parked change is our own, no mail.
    """
    key = current_key(key, at)
    if not key.startswith(objects.PARKED) and (harm := danger(objects.get_original(key))):
        raise NotAllowed(harm)
    return objects.original_url(key)


def is_offered(entry: KeptOut) -> bool:
    return entry.outcome != "quarantined" or not entry.virus


def midnight(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00+00:00")


def replay(key: str, send_to_inbound: Callable[[str], None]) -> None:
    """Read an original again; what it became before is found by its receipt, so nothing doubles."""
    if not objects.original_exists(key):
        raise NotFound("The original is no longer kept.")
    send_to_inbound(key)


def overdue(older_than: datetime) -> tuple[str, ...]:
    """Originals that lie in the tray longer than they should."""
    return tuple(key for key, at in objects.list_originals(objects.RAW) if at < older_than)
