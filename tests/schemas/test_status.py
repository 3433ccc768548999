import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import VERSION, status
from schemas.codec import decoder
from schemas.events import ServiceState, ServiceStatus
from schemas.status import StatusBoard, StatusReporter, resident_bytes

decode = decoder(ServiceStatus)
DEADLINE_SECONDS = 60.0


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
        return decode(self.records.get(timeout=DEADLINE_SECONDS)[1]).state

    def left(self) -> list[tuple[bytes, bytes]]:
        """Give what nobody waited for."""
        return [self.records.get_nowait() for _ in range(self.records.qsize())]


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


def test_the_age_of_the_lag_and_totals_go_out_likewise(board: StatusBoard) -> None:
    board.set_figures(lag_seconds=1.5, totals={"late": 3})
    assert (board.event().lag_seconds, board.event().totals) == (1.5, {"late": 3})
    board.set_figures()
    assert (board.event().lag_seconds, board.event().totals) == (None, {})


def test_who_is_in_trouble_is_degraded_and_says_so_at_once(board: StatusBoard) -> None:
    board.set_state(ServiceState.READY, "4 partitions")
    board.changed.clear()
    board.set_trouble(None, 60.0)
    assert not board.changed.is_set()
    board.set_trouble("mute for 6 s", 60.0)
    assert board.changed.is_set()
    assert (board.event().state, board.event().message) == (ServiceState.DEGRADED, "mute for 6 s")
    board.changed.clear()
    board.set_trouble("mute for 7 s", 60.0)
    assert not board.changed.is_set(), "it was said: the next report has the number"
    board.set_trouble(None, 60.0)
    assert board.changed.is_set()
    assert (board.event().state, board.event().message) == (ServiceState.READY, "4 partitions")
    board.set_trouble("mute", 60.0)
    board.set_state(ServiceState.STOPPING)
    assert board.event().state is ServiceState.STOPPING


def test_only_a_change_rouses_the_reporter(board: StatusBoard) -> None:
    board.set_state(ServiceState.STARTING)
    assert not board.changed.is_set()
    board.set_state(ServiceState.STARTING, "reading")
    assert board.changed.is_set()
    assert board.event().message == "reading"
    assert board.state is ServiceState.STARTING


def test_a_report_goes_out_at_once_at_every_change_and_at_the_end(
    board: StatusBoard, wire: Wire, reporter: StatusReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "REPORT_EVERY_SECONDS", 10 * DEADLINE_SECONDS)  # nothing can wait for the next round
    reporter.start()
    assert wire.next_state() is ServiceState.STARTING
    board.set_state(ServiceState.READY)
    assert wire.next_state() is ServiceState.READY
    reporter.stop()
    assert wire.next_state() is ServiceState.STOPPING
    assert {decode(value).state for _, value in wire.left()} <= {ServiceState.STOPPING}


class SlowlySet(threading.Event):
    """Whoever sets it goes on only when the reporter's thread has seen it, and ended."""

    def __init__(self, reporter: StatusReporter) -> None:
        super().__init__()
        self._reporter = reporter

    def set(self) -> None:
        super().set()
        self._reporter._thread.join(DEADLINE_SECONDS)


def test_the_last_report_says_that_it_stops_even_where_the_next_round_comes_in_the_middle_of_the_order(
    wire: Wire, reporter: StatusReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "REPORT_EVERY_SECONDS", 0.01)
    reporter._stopped = SlowlySet(reporter)
    reporter.start()
    wire.next_state()
    reporter.stop()
    assert decode(wire.left()[-1][1]).state is ServiceState.STOPPING


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


def test_stopping_does_not_wait_for_a_broker_that_hangs(board: StatusBoard) -> None:
    release = threading.Event()
    reporter = StatusReporter(board, lambda key, value: (release.wait(), None)[1])
    reporter.start()
    stopping = threading.Thread(target=reporter.stop, daemon=True)
    stopping.start()
    stopping.join(DEADLINE_SECONDS)
    assert not stopping.is_alive()
    release.set()


def test_memory_is_zero_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(self: Path) -> str:
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", absent)
    assert resident_bytes() == 0
