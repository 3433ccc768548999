"""Where the group's consumer sends the reader of `ticks`."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, call

import pytest
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from feature_stream.transport import Consumer

PLACE = TP("ticks", 3)


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Consumer:
    """Give a consumer that owns one partition, without a broker."""
    monkeypatch.setattr(driver.Consumer, "on_partitions_revoked", AsyncMock())
    made = object.__new__(Consumer)
    made._revocations, made._reader = 0, AsyncMock()
    made._fetching, made.flow_active = asyncio.Lock(), True
    made.assignment = lambda: {PLACE}
    made._is_changelog_tp = lambda _tp: False
    made.transport = SimpleNamespace(start_positions=AsyncMock(return_value={PLACE: 7}))
    return made


def _assigned(consumer: Consumer) -> list[Any]:
    reader: Any = consumer._reader
    return list(reader.assign.await_args_list)


async def test_the_reader_begins_where_the_table_says(consumer: Consumer) -> None:
    assert await consumer.seek_to_committed() == {PLACE: 7}
    assert _assigned(consumer) == [call({3: 7})]


async def test_positions_that_a_revocation_has_overtaken_are_not_read_from(consumer: Consumer) -> None:
    async def revoked_meanwhile(_sources: set[TP]) -> Mapping[TP, int]:
        await consumer.on_partitions_revoked({PLACE})
        return {PLACE: 7}

    consumer.transport.start_positions = revoked_meanwhile
    with pytest.raises(IllegalStateError):
        await consumer.seek_to_committed()
    assert _assigned(consumer) == [call({})]


async def test_an_assignment_is_told_before_its_state_can_have_been_read(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    recovery = AsyncMock(side_effect=lambda *_: told.append("recovery"))
    monkeypatch.setattr(driver.Consumer, "on_partitions_assigned", recovery)
    consumer.transport.assigned = lambda: told.append("assigned")
    await consumer.on_partitions_assigned({PLACE}, 3)
    assert told == ["assigned", "recovery"]
    recovery.assert_awaited_once_with({PLACE}, 3)


async def test_the_changelog_is_sought_while_no_fetch_is_under_way(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    answer = asyncio.Event()

    async def fetch(_seconds: float) -> tuple[dict[TP, list[Any]], None]:
        await answer.wait()
        told.append("fetched")
        return {PLACE: [1, 2]}, None

    monkeypatch.setattr(driver.Consumer, "seek_wait", AsyncMock(side_effect=lambda _: told.append("sought")))
    consumer._wait_next_records = fetch
    fetching = asyncio.create_task(consumer._fetch())
    await asyncio.sleep(0)
    consumer.flow_active = False
    seeking = asyncio.create_task(consumer.seek_wait({PLACE: 0}))
    nothing = asyncio.create_task(consumer._fetch())
    await asyncio.sleep(0)
    assert not told
    answer.set()
    await seeking
    assert told == ["fetched", "sought"]
    assert (await fetching, await nothing) == ({PLACE: [1, 2]}, {}), "without a flow nothing is fetched"
