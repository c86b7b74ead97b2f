"""How often somebody did something within a window of time."""

from datetime import UTC, datetime, timedelta

from chalicelib.store.models import CounterItem


def count(name: str, now: datetime, window_seconds: int) -> tuple[int, int]:
    """Count once more; return the count within the present window and the seconds until the next one begins."""
    elapsed = int(now.timestamp())
    start = elapsed - elapsed % window_seconds
    expires_at = datetime.fromtimestamp(start, UTC) + timedelta(seconds=2 * window_seconds)
    counter = CounterItem(f"RATE#{name}", f"{start}")
    counter.update(actions=[CounterItem.amount.add(1), CounterItem.expires_at.set(expires_at)])
    return int(counter.amount), start + window_seconds - elapsed
