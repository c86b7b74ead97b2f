"""One history: a desk, what everybody does, what goes wrong, then quiet, then the promises."""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib import wiring
from chalicelib.errors import Conflict
from chalicelib.services import breaker, dead_letters
from tests.simulation import draws, promises
from tests.simulation.acts import Known, Turn, all_acts
from tests.simulation.acts.staff import rebuild_all
from tests.simulation.desk import Desk
from tests.simulation.faults import Kind, Name, Rates
from tests.simulation.providers import SesEvents
from tests.simulation.sites import Site, Way
from tests.simulation.sources import Sources
from tests.simulation.witness import Witness
from tests.simulation.world import World

LEAST_ACTS, MOST_TURNS = 30, 120
LEAST_FAULTS = 5
STARTS = (
    datetime(2026, 11, 20, 9, 0, 7, tzinfo=UTC),
    datetime(2026, 11, 20, 23, 47, 7, tzinfo=UTC),  # over midnight
    datetime(2026, 11, 30, 23, 50, 7, tzinfo=UTC),  # over the end of the month
    datetime(2026, 11, 20, 2, 2, 7, tzinfo=UTC),  # over the night's recount
)
QUIET_STEP = timedelta(minutes=5)
QUIET_MOST = timedelta(hours=20)
LETTERS_EVERY = timedelta(minutes=20)


@dataclass(frozen=True)
class Plan:
    """What makes a history: all of it follows from the seed; ``acts`` and ``faults`` keep these alone (shrunk)."""

    seed: int
    acts: Collection[int] | None = None
    faults: Collection[Name] | None = None


@dataclass(frozen=True)
class Result:
    plan: Plan
    violations: tuple[str, ...]
    lines: tuple[str, ...]
    acts: tuple[int, ...]
    """The turns that were played."""
    effective: int
    """How many of them did something: some find nothing to act on."""
    faults: dict[Name, Kind]
    called: frozenset[Site]
    crashed: frozenset[Site]
    ways: frozenset[Way]
    ways_crashed: frozenset[Way]
    invocations: Counter[str]
    lateness: tuple[float, ...]
    unhindered: tuple[float, ...]
    checked: Counter[str]
    """How often each promise had something to look at."""

    @property
    def injected(self) -> int:
        """Faults that struck, cold starts not counted: those happen on good days too."""
        return sum(kind != "cold start" for kind in self.faults.values())

    @property
    def digest(self) -> str:
        """Equal for equal histories."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def run(plan: Plan, rates: Rates | None = None) -> Result:
    """Play a history and check it."""
    start = draws.among(STARTS, plan.seed, "start")
    world = World(plan.seed, start, rates, plan.faults)
    with world.running():
        desk = Desk(world, Sources(world))
        witness = Witness(world)
        SesEvents(world, desk.sources)
        desk.set_up()
        desk.sources.wake_relay()
        desk.sources.tick(start + QUIET_MOST + timedelta(hours=3))
        played, effective = _play(plan, desk)
        _calm(desk)
        promises.check(desk, witness, world.violate)
    return Result(
        plan, tuple(world.violations), tuple(world.lines), tuple(played), effective, dict(world.faults.struck),
        frozenset(world.called), frozenset(world.crashed), frozenset(world.ways),
        frozenset(world.ways_crashed), world.counts, tuple(witness.lateness), tuple(witness.unhindered), world.checked,
    )  # fmt: skip


def _play(plan: Plan, desk: Desk) -> tuple[list[int], int]:
    """Everybody acts, until enough was done and enough went wrong; the turns, and how many did something."""
    world, known = desk.world, all_acts()
    played: list[int] = []
    effective = 0
    wanted = range(MOST_TURNS) if plan.acts is None else range(max(plan.acts, default=-1) + 1)
    for n in wanted:
        if plan.acts is None and effective >= LEAST_ACTS and world.faults.injected >= LEAST_FAULTS:
            break
        world.run_until(world.time + timedelta(seconds=_gap(plan.seed, n)))
        if plan.acts is not None and n not in plan.acts:
            continue
        chosen: Known = draws.weighted([(each, each.weight) for each in known], plan.seed, "which act", n)
        before = world.done
        chosen.act(Turn(desk, n))
        effective += world.done > before
        played.append(n)
    return played, effective


def _gap(seed: int, n: int) -> float:
    """Mostly half a minute at most, often at the same moment, now and then minutes."""
    draw = draws.share(seed, "gap", n)
    if draw < 0.3:
        return 0.0
    return draw * 45 if draw < 0.93 else draw * 400


def _calm(desk: Desk) -> None:
    """Nothing goes wrong any more; time passes until nothing moves."""
    world = desk.world
    world.say("quiet", "-")
    world.calm()
    end, letters_at = world.time + QUIET_MOST, world.time
    counted = False
    while world.time < end:
        world.run_until(world.time + QUIET_STEP)
        if world.time >= letters_at:
            letters_at = world.time + LETTERS_EVERY
            world.invoke("web", lambda: _tidy(desk))
        if _moves(desk):
            continue
        if counted:
            break
        counted = True
        promises.counts_follow(desk, world.violate)
        from chalicelib.jobs import clock

        if desk.spoiled & {"lists", "words"}:
            desk.operator("rebuilds what is derived", lambda: rebuild_all(desk.now()))

        world.invoke("daily", clock.daily, label="the night's account")


def _moves(desk: Desk) -> bool:
    """Is anything still on its way?"""
    cloud = desk.world.cloud
    if desk.world.in_flight or any(cloud.stream(shard, 1) for shard in range(cloud.shards())):
        return True
    if any(cloud.waiting(queue) for queue in ("inbound", "work", "later", "outbound")):
        return True
    if any(letter.body not in desk.poison for letter in cloud.letters()):
        return True
    return bool(cloud.marks("") or cloud.objects("raw/") or cloud.objects("parked/"))


def _tidy(desk: Desk) -> None:
    """An admin resumes what is stopped, and sends back what lies on the dead-letter queues."""
    admin = desk.actor(desk.agents[2])
    for inbox, _ in breaker.open_breakers():
        breaker.resume(inbox.id, admin, desk.now())
    sqs, queues = wiring.client("sqs"), wiring.dead_queues()
    for letter in dead_letters.listing(sqs, queues):
        if letter.body in desk.poison:
            continue
        try:
            dead_letters.retry(sqs, queues, letter.id, admin, desk.now())
        except Conflict:
            dead_letters.discard(sqs, queues, letter.id, "It is repaired by itself.", admin, desk.now())
