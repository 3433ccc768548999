"""The end of a trading day at 60 times its speed: predictions come while it goes on, and its end is no muteness."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from ingestor.settings import IngestorSettings
from schemas.events import Origin
from schemas.times import from_rfc3339
from schemas.topics import PREDICTIONS
from tests.brokers import BrokerUnderTest
from tests.ingestor.fast_day import TICKERS, FastDay, fast_day
from tests.ingestor.live_play import MINUTE_NS
from tests.processes import Processes
from tests.records import Record

pytestmark = pytest.mark.integration

#: On the day after Thanksgiving New York closes three hours early: only the exchange's calendar knows.
_CLOSE_NS = from_rfc3339("2026-11-27T18:00:00Z")
_WARM_UP_BARS, _MINUTES, _BEFORE_THE_BREAK = 30, 8, 6
_FIRST_NS = _CLOSE_NS - _MINUTES * MINUTE_NS
_MUTE_SECONDS = 300.0


async def test_predictions_come_live_and_nothing_is_mute_after_the_close(
    kafka: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    for name in ("feature_stream", "predictor"):
        processes.start(name, environment=kafka.environment(interval="1m"))
    for service in processes.started:
        await asyncio.to_thread(service.wait_until_healthy)
    settings = kafka.settings(IngestorSettings, source="alpaca", tickers=TICKERS, interval="1m")
    begin_ns = _FIRST_NS - 50 * 10**9
    async with fast_day(tmp_path, begin_ns, warm_up_bars=_WARM_UP_BARS, mute_seconds=_MUTE_SECONDS) as day:
        day.happened(_FIRST_NS - (_WARM_UP_BARS + 1) * MINUTE_NS, _WARM_UP_BARS + 1)
        async with day.ingested(settings):
            await _predicted(kafka, _FIRST_NS - 2 * MINUTE_NS)
            day.clock.run_at(60)
            await day.trade(_FIRST_NS, _BEFORE_THE_BREAK)
            day.clock.run_at(0)  # time stands until it is shown that predictions have come
            await _predicted(kafka, _FIRST_NS + (_BEFORE_THE_BREAK - 2) * MINUTE_NS)
            day.clock.run_at(60)
            await day.trade(_FIRST_NS + _BEFORE_THE_BREAK * MINUTE_NS, _MINUTES - _BEFORE_THE_BREAK)
            day.clock.run_at(600)
            await day.pass_until(_CLOSE_NS + 4 * int(_MUTE_SECONDS) * 10**9)
            live = await _predicted(kafka, _CLOSE_NS - MINUTE_NS)
    _require_all_live(live)
    _require_never_mute(day)


def _require_all_live(records: list[Record]) -> None:
    made = {(one.ticker, one.as_of_ns): one.origin for one in (record.event() for record in records)}
    for ticker in TICKERS:
        ends_ns = [_FIRST_NS + minute * MINUTE_NS for minute in range(1, _MINUTES + 1)]
        assert [made[ticker, end_ns] for end_ns in ends_ns] == [Origin.NORMAL] * _MINUTES


def _require_never_mute(day: FastDay) -> None:
    assert day.troubles == set()
    assert day.fake.connections == 1
    assert day.play.count("tickcast_source_connections_lost_total", reason="mute") == 0
    assert day.play.count("tickcast_source_gaps_total", result="unfilled") == 0


async def _predicted(broker: BrokerUnderTest, start_ns: int) -> list[Record]:
    """Wait until there is a prediction of all tickers from the bar with a start; give all that are there."""
    return await asyncio.to_thread(broker.read, PREDICTIONS, partial(_holds, start_ns + MINUTE_NS))


def _holds(end_ns: int, records: list[Record]) -> bool:
    events = [record.event() for record in records]
    return {event.ticker for event in events if event.as_of_ns == end_ns} >= set(TICKERS)
