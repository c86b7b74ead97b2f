"""SNS edge: what SES says about our mails."""

from collections.abc import Mapping
from typing import Any

from chalicelib import config, wiring
from chalicelib.connectors.email.events import read_event
from chalicelib.observability import count, flush, log, traced
from chalicelib.services import record_state

AS_HOPED = frozenset({"sent", "delivered"})
"""SES counts these itself; a metric of our own is paid for in every hour in which it is written."""


def delivery_events(event: dict[str, Any], context: object) -> None:
    """SNS event with one SES event document per record.  Raises so that SNS and Lambda deliver it again."""
    wiring.begin()
    apply(event)
    flush()


def apply(event: Mapping[str, Any]) -> None:
    """Record what an SNS event says; every change applies once, however often the event comes."""
    for record in event["Records"]:
        for change in read_event(record["Sns"]["Message"]):
            with traced(change.our_message_id or change.provider_id or ""):
                applied = record_state.record(change, config.now())
                log("delivery state", state=change.state, applied=applied, ticket=change.ticket_id)
                if change.state not in AS_HOPED:
                    count(change.state.capitalize())
