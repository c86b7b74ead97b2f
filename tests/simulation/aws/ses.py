"""SES: sending raw mail and looking after identities (v2), and the receipt rule that follows our inboxes (v1)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.aws.errors import client_error, only

MAX_BYTES = 40 * 1024 * 1024
MAX_RECIPIENTS = 50
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True)
class SentMail:
    """A mail that SES took; ``to`` is its envelope."""

    ses_id: str
    at: float
    from_address: str
    to: tuple[str, ...]
    raw: bytes
    tags: Mapping[str, str]


class Ses:
    """``sent``: every mail taken, in order.  ``identities``: domains by name, and whether each may send; while it is
    empty every sender may.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.sent: list[SentMail] = []
        self.identities: dict[str, bool] = {}
        self.mail_from: dict[str, str] = {}
        self.active_rule_set = ""
        self.rules: dict[tuple[str, str], dict[str, Any]] = {}
        """By rule set and rule."""

    # v2

    def send_email(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "FromEmailAddress", "Destination", "Content", "EmailTags", "ConfigurationSetName")
        only(request["Content"], "Raw")
        only(request["Destination"], "ToAddresses", "CcAddresses", "BccAddresses")
        to = tuple(address for part in request["Destination"].values() for address in part)
        raw, sender = request["Content"]["Raw"]["Data"], request["FromEmailAddress"]
        if not 1 <= len(to) <= MAX_RECIPIENTS:
            raise client_error("BadRequestException", f"Recipient count must be 1 to {MAX_RECIPIENTS}.")
        if len(raw) > MAX_BYTES:
            raise client_error("BadRequestException", "Message length exceeds the limit.")
        tags = {each["Name"]: each["Value"] for each in request.get("EmailTags", ())}
        if not all(TAG.fullmatch(text) for pair in tags.items() for text in pair):
            raise client_error("BadRequestException", "Invalid tag: only ASCII letters, digits, _ and -.")
        domain = sender.rpartition("@")[2].strip("> ").lower()
        if self.identities and not self.identities.get(domain):
            raise client_error("MessageRejected", f"Email address is not verified: {sender}")
        ses_id = f"0107019{len(self.sent) + 1:09x}-00000000-0000-4000-8000-000000000000-000000"
        self.sent.append(SentMail(ses_id, self._now(), sender, to, bytes(raw), tags))
        return {"MessageId": ses_id}

    def create_email_identity(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["EmailIdentity"]
        if name in self.identities:
            raise client_error("AlreadyExistsException", f"Email identity {name} already exist.")
        self.identities[name] = False
        return {"IdentityType": "DOMAIN", "VerifiedForSendingStatus": False}

    def put_email_identity_mail_from_attributes(self, request: dict[str, Any]) -> dict[str, Any]:
        self._identity(request)
        self.mail_from[request["EmailIdentity"]] = request["MailFromDomain"]
        return {}

    def get_email_identity(self, request: dict[str, Any]) -> dict[str, Any]:
        verified, name = self._identity(request), request["EmailIdentity"]
        status = "SUCCESS" if verified else "PENDING"
        tokens = [f"token{n}" for n in range(3)]
        return {
            "IdentityType": "DOMAIN",
            "VerifiedForSendingStatus": verified,
            "DkimAttributes": {"Status": status, "Tokens": tokens, "SigningEnabled": True},
            "MailFromAttributes": {"MailFromDomain": self.mail_from.get(name, ""), "MailFromDomainStatus": status},
        }

    def _identity(self, request: Mapping[str, Any]) -> bool:
        if request["EmailIdentity"] not in self.identities:
            raise client_error("NotFoundException", "Email identity does not exist.", 404)
        return self.identities[request["EmailIdentity"]]

    def get_account(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request)
        quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": float(len(self.sent))}
        return {"ProductionAccessEnabled": True, "SendingEnabled": True, "SendQuota": quota}

    # v1

    def describe_active_receipt_rule_set(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request)
        return {"Metadata": {"Name": self.active_rule_set}} if self.active_rule_set else {}

    def describe_receipt_rule(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Rule": dict(self._rule(request["RuleSetName"], request["RuleName"]))}

    def update_receipt_rule(self, request: dict[str, Any]) -> dict[str, Any]:
        rule = request["Rule"]
        self._rule(request["RuleSetName"], rule["Name"])
        self.rules[(request["RuleSetName"], rule["Name"])] = dict(rule)
        return {}

    def _rule(self, rule_set: str, name: str) -> dict[str, Any]:
        if rule_set not in {each for each, _ in self.rules}:
            raise client_error("RuleSetDoesNotExist", f"Rule set does not exist: {rule_set}")
        if (rule_set, name) not in self.rules:
            raise client_error("RuleDoesNotExist", f"Rule does not exist: {name}")
        return self.rules[(rule_set, name)]
