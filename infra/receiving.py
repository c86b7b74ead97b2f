"""SES has one active receipt rule set per region and account, and CloudFormation cannot activate one.

So the deployment looks: where none is active it activates ours; where somebody else's is, it puts our rules into that
one, ours first and the catch-all last.  Undeployment takes out ours only.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.services.receipt_rule import ReceiptRule
from infra import desk
from infra.resources.mail import inbox_rule_name, rule_set_name, unknown_rule_name
from infra.stack import DeploymentFailed, Say

LOOKS = 3
"""How often the inboxes are read again: each time somebody saved one between our reading and our writing."""


class Recipients:
    """Sets rule 1's recipients to the inboxes' addresses whenever CloudFormation may have set them to others.

    It does so when it changes the rule, and when it takes that back.  Never raises; ``check`` does.

    addresses: as the table has them, or None where there is no table yet.
    """

    def __init__(self, ses: Any, stage: str, addresses: Callable[[], Sequence[str] | None], say: Say) -> None:
        self._rule = ReceiptRule(ses, stage)
        self._stage = stage
        self._addresses = addresses
        self._say = say
        self._trouble = ""

    def __call__(self) -> None:
        try:
            self._follow()
            self._trouble = ""
        except desk.TROUBLE as error:
            self._trouble = desk.told(error)
            self._say(f"Receiving mail: the receipt rule could not be set. {self._trouble}.")

    def check(self) -> None:
        """Raise DeploymentFailed where the last attempt failed."""
        if self._trouble:
            raise DeploymentFailed(
                f"SES may refuse mail for some inboxes. {self._trouble}. Run make deploy STAGE={self._stage} again."
            )

    def _follow(self) -> None:
        written: list[str] | None = None
        for _ in range(LOOKS):
            found = self._addresses()
            if found is None or sorted(found) == written:
                return
            written = sorted(found)
            self._rule.take_mail_for(written)


def activate(ses: Any, stage: str, say: Say) -> None:
    """See to it that mail for our addresses reaches us, whoever's rule set is active."""
    active = _active(ses)
    if active is None:
        ses.set_active_receipt_rule_set(RuleSetName=rule_set_name(stage))
        say(f"Receiving mail: activated the receipt rule set {rule_set_name(stage)}.")
    elif _name(active) == rule_set_name(stage):
        say(f"Receiving mail: the receipt rule set {rule_set_name(stage)} is active.")
    else:
        _join(ses, stage, active)
        say(
            f"Receiving mail: the receipt rule set {_name(active)} is active and not ours, "
            f"so our rules now stand in it: {inbox_rule_name(stage)} first."
        )


def withdraw(ses: Any, stage: str, say: Say) -> None:
    """Take out our rules and nothing else, so that CloudFormation can delete our rule set."""
    active = _active(ses)
    if active is None:
        return
    if _name(active) != rule_set_name(stage):
        for name in _our_names(stage) & set(_rules(active)):
            ses.delete_receipt_rule(RuleSetName=_name(active), RuleName=name)
            say(f"Receiving mail: took {name} out of the receipt rule set {_name(active)}.")
        return
    foreign = [rule for rule in active["Rules"] if rule["Name"] not in _our_names(stage)]
    if foreign:
        _move_foreign(ses, stage, foreign, say)
    else:
        ses.set_active_receipt_rule_set()
        say("Receiving mail: no receipt rule set is active any more.")


def _move_foreign(ses: Any, stage: str, rules: Sequence[Any], say: Say) -> None:
    """Another stage, or somebody, put rules into our set: they go on in a set of their own."""
    kept = f"kept-from-{rule_set_name(stage)}"
    ses.create_receipt_rule_set(RuleSetName=kept)
    after = None
    for rule in rules:
        ses.create_receipt_rule(RuleSetName=kept, Rule=rule, **({"After": after} if after else {}))
        after = rule["Name"]
    ses.set_active_receipt_rule_set(RuleSetName=kept)
    for rule in rules:
        ses.delete_receipt_rule(RuleSetName=rule_set_name(stage), RuleName=rule["Name"])
    names = ", ".join(rule["Name"] for rule in rules)
    say(f"Receiving mail: rules that are not ours ({names}) go on in the receipt rule set {kept}, now active.")


def _join(ses: Any, stage: str, active: Any) -> None:
    ours, there = _rules(_ours(ses, stage)), _rules(active)
    for name in _our_names(stage) & set(there) - set(ours):
        ses.delete_receipt_rule(RuleSetName=_name(active), RuleName=name)
    for name, rule in ours.items():
        if name in there:
            kept = rule | {"Recipients": there[name].get("Recipients", [])}
            ses.update_receipt_rule(RuleSetName=_name(active), Rule=kept)
        elif name == unknown_rule_name(stage):
            last = active["Rules"][-1]["Name"] if active["Rules"] else inbox_rule_name(stage)
            ses.create_receipt_rule(RuleSetName=_name(active), Rule=rule, After=last)
        else:
            ses.create_receipt_rule(RuleSetName=_name(active), Rule=rule)  # without After it comes first


def _our_names(stage: str) -> set[str]:
    return {inbox_rule_name(stage), unknown_rule_name(stage)}


def _active(ses: Any) -> Any | None:
    """The active rule set as SES describes it, or None."""
    found = ses.describe_active_receipt_rule_set()
    return found if found.get("Metadata") else None


def _ours(ses: Any, stage: str) -> Any | None:
    try:
        return ses.describe_receipt_rule_set(RuleSetName=rule_set_name(stage))
    except ses.exceptions.RuleSetDoesNotExistException:
        return None


def _name(rule_set: Any) -> str:
    return str(rule_set["Metadata"]["Name"])


def _rules(rule_set: Any | None) -> dict[str, Any]:
    return {rule["Name"]: rule for rule in rule_set["Rules"]} if rule_set else {}
