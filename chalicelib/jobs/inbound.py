"""Queue edge: an original waits to be read."""

from typing import Any


def intake(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SQS batch of inbound notices; answers with the ids that failed."""
    return {"batchItemFailures": []}
