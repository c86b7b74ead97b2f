"""What making and changing an inbox needs of AWS and of the providers, for the console and the REST API alike."""

from chalicelib import wiring
from chalicelib.config import settings
from chalicelib.services.inbox_secrets import InboxSecrets
from chalicelib.services.inboxes import Tools
from chalicelib.services.receipt_rule import ReceiptRule


def inbox_tools() -> Tools:
    """Locally the SMTP port takes mail for every inbox, so there is no receipt rule to keep in step."""
    receiving = None if settings().local else ReceiptRule(wiring.client("ses"))
    return Tools(InboxSecrets(wiring.client("ssm")), receiving)
