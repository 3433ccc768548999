"""A file of bars."""

import asyncio
import random
from pathlib import Path

import pytest

from ingestor.sources.file_description import describe_file
from ingestor.sources.file_intervals import bar_length_ns
from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_source import FileSource
from ingestor.sources.history import load_history
from ingestor.sources.moments import Moment, Rejected
from ingestor.sources.pace import Pace
from schemas.errors import StopAndSayError
from schemas.events import Origin
from schemas.times import Interval, from_rfc3339, interval_ns, to_rfc3339
from tests.ingestor.clocks import ManualClock
from tests.ingestor.files import MINUTE_NS, START_NS, play, write_csv, write_parquet
from tests.ingestor.fold import FoldedBar, fold, ticks_of

_HEADER = "ticker,timestamp,open,high,low,close,volume"
_TICKERS = ("AAPL", "BRK.B", "MSFT")


def _bars(count: int, tickers: tuple[str, ...] = _TICKERS) -> dict[str, dict[int, FoldedBar]]:
    """Minute bars; a ticker now and then has none."""
    chance = random.Random(7)
    bars: dict[str, dict[int, FoldedBar]] = {ticker: {} for ticker in tickers}
    for minute in range(count):
        for ticker in tickers:
            if minute and chance.random() < 0.2:
                continue
            low, one, two, high = sorted(chance.uniform(50, 150) for _ in range(4))
            first, last = chance.choice([(one, two), (two, one)])
            bars[ticker][START_NS + minute * MINUTE_NS] = FoldedBar(first, high, low, last, chance.uniform(0, 1e6), 4)
    return bars


def _rows(bars: dict[str, dict[int, FoldedBar]]) -> list[tuple[str, int, FoldedBar]]:
    return sorted(
        ((ticker, start, bar) for ticker, own in bars.items() for start, bar in own.items()), key=lambda row: row[1]
    )


def _lines(bars: dict[str, dict[int, FoldedBar]]) -> list[str]:
    return [
        f"{ticker},{to_rfc3339(start)},{bar.open!r},{bar.high!r},{bar.low!r},{bar.close!r},{bar.volume!r}"
        for ticker, start, bar in _rows(bars)
    ]


def _marks(moments: list[Moment]) -> list[int]:
    return [moment.watermark_ns for moment in moments if moment.watermark_ns is not None]


def test_everything_played_folds_back_to_the_files_bars_bit_for_bit(tmp_path: Path) -> None:
    bars = _bars(100)
    path = write_csv(tmp_path / "bars.csv", _HEADER, *_lines(bars))
    moments = play(FileOptions(path, "1m"))
    assert fold(ticks_of(moments), MINUTE_NS) == bars
    starts = sorted({start for own in bars.values() for start in own})
    gaps = [start for start in starts[1:] if start - MINUTE_NS not in starts]
    assert _marks(moments) == sorted([start + MINUTE_NS for start in starts] + gaps)
    positions = [moment.position for moment in moments]
    assert positions == sorted(set(positions))


def test_parquet_plays_what_csv_plays(tmp_path: Path) -> None:
    bars = _bars(20)
    rows = _rows(bars)
    names = ("open", "high", "low", "close", "volume")
    columns = {name: [getattr(bar, name) for _, _, bar in rows] for name in names}
    path = write_parquet(
        tmp_path / "bars.parquet",
        {"ticker": [row[0] for row in rows], "timestamp": [row[1] for row in rows], **columns},
    )
    csv_path = write_csv(tmp_path / "bars.csv", _HEADER, *_lines(bars))
    parquet_ticks, csv_ticks = (ticks_of(play(FileOptions(p, "1m"))) for p in (path, csv_path))
    assert parquet_ticks == csv_ticks
    assert fold(parquet_ticks, MINUTE_NS) == bars


@pytest.mark.parametrize("start_minute", [None, 30])
def test_a_play_goes_on_after_any_position_with_what_it_would_have_played(
    tmp_path: Path, start_minute: int | None
) -> None:
    lines = _lines(_bars(40))
    lines.insert(50, "AAPL,rubbish")
    path = write_csv(tmp_path / "bars.csv", _HEADER, *lines)
    start_ns = None if start_minute is None else START_NS + start_minute * MINUTE_NS
    options = FileOptions(path, "5m", start_ns=start_ns)
    whole = play(options)
    for cut in range(0, len(whole), 7):
        assert play(options, after=whole[cut].position) == whole[cut + 1 :]


def test_what_lies_before_the_start_is_warm_up_and_at_most_250_times_of_it(tmp_path: Path) -> None:
    bars = _bars(300, ("AAPL",))
    path = write_csv(tmp_path / "bars.csv", _HEADER, *_lines(bars))
    start_ns = sorted(bars["AAPL"])[-20]
    clock = ManualClock()
    moments = play(FileOptions(path, "1m", start_ns=start_ns), pace=Pace(2.0, clock, clock.sleep))
    played = fold(ticks_of([m for m in moments if m.origin is Origin.WARM_UP]), MINUTE_NS)["AAPL"]
    before = [start for start in sorted(bars["AAPL"]) if start < start_ns]
    assert sorted(played) == before[-250:]
    live = fold(ticks_of([m for m in moments if m.origin is Origin.NORMAL]), MINUTE_NS)["AAPL"]
    assert sorted(live) == [start for start in sorted(bars["AAPL"]) if start >= start_ns]
    assert sum(clock.slept) == pytest.approx(20 / 2.0 - 0.125)


def test_an_end_and_a_list_of_tickers_leave_out_the_rest(tmp_path: Path) -> None:
    bars = _bars(20)
    path = write_csv(tmp_path / "bars.csv", _HEADER, *_lines(bars))
    end_ns = START_NS + 10 * MINUTE_NS
    played = fold(ticks_of(play(FileOptions(path, "1m", ("MSFT",), end_ns=end_ns))), MINUTE_NS)
    assert played == {"MSFT": {start: bar for start, bar in bars["MSFT"].items() if start < end_ns}}


def test_a_gap_is_said_by_a_watermark_and_longer_bars_whose_last_minute_is_missing_are_closed(tmp_path: Path) -> None:
    rows = [
        f"AAPL,{to_rfc3339(START_NS + minute * MINUTE_NS)},1,1,1,1,1"
        for minute in (0, 1, 2, 3, 4, 5, 6, 20, 21, 22, 23, 24, 31)
    ]
    path = write_csv(tmp_path / "bars.csv", _HEADER, *rows)
    marks = [(mark - START_NS) // MINUTE_NS for mark in _marks(play(FileOptions(path, "5m")))]
    assert marks == [1, 2, 3, 4, 5, 6, 7, 20, 21, 22, 23, 24, 25, 31, 32, 35]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("AAPL,2024-01-02T14:31:00Z,1,2,1,1", "the row has 6 values for 7 columns"),
        ("AAPL,2024-01-02T14:31:00Z,1,2,1,1,1,", "the row has 8 values for 7 columns"),
        ("AAPL,nonsense,1,2,1,1,1", "timestamp: 'nonsense' is not a time"),
        ("AAPL,2024-01-02T14:31:00Z,1,2,1,x,1", "close: 'x' is not a number"),
        ("AAPL,2024-01-02T14:31:00Z,1,2,1,,1", "close: '' is not a number"),
        ("AAPL,2024-01-02T14:31:00Z,1,2,1,nan,1", "close: nan is not a positive number"),
        ("AAPL,2024-01-02T14:31:00Z,1,2,0,1,1", "low: 0.0 is not a positive number"),
        ("AAPL,2024-01-02T14:31:00Z,1,2,1,1,-1", "volume: -1.0 is not a number"),
        ("AAPL,2024-01-02T14:31:00Z,1,2,1.5,1,1", "do not hold open 1.0 and close 1.0"),
        ("A B,2024-01-02T14:31:00Z,1,2,1,1,1", "ticker 'A B' is not a symbol"),
        (",2024-01-02T14:31:00Z,1,2,1,1,1", "ticker '' is not a symbol"),
        ("AAPL,2024-01-02T14:29:00Z,1,2,1,1,1", "lies before 2024-01-02T14:30:00Z"),
        ("AAPL,2024-01-02T14:30:00Z,1,2,1,1,1", "a second bar of AAPL at 2024-01-02T14:30:00Z"),
        ('"AAPL,2024-01-02T14:31:00Z,1,2,1,1,1', "the line is not CSV"),
        ("AAPL,\udcff,1,2,1,1,1", "can't decode"),
        ("A" * 70_000, "longer than 65536 bytes"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_the_rest_goes_on(tmp_path: Path, row: str, reason: str) -> None:
    path = tmp_path / "bars.csv"
    lines = [_HEADER, *[f"{t},2024-01-02T14:30:00Z,1,2,1,1,1" for t in ("AAPL", "MSFT")], row]
    lines += [f"MSFT,2024-01-02T14:3{minute}:00Z,1,2,1,1,1" for minute in (1, 2)]
    path.write_bytes("\n".join(lines).encode(errors="surrogateescape"))
    moments = play(FileOptions(str(path), "1m"))
    rejected = [bad for moment in moments for bad in moment.rejected]
    assert [bad.place for bad in rejected] == ["4"]
    assert reason in rejected[0].reason
    assert rejected[0].value[:65_536] == row.encode(errors="surrogateescape")[:65_536]
    bar = FoldedBar(1.0, 2.0, 1.0, 1.0, 1.0, 4)
    minutes = [START_NS + minute * MINUTE_NS for minute in range(3)]
    assert fold(ticks_of(moments), MINUTE_NS) == {"AAPL": {START_NS: bar}, "MSFT": dict.fromkeys(minutes, bar)}


def test_a_file_cut_off_in_a_row_plays_what_is_whole(tmp_path: Path) -> None:
    bars = _bars(20, ("AAPL",))
    path = Path(write_csv(tmp_path / "bars.csv", _HEADER, *_lines(bars)))
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    moments = play(FileOptions(str(path), "1m"))
    assert len(fold(ticks_of(moments), MINUTE_NS)["AAPL"]) == len(bars["AAPL"]) - 1
    assert len([bad for moment in moments for bad in moment.rejected]) == 1


def test_a_file_in_another_order_is_refused(tmp_path: Path) -> None:
    bars = _bars(150)
    lines = sorted(_lines(bars))
    with pytest.raises(StopAndSayError, match="sort its rows by timestamp"):
        play(FileOptions(write_csv(tmp_path / "bars.csv", _HEADER, *lines), "1m"))


def test_a_file_that_nothing_can_be_read_of_is_refused(tmp_path: Path) -> None:
    lines = [f"AAPL,{day}/01/2024,1,1,1,1,1" for day in range(1_001)]
    with pytest.raises(StopAndSayError, match="none of the first 1000 rows can be understood; row 1001: timestamp"):
        play(FileOptions(write_csv(tmp_path / "bars.csv", _HEADER, *lines), "1m"))


def test_a_start_after_the_end_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bars.csv", _HEADER, *_lines(_bars(5)))
    with pytest.raises(StopAndSayError, match=r"nothing to play from TICKCAST_START 2030-01-01 on of .* AAPL"):
        play(FileOptions(path, "1m", ("AAPL",), start_ns=from_rfc3339("2030-01-01")))


def test_a_file_without_one_good_row_is_refused_and_not_called_ended(tmp_path: Path) -> None:
    with pytest.raises(StopAndSayError, match="holds nothing to play"):
        play(FileOptions(write_csv(tmp_path / "bars.csv", _HEADER, *["AAPL,2024-01-02,1,2"] * 50), "1d"))


@pytest.mark.parametrize(
    ("minutes", "interval", "said"),
    [
        (1_440, "1m", "holds bars of 1d, of which 1m is not a whole number: set 1d"),
        (2, "5m", "holds bars of 2m, of which 5m is not a whole number: set 1h"),
        (3, "5m", "holds bars of 3m, of which 5m is not a whole number: set 1h"),
        (4, "1m", "holds bars of 4m, of which 1m is not a whole number: set 1h"),
        (480, "1h", "holds bars of 8h, of which 1h is not a whole number: set 1d"),
    ],
)
def test_an_interval_that_is_not_a_whole_number_of_bars_is_refused_with_the_one_that_would_do(
    minutes: int, interval: Interval, said: str, tmp_path: Path
) -> None:
    rows = [f"AAPL,{to_rfc3339(START_NS + number * minutes * MINUTE_NS)},1,1,1,1,1" for number in range(9)]
    path = write_csv(tmp_path / "bars.csv", _HEADER, *rows)
    with pytest.raises(StopAndSayError, match=said):
        FileSource(FileOptions(path, interval), Pace(0))
    with pytest.raises(StopAndSayError, match=said):
        load_history(f"file:{path}", interval)
    assert describe_file(path).interval == said.rpartition(" ")[2]


@pytest.mark.parametrize("minutes", [1, 2, 3, 4, 5, 10, 15, 20, 30])
def test_the_interval_that_is_found_folds_the_played_prices_as_it_folds_the_history(
    minutes: int, tmp_path: Path
) -> None:
    chance = random.Random(5)
    lines = []
    for number in range(60):
        low, first, last, high = sorted(chance.uniform(50, 150) for _ in range(4))
        time = to_rfc3339(START_NS + number * minutes * MINUTE_NS)
        lines.append(f"AAPL,{time},{first!r},{high!r},{low!r},{last!r},{chance.randint(0, 99)}")
    path = write_csv(tmp_path / "bars.csv", _HEADER, *lines)
    interval = describe_file(path).interval
    assert interval is not None
    folded = fold(ticks_of(play(FileOptions(path, interval))), interval_ns(interval))["AAPL"]
    history = load_history(f"file:{path}", interval)["AAPL"]
    columns = (history.open, history.high, history.low, history.close, history.volume)
    rows = zip(history.start_ns.tolist(), *(column.tolist() for column in columns), strict=True)
    assert {start: (b.open, b.high, b.low, b.close, b.volume) for start, b in folded.items()} == {
        start: tuple(numbers) for start, *numbers in rows
    }


@pytest.mark.parametrize(
    "stamps",
    [
        ["2024-03-08T00:00:00-05:00", "2024-03-11T00:00:00-04:00", "2024-03-12T00:00:00-04:00"],
        ["2024-03-08T00:00+02:00", "2024-03-11T00:00+03:00", "2024-03-12T00:00:00.000000000+03:00"],
        ["2024-03-08T20:00-05:00", "2024-03-11T20:00-04:00", "2024-03-12T20:00-04:00"],
        ["2024-03-08", "20240311", "1710201600"],
    ],
)
def test_a_daily_bar_is_that_of_the_date_which_its_row_states_whatever_the_offset(
    stamps: list[str], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "bars.csv", _HEADER, *(f"AAPL,{stamp},1,1,1,1,1" for stamp in stamps))
    moments = play(FileOptions(path, "1d"))
    days = ("2024-03-09", "2024-03-11", "2024-03-12", "2024-03-13")
    assert _marks(moments) == [from_rfc3339(day) for day in days]
    starts = [from_rfc3339(day) for day in ("2024-03-08", "2024-03-11", "2024-03-12")]
    assert load_history(f"file:{path}", "1d")["AAPL"].start_ns.tolist() == starts
    description = describe_file(path)
    assert (description.first, description.last) == ("2024-03-08T00:00:00Z", "2024-03-12T00:00:00Z")


def test_shorter_bars_keep_to_utc_whatever_the_offset(tmp_path: Path) -> None:
    rows = [f"AAPL,2024-03-08T0{hour}:00+02:00,1,1,1,1,1" for hour in range(4)]
    path = write_csv(tmp_path / "bars.csv", _HEADER, *rows)
    hours = [from_rfc3339("2024-03-07T22:00:00Z") + hour * 60 * MINUTE_NS for hour in range(4)]
    assert sorted(fold(ticks_of(play(FileOptions(path, "1h"))), 60 * MINUTE_NS)["AAPL"]) == hours
    days = load_history(f"file:{path}", "1d")["AAPL"].start_ns.tolist()
    assert days == [from_rfc3339("2024-03-07"), from_rfc3339("2024-03-08")]


@pytest.mark.parametrize(
    ("minutes", "interval", "said"),
    [
        (15, "1h", ", which last 15m, folded into bars of 1h"),
        (120, "1d", ", which last 2h, folded into bars of 1d"),
        (5, "5m", ""),
    ],
)
def test_bars_that_are_folded_are_said_to_be(minutes: int, interval: Interval, said: str, tmp_path: Path) -> None:
    rows = [f"AAPL,{to_rfc3339(START_NS + number * minutes * MINUTE_NS)},1,1,1,1,1" for number in range(9)]
    path = write_csv(tmp_path / "bars.csv", _HEADER, *rows)
    assert FileSource(FileOptions(path, interval), Pace(0)).title == f"bars of {path}{said}"


def test_a_length_is_told_from_distances() -> None:
    minute = 60 * 10**9
    day = 1_440 * minute
    assert bar_length_ns([[0, day, 4 * day, 5 * day]]) == day
    assert bar_length_ns([[0, 23 * 60 * minute, 47 * 60 * minute]]) == day
    assert bar_length_ns([[0, 7 * day, 14 * day]]) == day
    assert bar_length_ns([[0, 2 * minute, 5 * minute], [minute]]) == minute
    assert bar_length_ns([[0, 15 * minute, 45 * minute, day]]) == 15 * minute
    assert bar_length_ns([[0], [minute], []]) is None
    odd = [number * minute for number in range(100)] + [99 * minute + 1_000_000_000]
    assert bar_length_ns([odd]) == minute
    assert bar_length_ns([[0, 1, 2, 3]]) == 1_000_000_000


def test_a_row_with_a_typo_in_its_year_is_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = _lines(_bars(150, ("AAPL",)))
    lines[20] = lines[20].replace("2024", "2204")
    moments = play(FileOptions(write_csv(tmp_path / "bars.csv", _HEADER, *lines), "1m"))
    (rejected,) = [bad for moment in moments for bad in moment.rejected]
    assert rejected.place == "22"
    assert "2204-01-02T" in rejected.reason
    assert len(fold(ticks_of(moments), MINUTE_NS)["AAPL"]) == len(lines) - 1


def test_what_was_rejected_is_given_before_a_file_in_another_order_is_refused(tmp_path: Path) -> None:
    bars = _bars(150)
    source = FileSource(FileOptions(write_csv(tmp_path / "bars.csv", _HEADER, *sorted(_lines(bars))), "1m"), Pace(0))
    rejected: list[Rejected] = []

    async def gather() -> None:
        async for moment in source.ticks(None, {}):
            rejected.extend(moment.rejected)

    with pytest.raises(StopAndSayError, match="sort its rows by timestamp"):
        asyncio.run(gather())
    assert [int(bad.place or 0) for bad in rejected] == list(range(len(bars["AAPL"]) + 2, len(bars["AAPL"]) + 102))


def test_a_file_that_runs_backwards_is_refused(tmp_path: Path) -> None:
    lines = _lines(_bars(150, ("AAPL",)))[::-1]
    with pytest.raises(StopAndSayError, match="sort its rows by timestamp"):
        play(FileOptions(write_csv(tmp_path / "bars.csv", _HEADER, *lines), "1m"))


def test_slow_bars_repeat_their_last_watermark_once_a_second(tmp_path: Path) -> None:
    bars = _bars(4, ("AAPL",))
    clock = ManualClock()
    path = write_csv(tmp_path / "bars.csv", _HEADER, *_lines(bars))
    moments = play(FileOptions(path, "1m"), pace=Pace(0.05, clock, clock.sleep))
    marks = _marks(moments)
    assert marks == sorted(marks)
    assert len(marks) >= sum(clock.slept) - 15 * 2, "but for the first bar, and a second for each step"
    assert fold(ticks_of(moments), MINUTE_NS) == bars
    positions = [moment.position for moment in moments]
    assert positions == sorted(positions)


def test_a_second_bar_says_which_length_the_bars_were_found_to_have(tmp_path: Path) -> None:
    rows = [f"AAPL,{to_rfc3339(START_NS + number * 5 * MINUTE_NS)},1,1,1,1,1" for number in range(50)]
    rows.insert(30, f"AAPL,{to_rfc3339(START_NS + 146 * MINUTE_NS)},1,1,1,1,1")
    moments = play(FileOptions(write_csv(tmp_path / "bars.csv", _HEADER, *rows), "1h"))
    (reason,) = [bad.reason for moment in moments for bad in moment.rejected]
    assert reason.endswith("by its first rows, the file holds bars of 5m")


def test_a_second_bar_of_one_time_is_passed_over_in_training_as_in_play(tmp_path: Path) -> None:
    row = "AAPL,2024-01-02T14:3{}:00Z,1,4,0.5,2,10"
    rows = [row.format(minute) for minute in (0, 0, 1, 2)]
    path = write_csv(tmp_path / "bars.csv", _HEADER, *rows)
    for interval, volumes in (("1m", [10.0, 10.0, 10.0]), ("5m", [30.0])):
        bars = load_history(f"file:{path}", interval)["AAPL"]  # type: ignore[arg-type]
        played = fold(ticks_of(play(FileOptions(path, interval))), interval_ns(interval))["AAPL"]  # type: ignore[arg-type]
        assert bars.volume.tolist() == [bar.volume for bar in played.values()] == volumes


def test_thousands_of_bad_rows_are_all_reported_and_never_gathered_whole(tmp_path: Path) -> None:
    lines = _lines(_bars(4, ("AAPL",)))
    lines[2:2] = ["AAPL,bad"] * 2_500
    options = FileOptions(write_csv(tmp_path / "bars.csv", _HEADER, *lines), "1m")
    moments = play(options)
    places = [int(bad.place or 0) for moment in moments for bad in moment.rejected]
    assert places == list(range(4, 2_504))
    assert max(len(moment.rejected) for moment in moments) <= 1_000
    positions = [moment.position for moment in moments]
    assert positions == sorted(positions)
    assert len(fold(ticks_of(moments), MINUTE_NS)["AAPL"]) == len(lines) - 2_500
