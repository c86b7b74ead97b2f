"""SNS edge: what SES says about our mails."""

from typing import Any


def delivery_events(event: dict[str, Any], context: object) -> None:
    """SNS event with one SES event document per record."""
