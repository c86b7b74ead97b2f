"""docs/architecture.md names every function and every kind of item that the code writes."""

import ast
from collections.abc import Iterator

from infra.functions import FUNCTIONS
from infra.package import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()


def _is_prefix(text: str) -> bool:
    head, mark, _ = text.partition("#")
    return bool(mark) and len(head) > 2 and head.isupper()


def keys_of_items() -> Iterator[str]:
    """Beginnings of keys, such as ``TICKET#``, and the constant keys of documents, such as ``AGENTS``."""
    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_prefix(node.value):
                yield node.value.partition("#")[0] + "#"
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = node.func
                if isinstance(called.value, ast.Name) and called.value.id == "documents":
                    for given in node.args[:2]:
                        if isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value.isupper():
                            yield given.value


def test_every_kind_of_item_is_in_the_table() -> None:
    known = set(keys_of_items())
    assert {"TICKET#", "LIST#", "AGENTS", "LEDGER"} <= known
    assert sorted(key for key in known if f"`{key}" not in PAGE) == []


def test_every_function_is_in_its_table() -> None:
    rows = PAGE.partition("## Functions")[2].partition("## Table")[0]
    cells = " ".join(row.split("|")[1] for row in rows.splitlines() if row.startswith("|"))
    named = cells.replace(",", " ").split()
    assert sorted(each.name for each in FUNCTIONS if each.name not in named) == []
