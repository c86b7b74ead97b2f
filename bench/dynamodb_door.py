"""Runs DynamoDB Local behind a door that only this machine can use; ``bench.dynamodb_local`` starts it.

``python -m bench.dynamodb_door FOLDER HEAP_MB`` prints the endpoint, or a sentence, and ends when its input closes.

Where the kernel allows it, this process keeps its listening socket on 127.0.0.1 and moves into a network namespace of
its own, where Java then listens without anybody being able to reach it.  A socket stays in the namespace it was made
in, so what connects to 127.0.0.1 is handed through.  Elsewhere Java listens on a random port of the machine itself.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
START_SECONDS = 90.0
STOP_SECONDS = 10.0
CHUNK = 1 << 18


def _loopback_socket() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(64)
    return made


def enter_own_network() -> bool:
    """Move this process to a network of its own with nothing but a loopback; False where that is not allowed."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        user, group = os.getuid(), os.getgid()
        if libc.unshare(CLONE_NEWNET) != 0:
            if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
                return False
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            asked = struct.pack("16sH14x", b"lo", 0)
            (flags,) = struct.unpack_from("H", fcntl.ioctl(control, SIOCGIFFLAGS, asked), 16)
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
    except (AttributeError, OSError):  # no Linux, or a sandbox that forbids it
        return False
    return True


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _start_java(folder: Path, heap_mb: int, port: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            "java", f"-Xmx{heap_mb}m", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar",
            "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port),
        ],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # this process has one thread
    )  # fmt: skip


def _await(java: "subprocess.Popen[bytes]", port: int) -> bool:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and java.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.05)
    return False


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _serve(listening: socket.socket, port: int) -> None:
    """Hand every connection through until the input closes."""
    pumps: set[asyncio.Task[None]] = set()

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        java_reader, java_writer = await asyncio.open_connection("127.0.0.1", port)
        for each in (_pump(reader, java_writer), _pump(java_reader, writer)):
            task = asyncio.create_task(each)
            pumps.add(task)
            task.add_done_callback(pumps.discard)

    server = await asyncio.start_server(through, sock=listening, limit=CHUNK)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    await _input_closed()
    server.close()
    for task in list(pumps):
        task.cancel()


async def _input_closed() -> None:
    await asyncio.to_thread(sys.stdin.read)


def main() -> int:
    folder, heap_mb = Path(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the bench, and so our input
    door = _loopback_socket()
    shut_in = enter_own_network()
    with contextlib.closing(_loopback_socket()) as probe:
        port = probe.getsockname()[1]
    java = _start_java(folder, heap_mb, port)
    try:
        if not _await(java, port):
            print("DynamoDB Local did not start: it needs Java 17 or newer.", flush=True)
            return 1
        if shut_in:
            asyncio.run(_serve(door, port))
        else:
            print(f"http://127.0.0.1:{port}", flush=True)
            sys.stdin.read()
    finally:
        java.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            java.wait(STOP_SECONDS)
        java.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
