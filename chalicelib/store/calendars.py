"""Calendars in the table: each is one item, and for some weeks one more as it was before each change."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.business_hours import KEPT_DAYS, BusinessHours, as_it_was
from chalicelib.domain.moments import stamp
from chalicelib.errors import NotFound
from chalicelib.store import documents
from chalicelib.store.models import DocumentItem
from chalicelib.store.transaction import Transaction

CALENDARS = "CALENDARS"
BEFORE = "CALENDARSBEFORE"


@dataclass(frozen=True)
class Before:
    """A calendar as it was until then."""

    hours: BusinessHours
    until: datetime


def listing() -> tuple[BusinessHours, ...]:
    """By name."""
    found = (each for _, each in documents.under(BusinessHours, CALENDARS))
    return tuple(sorted(found, key=lambda each: (each.name.lower(), each.id)))


def get(calendar_id: str) -> BusinessHours:
    found = documents.read(BusinessHours, CALENDARS, calendar_id)
    if found is None:
        raise NotFound("There is no such calendar.")
    return found


def before() -> tuple[Before, ...]:
    """Calendars as they were before each change of the last weeks."""
    return tuple(each for _, each in documents.under(Before, BEFORE))


def save(hours: BusinessHours, replaced: Before | None = None) -> None:
    """Write it as new (version 1), or over the version before its own; raise Lost when that is not there any more.

    replaced: what clocks counted by until now, where that is something else.
    """
    item = documents.item(CALENDARS, hours.id, hours, version=hours.version)
    transaction = Transaction()
    if hours.version == 1:
        transaction.put_new("calendar", item)
    else:
        transaction.put("calendar", item, DocumentItem.version == hours.version - 1)
    if replaced is not None:
        transaction.put("before", _kept(replaced))
    transaction.commit()


def delete(hours: BusinessHours, at: datetime) -> None:
    """Raise Lost when it is not there any more as it was read."""
    transaction = Transaction()
    transaction.delete("calendar", DocumentItem(CALENDARS, hours.id), DocumentItem.version == hours.version)
    transaction.put("before", _kept(Before(hours, at)))
    transaction.commit()


def _kept(replaced: Before) -> DocumentItem:
    until = replaced.until
    kept = Before(as_it_was(replaced.hours, until), until)
    return documents.item(BEFORE, f"{stamp(until)}#{replaced.hours.id}", kept, until + timedelta(days=KEPT_DAYS))
