"""Counts what AWS would bill for what the local engine does, and shows it where AWS shows it: in CloudWatch.

So the console's cost page has something to read on a laptop, by the same call as on AWS, and ``bench.cost`` counts with
the same meter.  The engine itself publishes only calls and durations of functions.
"""

import importlib
import json
import time
from collections import Counter
from collections.abc import Mapping
from itertools import product
from typing import Any

from infra.functions import FUNCTIONS
from local import units
from local.asgi import AsgiApp
from local.engine import Engine

HOUR = 3600
LOG_EVENT_BYTES = 26
"""CloudWatch adds these to every line."""
PLATFORM_LINES = (70, 51, 180)
"""Characters of Lambda's own START, END and REPORT lines."""
OUTSIDE = "outside"
"""Whoever is no function: the mail port and the outbox, which stand for SES; and what is run by hand."""
FUNCTION_NAMES = {each.physical_name("local"): each.name for each in FUNCTIONS}


class Meter:
    """Attach it after the engine is prepared and before it starts.  ``counts``: by unit and by who caused it."""

    def __init__(self, engine: Engine) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.calls: Counter[tuple[str, str]] = Counter()
        """AWS calls by ``service.Operation`` and caller."""
        self._engine = engine
        self._cloudwatch = importlib.import_module("ministack.services.cloudwatch")
        self._writing: tuple[str, str] = (OUTSIDE, "")
        self._written = 0

    def attach(self) -> None:
        self._engine.app = self._metered(self._engine.app)
        self._meter_table(self._engine.module("dynamodb"))
        self._meter_queues(self._engine.module("sqs"))
        self._meter_logs(self._engine.module("lambda_svc"))

    def add(self, unit: str, who: str, amount: float) -> None:
        self.counts[unit, who] += amount  # type: ignore[assignment]  # Counter is typed for whole numbers only

    def publish(self, namespace: str, name: str, amount: float, **dimensions: str) -> None:
        """One point an hour and metric, so that a desk that runs for weeks keeps few."""
        bucket = self._cloudwatch._metric_bucket((namespace, name, self._cloudwatch._dims_key(dimensions)))
        now = time.time()
        if bucket and bucket[-1]["Timestamp"] // HOUR == now // HOUR:
            bucket[-1]["Value"] += amount
            return
        bucket.append({"Timestamp": now, "Value": float(amount), "Unit": "Count", "Dimensions": dimensions})

    def publish_own(self, lines: list[str]) -> None:
        """Metrics of our own, which CloudWatch reads from the log: a point for each value (embedded metric format)."""
        for line in lines:
            if '"CloudWatchMetrics"' not in line:
                continue
            said = json.loads(line)
            for directive in said["_aws"]["CloudWatchMetrics"]:
                for named, metric in product(directive["Dimensions"], directive["Metrics"]):
                    dimensions = {name: said[name] for name in named}
                    self._own_points(directive["Namespace"], metric, dimensions, said[metric["Name"]])

    def _own_points(self, namespace: str, metric: Any, dimensions: dict[str, str], values: Any) -> None:
        bucket = self._cloudwatch._metric_bucket((namespace, metric["Name"], self._cloudwatch._dims_key(dimensions)))
        for value in values if isinstance(values, list) else [values]:
            point = {"Timestamp": time.time(), "Value": float(value), "Unit": metric["Unit"], "Dimensions": dimensions}
            bucket.append(point)

    # -- calls over HTTP -----------------------------------------------------------------------------------------

    def _metered(self, app: AsgiApp) -> AsgiApp:
        async def counting(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "websocket":
                await app(scope, self._counting_frames(scope["path"], receive), send)
            elif scope["type"] == "http":
                await self._count_call(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return counting

    def _counting_frames(self, path: str, receive: Any) -> Any:
        async def heard() -> Any:
            message = await receive()
            if message["type"] == "websocket.receive":
                self._socket_message(path, "browser")
            return message

        return heard

    async def _count_call(self, app: AsgiApp, scope: Any, receive: Any, send: Any) -> None:
        path, headers = scope["path"], _headers(scope)
        who = caller(headers)
        if "/@connections/" in path:
            self._socket_message(path, who)
            self.calls["execute-api.PostToConnection", who] += 1
        elif path.startswith("/_aws/execute-api/"):
            self.add("api_requests", "browser", 1)
            self.publish("AWS/ApiGateway", "Count", 1, ApiName="deskbell-local")
            send = self._counting_bytes(send)
        else:
            self._count_service(scope["method"], path, headers, who)
        await app(scope, receive, send)

    def _socket_message(self, path: str, who: str) -> None:
        """One, since no frame of ours is longer than the 32 KB that are billed as one."""
        self.add("socket_messages", who, 1)
        self.publish("AWS/ApiGateway", "MessageCount", 1, ApiId=path.split("/")[3])

    def _counting_bytes(self, send: Any) -> Any:
        """Before compression, which the front does on the way out and API Gateway on AWS."""

        async def sent(message: Any) -> None:
            self.add("api_bytes", "browser", len(message.get("body", b"")))
            await send(message)

        return sent

    def _count_service(self, method: str, path: str, headers: Mapping[str, str], who: str) -> None:
        target = headers.get("x-amz-target", "")
        service = headers.get("authorization", "").partition("Credential=")[2].split("/")[3:4]
        name = service[0] if service else ""
        if name == "s3":
            self._count_s3(method, path, headers, who)
        elif name == "sqs":
            self.calls[f"sqs.{target.rpartition('.')[2]}", who] += 1
            if who != OUTSIDE:
                self.add("sqs_calls", who, 1)
        elif name == "ssm":
            self.calls[f"ssm.{target.rpartition('.')[2]}", who] += 1
            self.add("kms_requests", who, 1)  # every secret of ours is a SecureString
        elif name == "ses" and method == "POST" and path.endswith("/outbound-emails"):
            self.calls["ses.SendEmail", who] += 1
            self.add("ses_out", who, 1)
        elif name == "sns" and who == OUTSIDE:
            self.add("sns_publishes", "ses", 1)
            self.publish("AWS/SNS", "NumberOfMessagesPublished", 1, TopicName="deskbell-local-mail")

    def _count_s3(self, method: str, path: str, headers: Mapping[str, str], who: str) -> None:
        parts = path.strip("/").split("/", 1)
        listing = method == "GET" and len(parts) == 1
        kind = "s3_puts" if method in ("PUT", "POST", "COPY") or listing else "s3_gets"
        named = "List" if listing else "Copy" if "x-amz-copy-source" in headers else method.capitalize()
        self.calls[f"s3.{named}", who] += 1
        if method != "DELETE":
            self.add(kind, "ses" if who == OUTSIDE else who, 1)

    # -- the table -----------------------------------------------------------------------------------------------

    def _meter_table(self, dynamodb: Any) -> None:
        emit, handle = dynamodb._emit_stream_event, dynamodb.handle_request

        def noting(table: str, event: str, old: Any, new: Any, *rest: Any, **named: Any) -> Any:
            who, operation = self._writing
            doubled = 2 if operation == "TransactWriteItems" else 1
            self._written += 1
            self._table_units("dynamodb_writes", who, table, units.write_units(old, new) * doubled)
            return emit(table, event, old, new, *rest, **named)

        async def metered(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
            operation = str(headers.get("x-amz-target", "")).rpartition(".")[2]
            self._writing, self._written = (caller(headers), operation), 0
            answer = await handle(method, path, headers, body, query)
            self._count_table(operation, body, answer)
            self._writing = (OUTSIDE, "")
            return answer

        dynamodb._emit_stream_event, dynamodb.handle_request = noting, metered

    def _count_table(self, operation: str, body: bytes, answer: Any) -> None:
        who, request = self._writing[0], units.decoded(body)
        if _is_local_clock(request):
            return
        if operation in units.READS and answer[0] == 200:
            self.calls[f"dynamodb.{operation}", who] += 1
            found = units.decoded(answer[2] if isinstance(answer[2], bytes) else str(answer[2]).encode())
            self._table_units(
                "dynamodb_reads", who, units.table_of(request), units.read_units(operation, request, found)
            )
        elif operation in units.WRITES:
            self.calls[f"dynamodb.{operation}", who] += 1
            checked = units.conditions_checked(request)
            # A write that changed nothing and one that was refused are billed like one that did.
            nothing = 0 if self._written else max(1, 2 * (len(request.get("TransactItems", ())) - checked))
            self._table_units("dynamodb_writes", who, units.table_of(request), nothing + 2 * checked)

    def _table_units(self, unit: str, who: str, table: str, amount: float) -> None:
        name = "ConsumedReadCapacityUnits" if unit == "dynamodb_reads" else "ConsumedWriteCapacityUnits"
        self.add(unit, who, amount)
        if amount:
            self.publish("AWS/DynamoDB", name, amount, TableName=table)

    # -- queues and logs -----------------------------------------------------------------------------------------

    def _meter_queues(self, sqs: Any) -> None:
        receive, delete = sqs._receive_messages_for_esm, sqs._delete_messages_for_esm

        def received(queue_url: str, most: int) -> Any:
            found = receive(queue_url, most)
            if found:
                self._queue(queue_url, "NumberOfMessagesReceived", len(found))
            return found

        def deleted(queue_url: str, handles: Any) -> Any:
            self._queue(queue_url, "NumberOfMessagesDeleted", len(handles))
            return delete(queue_url, handles)

        sqs._receive_messages_for_esm, sqs._delete_messages_for_esm = received, deleted

    def _queue(self, queue_url: str, metric: str, messages: int) -> None:
        """One request of the poller for a batch."""
        name = queue_url.rsplit("/", 1)[-1]
        self.add("sqs_fifo_polls" if name.endswith(".fifo") else "sqs_polls", name, 1)
        self.publish("AWS/SQS", metric, messages, QueueName=name)

    def _meter_logs(self, lambda_svc: Any) -> None:
        emit = lambda_svc._emit_lambda_logs

        def metered(function: Any, request_id: str, text: str, *rest: Any, **named: Any) -> None:
            name = (function.get("config") or function).get("FunctionName", "")
            lines = [line for line in (text or "").splitlines() if line.strip()]
            said = sum(len(line.encode()) + LOG_EVENT_BYTES for line in lines)
            total = said + sum(each + LOG_EVENT_BYTES for each in PLATFORM_LINES)
            who = FUNCTION_NAMES.get(name, name)
            self.add("log_bytes", who, total)
            self.logged(who, lines)
            self.publish_own(lines)
            self.publish("AWS/Logs", "IncomingBytes", total, LogGroupName=f"/aws/lambda/{name}")
            emit(function, request_id, text, *rest, **named)

        lambda_svc._emit_lambda_logs = metered

    def logged(self, who: str, lines: list[str]) -> None:
        """For those who want to read along."""


def caller(headers: Mapping[str, str]) -> str:
    """The function that made a call, where its SDK was told to say so (``AWS_SDK_UA_APP_ID``)."""
    said = str(headers.get("user-agent", "")).partition(" app/")[2].split(" ")[0]
    return FUNCTION_NAMES.get(said, said or OUTSIDE)


def _headers(scope: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _is_local_clock(request: Mapping[str, Any]) -> bool:
    """Only the local stack reads the clock's offset."""
    return request.get("Key") == {"pk": {"S": "SETTINGS"}, "sk": {"S": "clock"}}
