"""Starting faster on Lambda: dataclasses whose methods were compiled when the desk was packaged.

A dataclass writes each of its methods as text and has Python compile it: some 0.6 CPU ms a class, at every cold start.
The desk has about a hundred, together a fifth of a start.  ``infra.repack`` compiles the same texts once and ships the
code beside this file; texts that are not in it are compiled as ever, so nothing depends on it.
"""

import builtins
import dataclasses
import marshal
import os
import sys
from importlib import util
from types import CodeType
from typing import Any

CODE_FILE = os.path.join(os.path.dirname(__file__), f"dataclasses.{sys.implementation.cache_tag}.bin")
MAGIC_BYTES = len(util.MAGIC_NUMBER)

missed: list[str] = []
"""Texts compiled in this process although code was shipped; the package's tests want none."""


def use_compiled_dataclasses() -> None:
    """Take shipped code, if there is any and this very Python made it."""
    try:
        with open(CODE_FILE, "rb") as file:
            shipped = file.read()
    except FileNotFoundError:
        return
    if shipped[:MAGIC_BYTES] != util.MAGIC_NUMBER:
        return
    code: dict[str, CodeType] = marshal.loads(shipped[MAGIC_BYTES:])  # noqa: S302  # our own file, beside our own code

    def execute(text: str, namespace: dict[str, Any], made: dict[str, Any]) -> None:
        known = code.get(text)
        if known is None:
            missed.append(text)
        builtins.exec(known or text, namespace, made)  # noqa: S102  # what dataclasses would do with the text

    setattr(dataclasses, "exec", execute)  # noqa: B010  # a global of that module stands before the builtin


def collect(found: dict[str, CodeType]) -> None:
    """While packaging: keep the code of every dataclass made from now on in ``found``."""

    def execute(text: str, namespace: dict[str, Any], made: dict[str, Any]) -> None:
        found[text] = compile(text, "<string>", "exec")
        builtins.exec(found[text], namespace, made)  # noqa: S102

    setattr(dataclasses, "exec", execute)  # noqa: B010
