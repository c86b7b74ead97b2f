"""A copy of the source with a bug in it, and whether the histories find that bug.

The working tree is never touched: everything happens in a copy, and each bug runs in a process of its own.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("app.py", "chalicelib", "infra", "local", "bench", "tests", "pyproject.toml")
SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules")
HANGS_AFTER = 25
"""Seconds of computing beyond its budget after which a process counts as hanging."""
PATIENCE = 20
"""So many times as long may it take on a busy machine."""
SEEDS = range(1, 400)
PROGRAM = """
import json, resource, sys, time
budget, seeds, go_on = float(sys.argv[1]), json.loads(sys.argv[2]), len(sys.argv) > 3
limit = int(budget) + HANGS_AFTER
resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
told = {"found": False, "histories": 0, "unclean": []}
began = time.process_time()
try:
    from tests.simulation.history import Plan, run
    began = time.process_time()
    for seed in seeds:
        if time.process_time() - began > budget:
            break
        violations = run(Plan(seed)).violations
        told["histories"] += 1
        if violations:
            told |= {"found": True, "seed": seed, "what": violations[0][:300]}
            told["unclean"].append(seed)
            if not go_on:
                break
except BaseException as error:
    told |= {"found": True, "what": f"broke: {type(error).__name__}: {error}"[:300]}
told["seconds"] = round(time.process_time() - began, 2)
print("told " + json.dumps(told))
""".replace("HANGS_AFTER", str(HANGS_AFTER))


@dataclass(frozen=True)
class Edit:
    """``old`` stands exactly once in ``file`` (below the root) and becomes ``new``."""

    file: str
    old: str
    new: str

    def applied(self, source: str) -> str:
        if source.count(self.old) != 1:
            raise ValueError(f"{self.file}: {source.count(self.old)} places instead of one: {self.old[:80]!r}")
        return source.replace(self.old, self.new)


@dataclass(frozen=True)
class Verdict:
    """``what``: the first broken promise.  ``seconds``: of computing until then, or until the budget was over."""

    found: bool
    seconds: float
    what: str = ""
    seed: int = 0
    histories: int = 0

    @property
    def by_promise(self) -> bool:
        """Found because a promise broke, and not because the histories themselves broke off, or hung."""
        return self.found and not (self.what.startswith("broke: ") or self.what == "hangs")


class Tree:
    """A copy of the source, clean between two bugs.  ``seeds``: histories that the clean source passes."""

    def __init__(self, folder: Path, of: "Tree | None" = None) -> None:
        """``of``: another one that is settled: this one need not settle again."""
        self.folder = folder
        self.seeds: tuple[int, ...] = of.seeds if of else tuple(SEEDS)
        self.unclean: tuple[int, ...] = of.unclean if of else ()
        if of:
            shutil.copytree(of.folder, folder, dirs_exist_ok=True)
            return
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=SKIPPED)
            else:
                shutil.copy2(source, folder / name)

    @contextmanager
    def changed(self, sources: dict[str, str]) -> Iterator[None]:
        """Inside, these files (below the root) say something else."""
        before = {name: (self.folder / name).read_text() for name in sources}
        try:
            for name, text in sources.items():
                self._write(name, text)
            yield
        finally:
            for name, text in before.items():
                self._write(name, text)

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            stale.unlink()  # one of the same size and second would pass for fresh

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def settle(self, histories: int) -> None:
        """Play the clean source: only seeds that it passes prove anything.  Also leaves compiled files behind."""
        wanted = list(SEEDS)[:histories]
        told = self._child(["-c", PROGRAM, f"{10 * histories}", json.dumps(wanted), "all"], 3600, compiled=True)
        if told["histories"] < histories:
            raise RuntimeError(f"the clean source does not run: {told.get('what')}")
        self.unclean = tuple(told["unclean"])
        self.seeds = tuple(each for each in wanted if each not in self.unclean)

    def verdict(self, sources: dict[str, str], budget: float) -> Verdict:
        """Play histories with these files changed, until one breaks a promise or the budget is over.

        ``budget``: seconds of computing, which a busy machine does not stretch.
        """
        with self.changed(sources):
            told = self._child(["-c", PROGRAM, str(budget), json.dumps(self.seeds)], (budget + HANGS_AFTER) * PATIENCE)
        return Verdict(
            bool(told["found"]), float(told["seconds"]), str(told.get("what", "")), int(told.get("seed", 0)),
            int(told.get("histories", 0)),
        )  # fmt: skip

    def fails(self, sources: dict[str, str], tests: Sequence[str], patience: float = 900) -> str:
        """The first of these tests that fails with these files changed; "" when all pass.

        Tests that cannot be run at all fail as the whole that was asked for.
        """
        command = [
            "-m",
            "pytest",
            "-x",
            "-q",
            "-rfE",
            "-p",
            "no:cacheprovider",
            "-m",
            "not slow and not browser",
            *tests,
        ]
        with self.changed(sources):
            try:
                done = self.run(command, patience)
            except subprocess.TimeoutExpired:
                return ""  # a busy machine finds nothing out
        if done.returncode == 0:
            return ""
        named = re.search(r"^(?:FAILED|ERROR) (tests/\S+?\.py(?:::\w+)*)", done.stdout, re.M)
        return named[1] if named else tests[0]

    def _child(self, arguments: Sequence[str], patience: float, compiled: bool = False) -> dict[str, Any]:
        hangs = {"found": True, "what": "hangs", "seconds": 0.0, "histories": 0}
        try:
            done = self.run(arguments, patience, compiled)
        except subprocess.TimeoutExpired:
            return hangs
        lines = [line for line in done.stdout.splitlines() if line.startswith("told ")]
        if not lines:
            return hangs if done.returncode < 0 else {**hangs, "what": f"broke: {done.stderr[-200:]}"}
        told: dict[str, Any] = json.loads(lines[-1].removeprefix("told "))
        return told

    def run(
        self, arguments: Sequence[str], patience: float, compiled: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run Python in the copy.  ``compiled``: it may leave .pyc files; a changed source never does."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)} | (
            {} if compiled else {"PYTHONDONTWRITEBYTECODE": "1"}
        )
        command = ["nice", "-n", "10", sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=patience, check=False
        )


class Nursery:
    """The process of ``nursery``: it stays loaded from one mutant to the next."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        environment = {**os.environ, "PYTHONPATH": str(tree.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = ["nice", "-n", "10", sys.executable, "-m", "tests.simulation.nursery"]
        self._process = subprocess.Popen(
            command, cwd=tree.folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._told()

    def verdict(self, wrong: dict[str, Any], budget: float) -> Verdict | None:
        """``wrong``: ``sources``, or ``file``, ``index`` and ``kind`` of a mutant.  None: it cannot be put in place."""
        request = {**wrong, "budget": budget, "seeds": self.tree.seeds}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        told = self._told()
        if "unchanged" in told:
            return None
        return Verdict(
            bool(told["found"]), float(told["seconds"]), str(told.get("what", "")), int(told.get("seed", 0)),
            int(told["histories"]),
        )  # fmt: skip

    def _told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("told "):
                found: dict[str, Any] = json.loads(line.removeprefix("told "))
                return found
        raise RuntimeError("the nursery ended")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@contextmanager
def nursery(tree: Tree) -> Iterator[Nursery]:
    made = Nursery(tree)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def copied(of: Tree | None = None) -> Iterator[Tree]:
    with tempfile.TemporaryDirectory(prefix="deskbell-teeth-") as folder:
        yield Tree(Path(folder), of)
