"""What the deployed stack is made of, by the names the template gives."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stack:
    """Physical names.  ``rest_api_id`` changes whenever a route does: read a stack again after each deployment."""

    table: str
    originals_bucket: str
    attachments_bucket: str
    inbound_queue_url: str
    later_queue_url: str
    mail_topic: str
    """Where SES announces received mail."""
    delivery_topic: str
    """Where SES reports on sent mail."""
    rest_api_id: str
    websocket_api_id: str
    user_pool_id: str
    user_pool_client_id: str
    functions: dict[str, str]
    """Logical id -> function name."""


def read_stack(cloudformation: Any, name: str) -> Stack:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    found = [each for page in pages for each in page["StackResourceSummaries"]]
    by_id = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
    return Stack(
        table=by_id["Table"],
        originals_bucket=by_id["OriginalsBucket"],
        attachments_bucket=by_id["AttachmentsBucket"],
        inbound_queue_url=by_id["InboundQueue"],
        later_queue_url=by_id["LaterQueue"],
        mail_topic=by_id["MailTopic"],
        delivery_topic=by_id["DeliveryTopic"],
        rest_api_id=by_id["RestAPI"],
        websocket_api_id=by_id["WebsocketAPI"],
        user_pool_id=by_id["UserPool"],
        user_pool_client_id=by_id["UserPoolClient"],
        functions={
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in found
            if each["ResourceType"] in ("AWS::Lambda::Function", "AWS::Serverless::Function")
        },
    )
