"""Errors as botocore raises them."""

from typing import Any

from botocore.exceptions import ClientError


def client_error(code: str, message: str = "", status: int = 400, **more: Any) -> ClientError:
    """What a service answered: ``code`` with its HTTP status.  ``more`` stands beside ``Error`` in the response."""
    headers = {"x-amzn-requestid": "simulated"}
    metadata = {"RequestId": "simulated", "HTTPStatusCode": status, "HTTPHeaders": headers, "RetryAttempts": 0}
    response: Any = {"Error": {"Code": code, "Message": message or code}, "ResponseMetadata": metadata, **more}
    return ClientError(response, "Simulated")


def invalid(message: str) -> ClientError:
    """DynamoDB's answer to a request that makes no sense."""
    return client_error("ValidationException", message)


def only(arguments: dict[str, Any], *known: str) -> None:
    """Be loud about an argument that the simulation would otherwise pass over in silence."""
    if strange := arguments.keys() - set(known):
        raise NotImplementedError(f"the simulated AWS does not know the arguments {sorted(strange)}")
