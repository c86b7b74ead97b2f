"""Queue edge: what waits for its minute."""

from typing import Any


def later(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SQS batch of delayed things."""
    return {"batchItemFailures": []}
