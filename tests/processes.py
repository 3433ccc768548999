"""Services as child processes of a test: started, watched, signalled, always ended by their id."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.children import start_child, stop_child
from deploy.kafka.ports import free_ports
from schemas.settings import ENV_PREFIX

START_SECONDS = 120.0
STOP_SECONDS = 60.0
#: Of this machine's settings, those that say where a test's Kafka comes from.
KEPT_SETTINGS = (f"{ENV_PREFIX}JARS_FOLDER", f"{ENV_PREFIX}MAVEN_REPOSITORY")

_given_ports: set[int] = set()


def free_port() -> int:
    """Give a port on which a server can listen, and that nobody else here was given."""
    port = next(port for port in free_ports() if port not in _given_ports)
    _given_ports.add(port)
    return port


@dataclass
class ServiceProcess:
    """A running `python -m …`, and all that it printed.

    Attributes:
        health_port: Where `/health` and `/metrics` are.
    """

    name: str
    process: subprocess.Popen[bytes]
    output_file: Path
    health_port: int

    def output(self) -> str:
        """Give what it printed so far."""
        return self.output_file.read_text(errors="replace")

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    def wait_for(self, holds: Callable[[], bool], *, seconds: float = START_SECONDS, what: str) -> None:
        """Wait for a condition; fail with the output at the deadline, or when the process ends before."""
        deadline = time.monotonic() + seconds
        while not holds():
            if not self.alive():
                self._fail(f"ended with code {self.process.poll()} before {what}")
            if time.monotonic() > deadline:
                self._fail(f"did not come to {what} within {seconds:g} s")
            time.sleep(0.05)

    def wait_until_healthy(self, seconds: float = START_SECONDS, path: str = "/health") -> None:
        """Wait until `/health` answers 200."""
        self.wait_for(lambda: self.get(path)[0] == 200, seconds=seconds, what=f"{path} being 200")

    def get(self, path: str) -> tuple[int, str]:
        """Ask its own web server; code 0 where there is no answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):  # nobody listens yet, or it ended in the middle of its answer
            return 0, ""

    def metric(self, name: str) -> float:
        """Give the sum over all labels of a metric; 0 where it is not there."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def health(self) -> dict[str, str]:
        """Give the body of `/health`."""
        body: dict[str, str] = json.loads(self.get("/health")[1] or "{}")
        return body

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """End it politely and give the exit code; fail where it takes longer."""
        self.send(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def wait(self, seconds: float = START_SECONDS) -> int:
        """Wait for its end and give the exit code; fail at the deadline."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._fail(f"did not end within {seconds:g} s")
            raise AssertionError("unreachable") from None

    def end(self) -> None:
        """End it whatever state it is in."""
        if self.alive():
            self.process.send_signal(signal.SIGCONT)
        stop_child(self.process)

    def _fail(self, how: str) -> None:
        pytest.fail(f"{self.name} {how}; it printed:\n{self.output()[-4_000:]}", pytrace=False)


class Processes:
    """Starts services for one test and ends them all after it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[ServiceProcess] = []

    def start(self, module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> ServiceProcess:
        """Start `python -m MODULE ARGUMENTS…` in the test's folder, away from any `.env`.

        Args:
            environment: `TICKCAST_*` variables, like `kafka.environment()`; the metrics port is chosen here
                where it is silent. Of the machine's own `TICKCAST_*`, `KEPT_SETTINGS` alone are passed on.
        """
        given = dict(environment or {})
        port = int(given.setdefault(f"{ENV_PREFIX}METRICS_PORT", str(free_port())))
        output = self.folder / f"{len(self.started)}-{module.replace('.', '-')}.log"
        process = start_child(
            [sys.executable, "-m", module, *arguments],
            log=output,
            environment=clean_environment() | given,
            folder=self.folder,
        )
        service = ServiceProcess(f"{module} ({process.pid})", process, output, port)
        self.started.append(service)
        return service

    def end_all(self) -> None:
        """End what still runs, the last first."""
        for service in reversed(self.started):
            service.end()


def clean_environment() -> dict[str, str]:
    """Give this machine's environment without its `TICKCAST_*`, `KEPT_SETTINGS` apart; coverage's variables stay."""
    root = str(Path(__file__).parents[1])
    ours = {n: value for n, value in os.environ.items() if not n.startswith(ENV_PREFIX) or n in KEPT_SETTINGS}
    return ours | {"PYTHONPATH": root, "PYTHONUNBUFFERED": "1"}
