"""One logger, one set of metrics, and the keys every log line uses.

No personal data: ids, states and counts only, never a body, an address, a subject or a secret.  ``trace`` is what ties
the lines of one message together: the original's name on the way in, the message id on the way out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMESPACE = "Deskbell"

logger = Logger(service="deskbell", log_uncaught_exceptions=False)
metrics = EphemeralMetrics(namespace=NAMESPACE, service="deskbell")


def log(event: str, **facts: Any) -> None:
    """One structured line: what happened, with ids and numbers."""
    logger.info(event, extra=facts)


def warn(event: str, **facts: Any) -> None:
    logger.warning(event, extra=facts)


def failed(event: str, **facts: Any) -> None:
    """Inside an except block: the line carries the stack trace."""
    logger.exception(event, extra=facts)


def count(name: str, amount: float = 1) -> None:
    """Add to a metric of this invocation.

    AWS bills each metric for every hour in which it is written, so only five come day by day (Received, Shown,
    ReceivedToShown, Sent, QueuedToSent); the others mean trouble.  What else went well stands in the log.
    """
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=amount)


def latency(name: str, milliseconds: float) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=milliseconds)


@contextmanager
def traced(trace: str) -> Iterator[None]:
    """Every line inside carries ``trace``."""
    logger.append_keys(trace=trace)
    try:
        yield
    finally:
        logger.remove_keys(["trace"])


def flush() -> None:
    """Write the invocation's metrics as one EMF line; nothing when none were added."""
    if metrics.metric_set:
        metrics.flush_metrics()
