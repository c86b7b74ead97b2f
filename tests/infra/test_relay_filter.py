"""What the stream's filter lets through: everything that means something to the relay, and little else."""

from typing import Any

import pytest

from chalicelib.jobs import relay
from infra.resources.handlers import RELAYED
from tests.engine import MORNING, Desk

SOME = {"S": "x"}
DELIVERY = {"state": {"S": "queued"}, "send_at": {"S": "2026-11-20T09:00:00.000000Z"}, "attempts": {"N": "0"}}
TOLD: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("TICKET#1042", "TICKET", {"version": {"N": "2"}}),
    ("TICKET#1042", "MESSAGE#01", {}),
    ("TICKET#1042", "DELIVERY#01", DELIVERY),
    ("RECEIPTS#2026-11-20", "a#support#0", {"time_key": SOME}),
    ("NOTICES#lina", "01", {}),
    ("LEAVING#lina", "2026-11-20T09:00:00.000Z", {"time_key": SOME}),
)
SILENT = (
    ("TICKET#1042", "DRAFT#lina"),
    ("TICKET#1042", "COUNTED"),
    ("TICKET#1042", "BODY#01"),
    ("TICKET#1042", "TIMER#snooze"),
    ("SESSION#abc", "SESSION"),
    ("COUNTERS", "open#0"),
    ("LIVE", "c1"),
    ("CUSTOMER#1", "CUSTOMER"),
    ("WORD#mug", "1042"),
)


def matches(rule: Any, value: Any) -> bool:
    """AWS's rules as far as we use them: a list names alternatives, ``prefix`` the beginning of a text."""
    if isinstance(rule, dict):
        return all(isinstance(value, dict) and name in value and matches(rule[name], value[name]) for name in rule)
    return any(str(value).startswith(each["prefix"]) if isinstance(each, dict) else value == each for each in rule)


def passes(record: dict[str, Any]) -> bool:
    return any(matches(pattern, record) for pattern in RELAYED)


def a_record(event: str, pk: str, sk: str, **images: dict[str, Any]) -> dict[str, Any]:
    return {"eventName": event, "dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}, **images}}


@pytest.mark.engine
@pytest.mark.parametrize(("pk", "sk", "image"), TOLD)
@pytest.mark.parametrize("event", ["INSERT", "MODIFY", "REMOVE"])
def test_whatever_the_relay_sends_on_passes_the_filter(
    desk: Desk, event: str, pk: str, sk: str, image: dict[str, Any]
) -> None:
    images = {
        "INSERT": {"NewImage": image | {"at": SOME}},
        "MODIFY": {"NewImage": image | {"at": SOME}, "OldImage": {"at": SOME, "state": {"S": "sending"}}},
        "REMOVE": {"OldImage": image | {"at": SOME}},
    }[event]
    record = a_record(event, pk, sk, **images)
    assert passes(record) or relay.parcels_of(record, MORNING) == []
    if event == "INSERT":
        assert passes(record) and relay.parcels_of(record, MORNING)


@pytest.mark.engine
@pytest.mark.parametrize(("pk", "sk"), SILENT)
def test_what_means_nothing_does_not_wake_the_relay(desk: Desk, pk: str, sk: str) -> None:
    record = a_record("INSERT", pk, sk, NewImage={"data": SOME})
    assert not passes(record)
    assert relay.parcels_of(record, MORNING) == []
