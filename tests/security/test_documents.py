"""The pages on security say only what can be shown: every named test exists, no line is without a test or a reason."""

import ast
import re
from functools import lru_cache

import pytest

from tests.engine import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
ROW = re.compile(r"\| (\d+\.\d+\.\d+) \| ([^|]+) \| (.+) \|")
REASONS = ("Not applicable", "AWS", "By design", "Documented", "Gap")
PER_CHAPTER = {1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13,
               16: 16, 17: 7}  # fmt: skip
"""Requirements of levels 1 and 2 in ASVS 5.0.0: 253."""


def _text(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def _rows() -> list[tuple[str, str, str]]:
    return [(row[1], row[2], row[3]) for line in _text("asvs.md").splitlines() if (row := ROW.fullmatch(line))]


@lru_cache(maxsize=200)
def _tests_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("page", ["asvs.md", "security.md"])
def test_every_named_test_exists(page: str) -> None:
    named = NAMED.findall(_text(page))
    assert len(named) >= 10
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or (name and name not in _tests_in(path))
    ]
    assert missing == []


def test_every_requirement_has_a_test_or_a_reason() -> None:
    bare = [
        number
        for number, _, answer in _rows()
        if not NAMED.search(answer) and not re.match(rf"\*\*(?:{'|'.join(REASONS)})\*\*: \S", answer)
    ]
    assert bare == []
    empty = [number for number, _, answer in _rows() if re.search(r"\*\*Gap\*\*: \W*$", answer)]
    assert empty == [], "a gap says what to do"


def test_every_requirement_of_level_two_stands_there_once() -> None:
    numbers = [number for number, _, _ in _rows()]
    assert len(numbers) == len(set(numbers)) == 253
    assert {int(each.split(".")[0]): 0 for each in numbers}.keys() == PER_CHAPTER.keys()
    for chapter, wanted in PER_CHAPTER.items():
        assert sum(each.split(".")[0] == str(chapter) for each in numbers) == wanted, chapter


def test_links_between_pages_lead_somewhere() -> None:
    headings = {line.lstrip("# ").strip() for line in _text("security.md").splitlines() if line.startswith("#")}
    asked = set(re.findall(r'\[security\.md\]\(security\.md\), "([^"]+)"', _text("asvs.md")))
    assert asked and asked <= headings, asked - headings
