"""Files that cannot be played, and what is said of them."""

import datetime
import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import compute as pc

from ingestor.positions import PositionText
from ingestor.settings import IngestorSettings
from ingestor.sources import csv_rows
from ingestor.sources.file_description import describe_file, detect_interval
from ingestor.sources.file_intervals import DAY_NS
from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_reader import RowReader
from ingestor.sources.file_rows import open_rows
from ingestor.sources.file_source import FileSource
from ingestor.sources.history import load_history
from ingestor.sources.moments import Rejected
from ingestor.sources.open_source import open_source
from ingestor.sources.pace import Pace
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError
from schemas.times import from_rfc3339, to_rfc3339
from tests.ingestor.files import MINUTE_NS, START_NS, play, write_csv, write_parquet
from tests.ingestor.fold import collect, fold, ticks_of

_BARS = "ticker,timestamp,open,high,low,close,volume"
_TICKS = "ticker,timestamp,price,size"


def _minute_bars(path: Path, count: int) -> str:
    rows = [f"AAPL,{to_rfc3339(START_NS + minute * MINUTE_NS)},1,4,0.5,2,10" for minute in range(count)]
    return write_csv(path, _BARS, *rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: its first line must name the columns"),
        (b"\n\n", "is empty"),
        (
            b"ticker,timestamp,open,high,low,volume\n",
            "lacks the column close: a file of bars has ticker",
        ),
        (b"ticker,price\n", "lacks the columns timestamp, size: a file of ticks has ticker,timestamp,price,size"),
        (b"PAR1 and no more", "is not a whole Parquet file"),
    ],
)
def test_a_file_that_cannot_be_played_is_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    with pytest.raises(StopAndSayError, match=f"prices.csv {message}"):
        FileSource(FileOptions(str(path), "1m"), Pace(0))


@pytest.mark.parametrize(
    "content", ["ticker,timestamp\n".encode("utf-16"), b"\x1f\x8b\x08\x00\xff", b'"ticker,price\n']
)
def test_a_file_that_is_no_text_is_refused_and_not_tried_again(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    with pytest.raises(StopAndSayError, match=r"prices\.csv is neither CSV in UTF-8 nor Parquet"):
        describe_file(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StopAndSayError, match=r"missing\.csv cannot be read: No such file"):
        describe_file(str(tmp_path / "missing.csv"))


def test_a_parquet_file_cut_off_is_refused(tmp_path: Path) -> None:
    path = Path(write_parquet(tmp_path / "t.parquet", {name: [1.0] * 50 for name in _TICKS.split(",")}))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StopAndSayError, match=r"t\.parquet is not a whole Parquet file"):
        describe_file(str(path))


def test_a_parquet_file_damaged_inside_is_refused_when_it_comes_to_that(tmp_path: Path) -> None:
    columns = {"ticker": ["AAPL"] * 900, "timestamp": list(range(START_NS, START_NS + 900)), "size": [1.0] * 900}
    columns["price"] = np.random.default_rng(1).uniform(1, 2, 900).tolist()
    path = Path(write_parquet(tmp_path / "t.parquet", dict(columns), row_group_size=300))
    data = bytearray(path.read_bytes())
    middle = len(data) * 6 // 10
    data[middle : middle + 2_000] = b"\xff" * 2_000
    path.write_bytes(data)
    with pytest.raises(StopAndSayError, match="is damaged after its beginning"):
        play(FileOptions(str(path), "1m"))


def test_a_byte_order_mark_spaces_capitals_and_other_columns_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\ufeffName, Ticker ,TIMESTAMP,Price,Size\nApple,aapl,1704205800,1,2\n", encoding="utf-8")
    moments = play(FileOptions(str(path), "1m"))
    assert [moment.tickers for moment in moments if moment.tickers] == [["AAPL"]]


def test_bars_are_described_by_their_beginning_and_end(tmp_path: Path) -> None:
    description = describe_file(_minute_bars(tmp_path / "b.csv", 5_000))
    assert (description.kind, description.interval, description.tickers) == ("bars", "1m", 1)
    assert (description.first, description.whole) == (to_rfc3339(START_NS), False)
    assert description.last == to_rfc3339(START_NS + 4_999 * MINUTE_NS)


def test_ticks_have_no_interval_and_bars_between_intervals_get_the_next_that_they_fill(tmp_path: Path) -> None:
    ticks = write_csv(tmp_path / "t.csv", _TICKS, "AAPL,1704205800,1,1", "MSFT,1704205801,1,1")
    assert detect_interval(ticks) is None
    assert describe_file(ticks).tickers == 2
    rows = [f"AAPL,{to_rfc3339(START_NS + number * 15 * MINUTE_NS)},1,1,1,1,1" for number in range(9)]
    description = describe_file(write_csv(tmp_path / "b.csv", _BARS, *rows))
    assert (description.interval, description.bar_seconds) == ("1h", 900.0)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("order", ["by ticker", "by time"])
def test_the_order_of_a_long_file_is_seen_beyond_its_beginning(kind: str, order: str, tmp_path: Path) -> None:
    rows = [(ticker, START_NS + minute * MINUTE_NS) for ticker in ("AAPL", "MSFT", "X") for minute in range(3_000)]
    if order == "by time":
        rows.sort(key=lambda row: row[1])
    numbers: dict[str, object] = {name: [1.0] * len(rows) for name in ("open", "high", "low", "close", "volume")}
    columns = {"ticker": [ticker for ticker, _ in rows], "timestamp": [time for _, time in rows], **numbers}
    if kind == "parquet":
        path = write_parquet(tmp_path / "b.parquet", columns, row_group_size=5_000)
    else:
        path = write_csv(tmp_path / "b.csv", _BARS, *(f"{ticker},{time},1,1,1,1,1" for ticker, time in rows))
    backwards = describe_file(path).backwards
    assert backwards > 0.5 if order == "by ticker" else backwards == 0
    assert describe_file(path, tickers=["MSFT"]).backwards == 0, "one ticker alone is in the order of time"


def test_a_parquet_file_is_described_like_a_csv(tmp_path: Path) -> None:
    csv_path = _minute_bars(tmp_path / "b.csv", 50)
    columns: dict[str, object] = {name: [1.0] * 50 for name in ("open", "high", "low", "close", "volume")}
    columns["ticker"] = ["AAPL"] * 50
    columns["timestamp"] = [START_NS + minute * MINUTE_NS for minute in range(50)]
    assert describe_file(write_parquet(tmp_path / "b.parquet", columns)) == describe_file(csv_path)


def test_a_history_of_bars_ticks_and_longer_bars_is_folded_and_cut(tmp_path: Path) -> None:
    path = _minute_bars(tmp_path / "b.csv", 10)
    minutes = load_history(f"file:{path}", "1m", start_ns=START_NS + MINUTE_NS, end_ns=START_NS + 3 * MINUTE_NS)
    assert minutes["AAPL"].start_ns.tolist() == [START_NS + MINUTE_NS, START_NS + 2 * MINUTE_NS]
    fives = load_history(f"file:{path}", "5m")["AAPL"]
    assert fives.start_ns.tolist() == [START_NS, START_NS + 5 * MINUTE_NS]
    assert [fives.open[0], fives.high[0], fives.low[0], fives.close[0], fives.volume[0]] == [1.0, 4.0, 0.5, 2.0, 50.0]
    ticks = write_csv(tmp_path / "t.csv", _TICKS, "B,1704205800,3,1", "B,1704205830,1,2", "bad", "A,1704205801,1,1")
    history = load_history(f"file:{ticks}", "1m")
    assert list(history) == ["A", "B"]
    assert [history["B"].open[0], history["B"].close[0], history["B"].volume[0]] == [3.0, 1.0, 3.0]
    assert list(load_history(f"file:{ticks}", "1m", ["B"])) == ["B"]


def test_a_history_follows_the_times_of_rows_and_not_their_order(tmp_path: Path) -> None:
    rows = [
        f"A,{1_704_205_800 + second},{price},1"
        for second, price in ((10, 5), (0, 2), (30, 7), (20, 9), (30, 8), (0, 3))
    ]
    bars = load_history("file:" + write_csv(tmp_path / "t.csv", _TICKS, *rows), "1m")["A"]
    assert [bars.open[0], bars.high[0], bars.low[0], bars.close[0]] == [2.0, 9.0, 2.0, 8.0]


def test_each_kind_of_source_has_its_past_and_an_unknown_one_is_refused() -> None:
    assert len(load_history("replay", "1d")) == 5
    assert load_history("simulated", "1m") == {}
    with pytest.raises(StopAndSayError, match="use replay, simulated, file:PATH, or live markets"):
        load_history("nobody", "1d")


def test_rows_added_later_do_not_make_it_another_file_and_another_first_row_does(tmp_path: Path) -> None:
    options = FileOptions(_minute_bars(tmp_path / "b.csv", 10), "1m")
    before = FileSource(options, Pace(0)).content
    _minute_bars(tmp_path / "b.csv", 20)
    assert FileSource(options, Pace(0)).content == before
    write_csv(tmp_path / "b.csv", _BARS, "AAPL,1704205800,2,2,2,2,2")
    assert FileSource(options, Pace(0)).content != before


def test_another_end_is_another_content_for_the_bars_that_it_cuts_short_are_closed(tmp_path: Path) -> None:
    path = _minute_bars(tmp_path / "b.csv", 10)

    def content(end_ns: int | None) -> dict[str, str]:
        return FileSource(FileOptions(path, "1m", end_ns=end_ns), Pace(0)).content

    kept = PositionText(content(START_NS)).write((0, 1, 1, 1))
    with pytest.raises(StopAndSayError, match=r"end 2024-01-02T14:30:00Z, not last: .*--fresh"):
        PositionText(content(None)).read(kept)
    assert PositionText(content(START_NS)).read(kept) == (0, 1, 1, 1)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_needed_column_that_is_there_twice_is_refused(kind: str, tmp_path: Path) -> None:
    if kind == "csv":
        path = write_csv(tmp_path / "t.csv", "ticker,timestamp,price,size, Price ,note,note", "A,1704205800,1,1,7,a,b")
    else:
        columns = {"ticker": ["A"], "timestamp": [START_NS], "price": [1.0], "size": [1.0], " Price ": [7.0]}
        path = write_parquet(tmp_path / "t.parquet", dict(columns))
    with pytest.raises(StopAndSayError, match="has more than one column price"):
        FileSource(FileOptions(path, "1m"), Pace(0))


def test_a_file_that_is_gone_or_fails_while_it_is_read_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(_minute_bars(tmp_path / "b.csv", 10))
    source = FileSource(FileOptions(str(path), "1m"), Pace(0))
    path.unlink()
    with pytest.raises(StopAndSayError, match=r"b\.csv cannot be read: No such file"):
        collect(source.ticks(None, {}))
    file = open_rows(_minute_bars(path, 10))

    def fail(_file: object) -> Iterator[bytes]:
        yield b"AAPL,1704205800,1,1,1,1,1\n"
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(csv_rows, "_lines", fail)
    with pytest.raises(StopAndSayError, match=r"b\.csv cannot be read: Input/output error"):
        list(file.rows())


def test_a_last_line_without_an_end_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{_TICKS}\nAAPL,1704205800,1,1\nAAPL,1704205801,123.45,12")
    assert len(ticks_of(play(FileOptions(str(path), "1m")))) == 2
    assert caplog.text.count("t.csv ends in the middle of a line") == 1
    caplog.clear()
    path.write_text(path.read_text() + "34\n")
    play(FileOptions(str(path), "1m"))
    assert caplog.text == ""


def test_the_command_describes_in_one_line_of_json_and_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    def describe(path: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ingestor", "describe", f"file:{path}"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    finished = describe(_minute_bars(tmp_path / "b.csv", 3))
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["interval"] == "1m"
    missing = describe(str(tmp_path / "no.csv"))
    assert missing.returncode == EXIT_STOP_AND_SAY
    assert missing.stderr.count("\n") == 1
    assert "no.csv cannot be read" in missing.stderr


def test_a_parquet_column_of_dates_is_read_and_one_of_lists_is_bad(tmp_path: Path) -> None:
    days = [datetime.date(2024, 1, 2), datetime.date(2024, 1, 3), None]
    columns: dict[str, object] = {name: [1.0] * 3 for name in ("open", "high", "low", "close", "volume")}
    columns |= {"ticker": ["AAPL"] * 3, "timestamp": pa.array(days, pa.date32())}
    moments = play(FileOptions(write_parquet(tmp_path / "d.parquet", columns), "1d"))
    assert sorted({to_rfc3339(time)[:10] for m in moments for time in m.times_ns}) == ["2024-01-02", "2024-01-03"]
    assert [bad.reason for m in moments for bad in m.rejected] == ["timestamp: it is empty"]
    description = describe_file(str(tmp_path / "d.parquet"))
    assert (description.interval, description.first) == ("1d", "2024-01-02T00:00:00Z")
    columns["timestamp"] = pa.array(days, pa.date64())
    write_parquet(tmp_path / "e.parquet", columns)
    assert describe_file(str(tmp_path / "e.parquet")) == description
    columns["timestamp"] = [[1], [2], [3]]
    path = write_parquet(tmp_path / "f.parquet", columns)
    assert [type(read) for read in RowReader(open_rows(path), path).read()] == [Rejected] * 3


@pytest.mark.parametrize("zone", ["+02:00", "Asia/Tokyo", "America/New_York", None])
def test_a_daily_parquet_column_with_a_zone_means_the_dates_of_that_zone(zone: str | None, tmp_path: Path) -> None:
    columns: dict[str, object] = {name: [1.0] * 3 for name in ("open", "high", "low", "close", "volume")}
    midnights = pa.array([datetime.datetime(2024, 3, day) for day in (8, 11, 12)], pa.timestamp("us"))
    columns["timestamp"] = pc.assume_timezone(midnights, zone) if zone else midnights
    columns["ticker"] = ["AAPL"] * 3
    path = write_parquet(tmp_path / "d.parquet", columns)
    days = [from_rfc3339(f"2024-03-{day:02}") for day in (8, 11, 12)]
    assert sorted(fold(ticks_of(play(FileOptions(path, "1d"))), DAY_NS)["AAPL"]) == days
    assert load_history(f"file:{path}", "1d")["AAPL"].start_ns.tolist() == days


def test_a_parquet_column_with_an_unknown_zone_is_refused_by_name(tmp_path: Path) -> None:
    columns = {name: pa.array([], pa.float64()) for name in _TICKS.split(",")}
    columns["timestamp"] = pa.array([], pa.timestamp("us", "Mars/Olympus"))
    with pytest.raises(StopAndSayError, match=r"t\.parquet: the time zone 'Mars/Olympus' of timestamp is not known"):
        describe_file(write_parquet(tmp_path / "t.parquet", dict(columns)))


def test_a_parquet_file_without_rows_has_nothing_to_play(tmp_path: Path) -> None:
    columns = {name: pa.array([], pa.float64()) for name in _TICKS.split(",")}
    path = write_parquet(tmp_path / "t.parquet", dict(columns))
    assert describe_file(path).first is None
    with pytest.raises(StopAndSayError, match="nothing to play"):
        play(FileOptions(path, "1m"))


def test_only_replay_can_begin_again() -> None:
    settings = IngestorSettings(_env_file=None, source="simulated", loop=True)
    with pytest.raises(StopAndSayError, match="TICKCAST_LOOP"):
        open_source(settings)
