"""`tickcast run` on local Kafka, as a newcomer meets it: up, live, stopped without a trace, and on from there."""

import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from redis import Redis
from redis.exceptions import ConnectionError as NoRedisError
from websockets.sync.client import connect

from deploy.children import start_child, stop_child
from schemas.broker import wait_until
from schemas.errors import EXIT_STOP_AND_SAY
from tests.processes import clean_environment, free_port
from tests.servers import require_local_kafka
from tests.training import WINDOW_BARS, Trained

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DEADLINE_SECONDS = 120.0


class Run:
    """`tickcast run` in a folder of its own."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._environment = clean_environment() | {
            "TICKCAST_KAFKA_PORT": "0",
            "TICKCAST_MODELS_DIRECTORY": str(models),
            "TICKCAST_TRAINING_WINDOW_BARS": str(WINDOW_BARS),
            "TICKCAST_MODEL_MAX_AGE_BARS": "0",  # the small set is two years older than what is played
        }
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
        return self._log.read_text(errors="replace")

    def wait_for_line(self, pattern: str, seconds: float = DEADLINE_SECONDS) -> str:
        """Wait until a line matches, and give it."""

        def there() -> bool:
            assert self._process.poll() is None, self.output()
            return re.search(pattern, self.output()) is not None

        wait_until(there, seconds=seconds, what=f"a line like {pattern!r}")
        return next(line for line in self.output().splitlines() if re.search(pattern, line))

    def interrupt(self) -> None:
        """Press Ctrl-C, and wait for the end. The five seconds that are promised are kept by killing: it says so."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(DEADLINE_SECONDS)
        assert "did not stop within" not in self.output(), self.output()

    def wait(self) -> int:
        """Wait for an end that comes by itself."""
        return self._process.wait(DEADLINE_SECONDS)

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
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return json.load(answer)


@pytest.fixture
def run(tmp_path: Path, trained: Trained) -> Iterator[Run]:
    require_local_kafka()
    run = Run(tmp_path, trained.folder.parent)
    yield run
    run.end()


def _keys(client: Redis) -> int:
    """Give how many keys Redis has; 0 where it does not answer yet."""
    try:
        return int(client.dbsize())
    except NoRedisError:
        return 0


def _updates(port: int, tickers: set[str], later_than: str = "") -> dict[str, dict[str, Any]]:
    """Listen until each ticker had an update by the models after a time, and give the last of each."""
    said: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + DEADLINE_SECONDS
    with connect(f"ws://127.0.0.1:{port}/ws/predictions") as socket:
        socket.send(json.dumps({"action": "subscribe", "tickers": ["*"]}))
        while not tickers <= said.keys():
            assert time.monotonic() < deadline, said
            message = json.loads(socket.recv(DEADLINE_SECONDS))
            if message["type"] == "prediction" and message["degraded"] is None and message["timestamp"] > later_than:
                said[message["ticker"]] = message
    return said


@pytest.mark.xdist_group("metrics-ports")
def test_the_system_comes_up_stops_without_a_trace_and_goes_on(run: Run) -> None:
    run.start("--speed", "4")
    run.wait_for_line("first prediction: ")
    updates = _updates(run.port, {"AAPL", "GOOG", "IBM", "MSFT"})
    assert {member["name"] for member in updates["AAPL"]["models"]} >= {"forest", "lstm"}
    assert "TICKCAST_URL" in (run.folder / "var" / "running.env").read_text()
    targets = json.loads((run.folder / "var" / "prometheus-targets.json").read_text())
    assert {target["labels"]["service"] for target in targets} >= {"gateway", "ingestor", "trainer"}
    reached = run.get("/predict/AAPL")["timestamp"]

    run.interrupt()
    assert run.left_behind() == []
    assert not {"running.env", "prometheus-targets.json"} & {file.name for file in (run.folder / "var").iterdir()}

    run.start("--start", "2011-01-03")
    assert run.wait() == EXIT_STOP_AND_SAY
    assert "--fresh" in run.output().splitlines()[-1]

    run.start("--speed", "4")
    run.wait_for_line("first prediction: ")
    assert run.get("/predict/AAPL")["timestamp"] >= reached
    assert "AAPL" in _updates(run.port, {"AAPL"}, later_than=reached)
    run.interrupt()


@pytest.fixture
def open_run(trained: Trained) -> Iterator[Run]:
    """Give one in a folder that PostgreSQL's own user can reach, too: pytest closes its folders to others."""
    folder = Path(tempfile.mkdtemp(prefix="tickcast-run-"))
    run = Run(folder, trained.folder.parent)
    yield run
    run.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.xdist_group("metrics-ports")
def test_postgres_and_redis_come_with_the_system_and_go_with_it(open_run: Run) -> None:
    run = open_run
    run.start("--broker", "embedded", "--speed", "20", "--postgres", "--redis")
    run.wait_for_line("PostgreSQL, data in ")
    redis_port = run.wait_for_line("Redis on ").partition("127.0.0.1:")[2].partition(",")[0]
    run.wait_for_line("first prediction: ")
    wait_until(lambda: run.get("/history/AAPL")["history"], seconds=DEADLINE_SECONDS, what="history in PostgreSQL")
    assert not list(run.folder.glob("var/*.db")), "SQLite is not used"
    running = dotenv_values(run.folder / "var" / "running.env")
    assert (running["TICKCAST_DATABASE_URL"] or "").startswith("postgresql://")
    assert running["TICKCAST_REDIS_URL"] == f"redis://127.0.0.1:{redis_port}/0"
    wait_until(lambda: run.get("/health")["redis"]["state"] == "up", seconds=DEADLINE_SECONDS, what="Redis being up")
    with Redis(port=int(redis_port)) as client:
        wait_until(lambda: _keys(client) > 1, seconds=DEADLINE_SECONDS, what="the gateway sharing its answers")
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
    run.wait_for_line("Redis has ended; starting it again")
    # The new one is empty. A gateway that asked nothing in between has not noticed that the old one was away.
    with Redis(port=int(redis_port)) as client:
        wait_until(lambda: _keys(client) > 1, seconds=DEADLINE_SECONDS, what="the gateway sharing its answers again")
    wait_until(lambda: run.get("/health")["redis"]["state"] == "up", seconds=DEADLINE_SECONDS, what="Redis being up")
    run.interrupt()
    assert run.left_behind() == []
