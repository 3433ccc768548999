"""Child processes that never outlive us, and end in bounded time."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

#: From SIGTERM to SIGKILL.
STOP_SECONDS = 4.0

_LAUNCHER = Path(__file__).with_name("launch.py")


def start_child(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C reaches only us and we choose the order of the end.

    On Linux it gets SIGTERM when the calling thread ends: call from the main thread.

    Args:
        log: Takes what it prints, after what is there.
        environment: Instead of ours.
        folder: Where it runs; ours where None.
    """
    launched = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *command]
    with log.open("ab") as output:
        return subprocess.Popen(
            launched,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=folder,
            start_new_session=True,
        )


def stop_child(process: subprocess.Popen[bytes], *, seconds: float = STOP_SECONDS) -> int:
    """Send SIGTERM, after a while SIGKILL, and give the exit code."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def last_lines(log: Path, count: int = 4) -> str:
    """Give the last lines of a log, without the frames of Java's stack traces, as one line for an error message."""
    try:
        text = log.read_bytes()[-8_192:].decode(errors="replace")
    except OSError:
        return "(no log)"
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("\tat ", "\t... "))]
    return " | ".join(line[:240] for line in lines[-count:]) or "(its log is empty)"
