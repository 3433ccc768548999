"""A record batch that is not what was written is not handed on. aiokafka writes the batches, and is the oracle."""

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from faust.transport.drivers import aiokafka as driver

from feature_stream.intact import require_intact
from feature_stream.transport import ConsumerThread, with_intact_fetches

_CHECKSUM_COVERS_FROM = 17


def _batch(*values: bytes) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    for offset, value in enumerate(values):
        builder.append(offset, 1_700_000_000_000, b"key", value, [("name", b"header")])
    return bytes(builder.build())


BATCHES = _batch(b"first", b"second") + _batch(b"third")


def test_what_was_written_is_intact() -> None:
    assert DefaultRecordBatch(_batch(b"third")).validate_crc()
    require_intact(BATCHES)
    require_intact(b"")


@pytest.mark.parametrize("cut", [1, 5, 30, len(_batch(b"third")) - 1])
def test_a_batch_that_is_cut_short_at_the_end_is_left_to_the_next_fetch(cut: int) -> None:
    require_intact(BATCHES[:-cut])


@pytest.mark.parametrize("place", range(_CHECKSUM_COVERS_FROM, len(BATCHES) - len(_batch(b"third"))))
def test_a_changed_byte_is_found(place: int) -> None:
    changed = bytearray(BATCHES)
    changed[place] ^= 0x10
    with pytest.raises(CorruptRecordException, match="offset 0 differs from its checksum"):
        require_intact(bytes(changed))


def test_another_version_of_the_format_is_refused() -> None:
    changed = bytearray(BATCHES)
    changed[16] = 1
    with pytest.raises(CorruptRecordException, match="version 1, from before"):
        require_intact(bytes(changed))


@pytest.mark.parametrize("length", [-1, 0, 8])
def test_a_length_that_cannot_be_ends_at_once(length: int) -> None:
    with pytest.raises(CorruptRecordException):
        require_intact(BATCHES[:8] + length.to_bytes(4, "big", signed=True) + BATCHES[12:])


def test_the_stages_consumer_checks_what_it_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = SimpleNamespace(API_KEY=1, topics=[("ticks", [(0, 0, 9, 9, [], BATCHES[:-1] + b"?")])])
    client = SimpleNamespace(send=AsyncMock(return_value=broken))
    consumer = SimpleNamespace(_client=client, _coordinator=SimpleNamespace(_do_heartbeat=AsyncMock()))
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "on_start", AsyncMock())
    thread = object.__new__(ConsumerThread)
    thread.transport = MagicMock()
    monkeypatch.setattr(thread, "_ensure_consumer", lambda: consumer)

    async def scenario() -> None:
        await thread.on_start()
        with pytest.raises(CorruptRecordException):
            await client.send(0, None)

    asyncio.run(scenario())


def test_a_fetch_is_checked_and_nothing_else() -> None:
    fetched = SimpleNamespace(API_KEY=1, topics=[("ticks", [(0, 0, 9, 9, [], BATCHES), (1, 0, 9, 9, [], b"")])])
    broken = SimpleNamespace(API_KEY=1, topics=[("ticks", [(0, 0, 9, 9, [], BATCHES[:-1] + b"?")])])
    other = SimpleNamespace(API_KEY=3)
    answers = iter([fetched, broken, other])

    async def send(_node: int, _request: Any) -> Any:
        return next(answers)

    async def scenario() -> None:
        checked = with_intact_fetches(send)
        assert await checked(0, None) is fetched
        with pytest.raises(CorruptRecordException):
            await checked(0, None)
        assert await checked(0, None) is other

    asyncio.run(scenario())
