"""What Chalice does not say about its functions: sizes, roles, event sources, environment, log groups."""

import json

from infra.cloudformation import Json, attribute, ref, resource, sub, when
from infra.functions import FUNCTIONS, Function, function

API_STAGE = "api"
"""API Gateway's own stage, ``api_gateway_stage`` of .chalice/config.json; ours are the stacks."""

LOG_RETENTION_DAYS = 30


def environment(stage: str) -> Json:
    """Everything ``chalicelib.config.settings`` needs.  No secrets: those lie in SSM under PARAMETER_PREFIX."""
    return {
        "STAGE": stage,
        "TABLE_NAME": ref("Table"),
        "ORIGINALS_BUCKET": ref("OriginalsBucket"),
        "ATTACHMENTS_BUCKET": ref("AttachmentsBucket"),
        "INBOUND_QUEUE_URL": ref("InboundQueue"),
        "WORK_QUEUE_URL": ref("WorkQueue"),
        "LATER_QUEUE_URL": ref("LaterQueue"),
        "OUTBOUND_QUEUE_URL": ref("OutboundQueue"),
        "INBOUND_DEAD_QUEUE_URL": ref("InboundDeadQueue"),
        "WORK_DEAD_QUEUE_URL": ref("WorkDeadQueue"),
        "LATER_DEAD_QUEUE_URL": ref("LaterDeadQueue"),
        "OUTBOUND_DEAD_QUEUE_URL": ref("OutboundDeadQueue"),
        "USER_POOL_ID": ref("UserPool"),
        "USER_POOL_CLIENT_ID": ref("UserPoolClient"),
        "CONFIGURATION_SET": ref("ConfigurationSet"),
        "WEBSOCKET_API_ID": ref("WebsocketAPI"),
        "WEBSOCKET_URL": sub(f"wss://${{WebsocketAPI}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{API_STAGE}"),
        "WEBSOCKET_ENDPOINT": sub(
            f"https://${{WebsocketAPI}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{API_STAGE}"
        ),
        "BASE_PATH": when("HasConsoleOrigin", "", f"/{API_STAGE}"),
        "CONSOLE_ORIGIN": ref("ConsoleOrigin"),
        "PARAMETER_PREFIX": ref("ParameterPrefix"),
    }


FEWEST_AT_ONCE = 2
"""The smallest MaximumConcurrency that Lambda takes."""


def _queue(logical_id: str, batch_size: int, at_once: int) -> Json:
    """No MaximumBatchingWindowInSeconds: 0 is what it is without, and FIFO queues support none.

    Where the account may run few functions at once, four busy queues would take all of them: what is throttled counts
    as received, and after five times a healthy message is a dead letter.
    """
    return {
        "Queue": attribute(logical_id),
        "BatchSize": batch_size,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": when("HasFewExecutions", FEWEST_AT_ONCE, at_once)},
    }


RELAYED: tuple[Json, ...] = (
    {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {
            "Keys": {
                "pk": {"S": [{"prefix": "TICKET#"}]},
                "sk": {"S": ["TICKET", {"prefix": "MESSAGE#"}, {"prefix": "DELIVERY#"}]},
            }
        },
    },
    {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "RECEIPTS#"}, {"prefix": "NOTICES#"}, {"prefix": "LEAVING#"}]}}},
    },
)
"""Records that may mean something to ``jobs.relay``.  The others (sessions, drafts, counts …) would only wake it."""


def _sources() -> dict[str, Json]:
    """Event sources by function."""
    return {
        "intake": _queue("InboundQueue", 10, 20),
        "work": _queue("WorkQueue", 10, 20),
        "later": _queue("LaterQueue", 10, 5),
        "deliver": _queue("OutboundQueue", 5, 10),
        "relay": {
            "Stream": attribute("Table", "StreamArn"),
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 100,
            "MaximumBatchingWindowInSeconds": 0,
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps(each)} for each in RELAYED]},
            "BisectBatchOnFunctionError": True,
            # An hour of trying; what is older, the repair sweep finds by its pending mark.
            "MaximumRecordAgeInSeconds": 3600,
            "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": attribute("WorkDeadQueue")}},
        },
        "delivery_events": {"Topic": ref("DeliveryTopic")},
    }


def _asynchronous(name: str) -> Json:
    """A missed tick is made up by the next one, so Lambda need not repeat it."""
    if name in {"sweep", "repair", "hourly"}:
        return {"EventInvokeConfig": {"MaximumRetryAttempts": 0}}
    if name == "delivery_events":
        return {"DeadLetterQueue": {"Type": "SQS", "TargetArn": attribute("WorkDeadQueue")}}
    return {}


def _properties(stage: str, function: Function) -> Json:
    return {
        "FunctionName": function.physical_name(stage),
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout_seconds,
        "Role": attribute(function.role_id),
        **_asynchronous(function.name),
    }


def _logs(stage: str, function: Function) -> Json:
    name = f"/aws/lambda/{function.physical_name(stage)}"
    return resource("AWS::Logs::LogGroup", {"LogGroupName": name, "RetentionInDays": LOG_RETENTION_DAYS})


def resources(stage: str) -> dict[str, Json]:
    """Parts of functions, to be merged into Chalice's; ``HooksHandler`` is made by ``infra.template.finish``."""
    found: dict[str, Json] = {}
    for each in FUNCTIONS:
        found[each.log_group_id] = _logs(stage, each)
        found[each.logical_id] = {"Properties": _properties(stage, each), "DependsOn": [each.log_group_id]}
    return found


def set_sources(resources: dict[str, Json]) -> None:
    """Put our event sources in place of Chalice's, in place.

    Chalice builds ARNs from the names in app.py, which tells CloudFormation of no dependency; and merging could not
    take those out, for it keeps both spellings.
    """
    for name, source in _sources().items():
        each = function(name)
        resources[each.logical_id]["Properties"]["Events"][each.event]["Properties"] = source


def hooks_function(stage: str, web: Json) -> Json:
    """The public half of the HTTP functions: Chalice's own, with another role, size and a share of concurrency."""
    properties = web["Properties"] | _properties(stage, function("hooks"))
    properties["Handler"] = "app.hooks"  # so that app.py loads the public routes and no others
    properties["ReservedConcurrentExecutions"] = when("HasHooksConcurrency", ref("HooksConcurrency"))
    return web | {"Properties": properties, "DependsOn": [function("hooks").log_group_id]}
