"""A process under measurement: its CPU, its memory, its metrics, from outside."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.children import last_lines, start_child, stop_child
from deploy.kafka.server import LocalKafka, start_local_kafka
from deploy.kafka.settings import LocalKafkaSettings
from schemas.settings import ENV_PREFIX

START_SECONDS = 120.0
_LOOK_EVERY_SECONDS = 0.02
_TICKS_PER_CPU_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class EndedError(RuntimeError):
    """It ended, or did not do its work, while it was measured."""


@dataclass
class Watched:
    """A running process.

    Attributes:
        log: All that it printed.
        port: Where its `/metrics` and `/health` are; 0 where it has none.
    """

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def cpu_seconds(self) -> float:
        """Give what it has used, of all its threads."""
        fields = self._proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_CPU_SECOND

    def resident_bytes(self) -> int:
        """Give the memory that it holds."""
        return int(self._proc("statm").split()[1]) * _PAGE_BYTES

    def metric(self, name: str) -> float:
        """Give the sum of a metric over its labels; 0 where it does not answer yet."""
        lines = self._get("/metrics").splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def state(self) -> str:
        """Give the state on its `/health`; empty where it does not answer."""
        return str(json.loads(self._get("/health") or "{}").get("state", ""))

    def wait_for(self, holds: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
        """Wait for a condition.

        Raises:
            EndedError: It ended before, or the time did.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            self.require_alive()
            if time.monotonic() > deadline:
                raise EndedError(f"{what} did not happen within {seconds:g} s: {last_lines(self.log)}")
            time.sleep(_LOOK_EVERY_SECONDS)

    def require_alive(self) -> None:
        """Check that it runs.

        Raises:
            EndedError: It does not; with its last words.
        """
        if self.process.poll() is not None:
            raise EndedError(f"{self.log.stem} ended with code {self.process.returncode}: {last_lines(self.log)}")

    def words(self) -> str:
        """Give the end of what it printed."""
        return self.log.read_text(errors="replace")[-4_000:]

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def _proc(self, name: str) -> str:
        try:
            return Path(f"/proc/{self.process.pid}/{name}").read_text()
        except OSError:
            raise EndedError(f"{self.log.stem} is gone: {last_lines(self.log)}") from None

    def _get(self, path: str) -> str:
        with suppress(OSError, urllib.error.URLError):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                    return str(answer.read().decode())
            except urllib.error.HTTPError as error:
                return error.read().decode()
        return ""


class Watch:
    """Starts processes in one folder, and ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Watched] = []

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> Watched:
        """Start a command; its port is that of its `TICKCAST_METRICS_PORT`."""
        log = self._folder / f"{len(self._started)}-{command[2].rsplit('.', 1)[-1]}.log"
        process = start_child(command, log=log, environment=environment, folder=Path.cwd())
        watched = Watched(process, log, int(environment.get(f"{ENV_PREFIX}METRICS_PORT", "0")))
        self._started.append(watched)
        return watched

    def module(self, name: str, environment: Mapping[str, str], *arguments: str) -> Watched:
        """Start `python -m NAME ARGUMENTS…`."""
        return self.start((sys.executable, "-m", name, *arguments), environment)

    def end_all(self) -> None:
        """End what still runs, the last first."""
        for watched in reversed(self._started):
            stop_child(watched.process)


@contextmanager
def watch() -> Iterator[Watch]:
    """Give a watch in a folder that is deleted after."""
    with tempfile.TemporaryDirectory() as folder:
        watching = Watch(Path(folder))
        try:
            yield watching
        finally:
            watching.end_all()


@contextmanager
def local_kafka() -> Iterator[LocalKafka]:
    """Give a node made for the purpose, whose data folder can be looked at."""
    with tempfile.TemporaryDirectory() as folder:
        node = start_local_kafka(Path(folder), LocalKafkaSettings(_env_file=None, kafka_port=0), print)
        try:
            yield node
        finally:
            node.stop()
