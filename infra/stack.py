"""One CloudFormation stack: artefacts up, a change set, and what happens shown as it happens."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from infra.cloudformation import Json

Say = Callable[[str], object]
Client = Callable[[str], Any]
"""Service name → boto3 client."""

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
HOLDS_DATA = frozenset({"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"})
STEPS_IN_ONE_UPDATE = 3600


class DeploymentFailed(Exception):
    """What CloudFormation said, one reason a line."""


@dataclass(frozen=True)
class Stack:
    """What exists now."""

    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


def stack_name(stage: str) -> str:
    return f"deskbell-{stage}"


def describe(cloudformation: Any, name: str) -> Stack | None:
    """The stack, or None where there is none, or only the shell that an unused change set leaves."""
    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if found["StackStatus"] in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}:
        return None
    return Stack(
        found["StackStatus"],
        {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", ())},
        {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())},
    )


# Artefacts


def artefact_bucket(client: Client) -> str:
    """The bucket for code and templates of all stages of this account and region; made on first use."""
    s3 = client("s3")
    region = s3.meta.region_name
    name = f"deskbell-artefacts-{client('sts').get_caller_identity()['Account']}-{region}"
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **where)
        closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(closed, True))
    return name


def upload(s3: Any, bucket: str, content: bytes, suffix: str) -> str:
    """Store ``content`` under its own hash and return the key; what lies there already is not sent again.

    Old code stays: CloudFormation needs it to roll back.
    """
    key = f"{hashlib.sha256(content).hexdigest()}{suffix}"
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key


def with_code(template: Json, bucket: str, key: str) -> Json:
    """``template`` with every function's code pointed at an object."""
    resources = {
        name: declared | {"Properties": declared["Properties"] | {"CodeUri": {"Bucket": bucket, "Key": key}}}
        if declared["Type"] == "AWS::Serverless::Function"
        else declared
        for name, declared in template["Resources"].items()
    }
    return template | {"Resources": resources}


def publish(client: Client, template: Json, archive: Path) -> str:
    """Upload code and template; return the template's URL (a template in the call itself may have 50 KB only)."""
    s3, bucket = client("s3"), artefact_bucket(client)
    code = upload(s3, bucket, archive.read_bytes(), ".zip")
    body = json.dumps(with_code(template, bucket, code), separators=(",", ":"), sort_keys=True)
    return f"{s3.meta.endpoint_url}/{bucket}/{upload(s3, bucket, body.encode(), '.json')}"


# Change


def apply(
    cloudformation: Any,
    name: str,
    template_url: str,
    parameters: Mapping[str, str],
    known_parameters: Iterable[str],
    *,
    say: Say = print,
    may_replace: Callable[[list[str]], bool] = lambda _: False,
    on_event: Callable[[Json], object] = lambda _: None,
    poll_seconds: float = 2.0,
) -> Stack:
    """Bring the stack to the template; parameters not given keep their value.

    Args:
        on_event: told what happens to each resource, shortly after.
        may_replace: asked with the resources whose data would be left behind for new empty ones.

    Raises:
        DeploymentFailed: with CloudFormation's reasons; the stack was rolled back to what it was.
    """
    before = _settled(cloudformation, name, say, poll_seconds)
    change_set = f"deploy-{uuid4()}"
    cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=change_set,
        ChangeSetType="UPDATE" if before else "CREATE",
        TemplateURL=template_url,
        Parameters=_parameters(parameters, known_parameters, before),
        Capabilities=CAPABILITIES,
    )
    changes = _await_change_set(cloudformation, name, change_set, poll_seconds)
    if before and not changes:
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
        say("Nothing to change.")
        return before
    _check_replacements(changes, may_replace)
    say(_summary(changes))
    seen = _event_ids(cloudformation, name)
    cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set)
    failures = _follow(cloudformation, name, seen, say, poll_seconds, on_event)
    after = describe(cloudformation, name)
    if after is None or after.status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        status = after.status if after else "gone"
        raise DeploymentFailed("\n".join([f"{name} is {status}.", *failures]))
    return after


def _settled(cloudformation: Any, name: str, say: Say, poll_seconds: float) -> Stack | None:
    """The stack to update; a first attempt that failed is cleared away, since it cannot be updated."""
    stack = describe(cloudformation, name)
    if stack is None:
        return None
    if stack.status.endswith("_IN_PROGRESS"):
        raise DeploymentFailed(f"{name} is {stack.status}: another deployment is at work. Wait for it to end.")
    if stack.status in {"ROLLBACK_COMPLETE", "DELETE_FAILED", "ROLLBACK_FAILED"}:
        say(f"{name} is {stack.status} from a first attempt: removing that.")
        delete(cloudformation, name, say, poll_seconds)
        return None
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        raise DeploymentFailed(f"{name} is {stack.status}: run aws cloudformation continue-update-rollback first.")
    return stack


def _parameters(given: Mapping[str, str], known: Iterable[str], before: Stack | None) -> list[Json]:
    found: list[Json] = []
    for key in known:
        if key in given:
            found.append({"ParameterKey": key, "ParameterValue": given[key]})
        elif before and key in before.parameters:
            found.append({"ParameterKey": key, "UsePreviousValue": True})
    return found


def _await_change_set(cloudformation: Any, name: str, change_set: str, poll_seconds: float) -> list[Json]:
    """The changes; empty where there are none."""
    for _ in range(STEPS_IN_ONE_UPDATE):
        found = cloudformation.describe_change_set(StackName=name, ChangeSetName=change_set)
        if found["Status"] == "FAILED":
            reason = found.get("StatusReason", "")
            if any(words in reason for words in NOTHING_TO_DO):
                return []
            raise DeploymentFailed(f"CloudFormation refuses the template: {reason}")
        if found["Status"] == "CREATE_COMPLETE":
            return _all_changes(cloudformation, name, change_set, found)
        time.sleep(poll_seconds)
    raise DeploymentFailed(f"The change set {change_set} of {name} was never made.")


def _all_changes(cloudformation: Any, name: str, change_set: str, page: Json) -> list[Json]:
    changes = [each["ResourceChange"] for each in page.get("Changes", ())]
    while page.get("NextToken"):
        page = cloudformation.describe_change_set(StackName=name, ChangeSetName=change_set, NextToken=page["NextToken"])
        changes += [each["ResourceChange"] for each in page.get("Changes", ())]
    return changes


def _check_replacements(changes: list[Json], may_replace: Callable[[list[str]], bool]) -> None:
    replaced = [
        each["LogicalResourceId"]
        for each in changes
        if each["ResourceType"] in HOLDS_DATA
        and (each["Action"] == "Remove" or (each["Action"] == "Modify" and each.get("Replacement") == "True"))
    ]
    if replaced and not may_replace(replaced):
        raise DeploymentFailed(
            f"This update would put new, empty resources in place of {', '.join(replaced)}. Nothing was changed."
        )


def _summary(changes: list[Json]) -> str:
    counts = {action: sum(each["Action"] == action for each in changes) for action in ("Add", "Modify", "Remove")}
    return ", ".join(f"{count} to {action.lower()}" for action, count in counts.items() if count) or "Executing"


def _events(cloudformation: Any, name: str) -> list[Json]:
    """Newest first; one page is enough to follow."""
    try:
        return list(cloudformation.describe_stack_events(StackName=name)["StackEvents"])
    except ClientError:
        return []


def _status(cloudformation: Any, name: str) -> str:
    """Empty when the stack is gone."""
    try:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if "does not exist" in str(error):
            return ""
        raise


def _event_ids(cloudformation: Any, name: str) -> set[str]:
    return {each["EventId"] for each in _events(cloudformation, name)}


def _follow(
    cloudformation: Any,
    name: str,
    seen: set[str],
    say: Say,
    poll_seconds: float,
    on_event: Callable[[Json], object] = lambda _: None,
) -> list[str]:
    """Show events until the stack rests; return the reasons of what failed, the first one first."""
    failures: list[str] = []
    for _ in range(STEPS_IN_ONE_UPDATE):
        status = _status(cloudformation, name)
        for event in reversed(_events(cloudformation, name)):
            if event["EventId"] not in seen:
                seen.add(event["EventId"])
                _tell(event, say, failures)
                on_event(event)
        if not status.endswith("_IN_PROGRESS"):
            return failures
        time.sleep(poll_seconds)
    raise DeploymentFailed(f"{name} does not come to rest; see its events in the CloudFormation console.")


def _tell(event: Json, say: Say, failures: list[str]) -> None:
    status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
    if status.endswith(("_COMPLETE", "_FAILED")):
        say(f"  {status:<28} {event['LogicalResourceId']}" + (f"  {reason}" if status.endswith("_FAILED") else ""))
    if status.endswith("_FAILED") and "cancelled" not in reason:
        failures.append(f"{event['LogicalResourceId']}: {reason}")


def delete(cloudformation: Any, name: str, say: Say, poll_seconds: float = 2.0) -> None:
    """Delete the stack and wait; raise DeploymentFailed with the reasons if something would not go."""
    seen = _event_ids(cloudformation, name)
    cloudformation.delete_stack(StackName=name)
    failures = _follow(cloudformation, name, seen, say, poll_seconds)
    if describe(cloudformation, name) is not None:
        raise DeploymentFailed("\n".join([f"{name} could not be removed.", *failures]))
