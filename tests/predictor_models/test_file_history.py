"""A file's rows, folded to bars."""

from pathlib import Path

import numpy as np
import pytest

from ingestor.sources.bars import BarColumns
from predictor.training.dataset import dataset_from_bars
from predictor.training.file_history import load_file_bars
from predictor.training.history import load_history
from predictor.training.settings import TrainingSettings
from schemas.errors import StopAndSayError
from schemas.times import from_rfc3339, to_rfc3339
from tests.predictor_models.examples import DAY_NS, HORIZONS, random_walk

DAY = from_rfc3339("2024-01-02")
MINUTE_NS = 60_000_000_000


def write_bars(path: Path, bars: dict[str, BarColumns]) -> str:
    rows = [
        (int(start_ns), ticker, *(getattr(columns, name)[at] for name in ("open", "high", "low", "close", "volume")))
        for ticker, columns in bars.items()
        for at, start_ns in enumerate(columns.start_ns)
    ]
    lines = ["ticker,timestamp,open,high,low,close,volume"]
    lines += [f"{row[1]},{to_rfc3339(row[0])},{','.join(repr(float(v)) for v in row[2:])}" for row in sorted(rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def write_ticks(path: Path, rows: list[tuple[str, int, float, float]]) -> str:
    lines = [f"{ticker},{to_rfc3339(time_ns)},{price},{size}" for ticker, time_ns, price, size in rows]
    path.write_text("\n".join(["ticker,timestamp,price,size", *lines]) + "\n")
    return str(path)


def test_a_file_of_bars_gives_back_its_bars(tmp_path: Path) -> None:
    bars = {"AAA": random_walk(1, 30, 10), "BBB": random_walk(2, 20, 15)}
    loaded = load_file_bars(write_bars(tmp_path / "bars.csv", bars), "1d")
    assert list(loaded) == ["AAA", "BBB"]
    for ticker, columns in bars.items():
        for name in ("start_ns", "open", "high", "low", "close", "volume"):
            assert np.array_equal(getattr(loaded[ticker], name), getattr(columns, name)), name


def test_ticks_fold_by_event_time_and_what_is_late_is_passed_over(tmp_path: Path) -> None:
    rows = [
        ("AAA", DAY + 2_000_000_000, 10.0, 1.0),
        ("AAA", DAY + 1_000_000_000, 9.0, 2.0),
        ("AAA", DAY + 3_000_000_000, 12.0, 3.0),
        ("BBB", DAY + 3_000_000_000, 50.0, 1.0),
        ("AAA", DAY + MINUTE_NS, 11.0, 4.0),
        ("AAA", DAY + 4_000_000_000, 99.0, 9.0),
        ("AAA", DAY + MINUTE_NS, 8.0, 1.0),
    ]
    loaded = load_file_bars(write_ticks(tmp_path / "ticks.csv", rows), "1m")
    first, second = (
        tuple(float(getattr(loaded["AAA"], name)[at]) for name in ("open", "high", "low", "close", "volume"))
        for at in (0, 1)
    )
    assert first == (9.0, 12.0, 9.0, 12.0, 6.0), "the late 99 is not in it"
    assert second == (11.0, 11.0, 8.0, 8.0, 5.0), "ties follow the order of the rows"
    assert loaded["AAA"].start_ns.tolist() == [DAY, DAY + MINUTE_NS]
    assert len(loaded["BBB"]) == 1


def test_bad_rows_are_passed_over_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_ticks(tmp_path / "ticks.csv", [("AAA", DAY, 10.0, 1.0), ("AAA", DAY + 1, float("nan"), 1.0)])
    loaded = load_file_bars(path, "1m")
    assert loaded["AAA"].close.tolist() == [10.0]
    assert "1 bad rows" in caplog.text


def test_a_file_of_bars_trains_as_the_same_bars_do(tmp_path: Path) -> None:
    bars = {"AAA": random_walk(1, 120, 10), "BBB": random_walk(2, 100, 15)}
    path = write_bars(tmp_path / "bars.csv", bars)
    start_ns = 100 * DAY_NS
    settings = TrainingSettings(_env_file=None, source=f"file:{path}", start=to_rfc3339(start_ns))
    history = load_history(settings)
    assert max(int(columns.start_ns.max()) + DAY_NS for columns in history.values()) == start_ns
    known = {ticker: columns.between(None, start_ns - DAY_NS + 1) for ticker, columns in bars.items()}
    one, other = dataset_from_bars(history, "1d", HORIZONS), dataset_from_bars(known, "1d", HORIZONS)
    assert np.array_equal(one.batch.model_inputs, other.batch.model_inputs)
    assert np.array_equal(one.log_returns, other.log_returns)


def test_only_the_wanted_tickers_of_a_file_are_loaded(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "bars.csv", {"AAA": random_walk(1, 30), "BBB": random_walk(2, 30)})
    settings = TrainingSettings(_env_file=None, source=f"file:{path}", tickers="bbb")
    assert list(load_history(settings)) == ["BBB"]


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StopAndSayError, match=r"missing\.csv"):
        load_file_bars(str(tmp_path / "missing.csv"), "1d")


def test_replay_has_daily_bars_only() -> None:
    with pytest.raises(StopAndSayError, match="TICKCAST_INTERVAL: replay has daily bars"):
        load_history(TrainingSettings(_env_file=None, interval="1h"))


def test_simulated_prices_teach_nothing() -> None:
    with pytest.raises(StopAndSayError, match="teach nothing"):
        load_history(TrainingSettings(_env_file=None, source="simulated"))
