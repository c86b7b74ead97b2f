"""Calendars in the table: each is one item."""

from chalicelib.domain.business_hours import BusinessHours
from chalicelib.errors import NotFound
from chalicelib.store import documents
from chalicelib.store.models import DocumentItem
from chalicelib.store.transaction import Transaction

CALENDARS = "CALENDARS"


def listing() -> tuple[BusinessHours, ...]:
    """By name."""
    found = (each for _, each in documents.under(BusinessHours, CALENDARS))
    return tuple(sorted(found, key=lambda each: (each.name.lower(), each.id)))


def get(calendar_id: str) -> BusinessHours:
    found = documents.read(BusinessHours, CALENDARS, calendar_id)
    if found is None:
        raise NotFound("There is no such calendar.")
    return found


def save(hours: BusinessHours) -> None:
    """Write it as new (version 1), or over the version before its own; raise Lost when that is not there any more."""
    item = documents.item(CALENDARS, hours.id, hours, version=hours.version)
    transaction = Transaction()
    if hours.version == 1:
        transaction.put_new("calendar", item)
    else:
        transaction.put("calendar", item, DocumentItem.version == hours.version - 1)
    transaction.commit()


def delete(calendar_id: str) -> bool:
    """False when somebody was quicker."""
    return documents.take(CALENDARS, calendar_id)
