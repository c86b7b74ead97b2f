"""Functions that outlive a killed desk."""

import subprocess
import sys
from pathlib import Path

from local.launcher import end_orphans


def test_functions_that_outlived_a_killed_desk_are_ended_and_nobody_else(tmp_path: Path) -> None:
    waits = "import sys; sys.stdin.read()"
    ours, other = (
        subprocess.Popen([sys.executable, "-c", waits, str(place / "worker.py")], stdin=subprocess.PIPE)
        for place in (tmp_path / "tmp" / "lambda-1", tmp_path / "tmp-of-another")
    )
    with ours, other:
        end_orphans(tmp_path / "tmp")
        ours.wait(10)  # raises when it goes on
        assert other.poll() is None
