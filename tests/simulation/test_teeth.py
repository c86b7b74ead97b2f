"""The histories find bugs: a handful of planted ones here, all of them and mutants in ``bench.faults --mutants``."""

import ast
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.simulation import mutants, teeth
from tests.simulation.planted import PLANTED
from tests.simulation.tree import ROOT, Edit, Tree, Verdict, copied

HANDFUL = (
    "the duplicate check has the wrong key",
    "a message is sent before it is claimed",
    "an unclear message is sent again",
    "what did not arrive is on no list",
    "a ticket is written over what somebody else wrote",
)
HISTORIES = 6
SECONDS = 60.0
SOURCE = '''
def chosen(items, limit=3):
    """Not this."""
    if items:
        limit = 2
    ready = items and limit
    fewer = limit < ready
    if not fewer:
        raise ValueError(f"no {limit}")
    log("chosen", count=5)
    save(items, condition=True)
    begin()
    kept = [each for each in items if each is not None]
    return kept
'''


@pytest.fixture(scope="module")
def tree() -> Iterator[Tree]:
    with copied() as made:
        yield made


def test_planted_bugs_still_fit_the_source(tree: Tree) -> None:
    names = [bug.name for bug in PLANTED]
    assert len(set(names)) == len(names) >= 24
    assert set(HANDFUL) <= set(names)
    for bug in PLANTED:
        for file, source in bug.sources(tree).items():
            ast.parse(source)
            assert source != tree.read(file), bug.name


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_handful_of_planted_bugs_is_found_and_the_clean_source_passes(tree: Tree) -> None:
    tree.settle(HISTORIES)
    assert tree.unclean == ()
    tree.seeds = tuple(range(1, 60))
    missed = []
    for bug in (each for each in PLANTED if each.name in HANDFUL):
        verdict = tree.verdict(bug.sources(tree), SECONDS)
        if not verdict.by_promise:
            missed.append(f"{bug.name}: {verdict}")
    assert not missed


def test_an_edit_fits_in_one_place_only() -> None:
    assert Edit("a.py", "one", "two").applied("one three") == "two three"
    for source in ("three", "one one"):
        with pytest.raises(ValueError, match="places instead of one"):
            Edit("a.py", "one", "two").applied(source)


def test_the_working_tree_is_never_touched_and_the_copy_is_restored(tree: Tree) -> None:
    name = "chalicelib/jobs/later.py"
    before = tree.read(name)
    with tree.changed({name: "raise RuntimeError"}):
        assert tree.read(name) == "raise RuntimeError"
        assert (ROOT / name).read_text() != "raise RuntimeError"
        assert tree.run(["-c", "import chalicelib.jobs.later"], 60).returncode != 0
    assert tree.read(name) == before
    assert tree.run(["-c", "import chalicelib.jobs.later"], 60).returncode == 0


def test_a_unit_test_that_finds_a_mutant_is_named_and_passes_without_it(tree: Tree) -> None:
    name, tests = "chalicelib/domain/moments.py", ["tests/domain/test_moments.py", "tests/domain/test_hosts.py"]
    wrong = {name: tree.read(name).replace("timedelta(", "-timedelta(").replace("return ", "return not ")}
    found = tree.fails(wrong, tests)
    assert found.startswith("tests/domain/test_moments.py")
    assert tree.fails({}, [found]) == ""
    assert tree.fails({}, tests) == ""


def test_lanes_do_everything_once_and_what_is_left_over_is_skipped(tree: Tree) -> None:
    done: list[tuple[Path, int]] = []
    figures = teeth.Figures()
    with copied(tree) as other:
        bench = teeth._Bench(figures, lambda line: None, end=time.monotonic() + 3600)
        bench.work_through([tree, other], range(20), lambda lane, fast, bug: done.append((lane.folder, bug)))
        assert sorted(bug for _, bug in done) == list(range(20))
        bench.end = 0
        bench.work_through([tree, other], range(20), lambda lane, fast, bug: done.append((lane.folder, bug)))
    assert (len(done), figures.skipped) == (20, 20)


class _OneFile(Tree):
    """A tree that holds nothing but one module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def test_mutants_differ_from_the_source_in_one_small_thing_each(tmp_path: Path) -> None:
    room = tmp_path / "chalicelib" / "jobs"
    room.mkdir(parents=True)
    (room / "sample.py").write_text(SOURCE)
    tree, file = _OneFile(tmp_path), "chalicelib/jobs/sample.py"
    reached = frozenset((file, line) for line in range(1, 20))
    found = mutants.made(tree, reached, 50, seed=1)
    again = mutants.made(tree, reached, 50, seed=1)
    plain = ast.unparse(ast.parse(SOURCE))
    assert [each.source for each in found] == [each.source for each in again]
    assert all(each.source != plain for each in found)
    every = {each.kind for seed in range(30) for each in mutants.made(tree, reached, 50, seed)}
    assert every == set(mutants.MAKERS)
    changed = {each.change for seed in range(30) for each in mutants.made(tree, reached, 50, seed)}
    assert "save(items, condition=True) → save(items)" in changed
    assert not [each for each in changed if "log(" in each or "count=5" in each]


def test_a_change_elsewhere_leaves_the_drawn_mutants_what_they_are(tmp_path: Path) -> None:
    room = tmp_path / "chalicelib" / "jobs"
    room.mkdir(parents=True)
    (room / "sample.py").write_text(SOURCE)
    tree, file = _OneFile(tmp_path), "chalicelib/jobs/sample.py"
    before = mutants.made(tree, frozenset((file, line) for line in range(1, 20)), 5, seed=1)
    (room / "sample.py").write_text(f"{SOURCE}\n\ndef later(n):\n    return n\n")
    after = mutants.made(tree, frozenset((file, line) for line in range(1, 20)), 5, seed=1)
    assert [each.change for each in before] == [each.change for each in after]


def test_only_what_the_histories_reach_is_made_wrong(tmp_path: Path) -> None:
    room = tmp_path / "chalicelib" / "jobs"
    room.mkdir(parents=True)
    (room / "sample.py").write_text(SOURCE)
    tree, file = _OneFile(tmp_path), "chalicelib/jobs/sample.py"
    assert mutants.made(tree, frozenset(), 50, seed=1) == []
    found = mutants.made(tree, frozenset({(file, 7)}), 50, seed=1)
    assert {each.line for each in found} == {7}


def _figures(**changed: Any) -> teeth.Figures:
    planted = len(PLANTED)
    return replace(teeth.Figures(planted=planted, planted_found=planted, planted_found_by_promises=planted - 2,
                                 mutants=110, killed_by_histories=60, killed_by_promises=50), **changed)  # fmt: skip


def test_the_whole_work_passes_and_tells_how_bugs_were_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert teeth.reported(_figures()) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]
    assert (told["planted_found_by_breaking"], told["mutants_killed_by_breaking"]) == (2, 10)


@pytest.mark.parametrize(
    "changed",
    [{"skipped": 1}, {"planted": 20}, {"mutants": 99}, {"planted_found_by_promises": 20}, {"unclean_histories": 1}],
)
def test_a_part_of_the_work_is_not_the_whole(changed: dict[str, int]) -> None:
    assert teeth.reported(_figures(**changed)) == 1


@pytest.mark.parametrize(
    ("what", "by_promise"),
    [("1 originals are kept byte for byte: in1 is gone", True), ("broke: KeyError: 'x'", False), ("hangs", False)],
)
def test_a_history_that_breaks_off_breaks_no_promise(what: str, by_promise: bool) -> None:
    assert Verdict(True, 1.0, what).by_promise == by_promise
    assert not Verdict(False, 1.0).by_promise


def test_every_known_survivor_has_a_reason() -> None:
    for (file, change), reason in teeth.reasons().items():
        assert (ROOT / file).exists(), file
        assert " → " in change
        assert len(reason.split()) >= 4, f"{file} {change}"
