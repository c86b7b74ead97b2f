"""What ``make run`` can be told, all by environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.patches import KEPT_VARIABLES

PORTS = range(1, 65536)


class CannotStart(Exception):
    """A sentence that says why, and what to do."""


@dataclass(frozen=True)
class Options:
    port: int = 8000
    smtp_port: int = 2525
    data_dir: Path = Path(".local")
    seed: bool = True
    relay_smtp: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def outbox_dir(self) -> Path:
        return self.data_dir / "outbox"

    @property
    def engine_dir(self) -> Path:
        return self.data_dir / "engine"


def read_options(environment: Mapping[str, str]) -> Options:
    """Raise CannotStart for what cannot be meant."""
    options = Options(
        port=_port(environment, "PORT", Options.port),
        smtp_port=_port(environment, "SMTP_PORT", Options.smtp_port),
        data_dir=Path(environment.get("DATA_DIR") or Options.data_dir).resolve(),
        seed=environment.get("SEED", "1") not in ("0", "false", "no"),
        relay_smtp=environment.get("RELAY_SMTP", ""),
    )
    if options.port == options.smtp_port:
        raise CannotStart(f"PORT and SMTP_PORT are both {options.port}: choose two different ones.")
    if options.relay_smtp and not options.relay_smtp.rpartition(":")[2].isdigit():
        raise CannotStart(f"RELAY_SMTP is {options.relay_smtp!r}: write it as host:port, such as 127.0.0.1:1025.")
    return options


def scrub_environment() -> None:
    """Forget the shell: whatever it exports, the desk behaves the same."""
    for name in set(os.environ) - set(KEPT_VARIABLES):
        del os.environ[name]


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not text.isdigit() or int(text) not in PORTS:
        raise CannotStart(f"{name} is {text!r}: it must be a number from 1 to 65535.")
    return int(text)
