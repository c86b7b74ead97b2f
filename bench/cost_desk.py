"""The whole local stack in this process, with a meter on everything that AWS would bill."""

import contextlib
import copy
import io
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import launcher
from local.engine import Engine
from local.meter import FUNCTION_NAMES, Meter
from local.options import read_options, scrub_environment
from tests.stack import free_port, wait_for

QUIET_SECONDS = 0.4
"""For so long nothing may run before an act counts as over."""
APP_ID = "AWS_SDK_UA_APP_ID"
"""botocore puts it into every call's User-Agent, so the meter knows the caller."""


@dataclass
class Calls:
    """Of one function.  ``cpu_ms``: of its worker process, warm calls only."""

    warm: int = 0
    cold: int = 0
    cpu_ms: float = 0.0


class BenchMeter(Meter):
    """Also: processor time of every call, and the names of the metrics that were written to the logs."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.functions: dict[str, Calls] = {}
        self.metrics: set[str] = set()
        self._lock = threading.Lock()

    def attach(self) -> None:
        super().attach()
        runtime = self._engine.module("lambda_runtime")
        runtime.subprocess = _Named(runtime.subprocess)
        _time_calls(runtime.Worker, self._called)

    def logged(self, who: str, lines: list[str]) -> None:
        for line in lines:
            if '"CloudWatchMetrics"' in line:
                self.metrics.update(_metric_names(line))

    def _called(self, function: str, cold: bool, cpu_ms: float) -> None:
        with self._lock:
            calls = self.functions.setdefault(FUNCTION_NAMES.get(function, function), Calls())
            if cold:
                calls.cold += 1
            else:
                calls.warm += 1
                calls.cpu_ms += cpu_ms

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What happens inside is not counted."""
        kept = self.counts.copy(), self.calls.copy(), copy.deepcopy(self.functions), set(self.metrics)
        yield
        self.counts, self.calls, self.functions, self.metrics = kept

    def forget_callers(self, names: Collection[str]) -> None:
        """Leave out what these did: the schedules ring while a ticket lives, and are counted by themselves."""
        for counter in (self.counts, self.calls):
            for key in [each for each in counter if each[1] in names]:
                del counter[key]
        for name in names:
            self.functions.pop(name, None)

    def forget(self) -> None:
        with self._lock:
            self.counts, self.calls, self.functions, self.metrics = Counter(), Counter(), {}, set()


def _metric_names(line: str) -> set[str]:
    document = json.loads(line[line.index("{") :])
    return {
        each["Name"] for directive in document["_aws"]["CloudWatchMetrics"] for each in directive["Metrics"]
    }  # fmt: skip


def _time_calls(worker_class: Any, called: Any) -> None:
    invoke = worker_class.invoke

    def timed(worker: Any, *arguments: Any, **named: Any) -> Any:
        before = _cpu_ns(worker)
        answer = invoke(worker, *arguments, **named)
        cold = bool(answer.get("cold_start")) or before is None
        after = _cpu_ns(worker)
        spent = (after - before) / 1e6 if after is not None and before is not None else 0.0
        called(worker.func_name, cold or after is None, spent)
        return answer

    worker_class.invoke = timed


def _cpu_ns(worker: Any) -> int | None:
    """Processor time of the worker's process with all its threads; None while it has none.

    The clock's number is what clock_getcpuclockid(3) gives for the process.
    """
    process = worker._proc
    if process is None or process.poll() is not None:
        return None
    try:
        return time.clock_gettime_ns(((~process.pid) << 3) | 2)
    except OSError:
        return None


class _Named:
    """``subprocess`` for the function runtime: each worker's SDK says which function it serves."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def Popen(self, *arguments: Any, env: dict[str, str], **named: Any) -> Any:  # as the module it stands for
        return self._inner.Popen(
            *arguments, env={**env, APP_ID: env.get("AWS_LAMBDA_FUNCTION_NAME", "")}, **named
        )  # fmt: skip


@dataclass
class MeteredDesk:
    """A running desk.  ``settle`` after every act, so that each is billed alone, as at a desk with little to do."""

    engine: Engine
    meter: BenchMeter
    url: str
    api_url: str
    smtp_port: int
    credentials: dict[str, Any] = field(repr=False)

    def settle(self, seconds: float = 60) -> None:
        quiet_since = time.monotonic()

        def quiet() -> bool:
            nonlocal quiet_since
            if not self.engine.idle():
                quiet_since = time.monotonic()
            return time.monotonic() - quiet_since > QUIET_SECONDS

        wait_for(quiet, seconds, "the desk to be quiet")

    def invoke(self, function: str) -> None:
        """Call a scheduled function by hand."""
        names = ("account", "detail-type", "id", "region", "source", "time", "version")
        event: dict[str, Any] = {**dict.fromkeys(names, ""), "detail": {}, "resources": []}
        answer = self.engine.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        if "FunctionError" in answer:
            raise RuntimeError(answer["Payload"].read().decode())
        self.settle()


@contextmanager
def metered_desk(folder: Path) -> Iterator[MeteredDesk]:
    """A fresh desk without tickets.  One a process: the engine cannot be started twice."""
    made: list[BenchMeter] = []

    def meter(engine: Engine) -> Meter:
        made.append(BenchMeter(engine))
        return made[0]

    os.environ |= {"PORT": str(free_port()), "SMTP_PORT": str(free_port()), "DATA_DIR": str(folder), "SEED": "0"}
    options = read_options(os.environ)
    scrub_environment()
    options.data_dir.mkdir(parents=True, exist_ok=True)
    launcher._log_to(options.data_dir)
    desk = launcher.Desk(options, meter)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the bench speaks for itself
            desk.start(threading.Event())
        credentials = json.loads((options.data_dir / "credentials.json").read_text())
        assert desk._engine is not None
        yield MeteredDesk(
            desk._engine,
            made[0],
            credentials["console_url"],
            credentials["api_url"],
            options.smtp_port,
            credentials,
        )
    finally:
        with contextlib.redirect_stdout(io.StringIO()):
            desk.stop()
