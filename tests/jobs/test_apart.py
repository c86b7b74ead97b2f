"""A process of its own: what it answers comes back, and how it ends harms nobody."""

import os
import signal
import time

import pytest

from chalicelib.errors import MalformedPayload
from chalicelib.jobs.apart import Died, apart


def test_what_is_answered_comes_back_however_large() -> None:
    assert apart(lambda: b"x" * 5_000_000) == b"x" * 5_000_000
    assert apart(os.getpid) != os.getpid()


def test_what_is_raised_is_raised_here() -> None:
    def malformed() -> None:
        raise MalformedPayload("That is no mail.")

    with pytest.raises(MalformedPayload, match="no mail"):
        apart(malformed)


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    class Odd(Exception):
        pass

    def odd() -> None:
        raise Odd("of this function alone")

    with pytest.raises(RuntimeError, match="Odd: of this function alone"):
        apart(odd)


def test_a_death_is_told() -> None:
    with pytest.raises(Died):
        apart(lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(Died):
        apart(lambda: os._exit(0))


def test_who_tells_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.jobs.apart.MAX_ANSWER_BYTES", 1 << 20)
    with pytest.raises(Died):
        apart(lambda: b"x" * (8 << 20))


def test_what_hangs_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(Died):
        apart(lambda: time.sleep(60), seconds=0.2)
    assert time.monotonic() - began < 30


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="only Linux tells how much a process has taken")
def test_it_may_take_so_much_memory_and_no_more() -> None:
    with pytest.raises(Died):
        apart(lambda: len(bytearray(200 << 20)), extra_bytes=100 << 20)


def test_no_process_is_left_behind() -> None:
    with pytest.raises(ChildProcessError):
        os.waitpid(apart(os.getpid), os.WNOHANG)
