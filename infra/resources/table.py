"""The one table (docs/architecture.md, "Table")."""

from infra.cloudformation import KEPT_FROM_DELETION, Json, resource

LIST_COLUMNS = (
    "subject",
    "status",
    "priority",
    "inbox_id",
    "channel",
    "customer_id",
    "customer_name",
    "assignee_id",
    "team_id",
    "snippet",
    "tags",
    "updated_at",
    "waiting_since",
    "snoozed_until",
    "undelivered",
    "last_message_id",
    "seen_by",
)
"""What a row of a ticket list shows.

DynamoDB allows 20 of them an index and 100 over all indexes of a table, counted once per index
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html).
"""

CUSTOMER_COLUMNS = ("subject", "status", "inbox_id", "channel")

INDEXES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("by_status", "status_key", "activity_key", LIST_COLUMNS),
    ("by_holder", "holder_key", "activity_key", LIST_COLUMNS),
    ("by_inbox", "inbox_key", "activity_key", LIST_COLUMNS),
    ("by_wait", "wait_key", "waiting_key", LIST_COLUMNS),
    ("by_customer", "customer_key", "created_key", CUSTOMER_COLUMNS),
    ("by_time", "time_key", "time_at", ()),
)
"""Name, hash key, range key, projected columns; none means keys only."""


def _keys(hash_key: str, range_key: str) -> list[Json]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]


def _index(name: str, hash_key: str, range_key: str, columns: tuple[str, ...]) -> Json:
    projection: Json = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(columns)}
    return {
        "IndexName": name,
        "KeySchema": _keys(hash_key, range_key),
        "Projection": projection if columns else {"ProjectionType": "KEYS_ONLY"},
    }


def resources(stage: str) -> dict[str, Json]:
    key_names = sorted({"pk", "sk"} | {key for _, *keys, _ in INDEXES for key in keys})
    properties = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in key_names],
        "KeySchema": _keys("pk", "sk"),
        "GlobalSecondaryIndexes": [_index(*index) for index in INDEXES],
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
        "Tags": [{"Key": "deskbell:stage", "Value": stage}],
    }
    return {"Table": resource("AWS::DynamoDB::Table", properties, **KEPT_FROM_DELETION)}
