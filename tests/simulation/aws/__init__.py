"""AWS as the desk sees it, in this process: no sockets, no waiting, a clock that the simulation moves.

``Aws(now)`` is an empty account; ``install`` puts it in the place of every botocore client, PynamoDB's too.  It keeps
to what the services' documentation promises and no more: where AWS may be late, repeat, reorder or leave something
undone, there is a knob (``Aws.dynamodb``, ``Aws.sqs``).  What AWS would refuse is refused with the same code.  An
operation or argument that the desk has not used so far raises NotImplementedError.

It never repeats a call by itself.  To simulate the SDK's retries, call it again with the same arguments; for
TransactWriteItems add a ClientRequestToken where there is none, as botocore does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol
from unittest.mock import patch

import botocore.client
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.simulation.aws.dynamodb import DynamoDB
from tests.simulation.aws.s3 import S3
from tests.simulation.aws.ses import Ses
from tests.simulation.aws.sqs import Sqs
from tests.simulation.aws.ssm import Ssm
from tests.simulation.aws.websocket import Websocket

METADATA = {"RequestId": "simulated", "HTTPStatusCode": 200, "RetryAttempts": 0}


class Boundary(Protocol):
    """What ``install`` calls: an Aws, or something that stands before one and makes trouble."""

    def call(self, service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]: ...


class Aws:
    """One empty account.  ``now``: seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.dynamodb = DynamoDB(now)
        self.sqs = Sqs(now)
        self.s3 = S3(now)
        self.ses = Ses(now)
        self.ssm = Ssm()
        self.websocket = Websocket()
        self._services: dict[str, object] = {
            "dynamodb": self.dynamodb, "sqs": self.sqs, "s3": self.s3, "ses": self.ses, "sesv2": self.ses,
            "ssm": self.ssm, "apigatewaymanagementapi": self.websocket,
        }  # fmt: skip

    def call(self, service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """``service`` as boto3 names it, ``operation`` as AWS does: ("dynamodb", "PutItem").

        Raises botocore's ClientError with the code AWS would send.
        """
        act = getattr(self._services.get(service), _method(operation), None)
        if act is None:
            raise NotImplementedError(f"the simulated AWS has no {service} {operation}")
        headers = {"x-amzn-requestid": "simulated"}
        return {**act(arguments), "ResponseMetadata": {**METADATA, "HTTPHeaders": headers}}


@lru_cache(maxsize=256)
def _method(operation: str) -> str:
    return str(xform_name(operation))


@contextmanager
def install(current: Callable[[], Boundary]) -> Iterator[None]:
    """Inside, every call of every botocore client goes to ``current()`` in place of a network."""

    def call(client: Any, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            return current().call(client.meta.service_model.service_name, operation, arguments)
        except ClientError as error:  # botocore raises the client's own class of an error, as ``client.exceptions``
            shape = client.exceptions.from_code(error.response["Error"]["Code"])
            raise shape(error.response, operation) from error

    with patch.object(botocore.client.BaseClient, "_make_api_call", call):
        yield
