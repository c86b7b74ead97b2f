"""SES has one active receipt rule set per region and account, and CloudFormation cannot activate one.

So the deployment looks: where none is active it activates ours; where somebody else's is, it puts our rules into that
one, ours first and the catch-all last.  Undeployment takes out ours only.
"""

from collections.abc import Callable, Sequence
from typing import Any

from infra.resources.mail import inbox_rule_name, rule_set_name, unknown_rule_name

Say = Callable[[str], object]


def live_recipients(ses: Any, stage: str) -> list[str]:
    """The addresses that rule 1 takes mail for at this moment; empty before the first deployment."""
    rule = _rules(_active(ses)).get(inbox_rule_name(stage)) or _rules(_ours(ses, stage)).get(inbox_rule_name(stage))
    return list(rule.get("Recipients", ())) if rule else []


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
