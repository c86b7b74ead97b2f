"""Everything in the desk's code that is not the same every time, made so: clock, chance, threads, module state."""

import pickle
import random
import secrets
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, tzinfo
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar
from unittest.mock import patch

from chalicelib import config, observability, wiring
from chalicelib.connectors.email import channel as email_channel
from chalicelib.connectors.email import mime
from chalicelib.connectors.email.parsed import ParsedMail
from chalicelib.jobs import apart, inbound, push, relay
from chalicelib.services import attempts, dead_letters, ledger, mail_setup, password_links, sign_in
from tests.simulation.errors import Chokes, Gone

Clock = Callable[[], datetime]


class Inline:
    """A pool of one, here and now: threads would make each run another."""

    def __init__(self, max_workers: int = 1) -> None:
        self.max_workers = max_workers

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def map(self, act: Callable[[Any], Any], *many: Sequence[Any]) -> list[Any]:
        return [act(*each) for each in zip(*many, strict=False)]


class Log:
    """Stands in for the logger: keeps what broke, and drops the rest."""

    def __init__(self, note: Callable[[str, BaseException | None], None]) -> None:
        self._note = note

    def exception(self, event: str, **_: Any) -> None:
        self._note(event, sys.exc_info()[1])

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


NO_METRICS = SimpleNamespace(metric_set={}, add_metric=lambda **_: None, flush_metrics=lambda **_: None)
CHOKES_ON = b"From: \xff\xfe<<"
"""How a mail begins that the reader chokes on, as one day it will on some mail (``mails``: poison)."""
KILLS = b"X-Kills-Its-Reader"
"""What stands in a mail that takes whoever reads it along: out of memory, out of time (``mails``: deadly)."""
T = TypeVar("T")


def _parse(raw: bytes) -> ParsedMail:
    if CHOKES_ON in raw:
        raise Chokes("the reader chokes on this mail")
    return mime.parse_mail(raw)


parse_once = lru_cache(maxsize=4096)(_parse)
"""Reading a mail depends on its bytes alone; the same ones come again after every crash."""


class World(Protocol):
    """What of a world the desk's code meets unknowingly."""

    seed: int

    def now(self) -> datetime: ...

    def pause(self, seconds: float) -> None: ...

    def broke(self, event: str, error: BaseException | None) -> None: ...

    def reading(self, raw: bytes) -> None: ...

    def apart(self) -> AbstractContextManager[None]: ...


def _in_a_copy(world: World, work: Callable[[], T]) -> T:
    """As ``jobs.apart`` does it, with a copy that this world alone can kill; its answer travels as it does there."""
    try:
        with world.apart():
            answer: T = pickle.loads(pickle.dumps(work()))  # noqa: S301 - our own copy wrote it
            return answer
    except Gone:
        raise apart.Died("It ended without an answer (status 9).") from None


def _clock_type(now: Clock) -> type[datetime]:
    class SimulatedDatetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "SimulatedDatetime":
            return now().astimezone(tz)  # type: ignore[return-value]  # compared with other instants only

    return SimulatedDatetime


@contextmanager
def deterministic(world: World) -> Iterator[None]:
    """Inside, the desk's code sees the world's time, waits by its ``pause``, and random bytes follow from its seed."""
    chance, now = random.Random(world.seed), world.now
    simulated = _clock_type(now)
    origin = now()

    def read(raw: bytes) -> ParsedMail:
        world.reading(raw)
        return parse_once(raw)

    with ExitStack() as stack:

        def put(where: Any, name: str, value: Any) -> None:
            stack.enter_context(patch.object(where, name, value))

        put(config, "now", now)
        put(config, "pause", world.pause)
        put(inbound, "datetime", simulated)
        put(relay, "datetime", simulated)
        put(wiring, "time", SimpleNamespace(monotonic=lambda: (now() - origin).total_seconds()))
        put(secrets, "token_bytes", lambda count=32: chance.randbytes(count))
        put(secrets, "token_hex", lambda count=32: chance.randbytes(count).hex())
        put(secrets, "token_urlsafe", lambda count=32: chance.randbytes(count).hex())
        put(secrets, "choice", chance.choice)
        put(secrets, "randbelow", chance.randrange)
        put(uuid, "uuid4", lambda: uuid.UUID(int=chance.getrandbits(128)))
        for module in (push, mail_setup, ledger, dead_letters):
            put(module, "ThreadPoolExecutor", Inline)
        for module in (attempts, sign_in, password_links):
            put(module, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: None))
        put(observability, "logger", Log(world.broke))
        put(observability, "metrics", NO_METRICS)
        put(email_channel, "parse_mail", read)
        put(inbound, "apart", lambda work: _in_a_copy(world, work))
        yield


State = dict[int, Any]
"""What one running function keeps between its invocations, by container."""


@lru_cache(maxsize=1)
def containers() -> tuple[list[Any] | dict[Any, Any] | set[Any], ...]:
    """Module-level lists, dicts and sets of ours that change: their names are private and in lower case."""
    found: dict[int, Any] = {}
    for name, module in sorted(sys.modules.items()):
        if not name.startswith("chalicelib"):
            continue
        for attribute, value in vars(module).items():
            private = attribute.startswith("_") and not attribute.startswith("__")
            if private and attribute.islower() and isinstance(value, list | dict | set):
                found[id(value)] = value
    return tuple(found.values())


def fresh() -> State:
    """The state of a cold start: every container empty."""
    return {id(each): type(each)() for each in containers()}


def load(state: State) -> None:
    """Let the modules hold what this function had."""
    for each in containers():
        kept = state[id(each)]
        if not each and not kept:
            continue
        each.clear()
        if isinstance(each, list):
            each.extend(kept)
        else:
            each.update(kept)


def saved() -> State:
    return {id(each): type(each)(each) for each in containers()}


def forget_everything() -> None:
    """As if the process had just begun."""
    load(fresh())
    config.settings.cache_clear()
    wiring.channel.cache_clear()
