import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from schemas import VERSION
from schemas.errors import EXIT_STOP_AND_SAY, DeadLetterError, RetryError, StopAndSayError, TickcastError
from schemas.events import ServiceState
from schemas.service import run_service, serve_metrics, stop_event_on_signals
from schemas.settings import Settings
from schemas.status import StatusBoard

pytestmark = pytest.mark.xdist_group("board")


@pytest.fixture(scope="module")
def board() -> StatusBoard:
    return StatusBoard("predictor", "host-1")


@pytest.fixture(scope="module")
def server(board: StatusBoard) -> Iterator[ThreadingHTTPServer]:
    server = serve_metrics(board, "127.0.0.1", 0)
    yield server
    server.shutdown()
    server.server_close()


def get(server: ThreadingHTTPServer, path: str) -> tuple[int, str, bytes]:
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


@pytest.mark.parametrize(
    ("state", "code", "status"),
    [
        (ServiceState.STARTING, 503, "starting"),
        (ServiceState.CATCHING_UP, 200, "healthy"),
        (ServiceState.READY, 200, "healthy"),
        (ServiceState.DEGRADED, 200, "healthy"),
        (ServiceState.ENDED, 200, "healthy"),
        (ServiceState.STOPPING, 503, "stopping"),
    ],
)
def test_health_says_whether_the_service_serves(
    board: StatusBoard, server: ThreadingHTTPServer, state: ServiceState, code: int, status: str
) -> None:
    board.set_state(state)
    answered, content_type, body = get(server, "/health")
    assert (answered, content_type) == (code, "application/json")
    assert json.loads(body) == {"status": status, "state": state, "version": VERSION}
    well = state in (ServiceState.READY, ServiceState.ENDED)
    assert f"tickcast_ready_services {float(well)}\n" in get(server, "/metrics")[2].decode()


def test_health_is_false_and_says_why_while_the_service_is_in_trouble(
    board: StatusBoard, server: ThreadingHTTPServer
) -> None:
    board.set_state(ServiceState.READY)
    board.set_trouble("9 records wait", 60.0)
    code, _, body = get(server, "/health")
    assert code == 503
    wanted = {"status": "unhealthy", "state": "ready", "version": VERSION, "reason": "9 records wait"}
    assert json.loads(body) == wanted
    assert b"tickcast_ready_services 0.0\n" in get(server, "/metrics")[2]
    board.set_trouble(None, 60.0)
    assert get(server, "/health")[0] == 200


def test_health_is_false_when_who_should_say_how_it_is_falls_silent() -> None:
    board = StatusBoard("predictor", "host-1")
    board.set_state(ServiceState.READY)
    assert board.trouble is None, "who never spoke owes no word"
    board.set_trouble(None, -1.0)
    assert board.trouble == "it has not said how it is for 0 s"


def test_metrics_are_such_as_prometheus_reads(server: ThreadingHTTPServer) -> None:
    code, content_type, body = get(server, "/metrics")
    assert code == 200
    assert content_type.startswith("text/plain")
    assert b"python_info" in body


def test_another_path_says_what_there_is(server: ThreadingHTTPServer) -> None:
    assert get(server, "/")[0] == 404
    assert b"/metrics" in get(server, "/")[2]


def test_scrapes_stay_out_of_the_log(server: ThreadingHTTPServer, capfd: pytest.CaptureFixture[str]) -> None:
    get(server, "/health")
    assert capfd.readouterr().err == ""


def test_a_taken_port_gives_a_free_one_and_says_so(
    board: StatusBoard, server: ThreadingHTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    taken = server.server_address[1]
    second = serve_metrics(board, "127.0.0.1", taken)
    try:
        assert second.server_address[1] != taken
        assert f"port {taken} is taken: /metrics is on port {second.server_address[1]}" in caplog.text
        assert get(second, "/metrics")[0] == 200
    finally:
        second.shutdown()
        second.server_close()


@pytest.fixture
def _signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("_signals_as_before")
def test_a_signal_asks_for_a_stop_and_interrupts_nothing(number: signal.Signals) -> None:
    stop = stop_event_on_signals()
    assert not stop.is_set()
    signal.raise_signal(number)
    assert stop.wait(5)


@pytest.fixture
def _quiet_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("schemas.service.configure_logs", lambda *_: None)


def exit_code(run: object) -> int:
    with pytest.raises(SystemExit) as caught:
        run_service("predictor", Settings, run)  # type: ignore[arg-type]
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.usefixtures("_quiet_start")
def test_a_service_that_ends_by_itself_exits_with_0() -> None:
    seen: list[Settings] = []
    assert exit_code(seen.append) == 0
    assert isinstance(seen[0], Settings)


@pytest.mark.usefixtures("_quiet_start")
def test_a_service_that_must_stop_says_one_line_and_exits_with_78(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: Settings) -> None:
        raise StopAndSayError("topic ticks is missing")

    assert exit_code(run) == 78 == EXIT_STOP_AND_SAY == os.EX_CONFIG
    assert capsys.readouterr().err == "predictor: topic ticks is missing\n"


@pytest.mark.usefixtures("_quiet_start")
def test_wrong_settings_stop_a_service_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKCAST_PARTITIONS", "0")
    assert exit_code(lambda _: None) == EXIT_STOP_AND_SAY
    said = capsys.readouterr().err
    assert said.startswith("predictor: wrong settings: TICKCAST_PARTITIONS: ")
    assert said.count("\n") == 1


@pytest.mark.usefixtures("_quiet_start")
def test_a_service_that_may_be_started_again_says_one_line_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: Settings) -> None:
        raise RetryError("no Kafka broker answers")

    assert exit_code(run) == 1
    assert capsys.readouterr().err == "predictor: no Kafka broker answers\n"


@pytest.mark.usefixtures("_quiet_start")
def test_ctrl_c_is_no_failure() -> None:
    def run(_: Settings) -> None:
        raise KeyboardInterrupt

    assert exit_code(run) == 0


@pytest.mark.usefixtures("_quiet_start")
def test_an_unforeseen_error_is_not_hidden() -> None:
    def run(_: Settings) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_service("predictor", Settings, run)


def test_errors_say_what_to_do_with_them() -> None:
    kinds = (RetryError, DeadLetterError, StopAndSayError)
    assert all(issubclass(kind, TickcastError) for kind in kinds)
    assert not any(issubclass(one, other) for one in kinds for other in kinds if one is not other)
