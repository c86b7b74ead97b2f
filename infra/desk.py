"""The desk's own code, outside its functions, with the settings of a deployed stage."""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.errors import DeskbellError
from infra import package, stack
from infra.functions import function
from infra.stack import Client

LOCAL_STAGE = "local"
TROUBLE = (BotoCoreError, ClientError, PynamoDBException, DeskbellError)
"""What AWS answers, and what the desk's own code makes of it: PynamoDB wraps the answers of the table."""


class NoDesk(Exception):
    """There is no such stage here; the message says what to do."""


def find_local_engine(stage: str) -> None:
    """For the stage that ``make run`` makes: talk to its engine, unless AWS_ENDPOINT_URL names one."""
    if stage != LOCAL_STAGE or os.environ.get("AWS_ENDPOINT_URL"):
        return
    snapshots = importlib.import_module("local.snapshots")
    folder = Path(os.environ.get("DATA_DIR") or package.ROOT / ".local") / "engine"
    last = snapshots.newest(folder) if folder.exists() else None
    if last is None:
        raise NoDesk("The local desk was never started. Run: make run")
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{last.port}"
    for name, value in {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "0" * 12, "AWS_SECRET_ACCESS_KEY": "x"}.items():
        os.environ[name] = value


def settings_of(stage: str, client: Client) -> Mapping[str, str]:
    """The environment of the stage's web function."""
    functions = client("lambda")
    try:
        found = functions.get_function_configuration(FunctionName=function("web").physical_name(stage))
    except functions.exceptions.ResourceNotFoundException as error:
        raise NoDesk(f"There is no desk of stage {stage} in this account and region. Run: make deploy") from error
    variables: dict[str, str] = found["Environment"]["Variables"]
    return variables


def mail_addresses(stage: str, client: Client) -> tuple[str, ...] | None:
    """What the active e-mail inboxes receive at; None where there is no table yet.

    It asks the table and nothing else: in the middle of an update functions have the settings of either release.
    """
    deployed = stack.describe(client("cloudformation"), stack.stack_name(stage))
    table = deployed.outputs.get("TableName") if deployed else None
    if table is None:
        return None
    models = importlib.import_module("chalicelib.store.models")
    models.use_table(table, client("dynamodb").meta.region_name)
    found: tuple[str, ...] = importlib.import_module("chalicelib.services.inboxes").receiving_addresses()
    return found


def code_of(error: Exception) -> str:
    """AWS's own name for the trouble, "" where there is none."""
    if isinstance(error, PynamoDBException):
        return error.cause_response_code or ""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def told(error: Exception) -> str:
    """The trouble as a sentence for the screen: who says it, and what; its full stop is the caller's."""
    if isinstance(error, PynamoDBException):
        return _bare(f"The table says: {error}")
    return _bare(f"The desk says: {error}" if isinstance(error, DeskbellError) else f"AWS says: {error}")


def _bare(sentence: str) -> str:
    return sentence.rstrip(". ")


def connect(stage: str, client: Client) -> Any:
    """Make this process work as the stage's functions do; return ``chalicelib.wiring``.

    Once a process: the desk reads its settings once.
    """
    os.environ.update(settings_of(stage, client))
    region = client("lambda").meta.region_name
    os.environ.setdefault("AWS_DEFAULT_REGION", region)
    os.environ.setdefault("AWS_REGION", os.environ["AWS_DEFAULT_REGION"])
    wiring = importlib.import_module("chalicelib.wiring")
    wiring.connect()
    wiring.begin()
    return wiring
