"""Earlier releases out of git's history: found, unpacked into a folder, and run there as they were.

A release is a commit whose subject begins with ``release:``.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "release: "
NO_EARLIER = "This clone holds no earlier release (a shallow clone has no history): there is nothing to upgrade from."


@dataclass(frozen=True)
class Release:
    """``name`` is what its commit says behind the mark."""

    commit: str
    name: str


@dataclass(frozen=True)
class Tree:
    """A release unpacked: its files and the Python that holds its packages."""

    root: Path
    python: str
    same_packages: bool
    """Ours hold all packages that its functions want, in the same versions: they run with those."""

    def run(
        self, arguments: list[str], environment: Mapping[str, str], text: str | None = None, seconds: float = 300
    ) -> str:
        """Run Python with the release's own modules; return what it prints.  Raises RuntimeError when it fails."""
        finished = subprocess.run(
            [self.python, *arguments],
            cwd=self.root,
            env={**environment, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"},
            input=text,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if finished.returncode != 0:
            raise RuntimeError(f"{self.root.name}: {' '.join(arguments[:2])} failed:\n{finished.stderr.strip()}")
        return finished.stdout


def earlier(root: Path = ROOT) -> Release | None:
    """The newest release before HEAD; None in a clone without history, or outside git."""
    try:
        listed = _git(root, "log", "HEAD^", "--fixed-strings", f"--grep={MARK}", "--format=%H %s")
    except (OSError, subprocess.CalledProcessError):
        return None
    for line in listed.decode().splitlines():
        commit, _, subject = line.partition(" ")
        if subject.startswith(MARK):
            return Release(commit, subject.removeprefix(MARK))
    return None


def unpack(commit: str, folder: Path, root: Path = ROOT) -> Tree:
    """The files of a commit as they were, with an environment of their own where their packages differ from ours.

    An archive and no git worktree: one that is cut off leaves nothing behind in the repository.
    """
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=BytesIO(_git(root, "archive", "--format=tar", commit))) as archive:
        archive.extractall(folder, filter="data")
    _lend_browser_library(folder, root)
    same = all(_pins(folder / name) <= _pins(root / name) for name in ("requirements.txt", "requirements-dev.txt"))
    python = sys.executable if same else _own_environment(folder)
    return Tree(folder, python, _pins(folder / "requirements.txt") <= _pins(root / "requirements.txt"))


def command_environment(endpoint: str) -> dict[str, str]:
    """What a person who deploys to the local engine has in the shell."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def _git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True).stdout


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _pins(path: Path) -> frozenset[str]:
    """``name==version`` of each requirement."""
    return frozenset(re.findall(r"(?m)^[A-Za-z0-9._-]+==[^ ;\\]+", _read(path).decode()))


def _lend_browser_library(folder: Path, root: Path) -> None:
    """htmx is never committed; where both releases want the same file, ours saves a download."""
    ours = root / "chalicelib" / "web" / "static" / "vendor"
    if ours.exists() and _read(folder / "infra" / "vendor.py") == _read(root / "infra" / "vendor.py"):
        shutil.copytree(ours, folder / "chalicelib" / "web" / "static" / "vendor", dirs_exist_ok=True)


def _own_environment(folder: Path) -> str:
    made = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True, capture_output=True)
    python = str(made / "bin" / "python")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    install += ["-r", str(folder / "requirements-dev.txt")]
    subprocess.run([python, *install], check=True, capture_output=True)
    return python
