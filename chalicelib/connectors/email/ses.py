"""The one place that speaks to SES's sending API; its answers become Refused (proof that nothing was sent) or Unclear.

The client comes from ``wiring``, with the SDK's own retries off (``retries={"total_max_attempts": 1}``): SendEmail has
no idempotency token, and a second attempt behind our back could be a second mail.
Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSLError,
)

from chalicelib.connectors import SendMail
from chalicelib.errors import Refused, Unclear

NEVER_OPENED = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
NEVER_ASKED = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
OUR_BUG = (ParamValidationError, NoRegionError)
HANDSHAKE_WORDS = ("CERTIFICATE_VERIFY_FAILED", "HANDSHAKE", "WRONG_VERSION_NUMBER", "certificate", "hostname")

RATE_SECONDS = 3.0
CONNECT_SECONDS = 10.0
CREDENTIALS_SECONDS = 60.0
PAUSED_SECONDS = 900.0
QUOTA_SECONDS = 3600.0

PERMANENT = {
    "MessageRejected": "SES refuses this mail",
    "MailFromDomainNotVerifiedException": "The MAIL FROM domain of this inbox is not set up; look at its DNS records",
    "AccountSuspendedException": "AWS has suspended this account's sending",
    "LimitExceededException": "A limit of the SES account is reached",
    "NotFoundException": "The SES configuration set or identity does not exist",
    "BadRequestException": "SES does not understand this mail",
}
THROTTLED = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestThrottled", "SlowDown"})
CREDENTIALS_STALE = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})


class SesClient(Protocol):
    """What we need of botocore's ``sesv2`` client."""

    def send_email(self, **kwargs: object) -> Mapping[str, object]: ...


def ses_sender(client: SesClient, configuration_set: str) -> SendMail:
    """A ``SendMail`` over a ``sesv2`` client; an empty ``configuration_set`` sends without one (and without events)."""

    def send(from_address: str, recipients: Sequence[str], raw: bytes, tags: Mapping[str, str]) -> str:
        request: dict[str, object] = {
            "FromEmailAddress": from_address,
            "Destination": {"ToAddresses": list(recipients)},  # the envelope; the headers say who stands in Cc
            "Content": {"Raw": {"Data": raw}},
            "EmailTags": [{"Name": _tag_text(name), "Value": _tag_text(value)} for name, value in tags.items()],
        }
        if configuration_set:
            request["ConfigurationSetName"] = configuration_set
        try:
            answer = client.send_email(**request)
        except ClientError as error:
            raise _answered(error) from error
        except BotoCoreError as error:
            raise _unanswered(error) from error
        message_id = answer.get("MessageId")
        if not isinstance(message_id, str) or not message_id:
            raise Unclear("SES accepted the mail but gave no id.")
        return message_id

    return send


def _answered(error: ClientError) -> Refused | Unclear:
    """SES spoke: 4xx is proof, 5xx is not."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in THROTTLED or status == 429:
        daily = "daily" in text.lower() or "quota" in text.lower()
        why = "The day's SES quota is used up." if daily else "SES asks to send more slowly."
        return Refused(why, retry_after_seconds=QUOTA_SECONDS if daily else RATE_SECONDS)
    if code == "SendingPausedException":
        return Refused("Sending is paused for this SES account.", retry_after_seconds=PAUSED_SECONDS)
    if code in CREDENTIALS_STALE:
        return Refused("The function's AWS credentials had run out.", retry_after_seconds=CREDENTIALS_SECONDS)
    if code in PERMANENT:
        return Refused(f"{PERMANENT[code]}: {text or code}", retry_after_seconds=None)
    if 400 <= status < 500 and status != 408:
        return Refused(f"SES answered {code}: {text}", retry_after_seconds=None)
    return Unclear(f"SES answered {status or code}: the mail may have been sent.")


def _unanswered(error: BotoCoreError) -> Refused | Unclear:
    """No answer: only a connection that never opened is proof."""
    if isinstance(error, NEVER_OPENED):
        return Refused("SES could not be reached.", retry_after_seconds=CONNECT_SECONDS)
    if isinstance(error, SSLError) and any(word in str(error) for word in HANDSHAKE_WORDS):
        return Refused("No secure connection to SES could be made.", retry_after_seconds=CONNECT_SECONDS)
    if isinstance(error, NEVER_ASKED):
        return Refused("The function has no AWS credentials.", retry_after_seconds=CREDENTIALS_SECONDS)
    if isinstance(error, OUR_BUG):
        return Refused(f"SES was asked wrongly: {error}", retry_after_seconds=None)
    return Unclear("The connection to SES broke off: the mail may have been sent.")


def _tag_text(text: str) -> str:
    """Tags take ASCII letters, digits, ``_`` and ``-``, up to 256 of them."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:256] or "_"
