"""The breaker's counts: how long they are kept."""

from datetime import timedelta

import pytest

from chalicelib.services import breaker
from chalicelib.store.models import CounterItem
from tests.engine import Desk

pytestmark = pytest.mark.engine


def test_a_minutes_count_is_kept_longer_than_its_minute(desk: Desk) -> None:
    """DynamoDB may take an expired item away at once: a count that went in its minute would let too many out."""
    inbox = desk.inbox()
    assert breaker.verdict(inbox, desk.now) == "go"
    [kept] = CounterItem.query(f"BREAKER#{inbox.id}", CounterItem.sk.startswith("sent#"))
    assert kept.expires_at > desk.now + timedelta(minutes=1)
    assert kept.amount == 1
