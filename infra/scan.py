"""Scanners over code, template and requirements, each finding fixed or kept with its reason in ``infra/scan.toml``.

    python -m infra.scan         bandit, checkov, pip-audit; exit status 1 on a finding without a reason
    python -m infra.scan --sbom  what ships, as CycloneDX, into build/sbom.json

The scanners live in environments of their own below build/scan: their pins fit neither ours nor each other's.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import package, vendor

ROOT = package.ROOT
TOOLS = ROOT / "build" / "scan"
SBOM = ROOT / "build" / "sbom.json"
RULES = ROOT / "infra" / "scan.toml"
SCANNED = ("app.py", "chalicelib", "infra", "local")
AUDITED = ("requirements.txt", "requirements-dev.txt")
SECONDS = 600
UNANSWERED = "could not be audited"
"""What pip-audit says of a package of which its service knows nothing, or does not answer."""


@dataclass(frozen=True)
class Finding:
    """``rule`` in the scanner's own words, such as B105 or CKV_AWS_27; ``where``: file or resource."""

    scanner: str
    rule: str
    where: str
    what: str


@dataclass(frozen=True)
class Reason:
    """Why a rule does not count, everywhere or where the name begins with one of ``where``."""

    scanner: str
    rule: str
    why: str
    where: tuple[str, ...] = ("",)

    def covers(self, finding: Finding) -> bool:
        return (finding.scanner, finding.rule) == (self.scanner, self.rule) and finding.where.startswith(self.where)


class ScanFailed(Exception):
    """A scanner could not be installed or did not run through; the message is what it said."""


def reasons() -> list[Reason]:
    kept = tomllib.loads(RULES.read_text())["kept"]
    return [Reason(each["scanner"], each["rule"], each["why"], tuple(each.get("where", ("",)))) for each in kept]


def judged(found: Sequence[Finding], kept: Sequence[Reason]) -> tuple[list[Finding], list[Reason]]:
    """Findings without a reason, and reasons that no finding needs any more."""
    open_findings = [each for each in found if not any(reason.covers(each) for reason in kept)]
    idle = [reason for reason in kept if not any(reason.covers(each) for each in found)]
    return open_findings, idle


# Tools


def tool(requirements: str, program: str) -> Path:
    """The program out of an environment of its own, made when its requirements changed."""
    pins = ROOT / requirements
    home = TOOLS / hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:16]
    if not (home / ".made").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, "--require-hashes", "--requirement", str(pins)])
        (home / ".made").touch()
    return home / "bin" / program


def _run(command: Sequence[str], good: Sequence[int] = (0,)) -> str:
    """What it printed."""
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=ROOT, env=quiet
        )
    except subprocess.TimeoutExpired as error:
        raise ScanFailed(f"{Path(command[0]).name} took more than {SECONDS} seconds.") from error
    if done.returncode not in good:
        raise ScanFailed(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def bandit() -> Iterator[Finding]:
    command = [str(tool("requirements-scan.txt", "bandit")), "--quiet", "--recursive", "--format", "json"]
    told = json.loads(_run([*command, *SCANNED], good=(0, 1)))
    if told["errors"]:
        raise ScanFailed(f"bandit could not read {told['errors'][0]}")
    for each in told["results"]:
        yield Finding("bandit", each["test_id"], f"{each['filename']}:{each['line_number']}", each["issue_text"])


def checkov() -> Iterator[Finding]:
    """Over the template that a deployment would send."""
    built = package.build("scan", ROOT / "build" / "scan-template", local=True)
    command = [str(tool("requirements-checkov.txt", "checkov")), "--file", str(built.template), "--quiet"]
    command += ["--framework", "cloudformation", "--output", "json", "--skip-download"]
    told = json.loads(_run(command, good=(0, 1)))
    if told["summary"]["parsing_errors"] or not told["summary"]["passed"]:
        raise ScanFailed("checkov could not read the template")
    for each in told["results"]["failed_checks"]:
        yield Finding("checkov", each["check_id"], each["resource"], each["check_name"])


def pip_audit() -> Iterator[Finding]:
    """Known holes in what we pin; a service that does not answer is said, and is no finding."""
    command = [str(tool("requirements-scan.txt", "pip-audit")), "--disable-pip", "--progress-spinner", "off"]
    for name in AUDITED:
        try:
            told: dict[str, Any] = json.loads(_run([*command, "--format", "json", "-r", name], good=(0, 1)))
        except (ScanFailed, ValueError) as error:
            print(f"pip-audit: skipped for {name}, its service did not answer ({str(error)[:200]}).")
            continue
        unknown = [each["name"] for each in told["dependencies"] if UNANSWERED in each.get("skip_reason", "")]
        if unknown:
            print(f"pip-audit: {len(unknown)} of {len(told['dependencies'])} packages of {name} skipped, "
                  "the package index here tells nothing of known holes.")  # fmt: skip
        for each in told["dependencies"]:
            for hole in each.get("vulns", ()):
                fixed = ", ".join(hole["fix_versions"]) or "no version yet"
                yield Finding("pip-audit", hole["id"], each["name"], f"{each['version']}: fixed in {fixed}")


SCANNERS: tuple[Callable[[], Iterator[Finding]], ...] = (bandit, checkov, pip_audit)


def scan() -> int:
    """Run every scanner; say what was found without a reason."""
    found: list[Finding] = []
    failed = False
    for scanner in SCANNERS:
        begun = time.monotonic()
        try:
            mine = list(scanner())
        except ScanFailed as error:
            print(error)
            failed = True
            continue
        found += mine
        print(f"{scanner.__name__}: {len(mine)} findings, {time.monotonic() - begun:.0f} s")
    kept = reasons()
    still_open, idle = judged(found, kept)
    for each in still_open:
        print(f"{each.scanner} {each.rule} {each.where}: {each.what}")
    for reason in idle if not failed else ():
        print(f"{reason.scanner} {reason.rule}: no finding needs this reason any more; take it out of {RULES.name}")
    print(f"{len(found)} findings, {len(found) - len(still_open)} with a reason, {len(still_open)} open.")
    return 1 if failed or still_open or idle else 0


# What ships


def sbom() -> Path:
    """CycloneDX of what ships to Lambda, htmx in the browser included."""
    program = str(tool("requirements-scan.txt", "cyclonedx-py"))
    command = [program, "requirements", "requirements.txt", "--pyproject", "pyproject.toml", "--output-reproducible"]
    made = json.loads(_run([*command, "--of", "JSON"]))
    made["components"].append(htmx())
    SBOM.parent.mkdir(parents=True, exist_ok=True)
    SBOM.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")
    return SBOM


def htmx() -> dict[str, Any]:
    """The one file that comes to the browser from somebody else, out of the wheel that carries it."""
    wheel = (ROOT / "requirements-vendor.txt").read_text().splitlines()[-1].split()[0]
    name, _, version = wheel.partition("==")
    return {
        "type": "library",
        "bom-ref": "htmx",
        "name": "htmx.org",
        "description": f"{vendor.INSIDE_WHEEL} of {wheel}, served to browsers as htmx.min.js",
        "hashes": [{"alg": "SHA-256", "content": vendor.SHA256}],
        "properties": [{"name": "deskbell:wheel", "value": f"pkg:pypi/{name}@{version}"}],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Scan code, template and requirements, or list what ships.")
    parser.add_argument("--sbom", action="store_true", help="write build/sbom.json and scan nothing")
    if parser.parse_args().sbom:
        print(sbom())
        return 0
    return scan()


if __name__ == "__main__":
    sys.exit(main())
