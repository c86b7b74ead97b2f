"""Stream edge: send each committed fact on."""

from typing import Any


def relay(event: dict[str, Any], context: object) -> None:
    """DynamoDB stream batch."""
