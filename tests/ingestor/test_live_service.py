"""The ingestor as a process on a live market: killed, started again, stopped by a wrong key."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from schemas.errors import EXIT_STOP_AND_SAY
from schemas.topics import TICKS
from tests.brokers import BrokerUnderTest, Record
from tests.ingestor.providers.fake import KEY, SECRET
from tests.ingestor.providers.in_thread import AlpacaInThread, PolygonInThread
from tests.processes import Processes, ServiceProcess

pytestmark = pytest.mark.integration


@pytest.fixture
def start(
    broker: BrokerUnderTest, processes: Processes, alpaca: AlpacaInThread, tmp_path: Path
) -> Callable[..., ServiceProcess]:
    def start_one(key: str = KEY, **more: object) -> ServiceProcess:
        settings = alpaca.settings(tmp_path) | {"apca_api_key_id": key, "log_level": "debug"} | more
        return processes.start("ingestor", environment=broker.environment(**settings))

    return start_one


def _connected(service: ServiceProcess, alpaca: AlpacaInThread, times: int) -> None:
    service.wait_for(lambda: alpaca.fake.connections >= times, what=f"connection {times}")


def _holds(count: int, records: list[Record]) -> bool:
    return len(_ticks(records)) >= count


def _ticks(records: list[Record]) -> list[tuple[str, float]]:
    frames = [record.event() for record in records]
    return sorted(pair for frame in frames for pair in zip(frame.tickers, frame.prices, strict=True))


def test_killed_and_started_again_it_resumes_and_says_every_trade_once(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess], alpaca: AlpacaInThread
) -> None:
    sent = []
    for times in (1, 2):
        service = start()
        _connected(service, alpaca, times)
        trades = [
            (ticker, time.time_ns(), 100.0 * times + n, 1.0, 10 * times + n)
            for n in range(5)
            for ticker in ("AAPL", "MSFT")
        ]
        alpaca.do(alpaca.fake.send(*trades))
        sent += [(ticker, price) for ticker, _, price, _, _ in trades]
        records = broker.read(TICKS, partial(_holds, 10 * times))
        assert _ticks(records) == sorted(sent)
        service.kill()
    for partition in range(4):
        own = [record.event().sequence for record in records if record.partition == partition]
        assert own == list(range(len(own)))
    assert KEY not in service.output()
    assert SECRET not in service.output()


def test_where_the_first_of_two_breaks_and_refuses_the_second_plays(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess], alpaca: AlpacaInThread, polygon: PolygonInThread
) -> None:
    service = start(source="alpaca,polygon", source_mute_seconds=600, **polygon.settings())
    _connected(service, alpaca, 1)
    service.wait_for(
        lambda: service.metric("tickcast_source_allowed_silence_seconds") == 600, what="what the alert must know"
    )
    alpaca.do(alpaca.fake.send(("AAPL", time.time_ns(), 100.0, 1.0, 1)))
    broker.read(TICKS, partial(_holds, 1))
    alpaca.fake.error = (402, "auth failed")
    alpaca.do(alpaca.fake.drop())
    service.wait_for(lambda: polygon.fake.connections > 0, what="the second provider")
    polygon.do(polygon.fake.send(("AAPL", time.time_ns(), 101.0, 1.0, 1)))
    frames = [record.event() for record in broker.read(TICKS, partial(_holds, 2))]
    told = [(frame.provider, price) for frame in frames for price in frame.prices]
    assert told == [("alpaca", 100.0), ("polygon", 101.0)]
    assert {frame.source for frame in frames} == {"live"}
    assert "polygon takes over from alpaca" in service.output()


def test_a_wrong_key_ends_the_service_with_one_line(start: Callable[..., ServiceProcess]) -> None:
    service = start(key="PKwrong")
    assert service.process.wait(60) == EXIT_STOP_AND_SAY
    assert "it refuses the key: see APCA_API_KEY_ID" in service.output().splitlines()[-1]
    assert SECRET not in service.output()
