"""Brings the engine's stack to the sources: the same template as on AWS, through ``infra``."""

import hashlib
import json
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import deploy, package, stack
from infra.resources.handlers import API_STAGE
from local.engine import Engine
from local.front import Routes
from local.options import CannotStart, Options
from local.stack import Stack, read_stack

STAGE = "local"
SOURCES = ("app.py", "chalicelib", "infra", ".chalice/config.json", "requirements.in")
CONCURRENCY = 2
"""Workers per queue: AWS's smallest, and as much as a laptop's cores carry beside the engine."""


@dataclass
class Deployment:
    """Started early, because packaging and the engine's import of the SAM translator take a few seconds each."""

    options: Options

    def __post_init__(self) -> None:
        self._mark = self.options.engine_dir / "deployed.json"
        self._wanted = fingerprint(self.options)
        self._workers = ThreadPoolExecutor(2, "deployment")
        self._package: Future[package.Package] | None = None

    @property
    def is_due(self) -> bool:
        """True when what runs is not what the sources say."""
        try:
            return bool(json.loads(self._mark.read_text())["fingerprint"] != self._wanted)
        except (OSError, ValueError, KeyError):
            return True

    def prepare(self) -> None:
        """Do in the background what needs no engine yet."""
        self._package = self._workers.submit(_build, self.options)
        self._workers.submit(_import_translator)

    def finish(self, engine: Engine) -> None:
        """Create or update the stack.  Raises CannotStart with CloudFormation's or Chalice's reasons."""
        if self._package is None:
            self.prepare()
        assert self._package is not None  # noqa: S101 - prepare() has just set it
        try:
            _apply(engine, self._package.result(), self.options)
        except (package.PackagingFailed, stack.DeploymentFailed) as error:
            raise CannotStart(f"The desk could not be deployed to the local engine:\n{error}") from error
        self._mark.write_text(json.dumps({"fingerprint": self._wanted}))

    def close(self) -> None:
        self._workers.shutdown(cancel_futures=True)


def deployed_stack(engine: Engine) -> Stack:
    return read_stack(engine.client("cloudformation"), stack.stack_name(STAGE))


def routes(deployed: Stack) -> Routes:
    return Routes(
        rest=f"/_aws/execute-api/{deployed.rest_api_id}/{API_STAGE}",
        live=f"/_aws/execute-api/{deployed.websocket_api_id}/{API_STAGE}",
    )


def fingerprint(options: Options) -> str:
    """Equal while the same sources would be deployed for the same address."""
    digest = hashlib.sha256(f"{sys.version} {options.port}".encode())
    for path in _files():
        digest.update(f"{path.relative_to(package.ROOT)} {path.stat().st_size} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for name in SOURCES:
        path = package.ROOT / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (each for each in found if each.is_file() and each.suffix != ".pyc")


def _build(options: Options) -> package.Package:
    return package.build(STAGE, options.data_dir / "package", local=True)


def _import_translator() -> None:
    """CloudFormation's SAM transform imports this on first use, which takes seconds: let it be done by then."""
    import samtranslator.translator.transform  # noqa: F401


def _apply(engine: Engine, made: package.Package, options: Options) -> None:
    def client(service: str) -> Any:
        return engine.client(service)

    environment = {"WEBSOCKET_URL": f"ws://127.0.0.1:{options.port}/live", "BASE_PATH": ""}
    parameters = {"ConsoleOrigin": options.url}
    here = deploy.Local(engine.endpoint, environment)
    deploy.deploy(STAGE, made, client, local=here, parameters=parameters, say=lambda line: None)
    limit_concurrency(client("lambda"))


def limit_concurrency(lambda_client: Any) -> None:
    """Two workers a queue, whatever the template says for AWS."""
    for mapping in lambda_client.list_event_source_mappings()["EventSourceMappings"]:
        if ":sqs:" in mapping["EventSourceArn"]:
            scaling = {"MaximumConcurrency": CONCURRENCY}
            lambda_client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=scaling)
