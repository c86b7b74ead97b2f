"""S3: objects in buckets, strongly consistent as S3 is."""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from tests.simulation.aws.errors import client_error, only

MAX_KEY_BYTES = 1024
MAX_METADATA_BYTES = 2048
PAGE = 1000


@dataclass(frozen=True)
class Stored:
    body: bytes
    metadata: Mapping[str, str]
    content_type: str
    at: datetime
    etag: str


class S3:
    """``buckets``: objects by key, for the simulation to look at."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.buckets: dict[str, dict[str, Stored]] = {}

    def create_bucket(self, request: dict[str, Any]) -> dict[str, Any]:
        self.buckets.setdefault(request["Bucket"], {})
        return {"Location": f"/{request['Bucket']}"}

    def _bucket(self, request: Mapping[str, Any]) -> dict[str, Stored]:
        if request["Bucket"] not in self.buckets:
            raise client_error("NoSuchBucket", "The specified bucket does not exist", 404)
        return self.buckets[request["Bucket"]]

    def _found(self, request: Mapping[str, Any]) -> Stored:
        bucket = self._bucket(request)
        if request["Key"] not in bucket:
            raise client_error("NoSuchKey", "The specified key does not exist.", 404, Key=request["Key"])
        return bucket[request["Key"]]

    def put_object(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "Bucket", "Key", "Body", "Metadata", "ContentType", "IfNoneMatch")
        bucket, body = self._bucket(request), request.get("Body", b"")
        if request.get("IfNoneMatch") and request["Key"] in bucket:
            raise client_error("PreconditionFailed", "At least one of the pre-conditions did not hold", 412)
        data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
        kept = self._stored(request["Key"], data, request.get("Metadata", {}), request.get("ContentType"))
        bucket[request["Key"]] = kept
        return {"ETag": kept.etag}

    def _stored(self, key: str, body: bytes, metadata: Mapping[str, str], content_type: str | None) -> Stored:
        if len(key.encode()) > MAX_KEY_BYTES:
            raise client_error("KeyTooLongError", "Your key is too long")
        if not all(text.isascii() for pair in metadata.items() for text in pair):
            raise client_error("SignatureDoesNotMatch", "metadata is ASCII: botocore refuses anything else", 403)
        if sum(len(name) + len(value) for name, value in metadata.items()) > MAX_METADATA_BYTES:
            raise client_error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
        at = datetime.fromtimestamp(int(self._now()), UTC)  # S3 keeps whole seconds
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        lower = {name.lower(): value.strip() for name, value in metadata.items()}  # they travel as headers
        return Stored(body, lower, content_type or "binary/octet-stream", at, etag)

    def get_object(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "Bucket", "Key")
        found = self._found(request)
        return {**_told(found), "Body": StreamingBody(io.BytesIO(found.body), len(found.body))}

    def head_object(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "Bucket", "Key")
        try:
            return _told(self._found(request))
        except ClientError as error:  # an answer to HEAD has no body that could name the error
            raise client_error("404", "Not Found", 404) from error

    def copy_object(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "Bucket", "Key", "CopySource", "Metadata", "MetadataDirective")
        source = request["CopySource"]
        if isinstance(source, str):
            bucket, _, key = unquote(source).lstrip("/").partition("/")
            source = {"Bucket": bucket, "Key": key}
        found, target = self._found(source), self._bucket(request)
        replaced = request.get("MetadataDirective") == "REPLACE"
        if not replaced and source == {"Bucket": request["Bucket"], "Key": request["Key"]}:
            raise client_error("InvalidRequest", "This copy request is illegal: it changes nothing")
        metadata = request.get("Metadata", {}) if replaced else found.metadata
        content_type = None if replaced else found.content_type
        kept = self._stored(request["Key"], found.body, metadata, content_type)
        target[request["Key"]] = kept
        return {"CopyObjectResult": {"ETag": kept.etag, "LastModified": kept.at}}

    def delete_object(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "Bucket", "Key")
        self._bucket(request).pop(request["Key"], None)
        return {}

    def list_objects_v2(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "Bucket", "Prefix", "MaxKeys", "ContinuationToken", "StartAfter")
        bucket, prefix, most = self._bucket(request), request.get("Prefix", ""), request.get("MaxKeys", PAGE)
        after = request.get("ContinuationToken", request.get("StartAfter", ""))
        keys = sorted(key for key in bucket if key.startswith(prefix) and key > after)
        page = keys[:most]
        told = {"IsTruncated": len(keys) > len(page), "KeyCount": len(page), "Name": request["Bucket"],
                "Prefix": prefix, "MaxKeys": most}  # fmt: skip
        if page:
            told["Contents"] = [_listed(key, bucket[key]) for key in page]
        if told["IsTruncated"]:
            told["NextContinuationToken"] = page[-1]
        return told


def _told(found: Stored) -> dict[str, Any]:
    return {
        "ContentLength": len(found.body),
        "ContentType": found.content_type,
        "ETag": found.etag,
        "LastModified": found.at,
        "Metadata": dict(found.metadata),
    }


def _listed(key: str, found: Stored) -> dict[str, Any]:
    return {"Key": key, "LastModified": found.at, "ETag": found.etag, "Size": len(found.body)}
