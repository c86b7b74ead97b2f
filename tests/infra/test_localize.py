"""The local template is AWS's, less exactly what the engine refuses."""

import json
import subprocess
import sys

from infra.cloudformation import Json
from infra.localize import REFUSED, localize
from infra.package import ROOT
from tests.infra.conftest import resources_of, strings_in

ENDPOINT = "http://127.0.0.1:4599"
SAM = {"AWS::Serverless::Api", "AWS::Serverless::Function"}


def engine_types() -> set[str]:
    """In a process of its own: ministack reads its settings when it is first imported."""
    asked = (
        "import json; from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as known;"
        "print(json.dumps(sorted(known)))"
    )
    answer = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(answer.stdout.splitlines()[-1]))


def types(template: Json) -> set[str]:
    return {declared["Type"] for declared in template["Resources"].values()}


def test_what_is_dropped_is_exactly_what_the_engine_refuses(template: Json) -> None:
    known = engine_types()
    assert REFUSED & known == set()
    assert types(template) - types(localize(template, ENDPOINT)) == types(template) - known - SAM


def test_nothing_else_is_dropped(template: Json) -> None:
    local = localize(template, ENDPOINT)
    kept = {name for name, declared in template["Resources"].items() if declared["Type"] not in REFUSED}
    assert set(local["Resources"]) == kept
    assert set(local["Outputs"]) == set(template["Outputs"])


def test_nothing_points_at_what_was_dropped(template: Json) -> None:
    local = localize(template, ENDPOINT)
    dropped = set(template["Resources"]) - set(local["Resources"])
    assert dropped == {"WebsocketAPIDeployment", "MailRuleSet", "InboxRule", "UnknownRule"}
    assert dropped & set(strings_in(local)) == set()


def test_references_and_dependencies_on_dropped_resources_go_with_them() -> None:
    template: Json = {
        "Globals": {"Function": {"Environment": {"Variables": {}}}},
        "Outputs": {"Rule": {"Value": {"Ref": "Rule"}}, "Bucket": {"Value": {"Ref": "Bucket"}}},
        "Resources": {
            "Rule": {"Type": "AWS::SES::ReceiptRule", "Properties": {}},
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "DependsOn": ["Rule"],
                "Properties": {"Tags": [{"Key": "a", "Value": {"Ref": "Rule"}}], "Name": {"Fn::GetAtt": ["Rule", "X"]}},
            },
            "Topic": {"Type": "AWS::SNS::Topic", "DependsOn": ["Rule", "Bucket"], "Properties": {"FifoTopic": False}},
        },
    }
    local = localize(template, ENDPOINT)
    assert local["Outputs"] == {"Bucket": {"Value": {"Ref": "Bucket"}}}
    assert local["Resources"] == {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": [{"Key": "a"}]}},
        "Topic": {"Type": "AWS::SNS::Topic", "DependsOn": ["Bucket"], "Properties": {"FifoTopic": False}},
    }


def test_the_socket_deploys_by_itself_and_answers_on_loopback(template: Json) -> None:
    local = localize(template, ENDPOINT)
    (stage,) = resources_of(local, "AWS::ApiGatewayV2::Stage").values()
    assert stage["AutoDeploy"] is True
    variables = local["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["LOCAL"] == "1"
    assert variables["WEBSOCKET_URL"]["Fn::Sub"] == "ws://127.0.0.1:4599/_aws/execute-api/${WebsocketAPI}/api"


def test_buckets_may_be_reached_without_tls(template: Json) -> None:
    for policy in resources_of(localize(template, ENDPOINT), "AWS::S3::BucketPolicy").values():
        assert policy["PolicyDocument"]["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "true"}}


def test_functions_know_the_consoles_own_address(template: Json) -> None:
    """By the name that ``chalicelib.config`` reads, at AWS and on a laptop."""
    for made in (template, localize(template, ENDPOINT)):
        variables = made["Globals"]["Function"]["Environment"]["Variables"]
        assert variables["CONSOLE_ORIGIN"] == {"Ref": "ConsoleOrigin"}
        assert made["Parameters"]["ConsoleOrigin"]["Default"] == ""


def test_a_front_port_may_name_other_addresses(template: Json) -> None:
    local = localize(template, ENDPOINT, {"BASE_PATH": "", "WEBSOCKET_URL": "ws://127.0.0.1:8000/live"})
    variables = local["Globals"]["Function"]["Environment"]["Variables"]
    assert (variables["BASE_PATH"], variables["WEBSOCKET_URL"]) == ("", "ws://127.0.0.1:8000/live")


def test_the_template_itself_is_left_alone(template: Json) -> None:
    before = json.dumps(template, sort_keys=True)
    localize(template, ENDPOINT)
    assert json.dumps(template, sort_keys=True) == before
