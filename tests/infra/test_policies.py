"""Least privilege, one policy per function."""

from collections.abc import Iterator

import pytest

from infra.cloudformation import Json
from infra.functions import FUNCTIONS
from infra.policies import ANY_RESOURCE, STATEMENTS


def statements() -> Iterator[tuple[str, Json]]:
    for name, make in STATEMENTS.items():
        for statement in make():
            yield name, statement


def actions_of(name: str) -> set[str]:
    return {action for statement in STATEMENTS[name]() for action in statement["Action"]}


def test_every_function_has_a_role_of_its_own(template: Json) -> None:
    roles = [template["Resources"][each.logical_id]["Properties"]["Role"] for each in FUNCTIONS]
    assert roles == [{"Fn::GetAtt": [each.role_id, "Arn"]} for each in FUNCTIONS]
    assert set(STATEMENTS) == {each.name for each in FUNCTIONS}


def test_no_action_is_a_wildcard() -> None:
    assert [action for _, statement in statements() for action in statement["Action"] if "*" in action] == []


def test_a_resource_is_everything_only_where_aws_has_nothing_narrower() -> None:
    loose = {action for _, statement in statements() if "*" in statement["Resource"] for action in statement["Action"]}
    assert loose == set(ANY_RESOURCE)


def test_nobody_scans() -> None:
    assert [name for name in STATEMENTS if "dynamodb:Scan" in actions_of(name)] == []


def test_mail_leaves_by_two_functions_only() -> None:
    """``deliver`` writes to customers, ``web`` sends agents their invitations and password links."""
    assert [name for name in STATEMENTS if "ses:SendEmail" in actions_of(name)] == ["web", "deliver"]


def test_only_the_web_function_signs_people_in() -> None:
    assert [name for name in STATEMENTS if any(each.startswith("cognito-idp:") for each in actions_of(name))] == ["web"]


def test_the_relay_only_forwards() -> None:
    assert not {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"} & actions_of("relay")


@pytest.mark.parametrize("name", ["hooks", "intake"])
def test_who_meets_strangers_reads_secrets_but_writes_none(name: str) -> None:
    assert {each for each in actions_of(name) if each.startswith("ssm:")} == {"ssm:GetParameter"}
