"""Queue edge: the consequences of committed facts."""

from typing import Any


def work(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SQS batch of facts."""
    return {"batchItemFailures": []}
