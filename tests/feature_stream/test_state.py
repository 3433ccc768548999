"""Snapshots: bit for bit; those of an earlier version migrated, those of any other refused."""

from base64 import b64decode

import msgspec
import pytest

from feature_stream.rules import KeptRules
from feature_stream.snapshots import SnapshotError
from feature_stream.state import (
    MAXIMUM_GUARDED_TICKERS,
    PARTITION_VERSION,
    TICKER_VERSION,
    PartitionState,
    SourceMark,
    TickerState,
)
from schemas.errors import StopAndSayError
from schemas.features import WINDOW_BARS
from tests.feature_stream.runs import Run
from tests.feature_stream.test_provisional import walk

#: As version 1 wrote it.
PARTITION_1 = b64decode(
    "lQEDKYKmbWFya2V0lAfPF6YQFx8yZQDPF6YQFwFlAADTgAAAAAAAAAClb3RoZXKUANOAAAAAAAAAANOAAAAAAAAAANOAAAAAAAAAAJOiMW3OAExLQMA="
)
TICKER_1 = b64decode(
    "mgGhQZSXkstAWSAAAAAAAMtAWMgAAAAAAJLLQFlQAAAAAADLQFjIAAAAAACSy0BZIAAAAAAAy0BYyAAAAAAAkstAWVAAAAAAAMtAWMgAAAAAAJ"
    "LLQAgAAAAAAADLQAgAAAAAAACRy7+VuFfce2AGApTLAAAAAAAAAADLAAAAAAAAAADLAAAAAAAAAADLAAAAAAAAAACSywAAAAAAAAAAywAAAAAA"
    "AAAAkcsAAAAAAAAAAJGezxemEBd4mpQAzxemEBe0NV4AzxemEBeWZ/kAzxemEBeWZ/kAy0BY4AAAAAAAy0BY4AAAAAAAy0BY4AAAAAAAy0BY4A"
    "AAAAAAy0AIAAAAAAAAAQKhcwDCzxemEBd4mpQAzxemEBe0NV4AAqFzAMA="
)


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


def test_a_record_of_version_1_is_migrated() -> None:
    wanted = PartitionState(
        3,
        41,
        {"market": SourceMark(7, 1_704_067_200_500_000_000, 1_704_067_200_000_000_000), "other": SourceMark(0)},
        KeptRules("1m", 5_000_000, None),
    )
    assert PartitionState.restore(PARTITION_1) == wanted
    assert msgspec.msgpack.decode(PartitionState.restore(PARTITION_1).snapshot())[0] == PARTITION_VERSION > 1


def test_what_a_tickers_snapshot_holds_does_not_change_without_another_version() -> None:
    restored = TickerState.restore(TICKER_1)
    assert (TICKER_VERSION, restored.ticker, restored.bar_index, restored.offset) == (2, "A", 2, 2)
    assert restored.open_bars[0].close == 99.5
    before = msgspec.msgpack.decode(TICKER_1)
    assert msgspec.msgpack.decode(restored.snapshot()) == [TICKER_VERSION, *before[1:], 1.0]
    assert TickerState.restore(restored.snapshot()) == restored


@pytest.mark.parametrize(("kind", "known"), [(TickerState, "1 to 2"), (PartitionState, "1 to 2")])
@pytest.mark.parametrize("version", [0, 9, "x", None])
def test_another_version_is_refused_with_the_fix(
    kind: type[TickerState] | type[PartitionState], known: str, version: object
) -> None:
    state = TickerState("A") if kind is TickerState else PartitionState(0)
    parts = msgspec.msgpack.decode(state.snapshot())
    parts[0] = version
    said = version if isinstance(version, int) else "unknown"
    with pytest.raises(
        SnapshotError, match=rf"snapshot version {said}, this Tickcast reads {known} .*--fresh"
    ) as raised:
        kind.restore(msgspec.msgpack.encode(parts))
    assert isinstance(raised.value, StopAndSayError)


@pytest.mark.parametrize("data", [b"", b"garbage", b"\xc1", msgspec.msgpack.encode([1]), msgspec.msgpack.encode({})])
@pytest.mark.parametrize("kind", [TickerState, PartitionState])
def test_damaged_bytes_are_refused(kind: type[TickerState] | type[PartitionState], data: bytes) -> None:
    with pytest.raises(SnapshotError):
        kind.restore(data)


def test_a_record_knows_which_states_are_older_than_those_that_were_kept() -> None:
    record = PartitionState(0, offset=90)
    record.keep("A", 90)
    record.keep("B", 40)
    record.keep("C", 7)
    states = {"A": TickerState("A", offset=90), "B": TickerState("B", offset=39), "D": TickerState("D", offset=1)}
    assert record.behind(states) == {"B": 39, "C": -1}
    states["B"].offset, states["C"] = 95, TickerState("C", offset=7)
    assert record.behind(states) == {}


def test_a_state_that_catches_up_is_asked_for_until_the_record_is_as_far_as_the_lost_one() -> None:
    record = PartitionState(0, offset=50, kept={"A": 200})
    record.keep("A", 60)
    assert record.kept == {"A": 200}
    record.offset = 200
    record.keep("A", 201)
    assert record.kept == {"A": 201}


def test_states_beyond_the_record_are_not_counted_on() -> None:
    record = PartitionState(0, offset=50)
    record.keep_all({"A": TickerState("A", offset=50), "B": TickerState("B", offset=51)})
    assert record.kept == {"A": 50}


def test_a_record_stays_smaller_than_a_kafka_message_may_be() -> None:
    record = PartitionState(0, offset=2**40)
    for number in range(MAXIMUM_GUARDED_TICKERS + 10):
        record.keep(f"T{number:09d}", 2**40)
    assert len(record.kept) == MAXIMUM_GUARDED_TICKERS
    assert len(record.snapshot()) < 650_000
