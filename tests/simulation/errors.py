"""What a client sees when a call goes wrong: botocore's and urllib3's own exceptions."""

from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

THROTTLED = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "s3": ("SlowDown", 503),
    "sqs": ("RequestThrottled", 403),
    "sesv2": ("TooManyRequestsException", 429),
}
REFUSED = {"sesv2": ("MessageRejected", 400)}


class Killed(BaseException):
    """The function is gone: nothing in it may catch this."""


class Gone(BaseException):
    """The copy of a process is gone that was to do something apart."""


class Chokes(Exception):
    """What the reader raises on the mail that it cannot read: a class that no code of the desk's raises or expects."""


def client_error(code: str, status: int, operation: str, message: str = "injected") -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


def throttled(service: str, operation: str, odd: bool) -> Exception:
    """Come again later; odd: tomorrow, for SES has a limit a day too."""
    code, status = THROTTLED.get(service, ("ThrottlingException", 400))
    return client_error(code, status, operation, "Daily message quota exceeded." if odd else "Rate exceeded.")


def refused(service: str, operation: str) -> Exception:
    code, status = REFUSED.get(service, ("ValidationException", 400))
    return client_error(code, status, operation)


def failed_before(service: str, operation: str, odd: bool) -> Exception:
    """Nothing took effect: the connection never opened, or (odd) the service broke before it did anything."""
    if odd:
        return EndpointConnectionError(endpoint_url=f"https://{service}.example")
    return client_error("InternalServerError", 500, operation)


def failed_after(service: str, operation: str, odd: bool) -> Exception:
    """It took effect, and the caller cannot know: the answer never came, or (odd) it said 500."""
    if odd:
        return client_error("InternalServerError", 500, operation)
    return ReadTimeoutError(endpoint_url=f"https://{service}.example")
