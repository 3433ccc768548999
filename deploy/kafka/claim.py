"""Who runs the node of a folder: one process at a time, and what a killed one left is ended."""

import contextlib
import fcntl
import os
import signal
import subprocess
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

from deploy.children import STOP_SECONDS
from deploy.kafka.node import NodeFolder
from schemas.broker import wait_until
from schemas.errors import StopAndSayError


def claim(folder: NodeFolder) -> Callable[[], None]:
    """Take the folder for this process, until it ends or the returned function is called.

    Raises:
        StopAndSayError: Another living process has it.
    """
    folder.root.mkdir(parents=True, exist_ok=True)
    lock = folder.lock.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = _read(lock)
        lock.close()
        raise StopAndSayError(
            f"Kafka already runs on {folder.root}{f', started by process {holder}' if holder else ''}: "
            "stop that one first, or reach it with --broker HOST:PORT"
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock.close


def end_orphan(folder: NodeFolder) -> bool:
    """End a node whose starter was killed; call it with the folder claimed. Tell whether there was one."""
    try:
        pid = int(folder.pid.read_text())
    except (OSError, ValueError):
        return False
    if not _runs(pid, folder):
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not _runs(pid, folder), seconds=STOP_SECONDS, what=f"the end of process {pid}")
            return True
    raise StopAndSayError(f"process {pid} holds {folder.data} and does not end: end it by hand")


def _runs(pid: int, folder: NodeFolder) -> bool:
    """Tell whether this process id is this folder's node, and not something that took the number since."""
    return str(folder.configuration) in _command_line(pid)


def _command_line(pid: int) -> str:
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    told = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return told.stdout


def _read(lock: TextIOWrapper) -> str:
    lock.seek(0)
    return lock.read().strip()
