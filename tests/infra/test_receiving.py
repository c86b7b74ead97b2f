"""One receipt rule set is active per account: ours, nobody's, or somebody else's."""

from typing import Any

import pytest

from infra.receiving import activate, live_recipients, withdraw
from infra.resources.mail import rule_set_name

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


@pytest.mark.parametrize("active", ["theirs", OURS])
def test_the_live_rule_says_which_addresses_there_are(active: str) -> None:
    ses = FakeSes(active=active, theirs=[rule(INBOXES, "a@x.example")], deskbell_test=[rule(INBOXES, "b@x.example")])
    assert live_recipients(ses, "test") == (["a@x.example"] if active == "theirs" else ["b@x.example"])


def test_before_the_first_deployment_there_are_no_addresses() -> None:
    assert live_recipients(FakeSes(), "test") == []


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
