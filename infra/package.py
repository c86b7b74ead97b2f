"""``chalice package`` → our template → a zip that starts fast.

Chalice's zip as it comes starts at half the speed it could: it carries all of botocore and no bytecode, and Lambda's
code directory is read-only, so every cold start compiles everything again.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from infra import template
from infra.repack import repack
from infra.vendor import fetch_htmx

ROOT = Path(__file__).resolve().parent.parent
STAGE_PATTERN = re.compile(r"[a-z][a-z0-9]{0,15}")
SHIPPED = ("app.py", "chalicelib", ".chalice/config.json")


@dataclass(frozen=True)
class Package:
    """``template`` names ``archive`` by its relative path, as Chalice does; ``infra.deploy`` puts a bucket there."""

    template: Path
    archive: Path


class PackagingFailed(Exception):
    """Chalice or pip refused; the message is what they said."""


def check_stage(stage: str) -> str:
    """Return ``stage``; raise ValueError unless it can be part of every AWS name."""
    if not STAGE_PATTERN.fullmatch(stage):
        raise ValueError(f"{stage!r} is no stage: 1 to 16 small letters and digits, a letter first")
    return stage


def build(stage: str, out_dir: Path, *, local: bool = False, architecture: str | None = None) -> Package:
    """Package the desk into ``out_dir`` (emptied first).

    Args:
        local: leave out the wheels: the local engine runs functions with this very interpreter and its packages.
        architecture: ``x86_64`` or ``arm64`` instead of .chalice/config.json's; wheels are fetched for it.

    Raises:
        PackagingFailed: with what Chalice said.
        ValueError: ``stage`` cannot be one.
    """
    check_stage(stage)
    shutil.rmtree(out_dir, ignore_errors=True)
    project = out_dir / "project"
    _copy_project(project, local=local, architecture=architecture)
    merge_file = out_dir / "merge.json"
    merge_file.write_text(json.dumps(template.merge_template(stage)))
    made = out_dir / "chalice"
    _run_chalice(project, stage, made, merge_file)
    finished = template.finish(json.loads((made / "sam.json").read_text()), stage)
    package = Package(out_dir / "template.json", out_dir / "deployment.zip")
    package.template.write_text(json.dumps(finished, indent=1))
    if local:
        shutil.move(made / "deployment.zip", package.archive)
    else:
        repack(made / "deployment.zip", package.archive)
    return package


def _copy_project(project: Path, *, local: bool, architecture: str | None) -> None:
    """Chalice ships all that lies in ``chalicelib``, so it gets a clean copy: no bytecode, no leftovers."""
    vendor = ROOT / "chalicelib" / "web" / "static" / "vendor"
    if not local or not vendor.exists():
        fetch_htmx(vendor)
    for name in SHIPPED:
        source, target = ROOT / name, project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(source, target)
    requirements = "" if local else (ROOT / "requirements.txt").read_text()
    (project / "requirements.txt").write_text(requirements)
    if architecture:
        settings = project / ".chalice" / "config.json"
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"lambda_architecture": architecture}))


def _run_chalice(project: Path, stage: str, made: Path, merge_file: Path) -> None:
    """A process of its own: Chalice imports app.py, and packaging must not depend on what is imported here."""
    command = [sys.executable, "-c", "from chalice.cli import main; main()", "--project-dir", str(project.resolve())]
    command += ["package", "--stage", stage, "--merge-template", str(merge_file.resolve()), str(made.resolve())]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_LAMBDA_")}
    environment.pop("_HANDLER", None)
    environment.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # Chalice wants one; the template names none
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode != 0 or not (made / "sam.json").exists():
        raise PackagingFailed((finished.stdout + finished.stderr).strip())
    if "Could not install dependencies" in finished.stdout:  # Chalice only mentions it and ships a broken zip
        raise PackagingFailed(finished.stdout.strip())


def main() -> int:
    import argparse

    parser = argparse.ArgumentParser(description="Package the desk: template.json and deployment.zip.")
    parser.add_argument("--stage", default="prod")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "package")
    parser.add_argument("--local", action="store_true", help="without wheels, for the local engine")
    given = parser.parse_args()
    package = build(given.stage, given.out, local=given.local)
    print(f"{package.template}\n{package.archive}: {package.archive.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
