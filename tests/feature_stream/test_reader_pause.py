"""A partition that is paused is read on where it was, and nobody else notices."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from feature_stream.settings import FeatureStreamSettings
from feature_stream.tick_reader import TickReader
from schemas.topics import BARS, OUTCOMES_STAGE
from tests.brokers import BrokerUnderTest

pytestmark = pytest.mark.integration

_DEADLINE_SECONDS = 60.0
Offsets = dict[int, list[int]]


@asynccontextmanager
async def _reading(broker: BrokerUnderTest) -> AsyncIterator[TickReader]:
    reader = TickReader(broker.settings(FeatureStreamSettings), BARS, OUTCOMES_STAGE)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()


async def _read_until(reader: TickReader, read: Offsets, enough: Callable[[], bool]) -> None:
    async with asyncio.timeout(_DEADLINE_SECONDS):
        while not enough():
            batch = await reader.next_batch()
            for partition, records in batch.records.items():
                read[partition] += [record.offset for record in records]


def _produce(broker: BrokerUnderTest, partition: int, count: int) -> None:
    broker.produce(BARS, *(b"x" * 100 for _ in range(count)), partition=partition)


async def test_a_partition_is_paused_and_resumed_without_a_gap_while_another_goes_on(broker: BrokerUnderTest) -> None:
    for partition in (0, 1):
        _produce(broker, partition, 300)
    read: Offsets = defaultdict(list)
    async with _reading(broker) as reader:
        await reader.assign({0: 0, 1: 0})
        await _read_until(reader, read, lambda: bool(read[0]))
        await reader.pause(0)
        _produce(broker, 0, 3_000)
        _produce(broker, 1, 300)
        await _read_until(reader, read, lambda: len(read[1]) == 600)
        paused_at = len(read[0])
        assert paused_at < 3_300
        await reader.resume(0)
        await _read_until(reader, read, lambda: len(read[0]) >= 3_300)
    assert read == {0: list(range(3_300)), 1: list(range(600))}


@pytest.mark.parametrize("how", ["assigned", "sought"])
async def test_a_partition_that_is_assigned_or_sought_is_paused_no_more(broker: BrokerUnderTest, how: str) -> None:
    _produce(broker, 0, 50)
    read: Offsets = defaultdict(list)
    async with _reading(broker) as reader:
        await reader.assign({0: 0})
        await _read_until(reader, read, lambda: len(read[0]) == 50)
        await reader.pause(0)
        await (reader.assign({0: 20}) if how == "assigned" else reader.seek(0, 20))
        await _read_until(reader, read, lambda: len(read[0]) >= 80)
    assert read[0][50:] == list(range(20, 50))


async def test_to_pause_what_is_not_read_does_nothing(kafka: BrokerUnderTest) -> None:
    _produce(kafka, 0, 5)
    read: Offsets = defaultdict(list)
    async with _reading(kafka) as reader:
        await reader.pause(0)
        await reader.resume(0)
        await reader.assign({0: 0})
        await _read_until(reader, read, lambda: len(read[0]) == 5)
