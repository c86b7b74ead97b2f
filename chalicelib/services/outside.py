"""Servers that an admin may name are servers of the internet: never this function's own surroundings.

Within Lambda an address like ``127.0.0.1:9001`` or ``169.254.…`` is AWS's own machinery, and in a VPC a private one is
somebody else's.  A name is checked as it is written, and what it leads to once the connection is open and before
anything is sent: a name server that changes its mind in between changes nothing.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from urllib3 import PoolManager

LOOPBACK = ("127.0.0.1", "localhost")
INNER_ENDINGS = ("local", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa")
MAX_CHARS = 2_000


def fault(url: str, local: bool) -> str:
    """A sentence that says what to enter instead; "" when the address may be called.

    local: on the engineer's own machine simulators of providers answer at its loopback address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "Enter an address that begins with https://, or leave it empty."
    if not url.isprintable() or " " in url or "\\" in url or len(url) > MAX_CHARS:
        return "Enter an address without spaces or odd characters, or leave it empty."
    if parts.username is not None or parts.query or parts.fragment:
        return "Enter the bare address: no user, no question mark, no #."
    if local and parts.scheme in ("http", "https") and host in LOOPBACK:
        return ""
    if parts.scheme != "https" or port not in (None, 443):
        return "Enter an address that begins with https:// and names no port, or leave it empty."
    return "" if _is_public_name(host) else "Enter the name of a server on the internet, or leave it empty."


def is_outside(address: str) -> bool:
    """Is this IP address one of the public internet?"""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped.is_global
    return parsed.is_global and not parsed.is_multicast


def pool() -> PoolManager:
    """A pool that speaks https with public addresses and with nothing else."""
    from urllib3 import HTTPSConnectionPool, PoolManager
    from urllib3.connection import HTTPSConnection
    from urllib3.exceptions import NewConnectionError

    class OutsideConnection(HTTPSConnection):
        def _new_conn(self) -> Any:
            """The one place between an open socket and the first byte."""
            opened = super()._new_conn()
            if not is_outside(opened.getpeername()[0]):
                opened.close()
                raise NewConnectionError(self, "the address is not one of the internet")
            return opened

    class OutsidePool(HTTPSConnectionPool):
        ConnectionCls = OutsideConnection

    made = PoolManager(maxsize=4)
    made.pool_classes_by_scheme = {"https": OutsidePool}
    return made


def _is_public_name(host: str) -> bool:
    """A name with a dot that no resolver reads as an IP address: its last part is not a number in any spelling."""
    labels = host.rstrip(".").lower().split(".")
    last = labels[-1]
    numeric = last[:1].isdigit() or not last.isascii()
    return len(labels) > 1 and all(labels) and not numeric and ":" not in host and last not in INNER_ENDINGS
