"""A very small DNS resolver for the inbox wizard: CNAME, MX and TXT, asked of the system's own name servers.

The standard library resolves host addresses only, and a DNS library would cost every cold start for one page of
Settings.  Source: RFC 1035 (sections 3.3 and 4), RFC 7766 (TCP after a truncated answer).
"""

import secrets
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from chalicelib.domain.hosts import machine_name

KINDS = {"CNAME": 5, "MX": 15, "TXT": 16}
TIMEOUT_SECONDS = 1.5
TRIES = 2
PORT = 53
HEADER = struct.Struct(">HHHHHH")
ANSWER = struct.Struct(">HHIH")
RECURSION_DESIRED = 0x0100
IS_ANSWER, TRUNCATED = 0x8000, 0x0200
NO_ERROR, NO_SUCH_NAME = 0, 3
MAX_JUMPS = 32
UDP_BYTES = 4096


class Unanswered(Exception):
    """No name server gave a usable answer."""


class Resolver:
    """``resolver("shop.example", "MX")`` → ``("10 mail.shop.example",)``; () when there is no such record.

    servers: (address, port); by default those of this machine.
    """

    def __init__(self, servers: Sequence[tuple[str, int]] | None = None, timeout: float = TIMEOUT_SECONDS) -> None:
        self._servers = tuple(servers) if servers is not None else _system_servers()
        self._timeout = timeout

    def __call__(self, name: str, kind: str) -> tuple[str, ...]:
        query_id, query = _query(name, KINDS[kind])
        for _ in range(TRIES):
            for server in self._servers:
                try:
                    return self._ask(server, query_id, query, KINDS[kind])
                except (OSError, ValueError, IndexError, struct.error, UnicodeError):
                    continue  # this server is silent or talks nonsense: the next may not
        raise Unanswered(f"no name server answered for {name}")

    def _ask(self, server: tuple[str, int], query_id: int, query: bytes, kind: int) -> tuple[str, ...]:
        packet = _over_udp(server, query, self._timeout)
        if HEADER.unpack_from(packet)[1] & TRUNCATED:
            packet = _over_tcp(server, query, self._timeout)
        return _read(packet, query_id, kind)


def _system_servers() -> tuple[tuple[str, int], ...]:
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.split()[1] for line in lines if line.startswith("nameserver") and len(line.split()) > 1]
    return tuple((address, PORT) for address in named[:2]) or (("127.0.0.1", PORT),)


def _query(name: str, kind: int) -> tuple[int, bytes]:
    query_id = secrets.randbelow(0x10000)
    labels = [label.encode("ascii") for label in (machine_name(name) or "").strip(".").split(".")]
    if any(not 0 < len(label) < 64 for label in labels):
        raise ValueError(f"{name} is no host name")
    question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + struct.pack(">HH", kind, 1)
    return query_id, HEADER.pack(query_id, RECURSION_DESIRED, 1, 0, 0, 0) + question


def _over_udp(server: tuple[str, int], query: bytes, timeout: float) -> bytes:
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as line:
        line.settimeout(timeout)
        line.connect(server)  # connected: answers of anybody else are dropped
        line.send(query)
        return line.recv(UDP_BYTES)


def _over_tcp(server: tuple[str, int], query: bytes, timeout: float) -> bytes:
    with socket.create_connection(server, timeout) as line, line.makefile("rb") as answer:
        line.sendall(struct.pack(">H", len(query)) + query)
        (length,) = struct.unpack(">H", answer.read(2))
        return answer.read(length)


def _read(packet: bytes, query_id: int, kind: int) -> tuple[str, ...]:
    found_id, flags, questions, answers, _, _ = HEADER.unpack_from(packet)
    if found_id != query_id or not flags & IS_ANSWER or flags & 0xF not in (NO_ERROR, NO_SUCH_NAME):
        raise ValueError("not an answer to this question")
    at = HEADER.size
    for _ in range(questions):
        at = _name(packet, at)[1] + 4
    found = []
    for _ in range(answers):
        _, at = _name(packet, at)
        this_kind, _, _, length = ANSWER.unpack_from(packet, at)
        at += ANSWER.size
        if this_kind == kind:  # a CNAME on the way to an MX is not what was asked for
            found.append(_value(packet, at, length, kind))
        at += length
    return tuple(sorted(found))


def _value(packet: bytes, at: int, length: int, kind: int) -> str:
    if kind == KINDS["MX"]:
        (preference,) = struct.unpack_from(">H", packet, at)
        return f"{preference} {_name(packet, at + 2)[0]}"
    if kind == KINDS["CNAME"]:
        return _name(packet, at)[0]
    parts, end = [], at + length
    while at < end:
        size = packet[at]
        parts.append(packet[at + 1 : at + 1 + size])
        at += 1 + size
    return b"".join(parts).decode("utf-8", "replace")


def _name(packet: bytes, at: int) -> tuple[str, int]:
    """A name, lower case, and where the next field begins; follows compression pointers."""
    labels: list[str] = []
    end = 0
    for _ in range(MAX_JUMPS * 4):
        size = packet[at]
        if size & 0xC0 == 0xC0:
            end = end or at + 2
            at = struct.unpack_from(">H", packet, at)[0] & 0x3FFF
        elif size == 0:
            return ".".join(labels).lower(), end or at + 1
        else:
            labels.append(packet[at + 1 : at + 1 + size].decode("ascii", "replace"))
            at += 1 + size
    raise ValueError("a name without an end")
