"""The local stack's CloudWatch holds what AWS's would."""

from typing import Any, cast

import pytest

from chalicelib import observability
from local.meter import Meter


def test_metrics_of_our_own_are_read_from_the_log_as_on_aws(capsys: pytest.CaptureFixture[str]) -> None:
    observability.flush()
    capsys.readouterr()
    for milliseconds in (700.0, 900.0):
        observability.latency("QueuedToSent", milliseconds)
    observability.flush()
    meter = Meter(cast(Any, None))
    meter.publish_own([*capsys.readouterr().out.splitlines(), '{"message": "sent"}', "Traceback:"])
    cloudwatch: Any = meter._cloudwatch
    points = cloudwatch._metric_bucket(("Deskbell", "QueuedToSent", cloudwatch._dims_key({"service": "deskbell"})))
    found = cloudwatch._calc_stats(points)
    assert (found["SampleCount"], found["Sum"]) == (2, 1_600)
