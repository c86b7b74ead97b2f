"""What making and changing an inbox needs of AWS and of the providers, for the console and the REST API alike."""

from collections.abc import Mapping

from chalicelib import wiring
from chalicelib.config import settings
from chalicelib.connectors.telegram import bot
from chalicelib.domain.people import Inbox
from chalicelib.services.inbox_secrets import InboxSecrets
from chalicelib.services.inboxes import Provider, Tools
from chalicelib.services.receipt_rule import ReceiptRule


def inbox_tools(public_url: str, base_url: str = "") -> Tools:
    """Tools for one form.

    public_url: where the desk is reached from outside: providers send their webhooks below it.
    base_url: where the provider's API lies; empty: at its usual address.

    Locally the SMTP port looks at the active inboxes itself, so there is no receipt rule to keep in step.
    """
    receiving = None if settings().local else ReceiptRule(wiring.client("ses"))
    return Tools(InboxSecrets(wiring.client("ssm")), receiving, {"telegram": _telegram(public_url, base_url)})


def hook_url(public_url: str, inbox_id: str) -> str:
    return f"{public_url}/hooks/{inbox_id}"


def _telegram(public_url: str, base_url: str) -> Provider:
    at = base_url.rstrip("/") or bot.BASE_URL

    def look(secrets: Mapping[str, str]) -> str:
        return bot.check(secrets["bot_token"], wiring.post_json, at).username

    def announce(inbox: Inbox, secrets: Mapping[str, str]) -> None:
        url = hook_url(public_url, inbox.id)
        bot.set_webhook(secrets["bot_token"], url, secrets["webhook_secret"], wiring.post_json, at)

    return Provider(look, announce)
