"""What agents and customers do.  A feature adds its own: one function with ``@act`` in a file of this folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from tests.simulation import draws
from tests.simulation.desk import Desk

T = TypeVar("T")
FILES = ("customers", "agents", "calendars", "merging", "office", "own", "presence", "replies", "staff")


@dataclass(frozen=True)
class Turn:
    """One act's place in the history: its number, and chance of its own."""

    desk: Desk
    n: int

    def share(self, *what: object) -> float:
        return draws.share(self.desk.world.seed, "act", self.n, *what)

    def among(self, options: Sequence[T], *what: object) -> T:
        return draws.among(options, self.desk.world.seed, "act", self.n, *what)

    def maybe(self, options: Sequence[T], *what: object) -> T | None:
        return self.among(options, *what) if options else None

    def between(self, low: float, high: float, *what: object) -> float:
        return draws.between(low, high, self.desk.world.seed, "act", self.n, *what)

    def chance(self, rate: float, *what: object) -> bool:
        return self.share("chance", *what) < rate


Act = Callable[[Turn], Any]
A = TypeVar("A", bound=Act)


@dataclass(frozen=True)
class Known:
    """``weight``: how often it happens, against the others'."""

    name: str
    weight: float
    act: Act


REGISTRY: dict[str, Known] = {}


def act(weight: float) -> Callable[[A], A]:
    """Make the function one of the acts of every history."""

    def register(function: A) -> A:
        name = function.__name__.replace("_", " ")
        assert name not in REGISTRY, f"there are two acts “{name}”"
        REGISTRY[name] = Known(name, weight, function)
        return function

    return register


def all_acts() -> Sequence[Known]:
    """Every act, in the order of its name: so that a new file changes no draw but by its weight."""
    for file in FILES:
        import_module(f"{__name__}.{file}")
    return [REGISTRY[name] for name in sorted(REGISTRY)]
