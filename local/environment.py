"""The one Python environment, ``.venv``: entered, and made first where it is missing."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def enter() -> None:
    """Go on inside ``.venv``; does not return when this is another Python."""
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    if not PYTHON.exists() or not _has_packages():
        make()
    os.execv(PYTHON, [str(PYTHON), "-m", "local", *sys.argv[1:]])  # noqa: S606 - our own interpreter


def make() -> None:
    """What ``make setup`` does."""
    print("Setting up .venv (once) …", flush=True)
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "-r", str(ROOT / "requirements-dev.txt")], check=True)
    subprocess.run([str(PYTHON), "-m", "infra.vendor"], check=True, cwd=ROOT)
    (VENV / ".made").touch()


def _has_packages() -> bool:
    check = "import ministack, aiosmtpd, chalice, hypercorn"
    return subprocess.run([str(PYTHON), "-c", check], capture_output=True, check=False).returncode == 0
