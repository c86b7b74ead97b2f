"""Mutants: the source with one small, machine-made fault each.

They are made only where the histories go, in ``jobs``, ``services`` and ``store``.  Logging and metrics are left out:
no promise depends on them.
"""

import ast
import copy
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulation import draws
from tests.simulation.tree import Tree

ROOMS = ("jobs", "services", "store")
LOGGING = frozenset({"log", "warn", "count", "latency", "failed", "flush", "traced"})
OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COVER = """
import json, sys, builtins
builtins.__hit__ = set()
from tests.simulation.history import Plan, run
for seed in range(1, int(sys.argv[1]) + 1):
    run(Plan(seed))
print("told " + json.dumps(sorted(builtins.__hit__)))
"""
MOST_A_FILE = 14
LINE = 120


@dataclass(frozen=True)
class Mutant:
    """``change``: before → after.  ``source``: the whole file.  ``index``: of the node in its tree."""

    file: str
    line: int
    kind: str
    change: str
    source: str
    index: int

    @property
    def name(self) -> str:
        return f"{self.file}:{self.line} {self.kind}"


@dataclass(frozen=True)
class _Place:
    """One node of a file's tree that can be made wrong: ``index`` counts the nodes as ``ast.walk`` meets them.

    ``text``: the line as it is written.
    """

    file: str
    index: int
    kind: str
    line: int
    text: str


def files(tree: Tree) -> list[str]:
    found = [path for room in ROOMS for path in (tree.folder / "chalicelib" / room).glob("*.py")]
    return sorted(str(path.relative_to(tree.folder)) for path in found)


# Where the histories go


def executed(tree: Tree, histories: int) -> frozenset[tuple[str, int]]:
    """File and line of every statement that the clean source runs through in so many histories."""
    sources = {name: _instrumented(name, tree.read(name)) for name in files(tree)}
    with tree.changed(sources):
        done = tree.run(["-c", COVER, str(histories)], patience=1200)
    lines = [line for line in done.stdout.splitlines() if line.startswith("told ")]
    if not lines:
        raise subprocess.SubprocessError(done.stderr[-500:])
    return frozenset((file, line) for file, line in json.loads(lines[-1].removeprefix("told ")))


def _instrumented(name: str, source: str) -> str:
    """Says of each statement within a function that it was reached."""
    tree = ast.parse(source)
    for function in [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]:
        for holder in ast.walk(function):
            for part in ("body", "orelse", "finalbody"):
                block = getattr(holder, part, None)
                if isinstance(block, list) and not isinstance(holder, ast.FunctionDef | ast.Lambda | ast.IfExp):
                    setattr(holder, part, _told(name, block))
        function.body = _told(name, function.body)
    return ast.unparse(ast.fix_missing_locations(tree))


def _told(name: str, block: list[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in block:
        if not getattr(statement, "told", False):
            hit = ast.parse(f"__hit__.add(({name!r}, {statement.lineno}))").body[0]
            hit.told = True  # type: ignore[attr-defined]  # our own mark on the node
            statement.told = True  # type: ignore[attr-defined]  # our own mark on the node
            if not _is_docstring(statement):
                found.append(hit)
        found.append(statement)
    return found


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


# Making them


def made(tree: Tree, reached: frozenset[tuple[str, int]], count: int, seed: int) -> list[Mutant]:
    """``count`` mutants, drawn by ``seed``: as many as possible of each kind, at most MOST_A_FILE of a file.

    Each line draws its own lot, so that a change elsewhere in the code leaves most of the mutants what they were.
    """
    places = [place for name in files(tree) for place in _places(name, tree.read(name), reached)]
    by_kind: dict[str, list[_Place]] = {}
    for place in places:
        by_kind.setdefault(place.kind, []).append(place)
    for found in by_kind.values():
        found.sort(key=lambda place: draws.share(seed, place.file, place.kind, place.text))
    chosen: list[Mutant] = []
    per_file: dict[str, int] = {}
    lines: set[tuple[str, int]] = set()
    while len(chosen) < count and any(by_kind.values()):
        for kind in sorted(by_kind):
            if not by_kind[kind] or len(chosen) == count:
                continue
            place = by_kind[kind].pop()
            if per_file.get(place.file, 0) >= MOST_A_FILE or (place.file, place.line) in lines:
                continue
            per_file[place.file] = per_file.get(place.file, 0) + 1
            lines.add((place.file, place.line))
            chosen.append(_mutant(tree.read(place.file), place))
    return chosen


def _places(name: str, source: str, reached: frozenset[tuple[str, int]]) -> Iterator[_Place]:
    tree, lines = ast.parse(source), source.splitlines()
    inside, skipped = _within_reached(tree, name, reached), _left_out(tree)
    for index, node in enumerate(ast.walk(tree)):
        if node in skipped or node not in inside:
            continue
        for kind, (fits, _) in MAKERS.items():
            if fits(node):
                placed: Any = node.target if isinstance(node, ast.comprehension) else node
                yield _Place(name, index, kind, placed.lineno, lines[placed.lineno - 1].strip())


def _within_reached(tree: ast.AST, name: str, reached: frozenset[tuple[str, int]]) -> set[ast.AST]:
    """Everything below the innermost statements that were reached."""
    found: set[ast.AST] = set()
    for function in [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]:
        for statement in [each for each in ast.walk(function) if isinstance(each, ast.stmt)]:
            if (name, statement.lineno) not in reached:
                continue
            found.add(statement)
            for child in ast.iter_child_nodes(statement):
                if not isinstance(child, ast.stmt):
                    found |= set(ast.walk(child))
    return found


def _left_out(tree: ast.AST) -> set[ast.AST]:
    """Logging, metrics, error texts, annotations, arguments' defaults."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if _logs(node) or (isinstance(node, ast.Expr) and _logs(node.value)):
            found |= set(ast.walk(node))
        if isinstance(node, ast.Raise) and node.exc is not None:
            found |= set(ast.walk(node.exc))
        if isinstance(node, ast.FunctionDef):
            found |= set(ast.walk(node.args)) | (set(ast.walk(node.returns)) if node.returns else set())
        if isinstance(node, ast.AnnAssign):
            found |= set(ast.walk(node.annotation))
        if isinstance(node, ast.JoinedStr):
            found |= {each for each in ast.walk(node) if isinstance(each, ast.FormattedValue)}
    return found


def _logs(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in LOGGING


def _mutant(source: str, place: _Place) -> Mutant:
    tree = ast.parse(source)
    node = next(each for index, each in enumerate(ast.walk(tree)) if index == place.index)
    shown = _around(tree, node)
    before = _line(shown)
    replaced = _made_wrong(tree, node, place.kind)
    after = _line(replaced if shown is node else shown)
    return Mutant(place.file, place.line, place.kind, f"{before} → {after}", ast.unparse(tree), place.index)


def _made_wrong(tree: ast.AST, node: ast.AST, kind: str) -> ast.AST:
    replaced = MAKERS[kind][1](node)
    if replaced is not node:
        ast.copy_location(replaced, node)
        _Swap(node, replaced).visit(tree)
    ast.fix_missing_locations(tree)
    return replaced


def wrong_tree(source: str, index: int, kind: str) -> ast.Module:
    """The mutant as a tree whose lines are those of the source."""
    tree = ast.parse(source)
    node = next(each for n, each in enumerate(ast.walk(tree)) if n == index)
    _made_wrong(tree, node, kind)
    return tree


def _around(tree: ast.AST, wanted: ast.AST) -> ast.AST:
    """The largest expression or statement around a node that still fits on a line."""
    around: list[ast.AST] = [each for each in ast.walk(tree) if any(node is wanted for node in ast.walk(each))]
    shown = [each for each in around if isinstance(each, ast.expr | ast.stmt | ast.comprehension)]
    fitting = [each for each in shown if len(text := ast.unparse(each)) <= LINE and "\n" not in text]
    return fitting[0] if fitting else shown[-1]


def _line(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split("\n")[0]


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.old:
            return self.new
        self.generic_visit(node)
        return node


# The kinds


def _negate(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.If | ast.IfExp | ast.While)
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return node


def _drop_filter(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.comprehension)
    node.ifs = []
    return node


def _compare(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Compare)
    node.ops = [OPPOSITE[type(node.ops[0])](), *node.ops[1:]]
    return node


def _other_join(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
    return node


def _off_by_one(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Constant) and isinstance(node.value, int)
    return ast.Constant(node.value + 1)


def _drop_keyword(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call)
    node.keywords = node.keywords[:-1]
    return node


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def _is_dropped(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _may_drop_keyword(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and bool(node.keywords) and node.keywords[-1].arg is not None


def _returns(node: ast.AST) -> bool:
    return isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _other_return(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Return)
    value = node.value
    flipped = isinstance(value, ast.Constant) and isinstance(value.value, bool)
    return ast.Return(ast.Constant(not value.value if isinstance(value, ast.Constant) and flipped else None))


MAKERS: dict[str, tuple[Callable[[ast.AST], bool], Callable[[ast.AST], ast.AST]]] = {
    "condition negated": (lambda node: isinstance(node, ast.If | ast.IfExp | ast.While), _negate),
    "filter dropped": (lambda node: isinstance(node, ast.comprehension) and bool(node.ifs), _drop_filter),
    "comparison changed": (lambda node: isinstance(node, ast.Compare) and type(node.ops[0]) in OPPOSITE, _compare),
    "and/or swapped": (lambda node: isinstance(node, ast.BoolOp), _other_join),
    "number off by one": (_is_number, _off_by_one),
    "keyword dropped": (_may_drop_keyword, _drop_keyword),
    "call dropped": (_is_dropped, lambda node: ast.Pass()),
    "raise dropped": (lambda node: isinstance(node, ast.Raise), lambda node: ast.Pass()),
    "returns something else": (_returns, _other_return),
}
