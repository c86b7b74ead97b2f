"""What AWS counted of a month, as it was last read: one small item a month."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pynamodb.exceptions import PutError

from chalicelib.domain.usage import TableSize
from chalicelib.store import documents, models
from chalicelib.store.models import DocumentItem


@dataclass(frozen=True)
class Usage:
    """``counts`` by unit.  ``tickets``, ``messages``: opened and received, from the month's kept ledger accounts.

    ``reads``: how often CloudWatch was asked, which costs a little too.
    """

    month: str
    read_at: datetime
    counts: Mapping[str, float]
    tickets: int = 0
    messages: int = 0
    reads: int = field(default=1)


def read(month: str) -> Usage | None:
    return documents.read(Usage, "USAGE", month, consistent=False)


def table_size() -> TableSize:
    """How big the desk's table is.  Raises botocore's errors as they come."""
    client: Any = models.connection().client  # PynamoDB's stub names only what PynamoDB calls
    table = client.describe_table(TableName=models.Item.Meta.table_name)["Table"]
    indexes = table.get("GlobalSecondaryIndexes", ())
    return TableSize(table.get("TableSizeBytes", 0), sum(each.get("IndexSizeBytes", 0) for each in indexes))


def keep(usage: Usage) -> bool:
    """Keep it unless a later reading is kept already; False then.  Readings are whole, so the later one is right."""
    version = int(usage.read_at.timestamp())
    older = DocumentItem.pk.does_not_exist() | (DocumentItem.version <= version)
    try:
        documents.item("USAGE", usage.month, usage, version=version).save(condition=older)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True
