"""``make deploy STAGE=prod``: package, upload, change set, and what CloudFormation cannot do by itself.

With AWS_ENDPOINT_URL set the same code deploys to the local engine; nothing else differs but ``localize``.
"""

import argparse
import importlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra import desk, dns, package, receiving, stack
from infra.cloudformation import Json
from infra.functions import function
from infra.localize import localize
from infra.resources.mail import INBOX_RULE
from infra.stack import Client, DeploymentFailed, Say

SECRETS = ("reply-key",)
SECRET_BYTES = 32
HOOKS_CONCURRENCY = 50
AWS_KEEPS_UNRESERVED = 100
"""Lambda refuses to reserve the last hundred executions of an account; new accounts have ten in all."""


@dataclass(frozen=True)
class Local:
    """The local engine.  ``environment`` overrides functions' variables, such as WEBSOCKET_URL of a front port."""

    endpoint: str
    environment: Mapping[str, str] = field(default_factory=dict)


def deploy(
    stage: str,
    built: package.Package,
    client: Client,
    *,
    local: Local | None = None,
    parameters: Mapping[str, str] | None = None,
    say: Say = print,
    may_replace: Callable[[list[str]], bool] = lambda _: False,
    recipients: Callable[[], object] = lambda: None,
) -> dict[str, str]:
    """Bring the stack of ``stage`` to ``built`` and return its outputs; doing it twice changes nothing.

    Args:
        recipients: puts the inboxes' addresses into the receipt rule.  Called as soon as CloudFormation changed it,
            and in the end, also when the update failed: SES refuses mail for good in between.

    Raises:
        DeploymentFailed: with CloudFormation's reasons; the stack is as it was before.
    """
    template = json.loads(built.template.read_text())
    if local:
        template = localize(template, local.endpoint, local.environment)
    given = dict(parameters or {})
    prefix = given.get("ParameterPrefix", template["Parameters"]["ParameterPrefix"]["Default"])
    make_secrets(client("ssm"), prefix)
    say("Uploading code and template.")
    url = stack.publish(client, template, built.archive)
    try:
        done = stack.apply(
            client("cloudformation"),
            stack.stack_name(stage),
            url,
            given,
            template["Parameters"],
            say=say,
            may_replace=may_replace,
            on_event=lambda event: recipients() if _sets_recipients(event) else None,
            poll_seconds=0.05 if local else 2.0,
        )
    finally:
        recipients()
    return dict(done.outputs)


def _sets_recipients(event: Json) -> bool:
    return event["LogicalResourceId"] == INBOX_RULE and str(event["ResourceStatus"]).endswith("_COMPLETE")


def make_secrets(ssm: Any, prefix: str) -> None:
    """Keys that must outlive every deployment; CloudFormation cannot write a SecureString."""
    for name in SECRETS:
        try:
            ssm.get_parameter(Name=prefix + name)
        except ssm.exceptions.ParameterNotFound:
            value = secrets.token_urlsafe(SECRET_BYTES)
            ssm.put_parameter(Name=prefix + name, Value=value, Type="SecureString", Overwrite=False)


def aws_parameters(client: Client, before: stack.Stack | None, given: Mapping[str, str]) -> dict[str, str]:
    """What the account itself says, under what the caller gave."""
    limit = client("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    found = {"FewExecutions": "yes" if limit < AWS_KEEPS_UNRESERVED else "no"}
    if before is None or "HooksConcurrency" not in before.parameters:
        found["HooksConcurrency"] = str(HOOKS_CONCURRENCY if limit >= HOOKS_CONCURRENCY + AWS_KEEPS_UNRESERVED else 0)
    return found | dict(given)


def live_runtime(client: Client, stage: str) -> str | None:
    """The runtime of the functions that are live, None before the first deployment."""
    functions = client("lambda")
    try:
        name = function("web").physical_name(stage)
        return str(functions.get_function_configuration(FunctionName=name)["Runtime"])
    except functions.exceptions.ResourceNotFoundException:
        return None


def packaged_runtime(built: package.Package) -> str:
    resources = json.loads(built.template.read_text())["Resources"]
    return str(resources[function("web").logical_id]["Properties"]["Runtime"])


# The first admin


def has_agents(dynamodb: Any, table_name: str) -> bool:
    found = dynamodb.query(
        TableName=table_name,
        KeyConditionExpression="pk = :agents",
        ExpressionAttributeValues={":agents": {"S": "AGENTS"}},
        Limit=1,
    )
    return bool(found["Items"])


def create_first_admin(stage: str, client: Client, email: str, name: str) -> str:
    """Create the admin as the desk itself would, with the desk's own settings; return the temporary password."""
    wiring = desk.connect(stage, client)
    pool = importlib.import_module("chalicelib.services.user_pool").UserPool(wiring.client("cognito-idp"))
    now = importlib.import_module("chalicelib.config").now()
    return str(importlib.import_module("chalicelib.services.agents").create_first_admin(pool, email, name, now))


# The command


def main(arguments: list[str] | None = None) -> int:
    given = _arguments(arguments)
    try:
        return _run(given)
    except (DeploymentFailed, package.PackagingFailed, ValueError) as error:
        print(f"\nNot deployed. {error}", file=sys.stderr)
    except (ClientError, BotoCoreError) as error:
        print(f"\nNot deployed: AWS says: {error}", file=sys.stderr)
    return 1


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Deploy the desk to the AWS account of your credentials.")
    parser.add_argument("--stage", default="prod", help="small letters and digits")
    parser.add_argument("--admin-email", default="", help="the first admin's address, on the first deployment")
    parser.add_argument("--admin-name", default="")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the template")
    parser.add_argument("--yes", action="store_true", help="do not ask before the runtime changes")
    return parser.parse_args(arguments)


def _run(given: argparse.Namespace) -> int:
    stage = package.check_stage(given.stage)
    parameters = _pairs(given.set)
    client = clients()
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    print(f"Packaging the desk for stage {stage}.")
    built = package.build(stage, package.ROOT / "build" / f"deploy-{stage}", local=bool(endpoint))
    if not _runtime_is_wanted(client, stage, built, given.yes):
        print("Nothing was changed.")
        return 1
    if not endpoint:
        before = stack.describe(client("cloudformation"), stack.stack_name(stage))
        parameters = aws_parameters(client, before, parameters)
    recipients = _recipients(stage, client) if not endpoint else None
    outputs = deploy(
        stage,
        built,
        client,
        local=Local(endpoint) if endpoint else None,
        parameters=parameters,
        may_replace=_ask_replacement,
        recipients=recipients or (lambda: None),
    )
    if recipients:
        receiving.activate(client("ses"), stage, print)
        recipients()
        recipients.check()
    _report(stage, client, outputs, given)
    return 0


def _recipients(stage: str, client: Client) -> receiving.Recipients:
    return receiving.Recipients(client("ses"), stage, lambda: desk.mail_addresses(stage, client), print)


def _pairs(assignments: list[str]) -> dict[str, str]:
    wrong = [each for each in assignments if "=" not in each]
    if wrong:
        raise ValueError(f"--set wants NAME=VALUE, not {wrong[0]!r}.")
    return dict(each.split("=", 1) for each in assignments)


def clients() -> Client:
    """Clients by the caller's own credentials, region and endpoint."""
    import boto3

    # boto3 by itself reads AWS_DEFAULT_REGION only; the AWS CLI, and so the guide, take AWS_REGION first.
    session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    if session.region_name is None:
        raise ValueError("No region: set AWS_REGION, for example to eu-west-1.")
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            make: Any = session.client
            made[service] = make(service)
        return made[service]

    return client


def _runtime_is_wanted(client: Client, stage: str, built: package.Package, yes: bool) -> bool:
    live, new = live_runtime(client, stage), packaged_runtime(built)
    if live in {None, new} or yes:
        return True
    print(f"Stage {stage} runs on {live}; you package with {new}, so the deployment would move it there.")
    return _ask("Move it? [y/N] ").lower() in {"y", "yes"}


def _ask_replacement(names: list[str]) -> bool:
    print(f"This update would leave {', '.join(names)} behind, with the data in them, and start with empty ones.")
    return _ask("Type 'start empty' to go on: ") == "start empty"


def _ask(question: str) -> str:
    """The answer; empty where nobody is there to ask."""
    return input(question).strip() if sys.stdin.isatty() else ""


def _report(stage: str, client: Client, outputs: Mapping[str, str], given: argparse.Namespace) -> None:
    live = stack.describe(client("cloudformation"), stack.stack_name(stage))
    own = live.parameters.get("ConsoleOrigin") if live else ""  # with one, pages at API Gateway's address lead nowhere
    print(f"\nConsole: {own or outputs['ConsoleURL']}")
    _first_admin(stage, client, outputs, given)
    for line in dns.missing_records(client("sesv2"), client("sesv2").meta.region_name):
        print(line)


def _first_admin(stage: str, client: Client, outputs: Mapping[str, str], given: argparse.Namespace) -> None:
    if has_agents(client("dynamodb"), outputs["TableName"]):
        return
    email = given.admin_email or _ask("E-mail address of the first admin: ")
    if not email:
        print(f"No admin yet. Run: make deploy STAGE={stage} ADMIN_EMAIL=you@shop.example")
        return
    password = create_first_admin(stage, client, email, given.admin_name or email.partition("@")[0])
    print(f"First admin: {email}\nTemporary password: {password}  (to be changed at the first sign-in)")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main())
