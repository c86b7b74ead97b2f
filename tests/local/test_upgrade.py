"""What one release writes the other reads, both ways; and an upgrade under load and back loses and doubles nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import formats, releases
from bench.releases import Tree

PROGRAM = (releases.ROOT / "bench" / "formats.py").read_text()
QUEUES = ("INBOUND", "WORK", "LATER", "OUTBOUND")
SETTINGS = {
    "STAGE": "test", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "TABLE_NAME": "test",
    **{f"{name}{dead}_QUEUE_URL": f"{name}{dead}".lower() for name in QUEUES for dead in ("", "_DEAD")},
    **dict.fromkeys(
        ("ORIGINALS_BUCKET", "ATTACHMENTS_BUCKET", "USER_POOL_ID", "USER_POOL_CLIENT_ID", "CONFIGURATION_SET",
         "WEBSOCKET_API_ID", "WEBSOCKET_URL", "WEBSOCKET_ENDPOINT", "BASE_PATH", "PARAMETER_PREFIX"), "-",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    release = releases.earlier()
    if release is None:
        pytest.skip(releases.NO_EARLIER)
    return releases.unpack(release.commit, tmp_path_factory.mktemp("release") / "old")


@pytest.fixture(scope="module")
def present() -> Tree:
    return Tree(releases.ROOT, sys.executable, same_packages=True)


def told(tree: Tree, what: str, document: object = None) -> Any:
    environment = {"PATH": os.environ["PATH"], **SETTINGS}
    return json.loads(tree.run(["-c", PROGRAM, what], environment, json.dumps(document)))


@pytest.fixture(scope="module", params=["upgraded", "rolled back"])
def crossing(request: pytest.FixtureRequest, earlier: Tree, present: Tree) -> tuple[Tree, Tree]:
    """Who wrote, and who reads."""
    return (earlier, present) if request.param == "upgraded" else (present, earlier)


def test_every_shape_that_the_code_reads_is_compared() -> None:
    compared = formats.stored_shapes()
    assert {"Message", "Draft", "Session", "Kept", "CountedAs", "Timer", "Token"} <= {*compared}
    assert len(compared) > 25
    assert {*compared, *formats.ITEMS} <= formats.shapes().keys()


def test_what_one_release_stores_the_other_reads(crossing: tuple[Tree, Tree]) -> None:
    writer, reader = crossing
    written = told(writer, "write")
    meant, understood = told(writer, "read", written), told(reader, "read", written)
    assert len(understood) > 2 * len(formats.ITEMS)
    for title, value in understood.items():
        if value is not None:  # else a kind of item that came later, which this release never looks at
            assert common(value, meant[title]) == common(meant[title], value), title


def test_what_one_release_sees_in_the_stream_the_other_passes_on_alike(crossing: tuple[Tree, Tree]) -> None:
    """So what is on a queue while the code changes is what the new code itself would have put there."""
    writer, reader = crossing
    written = told(writer, "write")
    meant, passed = told(writer, "relay", written), told(reader, "relay", written)
    assert any(meant.values())
    assert common(passed, meant) == common(meant, passed)


INDEXES = "import json; from infra.resources import table; print(json.dumps(table.resources('test')))"


def indexes_of(tree: Tree) -> dict[str, Any]:
    properties = json.loads(tree.run(["-c", INDEXES], {"PATH": os.environ["PATH"]}))["Table"]["Properties"]
    return {each["IndexName"]: each for each in properties["GlobalSecondaryIndexes"]}


def test_one_update_of_the_table_is_enough(earlier: Tree, present: Tree) -> None:
    """DynamoDB makes or drops one index an update, and changes none: CloudFormation refuses more, for ever.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
    """
    before, after = indexes_of(earlier), indexes_of(present)
    assert len(before.keys() ^ after.keys()) <= 1
    assert {name: after[name] for name in before.keys() & after.keys()} == {
        name: before[name] for name in before.keys() & after.keys()
    }


def common(value: Any, other: Any) -> Any:
    """``value`` without the fields that ``other`` does not know."""
    if isinstance(value, dict) and isinstance(other, dict):
        return {name: common(value[name], other[name]) for name in value if name in other}
    if isinstance(value, list) and isinstance(other, list) and len(value) == len(other):
        return [common(each, its) for each, its in zip(value, other, strict=True)]
    return value


def test_a_field_that_got_another_meaning_is_noticed() -> None:
    assert common({"a": 1, "new": 2}, {"a": 1}) == common({"a": 1}, {"a": 1, "new": 2})
    assert common({"a": [{"b": 1}]}, {"a": [{"b": 2}]}) != common({"a": [{"b": 2}]}, {"a": [{"b": 1}]})
    assert common({"a": [1]}, {"a": []}) != common({"a": []}, {"a": [1]})


@pytest.mark.stack
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_upgrade_under_load_and_back_loses_and_doubles_nothing_though_calls_are_killed() -> None:
    if releases.earlier() is None:
        pytest.skip(releases.NO_EARLIER)
    command = [sys.executable, "-m", "bench.upgrade", "--json", "--kill", "--phase-seconds", "1"]
    finished = subprocess.run(command, cwd=releases.ROOT, capture_output=True, text=True, timeout=590, check=False)
    assert finished.stdout, finished.stderr
    figures = json.loads(finished.stdout.splitlines()[-1])["figures"]
    assert figures["mails"] > 5 and figures["replies"] > 0
    for name in ("lost", "doubled", "ledger_difference", "dead_letters", "parked", "code_not_exchanged"):
        assert figures[name] == 0, (name, figures)


def git(folder: Path, *words: str) -> None:
    named = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)


def test_a_clone_without_history_has_nothing_to_upgrade_from(tmp_path: Path) -> None:
    assert releases.earlier(tmp_path) is None
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "release: 1.0.0")
    assert releases.earlier(tmp_path) is None  # HEAD itself is no earlier one


def test_the_release_before_a_release_is_the_one_before(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for subject in ("release: 1.0.0", "store: Say release: 9.9.9 in the middle.", "release: 1.1.0"):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", subject)
    found = releases.earlier(tmp_path)
    assert found is not None and found.name == "1.0.0"


def test_a_release_runs_with_our_packages_while_they_hold_all_of_its_own(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs.txt", tmp_path / "ours.txt"
    theirs.write_text("boto3==1.2 \\\n    --hash=sha256:1\nchalice==1.34 \\\n    --hash=sha256:2\n    # via x\n")
    ours.write_text(theirs.read_text() + "new-one==3.0 \\\n    --hash=sha256:3\n")
    assert releases._pins(theirs) == {"boto3==1.2", "chalice==1.34"}
    assert releases._pins(theirs) < releases._pins(ours)
    ours.write_text(ours.read_text().replace("boto3==1.2", "boto3==1.3"))
    assert not releases._pins(theirs) <= releases._pins(ours)
