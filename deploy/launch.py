"""Run a command that ends when the process that started it does: `python launch.py [--kill] PARENT_PID COMMAND …`.

On Linux the kernel sends SIGTERM (SIGKILL with `--kill`) when the starting thread ends, however it ends, SIGKILL
included. Elsewhere the command runs as it is. Used by path and without `site`, so that it costs some milliseconds only.
"""

import contextlib
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent_pid: int, by: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to end this process, and what it becomes by exec, with its parent."""
    with contextlib.suppress(AttributeError, OSError):  # not Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent_pid:  # it ended before we asked
        sys.exit(0)


if __name__ == "__main__":
    kill = sys.argv[1] == "--kill"
    parent, *command = sys.argv[2:] if kill else sys.argv[1:]
    end_with_parent(int(parent), signal.SIGKILL if kill else signal.SIGTERM)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
