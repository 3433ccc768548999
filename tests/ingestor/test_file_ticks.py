"""A file of ticks."""

import asyncio
import random
import tracemalloc
from pathlib import Path

import pytest

from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_source import FileSource
from ingestor.sources.moments import Moment, Position
from ingestor.sources.pace import Pace
from schemas.errors import StopAndSayError
from schemas.events import Origin
from schemas.times import to_rfc3339
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
    assert marks == [-3, 12, 22, 32, 42, 52, 62, 72, 82, 92, 95, 120]


def test_a_play_that_was_cut_off_in_a_quiet_time_says_that_bars_have_ended_before_the_next_tick(tmp_path: Path) -> None:
    rows = [f"AAPL,{START_NS + second * _SECOND_NS},1,1" for second in (0, 2, 100)]
    options = FileOptions(write_csv(tmp_path / "ticks.csv", _HEADER, *rows), "1m", disorder_ns=_SECOND_NS)
    clock = ManualClock()
    whole = play(options, pace=Pace(10.0, clock, clock.sleep))
    cut = next(number for number, moment in enumerate(whole) if moment.position[:2] == (4, 0))
    assert play(options, after=whole[cut].position)[-3:] == whole[-3:]
    assert whole[-3].watermark_ns == START_NS + 99 * _SECOND_NS


def test_a_quiet_play_says_something_every_second_even_where_it_has_come_no_further(tmp_path: Path) -> None:
    rows = [f"AAPL,{START_NS + second * _SECOND_NS},1,1" for second in (0, 20)]
    path = write_csv(tmp_path / "ticks.csv", _HEADER, *rows)
    clock = ManualClock()
    moments = play(FileOptions(path, "1m", disorder_ns=30 * _SECOND_NS), pace=Pace(1.0, clock, clock.sleep))
    assert len([moment for moment in moments if moment.watermark_ns is not None]) >= 19


def test_a_jump_of_time_sends_its_watermark_first(tmp_path: Path) -> None:
    seconds = (0, 1, 45, 46, 65, 70, 200)
    rows = [f"AAPL,{START_NS + second * _SECOND_NS},1,1" for second in seconds]
    path = write_csv(tmp_path / "ticks.csv", _HEADER, *rows)
    known_ns = START_NS
    for moment in play(FileOptions(path, "1m", disorder_ns=_SECOND_NS)):
        for time_ns in moment.times_ns:
            assert time_ns - known_ns <= _SECOND_NS, "too early for the feature stage"
        known_ns = max(known_ns, *moment.times_ns, moment.watermark_ns or 0)


@pytest.mark.parametrize("disorder_ns", [0, _SECOND_NS])
def test_a_row_with_a_typo_in_its_year_is_rejected_and_the_rest_goes_on(tmp_path: Path, disorder_ns: int) -> None:
    rows = [f"AAPL,{to_rfc3339(START_NS + number * _SECOND_NS)},1,1" for number in range(300)]
    rows[20] = rows[20].replace("2024", "2204")
    path = write_csv(tmp_path / "ticks.csv", _HEADER, *rows)
    moments = play(FileOptions(path, "1m", disorder_ns=disorder_ns))
    (rejected,) = [bad for moment in moments for bad in moment.rejected]
    assert rejected.place == "22"
    assert "2204-01-02T14:30:20Z lies ahead of 2024-01-02T14:30:21Z" in rejected.reason
    assert len(ticks_of(moments)) == 299


def test_rows_that_are_passed_over_let_others_have_their_turn(tmp_path: Path) -> None:
    rows = ["RARE,1704205800,1,1", *["OTHER,1704205800,1,1"] * 20_000, "RARE,1704205801,1,1"]
    path = write_csv(tmp_path / "ticks.csv", _HEADER, *rows)

    async def turns(options: FileOptions, after: Position | None = None) -> int:
        count = 0

        async def other() -> None:
            nonlocal count
            while True:
                count += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _ in FileSource(options, Pace(0)).ticks(after, {}):
            pass
        task.cancel()
        return count

    assert asyncio.run(turns(FileOptions(path, "1m", ("RARE",)))) > 20
    assert asyncio.run(turns(FileOptions(path, "1m"), after=(20_002, 2, START_NS))) > 20
    before_the_start = FileOptions(path, "1s", start_ns=START_NS + _SECOND_NS)
    assert asyncio.run(turns(before_the_start)) > 20


def test_ticks_that_are_added_later_are_played_and_those_of_a_closed_bar_are_rejected(tmp_path: Path) -> None:
    rows = [f"AAPL,{START_NS + second * _SECOND_NS},{second + 1},1" for second in (0, 10, 20, 30, 70, 80)]
    options = FileOptions(write_csv(tmp_path / "ticks.csv", _HEADER, *rows[:2]), "1m")
    before = play(options)
    write_csv(tmp_path / "ticks.csv", _HEADER, *rows)
    after = play(options, after=before[-1].position)
    assert [price for _, _, price, _ in ticks_of(before + after)] == [1.0, 11.0, 71.0, 81.0]
    rejected = [bad for moment in after for bad in moment.rejected]
    assert [bad.place for bad in rejected] == ["4", "5"]
    assert "all before 2024-01-02T14:31:00Z had been played when this row was added" in rejected[0].reason
    _require_true_marks(before + after)


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
        ("AAPL,1704205801,1_00,1", "price: '1_00' is not a number"),
        ("AAPL,2024,1,1", "timestamp: '2024' is ambiguous"),
        ('"AAPL", 1704205801 ,"1,000.5",1', "price: '1,000.5' is not a number"),
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
    moments = FileSource(options, Pace(0)).ticks(None, {})

    async def count() -> int:
        played = 0
        async for moment in moments:
            played += len(moment.tickers)
        return played

    assert asyncio.run(count()) == 60_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size // 2
