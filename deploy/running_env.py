"""`var/running.env`: where the system that runs here is, for every other `tickcast` command."""

import fcntl
import os
import shlex
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values

from schemas.errors import StopAndSayError

RUNNING_ENV = "running.env"
_LOCK = "run.lock"
_ADDRESS = "TICKCAST_KAFKA_BOOTSTRAP_SERVERS"
#: What is played, and how.
SOURCE_VARIABLES = frozenset(
    f"TICKCAST_{name}" for name in ("SOURCE", "INTERVAL", "TICKERS", "START", "END", "SPEED", "LOOP")
)


@contextmanager
def only_run(var: Path) -> Iterator[None]:
    """Hold this folder as its only running system; the kernel lets go when the process ends, however it does.

    Raises:
        StopAndSayError: A system runs in this folder already.
    """
    var.mkdir(parents=True, exist_ok=True)
    with (var / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            url = dotenv_values(var / RUNNING_ENV).get("TICKCAST_URL") or "starting or stopping"
            raise StopAndSayError(f"tickcast runs in this folder already ({url}): stop it first") from error
        yield


def runs(var: Path) -> bool:
    """Tell whether a system runs in this folder."""
    try:
        with (var / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def write_running_env(var: Path, variables: Mapping[str, str]) -> None:
    """Say where the system is."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in variables.items()]
    text = "# Written by `tickcast run`, removed at its end.\n" + "".join(lines)
    (var / RUNNING_ENV).write_text(text)


def remove_running_env(var: Path) -> None:
    """Say that it is gone."""
    (var / RUNNING_ENV).unlink(missing_ok=True)


def adopt_running_env(
    var: Path, env_file: Path, environment: MutableMapping[str, str] = os.environ, *, source: str | None = None
) -> None:
    """Take the running system's variables where the environment and `.env` are silent.

    A file that a killed system left counts as none, and so does one of another broker than the one that they name.

    Args:
        source: What the command itself names; where the system plays another, its interval, start and the like are not
            this command's.
    """
    if not runs(var):
        return
    stated = {**dotenv_values(env_file), **environment}
    running = dotenv_values(var / RUNNING_ENV)
    if stated.get(_ADDRESS, running.get(_ADDRESS)) != running.get(_ADDRESS):
        return
    silent = running.keys() - stated.keys()
    if source is not None and source != running.get("TICKCAST_SOURCE"):
        silent -= SOURCE_VARIABLES
    environment.update({name: value for name, value in running.items() if value is not None and name in silent})
