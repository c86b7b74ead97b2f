"""``credentials.json``: how to get in, for people and for scripts."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from local.options import Options

NAME = "credentials.json"


@dataclass(frozen=True)
class SignIn:
    email: str
    password: str
    role: str


@dataclass(frozen=True)
class Access:
    """What seeding hands out once; only this file remembers it."""

    api_token: str
    agents: tuple[SignIn, ...]


def read_access(data_dir: Path) -> Access | None:
    """None before the first run was seeded."""
    try:
        known = json.loads((data_dir / NAME).read_text())
        return Access(known["api_token"], tuple(SignIn(**agent) for agent in known["agents"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_credentials(options: Options, access: Access) -> Path:
    """Write the file, readable by its owner alone, by atomic rename."""
    document = {
        "console_url": options.url,
        "api_url": f"{options.url}/api/v1",
        "api_token": access.api_token,
        "agents": [vars(agent) for agent in access.agents],
        "smtp_host": "127.0.0.1",
        "smtp_port": options.smtp_port,
        "outbox_dir": str(options.outbox_dir),
    }
    path = options.data_dir / NAME
    new = path.with_name(f".{NAME}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=1)
    os.replace(new, path)
    return path
