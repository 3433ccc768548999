"""A file of ticks."""

import asyncio
import random
import tracemalloc
from pathlib import Path

import pytest

from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_source import FileSource
from ingestor.sources.moments import Moment
from ingestor.sources.pace import Pace
from schemas.errors import StopAndSayError
from schemas.events import Origin
from tests.ingestor.clocks import ManualClock
from tests.ingestor.files import MINUTE_NS, START_NS, play, write_csv, write_parquet
from tests.ingestor.fold import ticks_of

_HEADER = "ticker,timestamp,price,size"
_SECOND_NS = 10**9


def _ticks(count: int, disorder_ns: int = 0, every_ns: int = 3 * _SECOND_NS) -> list[tuple[str, int, float, float]]:
    chance = random.Random(3)
    rows = []
    for number in range(count):
        time_ns = START_NS + number * every_ns - chance.randint(0, disorder_ns)
        rows.append((chance.choice(["AAPL", "MSFT"]), time_ns, chance.uniform(50, 150), float(chance.randint(0, 9))))
    return rows


def _lines(ticks: list[tuple[str, int, float, float]]) -> list[str]:
    return [f"{ticker},{time_ns},{price!r},{size!r}" for ticker, time_ns, price, size in ticks]


def _require_true_marks(moments: list[Moment]) -> None:
    reached = 0
    for moment in moments:
        assert all(time >= reached for time in moment.times_ns), "a watermark was broken"
        reached = max(reached, moment.watermark_ns or 0)


@pytest.mark.parametrize("disorder_ns", [0, 2 * _SECOND_NS])
def test_every_tick_is_played_in_file_order_and_no_watermark_is_broken(tmp_path: Path, disorder_ns: int) -> None:
    ticks = _ticks(500, disorder_ns)
    path = write_csv(tmp_path / "ticks.csv", _HEADER, *_lines(ticks))
    moments = play(FileOptions(path, "1m", disorder_ns=disorder_ns))
    assert ticks_of(moments) == ticks
    _require_true_marks(moments)
    marks = [m.watermark_ns for m in moments if m.watermark_ns is not None]
    assert marks == sorted(set(marks))
    newest = max(time_ns for _, time_ns, _, _ in ticks)
    assert marks[-1] == newest - newest % MINUTE_NS + MINUTE_NS, "the last bars must close"
    assert len(marks) >= 24


def test_parquet_plays_what_csv_plays_whatever_the_unit_of_its_times(tmp_path: Path) -> None:
    import pyarrow as pa

    ticks = _ticks(50)
    expected = ticks_of(play(FileOptions(write_csv(tmp_path / "t.csv", _HEADER, *_lines(ticks)), "1m")))
    times = [time_ns for _, time_ns, _, _ in ticks]
    columns = {name: [tick[index] for tick in ticks] for index, name in ((0, "ticker"), (2, "price"), (3, "size"))}
    variants = {
        "ns": pa.array(times, pa.timestamp("ns")),
        "us_zoned": pa.array([time // 1_000 for time in times], pa.timestamp("us", tz="America/New_York")),
        "s": pa.array([time // _SECOND_NS for time in times], pa.timestamp("s")),
        "epoch_ms": pa.array([time // 1_000_000 for time in times]),
        "text": pa.array([str(time) for time in times]),
    }
    for name, array in variants.items():
        path = write_parquet(tmp_path / f"{name}.parquet", {"extra": times, **columns, "timestamp": array})
        assert ticks_of(play(FileOptions(path, "1m"))) == expected, name


def test_a_play_goes_on_after_any_position_with_what_it_would_have_played(tmp_path: Path) -> None:
    lines = _lines(_ticks(200, 2 * _SECOND_NS, every_ns=20 * _SECOND_NS))
    lines.insert(100, f"AAPL,{START_NS},1,1")
    lines.insert(150, "AAPL,what")
    path = write_csv(tmp_path / "ticks.csv", _HEADER, *lines)
    options = FileOptions(path, "1m", disorder_ns=2 * _SECOND_NS, start_ns=START_NS + 10 * MINUTE_NS)
    whole = play(options)
    assert len([bad for moment in whole for bad in moment.rejected]) == 2
    for cut in range(0, len(whole), 3):
        assert play(options, after=whole[cut].position) == whole[cut + 1 :]


def test_a_parquet_file_goes_on_in_any_row_group(tmp_path: Path) -> None:
    ticks = _ticks(20)
    columns = {
        name: [tick[index] for tick in ticks] for index, name in enumerate(("ticker", "timestamp", "price", "size"))
    }
    options = FileOptions(write_parquet(tmp_path / "t.parquet", dict(columns)), "1m")
    whole = play(options)
    for cut in range(len(whole)):
        assert play(options, after=whole[cut].position) == whole[cut + 1 :]


def test_ticks_are_played_at_the_distance_of_their_times_and_quiet_times_say_how_far_they_are(tmp_path: Path) -> None:
    rows = [f"AAPL,{START_NS + second * _SECOND_NS},1,1" for second in (0, 2, 2, 100)]
    path = write_csv(tmp_path / "ticks.csv", _HEADER, *rows)
    clock = ManualClock()
    moments = play(FileOptions(path, "1m", disorder_ns=5 * _SECOND_NS), pace=Pace(10.0, clock, clock.sleep))
    assert sum(clock.slept) == pytest.approx(10.0)
    assert max(clock.slept) <= 1.0
    _require_true_marks(moments)
    marks = [round((m.watermark_ns - START_NS) / _SECOND_NS) for m in moments if m.watermark_ns is not None]
    assert marks == [12, 22, 32, 42, 52, 62, 72, 82, 92, 120]


def test_a_row_that_goes_further_back_than_allowed_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows = [f"AAPL,{START_NS + second * _SECOND_NS},1,1" for second in (0, 10, 9, 8, 7, 11)]
    moments = play(
        FileOptions(write_csv(tmp_path / "ticks.csv", _HEADER, *rows), "1m", disorder_ns=2 * _SECOND_NS),
    )
    assert [(time - START_NS) // _SECOND_NS for _, time, _, _ in ticks_of(moments)] == [0, 10, 9, 8, 11]
    assert [bad.place for moment in moments for bad in moment.rejected] == ["6"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("AAPL,1704205801,0,1", "price: 0.0 is not a positive number"),
        ("AAPL,1704205801,-1,1", "price: -1.0 is not a positive number"),
        ("AAPL,1704205801,inf,1", "price: inf is not a positive number"),
        ("AAPL,1704205801,1,-1", "size: -1.0 is not a number"),
        ("AAPL,1704205801,1,", "size: '' is not a number"),
        ("AAPL,1704205801,1", "the row has 3 values for 4 columns"),
    ],
)
def test_a_bad_tick_is_reported_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    path = write_csv(tmp_path / "ticks.csv", _HEADER, "AAPL,1704205800,1,1", row, "", "aapl,1704205802,2,0")
    moments = play(FileOptions(path, "1m"))
    rejected = [bad for moment in moments for bad in moment.rejected]
    assert [(bad.place, bad.value) for bad in rejected] == [("3", row.encode())]
    assert reason in rejected[0].reason
    assert [(ticker, price) for ticker, _, price, _ in ticks_of(moments)] == [("AAPL", 1.0), ("AAPL", 2.0)]


def test_a_parquet_row_with_nothing_in_it_is_reported(tmp_path: Path) -> None:
    columns = {"ticker": ["AAPL", None], "timestamp": [1_704_205_800, None], "price": [1.0, None], "size": [1.0, None]}
    moments = play(FileOptions(write_parquet(tmp_path / "t.parquet", dict(columns)), "1m"))
    rejected = [bad for moment in moments for bad in moment.rejected]
    assert [bad.place for bad in rejected] == ["2"]
    assert rejected[0].value == b'{"ticker":null,"timestamp":null,"price":null,"size":null}'


def test_the_ticks_before_the_start_are_warm_up_and_those_after_the_end_are_left_out(tmp_path: Path) -> None:
    ticks = _ticks(400, every_ns=MINUTE_NS)
    start_ns, end_ns = ticks[300][1], ticks[310][1]
    options = FileOptions(write_csv(tmp_path / "t.csv", _HEADER, *_lines(ticks)), "1m", (), start_ns, end_ns)
    moments = play(options)
    by_origin = {
        origin: ticks_of([m for m in moments if m.origin is origin]) for origin in (Origin.WARM_UP, Origin.NORMAL)
    }
    assert by_origin == {Origin.WARM_UP: ticks[50:300], Origin.NORMAL: ticks[300:310]}


def test_a_start_after_the_end_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", _HEADER, *_lines(_ticks(5)))
    with pytest.raises(StopAndSayError, match="nothing to play"):
        play(FileOptions(path, "1m", start_ns=START_NS + 10**18))


def test_a_file_is_never_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with path.open("w") as file:
        file.write(_HEADER + "\n")
        file.writelines(f"AAPL,{START_NS + number // 50 * 1_000_000},100.25,1\n" for number in range(60_000))
    options = FileOptions(str(path), "1m")
    size = path.stat().st_size
    tracemalloc.start()
    moments = FileSource(options, Pace(0)).moments(None, {})

    async def count() -> int:
        played = 0
        async for moment in moments:
            played += len(moment.tickers)
        return played

    assert asyncio.run(count()) == 60_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size // 2
