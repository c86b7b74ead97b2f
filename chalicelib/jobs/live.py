"""WebSocket edge."""

from typing import Any


def connect(connection_id: str, query: dict[str, str]) -> dict[str, Any]:
    """A console opens its socket with a single-use ticket."""
    return {"statusCode": 200}


def message(connection_id: str, body: str) -> None:
    """A console says what it looks at."""


def disconnect(connection_id: str) -> None:
    """A console is gone."""
