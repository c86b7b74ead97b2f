"""One record at a time out of an SQS batch: what fails comes again, the rest is done."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib import wiring
from chalicelib.observability import failed, flush


def each_record(
    event: Mapping[str, Any], handle: Callable[[dict[str, Any]], None], fifo: bool = False
) -> dict[str, Any]:
    """Handle every record; answer with the ids that failed (``ReportBatchItemFailures``).

    fifo: after a failure the rest of that message group fails too, so that its order is kept.
    """
    wiring.begin()
    failures: list[dict[str, str]] = []
    stopped: set[str] = set()
    for record in event["Records"]:
        group = record.get("attributes", {}).get("MessageGroupId", "") if fifo else ""
        if fifo and group in stopped:
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        try:
            handle(record)
        except Exception:  # the queue brings it again, then the dead-letter queue shows it
            failed("record failed", record=record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
            stopped.add(group)
    flush()
    return {"batchItemFailures": failures}
