"""Schedule edge."""


def sweep() -> None:
    """Every minute."""


def repair() -> None:
    """Every 5 minutes."""


def hourly() -> None:
    """Every hour."""


def daily() -> None:
    """Every day at 02:17 UTC."""
