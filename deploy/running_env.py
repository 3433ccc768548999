"""`var/running.env`: where the system that runs here is, for every other `tickcast` command."""

import fcntl
import os
import shlex
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values

from schemas.errors import StopAndSayError
from schemas.whole_file import write_whole

RUNNING_ENV = "running.env"
_LOCK = "run.lock"
_ADDRESS = "TICKCAST_KAFKA_BOOTSTRAP_SERVERS"
_SECURITY = "TICKCAST_KAFKA_SECURITY_PROTOCOL"
#: What is played, and how.
SOURCE_VARIABLES = frozenset(
    f"TICKCAST_{name}" for name in ("SOURCE", "INTERVAL", "TICKERS", "START", "END", "SPEED", "LOOP")
)


@contextmanager
def only_run(var: Path) -> Iterator[None]:
    """Hold this folder as its only running system; the kernel lets go when the process ends, however it does.

    Raises:
        StopAndSayError: A system runs in this folder already, or it cannot be made or written.
    """
    try:
        var.mkdir(parents=True, exist_ok=True)
        lock = (var / _LOCK).open("w")
    except OSError as error:
        raise StopAndSayError(f"the folder {var.absolute()} cannot be used: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            url = read_running_env(var).get("TICKCAST_URL", "starting or stopping")
            raise StopAndSayError(f"tickcast runs in this folder already ({url}): stop it first") from error
        remove_running_env(var)  # a killed run's: with the lock taken, it would count as ours
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
    """Say where the system is, as a shell reads it."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in variables.items()]
    text = "# Written by `tickcast run`, removed at its end.\n" + "".join(lines)
    write_whole(var / RUNNING_ENV, text.encode())


def read_running_env(var: Path) -> dict[str, str]:
    """Read where the system is, as a shell does; nothing where no system says so."""
    try:
        words = shlex.split((var / RUNNING_ENV).read_text(), comments=True)
    except FileNotFoundError:
        return {}
    return {name: value for name, _, value in (word.partition("=") for word in words)}


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
    given = {**dotenv_values(env_file), **environment}
    stated = {name: value for name, value in given.items() if value}  # empty is silent, as for the settings
    running = read_running_env(var)
    if stated.get(_ADDRESS, running.get(_ADDRESS)) != running.get(_ADDRESS):
        return
    silent = running.keys() - stated.keys()
    if _ADDRESS in silent:
        silent |= running.keys() & {_SECURITY}  # it goes with the address
    if source is not None and source != running.get("TICKCAST_SOURCE"):
        silent -= SOURCE_VARIABLES
    environment.update({name: value for name, value in running.items() if name in silent})
