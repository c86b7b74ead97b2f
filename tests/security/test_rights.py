"""Every call of AWS that the code makes is allowed to some function, and nothing is allowed that none makes.

The engine cannot show the first for calls that a test does not make, and AWS shows it only when it is too late.
"""

import ast
from functools import lru_cache

import botocore.session
from botocore import xform_name

from infra.policies import STATEMENTS
from tests.engine import ROOT

SERVICES = ("s3", "sqs", "ssm", "ses", "sesv2", "cognito-idp", "cloudwatch", "apigatewaymanagementapi")
"""DynamoDB is spoken to by PynamoDB; its actions are judged by running (``tests/infra/test_least_privilege.py``)."""
NO_RIGHT_NEEDED = {"associate_software_token", "verify_software_token"}
"""Cognito knows who calls by the token that they carry; no policy can name them."""
NOT_OF_AWS = {"get_template"}
"""Methods of other libraries that are called like one of AWS's."""
ANOTHER_NAME = {
    "s3:HeadObject": {"s3:GetObject"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "s3:CopyObject": {"s3:GetObject", "s3:PutObject"},
    "sqs:SendMessageBatch": {"sqs:SendMessage"},
    "execute-api:PostToConnection": {"execute-api:ManageConnections"},
}
PREFIX = {"sesv2": "ses", "apigatewaymanagementapi": "execute-api"}
OTHER_HANDS = {
    "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:ReceiveMessage",
    "ses:SendRawEmail", "s3:GetObject", "s3:PutObject",
    "logs:CreateLogStream", "logs:PutLogEvents",
}  # fmt: skip
"""What Lambda, SES or a presigned link does with our rights rather than our code."""


@lru_cache(maxsize=1)
def operations() -> dict[str, set[str]]:
    """Method of a botocore client → IAM actions that it may mean."""
    session = botocore.session.get_session()
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        for operation in session.get_service_model(service).operation_names:
            action = f"{PREFIX.get(service, service)}:{operation}"
            found.setdefault(xform_name(operation), set()).update(ANOTHER_NAME.get(action, {action}))
    return found


def called() -> dict[str, str]:
    """Operations named anywhere in the program, as a method or as a string (``_call("admin_…")``), and where."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.expr):
                continue
            names = []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                names = [node.func.attr]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "_" in node.value:
                names = [node.value]
            for name in names:
                if name in operations() and "_" in name:
                    found.setdefault(name, f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def granted() -> set[str]:
    return {action for make in STATEMENTS.values() for statement in make() for action in statement["Action"]}


def test_every_call_of_aws_is_allowed_to_somebody() -> None:
    made = called()
    assert "admin_initiate_auth" in made and "send_email" in made, "the search finds what there is"
    missing = {
        name: where
        for name, where in made.items()
        if name not in NO_RIGHT_NEEDED | NOT_OF_AWS and not operations()[name] & granted()
    }
    assert missing == {}


def test_nothing_is_allowed_that_the_code_never_calls() -> None:
    needed = set().union(*(operations()[name] for name in called())) | OTHER_HANDS
    idle = {action for action in granted() if not action.startswith("dynamodb:")} - needed
    assert idle == set()
