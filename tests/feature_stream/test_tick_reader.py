"""What the reader of `ticks` brings, from where, and what it does with what is not as it was written."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.kafka.server import start_local_kafka
from feature_stream.settings import FeatureStreamSettings
from feature_stream.tick_client import TickRecord
from feature_stream.tick_reader import TickReader
from schemas.broker import wait_until
from schemas.topics import TICKS
from tests.brokers import BrokerUnderTest, Server
from tests.servers import require_local_kafka

_DEADLINE_SECONDS = 60.0
#: It tries again every half second.
_TRIED_AGAIN_SECONDS = 2.5

Records = dict[int, list[TickRecord]]


@asynccontextmanager
async def _reading(broker: BrokerUnderTest, positions: Mapping[int, int]) -> AsyncIterator[TickReader]:
    reader = TickReader(broker.settings(FeatureStreamSettings))
    reader.start()
    try:
        await reader.assign(positions)
        yield reader
    finally:
        reader.stop()


async def _read_until(reader: TickReader, enough: Callable[[Records], bool]) -> Records:
    """Take batches until it is enough."""
    read: Records = defaultdict(list)
    async with asyncio.timeout(_DEADLINE_SECONDS):
        while not enough(read):
            batch = await reader.next_batch()
            for partition, records in batch.records.items():
                read[partition] += records
    return read


def _has(**counts: int) -> Callable[[Records], bool]:
    """Tell when so many records of each partition were read."""
    return lambda read: all(len(read[int(name[1:])]) >= count for name, count in counts.items())


def _values(count: int, word: str = "value") -> list[bytes]:
    return [f"{word} {number}".encode() for number in range(count)]


async def test_each_partition_is_read_whole_and_in_order_from_where_it_is_told(broker: BrokerUnderTest) -> None:
    for partition in range(3):
        broker.produce(TICKS, *_values(500), partition=partition)
    async with _reading(broker, {0: 0, 1: 490}) as reader:
        read = await _read_until(reader, _has(p0=500, p1=10))
        assert {partition: [record.offset for record in records] for partition, records in read.items()} == {
            0: list(range(500)),
            1: list(range(490, 500)),
        }
        assert [record.value for record in read[0]] == _values(500)
        assert (reader.end(0), reader.end(1), reader.end(2)) == (500, 500, 0)


async def test_a_record_has_all_that_the_stage_asks_of_it(kafka: BrokerUnderTest) -> None:
    kafka.produce(TICKS, b"first", None, key=b"AAPL", partition=2, headers=[("traceparent", b"00-a-b-01")])
    async with _reading(kafka, {2: 0}) as reader:
        first, second = (await _read_until(reader, _has(p2=2)))[2]
    assert (first.partition, first.offset, first.key, first.value) == (2, 0, b"AAPL", b"first")
    assert first.headers == [("traceparent", b"00-a-b-01")]
    assert first.timestamp is not None
    assert first.timestamp > 1_700_000_000_000
    assert second.value is None


async def test_a_partition_is_read_again_from_where_it_is_told_and_the_others_go_on(kafka: BrokerUnderTest) -> None:
    kafka.produce(TICKS, *_values(50), partition=0)
    async with _reading(kafka, {0: 0, 1: 0}) as reader:
        await _read_until(reader, _has(p0=50))
        await reader.seek(0, 20)
        kafka.produce(TICKS, *_values(5), partition=1)
        read = await _read_until(reader, _has(p0=30, p1=5))
    assert [record.offset for record in read[0]] == list(range(20, 50))
    assert [record.offset for record in read[1]] == list(range(5))


async def test_what_was_read_before_another_assignment_is_known_as_outdated(kafka: BrokerUnderTest) -> None:
    kafka.produce(TICKS, *_values(50), partition=0)
    kafka.produce(TICKS, *_values(50), partition=1)
    async with _reading(kafka, {0: 0}) as reader:
        before = await reader.next_batch()
        assert not reader.is_outdated(before)
        await reader.assign({})
        assert reader.is_outdated(before)
        await reader.assign({1: 0})
        after = await reader.next_batch()
        while reader.is_outdated(after):
            assert set(after.records) == {0}
            after = await reader.next_batch()
        assert set(after.records) == {1}


async def test_an_order_that_nobody_waits_for_any_more_is_passed_over_and_later_ones_are_followed(
    kafka: BrokerUnderTest,
) -> None:
    kafka.produce(TICKS, *_values(1), partition=1)
    async with _reading(kafka, {0: 0}) as reader:
        for _ in range(20):
            order = asyncio.create_task(reader.assign({0: 0}))
            await asyncio.sleep(0)
            order.cancel()
        async with asyncio.timeout(_DEADLINE_SECONDS):
            await reader.assign({1: 0})
        read = await _read_until(reader, _has(p1=1))
    assert set(read) == {1}


async def test_orders_after_the_end_are_taken_and_not_followed(kafka: BrokerUnderTest) -> None:
    async with _reading(kafka, {0: 0}) as reader:
        before = asyncio.create_task(reader.assign({1: 0}))
        await asyncio.sleep(0)
        reader.stop()
        async with asyncio.timeout(_DEADLINE_SECONDS):
            await before
            await reader.assign({2: 0})
            await reader.seek(2, 0)


async def test_one_who_is_read_again_does_not_wait_for_all_that_the_others_have(kafka: BrokerUnderTest) -> None:
    large = b"x" * 10_000
    kafka.produce(TICKS, *_values(10), partition=0)
    for partition in (1, 2, 3):
        kafka.produce(TICKS, *[large] * 3_000, partition=partition)
    async with _reading(kafka, {1: 0, 2: 0, 3: 0, 0: 9}) as reader:
        await _read_until(reader, _has(p1=300))
        await reader.seek(0, 0)
        others = 0
        while True:
            batch = await reader.next_batch()
            if 0 in batch.records and batch.records[0][0].offset == 0:
                break
            others += sum(len(records) for records in batch.records.values())
    queued, fetched, batches = 16, 3 * 1, 3 * 2  # MiB: all that may be on its way before the seek; 86 are there
    assert others * len(large) < (queued + fetched + batches) * 2**20


async def test_the_reader_takes_no_more_than_two_batches_ahead(kafka: BrokerUnderTest) -> None:
    kafka.produce(TICKS, *_values(2_000), partition=0)
    async with _reading(kafka, {0: 0}) as reader:
        await asyncio.sleep(1.0)
        ahead = reader._read.qsize()
        await _read_until(reader, _has(p0=2_000))
    assert ahead <= 2


async def test_records_that_retention_took_are_passed_and_the_offset_shows_it(kafka: BrokerUnderTest) -> None:
    kafka.produce(TICKS, *_values(50), partition=0)
    kafka.trim(TICKS, 0, before_offset=30)
    async with _reading(kafka, {0: 10}) as reader:
        read = await _read_until(reader, _has(p0=20))
    assert [record.offset for record in read[0]] == list(range(30, 50))


@pytest.mark.parametrize("size", [100, 100_000])
async def test_what_differs_from_its_checksum_is_tried_again_and_nothing_passes_it(tmp_path: Path, size: int) -> None:
    node = start_local_kafka(tmp_path, require_local_kafka(), print)
    try:
        broker = BrokerUnderTest(Server(node.ports.bootstrap_servers, embedded=False))
        broker.create_topics()
        padding = b" " * size
        wanted = [word + padding for word in (b"first", b"second", b"a price of 101", b"after")]
        for value in wanted:
            broker.produce(TICKS, value, partition=0)
        _replace_on_disk(tmp_path, b"a price of 101", b"a price of 901")
        async with _reading(broker, {0: 0}) as reader:
            read = await _read_until(reader, _has(p0=2))
            await asyncio.sleep(_TRIED_AGAIN_SECONDS)
            assert reader._read.qsize() == 0
            _replace_on_disk(tmp_path, b"a price of 901", b"a price of 101")
            read[0] += (await _read_until(reader, _has(p0=2)))[0]
        assert [record.value for record in read[0]] == wanted
    finally:
        node.stop()


def _replace_on_disk(folder: Path, old: bytes, new: bytes) -> None:
    """Change bytes in the broker's log; the broker does not look at them again."""
    wait_until(lambda: bool(_files_with(folder, old)), seconds=30, what="the log being written")
    (log,) = _files_with(folder, old)
    with log.open("r+b") as file:
        file.seek(log.read_bytes().index(old))
        file.write(new)


def _files_with(folder: Path, part: bytes) -> list[Path]:
    return [path for path in folder.rglob("*.log") if part in path.read_bytes()]


async def test_an_error_of_the_client_reaches_whoever_waits(
    kafka: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _reading(kafka, {0: 0}) as reader:
        monkeypatch.setattr(reader._client, "read", lambda: 1 / 0)
        kafka.produce(TICKS, *_values(1), partition=0)
        with pytest.raises(ZeroDivisionError):
            await _read_until(reader, lambda _: False)


async def test_a_partition_that_went_elsewhere_is_not_read_again(kafka: BrokerUnderTest) -> None:
    kafka.produce(TICKS, *_values(1), partition=0)
    kafka.produce(TICKS, *_values(1), partition=1)
    async with _reading(kafka, {0: 1}) as reader:
        await reader.seek(1, 0)
        await reader.seek(0, 0)
        read = await _read_until(reader, _has(p0=1))
    assert set(read) == {0}


async def test_an_order_that_cannot_be_followed_is_told_to_whoever_gave_it(kafka: BrokerUnderTest) -> None:
    async with _reading(kafka, {0: 0}) as reader:
        with pytest.raises(TypeError):
            await reader.assign({0: "first"})  # type: ignore[dict-item]
