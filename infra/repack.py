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

HOLIDAYS = "holidays"
"""Read by few calls, large, and ready to run without its sources."""
HOLIDAY_LANGUAGES = frozenset({"en_US"})
"""What the console speaks (services/holiday_tables.py); the library has dozens."""

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
        _without_sources(tree, HOLIDAYS)
        _compile(tree, tree)
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
    languages = tree / HOLIDAYS / "locale"
    if languages.exists():
        unwanted += [each for each in languages.iterdir() if each.name not in HOLIDAY_LANGUAGES]
        unwanted += [tree / HOLIDAYS / "financial"]
    for path in unwanted:
        if path.match(f"{HOLIDAYS}-*.dist-info"):
            _only_metadata(path)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _only_metadata(path: Path) -> None:
    """The library asks for its own version while it is imported."""
    for each in path.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name != "METADATA":
            each.unlink()
    metadata = path / "METADATA"
    metadata.write_text(metadata.read_text().partition("\n\n")[0] + "\n")  # without the description


def _compile(tree: Path, folder: Path, *options: str) -> None:
    """Unchecked: the code directory is read-only and its dates are ours, so nothing is to be checked against."""
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += [*options, "-s", str(tree), "-p", LAMBDA_ROOT, str(folder)]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})


def _without_sources(tree: Path, package: str) -> None:
    """Bytecode where the sources were, without their docstrings: with both, it would be a fifth of the zip."""
    folder = tree / package
    if folder.exists():
        _compile(tree, folder, "-b", "-o", "2")
        for source in folder.rglob("*.py"):
            source.unlink()


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
