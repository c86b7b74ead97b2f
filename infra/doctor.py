"""``make doctor STAGE=prod``: looks at a deployed desk and says what is wrong, in plain words, and what to do.

It changes nothing.  Exit status 1 when there is a problem; warnings alone are 0.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from infra import desk, package, stack
from infra.deploy import clients
from infra.stack import Client, Say, Stack

Verdict = Literal["ok", "warning", "problem", "skipped"]
GUIDE = "docs/operate.md"
DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "NotAuthorized")


@dataclass(frozen=True)
class Finding:
    """``words``: what was found, one sentence.  ``then``: what to do next, a command or a place to read."""

    check: str
    verdict: Verdict
    words: str
    then: str = ""


@dataclass(frozen=True)
class Answer:
    """What a web address answered."""

    status: int
    body: str = ""
    certificate_ends: datetime | None = None


@dataclass(frozen=True)
class Patient:
    """A deployed stage, and how to look at it.

    get: an address → its answer; raises OSError when there is none.  resolve: as ``mail_setup.Resolve``.
    code: ``chalicelib.<name>``, connected to the stage.
    """

    stage: str
    client: Client
    stack: Stack
    local: bool
    now: Callable[[], datetime]
    get: Callable[[str], Answer]
    resolve: Callable[[str, str], tuple[str, ...]]
    code: Callable[[str], Any]

    def output(self, name: str) -> str:
        return self.stack.outputs.get(name, "")

    @property
    def name(self) -> str:
        return stack.stack_name(self.stage)


Check = Callable[[Patient], Iterable[Finding]]


def ok(check: str, words: str) -> Finding:
    return Finding(check, "ok", words)


def warning(check: str, words: str, then: str) -> Finding:
    return Finding(check, "warning", words, then)


def problem(check: str, words: str, then: str) -> Finding:
    return Finding(check, "problem", words, then)


def only_on_aws(check: str) -> Finding:
    return Finding(check, "skipped", "Not looked at: the local engine has none of this.")


def examine(patient: Patient, checks: Iterable[Check]) -> Iterator[Finding]:
    """The findings of every check; one that fails is a finding itself and stops no other."""
    for check in checks:
        name = check.__name__.replace("_", " ")
        try:
            yield from check(patient)
        except (*desk.TROUBLE, OSError) as error:
            yield _not_seen(name, error)


def _not_seen(name: str, error: Exception) -> Finding:
    if desk.code_of(error) in DENIED:
        return warning(name, "Your credentials may not look at this.", "Use those that deploy the desk.")
    said = str(error) if isinstance(error, OSError) else f"{desk.told(error)}."
    return warning(name, f"Could not be looked at. {said}", "Try again in a minute.")


def at_all(stage: str, client: Client) -> tuple[list[Finding], Stack | None]:
    """What must be right before anything else can be looked at: credentials, region, the stack."""
    try:
        who = client("sts").get_caller_identity()
        region = client("sts").meta.region_name
    except (ClientError, BotoCoreError, ValueError) as error:
        then = "Set AWS_PROFILE (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and AWS_REGION."
        return [problem("credentials", f"AWS does not take your credentials: {error}", then)], None
    found = [ok("credentials", f"Account {who['Account']}, region {region}.")]
    deployed = stack.describe(client("cloudformation"), stack.stack_name(stage))
    if deployed is None:
        then = f"Look whether account and region are the right ones; then: make deploy STAGE={stage}"
        return [*found, problem("stack", f"There is no stack {stack.stack_name(stage)} here.", then)], None
    return [*found, _stack_state(stage, deployed.status)], deployed


def _stack_state(stage: str, status: str) -> Finding:
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return ok("stack", f"{stack.stack_name(stage)} is {status}.")
    if status.endswith("_IN_PROGRESS"):
        return warning("stack", f"{stack.stack_name(stage)} is {status}.", "Wait for the deployment to end.")
    if status == "UPDATE_ROLLBACK_COMPLETE":
        words = "The last deployment failed and was taken back: the desk runs as it did before."
        return warning("stack", words, f"make deploy STAGE={stage} again; it prints the reasons.")
    then = f"{GUIDE}, “Upgrade and rollback”"
    return problem("stack", f"{stack.stack_name(stage)} is {status}.", then)


def all_checks() -> tuple[Check, ...]:
    from infra import doctor_desk, doctor_mail, doctor_stack

    return (*doctor_stack.CHECKS, *doctor_mail.CHECKS, *doctor_desk.CHECKS)


def patient_of(stage: str, client: Client, deployed: Stack) -> Patient:
    """The stage with the real network, the real clock, and the desk's own code."""
    import importlib

    from infra.doctor_net import get

    wiring = desk.connect(stage, client)
    resolver = importlib.import_module("chalicelib.services.dns_lookup").Resolver()
    return Patient(
        stage, client, deployed, wiring.settings().local, lambda: datetime.now(UTC), get, resolver,
        lambda name: importlib.import_module(f"chalicelib.{name}"),
    )  # fmt: skip


SIGNS: dict[Verdict, str] = {"ok": "ok      ", "warning": "WARNING ", "problem": "PROBLEM ", "skipped": "-       "}


def show(findings: Iterable[Finding], say: Say = print) -> list[Finding]:
    """Say each as it is found; returns them."""
    shown = []
    for each in findings:
        shown.append(each)
        say(f"{SIGNS[each.verdict]} {each.check}: {each.words}")
        if each.then:
            say(f"          → {each.then}")
    return shown


def summary(findings: Iterable[Finding]) -> str:
    counts = {verdict: sum(each.verdict == verdict for each in findings) for verdict in ("problem", "warning", "ok")}
    said = [f"{count} {verdict}{'s' if count != 1 and verdict != 'ok' else ''}" for verdict, count in counts.items()]
    return ", ".join(said) + "."


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", default="prod")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    given = parser.parse_args(arguments)
    say: Say = (lambda line: None) if given.json else print
    try:
        stage = package.check_stage(given.stage)
        desk.find_local_engine(stage)
        client = clients()
    except (desk.NoDesk, ValueError) as error:
        print(f"Cannot look: {error}", file=sys.stderr)
        return 1
    first, deployed = at_all(stage, client)
    findings = show(first, say)
    if deployed is not None:
        try:
            findings += show(examine(patient_of(stage, client, deployed), all_checks()), say)
        except desk.NoDesk as error:
            findings += show([problem("functions", str(error), f"make deploy STAGE={stage}")], say)
        except desk.TROUBLE as error:
            findings += show([_not_seen("settings", error)], say)
    say(summary(findings))
    if given.json:
        print(json.dumps([dataclasses.asdict(each) for each in findings], ensure_ascii=False, indent=1))
    return 1 if any(each.verdict == "problem" for each in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
