"""``make undeploy STAGE=…``: asks twice, takes away what is ours, and touches nothing of others.

The first answer removes what runs.  The second decides about what the desk knows: table, buckets, passwords, keys.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra import package, receiving, stack
from infra.deploy import clients
from infra.stack import HOLDS_DATA, Client, DeploymentFailed, Say

Ask = Callable[[str], str]
DELETE_DATA = "delete data"


def undeploy(stage: str, client: Client, *, ask: Ask = input, say: Say = print, poll_seconds: float = 2.0) -> bool:
    """Remove the stage; False when the person said no.

    Raises:
        DeploymentFailed: with CloudFormation's reasons for what would not go.
    """
    cloudformation, name = client("cloudformation"), stack.stack_name(stage)
    existing = stack.describe(cloudformation, name)
    if existing is None:
        say(f"There is no stack {name} here.")
        return False
    say(f"This stops the desk of stage {stage}: mail and messages are no longer taken, nobody can sign in.")
    if ask(f"Type {stage} to go on: ").strip() != stage:
        say("Nothing was changed.")
        return False
    say("Tickets, originals, attachments, passwords and keys stay unless you say otherwise.")
    with_data = (
        ask(f"Type '{DELETE_DATA}' to delete them for good, or press Enter to keep them: ").strip() == DELETE_DATA
    )
    data = _data(cloudformation, name)
    receiving.withdraw(client("ses"), stage, say)
    stack.delete(cloudformation, name, say, poll_seconds)
    if with_data:
        _delete_data(client, data, existing.parameters["ParameterPrefix"], say)
    else:
        for kind, physical_id in data:
            say(f"Kept: {kind} {physical_id}")
    say("Code of earlier deployments stays in the artefact bucket, which other stages may share.")
    return True


def _data(cloudformation: Any, name: str) -> list[tuple[str, str]]:
    """Type and physical id of what the template tells CloudFormation to leave behind."""
    found: list[tuple[str, str]] = []
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=name):
        found += [
            (each["ResourceType"], each["PhysicalResourceId"])
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] in HOLDS_DATA and each.get("PhysicalResourceId")
        ]
    return found


def _delete_data(client: Client, data: Iterable[tuple[str, str]], prefix: str, say: Say) -> None:
    delete: Mapping[str, Callable[[Client, str], None]] = {
        "AWS::DynamoDB::Table": _delete_table,
        "AWS::S3::Bucket": _delete_bucket,
        "AWS::Cognito::UserPool": _delete_pool,
    }
    for kind, physical_id in data:
        delete[kind](client, physical_id)
        say(f"Deleted: {kind} {physical_id}")
    ssm = client("ssm")
    for page in ssm.get_paginator("get_parameters_by_path").paginate(Path=prefix.rstrip("/"), Recursive=True):
        for parameter in page["Parameters"]:
            ssm.delete_parameter(Name=parameter["Name"])
    say(f"Deleted: keys and secrets under {prefix}")


def _delete_table(client: Client, name: str) -> None:
    client("dynamodb").delete_table(TableName=name)


def _delete_bucket(client: Client, name: str) -> None:
    s3 = client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
        if keys:
            s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
    s3.delete_bucket(Bucket=name)


def _delete_pool(client: Client, pool_id: str) -> None:
    client("cognito-idp").delete_user_pool(UserPoolId=pool_id)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Remove the desk from the AWS account of your credentials.")
    parser.add_argument("--stage", required=True)
    given = parser.parse_args(arguments)
    try:
        return 0 if undeploy(package.check_stage(given.stage), clients()) else 1
    except (DeploymentFailed, ValueError) as error:
        print(f"\nNot removed. {error}", file=sys.stderr)
    except EOFError:
        print("\nNothing was changed: undeploy asks, and nobody was there to answer.", file=sys.stderr)
    except (ClientError, BotoCoreError) as error:
        print(f"\nAWS says: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
