"""Starts the whole desk on this machine, keeps its state, and ends it cleanly."""

import contextlib
import fcntl
import json
import logging
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any

from infra import package
from local import deployment
from local.clock import Clock
from local.credentials import Access, SignIn, keep_access, read_access, write_credentials
from local.deployment import Deployment
from local.door import console_origins
from local.engine import ACCOUNT, REGION, Engine, EngineError, port_is_free, prepare_engine
from local.front import Front
from local.meter import Meter
from local.options import CannotStart, Options, read_options, scrub_environment
from local.outbox import Outbox
from local.recovery import recover
from local.smtp import MailPort
from local.stack import Stack

SNAPSHOT_SECONDS = 20
WARM_ATONCE = 4
NOTICE_SECONDS = 3600
SEED_SECONDS = 120
LOG_BYTES = 5_000_000
ORPHAN_SECONDS = 10
WARMED = ("APIHandler", "Intake", "Relay", "Work", "Deliver", "DeliveryEvents", "Later", "WebsocketConnect")
SNS_GREETING = "Successfully validated SNS topic for Amazon SES event publishing."


def main() -> int:
    """``python -m local``; the exit status."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop_once(stopping))
    try:
        options = read_options(os.environ)
        with _alone(options):
            _check_ports(options)
            scrub_environment()
            _log_to(options.data_dir)
            desk = Desk(options)
            try:
                desk.start(stopping)
                desk.watch(stopping)
            finally:
                desk.stop()
    except (CannotStart, EngineError) as error:
        print(f"Deskbell cannot start: {error}", file=sys.stderr)
        return 1
    except _Stopped:
        pass
    return 0


class _Stopped(Exception):
    """Asked to end while still starting."""


@dataclass
class Desk:
    """All parts, in the order in which they start; they stop the other way round."""

    options: Options
    meter: Callable[[Engine], Meter] = Meter
    _on_stop: list[tuple[str, Callable[[], object]]] = field(default_factory=list)
    _engine: Engine | None = None

    def start(self, stopping: threading.Event) -> None:
        """Return once the desk answers, is warm and may be told of."""
        begun = time.monotonic()
        self._say("Starting …")
        deploying = Deployment(self.options)
        self._on_stop.append(("deployment", deploying.close))
        if read_access(self.options) is None:  # never set up, or not to the end
            shutil.rmtree(self.options.engine_dir, ignore_errors=True)
        temporary = self.options.data_dir / "tmp"
        end_orphans(temporary)
        _use_own_temporary_folder(temporary)
        engine = prepare_engine(self.options.engine_dir)
        if due := deploying.is_due or not engine.restored:
            deploying.prepare()
        self.meter(engine).attach()
        running = self.options.engine_dir / "running"
        crashed_since = _crashed_since(running, engine)
        running.write_text(str(crashed_since or math.inf))
        engine.start()
        self._engine = engine
        self._on_stop.append(("engine", lambda: self._end_engine(engine, running)))
        self._unless(stopping)
        if due:
            self._say("Deploying the stack to the local engine …")
            deploying.finish(engine)
            engine.snapshot()
        stack = deployment.deployed_stack(engine)
        self._connect(engine, stack, crashed_since, stopping)
        running.write_text(str(math.inf))
        self._say(f"Ready after {time.monotonic() - begun:.1f} s.")

    def watch(self, stopping: threading.Event) -> None:
        """Take snapshots until asked to end."""
        while not stopping.wait(SNAPSHOT_SECONDS):
            if self._engine is not None and self._engine.dirty:
                self._snapshot(self._engine)

    def stop(self) -> None:
        for name, stop in reversed(self._on_stop):
            try:
                stop()
            except Exception as error:
                logging.getLogger("deskbell").exception("stopping the %s failed", name)
                self._say(f"Stopping the {name} failed: {error}")
        self._on_stop.clear()

    # -- parts ---------------------------------------------------------------------------------------------------

    def _connect(self, engine: Engine, stack: Stack, crashed_since: float | None, stopping: threading.Event) -> None:
        """Everything around the engine: outbox, mail port, front, functions, demo data."""
        outbox = Outbox(engine, self.options.outbox_dir, stack.table, stack.delivery_topic, self.options.relay_smtp)
        outbox.attach()
        self._on_stop.append(("outbox", outbox.close))
        notices = self.options.data_dir / "notices"
        mail = MailPort(engine, stack, self.options.smtp_port, notices)
        outbox.inject = lambda raw, source, to: mail.accept(raw, source, [to], "simulator.amazonses.com")
        if crashed_since is not None:
            found = recover(engine, stack, outbox, notices, crashed_since)
            self._say(f"The last run ended without warning: {found.driven} originals are read again.")
        front = Front(engine.app, deployment.routes(stack), self.options.port)
        front.outbox, front.clock = outbox, Clock(engine, stack)
        engine.serve(front, self.options.port)
        engine.admit(console_origins(self.options.port), (stack.originals_bucket, stack.attachments_bucket))
        self._unless(stopping)
        access = read_access(self.options)
        with ThreadPoolExecutor(1) as beside:
            warming = beside.submit(warm_functions, engine, stack, self.options.url)
            if access is None:
                self._say("Filling in demo data …" if self.options.seed else "Setting up …")
                access = _seed(engine, stack, self.options)
            engine.open_queues()
            warming.result()
        self._unless(stopping)
        mail.start()
        self._on_stop.append(("mail port", mail.stop))
        engine.snapshot()
        keep_access(self.options, access)
        path = write_credentials(self.options, access)
        self._announce(access, path)

    def _announce(self, access: Access, path: Path) -> None:
        print(f"\nDeskbell is ready: {self.options.url}\n", flush=True)
        for agent in access.agents:
            self._say(f"  {agent.role:<7} {agent.email:<36} {agent.password}")
        self._say(f"  Mail goes in at 127.0.0.1:{self.options.smtp_port} and comes out in {self.options.outbox_dir}")
        self._say(f"  All of this for programs, with an API token: {path}")
        self._say("  Ctrl-C ends it; everything is kept for the next start.\n")

    def _snapshot(self, engine: Engine) -> None:
        try:
            engine.snapshot()
        except EngineError as error:
            self._say(str(error))
        _forget_notices(self.options.data_dir / "notices")

    def _end_engine(self, engine: Engine, running: Path) -> None:
        self._say("Ending …")
        engine.stop()
        running.unlink(missing_ok=True)

    @staticmethod
    def _unless(stopping: threading.Event) -> None:
        if stopping.is_set():
            raise _Stopped

    @staticmethod
    def _say(line: str) -> None:
        print(line, flush=True)


def warm_functions(engine: Engine, stack: Stack, url: str) -> None:
    """Call the functions on the way of a message once, so that the first mail and the first page find them started."""
    from urllib.request import urlopen

    from botocore.config import Config

    lambda_client = engine.client("lambda", config=Config(read_timeout=120, retries={"total_max_attempts": 1}))

    def warm(logical_id: str) -> None:
        if logical_id == "APIHandler":
            with contextlib.suppress(OSError), urlopen(f"{url}/api/v1/health", timeout=60) as answer:
                answer.read()
            return
        lambda_client.invoke(FunctionName=stack.functions[logical_id], Payload=json.dumps(_harmless(logical_id)))

    with ThreadPoolExecutor(WARM_ATONCE) as pool:
        list(pool.map(warm, WARMED))


def _harmless(logical_id: str) -> Mapping[str, object]:
    """An event that a function takes and that changes nothing."""
    if logical_id == "WebsocketConnect":
        context = dict.fromkeys(("domainName", "stage", "apiId"), "") | {"connectionId": "warm", "routeKey": "$connect"}
        return {"requestContext": context, "queryStringParameters": {}}
    if logical_id == "DeliveryEvents":
        return {"Records": [{"Sns": {"Message": SNS_GREETING, "Subject": "", "MessageAttributes": {}}}]}
    return {"Records": []}


def function_environment(engine: Engine, stack: Stack) -> dict[str, str]:
    """The environment in which the desk's own code runs outside a function."""
    found = engine.client("lambda").get_function_configuration(FunctionName=stack.functions["APIHandler"])
    variables: dict[str, str] = found["Environment"]["Variables"]
    return dict(os.environ) | variables | {
        "AWS_ENDPOINT_URL": engine.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "PYTHONPATH": str(package.ROOT),
    }  # fmt: skip


def _seed(engine: Engine, stack: Stack, options: Options) -> Access:
    """Set up in a process of its own: the store's connection is one per process, and this one has the engine."""
    command = [sys.executable, "-m", "local.seed", "--tickets" if options.seed else "--bare"]
    finished = subprocess.run(
        command,
        env=function_environment(engine, stack) | {"CONSOLE_URL": options.url},
        capture_output=True,
        text=True,
        timeout=SEED_SECONDS,
        check=False,
        cwd=package.ROOT,
    )
    if finished.returncode != 0:
        raise CannotStart(f"the demo data could not be written:\n{finished.stderr.strip()}")
    made = json.loads(finished.stdout.splitlines()[-1])
    return Access(made["api_token"], tuple(SignIn(**agent) for agent in made["agents"]))


def _crashed_since(running: Path, engine: Engine) -> float | None:
    """Epoch seconds from which on things may have been forgotten; None after a clean end.

    ``running`` stands while a desk runs and holds what a recovery that was itself cut off had still to cover.
    """
    if not engine.restored or not running.exists():
        return None
    try:
        return min(float(running.read_text()), engine.snapshot_at)
    except ValueError:
        return engine.snapshot_at


def end_orphans(folder: Path) -> None:
    """End the functions that outlived a killed desk: they would go on calling this one, which has the same address.

    Nobody else runs code below ``folder``, since this process holds the data folder.
    """
    import psutil

    def below(argument: str) -> bool:
        return argument.startswith(f"{folder}{os.sep}")

    found = [each for each in psutil.process_iter(["cmdline"]) if any(map(below, each.info["cmdline"] or ()))]
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(found, ORPHAN_SECONDS)
    if alive:
        numbers = ", ".join(str(each.pid) for each in alive)
        raise CannotStart(f"functions of the last run do not end (process {numbers}). End them, then start again.")


def _use_own_temporary_folder(folder: Path) -> None:
    """Functions are unpacked below the system's temporary folder, and a killed desk would leave them there for ever."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # so that this process looks again


def _forget_notices(folder: Path) -> None:
    """An announcement is of use only while a snapshot might not know of it."""
    before = time.time() - NOTICE_SECONDS
    for path in folder.glob("*.json"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()


@contextlib.contextmanager
def _alone(options: Options) -> Iterator[None]:
    """Hold the data folder; raise CannotStart when another desk does."""
    try:
        options.data_dir.mkdir(parents=True, exist_ok=True)
        lock: IO[Any] = (options.data_dir / "lock").open("a+")
    except OSError as error:
        raise CannotStart(f"the data folder {options.data_dir} cannot be written: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise CannotStart(
                f"it is running already on {options.data_dir} (process {holder}). "
                "End that one first, or give this one a folder and ports of its own: DATA_DIR, PORT, SMTP_PORT."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _check_ports(options: Options) -> None:
    for name, port in (("PORT", options.port), ("SMTP_PORT", options.smtp_port)):
        if not port_is_free(port):
            raise CannotStart(
                f"port {port} is taken by another program. Choose another one: {name}={port + 1} make run"
            )


def _stop_once(stopping: threading.Event) -> None:
    """The first signal asks; a second one does not wait."""
    if stopping.is_set():
        os._exit(130)
    stopping.set()


def _log_to(folder: Path) -> None:
    """Before the engine is imported, which would else log to the screen."""
    line = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name, level, file in (("", logging.WARNING, "desk.log"), ("deskbell.functions", logging.INFO, "functions.log")):
        handler = RotatingFileHandler(folder / file, maxBytes=LOG_BYTES, backupCount=1)
        handler.setFormatter(line)
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level)
    logging.getLogger("deskbell.functions").propagate = False
