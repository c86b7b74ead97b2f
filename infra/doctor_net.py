"""One request to a web address, with the end of its certificate."""

import ssl
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from infra.doctor import Answer

TIMEOUT_SECONDS = 20
READ_BYTES = 100_000


def get(address: str) -> Answer:
    """Raises OSError when nothing answers, or with a certificate that is not good."""
    if urlsplit(address).scheme not in ("http", "https"):
        raise OSError(f"{address} is no web address")
    ends = _certificate_ends(address) if address.startswith("https:") else None
    request = urllib.request.Request(address, headers={"User-Agent": "deskbell-doctor"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            found: HTTPResponse = answer
            return Answer(found.status, found.read(READ_BYTES).decode("utf-8", "replace"), ends)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, "", ends)
    except HTTPException as error:  # no OSError, though it says the same: what answers there speaks no HTTP
        raise OSError(f"what it answers is not HTTP ({error!r})") from error


def _certificate_ends(address: str) -> datetime:
    import socket

    parts = urlsplit(address)
    context = ssl.create_default_context()
    with (
        socket.create_connection((parts.hostname or "", parts.port or 443), TIMEOUT_SECONDS) as line,
        context.wrap_socket(line, server_hostname=parts.hostname) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
