"""The way into the broker: nothing is dropped, nothing overtakes."""

import asyncio
import logging
import time
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from ingestor.figures import Figures
from ingestor.frames import NumberedFrame
from schemas.codec import encode, is_sampled
from schemas.dead_letters import DeadLetter
from schemas.errors import RetryError
from schemas.events import TickFrame
from schemas.times import NS_PER_SECOND
from schemas.topics import DEAD_LETTERS, SERVICE_STATUS, TICKS
from schemas.tracing import SEND_TICKS, Span, Tracer

#: How long to let the broker take messages before trying again where the buffer is full.
_FULL_PAUSE_SECONDS = 0.005


class PublishError(RetryError):
    """The broker refused a record for good. The process must end: what it sent later may not stand without it."""


class Publisher:
    """Sends frames, dead letters and status; waits where the buffer is full.

    Args:
        producer: A confluent-kafka producer with `producer_config`.
        topic_prefix: Of the deployment.
        figures: Count what is acknowledged.
        tracer: Begins a trace with every frame; None: none does.
    """

    def __init__(self, producer: Producer, topic_prefix: str, figures: Figures, tracer: Tracer | None = None) -> None:
        self._producer = producer
        self._ticks_topic = topic_prefix + TICKS.name
        self._dead_letters_topic = topic_prefix + DEAD_LETTERS.name
        self._status_topic = topic_prefix + SERVICE_STATUS.name
        self._figures = figures
        self._tracer = tracer
        self._failure: KafkaError | None = None

    async def send(self, numbered: NumberedFrame) -> None:
        """Send a frame to its partition; wait while the buffer is full.

        Raises:
            PublishError: This or an earlier record was refused for good.
        """
        frame = numbered.frame
        acknowledged = partial(self._frame_acknowledged, len(frame.tickers))
        record = {"topic": self._ticks_topic, "value": encode(frame), "partition": numbered.partition}
        if self._tracer is not None:
            traceparent = self._tracer.begin()
            record["headers"] = [("traceparent", traceparent.encode())]
            if is_sampled(traceparent):
                acknowledged = partial(self._followed_acknowledged, self._tracer, traceparent, frame, time.time_ns())
        await self._produce(**record, on_delivery=acknowledged)

    async def send_dead_letter(self, letter: DeadLetter) -> None:
        """Send a dead letter; wait while the buffer is full."""
        await self._produce(
            topic=self._dead_letters_topic,
            key=letter.key,
            value=letter.value,
            headers=letter.headers(),
            on_delivery=self._acknowledged,
        )

    def send_status(self, key: bytes, value: bytes) -> None:
        """Send a word on this service from any thread; where the buffer is full, the next one will do."""
        try:
            self._producer.produce(self._status_topic, key=key, value=value, on_delivery=self._acknowledged)
        except (BufferError, KafkaException) as error:
            logging.getLogger(__name__).debug("status not sent: %s", error)

    def poll(self) -> None:
        """Take delivery reports.

        Raises:
            PublishError: A record was refused for good.
        """
        self._producer.poll(0)
        if self._failure:
            raise PublishError(f"the broker refused a record: {self._failure.str()}")

    async def settle(self) -> None:
        """Wait until everything sent so far is acknowledged."""
        while len(self._producer):
            self.poll()
            await asyncio.sleep(_FULL_PAUSE_SECONDS / 5)
        self.poll()

    def drain(self, seconds: float) -> int:
        """Wait for so long until everything is acknowledged; give what is left."""
        left: int = self._producer.flush(seconds)
        return left

    async def _produce(self, **record: Any) -> None:
        while True:
            self.poll()
            try:
                self._producer.produce(**record)
            except BufferError:
                await asyncio.sleep(_FULL_PAUSE_SECONDS)
            except KafkaException as error:
                raise PublishError(f"the broker refuses records: {error.args[0].str()}") from error
            else:
                return

    def _acknowledged(self, error: KafkaError | None, _message: object) -> None:
        if error and not self._failure:
            self._failure = error

    def _frame_acknowledged(self, ticks: int, error: KafkaError | None, message: object) -> None:
        self._acknowledged(error, message)
        if not error:
            self._figures.frame_acknowledged(ticks)

    def _followed_acknowledged(
        self,
        tracer: Tracer,
        traceparent: str,
        frame: TickFrame,
        sent_ns: int,
        error: KafkaError | None,
        message: Message,
    ) -> None:
        ticks = len(frame.tickers)
        self._frame_acknowledged(ticks, error, message)
        if error:
            return
        attributes = {"partition": message.partition(), "offset": message.offset(), "ticks": ticks}
        ended_ns = sent_ns + round(message.latency() * NS_PER_SECOND)  # this is called some time later
        tracer.tell(Span(SEND_TICKS, traceparent, None, frame.ingested_at_ns, ended_ns, attributes))
