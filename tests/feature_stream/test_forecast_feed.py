"""The reader of forecasts beside the worker's own logs: how long bars wait for it."""

import asyncio
import time
from collections.abc import Callable
from unittest.mock import MagicMock

import pytest

from feature_stream.outcomes.forecast_feed import ForecastFeed
from feature_stream.outcomes.settings import OutcomesSettings
from schemas.topics import FORECASTS
from tests.brokers import BrokerUnderTest
from tests.feature_stream.forecasts import forecast

#: What a test waits for at most.
_SECONDS = 30.0


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(_SECONDS):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.mark.integration
async def test_bars_wait_until_all_that_was_there_is_read(broker: BrokerUnderTest) -> None:
    taken, failed = MagicMock(), MagicMock()
    feed = ForecastFeed(broker.settings(OutcomesSettings), taken, failed)
    assert feed.ready(time.monotonic()), "nothing is read yet"
    broker.produce(FORECASTS, forecast(1), b"{garbage", forecast(2, None), forecast(3), key="r")
    await feed.start()
    assert not feed.ready(time.monotonic())
    await _until(lambda: feed.ready(time.monotonic()))
    assert [call.args[0].forecast for call in taken.call_args_list] == [forecast(1), forecast(3)]
    await feed.start()
    await _until(lambda: taken.call_count == 4)
    await feed.stop()
    failed.assert_not_called()


async def test_bars_wait_no_longer_than_they_can_for_a_broker_that_is_away() -> None:
    settings = OutcomesSettings(_env_file=None, kafka_bootstrap_servers="127.0.0.1:1")
    feed = ForecastFeed(settings, MagicMock(), MagicMock())
    await feed.start()
    assert not feed.ready(time.monotonic() + 9)
    assert feed.ready(time.monotonic() + 11)
    await feed.stop()
    assert not feed.ready(time.monotonic()), "what waited lets no bars through because a rebalance ended it"
