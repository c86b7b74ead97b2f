"""Which of the desk's services change something, and which of these people can ask for: read out of the source.

A name stands for whatever it refers to: who refers to a function may call it.  That a class is used stands for all its
methods.  So the reading rather finds too much than too little.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.simulation import sites

ROOT = Path(__file__).resolve().parents[2]
READS = ("Get", "List", "Query", "BatchGet", "Describe", "Head", "Receive")
"""How operations begin that change nothing (a dead letter that was looked at is there again a moment later)."""
SERVICES = "chalicelib.services."
Name = str
"""A function or class: its module and itself, as in ``chalicelib.services.take_back.undo``."""


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def _graph() -> dict[Name, frozenset[Name]]:
    """Whom every function and class of the desk's refers to."""
    found: dict[Name, frozenset[Name]] = {}
    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        found |= _referred(path)
    return found


def _referred(path: Path) -> dict[Name, frozenset[Name]]:
    tree, module = ast.parse(path.read_text()), _module(path)
    known = _imported(tree)
    own = [each for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    known |= {each.name: f"{module}.{each.name}" for each in own}
    return {f"{module}.{each.name}": frozenset(_names(each, known)) for each in own}


def _imported(tree: ast.Module) -> dict[str, Name]:
    """What each imported name stands for; also those that are imported within a function."""
    return {
        each.asname or each.name: f"{node.module}.{each.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for each in node.names
    }


def _names(body: ast.AST, known: dict[str, Name]) -> Iterator[Name]:
    for node in ast.walk(body):
        if isinstance(node, ast.Name) and node.id in known:
            yield known[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            yield f"{known[node.value.id]}.{node.attr}"


def closure(names: Iterable[Name]) -> frozenset[Name]:
    """With all that they refer to, directly or not."""
    graph, seen, waiting = _graph(), set[Name](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph.get(name, ())
    return frozenset(seen)


@cache
def _writers() -> frozenset[Name]:
    """What calls AWS or a provider to change something, itself."""
    return frozenset(
        f"chalicelib.{site.file.removesuffix('.py').replace('/', '.')}.{site.function.partition('.')[0]}"
        for site in sites.known()
        if not site.operation.startswith(READS)
    )


def asked_for() -> frozenset[Name]:
    """Public functions of services that pages, forms and the REST API refer to, and that change something."""
    graph = _graph()
    asked = {name for each, names in graph.items() if each.startswith("chalicelib.api.") for name in names}
    return frozenset(
        name
        for name in asked
        if name.startswith(SERVICES)
        and name in graph
        and name.rpartition(".")[2][0].islower()
        and not closure([name]).isdisjoint(_writers())
    )


def played(folder: Path) -> frozenset[Name]:
    """What the acts of a folder refer to, and the REST API's operations that they name."""
    from chalicelib.api.rest.routes import ROUTES

    found: set[Name] = set()
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text())
        found.update(_names(tree, _imported(tree)))
        words = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        found.update(f"chalicelib.api.rest.{ROUTES[word][0]}.{word}" for word in words & ROUTES.keys())
    return closure(found)
