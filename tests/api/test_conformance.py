"""schemathesis reads the OpenAPI document and tries to find a call that is not answered as declared."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from chalicelib import config, wiring
from chalicelib.api import operations
from chalicelib.errors import Refused
from tests.api.client import Api
from tests.api.server import serving

EXAMPLES = 2
"""Per call and phase, beside the cases that cover the document's limits one by one."""
SEED = 20261121
LEAST_CASES = 500
"""A run of fewer has tested something else."""
CONFIGURATION = """
[checks.positive_data_acceptance]
# 422: what only the desk can know, say that no agent has this id.
expected-statuses = ["2xx", "403", "404", "409", "422"]
"""


def _no_network(url: str, payload: Mapping[str, object]) -> NoReturn:
    raise Refused("there is no network in tests", retry_after_seconds=None)


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_the_api_answers_as_its_document_says(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(operations, "CALLS_PER_MINUTE", 10**9)
    monkeypatch.setattr(wiring, "post_json", _no_network)
    monkeypatch.setenv("LOCAL", "1")
    config.settings.cache_clear()
    api.desk.agent("lina")
    api.desk.team("first")
    api.ticket()
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    with serving() as address:
        command = [
            str(Path(sys.executable).with_name("schemathesis")), "--config-file", "schemathesis.toml", "run",
            f"{address}/api/v1/openapi.json", "--header", f"Authorization: Bearer {api.bearer}", "--workers", "1",
            "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--no-shrink", "--continue-on-failure",
        ]  # fmt: skip
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False)
    generated = re.search(r"([\d,]+) generated", run.stdout)
    assert run.returncode == 0, run.stdout[-20_000:]
    assert generated is not None and int(generated[1].replace(",", "")) > LEAST_CASES, run.stdout[-2_000:]
