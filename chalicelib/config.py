"""Settings of one deployment, read once from the environment, and the desk's clock."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from chalicelib.errors import NotConfigured


@dataclass(frozen=True)
class Settings:
    """What the CloudFormation template tells each function.  No secrets: those live in SSM (``wiring.secret``)."""

    stage: str
    region: str
    table_name: str
    originals_bucket: str
    attachments_bucket: str
    inbound_queue_url: str
    work_queue_url: str
    later_queue_url: str
    outbound_queue_url: str
    inbound_dead_queue_url: str
    work_dead_queue_url: str
    later_dead_queue_url: str
    outbound_dead_queue_url: str
    user_pool_id: str
    user_pool_client_id: str
    configuration_set: str
    websocket_api_id: str
    websocket_url: str
    """``wss://…`` as a browser reaches it; locally ``ws://127.0.0.1:…``."""
    websocket_endpoint: str
    """``https://…`` for ``@connections``."""
    base_path: str
    """What stands before every path of the console: ``/api`` behind API Gateway, empty on a domain of one's own."""
    console_origin: str
    """``https://desk.shop.example`` on a domain of one's own (the stack's ConsoleOrigin), empty behind API Gateway."""
    parameter_prefix: str
    """``/deskbell/<stage>/``: secrets in SSM."""
    local: bool
    """True on the local stack only: the clock may be moved, links may be http."""


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings; raise NotConfigured with the name of a missing variable."""

    def need(name: str) -> str:
        value = os.environ.get(name)
        if value is None:
            raise NotConfigured(f"the environment variable {name} is not set")
        return value

    return Settings(
        stage=need("STAGE"),
        region=os.environ.get("AWS_REGION") or need("AWS_DEFAULT_REGION"),
        table_name=need("TABLE_NAME"),
        originals_bucket=need("ORIGINALS_BUCKET"),
        attachments_bucket=need("ATTACHMENTS_BUCKET"),
        inbound_queue_url=need("INBOUND_QUEUE_URL"),
        work_queue_url=need("WORK_QUEUE_URL"),
        later_queue_url=need("LATER_QUEUE_URL"),
        outbound_queue_url=need("OUTBOUND_QUEUE_URL"),
        inbound_dead_queue_url=need("INBOUND_DEAD_QUEUE_URL"),
        work_dead_queue_url=need("WORK_DEAD_QUEUE_URL"),
        later_dead_queue_url=need("LATER_DEAD_QUEUE_URL"),
        outbound_dead_queue_url=need("OUTBOUND_DEAD_QUEUE_URL"),
        user_pool_id=need("USER_POOL_ID"),
        user_pool_client_id=need("USER_POOL_CLIENT_ID"),
        configuration_set=need("CONFIGURATION_SET"),
        websocket_api_id=need("WEBSOCKET_API_ID"),
        websocket_url=need("WEBSOCKET_URL"),
        websocket_endpoint=need("WEBSOCKET_ENDPOINT"),
        base_path=need("BASE_PATH").rstrip("/"),
        console_origin=os.environ.get("CONSOLE_ORIGIN", ""),
        parameter_prefix=need("PARAMETER_PREFIX"),
        local=os.environ.get("LOCAL") == "1",
    )


_clock_offset = timedelta()


def now() -> datetime:
    """The desk's time in UTC: the machine's, plus the offset that only the local stack can set."""
    return datetime.now(UTC) + _clock_offset


def set_clock_offset(offset: timedelta) -> None:
    """Move the desk's clock (local stack and tests only; ``wiring`` reads the stored offset)."""
    global _clock_offset
    _clock_offset = offset


def pause(seconds: float) -> None:
    """Let time pass: for what is done at night and may take its time, never while somebody waits."""
    time.sleep(seconds)
