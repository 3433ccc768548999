"""Follow `models` and `scores` without a group: all of both, from the beginning."""

import logging
import time
from collections.abc import Callable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from predictor.scoring_boards import ScoringBoards
from predictor.settings import PredictorSettings
from schemas.codec import UndecodableError, decoder
from schemas.consumers import groupless_config
from schemas.decisions import Decisions
from schemas.errors import RetryError
from schemas.events import ModelEvent, Scoreboard
from schemas.topics import MODELS, SCORES

_log = logging.getLogger(__name__)
_DRAIN_RECORDS = 1_000
_READ_WITHIN_SECONDS = 60.0
_ASK_SECONDS = 10.0
#: The newest ones of a partition of `scores` that a start looks at: the last dozens of each of its tickers.
BOARDS_READ = 10_000


class ModelFeed:
    """The newest decision on models, and the newest scoreboards of each ticker.

    Attributes:
        boards: Those that can be; one that cannot is said, and passed over.
    """

    def __init__(self, settings: PredictorSettings) -> None:
        self.boards = ScoringBoards(settings.interval, settings.horizons)
        self._models = settings.topic_prefix + MODELS.name
        self._scores = settings.topic_prefix + SCORES.name
        self._decode_model = decoder(ModelEvent)
        self._decode_score = decoder(Scoreboard)
        self._decisions = Decisions()
        self._told: str | None = None
        self._consumer = Consumer(groupless_config(settings, "predictor-models", tell_ends=True))

    def read_to_ends(self, stopping: Callable[[], bool]) -> None:
        """Read all that is there now, or as much as there was time for when told to stop.

        Raises:
            RetryError: It takes longer than a minute.
        """
        left = self._assign()
        deadline = time.monotonic() + _READ_WITHIN_SECONDS
        while left and not stopping():
            if time.monotonic() > deadline:
                raise RetryError(f"the ends of {', '.join(sorted({topic for topic, _ in left}))} were not reached")
            for message in self._consumer.consume(_DRAIN_RECORDS, timeout=0.02):
                if message.error() is not None and message.error().code() == KafkaError._PARTITION_EOF:
                    left.discard((message.topic(), message.partition()))
                else:
                    self._take(message)

    def _assign(self) -> set[tuple[str, int]]:
        topics = self._consumer.list_topics(timeout=_ASK_SECONDS).topics
        pairs = {(topic, partition) for topic in (self._models, self._scores) for partition in topics[topic].partitions}
        self._consumer.assign([self._start(topic, partition) for topic, partition in pairs])
        return pairs

    def _start(self, topic: str, partition: int) -> TopicPartition:
        """Begin at the beginning of `models`, and late enough in `scores`, of which a week may be gigabytes."""
        if topic == self._models:
            return TopicPartition(topic, partition, OFFSET_BEGINNING)
        first, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ASK_SECONDS)
        return TopicPartition(topic, partition, max(first, end - BOARDS_READ))

    def poll(self) -> ModelEvent | None:
        """Take what came meanwhile; give the decision that holds now if it is not the one given before."""
        for message in self._consumer.consume(_DRAIN_RECORDS, timeout=0):
            self._take(message)
        newest = self._decisions.newest()
        if newest is None or newest.id == self._told:
            return None
        self._told = newest.id
        return newest

    def earlier(self) -> list[ModelEvent]:
        """Give the decisions before the one that holds now, newest first."""
        return list(self._decisions.newest_first())[1:]

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.fatal():
                raise KafkaException(error)
            return  # librdkafka tries again by itself; an end of partition is no news
        try:
            if message.topic() == self._models:
                self._decisions.add(message.partition(), self._decode_model(message.value()))
                problem = None
            else:
                problem = self.boards.add(self._decode_score(message.value()))
        except UndecodableError as undecodable:
            problem = str(undecodable)
        if problem is not None:  # it stays in its topic, and was never ours to answer
            place = f"{message.topic()}:{message.partition()}:{message.offset()}"
            _log.warning("passed over %s: %s", place, problem)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()
