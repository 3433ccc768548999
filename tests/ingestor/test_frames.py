"""Moments into frames."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ingestor.frames import FrameBuilder, NumberedFrame, ResumePoint
from ingestor.positions import PositionText
from ingestor.sources.moments import Moment, Position
from schemas.events import Origin
from schemas.partitioning import partition_of
from tests.ingestor.fold import ticks_of_frames

_TICKERS = ("AAPL", "FB", "GOOG", "IBM", "MSFT", "TSLA")
_PARTITIONS = 4
_POSITIONS = PositionText({"source": "test"})
_FRESH = [ResumePoint()] * _PARTITIONS


def _builder(starts: list[ResumePoint] | None = None, frame_ticks: int = 3) -> FrameBuilder:
    return FrameBuilder("test", starts or _FRESH, frame_ticks, _POSITIONS.write)


def _tick(number: int, ticker: str = "AAPL", origin: Origin = Origin.NORMAL) -> Moment:
    return Moment(
        position=(number,), tickers=[ticker], times_ns=[number], prices=[float(number)], sizes=[1.0], origin=origin
    )


def _mark(number: int) -> Moment:
    return Moment(position=(number,), watermark_ns=number)


def _place(frame: NumberedFrame) -> Position:
    return _POSITIONS.read(frame.frame.position)


_moments = st.lists(
    st.tuples(st.sampled_from(_TICKERS), st.sampled_from(["tick", "tick", "tick", "mark", "take", "repeat"])),
    max_size=60,
)


def _run(builder: FrameBuilder, script: list[tuple[str, str]]) -> list[NumberedFrame]:
    frames: list[NumberedFrame] = []
    for number, (ticker, action) in enumerate(script, 1):
        if action == "mark":
            frames += builder.add(_mark(number), number)
        else:
            origin = Origin.REPEAT if action == "repeat" else Origin.NORMAL
            frames += builder.add(_tick(number, ticker, origin), number)
            frames += builder.take() if action == "take" else []
    return frames + builder.take()


@given(_moments, st.integers(1, 5))
def test_every_tick_comes_once_in_order_on_its_partition_in_dense_frames_of_one_origin(
    script: list[tuple[str, str]], frame_ticks: int
) -> None:
    frames = _run(_builder(frame_ticks=frame_ticks), script)
    times = sorted(time for _, time, _, _ in ticks_of_frames(frames))
    assert times == [number for number, (_, action) in enumerate(script, 1) if action != "mark"]
    for partition in range(_PARTITIONS):
        own = [frame for number, frame in frames if number == partition]
        assert [frame.sequence for frame in own] == list(range(len(own)))
        played = [time for frame in own for time in frame.times_ns]
        assert played == sorted(played)
        for frame in own:
            assert len(frame.tickers) <= frame_ticks
            assert {partition_of(ticker, _PARTITIONS) for ticker in frame.tickers} <= {partition}
            repeats = {script[time - 1][1] == "repeat" for time in frame.times_ns}
            assert repeats in (set(), {frame.origin is Origin.REPEAT})


@given(_moments)
def test_a_watermark_goes_to_every_partition_after_all_ticks_before_it(script: list[tuple[str, str]]) -> None:
    frames = _run(_builder(), script)
    marks = [number for number, (_, action) in enumerate(script, 1) if action == "mark"]
    for partition in range(_PARTITIONS):
        own = [frame for number, frame in frames if number == partition]
        assert [frame.watermark_ns for frame in own if frame.watermark_ns is not None] == marks
        reached = 0
        for frame in own:
            assert all(time > reached for time in frame.times_ns)
            if frame.watermark_ns is not None:
                assert all(time < frame.watermark_ns for time in frame.times_ns)
                reached = frame.watermark_ns


@given(_moments, st.data())
def test_after_partitions_were_cut_at_different_places_each_goes_on_exactly(
    script: list[tuple[str, str]], data: st.DataObject
) -> None:
    whole = _run(_builder(), script)
    kept: list[NumberedFrame] = []
    starts: list[ResumePoint] = []
    for partition in range(_PARTITIONS):
        own = [frame for frame in whole if frame.partition == partition]
        survived = own[: data.draw(st.integers(0, len(own)), label=f"frames kept on {partition}")]
        kept += survived
        starts.append(ResumePoint(len(survived), _place(survived[-1])) if survived else ResumePoint())
    again = kept + _run(_builder(starts), script)
    for partition in range(_PARTITIONS):
        then, now = ([frame for number, frame in frames if number == partition] for frames in (whole, again))
        assert [frame.sequence for frame in now] == list(range(len(now)))
        assert _stream(then) == _stream(now)


def _stream(frames: list) -> list[tuple[str, float, str]]:  # type: ignore[type-arg]
    return [
        item
        for frame in frames
        for item in [
            *((ticker, price, frame.origin) for ticker, price in zip(frame.tickers, frame.prices, strict=True)),
            *([("mark", float(frame.watermark_ns), "")] if frame.watermark_ns is not None else []),
        ]
    ]


def test_a_frames_position_covers_what_went_to_other_partitions_and_its_time_is_its_newest_ticks() -> None:
    builder = _builder(frame_ticks=10)
    others = [ticker for ticker in _TICKERS if partition_of(ticker, _PARTITIONS) != partition_of("AAPL", _PARTITIONS)]
    builder.add(_tick(1), 100)
    builder.add(_tick(2), 200)
    builder.add(_tick(3, others[0]), 300)
    assert builder.pending
    frames = sorted(builder.take(), key=lambda frame: frame.frame.ingested_at_ns)
    assert not builder.pending
    assert [(frame.frame.ingested_at_ns, _place(frame)) for frame in frames] == [(200, (3,)), (300, (3,))]


def test_a_frame_holds_what_one_provider_told_and_a_watermark_alone_names_its_own() -> None:
    builder = _builder(frame_ticks=10)
    told = [replace(_tick(number), provider=name) for number, name in enumerate(("a", "a", "b", "a"), 1)]
    frames = [frame.frame for moment in told for frame in builder.add(moment, 0)]
    frames += [frame.frame for frame in builder.take()]
    assert [(frame.provider, frame.times_ns) for frame in frames] == [("a", [1, 2]), ("b", [3]), ("a", [4])]
    marks = builder.add(replace(_mark(5), provider="b"), 0)
    assert {mark.frame.provider for mark in marks} == {"b"}


def test_a_large_batch_is_split_into_full_frames_and_none_claims_the_batch_before_its_end() -> None:
    batch = Moment(position=(7,), tickers=["AAPL"] * 8, times_ns=[1] * 8, prices=[1.0] * 8, sizes=[1.0] * 8)
    builder = _builder(frame_ticks=3)
    frames = builder.add(batch, 0) + builder.take()
    assert [len(frame.frame.tickers) for frame in frames] == [3, 3, 2]
    assert [_place(frame) < (7,) for frame in frames] == [True, True, False]


def test_an_empty_watermark_frame_carries_its_moments_origin_and_time() -> None:
    mark = Moment(position=(1,), watermark_ns=5, origin=Origin.SIMULATED)
    frames = _builder().add(mark, 9)
    assert [list(group) for _, group in groupby(frame.frame.origin for frame in frames)] == [[Origin.SIMULATED] * 4]
    assert {frame.frame.ingested_at_ns for frame in frames} == {9}


def test_every_partition_is_told_of_a_gap_in_a_frame_of_its_own_after_what_came_before_it() -> None:
    builder = _builder()
    builder.add(_tick(1), 1)
    frames = builder.add(Moment(position=(2,), lost_before_ns=7), 2)
    told = [frame for frame in frames if frame.frame.lost_before_ns is not None]
    assert [(partition, frame.tickers, frame.lost_before_ns, frame.watermark_ns) for partition, frame in told] == [
        (partition, [], 7, None) for partition in range(_PARTITIONS)
    ]
    [before] = [frame for frame in frames if frame not in told]
    assert before.frame.times_ns == [1]
    assert frames.index(before) < frames.index(told[before.partition])
    assert {_place(frame) for frame in told} == {(2,)}
    [after] = builder.add(_mark(3), 3)[:1]
    assert after.frame.lost_before_ns is None
