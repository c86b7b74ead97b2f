"""The AWS engine (ministack) inside this process, on loopback only.

One engine per process: ministack reads its settings when it is imported and keeps its state in module globals.
``patches`` changes what it does; and

* snapshots are ours (``snapshots``) and a journal of the tables' changes stands beside them (``journal``);
* after a restart the stream is read from its beginning: positions survive in ministack, the records do not, and a
  stream read from an old position skips as many new records as were read before.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import Request, urlopen

from local import patches, snapshots
from local.asgi import AsgiApp
from local.door import Door
from local.journal import Journal, forget, replay

HOST = "127.0.0.1"
REGION = "eu-west-1"
ACCOUNT = "000000000000"
ENGINE_PORTS = range(15000, 30000)
"""Below the range from which systems take the ports of outgoing connections."""

PERSISTED = (
    "apigateway", "apigateway_v1", "cloudformation", "cloudwatch", "cloudwatch_logs", "cognito", "dynamodb",
    "eventbridge", "iam", "kms", "lambda", "s3", "scheduler", "secretsmanager", "ses", "ses_v2", "sns", "sqs", "ssm",
)  # fmt: skip
"""What a desk's stack uses.  Restoring imports each module named here, so no others."""

LOG_LINES_KEPT = 200
START_SECONDS = 60
STOP_SECONDS = 30
POLL_SECONDS = 0.02

T = TypeVar("T")

_started = False


class EngineError(RuntimeError):
    """A sentence for the screen."""


class Engine:
    """A running engine.  ``endpoint`` is what clients take as ``endpoint_url``."""

    def __init__(self, state_dir: Path, port: int, modules: Mapping[str, Any], restored: bool) -> None:
        self.state_dir = state_dir
        self.port = port
        self.endpoint = f"http://{HOST}:{port}"
        self.restored = restored
        """True when a snapshot was found."""
        self.snapshot_at = 0.0
        """Epoch seconds of the snapshot that was restored, 0 on a fresh start."""
        self._modules = modules
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._thread: threading.Thread | None = None
        self._servers: list[Future[None]] = []
        self._sequence = 0
        self._dirty = threading.Event()
        self._snapshot_lock = threading.Lock()
        self._queues_open = threading.Event()
        self._stream_open = threading.Event()
        self.journal = Journal(state_dir)
        self.app: AsgiApp = self._noting_changes(modules["app"].app)
        """The engine as an ASGI application, for those that call it without a socket."""
        self._door = Door(self.app, below=())

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Restore the newest snapshot, serve, and return once the engine answers."""
        self._prepare_restore()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="engine", daemon=True)
        self._thread.start()
        if not ready.wait(START_SECONDS):
            raise EngineError(f"The AWS engine did not start on {self.endpoint} within {START_SECONDS} seconds.")
        self._await_health(self._thread)
        self._forget_stream_positions()
        self._return_messages_in_flight()
        self._modules["persistence"].PERSIST_STATE = self._modules["app"].PERSIST_STATE = False
        if self.restored:
            replay(self.state_dir, self._sequence, self.client("dynamodb"))
        self.journal.open(self._sequence)
        if self.restored:
            self.snapshot()

    def serve(self, app: AsgiApp, port: int) -> None:
        """Serve a further ASGI application on the engine's loop, until the engine stops; return once it answers."""
        server = asyncio.run_coroutine_threadsafe(self._serve(app, port), self.loop)
        self._servers.append(server)
        end = time.monotonic() + START_SECONDS
        while not server.done() and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
                return
            time.sleep(POLL_SECONDS)
        raise EngineError(f"Nothing answers on port {port}: it was taken in the same moment, or the start is too slow.")

    def admit(self, origins: Collection[str], buckets: Collection[str]) -> None:
        """Let pages of these origins reach the objects of these buckets; no page reaches anything before."""
        self._door.below = tuple(f"/{bucket}" for bucket in buckets)
        self._door.origins = tuple(origins)

    def open_queues(self) -> None:
        """Let event sources (queues, the stream) wake their functions."""
        self._queues_open.set()
        self._stream_open.set()
        self._modules["lambda_svc"].esm_wake.set()

    def hold_stream(self) -> None:
        """Deliver no stream record from now on; queues go on."""
        self._stream_open.clear()

    def release_stream(self, forget: bool) -> int:
        """Deliver stream records again; ``forget`` deletes those held back, and their number is returned."""
        held = self.call(self._drop_stream_records) if forget else 0
        self._stream_open.set()
        self._modules["lambda_svc"].esm_wake.set()
        return held

    def stop(self, snapshot: bool = True) -> None:
        """End cleanly: queues closed, calls in flight finished, snapshot written, ports free."""
        if self._loop is None or self._thread is None:
            return
        self._queues_open.clear()
        self._stream_open.clear()
        self._await_idle_functions()
        if snapshot:
            self.snapshot()
        self.journal.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_SECONDS)
        self._modules["lambda_runtime"].reset()
        self._loop = None

    def kill_functions(self) -> None:
        """End the worker processes of all functions at once; the next call starts new ones."""
        self._modules["lambda_runtime"].reset()

    def reset(self) -> None:
        """Forget everything (tests)."""
        with urlopen(Request(f"{self.endpoint}/_ministack/reset", method="POST"), timeout=STOP_SECONDS):
            pass

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop on which the engine runs."""
        if self._loop is None:
            raise EngineError("The AWS engine is not running.")
        return self._loop

    # -- state ---------------------------------------------------------------------------------------------------

    @property
    def dirty(self) -> bool:
        """True when something may have changed since the last snapshot."""
        return self._dirty.is_set()

    def snapshot(self) -> None:
        """Write the whole state to disk; raise EngineError when it could not be written."""
        with self._snapshot_lock:
            self._dirty.clear()
            sequence = self._sequence + 1
            try:
                states = self.call(lambda: self._collect(sequence))
                files = {f"{name}.json": self._as_text(name, state) for name, state in states.items()}
                snapshots.write(self.state_dir, files, time.time(), self.port, sequence)
            except Exception as error:
                self._dirty.set()
                raise EngineError(
                    f"The snapshot failed: {error!r}. Changes since the last one are in the journal."
                ) from error
            forget(self.state_dir, snapshots.oldest_sequence(self.state_dir))

    def call(self, function: Callable[[], T]) -> T:
        """Run ``function`` on the engine's loop, where nothing changes meanwhile."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(function())
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                done.set_exception(error)

        self.loop.call_soon_threadsafe(run)
        return done.result(START_SECONDS)

    def partition(self, table: str, pk: str) -> dict[str, dict[str, Any]]:
        """Items of one partition by sort key, in DynamoDB's notation, without a network call."""
        for _account, _region, name, found in _tables(self._modules["dynamodb"]):
            if name == table:
                return dict(found["items"].get(pk, {}))
        return {}

    def partition_keys(self, table: str) -> list[str]:
        """Every partition key of a table."""
        return [
            str(pk) for *_, name, found in _tables(self._modules["dynamodb"]) if name == table for pk in found["items"]
        ]

    # -- clients and queues --------------------------------------------------------------------------------------

    def client(self, service: str, **settings: Any) -> Any:
        """A boto3 client for this engine."""
        return client(self.endpoint, service, **settings)

    def module(self, name: str) -> Any:
        """One of the engine's own modules (``outbox`` and ``clock`` reach into two of them)."""
        return self._modules[name]

    def idle(self) -> bool:
        """True when no function runs, every stream record is read, and no message waits to be picked up."""
        lambda_svc = self._modules["lambda_svc"]
        if lambda_svc._esm_inflight or self._modules["lambda_runtime"].workers_in_use():
            return False
        return self.call(self._sources_are_empty)

    def release_delayed(self, queue_url: str, seconds: float) -> None:
        """Bring what waits on a queue ``seconds`` nearer to its delivery."""
        sqs, lambda_svc = self._modules["sqs"], self._modules["lambda_svc"]
        name = queue_url.rsplit("/", 1)[-1]
        with sqs._queues_lock:
            for _account, _region, url, queue in _scoped(sqs._queues):
                if url.rsplit("/", 1)[-1] == name:
                    for message in queue["messages"]:
                        message["visible_at"] -= seconds
        lambda_svc.esm_wake.set()

    # -- inner ---------------------------------------------------------------------------------------------------

    def _run(self, ready: threading.Event) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            ready.set()
            self._door.app = self.app  # which the meter may have wrapped
            await self._serve(self._door, self.port)
            for server in self._servers:
                await asyncio.wrap_future(server)

        asyncio.run(main())

    async def _serve(self, app: AsgiApp, port: int) -> None:
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"{HOST}:{port}"]
        config.backlog = 1024
        config.keep_alive_timeout = 75
        config.graceful_timeout = 3
        config.accesslog = None
        config.loglevel = "ERROR"
        await serve(app, config, shutdown_trigger=self._stop.wait)

    def _noting_changes(self, app: AsgiApp) -> AsgiApp:
        async def noting(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and not _only_reads(scope):
                self._dirty.set()
            await app(scope, receive, send)

        return noting

    def _prepare_restore(self) -> None:
        last = snapshots.newest(self.state_dir)
        if last is None:
            return
        if last.port != self.port:
            snapshots.move_to_port(last, self.port)
        self._modules["persistence"].STATE_DIR = str(last.folder)
        self._sequence = last.sequence

    def _await_health(self, thread: threading.Thread) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if not thread.is_alive():
                raise EngineError(f"The AWS engine could not listen on {self.endpoint}.")
            with contextlib.suppress(URLError, OSError), urlopen(f"{self.endpoint}/_ministack/health", timeout=2):
                return
            time.sleep(POLL_SECONDS)
        raise EngineError(f"The AWS engine did not answer on {self.endpoint} within {START_SECONDS} seconds.")

    def _forget_stream_positions(self) -> None:
        self._modules["lambda_svc"]._dynamodb_stream_positions.clear()

    def _return_messages_in_flight(self) -> None:
        """What a function had in hand when the last engine ended is nobody's now: it need not wait to be seen again."""
        sqs = self._modules["sqs"]
        with sqs._queues_lock:
            for _account, _region, _url, queue in _scoped(sqs._queues):
                for message in queue["messages"]:
                    if message.get("receipt_handle"):
                        message["visible_at"] = 0.0

    def _collect(self, sequence: int) -> dict[str, Any]:
        """Copy every service's state and turn to the next journal, all in one turn of the engine's loop."""
        self._trim_logs()
        getters = self._modules["app"]._build_persistence_save_dict()
        states = {name: _patiently(getters[name]) for name in PERSISTED if name in getters}
        self.journal.commit()
        self.journal.open(sequence)
        self._sequence = sequence
        return states

    def _as_text(self, name: str, state: Any) -> str:
        persistence = self._modules["persistence"]
        wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
        return json.dumps(wrapped, default=persistence._json_default)

    def _trim_logs(self) -> None:
        """Keep the newest lines of each function's log: unbounded, they would outgrow the desk's own data."""
        logs = self._modules["cloudwatch_logs"]
        for _account, _region, _name, group in _scoped(logs._log_groups):
            streams = group.get("streams", {})
            for stream in list(streams)[:-LOG_LINES_KEPT]:
                del streams[stream]
        logs._log_records.clear()

    def _await_idle_functions(self) -> None:
        end = time.monotonic() + STOP_SECONDS / 2
        while time.monotonic() < end and self._modules["lambda_runtime"].workers_in_use():
            time.sleep(POLL_SECONDS)

    def _drop_stream_records(self) -> int:
        dropped = sum(len(records) for *_, records in _scoped(self._modules["dynamodb"]._stream_records))
        self._modules["dynamodb"]._stream_records.clear()
        self._modules["dynamodb"]._stream_trimmed.clear()
        self._forget_stream_positions()
        return dropped

    def _sources_are_empty(self) -> bool:
        dynamodb, sqs, lambda_svc = (self._modules[name] for name in ("dynamodb", "sqs", "lambda_svc"))
        now = time.time()
        sources = set()
        positions = {esm_id: at for _a, _r, esm_id, at in _scoped(lambda_svc._dynamodb_stream_positions)}
        for account, region, esm_id, mapping in _scoped(lambda_svc._esms):
            source = mapping["EventSourceArn"]
            if ":dynamodb:" in source and not self._stream_open.is_set():
                continue
            if ":dynamodb:" in source:
                table = source.split("/stream/")[0].rsplit("/", 1)[-1]
                end = dynamodb.stream_end_position(table, account_id=account, region=region)
                if positions.get(esm_id, 0) < end:
                    return False
            else:
                sources.add(source.rsplit(":", 1)[-1])
        with sqs._queues_lock:
            return not any(
                message["visible_at"] <= now
                for _account, _region, url, queue in _scoped(sqs._queues)
                if url.rsplit("/", 1)[-1] in sources
                for message in queue["messages"]
            )


def start_engine(state_dir: Path | str, port: int | None = None, auth: bool = False) -> Engine:
    """Start the engine of this process with its state under ``state_dir``; queues open at once.

    port: None takes the one the state was made with, or a free one.  auth: enforce IAM policies.
    """
    engine = prepare_engine(state_dir, port, auth)
    engine.start()
    engine.open_queues()
    return engine


def prepare_engine(state_dir: Path | str, port: int | None = None, auth: bool = False) -> Engine:
    """Like ``start_engine``, but not started yet: the launcher has things to do in between."""
    global _started
    if _started:
        raise EngineError("One process holds one engine: use the one that was started.")
    _started = True
    root = Path(state_dir).resolve()
    root.mkdir(parents=True, exist_ok=True)
    last = snapshots.newest(root)
    if last is None:
        _remove_leftovers(root)
    chosen = port or _port_for(last)
    _set_environment(root, chosen, auth)
    modules = _import_modules()
    engine = Engine(root, chosen, modules, restored=last is not None)
    engine.snapshot_at = last.at if last is not None else 0.0
    patches.apply(modules, engine.journal, engine._queues_open, engine._stream_open)
    return engine


def _remove_leftovers(root: Path) -> None:
    """A first start that was cut off before its first snapshot leaves objects that belong to nothing."""
    for path in (*root.glob("journal-*.jsonl"), *root.glob("cognito-*"), root / "s3", root / "lambda-blobs"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def client(endpoint: str, service: str, **settings: Any) -> Any:
    """A boto3 client with the local account's credentials."""
    import boto3

    make: Any = boto3.client
    return make(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
        **settings,
    )


def port_is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _port_for(last: snapshots.Snapshot | None) -> int:
    if last is not None and port_is_free(last.port):
        return last.port
    for _ in range(100):
        port = random.choice(ENGINE_PORTS)  # noqa: S311 - any free one will do
        if port_is_free(port):
            return port
    raise EngineError(f"No free port between {ENGINE_PORTS.start} and {ENGINE_PORTS.stop} for the AWS engine.")


def _set_environment(root: Path, port: int, auth: bool) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_", "MINISTACK_", "LOCALSTACK_", "LAMBDA_")):
            del os.environ[name]
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST=HOST,
        MINISTACK_HOST=HOST,
        MINISTACK_REGION=REGION,
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        DOCKER_HOST="unix:///nonexistent",
        LOG_LEVEL="WARNING",
        STATE_DIR=str(root),
        PERSIST_STATE="1",
        S3_PERSIST="1",
        S3_DATA_DIR=str(root / "s3"),
        AUTH="true" if auth else "false",
        AWS_ACCESS_KEY_ID=ACCOUNT,
        AWS_SECRET_ACCESS_KEY="local",
        AWS_DEFAULT_REGION=REGION,
        AWS_REGION=REGION,
    )


def _import_modules() -> dict[str, Any]:
    """The engine's modules, imported only now that the environment is set."""
    import importlib

    services = ("cloudwatch_logs", "dynamodb", "lambda_svc", "ses", "ses_v2", "sns", "sqs")
    names = {"app": "ministack.app"} | {name: f"ministack.core.{name}" for name in ("lambda_runtime", "persistence")}
    names |= {name: f"ministack.services.{name}" for name in services}
    return {name: importlib.import_module(path) for name, path in names.items()}


READ_VERBS = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet", "Receive", "Head")


def _only_reads(scope: Any) -> bool:
    if scope["method"] in ("GET", "HEAD"):
        return not scope["path"].startswith("/_aws/execute-api/")
    for name, value in scope["headers"]:
        if name.lower() == b"x-amz-target":
            return str(value.decode("latin-1")).rsplit(".", 1)[-1].startswith(READ_VERBS)
    return False


def _scoped(store: Any) -> list[tuple[str, str, Any, Any]]:
    """(account, region, key, value) of one of the engine's stores, whoever asks."""
    return [(*key, value) for key, value in list(store._data.items())]


def _tables(dynamodb: Any) -> list[tuple[str, str, Any, Any]]:
    return _scoped(dynamodb._tables)


def _patiently(get_state: Callable[[], Any], attempts: int = 5) -> Any:
    """Pollers change a few stores from threads of their own; a copy that hits such a moment is taken again."""
    for _ in range(attempts - 1):
        with contextlib.suppress(RuntimeError):
            return get_state()
    return get_state()
