"""One receipt rule set is active per account: ours, nobody's, or somebody else's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.errors import NotConfigured
from infra import deploy, stack
from infra.package import Package
from infra.receiving import Recipients, activate, withdraw
from infra.resources.mail import INBOX_RULE, rule_set_name
from infra.stack import DeploymentFailed

OURS = "deskbell-test"
INBOXES = "deskbell-test-inboxes"
UNKNOWN = "deskbell-test-unknown"


class RuleSetDoesNotExistException(Exception):
    pass


class FakeSes:
    """Receiving as SES v1 has it, in memory; order of rules counts."""

    class exceptions:
        RuleSetDoesNotExistException = RuleSetDoesNotExistException

    def __init__(self, active: str | None = None, **sets: list[dict[str, Any]]) -> None:
        self.sets = {name.replace("_", "-"): rules for name, rules in sets.items()}
        self.active = active

    def describe_active_receipt_rule_set(self) -> dict[str, Any]:
        return self.describe_receipt_rule_set(self.active) if self.active else {"ResponseMetadata": {}}

    def describe_receipt_rule_set(self, RuleSetName: str) -> dict[str, Any]:
        if RuleSetName not in self.sets:
            raise RuleSetDoesNotExistException(RuleSetName)
        return {"Metadata": {"Name": RuleSetName}, "Rules": [dict(rule) for rule in self.sets[RuleSetName]]}

    def describe_receipt_rule(self, RuleSetName: str, RuleName: str) -> dict[str, Any]:
        for rule in self.sets.get(RuleSetName, ()):
            if rule["Name"] == RuleName:
                return {"Rule": dict(rule)}
        raise ClientError({"Error": {"Code": "RuleDoesNotExist"}}, "DescribeReceiptRule")

    def set_active_receipt_rule_set(self, RuleSetName: str | None = None) -> None:
        self.active = RuleSetName

    def create_receipt_rule_set(self, RuleSetName: str) -> None:
        self.sets[RuleSetName] = []

    def create_receipt_rule(self, RuleSetName: str, Rule: dict[str, Any], After: str | None = None) -> None:
        names = self.names(RuleSetName)
        assert Rule["Name"] not in names
        self.sets[RuleSetName].insert(names.index(After) + 1 if After else 0, Rule)

    def update_receipt_rule(self, RuleSetName: str, Rule: dict[str, Any]) -> None:
        rules = self.sets[RuleSetName]
        rules[self.names(RuleSetName).index(Rule["Name"])] = Rule

    def delete_receipt_rule(self, RuleSetName: str, RuleName: str) -> None:
        self.sets[RuleSetName] = [rule for rule in self.sets[RuleSetName] if rule["Name"] != RuleName]

    def names(self, rule_set: str) -> list[str]:
        return [rule["Name"] for rule in self.sets[rule_set]]

    def recipients(self, rule_set: str) -> list[str]:
        return list(self.sets[rule_set][self.names(rule_set).index(INBOXES)]["Recipients"])


def rule(name: str, *recipients: str, prefix: str = "raw/") -> dict[str, Any]:
    return {"Name": name, "Recipients": list(recipients), "Actions": [{"S3Action": {"ObjectKeyPrefix": prefix}}]}


@pytest.fixture
def said() -> list[str]:
    return []


def test_where_none_is_active_ours_becomes_active(said: list[str]) -> None:
    ses = FakeSes(deskbell_test=[rule(INBOXES)])
    activate(ses, "test", said.append)
    assert ses.active == OURS
    assert "activated" in said[0]


def test_ours_stays_active(said: list[str]) -> None:
    ses = FakeSes(active=OURS, deskbell_test=[rule(INBOXES)])
    activate(ses, "test", said.append)
    assert (ses.active, ses.names(OURS)) == (OURS, [INBOXES])


def test_into_a_foreign_set_our_rules_go_first_and_last(said: list[str]) -> None:
    ses = FakeSes(active="theirs", theirs=[rule("billing"), rule("rest")], deskbell_test=[rule(INBOXES), rule(UNKNOWN)])
    activate(ses, "test", said.append)
    assert (ses.active, ses.names("theirs")) == ("theirs", [INBOXES, "billing", "rest", UNKNOWN])
    assert "theirs" in said[0]
    assert "not ours" in said[0]


def test_a_second_deployment_updates_our_rules_there_and_keeps_their_recipients() -> None:
    ses = FakeSes(
        active="theirs",
        theirs=[rule(INBOXES, "help@shop.example", prefix="old/"), rule("billing"), rule(UNKNOWN, "shop.example")],
        deskbell_test=[rule(INBOXES, "nobody@deskbell.invalid")],
    )
    activate(ses, "test", lambda _: None)
    assert ses.sets["theirs"] == [rule(INBOXES, "help@shop.example"), rule("billing")]


def test_an_empty_foreign_set_takes_our_rules_in_order() -> None:
    ses = FakeSes(active="theirs", theirs=[], deskbell_test=[rule(INBOXES), rule(UNKNOWN)])
    activate(ses, "test", lambda _: None)
    assert ses.names("theirs") == [INBOXES, UNKNOWN]


def test_withdrawing_from_a_foreign_set_takes_only_our_rules() -> None:
    ses = FakeSes(
        active="theirs", theirs=[rule(INBOXES), rule("billing"), rule(UNKNOWN)], deskbell_test=[rule(INBOXES)]
    )
    withdraw(ses, "test", lambda _: None)
    assert (ses.active, ses.names("theirs")) == ("theirs", ["billing"])


def test_withdrawing_our_own_set_leaves_none_active() -> None:
    ses = FakeSes(active=OURS, deskbell_test=[rule(INBOXES)])
    withdraw(ses, "test", lambda _: None)
    assert ses.active is None


def test_rules_of_another_stage_in_our_set_go_on(said: list[str]) -> None:
    foreign = [rule("deskbell-dev-inboxes", "dev@x.example"), rule("billing")]
    ses = FakeSes(active=OURS, deskbell_test=[foreign[0], rule(INBOXES), foreign[1]])
    withdraw(ses, "test", said.append)
    assert ses.active == "kept-from-deskbell-test"
    assert ses.sets[ses.active] == foreign
    assert ses.names(OURS) == [INBOXES]


def test_withdrawing_where_nothing_is_active_does_nothing() -> None:
    ses = FakeSes(deskbell_test=[rule(INBOXES)])
    withdraw(ses, "test", lambda _: None)
    assert ses.names(rule_set_name("test")) == [INBOXES]


# An update that CloudFormation makes, and perhaps takes back

NOBODY = "nobody@deskbell.invalid"
TEMPLATE = {"Parameters": {"ParameterPrefix": {"Default": "/deskbell/test/"}, "InboxRecipients": {"Default": NOBODY}}}


class NoKeys:
    """SSM where every key is made already."""

    def get_parameter(self, Name: str) -> None:
        pass


class Update:
    """``stack.apply`` that sets the rule to what the template says and goes on; then perhaps it fails and goes back.

    told: what the rule took mail for after each step that CloudFormation reported.
    """

    def __init__(self, ses: FakeSes, steps: list[list[str]], fails: bool = False) -> None:
        self.ses, self.steps, self.fails = ses, steps, fails
        self.told: list[list[str]] = []

    def __call__(self, *_: Any, on_event: Callable[[dict[str, Any]], None], **__: Any) -> stack.Stack:
        for recipients in self.steps:
            self.ses.sets[OURS] = [rule(INBOXES, *recipients)]
            on_event({"LogicalResourceId": INBOX_RULE, "ResourceStatus": "UPDATE_IN_PROGRESS"})
            assert self.ses.recipients(OURS) == recipients  # SES has not changed yet when this is said
            on_event({"LogicalResourceId": INBOX_RULE, "ResourceStatus": "UPDATE_COMPLETE"})
            self.told.append(self.ses.recipients(OURS))
        if self.fails:
            raise DeploymentFailed("deskbell-test is UPDATE_ROLLBACK_COMPLETE.")
        return stack.Stack("UPDATE_COMPLETE", {}, {})


def deploy_with(update: Update, recipients: Recipients, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "apply", update)
    monkeypatch.setattr(stack, "publish", lambda *_: "https://template.example")
    (folder / "template.json").write_text(json.dumps(TEMPLATE))
    built = Package(folder / "template.json", folder / "code.zip")
    clients = {"ssm": NoKeys(), "cloudformation": None}
    deploy.deploy("test", built, clients.__getitem__, recipients=recipients, say=lambda _: None)


def test_an_update_that_is_taken_back_leaves_no_inbox_without_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """CloudFormation goes back to the addresses of the last deployment, and Settings have added one since."""
    inboxes = ["help@shop.example", "new@shop.example"]
    ses = FakeSes(active=OURS, deskbell_test=[rule(INBOXES, *inboxes)])
    update = Update(ses, [[NOBODY], ["help@shop.example"]], fails=True)
    recipients = Recipients(ses, "test", lambda: inboxes, said.append)
    with pytest.raises(DeploymentFailed):
        deploy_with(update, recipients, tmp_path, monkeypatch)
    assert ses.recipients(OURS) == inboxes
    assert update.told == [inboxes, inboxes]  # at once, not when all the rest is done


def test_what_no_event_told_of_is_put_right_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """Events are polled: the page that is read may not hold the rule's any more."""
    ses = FakeSes(active=OURS, deskbell_test=[rule(INBOXES, NOBODY)])
    deploy_with(
        Update(ses, [], fails=False), Recipients(ses, "test", lambda: ["a@x.example"], print), tmp_path, monkeypatch
    )
    assert ses.recipients(OURS) == ["a@x.example"]


def test_both_copies_of_the_rule_follow_the_inboxes(said: list[str]) -> None:
    ses = FakeSes(active="theirs", theirs=[rule(INBOXES, "old@x.example")], deskbell_test=[rule(INBOXES, NOBODY)])
    Recipients(ses, "test", lambda: ["a@x.example"], said.append)()
    assert (ses.recipients("theirs"), ses.recipients(OURS)) == (["a@x.example"], ["a@x.example"])


def test_an_inbox_that_is_saved_meanwhile_is_not_lost(said: list[str]) -> None:
    """Settings write the table, then the rule: whoever read the table before and writes the rule after undoes it."""
    answers = iter([["a@x.example"], ["a@x.example", "b@x.example"], ["a@x.example", "b@x.example"]])
    ses = FakeSes(active=OURS, deskbell_test=[rule(INBOXES, NOBODY)])
    Recipients(ses, "test", lambda: next(answers), said.append)()
    assert ses.recipients(OURS) == ["a@x.example", "b@x.example"]


def test_before_there_is_a_table_nothing_is_written(said: list[str]) -> None:
    ses = FakeSes(active=OURS, deskbell_test=[rule(INBOXES, "a@x.example")])
    recipients = Recipients(ses, "test", lambda: None, said.append)
    recipients()
    recipients.check()
    assert (ses.recipients(OURS), said) == (["a@x.example"], [])


def test_a_rule_that_could_not_be_set_fails_the_deployment_and_does_not_hide_why_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    def no_addresses() -> list[str]:
        raise NotConfigured("The table is away.")

    ses = FakeSes(active=OURS, deskbell_test=[rule(INBOXES, NOBODY)])
    recipients = Recipients(ses, "test", no_addresses, said.append)
    with pytest.raises(DeploymentFailed, match="ROLLBACK"):
        deploy_with(Update(ses, [], fails=True), recipients, tmp_path, monkeypatch)
    assert "The table is away" in said[-1]
    with pytest.raises(DeploymentFailed, match="make deploy STAGE=test"):
        recipients.check()
