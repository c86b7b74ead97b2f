"""What deadlines are worked out by: read once a minute, for every page and every row asks for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.connection import Connection

from chalicelib.domain.promises import Hours, InForce
from chalicelib.store import calendars
from chalicelib.store.models import connection

KEPT = timedelta(seconds=60)


@dataclass(frozen=True)
class _Kept:
    at: datetime
    in_force: InForce


_kept: dict[Connection, _Kept] = {}
"""By the connection that it was read by: another one is another desk."""


def in_force(at: datetime) -> InForce:
    """As it was at most a minute ago; a change by this process shows at once."""
    table = connection()
    kept = _kept.get(table)
    if kept is None or not timedelta() <= at - kept.at < KEPT:
        forget()
        kept = _kept[table] = _Kept(at, read())
    return kept.in_force


def read() -> InForce:
    """As it is now: for what is kept."""
    now = [Hours(each) for each in calendars.listing()]
    return InForce((*now, *(Hours(each.hours, each.until) for each in calendars.before())))


def forget() -> None:
    """It was changed."""
    _kept.clear()
