"""Chance without a stream: every draw depends on the seed and on what is drawn for, and on nothing drawn before.

So an act or a fault that is left out while a history is shrunk changes none of the others.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
SPAN = 1 << 64


def number(seed: int, *what: object) -> int:
    """0 … 2^64-1."""
    named = repr((seed, *what)).encode()
    return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "big")


def share(seed: int, *what: object) -> float:
    """0 … 1, 1 excluded."""
    return number(seed, *what) / SPAN


def among(options: Sequence[T], seed: int, *what: object) -> T:
    return options[number(seed, *what) % len(options)]


def between(low: float, high: float, seed: int, *what: object) -> float:
    return low + (high - low) * share(seed, *what)


def weighted(options: Sequence[tuple[T, float]], seed: int, *what: object) -> T:
    """One of ``(option, weight)``."""
    left = share(seed, *what) * sum(weight for _, weight in options)
    for option, weight in options:
        left -= weight
        if left < 0:
            return option
    return options[-1][0]
