"""The promises bite: a desk that goes wrong in a way that was once excused is told of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.errors import Conflict, DeskbellError, MalformedPayload, NotFound
from chalicelib.jobs import delivery_events
from chalicelib.store.transaction import Lost
from tests.simulation.errors import Chokes
from tests.simulation.faults import Rates
from tests.simulation.history import Plan, run
from tests.simulation.world import TIMEOUTS, TOO_EARLY, Environment, Invocation, is_expected

NO_FAULTS = Rates(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SEED = 5


def promises_broken(seed: int = SEED, rates: Rates | None = None) -> set[str]:
    return {each.partition(":")[0] for each in run(Plan(seed), rates).violations}


@pytest.mark.parametrize("slip", [KeyError("bounce"), IndexError("no recipient"), NotFound("There is no such ticket.")])
def test_a_slip_is_told_whatever_its_class(slip: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A KeyError and an IndexError are LookupErrors too, and a queue is nobody to tell that something is not found."""
    right, calls = delivery_events.delivery_events, []

    def wrong(event: dict[str, Any], context: object) -> None:
        right(event, context)
        calls.append(1)
        if len(calls) % 3 == 0:
            raise slip

    monkeypatch.setattr(delivery_events, "delivery_events", wrong)
    assert "nothing breaks unless the world does" in promises_broken()
    assert len(calls) > 3


def _of(function: str, struck: bool = False, rubbish: bool = False) -> Invocation:
    return Invocation(function, f"{function}#1", MORNING, Environment({}), None, struck=struck, rubbish=rubbish)


@pytest.mark.parametrize("error", [Chokes("odd"), LookupError(TOO_EARLY), Lost(frozenset({"receipt"}))])
def test_what_the_desk_raises_on_purpose_is_no_slip(error: Exception) -> None:
    assert is_expected(_of("intake"), error)


@pytest.mark.parametrize("error", [LookupError("unknown encoding: x"), KeyError("a"), IndexError(), UnicodeError()])
def test_a_slip_is_excused_after_a_fault_of_the_worlds_alone(error: Exception) -> None:
    assert not any(is_expected(_of(function), error) for function in TIMEOUTS)
    assert is_expected(_of("intake", struck=True), error)


@pytest.mark.parametrize("error", [NotFound("gone"), Conflict("changed"), MalformedPayload("what is that?")])
def test_errors_for_people_are_for_people(error: DeskbellError) -> None:
    for function in ("intake", "work", "later", "deliver", "delivery_events", "sweep", "daily"):
        assert not is_expected(_of(function), error)
    assert is_expected(_of("web"), error)
    assert is_expected(_of("intake", rubbish=True), error) == isinstance(error, MalformedPayload)
    assert not is_expected(_of("web"), DeskbellError("broke"))
