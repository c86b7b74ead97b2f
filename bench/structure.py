"""What makes a cold start fast and no clock can blur: what the zip holds, and what importing app.py loads."""

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.repack import HOLIDAYS

BANNED = ("boto3", "s3transfer", "pydantic", "aws_xray_sdk", "requests", "httpx", "bleach", "lxml", "phonenumbers")
"""Each costs a cold start 60 to 160 CPU ms."""
BANNED_IN_WORKERS = ("jinja2",)
UNCHECKED_HASH = 0b01  # PEP 552: hash-based, not to be checked against the source
MAX_ZIP_MB = 13
MAX_MODULES_WEB = 450
MAX_MODULES_WORKER = 520

ASKED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
print(json.dumps({name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}))
"""


COMPILED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app, dataclasses
from chalicelib import startup
print(json.dumps(startup.missed if "exec" in vars(dataclasses) else ["all of them"]))
"""


IMPORTED = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import chalicelib
faults = []
for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        faults.append(f"{module.name}: {error}")
print(json.dumps(faults))
"""


def unpack(archive: Path, folder: Path) -> Path:
    """As Lambda does: into a directory that nobody writes to."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


def bytecode_faults(tree: Path) -> Iterator[str]:
    """Sources whose bytecode is missing, of another Python, checked at run time, or not theirs."""
    for source in sorted(tree.rglob("*.py")):
        name = source.relative_to(tree)
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if not compiled.exists():
            yield f"{name} has no bytecode"
            continue
        head = compiled.read_bytes()[:16]
        if fault := _head_fault(head):
            yield f"{name} {fault}"
        elif head[8:16] != importlib.util.source_hash(source.read_bytes()):
            yield f"{name} was compiled from another source"
    known = {Path(importlib.util.cache_from_source(str(source))) for source in tree.rglob("*.py")}
    for compiled in sorted(set(tree.rglob("*.pyc")) - known):
        name = compiled.relative_to(tree)
        fault = _head_fault(compiled.read_bytes()[:16]) if name.parts[0] == HOLIDAYS else "has no source"
        if fault:
            yield f"{name} {fault}"


def _head_fault(head: bytes) -> str:
    if head[:4] != importlib.util.MAGIC_NUMBER:
        return "was compiled by another Python"
    return "" if int.from_bytes(head[4:8], "little") == UNCHECKED_HASH else "would be checked at run time"


def lambda_environment(entry: str) -> dict[str, str]:
    """What Lambda sets; ``entry`` is the handler, such as ``app.work``."""
    return {
        "PATH": os.environ["PATH"],
        "_HANDLER": entry,
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_LAMBDA_FUNCTION_NAME": "deskbell-bench",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "PYTHONHASHSEED": "0",
    }


def loaded_modules(tree: Path, entry: str) -> dict[str, str | None]:
    """Name and file of every module that ``import app`` leaves in a fresh process which sees nothing but ``tree``."""
    modules: dict[str, str | None] = json.loads(_asked(ASKED, tree, entry))
    return modules


def compiled_at_start(tree: Path, entry: str) -> list[str]:
    """Texts of dataclasses that ``import app`` had to compile, although their code should lie in the zip."""
    texts: list[str] = json.loads(_asked(COMPILED, tree, entry))
    return texts


def import_faults(tree: Path) -> list[str]:
    """Modules of the desk that cannot be imported with what the zip holds."""
    faults: list[str] = json.loads(_asked(IMPORTED, tree, "app.app"))
    return faults


def _asked(program: str, tree: Path, entry: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program, str(tree)],
        env=lambda_environment(entry),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise RuntimeError(f"import app failed as {entry}:\n{answer.stderr}")
    return answer.stdout.splitlines()[-1]


def not_ours(modules: Iterable[str]) -> list[str]:
    """All but the desk's own: third parties' modules and what they make Python load of its library."""
    return [name for name in modules if name.partition(".")[0] not in {"__main__", "app", "chalicelib"}]


def banned(modules: Iterable[str], *more: str) -> list[str]:
    roots = {name.partition(".")[0] for name in modules}
    return sorted(roots & {*BANNED, *more})
