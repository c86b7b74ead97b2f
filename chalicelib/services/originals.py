"""What was kept out, the originals themselves, and driving one again."""

from collections.abc import Callable
from datetime import datetime

from chalicelib.domain.message import Message
from chalicelib.errors import NotAllowed, NotFound
from chalicelib.services.receive_message import KeptOut
from chalicelib.store import documents, objects

LISTED = 200
TRAY_MINUTES = 10
"""What lies longer in the tray is driven again."""


def quarantined(limit: int = LISTED) -> tuple[KeptOut, ...]:
    """Newest first."""
    return tuple(entry for _, entry in documents.under(KeptOut, "LIST#quarantined", newest_first=True, limit=limit))


def suppressed(limit: int = LISTED) -> tuple[KeptOut, ...]:
    return tuple(entry for _, entry in documents.under(KeptOut, "LIST#suppressed", newest_first=True, limit=limit))


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
    """A quarantined original carries a virus: nobody downloads it."""
    if entry.outcome == "quarantined":
        raise NotAllowed("This original is quarantined: it cannot be downloaded.")
    return objects.original_url(current_key(entry.original_key, datetime.fromisoformat(f"{entry.day}T00:00:00+00:00")))


def replay(key: str, send_to_inbound: Callable[[str], None]) -> None:
    """Read an original again; what it became before is found by its receipt, so nothing doubles."""
    if not objects.original_exists(key):
        raise NotFound("The original is no longer kept.")
    send_to_inbound(key)


def overdue(older_than: datetime) -> tuple[str, ...]:
    """Originals that lie in the tray longer than they should."""
    return tuple(key for key, at in objects.list_originals(objects.RAW) if at < older_than)
