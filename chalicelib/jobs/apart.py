"""Something done in a process of its own: when it dies of it, or hangs, nothing else is taken along."""

import os
import pickle
import resource
import select
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from chalicelib.errors import DeskbellError

T = TypeVar("T")
SECONDS = 10.0
"""A mail of 39 MB takes a few; so that a batch that holds some that hang still ends in time."""
EXTRA_BYTES = 640 * 1024 * 1024
"""What it may take beyond what this process has already: intake has 1 GB."""
MAX_ANSWER_BYTES = 200 * 1024 * 1024
CHUNK_BYTES = 1 << 20
STATM = Path("/proc/self/statm")


class Died(DeskbellError):
    """The other process ended without an answer: out of memory, out of time, or killed."""


def apart(work: Callable[[], T], seconds: float = SECONDS, extra_bytes: int = EXTRA_BYTES) -> T:
    """What ``work`` answers or raises, done in a copy of this process.

    ``work`` may call nobody: connections are shared with the copy.  What it answers must be picklable.  Raises Died.
    """
    hears, tells = os.pipe()
    process = _copied()
    if process == 0:
        os.close(hears)
        _answer(work, tells, extra_bytes)
    os.close(tells)
    heard = None
    try:
        heard = _heard(hears, seconds)
    finally:
        os.close(hears)
        if heard is None:
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
    if not heard or status != 0:
        raise Died(f"It ended without an answer (status {status}).")
    answered, what = pickle.loads(heard)  # noqa: S301 - our own copy wrote it
    if not answered:
        raise what
    done: T = what
    return done


def _copied() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the copy runs no other thread, and calls nobody
        try:
            return os.fork()
        except OSError as error:
            raise Died(f"There is no room for another process: {error}.") from error


def _answer(work: Callable[[], Any], tells: int, extra_bytes: int) -> NoReturn:
    """In the copy: do it, tell, and end without a look back (no exit handlers, no buffers of the parent's)."""
    try:
        _limit(extra_bytes)
        try:
            said = pickle.dumps((True, work()))
        except MemoryError:
            os._exit(1)  # out of memory is a death, here as in Lambda
        except Exception as error:
            said = _packed(error)
        with os.fdopen(tells, "wb") as told:
            told.write(said)
        os._exit(0)
    finally:
        os._exit(1)


def _packed(error: Exception) -> bytes:
    try:
        return pickle.dumps((False, error))
    except Exception:  # it holds what cannot travel: its words can
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))


def _limit(extra_bytes: int) -> None:
    """So that it runs out of memory alone.  Where the system does not tell what is taken (no Linux), nothing limits."""
    if STATM.exists():
        taken = int(STATM.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + extra_bytes, taken + extra_bytes))


def _heard(hears: int, seconds: float) -> bytes | None:
    """All that the copy told; None when it was not done in time, or told too much."""
    end, told = time.monotonic() + seconds, bytearray()
    while len(told) <= MAX_ANSWER_BYTES and select.select([hears], [], [], max(0.0, end - time.monotonic()))[0]:
        part = os.read(hears, CHUNK_BYTES)
        if not part:
            return bytes(told)
        told += part
    return None
