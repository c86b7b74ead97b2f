"""What a condition refuses is an answer; whatever else AWS refuses is an error, and nobody takes it for done."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.store import idempotency, pending
from chalicelib.store.idempotency import Kept
from chalicelib.store.pending import Due
from tests.engine import Desk

pytestmark = pytest.mark.engine
DUE = Due("TICKET#1042", "DELIVERY#m1", "PENDING#0", "2026-11-20T09:00:00.000Z#seed")


def kept(now: datetime) -> Kept:
    return Kept("digest", now, now + timedelta(days=1), now + timedelta(minutes=1))


@pytest.mark.parametrize(
    "write",
    [
        lambda now: idempotency.claim("key", kept(now), now),
        lambda now: idempotency.take_over("key", kept(now), now + timedelta(minutes=2)),
        lambda now: pending.release(DUE),
        lambda now: pending.postpone(DUE, now),
    ],
)
def test_what_aws_refuses_was_not_done(
    desk: Desk, write: Callable[[datetime], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []

    def denied(client: Any, operation: str, asked: dict[str, Any]) -> Any:
        refused.append(operation)
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "No."}}, operation)

    monkeypatch.setattr(BaseClient, "_make_api_call", denied)
    with pytest.raises(PynamoDBException):
        write(desk.now)
    assert refused
