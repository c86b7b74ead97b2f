"""Deployment, against a real CloudFormation engine: once, twice, broken, and gone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.people import Inbox
from chalicelib.store import directory
from infra import deploy, desk, stack, undeploy
from infra.deploy import Local
from infra.localize import localize
from infra.package import ROOT, Package
from infra.stack import Client, DeploymentFailed
from local.engine import ACCOUNT, REGION

pytestmark = pytest.mark.engine

BROKEN = {"Broken": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Id": "m"}]}}}
"""The engine, unlike AWS, has no metric math: a resource that passes the template's check and fails to be made."""


@pytest.fixture
def reset(endpoint: str) -> Iterator[None]:
    yield
    with urlopen(f"{endpoint}/_ministack/reset", data=b""):
        pass


@pytest.fixture
def deployed(built: Package, client: Client, endpoint: str, reset: None) -> dict[str, str]:
    return deploy.deploy("test", built, client, local=Local(endpoint), say=lambda _: None)


def with_change(built: Package, folder: Path, change: dict[str, Any]) -> Package:
    template = json.loads(built.template.read_text())
    template["Resources"] |= change
    changed = folder / "changed.json"
    changed.write_text(json.dumps(template))
    return replace(built, template=changed)


def test_the_desk_answers_after_deployment(deployed: dict[str, str], endpoint: str) -> None:
    with urlopen(f"{endpoint}/_aws/execute-api/{deployed['RestAPIId']}/api/health") as answer:
        assert json.load(answer)["ok"] is True


def test_a_second_deployment_changes_nothing(
    deployed: dict[str, str], built: Package, client: Client, endpoint: str
) -> None:
    said: list[str] = []
    assert deploy.deploy("test", built, client, local=Local(endpoint), say=said.append) == deployed
    assert "Nothing to change." in said


def test_every_key_that_is_made_is_read_by_the_desk() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    for name in deploy.SECRETS:
        assert f'"{name}"' in sources, name


def test_keys_are_made_once(deployed: dict[str, str], client: Client) -> None:
    ssm = client("ssm")
    names = [f"/deskbell/test/{name}" for name in deploy.SECRETS]
    before = ssm.get_parameters(Names=names, WithDecryption=True)["Parameters"]
    deploy.make_secrets(ssm, "/deskbell/test/")
    after = ssm.get_parameters(Names=names, WithDecryption=True)["Parameters"]
    assert {each["Type"] for each in before} == {"SecureString"}
    assert len(before) == len(names)
    assert [each["Value"] for each in after] == [each["Value"] for each in before]


def test_a_failing_update_is_rolled_back_and_says_why(
    deployed: dict[str, str], built: Package, client: Client, endpoint: str, tmp_path: Path
) -> None:
    broken = with_change(built, tmp_path, BROKEN)
    with pytest.raises(DeploymentFailed) as failure:
        deploy.deploy("test", broken, client, local=Local(endpoint), say=lambda _: None)
    assert "Broken" in str(failure.value)
    now = stack.describe(client("cloudformation"), "deskbell-test")
    assert now
    assert (now.status, now.outputs["TableName"]) == ("UPDATE_ROLLBACK_COMPLETE", deployed["TableName"])


def test_a_first_deployment_that_failed_is_cleared_away_by_the_next(
    built: Package, client: Client, endpoint: str, tmp_path: Path, reset: None
) -> None:
    broken = with_change(built, tmp_path, BROKEN)
    with pytest.raises(DeploymentFailed):
        deploy.deploy("test", broken, client, local=Local(endpoint), say=lambda _: None)
    assert "TableName" in deploy.deploy("test", built, client, local=Local(endpoint), say=lambda _: None)


def test_parameters_keep_their_value(deployed: dict[str, str], built: Package, client: Client, endpoint: str) -> None:
    for parameters in ({"AlarmEmail": "owner@shop.example"}, {"OriginalsRetentionDays": "60"}):
        deploy.deploy("test", built, client, local=Local(endpoint), parameters=parameters, say=lambda _: None)
    now = stack.describe(client("cloudformation"), "deskbell-test")
    assert now
    assert (now.parameters["AlarmEmail"], now.parameters["OriginalsRetentionDays"]) == ("owner@shop.example", "60")


class Lambda:
    """An account of which Lambda runs so many functions at once."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self.limit}}


@pytest.mark.parametrize(
    ("limit", "few", "hooks"), [(10, "yes", "0"), (99, "yes", "0"), (100, "no", "0"), (150, "no", "50")]
)
def test_a_new_account_is_looked_at(limit: int, few: str, hooks: str) -> None:
    found = deploy.aws_parameters(lambda _: Lambda(limit), None, {"AlarmEmail": "owner@shop.example"})
    assert found == {"FewExecutions": few, "HooksConcurrency": hooks, "AlarmEmail": "owner@shop.example"}


def test_a_deployment_sees_that_the_limit_was_raised() -> None:
    before = stack.Stack("UPDATE_COMPLETE", {"FewExecutions": "yes", "HooksConcurrency": "0"}, {})
    assert deploy.aws_parameters(lambda _: Lambda(1000), before, {}) == {"FewExecutions": "no"}


def at_once(client: Client) -> dict[str, int]:
    """By queue."""
    mappings = client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {
        each["EventSourceArn"].rpartition(":")[2]: each["ScalingConfig"]["MaximumConcurrency"]
        for each in mappings
        if ":sqs:" in each["EventSourceArn"]
    }


def test_where_few_functions_may_run_the_queues_leave_room(
    deployed: dict[str, str], built: Package, client: Client, endpoint: str
) -> None:
    """Ten in all in a new account; four queues that take every one of them starve the web and the stream."""
    usual = {"test-inbound": 20, "test-work": 20, "test-later": 5, "test-outbound.fifo": 10}
    assert {name.removeprefix("deskbell-"): count for name, count in at_once(client).items()} == usual
    few = {"FewExecutions": "yes"}
    deploy.deploy("test", built, client, local=Local(endpoint), parameters=few, say=lambda _: None)
    assert sum(at_once(client).values()) == 8
    many = {"FewExecutions": "no"}
    deploy.deploy("test", built, client, local=Local(endpoint), parameters=many, say=lambda _: None)
    assert sum(at_once(client).values()) == sum(usual.values())


def test_the_table_says_which_addresses_mail_comes_in_at(
    deployed: dict[str, str], client: Client, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    assert desk.mail_addresses("test", client) == ()
    inboxes = (
        Inbox("i1", "email", "help@shop.example", "Help"),
        Inbox("i2", "email", "sales@shop.example", "Sales", active=False),
        Inbox("i3", "telegram", "shop_bot", "Telegram"),
    )
    for inbox in inboxes:
        directory.save_inbox(inbox, None)
    assert desk.mail_addresses("test", client) == ("help@shop.example",)
    assert desk.mail_addresses("other", client) is None


def test_every_event_of_an_update_is_handed_on(
    deployed: dict[str, str], built: Package, client: Client, endpoint: str, tmp_path: Path
) -> None:
    added = {"Added": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "deskbell-test-added"}}}
    template = json.loads(with_change(built, tmp_path, added).template.read_text())
    template = localize(template, endpoint, {})
    url = stack.publish(client, template, built.archive)
    events: list[tuple[str, str]] = []
    stack.apply(
        client("cloudformation"), "deskbell-test", url, {}, template["Parameters"], say=lambda _: None,
        on_event=lambda event: events.append((event["LogicalResourceId"], event["ResourceStatus"])), poll_seconds=0.05,
    )  # fmt: skip
    assert ("deskbell-test", "UPDATE_COMPLETE") in events
    assert len({name for name, _ in events}) > 1


def test_the_live_runtime_is_known(deployed: dict[str, str], built: Package, client: Client) -> None:
    assert deploy.live_runtime(client, "test") == deploy.packaged_runtime(built)
    assert deploy.live_runtime(client, "other") is None


def test_agents_are_looked_for_in_the_table(deployed: dict[str, str], client: Client) -> None:
    dynamodb, table = client("dynamodb"), deployed["TableName"]
    assert not deploy.has_agents(dynamodb, table)
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "AGENTS"}, "sk": {"S": "a1"}})
    assert deploy.has_agents(dynamodb, table)


def test_undeployment_asks_first(deployed: dict[str, str], client: Client) -> None:
    assert not undeploy.undeploy("test", without_rules(client), ask=lambda _: "yes", say=lambda _: None)
    assert stack.describe(client("cloudformation"), "deskbell-test")


def test_undeployment_keeps_the_data_unless_told_otherwise(deployed: dict[str, str], client: Client) -> None:
    answers = iter(["test", ""])
    said: list[str] = []
    assert undeploy.undeploy(
        "test", without_rules(client), ask=lambda _: next(answers), say=said.append, poll_seconds=0
    )
    assert stack.describe(client("cloudformation"), "deskbell-test") is None
    assert f"Kept: AWS::DynamoDB::Table {deployed['TableName']}" in said


def test_undeployment_deletes_the_data_when_told_so(deployed: dict[str, str], client: Client) -> None:
    client("s3").put_object(Bucket=deployed["OriginalsBucketName"], Key="raw/1", Body=b"mail")
    answers = iter(["test", "delete data"])
    undeploy.undeploy("test", without_rules(client), ask=lambda _: next(answers), say=lambda _: None, poll_seconds=0)
    with pytest.raises(ClientError, match=r"not found|non-existent"):
        client("dynamodb").describe_table(TableName=deployed["TableName"])
    with pytest.raises(ClientError, match=r"404|Not Found"):
        client("s3").head_bucket(Bucket=deployed["OriginalsBucketName"])
    assert client("ssm").get_parameters_by_path(Path="/deskbell/test", Recursive=True)["Parameters"] == []


class NoRules:
    """SES where no rule set is active; test_receiving.py has the other cases."""

    def describe_active_receipt_rule_set(self) -> dict[str, Any]:
        return {}


def without_rules(client: Client) -> Client:
    return lambda service: NoRules() if service == "ses" else client(service)


def run_command(endpoint: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    command = [sys.executable, "-m", "infra.deploy", "--stage", "test", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_command_prints_where_to_go_and_what_mail_lacks(client: Client, endpoint: str, reset: None) -> None:
    client("sesv2").create_email_identity(EmailIdentity="shop.example")
    first = run_command(endpoint, "--admin-email", "ada@shop.example", "--admin-name", "Ada")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Console: https://" in first.stdout
    assert "First admin: ada@shop.example\nTemporary password: " in first.stdout
    assert "DNS: _dmarc.shop.example  TXT" in first.stdout
    second = run_command(endpoint, "--admin-email", "eve@shop.example")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "Nothing to change." in second.stdout
    assert "First admin" not in second.stdout
    third = run_command(endpoint, "--set", "ConsoleOrigin=https://desk.shop.example")
    assert third.returncode == 0, third.stdout + third.stderr
    assert "Console: https://desk.shop.example\n" in third.stdout


def test_the_region_is_the_one_the_guide_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 by itself reads AWS_DEFAULT_REGION only."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(ValueError, match="AWS_REGION"):
        deploy.clients()
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert deploy.clients()("sts").meta.region_name == "eu-west-3"


def test_the_command_says_what_was_wrong(endpoint: str) -> None:
    answer = run_command(endpoint, "--set", "AlarmEmail")
    assert answer.returncode == 1
    assert "NAME=VALUE" in answer.stderr
    assert "Traceback" not in answer.stderr
