"""Which promises there are: read out of the source, where each is told of and where it says that it looked."""

import ast
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
TELLS, LOOKS = frozenset({"tell", "violate"}), frozenset({"saw"})


@cache
def promises(by: frozenset[str] = TELLS) -> frozenset[str]:
    """Every promise whose name stands in a call of one of these."""
    found = set()
    for path in sorted(FOLDER.rglob("*.py")):
        if path.name.startswith("test_"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and _name(node.func) in by:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return frozenset(found)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def figure(promise: str) -> str:
    """A promise's name among figures."""
    return "checked_" + "".join(each if each.isalnum() else "_" for each in promise.replace("'", ""))
