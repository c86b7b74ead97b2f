"""``credentials.json``: how to get in, for people and for scripts."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from local.options import Options

NAME = "credentials.json"
ACCESS = "access.json"


@dataclass(frozen=True)
class SignIn:
    email: str
    password: str
    role: str


@dataclass(frozen=True)
class Access:
    """What setting up hands out once: passwords and tokens are kept as hashes everywhere else."""

    api_token: str
    agents: tuple[SignIn, ...]


def read_access(options: Options) -> Access | None:
    """What the first run handed out; None before it was through."""
    try:
        known = json.loads((options.engine_dir / ACCESS).read_text())
        return Access(known["api_token"], tuple(SignIn(**agent) for agent in known["agents"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_access(options: Options, access: Access) -> None:
    """Remember it: from now on the desk counts as set up."""
    document = {"api_token": access.api_token, "agents": [vars(agent) for agent in access.agents]}
    _write_privately(options.engine_dir / ACCESS, document)


def write_credentials(options: Options, access: Access) -> Path:
    """Write the file for people and programs."""
    path = options.data_dir / NAME
    document = {
        "console_url": options.url,
        "api_url": f"{options.url}/api/v1",
        "api_token": access.api_token,
        "agents": [vars(agent) for agent in access.agents],
        "smtp_host": "127.0.0.1",
        "smtp_port": options.smtp_port,
        "outbox_dir": str(options.outbox_dir),
    }
    _write_privately(path, document)
    return path


def _write_privately(path: Path, document: object) -> None:
    """Readable by its owner alone from its first byte on; whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=1)
    os.replace(new, path)
