"""The one producer of a worker: what it says, dead letters and its table's changelog."""

import asyncio
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from feature_stream.membership import MARGIN_SECONDS
from feature_stream.settings import WorkerSettings
from schemas.codec import Headers, encode, event_headers
from schemas.dead_letters import DeadLetter
from schemas.errors import RetryError
from schemas.events import Bar, Features, Outcome
from schemas.logs import client_logger
from schemas.topics import BARS, DEAD_LETTERS, FEATURES, OUTCOMES, SERVICE_STATUS, Topic
from schemas.tracing import PROCESS_TICKS, Tracer

_POLL_SECONDS = 0.001

#: Called with the offset that the broker gave to a record.
OnStored = Callable[[int], None]


class DeliveryError(RetryError):
    """The broker did not take a record: nothing may be checkpointed, the process must begin again."""


class Epoch:
    """The records sent between two checkpoints.

    Attributes:
        pending: Those that the broker has not answered for yet.
    """

    def __init__(self, on_error: Callable[[KafkaError], None]) -> None:
        self.pending = 0
        self._on_error = on_error

    def answered(self, error: KafkaError | None, _message: Message) -> None:
        """Take the broker's answer for a record."""
        self.pending -= 1
        if error is not None:
            self._on_error(error)

    def answered_to(self, on_stored: OnStored) -> Callable[[KafkaError | None, Message], None]:
        """Give a function that does so, and hands the offset on."""

        def answered(error: KafkaError | None, message: Message) -> None:
            self.answered(error, message)
            if error is None:
                on_stored(message.offset())

        return answered


class Outputs:
    """Send records, and wait until all of an epoch are acknowledged."""

    def __init__(self, settings: WorkerSettings, service: str = "feature_stream", tracer: Tracer | None = None) -> None:
        self._tracer = tracer
        self._prefix = settings.topic_prefix
        self._source = f"{service}/{settings.instance}"
        self._epoch = Epoch(self._fail)
        self._error: KafkaError | None = None
        self._producer = Producer(
            settings.kafka_config()
            | {
                "acks": "all",
                "enable.idempotence": True,
                # A batch that timed out must not be overtaken by a later one: its bars would come after newer ones.
                "enable.gapless.guarantee": True,
                "linger.ms": 2,
                "partitioner": "murmur2_random",
                "queue.buffering.max.messages": 500_000,
                "queue.buffering.max.kbytes": 524_288,
                # A state that waits longer is another worker's to write.
                "message.timeout.ms": round((settings.session_timeout_seconds - MARGIN_SECONDS) * 1_000),
                "client.id": self._source,
                "logger": client_logger(),
            }
        )

    def send_bar(self, bar: Bar, traceparent: str) -> None:
        """Send a closed bar."""
        headers = event_headers("Bar", self._source, bar.id, bar.closed_at_ns, traceparent)
        self.send(BARS, bar.ticker.encode(), encode(bar), partition=bar.source_partition, headers=headers)

    def send_features(self, features: Features, traceparent: str) -> None:
        """Send a feature event; where its trace is followed, as a hop of it.

        Args:
            features: The event.
            traceparent: Of the frame that it was made from.
        """
        if self._tracer is not None:
            traceparent = self._tracer.follow(
                PROCESS_TICKS,
                traceparent,
                features.ingested_at_ns,
                features.featured_at_ns,
                ticker=features.ticker,
                event_id=features.id,
                partition=features.source_partition,
                offset=features.source_offset,
            )
        headers = event_headers("Features", self._source, features.id, features.featured_at_ns, traceparent)
        key = features.ticker.encode()
        self.send(FEATURES, key, encode(features), partition=features.source_partition, headers=headers)

    def send_outcome(self, outcome: Outcome, traceparent: str) -> None:
        """Send a settled prediction."""
        headers = event_headers("Outcome", self._source, outcome.id, outcome.settled_at_ns, traceparent)
        key = outcome.ticker.encode()
        self.send(OUTCOMES, key, encode(outcome), partition=outcome.source_partition, headers=headers)

    def send_dead_letter(self, letter: DeadLetter) -> None:
        """Keep what cannot be understood."""
        self.send(DEAD_LETTERS, letter.key, letter.value, headers=letter.headers())

    def send(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes,
        *,
        partition: int = -1,
        headers: Headers | None = None,
        on_stored: OnStored | None = None,
    ) -> None:
        """Send one record; waits where the producer's own queue is full.

        Raises:
            DeliveryError: An earlier record was not taken.
        """
        epoch, name = self._epoch, self._prefix + topic.name
        callback = epoch.answered if on_stored is None else epoch.answered_to(on_stored)
        epoch.pending += 1
        while True:
            self._raise_failure()
            try:  # by place, with no other callback and no time of its own: by name it costs a quarter more
                self._producer.produce(name, value, key, partition, callback, None, 0, headers)
                return
            except BufferError:
                self._producer.poll(0.05)

    def send_status(self, key: bytes, value: bytes) -> None:
        """Send the service's own word; from any thread, and part of no epoch."""
        self._producer.produce(self._prefix + SERVICE_STATUS.name, value, key)

    def poll(self) -> None:
        """Take in what the broker has acknowledged.

        Raises:
            DeliveryError: A record was not taken.
        """
        try:
            self._producer.poll(0)
        except KafkaException as error:  # it is fatal: the producer takes nothing more
            raise DeliveryError(f"the broker did not take a record: {error.args[0]}") from error
        self._raise_failure()

    def next_epoch(self) -> Epoch:
        """End the epoch and give it: the records that a checkpoint must wait for."""
        ended, self._epoch = self._epoch, Epoch(self._fail)
        return ended

    async def settled(self, epoch: Epoch, *, seconds: float = 60.0) -> None:
        """Wait until every record of an ended epoch is acknowledged.

        Raises:
            DeliveryError: One was not, or not in time.
        """
        deadline = time.monotonic() + seconds
        while epoch.pending:
            self.poll()
            if time.monotonic() > deadline:
                raise DeliveryError(f"{epoch.pending} records were not acknowledged within {seconds:g} s")
            await asyncio.sleep(_POLL_SECONDS)
        self._raise_failure()

    def flush(self, seconds: float) -> None:
        """Wait, blocking, for all that was sent."""
        self._producer.flush(seconds)

    def _fail(self, error: KafkaError) -> None:
        self._error = error

    def _raise_failure(self) -> None:
        if self._error is not None:
            raise DeliveryError(f"the broker did not take a record: {self._error}")
