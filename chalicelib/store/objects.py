"""Our two buckets: originals (raw/, kept/, parked/) and attachments.

``wiring.connect`` hands the S3 client in; it is built on first use, since most requests never touch S3.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from chalicelib.config import settings
from chalicelib.errors import NotFound

PRESIGNED_SECONDS = 300
RAW = "raw/"
KEPT = "kept/"
PARKED = "parked/"

_make_client: Callable[[], Any] | None = None


def connect(make_client: Callable[[], Any]) -> None:
    """Say how to build the S3 client."""
    global _make_client
    _make_client = make_client
    _client.cache_clear()


@lru_cache(maxsize=1)
def _client() -> Any:
    if _make_client is None:
        raise RuntimeError("store.objects.connect() was not called: import chalicelib.wiring first")
    return _make_client()


@dataclass(frozen=True)
class StoredOriginal:
    key: str
    body: bytes
    metadata: Mapping[str, str]
    at: datetime
    """When it was stored (UTC): the day its receipt counts under."""


def put_original(key: str, body: bytes, metadata: Mapping[str, str]) -> None:
    _client().put_object(Bucket=settings().originals_bucket, Key=key, Body=body, Metadata=dict(metadata))


def get_original(key: str) -> StoredOriginal:
    """Raise NotFound when neither the tray nor the archive has it (it may just have moved: see ``find_original``)."""
    try:
        found = _client().get_object(Bucket=settings().originals_bucket, Key=key)
    except _client().exceptions.NoSuchKey as error:
        raise NotFound(f"no original {key}") from error
    return StoredOriginal(key, found["Body"].read(), found["Metadata"], found["LastModified"])


def original_exists(key: str) -> bool:
    try:
        head_original(key)
    except NotFound:
        return False
    return True


def head_original(key: str) -> Mapping[str, str]:
    """The metadata of an original; raises NotFound."""
    from botocore.exceptions import ClientError

    try:
        found = _client().head_object(Bucket=settings().originals_bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise NotFound(f"no original {key}") from error
        raise
    metadata: Mapping[str, str] = found["Metadata"]
    return metadata


def kept_key(key: str, at: datetime) -> str:
    """Where a raw original goes once it is dealt with: by the day it was received."""
    return f"{KEPT}{at:%Y/%m/%d}/{key.removeprefix(RAW).replace('/', '.')}"


def keep(original: StoredOriginal, metadata: Mapping[str, str]) -> str:
    """Move an original out of the tray; repeatable.  Its envelope rides along, as it is known by now."""
    in_tray = original.key.startswith(RAW)
    if not in_tray and dict(metadata) == dict(original.metadata):
        return original.key
    bucket = settings().originals_bucket
    target = kept_key(original.key, original.at) if in_tray else original.key
    try:
        _client().copy_object(
            Bucket=bucket,
            Key=target,
            CopySource={"Bucket": bucket, "Key": original.key},
            Metadata=dict(metadata),
            MetadataDirective="REPLACE",
        )
    except _client().exceptions.NoSuchKey:
        # It leaves the tray only behind its copy: another delivery was quicker, and may have known less of it.
        return keep(replace(original, key=target), metadata) if in_tray else target
    if in_tray:
        _client().delete_object(Bucket=bucket, Key=original.key)
    return target


def list_originals(prefix: str) -> Iterator[tuple[str, datetime]]:
    """Keys below ``prefix`` with the time each was stored."""
    pages = _client().get_paginator("list_objects_v2").paginate(Bucket=settings().originals_bucket, Prefix=prefix)
    for page in pages:
        for each in page.get("Contents", ()):
            yield each["Key"], each["LastModified"]


def delete_original(key: str) -> None:
    _client().delete_object(Bucket=settings().originals_bucket, Key=key)


def put_attachment(key: str, data: bytes, content_type: str) -> None:
    _client().put_object(Bucket=settings().attachments_bucket, Key=key, Body=data, ContentType=content_type)


def get_attachment(key: str) -> bytes:
    body: bytes = _client().get_object(Bucket=settings().attachments_bucket, Key=key)["Body"].read()
    return body


def attachment_size(key: str) -> int | None:
    """Bytes of an uploaded file; None when it never arrived."""
    from botocore.exceptions import ClientError

    try:
        return int(_client().head_object(Bucket=settings().attachments_bucket, Key=key)["ContentLength"])
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise


def _disposition(name: str, inline: bool) -> str:
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\;' else "_" for c in name) or "file"
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def download_url(bucket: str, key: str, name: str, content_type: str, inline: bool = False) -> str:
    """A link that works for PRESIGNED_SECONDS and for this object alone."""
    url: str = _client().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": bucket,
            "Key": key,
            "ResponseContentDisposition": _disposition(name, inline),
            "ResponseContentType": content_type,
        },
        ExpiresIn=PRESIGNED_SECONDS,
    )
    return url


def attachment_url(key: str, name: str, content_type: str, inline: bool = False) -> str:
    return download_url(settings().attachments_bucket, key, name, content_type, inline)


def original_url(key: str) -> str:
    name = key.rsplit("/", 1)[-1] + ".eml"
    return download_url(settings().originals_bucket, key, name, "application/octet-stream")


def upload_form(key: str, content_type: str, max_bytes: int) -> dict[str, Any]:
    """A presigned POST (url and fields) for one object of at most ``max_bytes``."""
    form: dict[str, Any] = _client().generate_presigned_post(
        settings().attachments_bucket,
        key,
        Fields={"Content-Type": content_type},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", 0, max_bytes]],
        ExpiresIn=PRESIGNED_SECONDS,
    )
    return form
