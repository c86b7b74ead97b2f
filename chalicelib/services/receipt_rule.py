"""SES takes mail for the addresses of rule 1 and nobody else's: it follows the inboxes.

Only one rule set is active per region and account; where it is somebody else's, the deployment put a copy of our rule
into that one.  Both are kept equal, so that the next deployment finds the addresses wherever it looks.
"""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.config import settings
from chalicelib.errors import NotConfigured, Refused

NO_RECIPIENT = "nobody@deskbell.invalid"
"""An empty list would make SES give us the mail of every address of the account."""
MAX_RECIPIENTS = 100  # SES, per rule
ABSENT = frozenset({"RuleDoesNotExist", "RuleSetDoesNotExist"})


class ReceiptRule:
    """``ses``: a v1 ``ses`` client (receiving has no v2), handed in by the edge."""

    def __init__(self, ses: Any, stage: str = "") -> None:
        self._ses = ses
        self._set = f"deskbell-{stage or settings().stage}"  # as the template names them
        self._rule = f"{self._set}-inboxes"

    def take_mail_for(self, addresses: Sequence[str]) -> None:
        """Make these the recipients.

        Raises:
            NotConfigured: there is no such rule, or there are more addresses than one rule holds.
            Refused: SES did not change it; nothing was changed.
        """
        wanted = sorted(dict.fromkeys(addresses)) or [NO_RECIPIENT]
        if len(wanted) > MAX_RECIPIENTS:
            raise NotConfigured(f"SES takes mail for at most {MAX_RECIPIENTS} addresses. Deactivate an inbox first.")
        try:
            changed = [self._change(rule_set, wanted) for rule_set in self._rule_sets()]
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise Refused(f"SES did not take the address ({code}). Try again.", retry_after_seconds=None) from error
        if not any(changed):
            raise NotConfigured(f"SES has no receipt rule {self._rule}. Deploy the desk again, then repeat.")

    def _rule_sets(self) -> list[str]:
        active = self._ses.describe_active_receipt_rule_set().get("Metadata", {}).get("Name", "")
        return list(dict.fromkeys(name for name in (active, self._set) if name))

    def _change(self, rule_set: str, recipients: list[str]) -> bool:
        try:
            rule = self._ses.describe_receipt_rule(RuleSetName=rule_set, RuleName=self._rule)["Rule"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code", "") in ABSENT:
                return False
            raise
        if sorted(rule.get("Recipients", ())) != recipients:
            self._ses.update_receipt_rule(RuleSetName=rule_set, Rule={**rule, "Recipients": recipients})
        return True
