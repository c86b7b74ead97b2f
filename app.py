"""Entry points only: each event goes straight to its room in ``chalicelib``.

Chalice deploys an event handler under its module's name, so all of them stand here; routes come as blueprints.
"""

import gc

gc.disable()  # nothing that an import makes is garbage: collecting costs a sixth of a cold start

from chalicelib import startup

startup.use_compiled_dataclasses()  # before the first of them is made

import os
from importlib import import_module
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, DynamoDBEvent, SNSEvent, SQSEvent, WebsocketEvent

WEB_ENTRY, HOOKS_ENTRY = "app.app", "app.hooks"
ENTRY = os.environ.get("_HANDLER", WEB_ENTRY)
"""Lambda's name for the function that this process serves; everywhere else all of them."""

EDGES = {
    "intake": "inbound",
    "relay": "relay",
    "work": "work",
    "later": "later",
    "deliver": "outbound",
    "delivery_events": "delivery_events",
    "sweep": "clock",
    "repair": "clock",
    "hourly": "clock",
    "daily": "clock",
    "live_connect": "live",
    "live_message": "live",
    "live_disconnect": "live",
}
"""Handler → its module in ``chalicelib.jobs``, to load that one and no other while Lambda starts the function."""


class SocketSession:
    """What Chalice wants of a boto3 session: one client, and ours shares the desk's one botocore session."""

    region_name = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")

    def client(self, service_name: str, **_: Any) -> Any:
        from chalicelib import wiring

        return wiring.client(service_name)


app = Chalice(app_name="deskbell", configure_logs=False)
app.experimental_feature_flags.update(["WEBSOCKETS"])
app.websocket_api.session = SocketSession()

hooks = app
"""The same under the name by which the hooks function is started."""

if ENTRY in (WEB_ENTRY, HOOKS_ENTRY):  # a worker has no routes, so it need not import them
    from chalicelib import api

    for blueprint in api.public_blueprints() if ENTRY == HOOKS_ENTRY else api.blueprints():
        app.register_blueprint(blueprint)


@app.on_sqs_message(queue="inbound", name="intake")
def intake(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.jobs import inbound

    return inbound.intake(event.to_dict(), event.context)


@app.on_dynamodb_record(stream_arn="table", name="relay")
def relay(event: DynamoDBEvent) -> None:
    from chalicelib.jobs import relay as job

    job.relay(event.to_dict(), event.context)


@app.on_sqs_message(queue="work", name="work")
def work(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.jobs import work as job

    return job.work(event.to_dict(), event.context)


@app.on_sqs_message(queue="later", name="later")
def later(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.jobs import later as job

    return job.later(event.to_dict(), event.context)


@app.on_sqs_message(queue="outbound.fifo", name="deliver")
def deliver(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.jobs import outbound

    return outbound.deliver(event.to_dict(), event.context)


@app.on_sns_message(topic="delivery-events", name="delivery_events")
def delivery_events(event: SNSEvent) -> None:
    from chalicelib.jobs import delivery_events as job

    job.delivery_events(event.to_dict(), event.context)


@app.schedule("rate(1 minute)", name="sweep")
def sweep(event: CloudWatchEvent) -> None:
    from chalicelib.jobs import clock

    clock.sweep()


@app.schedule("rate(5 minutes)", name="repair")
def repair(event: CloudWatchEvent) -> None:
    from chalicelib.jobs import clock

    clock.repair()


@app.schedule("rate(1 hour)", name="hourly")
def hourly(event: CloudWatchEvent) -> None:
    from chalicelib.jobs import clock

    clock.hourly()


@app.schedule("cron(17 2 * * ? *)", name="daily")
def daily(event: CloudWatchEvent) -> None:
    from chalicelib.jobs import clock

    clock.daily()


@app.on_ws_connect(name="live_connect")
def live_connect(event: WebsocketEvent) -> dict[str, Any]:
    from chalicelib.jobs import live

    asked = event.to_dict()
    headers = {str(name).lower(): str(value) for name, value in (asked.get("headers") or {}).items()}
    return live.connect(event.connection_id, asked.get("queryStringParameters") or {}, headers.get("origin", ""))


@app.on_ws_message(name="live_message")
def live_message(event: WebsocketEvent) -> None:
    from chalicelib.jobs import live

    live.message(event.connection_id, event.body)


@app.on_ws_disconnect(name="live_disconnect")
def live_disconnect(event: WebsocketEvent) -> None:
    from chalicelib.jobs import live

    live.disconnect(event.connection_id)


if "AWS_LAMBDA_RUNTIME_API" in os.environ:  # packaging and tests import this file too, and must touch nothing alive
    from chalicelib import wiring

    wiring.warm()
    if ENTRY not in (WEB_ENTRY, HOOKS_ENTRY):
        import_module(f"chalicelib.jobs.{EDGES[ENTRY.removeprefix('app.')]}")

gc.freeze()  # or the first collection would walk through all that was imported, for nothing
gc.enable()
