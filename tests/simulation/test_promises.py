"""The promises bite: a desk that goes wrong in a way that was once excused is told of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.connectors import Original, Parsed
from chalicelib.errors import Conflict, DeskbellError, MalformedPayload, NotFound
from chalicelib.jobs import delivery_events, inbound
from chalicelib.services import record_state
from chalicelib.services.receive_message import Envelope
from chalicelib.store.transaction import Lost
from tests.simulation import world as world_module
from tests.simulation.desk import Desk
from tests.simulation.errors import Chokes
from tests.simulation.faults import Rates
from tests.simulation.history import Plan, run
from tests.simulation.mails import UNREADABLE, MailKind, a_mail
from tests.simulation.promises import DIED_OF, State, check
from tests.simulation.sources import Sources
from tests.simulation.witness import Witness
from tests.simulation.world import TIMEOUTS, TOO_EARLY, Environment, Invocation, World, is_expected

NO_FAULTS = Rates(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
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


def test_a_mail_given_up_because_aws_was_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mail that comes again, whatever the reason was, passes for one that cannot be read."""
    right = inbound._events

    def wrong(source: Original, envelope: Envelope, attempt: int) -> Sequence[Parsed]:
        return (inbound._unreadable(source, ""),) if attempt > 1 else right(source, envelope, attempt)

    monkeypatch.setattr(inbound, "_events", wrong)
    told = (promises_broken(seed, Rates(reading=0, heavy=0)) for seed in range(SEED, SEED + 20))
    assert any("1 what can be read is read" in each for each in told)


def test_a_customer_whose_answer_failed_and_who_waits_no_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_state, "_waits_since", lambda ticket, failed: ticket.waiting_since)
    assert any("3 who was not answered waits" in promises_broken(seed) for seed in range(1, 41))


def _taken_in(kind: MailKind, heavy: float) -> tuple[Desk, State]:
    """One mail, in a world where nothing goes wrong but its reading; an hour later."""
    world = World(SEED, MORNING, replace(NO_FAULTS, heavy=heavy))
    with world.running():
        desk = Desk(world, Sources(world))
        witness = Witness(world)
        desk.set_up()
        to = ("support@shop.example",)
        desk.mail_arrives(a_mail("1", "ada@one.example", to, world.time, "Parcel", to, kind=kind))
        world.run_until(MORNING + timedelta(hours=1))
        check(desk, witness, world.violate)
        return desk, State(desk, witness)


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_given_up_and_shown(kind: MailKind) -> None:
    desk, state = _taken_in(kind, heavy=0)
    assert desk.world.violations == []
    assert state.was_given_up(desk.mails[0])
    assert [each["subject"] for each in state.tickets.values()] == ["Message that could not be read"]


def test_a_mail_that_took_its_reader_along_is_read_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with its function, once alone: then it is given up; once only: then it is not."""
    monkeypatch.setattr(world_module, "MOSTLY", 1.0)
    desk, state = _taken_in("human", heavy=1)
    assert desk.world.violations == []
    assert desk.world.died_of["in1"] >= DIED_OF
    assert state.was_given_up(desk.mails[0])
    monkeypatch.setattr(world_module, "MOSTLY", 0.0)
    desk, state = _taken_in("human", heavy=1)
    assert desk.world.violations == []
    assert not state.was_given_up(desk.mails[0])


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
