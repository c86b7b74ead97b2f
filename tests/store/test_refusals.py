"""What a condition refuses, or is not there, is an answer; whatever else AWS refuses is an error to everybody."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.config import settings
from chalicelib.store import idempotency, objects, pending
from chalicelib.store.idempotency import Kept
from chalicelib.store.pending import Due
from tests.engine import Desk

pytestmark = pytest.mark.engine
DUE = Due("TICKET#1042", "DELIVERY#m1", "PENDING#0", "2026-11-20T09:00:00.000Z#seed")


def kept(now: datetime) -> Kept:
    return Kept("digest", now, now + timedelta(days=1), now + timedelta(minutes=1))


@pytest.mark.parametrize(
    "call",
    [
        lambda now: idempotency.claim("key", kept(now), now),
        lambda now: idempotency.take_over("key", kept(now), now + timedelta(minutes=2)),
        lambda now: pending.release(DUE),
        lambda now: pending.postpone(DUE, now),
        lambda now: objects.head_original("raw/there"),
        lambda now: objects.attachment_size("there"),
    ],
)
def test_what_aws_refuses_is_neither_done_nor_known(
    desk: Desk, call: Callable[[datetime], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []

    def denied(client: Any, operation: str, asked: dict[str, Any]) -> Any:
        refused.append(operation)
        refusal: Any = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(refusal, operation)

    monkeypatch.setattr(BaseClient, "_make_api_call", denied)
    with pytest.raises((PynamoDBException, ClientError)):
        call(desk.now)
    assert refused


def test_a_file_keeps_its_type_and_its_bytes(desk: Desk) -> None:
    objects.put_attachment("a/1", b"%PDF", "application/pdf")
    assert (objects.attachment_size("a/1"), objects.get_attachment("a/1")) == (4, b"%PDF")
    assert desk.client("s3").head_object(Bucket=settings().attachments_bucket, Key="a/1")["ContentType"] == (
        "application/pdf"
    )
