"""Make Chalice's zip small and quick to import: prune, compile, pack, the same bytes every time."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

AWS_SERVICES = frozenset(
    {"apigatewaymanagementapi", "cloudwatch", "cognito-idp", "dynamodb"}
    | {"s3", "ses", "sesv2", "sns", "sqs", "ssm", "sts"}
)
"""botocore carries the description of some 400 services; these are the ones the desk calls."""

BUILD_TOOLS = ("bin", "pip", "pkg_resources", "setuptools", "wheel", "_distutils_hack")
NEVER_READ = ("*.dist-info", "*.data")
FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # zip knows no earlier date, and any fixed one makes equal zips of equal code
ROOT = Path(__file__).resolve().parent.parent
LAMBDA_ROOT = "/var/task"  # so that tracebacks name the path where the code runs


def repack(source: Path, target: Path) -> None:
    """Write ``target`` from Chalice's ``source``; raise CalledProcessError if a file does not compile."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        with zipfile.ZipFile(source) as archive:
            archive.extractall(tree)
        _prune(tree)
        _precompile(tree)
        _compile(tree)
        _pack(tree, target)


def _prune(tree: Path) -> None:
    unwanted = [tree / name for name in BUILD_TOOLS]
    for pattern in NEVER_READ:
        unwanted += tree.glob(pattern)
    for pattern in ("*.pyi", "py.typed", "tests", "__pycache__"):
        unwanted += tree.rglob(pattern)
    services = tree / "botocore" / "data"
    if services.exists():
        unwanted += [each for each in services.iterdir() if each.is_dir() and each.name not in AWS_SERVICES]
        unwanted += services.rglob("examples-1.json*")
    for path in unwanted:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _compile(tree: Path) -> None:
    """Unchecked: the code directory is read-only and its dates are ours, so nothing is to be checked against."""
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(tree), "-p", LAMBDA_ROOT, str(tree)]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})


def _precompile(tree: Path) -> None:
    """In a process of its own, since it imports the desk as it will ship."""
    if (tree / "chalicelib").exists():
        command = [sys.executable, "-m", "infra.precompile", str(tree)]
        subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "0"})


def _pack(tree: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(tree.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(tree)), FIRST_ZIP_DATE)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes(), compresslevel=9)
