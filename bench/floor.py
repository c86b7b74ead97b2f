"""The bare boto3 handler that cold starts are compared with: one read, no framework."""

import json
from typing import Any

import boto3

dynamodb: Any = boto3.Session().client("dynamodb")


def app(event: dict[str, Any], context: object) -> dict[str, Any]:
    item = dynamodb.get_item(TableName="floor", Key={"pk": {"S": "TICKET#1"}, "sk": {"S": "TICKET"}})["Item"]
    body = {"id": item["pk"]["S"], "subject": item["subject"]["S"], "version": int(item["version"]["N"])}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
