"""Call sites: every place in the desk's code that calls AWS or a provider.

``known`` reads them out of the source; ``here`` finds the one that is calling now: the innermost line of ours on the
stack.  A site is one call expression with its operation, named by file and line.  ``test_simulation`` fails when a call
comes from a line that the reading did not find, so nothing can fall out of the count unseen.
"""

import ast
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("jobs", "services", "store", "connectors", "api", "wiring.py")
OURS = str(ROOT / "chalicelib")
PYNAMO = {
    "get": "GetItem",
    "query": "Query",
    "batch_get": "BatchGetItem",
    "batch_write": "BatchWriteItem",
    "save": "PutItem",
    "update": "UpdateItem",
    "delete": "DeleteItem",
}
MODELS = re.compile(
    r"Item$|Item\(.*\)$|^item$|^item\(|^counter$|^_delivery\(|^_item\(|^documents\.item\(|^notices\.item\(|\.by_time$"
    r"|\.by_customer$|\.by_holder$|^connection\(\)$"
)
CLIENTS = re.compile(
    r"(^_client\(\)|client\(['\"][\w-]+['\"]\)|^sqs|^ssm|^gateway|^ses|^sesv2|^cloudwatch|^client|self\._(ssm|ses|client)|^_pool\(\))$"
)
NOT_CALLS = frozenset(
    {"exceptions", "generate_presigned_url", "generate_presigned_post", "cache_clear", "get_paginator"}
)
NOT_AT_AWS = {
    ("wiring.py", "begin"): "reads the local stack's moved clock, which no deployment has",
}
"""Sites by file and function that no function at AWS ever calls, and why."""
POST = "Post"
"""The operation of a provider's HTTP call."""


@dataclass(frozen=True, order=True)
class Site:
    """``file`` below chalicelib.  ``line``: where the call begins."""

    file: str
    line: int
    function: str
    operation: str
    last_line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.operation}"

    @property
    def name(self) -> str:
        """What stays when lines move."""
        return f"{self.file} {self.function} {self.operation}"


@cache
def known() -> tuple[Site, ...]:
    """Every call site in the source."""
    found: list[Site] = []
    for room in ROOMS:
        place = ROOT / "chalicelib" / room
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            reader = _Reader(str(path.relative_to(ROOT / "chalicelib")))
            reader.visit(ast.parse(path.read_text()))
            found += reader.found
    return tuple(sorted(each for each in set(found) if (each.file, each.function) not in NOT_AT_AWS))


class _Reader(ast.NodeVisitor):
    def __init__(self, file: str) -> None:
        self.file = file
        self.names: list[str] = []
        self.found: list[Site] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._within(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._within(node)

    def _within(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        self.names.append(node.name)
        self.generic_visit(node)
        self.names.pop()

    def visit_Call(self, node: ast.Call) -> None:
        operation = _operation(node)
        if operation and self.names:
            function = _outer(".".join(self.names))
            self.found.append(Site(self.file, node.lineno, function, operation, node.end_lineno or node.lineno))
        self.generic_visit(node)


def _operation(node: ast.Call) -> str | None:
    if isinstance(node.func, ast.Name) and node.func.id == "TransactWrite":
        return "TransactWriteItems"
    if isinstance(node.func, ast.Call):
        return "UserPool" if ast.unparse(node.func).startswith("getattr(self._client") else None
    if not isinstance(node.func, ast.Attribute):
        return None
    receiver, name = ast.unparse(node.func.value), node.func.attr
    if name == "paginate" and "get_paginator(" in receiver:
        return _camel(receiver.partition("get_paginator(")[2].strip("'\")"))
    if name in PYNAMO and MODELS.search(receiver) and "transaction" not in receiver:
        return PYNAMO[name]
    if name == "request" and receiver == "_pool()":
        return POST
    if CLIENTS.search(receiver) and name not in NOT_CALLS and "_" in name:
        return _camel(name)
    return None


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _outer(qualified: str) -> str:
    """Without what is local to a function: a comprehension calls for the function around it."""
    return qualified.partition(".<locals>")[0]


@cache
def _in_function(file: str, function: str, operation: str) -> tuple[Site, ...]:
    return tuple(
        each
        for each in known()
        if each.file == file
        and (each.function == function or each.function.startswith(f"{function}."))
        and each.operation in (operation, "UserPool")
    )


@cache
def _site(file: str, line: int, function: str, operation: str) -> Site:
    candidates = _in_function(file, function, operation)
    within = [each for each in candidates if each.line <= line <= each.last_line]
    before = [each for each in candidates if each.line <= line]
    chosen = within or before or list(candidates)
    return chosen[-1] if chosen else Site(file, line, function, f"{operation} (not found in the source)")


@cache
def _file(path: str) -> str | None:
    return str(Path(path).relative_to(OURS)) if path.startswith(OURS) else None


Way = tuple[str, Site, str]
"""How a call comes about: the function that runs, the site, and whose wish it is (``asker``)."""
PLUMBING = ("store/", "connectors/", "wiring.py")
"""Rooms that call on behalf of others: all transactions are one line of theirs."""


def asker() -> str:
    """Who wants the call that is made now: the innermost function of ours outside the plumbing."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = _file(frame.f_code.co_filename)
        if file is not None and not file.startswith(PLUMBING):
            return f"{file} {_outer(frame.f_code.co_qualname)}"
        frame = frame.f_back
    return ""


def here(operation: str) -> Site | None:
    """The site that is calling now; None when no code of the desk's is on the stack."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = _file(frame.f_code.co_filename)
        if file is not None:
            return _site(file, frame.f_lineno, _outer(frame.f_code.co_qualname), operation)
        frame = frame.f_back
    return None
