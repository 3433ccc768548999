"""One round of the system, around brokers and services that are tiny processes."""

import errno
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy import local, local_system
from deploy.brokers import Kind, RunningBroker
from deploy.kafka.jars import UnavailableError
from deploy.kept_place import KEPT_RUNS, KeptPlace
from deploy.kept_run import KeptRun, read_kept_runs
from deploy.local_system import LocalSystem
from deploy.log_lines import Log
from deploy.parts import Part
from deploy.run_options import RunOptions, parse_options
from deploy.running_env import RUNNING_ENV
from deploy.scrape_targets import SCRAPE_TARGETS
from deploy.signals import SIGNALS
from deploy.supervisor import StartAfreshError
from deploy.system_parts import Place
from schemas.errors import EXIT_STOP_AND_SAY, RetryError, StopAndSayError
from tests.deploy.supervised import FOREVER, STUBBORN, lives, python
from tests.processes import free_port

_TELL = "import os, signal, sys, time\n"
_KILL_BROKER = "os.kill(int(os.environ['BROKER']), signal.SIGKILL)\n"
_ORDER_STOP = _TELL + "os.kill(int(os.environ['PARENT']), signal.SIGTERM)\n"


class Screen(io.StringIO):
    """Takes the log, and sends us a signal once it shows some text."""

    stop_at: str | None = None

    def write(self, text: str) -> int:
        """Take some text."""
        if self.stop_at is not None and self.stop_at in text:
            self.stop_at = None
            os.kill(os.getpid(), signal.SIGTERM)
        return super().write(text)


class World:
    """Brokers that are tiny processes, and what happened to them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.brokers: list[RunningBroker] = []
        self.asked: list[str] = []
        self.kind: Kind = "local"
        self.broker_code = FOREVER
        self.ingestor_port = 0
        self.address: Callable[[], str] = lambda: "127.0.0.1:22336"
        self.parts: list[Part] = []
        self.running_at_broker_stop: list[bool] = []
        self.stopped: list[int] = []
        self.reserved_ports: list[tuple[int, ...]] = []
        self.refusals: list[Exception] = []
        self.unconfirmed: KeptPlace | None = None
        self.stream = Screen()
        monkeypatch.setenv("PARENT", str(os.getpid()))
        monkeypatch.setattr(local_system, "start_broker", self._start_broker)
        monkeypatch.setattr(local_system, "prepare_place", self._place)
        monkeypatch.setattr(local_system, "system_parts", lambda *_: self.parts)
        monkeypatch.setattr(local_system, "greet", _nothing)

    @property
    def log(self) -> str:
        """Give all lines so far."""
        return self.stream.getvalue()

    def run(self) -> None:
        """Run one round."""
        LocalSystem(parse_options([]), Log(self.stream, colour=False), "1d", 8123).run()

    def _start_broker(self, choice: str, *, reserved_ports: tuple[int, ...], **_: Any) -> RunningBroker:
        self.reserved_ports.append(reserved_ports)
        assert all(broker.process and broker.process.pid in self.stopped for broker in self.brokers), "folder in use"
        self.asked.append(choice)
        if self.refusals and len(self.asked) > 1:
            raise self.refusals.pop()
        address = self.address()
        process = subprocess.Popen([sys.executable, "-I", "-S", "-c", self.broker_code], start_new_session=True)
        message = f"broker number {len(self.asked)}"
        broker = RunningBroker(self.kind, address, process, message, _stop=lambda: self._stop(process))
        self.brokers.append(broker)
        os.environ["BROKER"] = str(process.pid)
        return broker

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        self.running_at_broker_stop = [lives(pid) for pid in self.part_pids()]
        self.stopped.append(process.pid)
        process.terminate()
        process.wait()

    def part_pids(self) -> list[int]:
        """Give the process ids that parts printed as `pid N`."""
        return [int(line.rpartition(" ")[2]) for line in self.log.splitlines() if "| pid " in line]

    def _place(self, _options: RunOptions, broker: RunningBroker, *_: Any) -> Place:
        tables, ports = Path("var/feature_stream/x"), {"ingestor": self.ingestor_port}
        return Place(broker.environment(), "mine-", tables, 8123, ports, unconfirmed=self.unconfirmed)


async def _nothing(*_: Any) -> None:
    """Greet nobody."""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    monkeypatch.chdir(tmp_path)
    Path("var").mkdir()
    monkeypatch.setenv("BROKER", "")
    it = World(monkeypatch)
    yield it
    for broker in it.brokers:
        assert broker.process is not None
        left = broker.process.poll() is None
        broker.process.kill()
        broker.process.wait()
        assert not left, "a broker was left behind"
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def patient_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave services so much time that a stop which waits for it is seen, and a slow machine is not."""
    monkeypatch.setattr(local_system, "_STOP_SECONDS", 120.0)
    monkeypatch.setattr(local_system, "_SERVICES_STOP_SECONDS", 60.0)


@pytest.mark.usefixtures("patient_stop")
def test_a_signal_stops_the_services_first_and_then_the_broker(world: World) -> None:
    code = (
        _TELL
        + "print('pid', os.getpid())\nfor told in os.scandir('var'): print(open(told).read())\n"
        + _ORDER_STOP
        + FOREVER
    )
    wait_for_file = "while not __import__('os').path.exists('var/running.env'): pass\n"
    world.parts = [python("service", wait_for_file + code)]
    world.run()
    assert "did not stop within" not in world.log
    assert world.running_at_broker_stop == [False]
    assert "TICKCAST_URL=http://127.0.0.1:8123" in world.log
    assert "TICKCAST_TOPIC_PREFIX=mine-" in world.log
    assert "TICKCAST_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:22336" in world.log
    assert '"targets": ["127.0.0.1:8123"]' in world.log
    assert not Path("var", RUNNING_ENV).exists()
    assert not Path("var", SCRAPE_TARGETS).exists()


def test_what_an_essential_service_says_at_its_end_ends_the_round(world: World) -> None:
    world.parts = [python("service", "import sys; print('service: no such file'); sys.exit(78)")]
    with pytest.raises(StopAndSayError, match="service stopped: no such file"):
        world.run()


def test_local_kafka_is_started_again_and_the_services_stay(world: World) -> None:
    world.parts = [python("service", _TELL + "print('pid', os.getpid())\n" + _KILL_BROKER + FOREVER)]
    world.stream.stop_at = "broker number 2"
    world.run()
    assert world.asked == ["auto", "local"]
    assert len(world.part_pids()) == 1
    assert "; restarting it" in world.log


@pytest.mark.parametrize(
    "error", [StopAndSayError("no memory left"), UnavailableError("no memory left"), OSError("no memory left")]
)
def test_local_kafka_that_does_not_come_back_at_once_is_tried_again(error: Exception, world: World) -> None:
    world.refusals = [error]
    world.parts = [python("service", _TELL + _KILL_BROKER + FOREVER)]
    world.stream.stop_at = "broker number 3"
    world.run()
    assert world.asked == ["auto", "local", "local"]
    assert "no memory left; trying again in 1 s" in world.log


def test_a_signal_ends_a_broker_that_is_being_started_again(world: World) -> None:
    world.parts = [python("service", _TELL + _KILL_BROKER + FOREVER)]

    def address() -> str:
        if world.brokers:
            signal.raise_signal(signal.SIGTERM)
        return "127.0.0.1:22336"

    world.address = address
    world.run()
    assert world.asked == ["auto", "local"]
    assert "stopping" in world.log


def test_a_broker_that_comes_back_elsewhere_starts_the_system_afresh(world: World) -> None:
    world.parts = [python("service", _TELL + _KILL_BROKER + FOREVER)]
    world.address = lambda: f"127.0.0.1:{22_000 + len(world.asked)}"
    with pytest.raises(StartAfreshError, match=r"the broker came back elsewhere, at 127\.0\.0\.1:22002"):
        world.run()


def test_a_broker_that_forgets_takes_the_system_with_it(world: World) -> None:
    world.kind = "embedded"
    world.parts = [python("service", _TELL + _KILL_BROKER + FOREVER)]
    with pytest.raises(StartAfreshError, match="and all its data is lost"):
        world.run()
    assert world.log.index("and all its data is lost") < world.log.index("stopping")
    assert world.asked == ["auto"]


def test_a_service_that_dies_beside_a_broker_that_forgets_takes_the_system_with_it(world: World) -> None:
    world.kind = "embedded"
    world.parts = [python("service", "raise SystemExit(1)"), python("other", FOREVER)]
    with pytest.raises(StartAfreshError, match="service ended with exit code 1"):
        world.run()


def test_a_broker_that_does_not_stop_is_killed_when_the_time_is_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_system, "_STOP_SECONDS", 0.6)
    world.broker_code = STUBBORN + "open('ready', 'w')\n" + FOREVER
    world.parts = [python("service", "while not __import__('os').path.exists('ready'): pass\n" + _ORDER_STOP + FOREVER)]
    world.run()
    assert world.brokers[0].process is not None
    assert world.brokers[0].process.returncode == -signal.SIGKILL


_POLITE = """
def end(*_):
    open('drained', 'w').close()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
"""


def test_a_terminal_that_is_gone_keeps_no_service_from_its_drain(world: World) -> None:
    class Gone(Screen):
        def write(self, text: str) -> int:
            if self.stop_at is None:
                raise OSError(errno.EIO, "Input/output error")
            return super().write(text)

    world.stream = Gone()
    world.stream.stop_at = "| up"
    world.parts = [python("service", _TELL + _POLITE + "print('up')\n" + FOREVER)]
    world.run()
    assert Path("drained").exists()
    assert "stopping" not in world.log


_INGESTOR = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{}')
print('up', flush=True)
http.server.HTTPServer(('127.0.0.1', PORT), Handler).serve_forever()
"""
_UNCONFIRMED = KeptPlace(KeptRun(topic_prefix="", source="replay", interval="1d"), "local", False, None)


def test_a_run_on_a_log_that_was_there_is_remembered_once_the_ingestor_is_ready(world: World) -> None:
    world.unconfirmed, world.ingestor_port = _UNCONFIRMED, free_port()
    wait_and_stop = "while not os.path.exists('var/run.json'): time.sleep(0.01)\n" + _ORDER_STOP + FOREVER
    ingestor = python("ingestor", _INGESTOR.replace("PORT", str(world.ingestor_port)))
    world.parts = [ingestor, python("service", _TELL + wait_and_stop)]
    world.run()
    assert read_kept_runs(Path("var", KEPT_RUNS)) == {"local": _UNCONFIRMED.run}


def test_a_run_that_the_ingestor_refuses_is_not_remembered(world: World) -> None:
    world.unconfirmed, world.ingestor_port = _UNCONFIRMED, free_port()
    world.parts = [python("ingestor", "import sys; print('ingestor: played with another start'); sys.exit(78)")]
    with pytest.raises(StopAndSayError, match="ingestor stopped: played with another start"):
        world.run()
    assert not Path("var", KEPT_RUNS).exists()


def test_the_gateway_s_port_is_kept_from_the_broker(world: World) -> None:
    world.parts = [python("service", _ORDER_STOP + FOREVER)]
    world.run()
    assert world.reserved_ports == [(8123,)]


@pytest.mark.usefixtures("patient_stop")
def test_a_second_signal_does_not_wait(world: World) -> None:
    twice = _TELL + "signal.signal(signal.SIGTERM, lambda *_: os.kill(int(os.environ['PARENT']), signal.SIGINT))\n"
    world.parts = [python("service", twice + "os.kill(int(os.environ['PARENT']), signal.SIGINT)\n" + FOREVER)]
    world.run()
    assert "did not stop within" not in world.log


def _exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        local.main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_round_that_must_start_afresh_is_followed_by_another_and_fresh_holds_for_the_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[bool] = []

    class Round:
        def __init__(self, options: RunOptions, *_: Any) -> None:
            rounds.append(options.fresh)

        def run(self) -> None:
            if len(rounds) == 1:
                raise StartAfreshError("predictor was killed by SIGKILL")

    monkeypatch.setattr(local, "LocalSystem", Round)
    assert _exit_code("--fresh", "--port", "0") == 0
    assert rounds == [True, False]


def test_what_cannot_go_on_says_one_line_and_exits_with_78(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any) -> None:
        raise StopAndSayError("no broker")

    monkeypatch.setattr(LocalSystem, "run", refuse)
    assert _exit_code("--port", "0") == EXIT_STOP_AND_SAY
    assert capsys.readouterr().err == "tickcast: no broker\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "[Errno 28] No space left on device"),
        (RetryError("the broker is away"), "the broker is away"),
    ],
)
def test_what_ends_a_run_is_said_in_one_line(
    error: Exception, line: str, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(LocalSystem, "run", fail)
    assert _exit_code("--port", "0") == 1
    assert capsys.readouterr().err == f"tickcast: {line}\n"


def test_a_file_in_the_place_of_var_is_said_in_one_line(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    Path("var").touch()
    assert _exit_code("--port", "0") == EXIT_STOP_AND_SAY
    assert capsys.readouterr().err == f"tickcast: the folder {Path.cwd()}/var cannot be used: File exists\n"


def test_ctrl_c_before_anything_runs_is_quiet(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start_broker(*_: Any, **__: Any) -> RunningBroker:
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("unreachable")

    monkeypatch.setattr(local_system, "start_broker", start_broker)
    assert _exit_code("--port", "0") == 130
    assert capsys.readouterr().err == ""
