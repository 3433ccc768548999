import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import VERSION, status
from schemas.codec import decoder
from schemas.events import ServiceState, ServiceStatus
from schemas.status import StatusBoard, StatusReporter, resident_bytes

decode = decoder(ServiceStatus)


class Wire:
    """Takes what a reporter sends; a test waits for it."""

    def __init__(self) -> None:
        self.records: queue.Queue[tuple[bytes, bytes]] = queue.Queue()
        self.failures = 0

    def send(self, key: bytes, value: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise BufferError("the queue is full")
        self.records.put((key, value))

    def next_state(self) -> ServiceState:
        return decode(self.records.get(timeout=5)[1]).state


@pytest.fixture
def board() -> StatusBoard:
    return StatusBoard("predictor", "host-1")


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def reporter(board: StatusBoard, wire: Wire) -> Iterator[StatusReporter]:
    reporter = StatusReporter(board, wire.send)
    yield reporter
    reporter.stop()


def test_a_board_tells_who_where_and_since_when(board: StatusBoard) -> None:
    event = board.event()
    assert (event.service, event.instance, event.version) == ("predictor", "host-1", VERSION)
    assert event.state is ServiceState.STARTING
    assert 0 <= event.updated_at_ns - event.started_at_ns < 60 * 10**9
    assert event.memory_bytes > 10_000_000


def test_a_record_is_keyed_by_service_and_instance(board: StatusBoard) -> None:
    key, value = board.record()
    assert key == b"predictor/host-1"
    assert decode(value).service == "predictor"


def test_figures_go_out_with_the_next_event_and_replace_the_last(board: StatusBoard) -> None:
    board.set_figures(lag_records=0, rates={"ticks": 2.5}, latency_seconds={"p50": 0.01})
    event = board.event()
    assert (event.lag_records, event.rates, event.latency_seconds) == (0, {"ticks": 2.5}, {"p50": 0.01})
    board.set_figures()
    event = board.event()
    assert (event.lag_records, event.rates, event.latency_seconds) == (None, {}, {})


def test_only_a_change_rouses_the_reporter(board: StatusBoard) -> None:
    board.set_state(ServiceState.STARTING)
    assert not board.changed.is_set()
    board.set_state(ServiceState.STARTING, "reading")
    assert board.changed.is_set()
    assert board.event().message == "reading"
    assert board.state is ServiceState.STARTING


def test_a_report_goes_out_at_once_at_every_change_and_at_the_end(
    board: StatusBoard, wire: Wire, reporter: StatusReporter
) -> None:
    began = time.monotonic()
    reporter.start()
    assert wire.next_state() is ServiceState.STARTING
    board.set_state(ServiceState.READY)
    assert wire.next_state() is ServiceState.READY
    reporter.stop()
    assert wire.next_state() is ServiceState.STOPPING
    assert time.monotonic() - began < status.REPORT_EVERY_SECONDS, "nothing waited for the next round"
    assert wire.records.empty()


def test_without_a_change_a_report_goes_out_every_few_seconds(
    wire: Wire, reporter: StatusReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "REPORT_EVERY_SECONDS", 0.01)
    reporter.start()
    assert [wire.next_state() for _ in range(3)] == [ServiceState.STARTING] * 3


def test_a_report_that_cannot_be_sent_is_tried_again(
    wire: Wire, reporter: StatusReporter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(status, "REPORT_EVERY_SECONDS", 0.01)
    wire.failures = 2
    reporter.start()
    assert wire.next_state() is ServiceState.STARTING
    assert caplog.messages.count("the status could not be sent, trying again: the queue is full") == 2


def test_a_reporter_that_never_started_can_be_stopped(board: StatusBoard, wire: Wire) -> None:
    StatusReporter(board, wire.send).stop()
    assert wire.records.empty()


def test_stopping_does_not_wait_for_a_broker_that_hangs(board: StatusBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    reporter = StatusReporter(board, lambda key, value: (release.wait(30), None)[1])
    reporter.start()
    began = time.monotonic()
    reporter.stop()
    assert time.monotonic() - began < 4
    release.set()


def test_memory_is_zero_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(self: Path) -> str:
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", absent)
    assert resident_bytes() == 0
