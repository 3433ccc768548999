"""Where the log ends for a source."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.frames import ResumePoint
from ingestor.kafka_log import KafkaLogEnd
from ingestor.positions import PositionText
from ingestor.resume import KeptLog, read_kept_log, resume_points
from ingestor.sources.walks import simulated_tickers
from schemas.codec import encode
from schemas.errors import StopAndSayError
from schemas.events import TickFrame
from schemas.partitioning import partition_of
from schemas.topics import TICKS
from tests.brokers import BrokerUnderTest

_POSITIONS = PositionText({"source": "replay"})


def _frame(source: str, sequence: int, prices: dict[str, float] | None = None) -> TickFrame:
    prices = prices or {}
    return TickFrame(
        source=source,
        sequence=sequence,
        position=_POSITIONS.write((0, sequence)),
        tickers=list(prices),
        times_ns=[1] * len(prices),
        prices=list(prices.values()),
        sizes=[1.0] * len(prices),
        ingested_at_ns=1,
    )


class ListLog:
    """Partitions as lists; counts the records that are read."""

    def __init__(self, *partitions: list[bytes | None], first: int = 0) -> None:
        self._partitions = partitions
        self._first = first
        self.read = 0

    def bounds(self, partition: int) -> tuple[int, int]:
        return self._first, self._first + len(self._partitions[partition])

    def values(self, partition: int, first: int, end: int) -> Sequence[bytes | None]:
        assert first >= self._first
        values = self._partitions[partition][first - self._first : end - self._first]
        self.read += len(values)
        return values


def _log(*sources: str) -> list[bytes | None]:
    counts = dict.fromkeys(sources, -1)
    values: list[bytes | None] = []
    for source in sources:
        counts[source] += 1
        values.append(encode(_frame(source, counts[source])) if source != "garbage" else b"{]")
    return values


@given(
    st.lists(st.sampled_from(["replay", "other", "garbage"]), max_size=300),
    st.integers(0, 9_000),
)
def test_the_last_own_frame_is_found_wherever_it_lies(sources: list[str], first: int) -> None:
    kept = read_kept_log(ListLog(_log(*sources), first=first), 1, "replay")
    count = sources.count("replay")
    assert (kept.last[0].sequence if kept.last[0] else None) == (count - 1 if count else None)


def test_thousands_of_other_frames_between_are_read_over_and_what_lies_further_back_is_not() -> None:
    log = ListLog(_log(*["replay"] * 50_000, *["other"] * 5_000))
    kept = read_kept_log(log, 1, "replay")
    assert kept.last[0] is not None
    assert kept.last[0].sequence == 49_999
    assert kept.others == {"other"}
    assert log.read < 12_000


def test_a_log_without_other_frames_is_hardly_read() -> None:
    log = ListLog(*[_log(*["replay"] * 10_000)] * 4)
    read_kept_log(log, 4, "replay")
    assert log.read <= 4 * 32


def test_every_partition_goes_on_after_its_own_last_frame() -> None:
    kept = read_kept_log(ListLog(_log("replay", "replay", "other"), [], _log("replay")), 3, "replay")
    assert resume_points(kept, _POSITIONS, "replay", named=False, live=False) == [
        ResumePoint(2, (0, 1)),
        ResumePoint(0, None),
        ResumePoint(1, (0, 0)),
    ]


def test_the_newest_prices_near_the_end_come_with_it() -> None:
    frames = [_frame("s", 0, {"A": 1.0, "B": 2.0}), _frame("s", 1, {"A": 3.0}), _frame("other", 0, {"A": 9.0})]
    assert read_kept_log(ListLog([encode(frame) for frame in frames]), 1, "s").last_prices == {"A": 3.0, "B": 2.0}


def test_prices_that_are_wanted_are_read_from_further_back_and_the_newest_of_each_counts() -> None:
    frames = [_frame("s", 0, {"A": 1.0, "B": 2.0}), *(_frame("s", 1 + n, {"A": 3.0 + n}) for n in range(5_000))]
    log = ListLog([encode(frame) for frame in frames])
    assert read_kept_log(log, 1, "s").last_prices == {"A": 5_002.0}
    kept = read_kept_log(log, 1, "s", ["A", "B"])
    assert kept.last_prices == {"A": 5_002.0, "B": 2.0}
    assert kept.last[0] is not None
    assert kept.last[0].sequence == 5_000


def test_wanted_prices_that_are_nowhere_do_not_make_it_read_the_whole_log() -> None:
    log = ListLog(_log(*["s"] * 100_000))
    read_kept_log(log, 1, "s", ["A"])
    assert log.read < 25_000


def test_a_partition_is_only_read_back_for_its_own_tickers() -> None:
    tickers = [ticker for ticker in simulated_tickers(50) if partition_of(ticker, 2) == 0]
    first = encode(_frame("s", 0, dict.fromkeys(tickers, 1.0)))
    log = ListLog([first, *_log(*["s"] * 1_000)], _log(*["s"] * 1_000))
    assert read_kept_log(log, 2, "s", tickers).last_prices == dict.fromkeys(tickers, 1.0)
    assert log.read == 1_001 + 32


def test_another_source_over_kept_data_is_refused_unless_it_has_a_name_of_its_own() -> None:
    kept = read_kept_log(ListLog(_log("replay"), []), 2, "simulated")
    with pytest.raises(StopAndSayError, match=r"played by replay, not simulated.*--fresh.*TICKCAST_SOURCE_NAME"):
        resume_points(kept, _POSITIONS, "simulated", named=False, live=True)
    assert resume_points(kept, _POSITIONS, "simulated", named=True, live=True) == [ResumePoint()] * 2


def test_an_empty_log_is_played_from_the_beginning() -> None:
    empty = KeptLog([None, None], [0, 0], set(), {})
    assert resume_points(empty, _POSITIONS, "replay", named=False, live=False) == [ResumePoint()] * 2


def test_where_retention_took_all_own_frames_the_sequence_begins_above_them() -> None:
    kept = read_kept_log(ListLog(_log(*["other"] * 300), _log("sim", "sim"), first=70_000), 2, "sim")
    points = resume_points(kept, _POSITIONS, "sim", named=True, live=True)
    assert [point.sequence for point in points] == [70_300, 2]


def test_a_partition_whose_own_frames_are_gone_resumes_where_the_furthest_behind_of_the_others_does() -> None:
    logs = _log("other"), _log("replay", "replay", "replay"), _log("replay", "replay")
    kept = read_kept_log(ListLog(*logs, first=9_000), 3, "replay")
    assert resume_points(kept, _POSITIONS, "replay", named=False, live=False) == [
        ResumePoint(9_001, (0, 1)),
        ResumePoint(3, (0, 2)),
        ResumePoint(2, (0, 1)),
    ]


def test_a_source_whose_place_is_gone_is_refused_unless_it_is_live_or_may_be_new(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = read_kept_log(ListLog([], [], first=9_000), 2, "replay")
    with pytest.raises(StopAndSayError, match=r"nothing of replay is left in it.*--fresh"):
        resume_points(gone, _POSITIONS, "replay", named=False, live=False)
    assert resume_points(gone, _POSITIONS, "replay", named=False, live=True) == [ResumePoint(9_000)] * 2
    beside = read_kept_log(ListLog(_log("other"), [], first=9_000), 2, "second")
    points = resume_points(beside, _POSITIONS, "second", named=True, live=False)
    assert points == [ResumePoint(9_001), ResumePoint(9_000)]
    assert "nothing of second is left in it: it plays from its beginning" in caplog.text


def test_a_brokers_partitions_are_read_back_like_lists(broker: BrokerUnderTest) -> None:
    logs = [_log(*["replay"] * 200, *["other"] * 700), _log("garbage", "other"), [], _log("replay")]
    for partition, values in enumerate(logs):
        broker.produce(TICKS, *values, partition=partition)
    log = KafkaLogEnd(broker.settings(), broker.full_name(TICKS))
    try:
        kept = read_kept_log(log, 4, "replay")
        assert [last.sequence if last else None for last in kept.last] == [199, None, None, 0]
        assert log.values(0, 3, 7) == logs[0][3:7]
        assert kept.others == {"other"}
    finally:
        log.close()


def test_the_ticks_since_a_time_are_read_back_however_many_frames_hold_them_and_no_further() -> None:
    second_ns = 10**9
    now_ns = 1_000_000 * second_ns
    values: list[bytes | None] = []
    for sequence in range(5_000):  # a frame each 0.1 s
        time_ns = now_ns + sequence * second_ns // 10
        frame = TickFrame(
            source="alpaca",
            sequence=sequence,
            position=f"x@{sequence}.{time_ns}",
            tickers=["A"],
            times_ns=[time_ns],
            prices=[1.0 + sequence],
            sizes=[2.0],
            ingested_at_ns=time_ns,
        )
        values.append(encode(frame))
    since_ns = now_ns + 470 * second_ns
    log = ListLog(values)
    kept = read_kept_log(log, 1, "alpaca", since=lambda position: since_ns)
    assert [tick.price for tick in kept.newest_ticks] == [1.0 + sequence for sequence in range(4_700, 5_000)]
    assert kept.newest_ticks[0].size == 2.0
    assert log.read < 5_000
    assert read_kept_log(ListLog(values), 1, "alpaca").newest_ticks == []
