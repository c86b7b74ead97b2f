"""The only place that builds clients, reads secrets and lists connectors.

Every AWS client shares PynamoDB's botocore session.  Importing this module touches no network; ``warm`` does.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from importlib import import_module
from typing import Any

from chalicelib import config
from chalicelib.config import settings
from chalicelib.connectors import Channel, HttpReply, Tools
from chalicelib.domain.people import Inbox
from chalicelib.errors import NotConfigured, NotFound, Refused, Unclear
from chalicelib.services import outside
from chalicelib.store import directory, models, objects

CONNECTORS = {
    "email": "chalicelib.connectors.email.channel:EmailChannel",
    "telegram": "chalicelib.connectors.telegram.channel:TelegramChannel",
}
SECRET_SECONDS = 300
SEND_TIMEOUT_SECONDS = 20
MAX_ANSWER_BYTES = 1_000_000
"""Of a provider's answer: far above what any says, so that no server can fill our memory."""
ONCE = {"total_max_attempts": 1, "mode": "standard"}
SENDING_SERVICES = frozenset({"sesv2"})
"""Clients whose calls have an effect in the world and no idempotency token: never retried behind our back."""


def connect() -> None:
    """Point the store at this deployment's table and buckets."""
    models.use_table(settings().table_name, settings().region)
    client.cache_clear()
    objects.connect(lambda: client("s3"))


def warm() -> None:
    """Make the table's connection before the first event needs it (59 CPU ms otherwise fall into it)."""
    models.connection().client  # noqa: B018  # building it is the point


@lru_cache(maxsize=16)
def client(service: str) -> Any:
    """A botocore client on the shared session."""
    from botocore.config import Config

    retries = ONCE if service in SENDING_SERVICES else {"total_max_attempts": 3, "mode": "standard"}
    kinds: dict[str, Any] = {"retries": retries, "connect_timeout": 3, "read_timeout": SEND_TIMEOUT_SECONDS}
    if service == "s3":
        kinds |= {"signature_version": "s3v4", "s3": {"addressing_style": "path" if settings().local else "virtual"}}
    options: dict[str, Any] = {"region_name": settings().region, "config": Config(**kinds)}
    if service == "apigatewaymanagementapi":
        options["endpoint_url"] = settings().websocket_endpoint
    return models.session().create_client(service, **options)


objects.connect(lambda: client("s3"))


def begin() -> None:
    """At the start of every invocation: locally, take over the moved clock."""
    if settings().local:
        try:
            offset = float(models.ClockItem.get("SETTINGS", "clock").offset_seconds)
        except models.ClockItem.DoesNotExist:
            offset = 0.0
        config.set_clock_offset(timedelta(seconds=offset))


# Secrets

_secrets: dict[str, tuple[float, str]] = {}


def secret(name: str) -> str:
    """A SecureString below the deployment's prefix, cached for SECRET_SECONDS; "" when it is not set."""
    cached = _secrets.get(name)
    if cached is not None and cached[0] > time.monotonic():
        return cached[1]
    ssm = client("ssm")
    try:
        found = ssm.get_parameter(Name=settings().parameter_prefix + name, WithDecryption=True)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        found = ""
    _secrets[name] = (time.monotonic() + SECRET_SECONDS, found)
    return str(found)


def forget_secrets() -> None:
    """After a secret was changed."""
    _secrets.clear()


def need_secret(name: str) -> str:
    value = secret(name)
    if not value:
        raise NotConfigured(f"The secret {name} is not set. Run the deployment again.")
    return value


def inbox_secret_name(inbox_id: str, name: str) -> str:
    return f"inbox/{inbox_id}/{name}"


# Connectors


@lru_cache(maxsize=16)
def channel(name: str) -> Channel:
    """The connector of a channel; raise NotFound for one we do not have."""
    if name not in CONNECTORS:
        raise NotFound(f"There is no channel “{name}”.")
    module, _, shape = CONNECTORS[name].partition(":")
    made: Channel = getattr(import_module(module), shape)()
    return made


def tools(inbox: Inbox) -> Tools:
    """What the inbox's connector may use."""
    from chalicelib.connectors.email.ses import ses_sender

    return Tools(
        post=post_json,
        send_mail=ses_sender(client("sesv2"), settings().configuration_set),
        secret=lambda name: secret(inbox_secret_name(inbox.id, name)),
        reply_keys=reply_keys,
        stage=settings().stage,
        region=settings().region,
    )


def ready_tools(inbox: Inbox) -> Tools:
    """The same, with every secret that a send needs read already: what fails here has sent nothing."""
    made = tools(inbox)
    made.reply_keys()
    for name in channel(inbox.channel).capabilities.secrets:
        made.secret(name)
    return made


def reply_keys() -> tuple[bytes, ...]:
    """Keys that sign reply addresses, newest first; the one before stays good after a rotation."""
    keys = [need_secret("reply-key"), secret("reply-key-before")]
    return tuple(key.encode() for key in keys if key)


def post_json(url: str, payload: Mapping[str, object]) -> HttpReply:
    """POST once.  Raises Refused when the connection never opened, Unclear when the answer never came.

    The URL may carry a token: it is never logged and never part of an error.  It may come from a setting: only servers
    of the internet are called.
    """
    import urllib3

    if outside.fault(url, settings().local):
        raise Refused("the provider's address is not one of the internet", retry_after_seconds=None)

    body = json.dumps(payload).encode()
    timeout = urllib3.Timeout(connect=3, read=SEND_TIMEOUT_SECONDS)
    headers = {"Content-Type": "application/json"}
    try:
        reply = _pool().request(
            "POST", url, body=body, headers=headers, timeout=timeout, retries=False, redirect=False,
            preload_content=False,
        )  # fmt: skip
        said = reply.read(MAX_ANSWER_BYTES)
        reply.close()
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise Refused("the provider could not be reached", retry_after_seconds=30) from _without_url(error)
    except urllib3.exceptions.HTTPError as error:
        raise Unclear("the provider did not answer: it may have been sent") from _without_url(error)
    return HttpReply(reply.status, said)


def _without_url(error: Exception) -> Exception:
    return RuntimeError(type(error).__name__)


@lru_cache(maxsize=1)
def _pool() -> Any:
    import urllib3

    return urllib3.PoolManager(maxsize=4) if settings().local else outside.pool()


# Queues


def send_to_inbound(key: str) -> None:
    """Have an original read (again)."""
    client("sqs").send_message(QueueUrl=settings().inbound_queue_url, MessageBody=json.dumps({"key": key}))


def send_batch(queue_url: str, entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Send up to any number of entries, ten at a time; return those SQS did not take."""
    refused: list[Mapping[str, Any]] = []
    for start in range(0, len(entries), 10):
        part = entries[start : start + 10]
        named = [{"Id": str(index), **entry} for index, entry in enumerate(part)]
        answer = client("sqs").send_message_batch(QueueUrl=queue_url, Entries=named)
        refused += [part[int(failure["Id"])] for failure in answer.get("Failed", ())]
    return refused


def dead_queues() -> dict[str, tuple[str, str]]:
    """Dead-letter queue and the queue its letters go back to, by name."""
    all_settings = settings()
    return {
        "inbound": (all_settings.inbound_dead_queue_url, all_settings.inbound_queue_url),
        "work": (all_settings.work_dead_queue_url, all_settings.work_queue_url),
        "later": (all_settings.later_dead_queue_url, all_settings.later_queue_url),
        "outbound": (all_settings.outbound_dead_queue_url, all_settings.outbound_queue_url),
    }


# Live


def push(connection_id: str, frame: str) -> bool:
    """Send one text frame to an open console; False when it is gone."""
    gateway = client("apigatewaymanagementapi")
    try:
        gateway.post_to_connection(ConnectionId=connection_id, Data=frame.encode())
    except gateway.exceptions.GoneException:
        return False
    return True


def inboxes_at(recipients: Iterable[str]) -> tuple[Inbox, ...]:
    """Our inboxes among envelope recipients, each once, in order."""
    found = [directory.inbox_at(address) for address in recipients]
    return tuple({inbox.id: inbox for inbox in found if inbox is not None}.values())
