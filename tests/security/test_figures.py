"""The lines at the end of a run tell what the workers' tests did."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.figures import CORPUS, MATRIX, lines

ROOT = Path(__file__).parents[2]
ONE_FILE = """
import pytest

@pytest.mark.parametrize("visitor", ["{0}", "{0}-token"])
def test_called(visitor, record_property):
    gaps = int(visitor == "leader")
    record_property("authorisation matrix",
        dict(routes=3, visitors=1, roles=int("token" not in visitor), cells=3, gaps=gaps))
    assert not gaps

def test_opened(record_property):
    record_property("attack corpus", dict(vectors=10, mails=2, executed=0, loaded=0))
    record_property("seconds", 4)
"""


def test_shares_add_up_and_routes_do_not() -> None:
    share = {"routes": 3, "visitors": 1, "roles": 1, "cells": 3, "gaps": 0}

    assert lines([(MATRIX, share), ("seconds", 4), (MATRIX, share | {"gaps": 1, "roles": 0})]) == [
        "authorisation matrix: 3 routes x 2 visitors (1 roles), 6 cells called, 1 gaps"
    ]
    assert lines([("seconds", 4)]) == []
    assert lines([(CORPUS, {"vectors": 5, "mails": 1, "executed": 1, "loaded": 0})]) == [
        "attack corpus: 5 vectors in 1 mails, executed 1, loaded 0"
    ]


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_run_says_them_with_workers_and_without(tmp_path: Path, processes: str) -> None:
    (tmp_path / "conftest.py").write_text("from tests.figures import pytest_terminal_summary\n")
    for name in ("agent", "leader"):
        (tmp_path / f"test_{name}.py").write_text(ONE_FILE.format(name))
    command = [sys.executable, "-m", "pytest", "-q", "-n", processes, "--dist", "loadfile", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, str(tmp_path), "--rootdir", str(tmp_path), "-c", "/dev/null", "-o", f"pythonpath={ROOT}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = run.stdout.splitlines()
    assert "authorisation matrix: 3 routes x 4 visitors (2 roles), 12 cells called, 1 gaps" in said, run.stdout
    assert "attack corpus: 20 vectors in 4 mails, executed 0, loaded 0" in said
