"""SES's answers as proof or as doubt."""

from collections.abc import Mapping

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)

from chalicelib.connectors.email.ses import ses_sender
from chalicelib.errors import Refused, Unclear

URL = "https://email.eu-west-1.amazonaws.com"
CAUSE = OSError("boom")


class Client:
    def __init__(self, answer: Mapping[str, object] | Exception) -> None:
        self.answer = answer
        self.asked: list[dict[str, object]] = []

    def send_email(self, **kwargs: object) -> Mapping[str, object]:
        self.asked.append(kwargs)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def send(answer: Mapping[str, object] | Exception) -> str:
    return ses_sender(Client(answer), "hd-prod")("support@shop.example", ["lina@x.example"], b"raw", {"msg": "m1"})


def refusal(code: str, status: int = 400, text: str = "why") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": text},
            "ResponseMetadata": {
                "RequestId": "r1", "HostId": "", "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0,
            },
        },
        "SendEmail",
    )  # fmt: skip


def test_what_ses_is_asked() -> None:
    client = Client({"MessageId": "0102-1"})
    sender = ses_sender(client, "hd-prod")
    assert (
        sender("s@shop.example", ["a@x.example", "b@x.example"], b"raw", {"ticket": "1042", "msg": "m/1"}) == "0102-1"
    )
    assert client.asked == [
        {
            "FromEmailAddress": "s@shop.example",
            "Destination": {"ToAddresses": ["a@x.example", "b@x.example"]},
            "Content": {"Raw": {"Data": b"raw"}},
            "EmailTags": [{"Name": "ticket", "Value": "1042"}, {"Name": "msg", "Value": "m_1"}],
            "ConfigurationSetName": "hd-prod",
        }
    ]


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (refusal("TooManyRequestsException", 429, "Maximum sending rate exceeded"), 3.0),
        (refusal("TooManyRequestsException", 429, "Daily message quota exceeded"), 3600.0),
        (refusal("ThrottlingException"), 3.0),
        (refusal("SendingPausedException"), 900.0),
        (refusal("ExpiredTokenException", 403), 60.0),
        (refusal("LimitExceededException"), None),
        (refusal("AccountSuspendedException"), None),
        (refusal("MessageRejected"), None),
        (refusal("MailFromDomainNotVerifiedException"), None),
        (refusal("NotFoundException", 404), None),
        (refusal("BadRequestException"), None),
        (refusal("AccessDeniedException", 403), None),
        (refusal("SomethingNew", 422), None),
        (EndpointConnectionError(endpoint_url=URL), 10.0),
        (ConnectTimeoutError(endpoint_url=URL), 10.0),
        (SSLError(endpoint_url=URL, error=OSError("CERTIFICATE_VERIFY_FAILED")), 10.0),
        (NoCredentialsError(), 60.0),
        (ParamValidationError(report="bad"), None),
    ],
)
def test_proof_that_nothing_was_sent(answer: Exception, seconds: float | None) -> None:
    with pytest.raises(Refused) as caught:
        send(answer)
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    "answer",
    [
        refusal("InternalFailure", 500),
        refusal("ServiceUnavailable", 503),
        refusal("RequestTimeout", 408),
        refusal("NoStatus", 0),
        ReadTimeoutError(endpoint_url=URL),
        ConnectionClosedError(endpoint_url=URL),
        HTTPClientError(error=CAUSE),
        SSLError(endpoint_url=URL, error=OSError("bad record mac")),
        BotoCoreError(),
        {},
        {"MessageId": ""},
    ],
)
def test_what_may_have_been_sent(answer: Mapping[str, object] | Exception) -> None:
    with pytest.raises(Unclear):
        send(answer)


def test_nothing_is_asked_twice() -> None:
    client = Client(ReadTimeoutError(endpoint_url=URL))
    with pytest.raises(Unclear):
        ses_sender(client, "")("s@shop.example", ["a@x.example"], b"raw", {})
    assert len(client.asked) == 1
    assert "ConfigurationSetName" not in client.asked[0]
