"""One package and one engine for all tests of infra."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from infra import package
from infra.cloudformation import Json
from infra.stack import Client
from local.engine import client as engine_client

STAGE = "test"
ENGINE = """
import sys
from local.engine import start_engine
engine = start_engine(sys.argv[1], auth=bool(sys.argv[2]))
print(engine.endpoint, flush=True)
sys.stdin.read()
engine.stop(snapshot=False)
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> package.Package:
    return package.build(STAGE, tmp_path_factory.mktemp("package") / "out", local=True)


@pytest.fixture
def template(built: package.Package) -> Json:
    loaded: Json = json.loads(built.template.read_text())
    return loaded


@contextmanager
def running_engine(folder: Path, auth: bool = False) -> Iterator[str]:
    """Yield the endpoint of an engine in a process of its own: a process can hold only one, other tests have theirs."""
    command = [sys.executable, "-c", ENGINE, str(folder), "auth" if auth else ""]
    with subprocess.Popen(
        command, cwd=package.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdin
        assert engine.stdout
        yield engine.stdout.readline().strip()
        engine.stdin.close()


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_engine(tmp_path_factory.mktemp("engine")) as found:
        yield found


@pytest.fixture(scope="session")
def client(endpoint: str) -> Client:
    return partial(engine_client, endpoint)


def resources_of(template: Json, kind: str) -> dict[str, Json]:
    """Properties by logical id."""
    return {
        name: declared.get("Properties", {})
        for name, declared in template["Resources"].items()
        if declared["Type"] == kind
    }


def strings_in(node: object) -> Iterator[str]:
    """Every string below ``node``, keys left out."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from strings_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings_in(value)
