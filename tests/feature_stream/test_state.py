"""Snapshots: bit for bit, and never of another version."""

import msgspec
import pytest

from feature_stream.state import SNAPSHOT_VERSION, PartitionState, SnapshotError, TickerState
from schemas.errors import StopAndSayError
from schemas.features import WINDOW_BARS
from tests.feature_stream.runs import Run
from tests.feature_stream.test_provisional import walk


def long_run() -> Run:
    run = Run()
    run.send(*walk(200))
    return run


def test_a_state_keeps_the_last_64_bars_and_counts_all() -> None:
    run = long_run()
    state = run.states["A"]
    assert state.bar_index == 199
    window = state.rolling.window
    kept = run.bars[-WINDOW_BARS:]
    assert window.opens == [bar.open for bar in kept]
    assert window.highs == [bar.high for bar in kept]
    assert window.lows == [bar.low for bar in kept]
    assert window.closes == [bar.close for bar in kept]
    assert window.volumes == [bar.volume for bar in kept]
    assert len(window.log_returns) == WINDOW_BARS - 1


def test_a_restored_state_is_equal_and_compact() -> None:
    state = long_run().states["A"]
    data = state.snapshot()
    restored = TickerState.restore(data)
    assert restored.snapshot() == data
    assert restored.closed() == state.closed()
    assert len(data) < 5_000


def test_a_snapshot_is_a_copy() -> None:
    run = long_run()
    data = run.states["A"].snapshot()
    run.send(*[("A", 300 + second, 5.0, 1.0) for second in range(5)])
    assert TickerState.restore(data).bar_index == 199


def test_a_partitions_record_comes_back() -> None:
    run = long_run()
    run.send(watermark=7, source="other")
    restored = PartitionState.restore(run.partition.snapshot())
    assert restored == run.partition
    assert (restored.offset, restored.rules) == (1, run.rules.kept)
    assert {source: mark.sequence for source, mark in restored.sources.items()} == {"s": 0, "other": 0}


@pytest.mark.parametrize("kind", [TickerState, PartitionState])
def test_another_version_is_refused_with_the_fix(kind: type[TickerState] | type[PartitionState]) -> None:
    state = TickerState("A") if kind is TickerState else PartitionState(0)
    parts = msgspec.msgpack.decode(state.snapshot())
    parts[0] = SNAPSHOT_VERSION + 1
    with pytest.raises(SnapshotError, match=r"snapshot version 1 .*--fresh") as raised:
        kind.restore(msgspec.msgpack.encode(parts))
    assert isinstance(raised.value, StopAndSayError)


@pytest.mark.parametrize("data", [b"", b"garbage", b"\xc1", msgspec.msgpack.encode([1]), msgspec.msgpack.encode({})])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        TickerState.restore(data)
