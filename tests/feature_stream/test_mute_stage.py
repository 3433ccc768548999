"""A stage that is connected and brings nothing: `/health` says so, and a watchdog ends it."""

import random
from pathlib import Path
from typing import Any

import pytest

from schemas.events import ServiceState
from schemas.topics import SERVICE_STATUS, TICKER_STATES_CHANGELOG, TICKS
from tests.brokers import BrokerUnderTest, Record
from tests.feature_stream.simulation import PARTITIONS, market_frames
from tests.processes import Processes, ServiceProcess

pytestmark = pytest.mark.integration


def _start(processes: Processes, broker: BrokerUnderTest, fault: str, file: Path, **settings: Any) -> ServiceProcess:
    bounds: dict[str, Any] = {"mute_unhealthy_seconds": 1, "mute_end_seconds": 600} | settings
    environment = broker.environment(interval="1m", **bounds)
    return processes.start("tests.feature_stream.mute_stage", fault, str(file), environment=environment)


def _feed(broker: BrokerUnderTest, minutes: int = 1) -> None:
    frames = list(market_frames(random.Random(1), tickers=20, minutes=minutes))
    for partition in range(PARTITIONS):
        broker.produce(TICKS, *(frame for home, frame in frames if home == partition), partition=partition)


def _wait_until_unhealthy(stage: ServiceProcess, reason: str) -> None:
    def said() -> bool:
        code, body = stage.get("/health")
        return code == 503 and reason in body

    stage.wait_for(said, what=f"/health saying: {reason}")


def _absorbs(stage: ServiceProcess) -> bool:
    return stage.metric("tickcast_frames_absorbed_total") > 0


@pytest.mark.parametrize("fault", ["drops", "hangs"])
def test_health_is_false_while_records_wait_and_true_again_when_they_come(
    kafka: BrokerUnderTest, processes: Processes, tmp_path: Path, fault: str
) -> None:
    file = tmp_path / "fault"
    stage = _start(processes, kafka, fault, file)
    _feed(kafka)
    stage.wait_for(lambda: _absorbs(stage), what="absorbing")
    stage.wait_until_healthy()
    file.touch()
    _feed(kafka)
    _wait_until_unhealthy(stage, "and none was absorbed for")
    assert stage.metric("tickcast_lag_records") > 0
    assert stage.metric("tickcast_lag_seconds") > 0

    def told(read: list[Record]) -> bool:
        return any("none was absorbed" in record.event().message for record in read)

    [*_, status] = [record.event() for record in kafka.read(SERVICE_STATUS, told)]
    assert status.state is ServiceState.DEGRADED
    file.unlink()
    stage.wait_until_healthy()
    stage.wait_for(lambda: stage.metric("tickcast_lag_records") == 0, what="no lag")
    assert stage.metric("tickcast_lag_seconds") == 0
    assert stage.stop() == 0


def test_a_reader_that_dies_ends_the_process(kafka: BrokerUnderTest, processes: Processes, tmp_path: Path) -> None:
    file = tmp_path / "fault"
    file.touch()
    stage = _start(processes, kafka, "dies", file)
    _feed(kafka)
    assert stage.wait() == 1
    assert "the reader is dead: this process ends itself" in stage.output()


@pytest.mark.parametrize("fault", ["drops", "hangs"])
def test_what_stays_mute_ends_itself_to_be_started_again(
    kafka: BrokerUnderTest, processes: Processes, tmp_path: Path, fault: str
) -> None:
    file = tmp_path / "fault"
    file.touch()
    stage = _start(processes, kafka, fault, file, mute_end_seconds=4)
    _feed(kafka)
    assert stage.wait() == 1
    assert "none was absorbed for" in stage.output()
    assert "begins again" in stage.output()


def test_a_recovery_that_reads_nothing_is_not_healthy_and_ends_at_last(
    kafka: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    file = tmp_path / "fault"
    first = _start(processes, kafka, "recovers", file)
    _feed(kafka)
    kafka.read(TICKER_STATES_CHANGELOG, PARTITIONS)
    assert first.stop() == 0
    file.touch()
    bounds = {"mute_unhealthy_seconds": 3, "mute_end_seconds": 8}
    stage = _start(processes, kafka, "recovers", file, **bounds)
    _wait_until_unhealthy(stage, "nothing more of their state is read")
    assert stage.wait() == 1
    file.unlink()
    again = _start(processes, kafka, "recovers", file, **bounds)
    again.wait_until_healthy()


def test_a_stage_whose_heartbeats_stop_is_not_healthy_though_nothing_waits(
    kafka: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    file = tmp_path / "fault"
    stage = _start(processes, kafka, "numb", file, session_timeout_seconds=6)
    stage.wait_until_healthy()
    file.touch()
    _wait_until_unhealthy(stage, "no heartbeat reached the group")
    file.unlink()
    stage.wait_until_healthy()


def test_a_standby_without_partitions_is_healthy(kafka: BrokerUnderTest, processes: Processes, tmp_path: Path) -> None:
    bounds = {"join_unhealthy_seconds": 2, "join_end_seconds": 600}
    workers = [
        _start(processes, kafka, "none", tmp_path / "fault", instance=f"worker-{number}", **bounds)
        for number in range(PARTITIONS + 1)
    ]

    def shared_out() -> bool:
        owned = sorted(worker.metric("tickcast_partitions") for worker in workers)
        return owned == [0.0] + [1.0] * PARTITIONS and all(worker.get("/health")[0] == 200 for worker in workers)

    workers[0].wait_for(shared_out, what="one partition each, one worker without, and all of them healthy")
