"""The table's items (docs/architecture.md, "Table").  Only this package knows them.

All item classes share one connection, and so one botocore session (performance: a second session costs 60 CPU ms).
"""

import os
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.connection import Connection
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model

LIST_COLUMNS = [
    "subject", "status", "priority", "inbox_id", "channel", "customer_id", "customer_name", "assignee_id", "team_id",
    "snippet", "tags", "updated_at", "waiting_since", "snoozed_until", "undelivered", "last_message_id", "seen_by",
]  # fmt: skip
"""What a list shows of a ticket; equals the projection in infra."""


class Item(Model):
    class Meta:
        table_name = os.environ.get("TABLE_NAME", "deskbell")  # PynamoDB wants a value at import
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        connect_timeout_seconds = 3
        read_timeout_seconds = 8

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class ByStatus(GlobalSecondaryIndex["TicketItem"]):
    class Meta:
        index_name = "by_status"
        projection = IncludeProjection(LIST_COLUMNS)

    status_key = UnicodeAttribute(hash_key=True)
    activity_key = UnicodeAttribute(range_key=True)


class ByHolder(GlobalSecondaryIndex["TicketItem"]):
    class Meta:
        index_name = "by_holder"
        projection = IncludeProjection(LIST_COLUMNS)

    holder_key = UnicodeAttribute(hash_key=True)
    activity_key = UnicodeAttribute(range_key=True)


class ByInbox(GlobalSecondaryIndex["TicketItem"]):
    class Meta:
        index_name = "by_inbox"
        projection = IncludeProjection(LIST_COLUMNS)

    inbox_key = UnicodeAttribute(hash_key=True)
    activity_key = UnicodeAttribute(range_key=True)


class ByWait(GlobalSecondaryIndex["TicketItem"]):
    class Meta:
        index_name = "by_wait"
        projection = IncludeProjection(LIST_COLUMNS)

    wait_key = UnicodeAttribute(hash_key=True)
    waiting_key = UnicodeAttribute(range_key=True)


class ByCustomer(GlobalSecondaryIndex["TicketItem"]):
    class Meta:
        index_name = "by_customer"
        projection = IncludeProjection(["subject", "status", "inbox_id", "channel"])

    customer_key = UnicodeAttribute(hash_key=True)
    created_key = UnicodeAttribute(range_key=True)


class ByTime(GlobalSecondaryIndex["TicketItem"]):
    class Meta:
        index_name = "by_time"
        projection = KeysOnlyProjection()

    time_key = UnicodeAttribute(hash_key=True)
    time_at = UnicodeAttribute(range_key=True)


class TicketItem(Item):
    """``holder_key``, ``status_key`` … are derived from the ticket by ``tickets.list_keys``; absent keeps it out."""

    by_status = ByStatus()
    by_holder = ByHolder()
    by_inbox = ByInbox()
    by_wait = ByWait()
    by_customer = ByCustomer()
    by_time = ByTime()

    version = NumberAttribute(default=1)
    subject = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    priority = UnicodeAttribute(null=True)
    inbox_id = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    customer_id = UnicodeAttribute(null=True)
    customer_name = UnicodeAttribute(null=True)
    assignee_id = UnicodeAttribute(null=True)
    team_id = UnicodeAttribute(null=True)
    snippet = UnicodeAttribute(null=True)
    tags = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    waiting_since = UnicodeAttribute(null=True)
    snoozed_until = UnicodeAttribute(null=True)
    undelivered = NumberAttribute(null=True)
    last_message_id = UnicodeAttribute(null=True)
    seen_by = UnicodeSetAttribute(null=True)
    data = UnicodeAttribute(null=True)
    """JSON of what no list shows."""
    origin = UnicodeAttribute(null=True)

    status_key = UnicodeAttribute(null=True)
    activity_key = UnicodeAttribute(null=True)
    holder_key = UnicodeAttribute(null=True)
    inbox_key = UnicodeAttribute(null=True)
    wait_key = UnicodeAttribute(null=True)
    waiting_key = UnicodeAttribute(null=True)
    customer_key = UnicodeAttribute(null=True)
    created_key = UnicodeAttribute(null=True)
    time_key = UnicodeAttribute(null=True)
    time_at = UnicodeAttribute(null=True)


class DocumentItem(Item):
    """Anything kept whole: a message, a customer, an agent, a session …  ``data`` is JSON of a dataclass."""

    data = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    expires_at = TTLAttribute(null=True)
    time_key = UnicodeAttribute(null=True)
    time_at = UnicodeAttribute(null=True)


class ReceiptItem(Item):
    """Proof that one original is dealt with for one inbox."""

    outcome = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    ticket_id = UnicodeAttribute(null=True)
    message_id = UnicodeAttribute(null=True)
    inbox_id = UnicodeAttribute(null=True)
    new_ticket = NumberAttribute(null=True)
    original_key = UnicodeAttribute(null=True)
    at = UnicodeAttribute()
    time_key = UnicodeAttribute(null=True)
    time_at = UnicodeAttribute(null=True)


class DeliveryItem(Item):
    """How far one outgoing message got; small, so that a change of state never rewrites the body.

    ``flagged``: since when its ticket is on the "undelivered" list for it; gone once it arrived.
    """

    state = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    at = UnicodeAttribute(null=True)
    provider_id = UnicodeAttribute(null=True)
    attempts = NumberAttribute(default=0)
    send_at = UnicodeAttribute()
    inbox_id = UnicodeAttribute(null=True)
    event_ids = UnicodeSetAttribute(null=True)
    flagged = UnicodeAttribute(null=True)
    moved_by = UnicodeAttribute(null=True)
    origin = UnicodeAttribute(null=True)
    time_key = UnicodeAttribute(null=True)
    time_at = UnicodeAttribute(null=True)


class CounterItem(Item):
    """``data``: only of what lies beside the counters to be read with them, as a DocumentItem has it."""

    amount = NumberAttribute(default=0)
    data = UnicodeAttribute(null=True)
    expires_at = TTLAttribute(null=True)


class PostingItem(Item):
    """Which tickets carry a term.  ``packed``: of one message, or of some; ``ids``: of one block of tickets."""

    packed = BinaryAttribute(legacy_encoding=False, null=True)
    ids = UnicodeSetAttribute(null=True)


SHAPES: tuple[type[Item], ...] = (Item, TicketItem, DocumentItem, ReceiptItem, DeliveryItem, CounterItem, PostingItem)


def connection() -> Connection:
    """The one connection; made from TicketItem because its schema names the indexes."""
    if Item._connection is None or Item._connection.table_name != Item.Meta.table_name:
        Item._connection = TicketItem._get_connection()
        for shape in SHAPES:
            shape._connection = Item._connection
    return Item._connection.connection


def session() -> Any:
    """The botocore session that every other client shares."""
    return connection().session


def use_table(name: str, region: str) -> None:
    """Point the store at a table (``wiring`` at start, tests for each table of theirs)."""
    Item.Meta.table_name = name
    Item.Meta.region = region
    for shape in SHAPES:
        shape._connection = None


class ClockItem(Item):
    """How far the local stack's clock was moved."""

    offset_seconds = NumberAttribute(default=0)
