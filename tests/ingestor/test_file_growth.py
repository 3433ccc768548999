"""A file of bars to which rows are added after it has been played."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ingestor.frames import FrameBuilder, NumberedFrame, ResumePoint
from ingestor.positions import PositionText
from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_source import FileSource
from ingestor.sources.moments import Moment, Position
from ingestor.sources.pace import Pace
from schemas.times import Interval, to_rfc3339
from tests.ingestor.files import MINUTE_NS, START_NS, play, write_csv
from tests.ingestor.fold import collect, fold, ticks_of, ticks_of_frames

_HEADER = "ticker,timestamp,open,high,low,close,volume"
_TICKERS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


def _row(ticker: str, minute: int, price: int = 2) -> str:
    return f"{ticker},{to_rfc3339(START_NS + minute * MINUTE_NS)},{price},{price + 2},{price - 1},{price + 1},10"


def _options(path: Path, rows: Sequence[str], interval: Interval = "1m") -> FileOptions:
    return FileOptions(write_csv(path / "bars.csv", _HEADER, *rows), interval)


def _rejected(moments: list[Moment]) -> list[str | None]:
    return [bad.place for moment in moments for bad in moment.rejected]


@pytest.mark.parametrize("played", [2, 4])
def test_later_rows_are_played_as_if_they_had_always_been_there(tmp_path: Path, played: int) -> None:
    rows = [_row(ticker, minute) for minute in (0, 1, 5) for ticker in ("AAPL", "MSFT")]
    options = _options(tmp_path, rows[:played])
    before = play(options)
    _options(tmp_path, rows)
    after = play(options, after=before[-1].position)
    assert before + after == play(options)


def test_rows_added_to_a_time_that_was_played_are_rejected_and_nothing_is_said_twice(tmp_path: Path) -> None:
    rows = [_row("AAPL", 0), _row("MSFT", 0), _row("AAPL", 1)]
    options = _options(tmp_path, rows)
    before = play(options)
    _options(tmp_path, [*rows, _row("MSFT", 1, price=9), "MSFT,rubbish", _row("AAPL", 2), _row("MSFT", 2)])
    after = play(options, after=before[-1].position)
    assert _rejected(after) == ["5", "6"]
    (reason, _) = [bad.reason for moment in after for bad in moment.rejected]
    assert "all before 2024-01-02T14:32:00Z had been played when this row was added to the file" in reason
    bars = fold(ticks_of(before + after), MINUTE_NS)
    assert {ticker: [bar.tick_count for bar in own.values()] for ticker, own in bars.items()} == {
        "AAPL": [4, 4, 4],
        "MSFT": [4, 4],
    }
    assert [moment.position for moment in after] == sorted(moment.position for moment in after)
    assert play(options, after=after[-1].position) == []


def test_a_play_of_a_file_that_grew_goes_on_after_any_position(tmp_path: Path) -> None:
    rows = [_row("AAPL", 0), _row("MSFT", 0), _row("AAPL", 1)]
    options = _options(tmp_path, rows)
    first = play(options)[-1].position
    _options(tmp_path, [*rows, _row("MSFT", 1), "MSFT,rubbish", _row("AAPL", 2), _row("MSFT", 2), _row("FB", 4)])
    whole = play(options, after=first)
    for cut in range(len(whole)):
        assert play(options, after=whole[cut].position) == whole[cut + 1 :]


def test_what_was_rejected_once_is_not_rejected_again_when_more_is_added(tmp_path: Path) -> None:
    rows = [_row("AAPL", 0), _row("AAPL", 1), _row("MSFT", 1), _row("FB", 1), _row("AAPL", 2)]
    options = _options(tmp_path, rows[:2])
    place = play(options)[-1].position
    rejected = []
    for count in (3, 4, 5):
        _options(tmp_path, rows[:count])
        moments = play(options, after=place)
        rejected.append(_rejected(moments))
        place = moments[-1].position
    assert rejected == [["4"], ["5"], []]


def test_rows_of_a_longer_bar_that_the_end_of_the_file_closed_are_rejected(tmp_path: Path) -> None:
    rows = [_row("AAPL", minute) for minute in (0, 15, 30, 45, 60)]
    options = _options(tmp_path, rows[:2], "1h")
    before = play(options)
    assert before[-1].watermark_ns == START_NS + 30 * MINUTE_NS  # 15:00, where the hour and the second bar end
    _options(tmp_path, rows[:3], "1h")
    more = play(options, after=before[-1].position)
    assert _rejected(more) == []
    assert more[-1].watermark_ns == START_NS + 90 * MINUTE_NS
    _options(tmp_path, [*rows, _row("AAPL", 90)], "1h")
    after = play(options, after=more[-1].position)
    assert _rejected(after) == ["5", "6"]
    assert sorted(fold(ticks_of(after), 15 * MINUTE_NS)["AAPL"]) == [START_NS + 90 * MINUTE_NS]


@pytest.mark.parametrize("cut", range(0, 30, 3))
def test_partitions_that_were_cut_off_at_different_places_of_the_last_time_all_leave_out_what_was_added(
    tmp_path: Path, cut: int
) -> None:
    rows = [_row(ticker, minute) for minute in (0, 1) for ticker in _TICKERS]
    options = _options(tmp_path, rows)
    frames = _frames(options, [ResumePoint()] * 4)
    kept = [[f for f in frames if f.partition == number][: cut + 5 * number] for number in range(4)]
    places = [_place(options, own[-1]) if own else None for own in kept]
    _options(tmp_path, [*rows, *(_row(f"NEW{number}", 1) for number in range(8)), *(_row(t, 2) for t in _TICKERS)])
    points = [ResumePoint(len(own), place) for own, place in zip(kept, places, strict=True)]
    again = [frame for own in kept for frame in own] + _frames(options, points)
    bars = fold(ticks_of_frames(again), MINUTE_NS)
    begun = any(place is not None and place[1] == 7 and place[3] > 0 for place in places)
    assert {ticker for ticker in bars if ticker.startswith("NEW")} == (
        set() if begun else {f"NEW{n}" for n in range(8)}
    )
    assert {bar.tick_count for own in bars.values() for bar in own.values()} == {4}
    assert {len(bars[ticker]) for ticker in _TICKERS} == {3}


def _frames(options: FileOptions, points: list[ResumePoint]) -> list[NumberedFrame]:
    source = FileSource(options, Pace(0))
    builder = FrameBuilder("file", points, 1, PositionText(source.content).write)
    places = [point.position for point in points if point.position is not None]
    after = min(places) if len(places) == len(points) else None
    frames = []
    for moment in collect(source.ticks(after, {}, places)):
        frames += builder.add(moment, 1) + builder.take()
    return frames


def _place(options: FileOptions, frame: NumberedFrame) -> Position:
    return PositionText(FileSource(options, Pace(0)).content).read(frame.frame.position)
