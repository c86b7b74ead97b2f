"""The desk that a bench looks at: one that runs already, or a local stack of its own."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.stack import stack_name
from local import snapshots
from local.deployment import STAGE
from local.engine import ACCOUNT, HOST, REGION, client
from local.patches import KEPT_VARIABLES
from local.stack import read_stack
from tests.stack import LocalStack

Credentials = dict[str, Any]


@contextmanager
def running_desk(data_dir: Path | None = None, seed: bool = False) -> Iterator[Credentials]:
    """What ``credentials.json`` says of the desk in ``data_dir``; without one a desk is started and stopped again.

    seed: with the demo's people and tickets.
    """
    if data_dir is not None:
        yield json.loads((data_dir / "credentials.json").read_text())
        return
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder) / "data", seed)
        try:
            stack.start()
            yield stack.credentials
        finally:
            if stack.process is not None:
                stack.stop()


def sign_in_of(credentials: Credentials, name: str = "") -> tuple[str, str]:
    """Address and password of an agent by the beginning of the address, else of the first."""
    agents: list[dict[str, str]] = credentials["agents"]
    found = next(each for each in agents if each["email"].startswith(name))
    return found["email"], found["password"]


def function_environment(credentials: Credentials) -> dict[str, str]:
    """The variables with which the desk's own code runs beside its functions, on the same table."""
    data_dir = Path(credentials["outbox_dir"]).parent
    last = snapshots.newest(data_dir / "engine")
    if last is None:
        raise RuntimeError(f"{data_dir} holds no running desk")
    endpoint = f"http://{HOST}:{last.port}"
    deployed = read_stack(client(endpoint, "cloudformation"), stack_name(STAGE))
    web = client(endpoint, "lambda").get_function_configuration(FunctionName=deployed.functions["APIHandler"])
    variables: dict[str, str] = web["Environment"]["Variables"]
    return {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | variables | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
    }  # fmt: skip


def launcher_pid(credentials: Credentials) -> int:
    """The process that holds the desk: the engine runs in it, the functions are its children."""
    return int((Path(credentials["outbox_dir"]).parent / "lock").read_text())
