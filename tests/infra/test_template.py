"""What the template promises, read from the template that AWS gets."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pynamodb.attributes import Attribute

import chalicelib
from chalicelib import config
from chalicelib.store import models
from infra.cloudformation import Json
from infra.functions import FUNCTIONS
from infra.package import ROOT, Package
from infra.resources import table
from infra.resources.http import is_public
from infra.resources.queues import QUEUES
from tests.infra.conftest import resources_of


def test_cfn_lint_finds_nothing(built: Package) -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), built.template], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize("index", table.INDEXES, ids=lambda index: index[0])
def test_an_index_has_the_keys_and_columns_that_the_store_reads(index: tuple[str, str, str, tuple[str, ...]]) -> None:
    name, hash_key, range_key, columns = index
    read = getattr(models.TicketItem, name)
    keys = {value.is_hash_key: name for name, value in vars(type(read)).items() if isinstance(value, Attribute)}
    assert keys == {True: hash_key, False: range_key}
    assert set(read.Meta.projection.non_key_attributes or ()) == set(columns)


def test_projections_stay_within_dynamodbs_limits() -> None:
    columns = [projected for *_, projected in table.INDEXES]
    assert max(len(projected) for projected in columns) <= 20
    assert sum(len(projected) for projected in columns) <= 100


def test_the_table_streams_expires_and_can_be_restored(template: Json) -> None:
    (declared,) = resources_of(template, "AWS::DynamoDB::Table").values()
    assert declared["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert declared["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert declared["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert declared["SSESpecification"] == {"SSEEnabled": True}
    assert declared["BillingMode"] == "PAY_PER_REQUEST"


def test_what_holds_data_outlives_the_stack(template: Json) -> None:
    kinds = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"}
    policies = [
        (declared["DeletionPolicy"], declared["UpdateReplacePolicy"])
        for declared in template["Resources"].values()
        if declared["Type"] in kinds
    ]
    assert policies == [("RetainExceptOnCreate", "Retain")] * 4


def test_every_function_learns_what_config_asks_for(template: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    for name in variables:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("LOCAL", raising=False)
    config.settings.cache_clear()
    try:
        assert not config.settings().local
    finally:
        config.settings.cache_clear()


def test_no_variable_looks_like_a_secret(template: Json) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert not [name for name in variables if re.search("KEY|SECRET|PASSWORD|TOKEN", name)]


def test_the_functions_are_those_of_the_architecture(template: Json) -> None:
    handlers = {
        declared["FunctionName"]: declared["Handler"]
        for declared in resources_of(template, "AWS::Serverless::Function").values()
    }
    assert handlers == {
        each.physical_name("test"): "app.app" if each.name == "web" else f"app.{each.name}" for each in FUNCTIONS
    }


def test_every_function_logs_into_a_group_that_forgets(template: Json) -> None:
    groups = {
        declared["LogGroupName"]: declared["RetentionInDays"]
        for declared in resources_of(template, "AWS::Logs::LogGroup").values()
    }
    assert groups == {f"/aws/lambda/{each.physical_name('test')}": 30 for each in FUNCTIONS}
    for each in FUNCTIONS:
        assert template["Resources"][each.logical_id]["DependsOn"] == [each.log_group_id]


def test_queues_wait_six_timeouts_and_end_in_a_dead_letter_queue_of_their_kind(template: Json) -> None:
    queues = resources_of(template, "AWS::SQS::Queue")
    functions = resources_of(template, "AWS::Serverless::Function")
    assert len(queues) == 2 * len(QUEUES)
    for queue in QUEUES:
        live, dead = queues[queue.logical_id], queues[queue.dead_logical_id]
        (consumer,) = (each for each in FUNCTIONS if each.name == queue.consumer)
        assert live["VisibilityTimeout"] >= 6 * functions[consumer.logical_id]["Timeout"]
        assert live["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [queue.dead_logical_id, "Arn"]}
        assert live.get("FifoQueue") == dead.get("FifoQueue")
        assert live["SqsManagedSseEnabled"] is dead["SqsManagedSseEnabled"] is True
        assert dead["MessageRetentionPeriod"] > live["MessageRetentionPeriod"]


def test_event_sources_refer_to_resources_and_report_single_failures(template: Json) -> None:
    sources = [
        event
        for declared in resources_of(template, "AWS::Serverless::Function").values()
        for event in declared.get("Events", {}).values()
    ]
    queues = [event["Properties"] for event in sources if event["Type"] == "SQS"]
    assert sorted(each["Queue"]["Fn::GetAtt"][0] for each in queues) == sorted(each.logical_id for each in QUEUES)
    assert all(each["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for each in queues)
    (stream,) = (event["Properties"] for event in sources if event["Type"] == "DynamoDB")
    assert stream["Stream"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["BisectBatchOnFunctionError"]
    assert stream["MaximumRecordAgeInSeconds"] == 3600


def test_buckets_are_closed_encrypted_and_tls_only(template: Json) -> None:
    buckets = resources_of(template, "AWS::S3::Bucket")
    policies = {each["Bucket"]["Ref"]: each for each in resources_of(template, "AWS::S3::BucketPolicy").values()}
    assert set(buckets) == set(policies) == {"OriginalsBucket", "AttachmentsBucket"}
    for name, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "BucketEncryption" in bucket
        denied = policies[name]["PolicyDocument"]["Statement"][0]
        assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_tray_of_unread_originals_never_expires(template: Json) -> None:
    bucket = resources_of(template, "AWS::S3::Bucket")["OriginalsBucket"]
    prefixes = {rule.get("Prefix") for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule}
    assert prefixes == {"kept/", "parked/"}


def test_ten_alarms_ring_at_one_topic(template: Json) -> None:
    alarms = resources_of(template, "AWS::CloudWatch::Alarm")
    assert len(alarms) <= 10
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())


def test_public_paths_and_only_those_reach_the_hooks_function(template: Json) -> None:
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    for path, methods in paths.items():
        for method in methods.values():
            integration = method["x-amazon-apigateway-integration"]
            if "uri" in integration:
                assert ("HooksHandler" in str(integration["uri"])) == is_public(path), path


@pytest.mark.parametrize(
    ("path", "public"), [("/hooks/{inbox_id}", True), ("/hooks", True), ("/hooksmith", False), ("/api/v1/forms", False)]
)
def test_a_path_is_public_by_its_first_word(path: str, public: bool) -> None:
    assert is_public(path) is public


def test_rule_one_scans_and_keeps_the_original_before_it_tells(template: Json) -> None:
    rule = resources_of(template, "AWS::SES::ReceiptRule")["InboxRule"]["Rule"]
    assert rule["ScanEnabled"]
    assert rule["Actions"] == [
        {
            "S3Action": {
                "BucketName": {"Ref": "OriginalsBucket"},
                "ObjectKeyPrefix": "raw/",
                "TopicArn": {"Ref": "MailTopic"},
            }
        },
        {"StopAction": {"Scope": "RuleSet"}},
    ]


def test_the_rule_is_made_as_0_1_0_made_it_so_that_an_upgrade_leaves_its_addresses_alone(template: Json) -> None:
    """Another value, or none, would make CloudFormation set the live rule to it: mail is refused until it is mended."""
    rule = resources_of(template, "AWS::SES::ReceiptRule")["InboxRule"]["Rule"]
    assert rule["Recipients"] == {"Ref": "InboxRecipients"}
    assert template["Parameters"]["InboxRecipients"]["Type"] == "CommaDelimitedList"


def test_without_inboxes_no_address_of_the_account_is_taken(template: Json) -> None:
    """An empty list of recipients matches every address of every verified domain."""
    default = template["Parameters"]["InboxRecipients"]["Default"]
    assert urlsplit(f"smtp://{default}").hostname == "deskbell.invalid"


def test_a_fifo_queue_gets_no_batching_window(template: Json) -> None:
    """Lambda supports none there, whatever its length."""
    sources = [
        event["Properties"]
        for function in resources_of(template, "AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
    ]
    (fifo,) = [each for each in sources if each.get("Queue") == {"Fn::GetAtt": ["OutboundQueue", "Arn"]}]
    assert fifo["ScalingConfig"]
    assert "MaximumBatchingWindowInSeconds" not in fifo


def test_the_catch_all_is_off_until_a_domain_is_named(template: Json) -> None:
    assert template["Resources"]["UnknownRule"]["Condition"] == "BouncesUnknown"
    assert template["Parameters"]["BounceDomain"]["Default"] == ""


def test_unknown_paths_get_a_problem_document(template: Json) -> None:
    answer = template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]["MISSING_AUTHENTICATION_TOKEN"]
    assert answer["StatusCode"] == 404
    assert answer["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json'"


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == chalicelib.__version__
