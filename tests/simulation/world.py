"""One desk in one process: simulated AWS, a simulated clock, and everything that happens in order of its time.

Each running function is a coroutine (a greenlet) that may stop at any call of its own, while others go on: so two
workers race exactly where they could race at AWS, and the same seed races them the same way every time.
"""

import heapq
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet

from chalicelib.errors import DeskbellError, MalformedPayload
from chalicelib.store.transaction import Lost
from infra.functions import FUNCTIONS
from tests.simulation import determinism, draws, errors, sites
from tests.simulation.cloud import Cloud
from tests.simulation.determinism import KILLS
from tests.simulation.errors import Chokes, Gone, Killed
from tests.simulation.faults import (
    CLOCKS_BEHIND,
    MOST_SECONDS_BEHIND,
    RETRIED_BY_THE_SDK,
    Faults,
    Kind,
    Name,
    Rates,
)
from tests.simulation.mails import ses_id_of

OPERATOR = "operator"
"""No function at AWS: a command on a machine of the desk's owner.  It may be cut off like any of them."""
TIMEOUTS = {each.name: each.timeout_seconds for each in FUNCTIONS} | {OPERATOR: 3600}
INTERLEAVED = (0.04, 0.08, 0.3)
"""Share of calls at which others go on meanwhile: one of these in each history."""
DIES: frozenset[Kind] = frozenset({"dies before", "dies after", "hangs before", "hangs after"})
ASKED_BY_PEOPLE = frozenset({"web", "hooks", "live_connect", "live_message", "live_disconnect"})
"""Functions that somebody waits for: they may answer with an error that says what to do.  A queue tells nobody."""
MOSTLY = 0.6
"""How often whoever reads a heavy mail is gone."""
TOO_EARLY = "the edit came before its message"
"""What the queue brings again: the one plain LookupError that is raised on purpose."""


@dataclass
class Environment:
    """One warm copy of a function: its module state between invocations."""

    state: determinism.State = field(default_factory=determinism.fresh)


@dataclass
class Invocation:
    """One run of one function."""

    function: str
    name: str
    deadline: datetime
    environment: Environment
    done: Callable[["Ended"], None] | None
    coroutine: Any = None
    dead: bool = False
    struck: bool = False
    held: float = 0.0
    """Seconds for which the world let others go first."""
    apart: bool = False
    """A copy of it is at work."""
    rubbish: bool = False
    """It was handed what is no message of ours: it has to refuse that."""
    records_failed: int = 0
    behind: timedelta = timedelta(0)
    """How much its computer's clock is behind."""


@dataclass(frozen=True)
class Ended:
    """How an invocation ended: ``died`` before its end, ``broke`` with an exception, or with a value."""

    value: Any = None
    broke: Exception | None = None
    died: bool = False
    records_failed: int = 0

    @property
    def well(self) -> bool:
        return self.broke is None and not self.died


class World:
    def __init__(
        self, seed: int, start: datetime, rates: Rates | None = None, allowed: Collection[Name] | None = None
    ) -> None:
        self.seed = seed
        self.start = start
        self.time = start
        self.faults = Faults(seed, rates or Rates(), allowed, clock=lambda: self.time)
        self.lines: list[str] = []
        self.violations: list[str] = []
        self.checked: Counter[str] = Counter()
        self.called: set[sites.Site] = set()
        self.crashed: set[sites.Site] = set()
        self.held: dict[str, datetime] = {}
        """When each function was last made to wait, so that others go first."""
        self.ways: set[sites.Way] = set()
        self.ways_crashed: set[sites.Way] = set()
        self.current: Invocation | None = None
        self.in_flight = 0
        self.calm_since: datetime | None = None
        self._interleaved = draws.among(INTERLEAVED, seed, "how much is interleaved")
        self.counts: Counter[str] = Counter()
        self._hub = getcurrent()
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._ordinal = 0
        self._idle: dict[str, list[Environment]] = {}
        self.reads: Counter[str] = Counter()
        self.died_of: Counter[str] = Counter()
        """How often whoever read a mail was gone, by the id SES gave it."""
        self.watchers: list[Callable[[str, str, dict[str, Any], Any], None]] = []
        self.cloud = Cloud(self)

    # -- time ---------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """What the desk's code reads off its clock."""
        return self.time - self.current.behind if self.current else self.time

    def calm(self) -> None:
        """From now on nothing goes wrong any more."""
        self.faults.on = False
        self.calm_since = self.time

    def at(self, when: datetime, act: Callable[[], None]) -> None:
        """Let it happen then (at once when that is past), behind whatever was planned for the same moment."""
        self._ordinal += 1
        heapq.heappush(self._events, (max(when, self.time), self._ordinal, act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.at(self.time + timedelta(seconds=seconds), act)

    @property
    def done(self) -> tuple[int, int]:
        """Grows with whatever anybody does: each act says what it does, or plans it."""
        return len(self.lines), self._ordinal

    def run_until(self, end: datetime) -> None:
        """Let everything happen that is due by then."""
        while self._events and self._events[0][0] <= end:
            self.time, _, act = heapq.heappop(self._events)
            act()
        self.time = max(self.time, end)

    def next_event(self) -> datetime | None:
        return self._events[0][0] if self._events else None

    def say(self, who: str, what: str) -> None:
        """One line of the history."""
        self.lines.append(f"{self.time:%d %H:%M:%S.%f}"[:-3] + f"  {who:<18} {what}")

    def saw(self, promise: str, times: int = 1) -> None:
        """A promise had something to look at: one that never has proves nothing."""
        if times:
            self.checked[promise] += times

    def violate(self, promise: str, what: str) -> None:
        self.violations.append(f"{promise}: {what}")
        self.say("PROMISE BROKEN", f"{promise}: {what}")

    # -- functions ----------------------------------------------------------------------------------------------------

    def invoke(
        self,
        function: str,
        handler: Callable[[], Any],
        done: Callable[[Ended], None] | None = None,
        label: str = "",
        rubbish: bool = False,
    ) -> None:
        """Run a function now; ``done`` hears how it ended.  ``rubbish``: it is handed what is no message of ours."""
        self.counts[function] += 1
        name = f"{function}#{self.counts[function]}"
        deadline = self.time + timedelta(seconds=TIMEOUTS[function])
        invocation = Invocation(function, name, deadline, self._environment(function), done, rubbish=rubbish)
        invocation.behind = self._behind(function)
        invocation.coroutine = greenlet(lambda: self._run(invocation, handler))
        self.in_flight += 1
        if label:
            self.say(name, label)
        self._resume(invocation)

    def _behind(self, function: str) -> timedelta:
        count = self.counts[function]
        if function not in CLOCKS_BEHIND or not self.faults.chance(
            "clock behind", self.faults.rates.clock_behind, function, count
        ):
            return timedelta(0)
        return timedelta(seconds=draws.between(0, MOST_SECONDS_BEHIND, self.seed, "behind", function, count))

    def _environment(self, function: str) -> Environment:
        idle = self._idle.setdefault(function, [])
        if not idle:
            return Environment()
        if self.faults.chance("cold start", self.faults.rates.cold_start, function, self.counts[function]):
            idle.clear()
            return Environment()
        return idle.pop()

    def _run(self, invocation: Invocation, handler: Callable[[], Any]) -> None:
        try:
            ended = Ended(handler(), records_failed=invocation.records_failed)
            if not invocation.struck:
                self.saw("nothing breaks unless the world does")
            if invocation.dead:
                self.violate("a killed function stays dead", f"{invocation.name} caught its death and went on")
                ended = Ended(died=True)
        except Killed:
            self.saw("a killed function stays dead")
            ended = Ended(died=True)
        except Exception as error:  # noqa: BLE001  # whatever a function raises, the runtime reports
            ended = Ended(broke=error)
            if not is_expected(invocation, error):
                self._unexpected(invocation.name, error)
        self.in_flight -= 1
        if not ended.died:
            self._idle.setdefault(invocation.function, []).append(invocation.environment)
        if invocation.done is not None:
            self.after(0, lambda: self._tell(invocation, ended))

    def _tell(self, invocation: Invocation, ended: Ended) -> None:
        assert invocation.done is not None
        invocation.done(ended)

    def _unexpected(self, name: str, error: BaseException) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
        self.violate("nothing breaks unless the world does", f"{name}: {type(error).__name__}: {error} ({place})")

    def _resume(self, invocation: Invocation) -> None:
        determinism.load(invocation.environment.state)
        self.current = invocation
        try:
            invocation.coroutine.switch()
        finally:
            self.current = None
            invocation.environment.state = determinism.saved()

    def _wait(self, invocation: Invocation, seconds: float) -> None:
        """Let others go on; die here when the function's time is over meanwhile."""
        over = self.time + timedelta(seconds=seconds) >= invocation.deadline
        until = invocation.deadline if over else self.time + timedelta(seconds=seconds)
        self.at(until, lambda: self._resume(invocation))
        self._hub.switch()
        if over:
            self._die(invocation, "timed out")

    def pause(self, seconds: float) -> None:
        """The desk's code waits of its own accord; outside a function time stands still."""
        if self.current is not None:
            self._wait(self.current, seconds)

    def _die(self, invocation: Invocation, why: str) -> None:
        invocation.dead = True
        self.say(invocation.name, why)
        raise Killed

    def broke(self, event: str, error: BaseException | None) -> None:
        """What the desk's code logged as broken: expected only after a fault of the world's."""
        invocation = self.current
        self.say(invocation.name if invocation else "?", f"{event}: {type(error).__name__}: {str(error)[:160]}")
        if event in ("record failed", "record could not be parked") and invocation is not None:
            invocation.records_failed += 1
        if error is not None and invocation is not None and not is_expected(invocation, error):
            self._unexpected(invocation.name, error)

    # -- reading ------------------------------------------------------------------------------------------------------

    def reading(self, raw: bytes) -> None:
        """A mail is being read now.  A deadly one kills its reader; any other may be what it is at when it is gone."""
        invocation = self.current
        if invocation is None:
            return
        mail = ses_id_of(raw)
        self.reads[mail] += 1
        rates = self.faults.rates
        heavy = draws.share(self.seed, "heavy", mail) < rates.heavy
        rate = MOSTLY if heavy else rates.reading
        if KILLS not in raw and not self.faults.chance("dies reading", rate, mail, self.reads[mail]):
            return
        invocation.struck = True
        self.died_of[mail] += 1
        if invocation.apart:
            self.say(invocation.name, f"! its copy is gone, reading {mail}")
            raise Gone
        self._die(invocation, f"! gone while it read {mail}")

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Inside, a copy of the function's process is at work: it may die alone, and may call nobody."""
        assert self.current is not None, "nobody but a function reads"
        invocation = self.current
        invocation.apart = True
        self.saw("what is done apart calls nobody")
        try:
            yield
        finally:
            invocation.apart = False

    # -- calls --------------------------------------------------------------------------------------------------------

    def call(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        """A call of the desk's code to AWS; ours pass through untouched."""
        return self.guarded(service, operation, lambda: self._effect(service, operation, arguments), arguments)

    def _effect(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        answer = self.cloud.call(service, operation, arguments)
        for watch in self.watchers:
            watch(service, operation, arguments, answer)
        return answer

    def guarded(
        self, service: str, operation: str, effect: Callable[[], Any], arguments: dict[str, Any] | None = None
    ) -> Any:
        """Do it, unless the world has other plans."""
        invocation = self.current
        if invocation is None:
            return effect()
        if invocation.dead:
            self.violate("a killed function stays dead", f"{invocation.name} called {operation} after its death")
            raise Killed
        if invocation.apart:
            self.violate("what is done apart calls nobody", f"{invocation.name} called {operation}")
        site = sites.here(operation)
        assert site is not None, f"{operation} was called by nobody of ours"
        self.called.add(site)
        way = (invocation.function, site, sites.asker())
        self.ways.add(way)
        if operation == "TransactWriteItems" and arguments is not None and "ClientRequestToken" not in arguments:
            self._ordinal += 1  # as the SDK does, so that its own repetition of a request is recognised
            arguments["ClientRequestToken"] = f"{draws.number(self.seed, 'token', self._ordinal):032x}"
        kind = self.faults.at_call(invocation.function, site, service)
        count = self.faults.calls[(invocation.function, str(site))]
        draw = draws.share(self.seed, "interleaved", invocation.function, str(site), count)
        if kind is None:
            if self.faults.on and draw < self._interleaved:
                invocation.held += draw / self._interleaved * 3
                self.held[invocation.function] = self.time
                self._wait(invocation, draw / self._interleaved * 3)
            return effect()
        if kind in DIES:
            self.ways_crashed.add(way)
        return self._struck(invocation, site, kind, service, operation, effect, draw)

    def _struck(
        self,
        invocation: Invocation,
        site: sites.Site,
        kind: Kind,
        service: str,
        operation: str,
        effect: Callable[[], Any],
        draw: float,
    ) -> Any:
        if kind == "twice" and service not in RETRIED_BY_THE_SDK:
            kind = "slow"
        invocation.struck = True
        self.say(invocation.name, f"! {kind} at {site}")
        if kind in DIES:
            self.crashed.add(site)
        if kind == "dies before":
            self._die(invocation, "killed")
        if kind == "hangs before":
            self._wait(invocation, 10_000)
        if kind == "throttled":
            raise errors.throttled(service, operation, odd=draw < 0.3)
        if kind == "refused":
            raise errors.refused(service, operation)
        if kind == "fails before":
            raise errors.failed_before(service, operation, odd=draw < 0.5)
        if kind == "slow":
            self._wait(invocation, 0.5 + draw * 15)
            return effect()
        effect()
        if kind == "dies after":
            self._die(invocation, "killed")
        if kind == "hangs after":
            self._wait(invocation, 10_000)
        if kind == "fails after":
            raise errors.failed_after(service, operation, odd=draw < 0.3)
        self._wait(invocation, 1)  # "twice": the answer was lost, and the SDK asks again
        return effect()

    @contextmanager
    def running(self) -> Iterator["World"]:
        """Inside, the desk's code runs in this world."""
        with determinism.deterministic(self), self.cloud.installed():
            determinism.forget_everything()
            yield self


def is_expected(invocation: Invocation, error: BaseException) -> bool:
    """Whether a function may raise or log this: the world struck it, or the desk raises it on purpose.

    Classes of Python's own are no excuse: a KeyError is a LookupError, and a bug.
    """
    if invocation.struck or isinstance(error, Lost | Chokes):
        return True
    if type(error) is LookupError:
        return str(error) == TOO_EARLY
    if isinstance(error, MalformedPayload) and invocation.rubbish:
        return True
    return invocation.function in ASKED_BY_PEOPLE and isinstance(error, DeskbellError) and error.status < 500
