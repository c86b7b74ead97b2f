"""The same template for the local engine: without the few types it does not know, and with addresses that exist here.

One refused type fails the whole stack before anything is created, so they are dropped, with all that points at them.
"""

import copy
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from infra.cloudformation import Json, sub
from infra.resources.handlers import API_STAGE

REFUSED = frozenset(
    {
        "AWS::ApiGatewayV2::Deployment",
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::Backup::BackupSelection",
        "AWS::Budgets::Budget",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::SES::ReceiptRule",
        "AWS::SES::ReceiptRuleSet",
        "AWS::WAFv2::WebACLAssociation",
        "AWS::XRay::SamplingRule",
    }
)
"""Types that ministack 1.5 refuses; the tests hold this against the engine itself."""

STREAM_PATIENCE_SECONDS = 60
"""The engine repeats a failing stream record until it is this old, and everything behind it waits."""

_GONE: Any = object()


def localize(template: Json, endpoint: str, environment: Mapping[str, str] | None = None) -> Json:
    """Return a copy of ``template`` that the engine at ``endpoint`` accepts.

    ``environment`` overrides functions' variables, such as WEBSOCKET_URL and BASE_PATH when a front port stands
    before the engine.
    """
    local = copy.deepcopy(template)
    dropped = {name for name, declared in local["Resources"].items() if declared["Type"] in REFUSED}
    for name in dropped:
        del local["Resources"][name]
    for section in ("Resources", "Outputs"):
        local[section] = _without(local[section], dropped)
    _deploy_socket_by_itself(local["Resources"])
    _give_up_sooner(local["Resources"])
    _speak_plainly(local["Resources"])
    _ask_as_the_engine_does(local["Resources"])
    local["Globals"]["Function"]["Environment"]["Variables"] |= _addresses(endpoint) | dict(environment or {})
    return local


def _addresses(endpoint: str) -> Json:
    path = f"/_aws/execute-api/${{WebsocketAPI}}/{API_STAGE}"
    return {
        "LOCAL": "1",
        "WEBSOCKET_ENDPOINT": sub(f"{endpoint}{path}"),
        "WEBSOCKET_URL": sub(f"ws://{urlsplit(endpoint).netloc}{path}"),
    }


def _deploy_socket_by_itself(resources: dict[str, Json]) -> None:
    for declared in resources.values():
        if declared["Type"] == "AWS::ApiGatewayV2::Stage":
            declared["Properties"]["AutoDeploy"] = True


def _give_up_sooner(resources: dict[str, Json]) -> None:
    for declared in resources.values():
        for event in declared.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "DynamoDB":
                event["Properties"]["MaximumRecordAgeInSeconds"] = STREAM_PATIENCE_SECONDS


def _speak_plainly(resources: dict[str, Json]) -> None:
    """The engine has no TLS, and enforces bucket policies when it enforces roles: refuse what nobody does here."""
    for declared in resources.values():
        if declared["Type"] == "AWS::S3::BucketPolicy":
            for statement in declared["Properties"]["PolicyDocument"]["Statement"]:
                if statement.get("Sid") == "TlsOnly":
                    statement["Condition"] = {"Bool": {"aws:SecureTransport": "true"}}


def _ask_as_the_engine_does(resources: dict[str, Json]) -> None:
    """Two ways in which an engine that enforces policies is not AWS.

    It asks for ``sqs:SendMessageBatch``, which IAM does not have: there, who may send one message may send ten.  And it
    does not look whose identity a mail is sent as, so it asks for the right to send as anybody.
    """
    for role in (declared for declared in resources.values() if declared["Type"] == "AWS::IAM::Role"):
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                if "sqs:SendMessage" in statement["Action"]:
                    statement["Action"].append("sqs:SendMessageBatch")
                if "ses:SendEmail" in statement["Action"]:
                    statement["Resource"] = ["*"]


def _without(node: Any, dropped: set[str]) -> Any:
    """Return ``node`` without what names a dropped resource: references, DependsOn, and what holds nothing else."""
    if isinstance(node, dict):
        if node.get("Ref") in dropped or (_first(node.get("Fn::GetAtt")) in dropped):
            return _GONE
        kept = {
            key: [name for name in _as_list(value) if name not in dropped]
            if key == "DependsOn"
            else _without(value, dropped)
            for key, value in node.items()
        }
        left = {key: value for key, value in kept.items() if value is not _GONE and (key != "DependsOn" or value)}
        return left if left or not node else _GONE
    if isinstance(node, list):
        return [value for value in (_without(value, dropped) for value in node) if value is not _GONE]
    return node


def _first(value: Any) -> str | None:
    if isinstance(value, list) and value:
        return str(value[0])
    return value.split(".")[0] if isinstance(value, str) else None


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
