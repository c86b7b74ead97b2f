"""A process that has the whole desk loaded and forks a child for every bug: no start to wait for.

The child gives the functions of a module their wrong code, in place, so that whoever imported them runs it too,
and plays histories.  ``python -m tests.simulation.nursery`` reads a request a line and answers with a line; it runs in
a copy of the source (``tree``).
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.simulation.mutants import wrong_tree
from tests.simulation.tree import HANGS_AFTER, ROOT

WARMED_WITH = 1
"""The history that is played once before the first fork: clients are built, templates read."""


def transplant(module: ModuleType, code: CodeType) -> int:
    """Give the module's functions the code that ``code`` holds for them; returns how many functions changed."""
    return sum(_replaced(function, new) for name, new in _codes(code) for function in _functions(module, name))


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Qualified name and code of every function of a module and of its classes."""
    for each in code.co_consts:
        if not isinstance(each, CodeType) or each.co_name.startswith("<"):
            continue
        yield each.co_qualname, each
        if not each.co_flags & 0x02:  # no function's locals: a class
            yield from _codes(each)


def _functions(module: ModuleType, name: str) -> Iterator[FunctionType]:
    found: Any = module
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, type) else getattr(found, part, None)
    found = getattr(found, "fget", None) or getattr(found, "__func__", found)
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    if isinstance(found, FunctionType):
        yield found


def _replaced(function: FunctionType, code: CodeType) -> bool:
    if function.__code__ == code:
        return False
    if len(function.__code__.co_freevars) != len(code.co_freevars):
        raise ValueError("a closure of another shape")
    function.__code__ = code
    return True


def mutate(request: dict[str, Any]) -> int:
    """Make this process wrong: one node of a module's tree, or whole sources."""
    changed: dict[str, Any] = dict(request.get("sources") or {})
    if "index" in request:
        file = request["file"]
        changed[file] = wrong_tree((ROOT / file).read_text(), request["index"], request["kind"])
    done = 0
    for file, source in changed.items():
        name = ".".join(Path(file).with_suffix("").parts)
        done += transplant(sys.modules[name], compile(source, str(ROOT / file), "exec"))
    return done


def play(seeds: list[int], budget: float) -> dict[str, Any]:
    """Play until a promise breaks or so many seconds of computing are over."""
    from tests.simulation.history import Plan, run

    told: dict[str, Any] = {"found": False, "histories": 0}
    began = time.process_time()
    try:
        for seed in seeds:
            if time.process_time() - began > budget:
                break
            violations = run(Plan(seed)).violations
            told["histories"] += 1
            if violations:
                told |= {"found": True, "seed": seed, "what": violations[0][:300]}
                break
    except BaseException as error:  # noqa: BLE001  # whatever a mutant does, it was found out
        told |= {"found": True, "what": f"broke: {type(error).__name__}: {error}"[:300]}
    return {**told, "seconds": round(time.process_time() - began, 2)}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Fork, mutate, play; the child's own account, or that it hung or died."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        limit = int(request["budget"] + time.process_time()) + HANGS_AFTER
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        try:
            told = play(request["seeds"], request["budget"]) if mutate(request) else {"unchanged": True}
        except BaseException as error:  # noqa: BLE001  # told to the parent, which tries it the slow way
            told = {"unchanged": True, "why": repr(error)}
        os.write(writing, json.dumps(told).encode()[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else {"found": True, "what": "hangs", "seconds": 0.0, "histories": 0}


def main() -> None:
    play([WARMED_WITH], 60.0)
    _say({"ready": True})
    for line in sys.stdin:
        _say(answer(json.loads(line)))


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write("told " + json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
