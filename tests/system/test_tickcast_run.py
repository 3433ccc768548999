"""`tickcast run` on local Kafka, as a newcomer meets it: up, live, stopped without a trace, and on from there."""

import json
import re
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from deploy.children import start_child, stop_child
from deploy.kafka.jars import UnavailableError
from deploy.kafka.server import jars_of
from deploy.kafka.settings import LocalKafkaSettings
from schemas.broker import wait_until
from schemas.errors import EXIT_STOP_AND_SAY
from tests.processes import clean_environment, free_port
from tests.servers import missing_kafka

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: Five are promised, and kept by killing what takes longer; the tests share their machine with others.
STOP_SECONDS = 10.0


class Run:
    """`tickcast run` in a folder of its own."""

    def __init__(self, folder: Path, models: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._environment = clean_environment() | {"TICKCAST_MODELS_DIRECTORY": models, "TICKCAST_KAFKA_PORT": "0"}
        self._lives = 0

    def start(self, *options: str) -> None:
        """Begin."""
        self._lives += 1
        self._log = self.folder / f"run-{self._lives}.log"
        self._process = start_child(
            [sys.executable, "-m", "deploy.cli", "run", "--broker", "local", "--port", str(self.port), *options],
            log=self._log,
            environment=self._environment,
            folder=self.folder,
        )

    def output(self) -> str:
        """Give the log so far."""
        return self._log.read_text()

    def wait_for_line(self, pattern: str, seconds: float = 120.0) -> str:
        """Wait until a line matches, and give it."""

        def there() -> bool:
            assert self._process.poll() is None, self.output()
            return re.search(pattern, self.output()) is not None

        wait_until(there, seconds=seconds, what=f"a line like {pattern!r}")
        return next(line for line in self.output().splitlines() if re.search(pattern, line))

    def interrupt(self) -> float:
        """Press Ctrl-C, and give the seconds until it ended."""
        began = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        return time.monotonic() - began

    def wait(self) -> int:
        """Wait for an end that comes by itself."""
        return self._process.wait(60)

    def end(self) -> None:
        """End it whatever happened."""
        stop_child(self._process, seconds=15)

    def left_behind(self) -> list[str]:
        """Give what still runs in the folder."""
        left = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink().is_relative_to(self.folder):
                    left.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it ended meanwhile, or is not ours to look at
        return left

    def get(self, path: str) -> Any:
        """Ask the gateway."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return json.load(answer)


@pytest.fixture
def run(tmp_path: Path, trained_models: str) -> Iterator[Run]:
    try:
        jars_of(LocalKafkaSettings(_env_file=None), print)
    except UnavailableError as error:
        missing_kafka(str(error))
    run = Run(tmp_path, trained_models)
    yield run
    run.end()


def _updates(port: int, tickers: set[str], later_than: str = "") -> dict[str, dict[str, Any]]:
    """Listen until each ticker had an update by the models after a time, and give the last of each."""
    said: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + 60
    with connect(f"ws://127.0.0.1:{port}/ws/predictions") as socket:
        socket.send(json.dumps({"action": "subscribe", "tickers": ["*"]}))
        while not tickers <= said.keys():
            assert time.monotonic() < deadline, said
            message = json.loads(socket.recv(30))
            if message["type"] == "prediction" and message["degraded"] is None and message["timestamp"] > later_than:
                said[message["ticker"]] = message
    return said


def test_the_system_comes_up_stops_without_a_trace_and_goes_on(run: Run) -> None:
    run.start("--speed", "4")
    run.wait_for_line("first prediction: ")
    updates = _updates(run.port, {"AAPL", "GOOG", "IBM", "MSFT"})
    assert {member["name"] for member in updates["AAPL"]["models"]} == {"forest", "lstm"}
    assert "TICKCAST_URL" in (run.folder / "var" / "running.env").read_text()
    reached = run.get("/predict/AAPL")["timestamp"]

    assert run.interrupt() < STOP_SECONDS, run.output()
    assert run.left_behind() == []
    assert not (run.folder / "var" / "running.env").exists()

    run.start("--start", "2011-01-03")
    assert run.wait() == EXIT_STOP_AND_SAY
    assert "--fresh" in run.output().splitlines()[-1]

    run.start("--speed", "4")
    run.wait_for_line("first prediction: ")
    assert run.get("/predict/AAPL")["timestamp"] >= reached
    assert "AAPL" in _updates(run.port, {"AAPL"}, later_than=reached)
    run.interrupt()
