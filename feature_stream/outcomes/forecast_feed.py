"""`forecasts`, read without a group beside the worker's own logs: each start reads the newest again."""

import asyncio
import logging
import time
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from feature_stream.outcomes.forecasts import OpenForecast
from feature_stream.scores.log import AnotherLogError, Places, assign, has_reached, next_records, partitions_of
from feature_stream.settle_forecast import content_digest, ticker_of
from schemas.aiokafka_config import consumer_config
from schemas.codec import UndecodableError, decoder, new_traceparent, traceparent_of
from schemas.events import Forecast
from schemas.settings import Settings
from schemas.topics import FORECASTS

#: Read again by a start, at most: of these the open ones are kept.
NEWEST_RECORDS = 50_000
#: Bars wait so long for a start to read the forecasts: absorbed before, they might be gone from the ledgers.
_WAIT_SECONDS = 10.0
_READ_RECORDS = 500
#: Records taken at a stretch; between two stretches others of the same event loop have their turn.
_STRETCH = 50
_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class ForecastFeed:
    """Hands on the forecasts that name a ticker, from `start` to `stop`, through every outage of the broker."""

    def __init__(
        self,
        settings: Settings,
        take: Callable[[OpenForecast], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """Prepare; nothing is asked of the broker.

        Args:
            take: Called in the event loop.
            on_failure: Told of an error that has ended it, and is not the broker's.
        """
        self._settings = settings
        self._take = take
        self._on_failure = on_failure
        self._decode = decoder(Forecast)
        self._task: asyncio.Task[None] | None = None
        self._started_at = 0.0
        self._caught_up = False
        self._read: Places = {}

    def ready(self, now: float) -> bool:
        """Tell whether bars may be absorbed: all that was there at the start was read, or waited for long enough.

        While it is being stopped nothing changes: what waits for the forecasts waits for whoever reads them next.

        Args:
            now: A monotonic clock, in seconds.
        """
        return self._caught_up or now - self._started_at > _WAIT_SECONDS

    async def start(self) -> None:
        """Begin without a memory; returns at once. What was begun before is ended."""
        await self.stop()
        self._caught_up, self._read, self._started_at = False, {}, time.monotonic()
        self._task = asyncio.create_task(self._run(), name="forecasts")
        self._task.add_done_callback(self._tell_failure)

    async def stop(self) -> None:
        """End, and return when the connection is closed."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=_RETRY_SECONDS)

    def _tell_failure(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("forecasts are settled no more", exc_info=error)
            self._on_failure(error)

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except AnotherLogError as error:
                _log.warning("forecasts are read anew: %s", error)
                self._read = {}
            except (KafkaError, OSError) as error:  # retry, from what was read
                _log.warning("cannot read forecasts, trying again: %s", error or type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        client_id = f"tickcast-outcomes/{self._settings.instance}-forecasts"
        consumer = AIOKafkaConsumer(**consumer_config(self._settings, client_id))
        try:
            await consumer.start()
            partitions = await partitions_of(consumer, self._settings.topic_prefix + FORECASTS.name)
            ends = await assign(consumer, partitions, self._read, NEWEST_RECORDS)
            while True:
                records = await next_records(consumer, _READ_RECORDS)
                for first in range(0, len(records), _STRETCH):
                    self._take_in(records[first : first + _STRETCH])
                    await asyncio.sleep(0)
                if not self._caught_up and await has_reached(consumer, ends):
                    self._caught_up = True
        finally:
            await consumer.stop()

    def _take_in(self, records: list[ConsumerRecord]) -> None:
        for record in records:
            try:
                forecast = self._decode(record.value)
            except UndecodableError as error:  # it stays in its topic, and was never ours to answer
                _log.warning("passed over %s:%d:%d: %s", record.topic, record.partition, record.offset, error)
            else:
                self._hand_on(forecast, traceparent_of(record.headers) or new_traceparent())
            self._read[TopicPartition(record.topic, record.partition)] = record.offset + 1

    def _hand_on(self, forecast: Forecast, traceparent: str) -> None:
        ticker = ticker_of(forecast)
        if ticker is not None:
            self._take(OpenForecast(ticker, content_digest(forecast), forecast, traceparent))
