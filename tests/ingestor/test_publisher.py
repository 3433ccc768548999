"""The way into the broker."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from prometheus_client import CollectorRegistry

from ingestor.figures import Figures
from ingestor.frames import NumberedFrame
from ingestor.producer import producer_config
from ingestor.publisher import Publisher, PublishError
from schemas.dead_letters import DeadLetter
from schemas.events import TickFrame
from schemas.topics import DEAD_LETTERS, SERVICE_STATUS, TICKS
from tests.brokers import BrokerUnderTest


def _frame(sequence: int, partition: int = 0, ticks: int = 1) -> NumberedFrame:
    frame = TickFrame(
        source="test",
        sequence=sequence,
        position=f"p@{sequence}",
        tickers=["AAPL"] * ticks,
        times_ns=[1] * ticks,
        prices=[1.5] * ticks,
        sizes=[1.0] * ticks,
        ingested_at_ns=1,
    )
    return NumberedFrame(partition, frame)


class _FakeProducer:
    """A producer whose buffer is full for a while, or whose broker refuses a record."""

    def __init__(self, full_times: int = 0, refuse: KafkaError | None = None) -> None:
        self._full_times = full_times
        self._refuse = refuse
        self._reports: list[Callable[[], Any]] = []
        self.taken: list[Any] = []

    def __len__(self) -> int:
        return len(self._reports)

    def produce(self, topic: str, on_delivery: Callable[..., Any], **record: Any) -> None:
        if self._full_times:
            self._full_times -= 1
            raise BufferError
        self.taken.append(record)
        self._reports.append(lambda: on_delivery(self._refuse, None))

    def poll(self, _seconds: float) -> int:
        reports, self._reports = self._reports, []
        for report in reports:
            report()
        return len(reports)


def _figures() -> Figures:
    return Figures("test", CollectorRegistry())


def _publisher(producer: Any, figures: Figures | None = None) -> Publisher:
    return Publisher(producer, "", figures or _figures())


def test_a_full_buffer_is_waited_for_and_nothing_is_dropped_or_overtaken() -> None:
    fake, figures = _FakeProducer(full_times=5), _figures()
    publisher = _publisher(fake, figures)

    async def send() -> None:
        for sequence in range(3):
            await publisher.send(_frame(sequence))
        await publisher.settle()

    asyncio.run(send())
    assert [record["value"].count(b'"sequence"') for record in fake.taken] == [1, 1, 1]
    assert figures.acknowledged_ticks == 3


def test_a_record_refused_for_good_ends_it_and_is_not_counted() -> None:
    figures = _figures()
    publisher = _publisher(_FakeProducer(refuse=KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)), figures)

    async def send() -> None:
        await publisher.send(_frame(0))
        await publisher.send(_frame(1))

    with pytest.raises(PublishError, match="refused a record"):
        asyncio.run(send())
    assert figures.acknowledged_ticks == 0
    with pytest.raises(PublishError):
        publisher.poll()


def test_a_producer_that_has_stopped_ends_it() -> None:
    class Stopped(_FakeProducer):
        def produce(self, topic: str, on_delivery: Callable[..., Any], **record: Any) -> None:
            raise KafkaException(KafkaError(KafkaError._FATAL))

    with pytest.raises(PublishError, match="refuses records"):
        asyncio.run(_publisher(Stopped()).send(_frame(0)))
    _publisher(Stopped()).send_status(b"k", b"v")  # a status that cannot be sent ends nothing


def test_frames_come_to_their_partitions_in_order_without_a_key_at_wall_clock_time(broker: BrokerUnderTest) -> None:
    figures = _figures()
    publisher = Publisher(Producer(producer_config(broker.settings())), broker.topic_prefix, figures)
    before_ms = time.time() * 1_000 - 1

    async def send() -> None:
        for sequence in range(300):
            await publisher.send(_frame(sequence, partition=sequence % 3))
        await publisher.settle()

    asyncio.run(send())
    records = broker.read(TICKS)
    for partition in range(4):
        own = [record for record in records if record.partition == partition]
        assert [record.event().sequence for record in own] == list(range(partition, 300, 3)) * (partition < 3)
    assert {record.key for record in records} == {None}
    assert all(before_ms <= record.timestamp_ms <= time.time() * 1_000 + 1 for record in records)
    assert figures.acknowledged_ticks == 300


def test_a_small_buffer_holds_back_the_source_and_loses_nothing(broker: BrokerUnderTest) -> None:
    config = {**producer_config(broker.settings()), "queue.buffering.max.messages": 10}
    publisher = Publisher(Producer(config), broker.topic_prefix, _figures())

    async def send() -> None:
        for sequence in range(500):
            await publisher.send(_frame(sequence, partition=1, ticks=10))

    asyncio.run(send())
    assert publisher.drain(10) == 0
    assert [record.event().sequence for record in broker.read(TICKS)] == list(range(500))


def test_dead_letters_and_status_say_where_they_come_from(broker: BrokerUnderTest) -> None:
    publisher = Publisher(Producer(producer_config(broker.settings())), broker.topic_prefix, _figures())
    letter = DeadLetter(value=b"AAPL,what", reason="price: no", origin="source:file", position="17")

    async def send() -> None:
        await publisher.send_dead_letter(letter)
        publisher.send_status(b"ingestor/1", b"{}")
        await publisher.settle()

    asyncio.run(send())
    (record,) = broker.read(DEAD_LETTERS)
    assert record.value == b"AAPL,what"
    assert record.headers["dead_letter_origin"] == b"source:file"
    assert record.headers["dead_letter_position"] == b"17"
    assert [(record.key, record.value) for record in broker.read(SERVICE_STATUS)] == [(b"ingestor/1", b"{}")]
