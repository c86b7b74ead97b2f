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
    """``table``: the connection that it was read by; another one is another desk."""

    table: Connection
    at: datetime
    in_force: InForce


_kept: _Kept | None = None


def in_force(at: datetime) -> InForce:
    """As it was at most a minute ago; a change by this process shows at once."""
    global _kept
    table = connection()
    if _kept is None or _kept.table is not table or not timedelta() <= at - _kept.at < KEPT:
        _kept = _Kept(table, at, read())
    return _kept.in_force


def read() -> InForce:
    """As it is now: for what is kept."""
    now = [Hours(each) for each in calendars.listing()]
    return InForce((*now, *(Hours(each.hours, each.until) for each in calendars.before())))


def forget() -> None:
    """It was changed."""
    global _kept
    _kept = None
