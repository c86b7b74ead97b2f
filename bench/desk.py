"""The desk that a bench looks at: one that runs already, or a local stack of its own."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
