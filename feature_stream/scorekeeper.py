"""The scorekeeper: `outcomes` in, scoreboards out, on one worker at a time.

Every start begins without a memory: it reads the newest records of `outcomes` (a setting) and, from the newest boards
on `scores`, what was said last, so that nothing is said twice in a row. Its boards are a function of the outcomes. If
two workers keep the scores for a while, they say the same under the same ids.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from feature_stream.scores.log import AnotherLogError, Places, assign, has_reached, next_records, partitions_of
from feature_stream.scores.publisher import ScorePublisher
from feature_stream.scores.settings import ScoreSettings
from feature_stream.scores.state import ScoreKeeper
from schemas.aiokafka_config import consumer_config, producer_config
from schemas.codec import UndecodableError, decoder
from schemas.events import Outcome
from schemas.topics import OUTCOMES, SCORES

RETRY_SECONDS = 1.0
#: Records taken at a stretch; between two stretches others of the same event loop have their turn.
STRETCH = 100
_READ_RECORDS = 2_000
_STOP_SECONDS = 3.0
_LINGER_MS = 5
#: Where more outcomes wait than that, they are taken for so long before boards are made of them.
_READ_SECONDS = 1.0
#: The newest boards of each partition of `scores` that a start looks at.
_BOARDS_REMEMBERED = 5_000

_LARGEST_NS = 2**62

_log = logging.getLogger(__name__)


class Scorekeeper:
    """Works in `run` until cancelled, or in the background from `start` to `stop`, through every outage of the broker.

    Attributes:
        caught_up: Set when all that was in `outcomes` at the start is in the boards; nothing is said before.
    """

    def __init__(
        self,
        settings: ScoreSettings,
        now_ns: Callable[[], int] = time.time_ns,
        on_failure: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Prepare; nothing is asked of the broker.

        Args:
            settings: Connection, prefix, interval, and how much is read again.
            now_ns: The clock of `updated_at_ns`.
            on_failure: Told of an error that has ended it in the background, and is not the broker's.
        """
        self.caught_up = asyncio.Event()
        self._settings = settings
        self._now_ns = now_ns
        self._on_failure = on_failure
        self._source = f"feature_stream/{settings.instance}"
        self._decode = decoder(Outcome)
        self._task: asyncio.Task[None] | None = None
        self._forget()

    def _forget(self) -> None:
        self.caught_up.clear()
        self._keeper = ScoreKeeper(self._settings.interval)
        self._publisher = ScorePublisher(self._settings.topic_prefix + SCORES.name, self._source, self._now_ns)
        self._read: Places = {}

    async def start(self) -> None:
        """Begin in the background; returns at once. A second call changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self.run(), name="scorekeeper")
            self._task.add_done_callback(self._tell_failure)

    def _tell_failure(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        _log.error("the scores are kept no more", exc_info=error)
        if self._on_failure is not None:
            self._on_failure(error)

    async def stop(self) -> None:
        """End, and return when all connections are closed; it may be started again."""
        task, self._task = self._task, None
        self.caught_up.clear()
        if task is not None:
            task.cancel()
            await asyncio.wait([task])  # what it raised was told

    async def run(self) -> None:
        """Keep the scores, from no memory, until cancelled; an error that is not the broker's ends it."""
        self._forget()
        while True:
            try:
                await self._follow()
            except AnotherLogError as error:
                _log.warning("the scores begin anew: %s", error)
                self._forget()
            except (KafkaError, OSError) as error:  # retry, with what was read
                _log.warning("cannot keep the scores, trying again: %s", error or type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        client_id = f"tickcast-{self._source}-scores"
        consumer = AIOKafkaConsumer(**consumer_config(self._settings, client_id))
        producer = AIOKafkaProducer(**producer_config(self._settings, client_id), linger_ms=_LINGER_MS)
        try:
            await consumer.start()
            await producer.start()
            await self._read_boards(consumer)
            await self._keep(consumer, producer)
        finally:
            await consumer.stop()
            with suppress(TimeoutError):  # what the broker does not take is said again at the next start
                await asyncio.wait_for(producer.stop(), _STOP_SECONDS)

    async def _read_boards(self, consumer: AIOKafkaConsumer) -> None:
        partitions = await partitions_of(consumer, self._settings.topic_prefix + SCORES.name)
        ends = await assign(consumer, partitions, {}, _BOARDS_REMEMBERED)
        while not await has_reached(consumer, ends):
            self._publisher.remember(await next_records(consumer, _READ_RECORDS))

    async def _keep(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        partitions = await partitions_of(consumer, self._settings.topic_prefix + OUTCOMES.name)
        ends = await assign(consumer, partitions, self._read, self._settings.score_replay_records)
        while True:
            await self._take_waiting(consumer)
            if not self.caught_up.is_set() and await has_reached(consumer, ends):
                self.caught_up.set()
                _log.info("scores: caught up, tickers: %d", len(self._keeper.tickers))
            if self.caught_up.is_set():
                await self._publisher.publish(producer, self._keeper)

    async def _take_waiting(self, consumer: AIOKafkaConsumer) -> None:
        """Take what waits, or as much of it as there is time for."""
        until = time.monotonic() + _READ_SECONDS
        while records := await next_records(consumer, _READ_RECORDS):
            for first in range(0, len(records), STRETCH):
                self._take(records[first : first + STRETCH])
                await asyncio.sleep(0)
            if len(records) < _READ_RECORDS or time.monotonic() > until:
                break

    def _take(self, records: list[ConsumerRecord]) -> None:
        self._publisher.changed |= self._keeper.add(self._outcomes(records))
        for record in records:
            self._read[TopicPartition(record.topic, record.partition)] = record.offset + 1

    def _outcomes(self, records: list[ConsumerRecord]) -> Iterator[Outcome]:
        for record in records:
            try:
                outcome = self._decode(record.value)
                problem = _problem_of(outcome)
            except UndecodableError as error:
                problem = str(error)
            if problem is None:
                yield outcome
            else:  # it stays in its topic, and was never ours to answer
                _log.warning("passed over %s:%d:%d: %s", record.topic, record.partition, record.offset, problem)


def _problem_of(outcome: Outcome) -> str | None:
    """Say what makes a decoded outcome unusable, naming the field; None where nothing does."""
    if outcome.horizon < 1:
        return f"Outcome: horizon {outcome.horizon} is not at least 1"
    times = (outcome.start_ns, outcome.as_of_ns, outcome.matured_ns)
    return None if all(abs(each) < _LARGEST_NS for each in times) else "Outcome: its times are out of range"
