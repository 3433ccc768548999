"""What is trained on: the bars of the source before the first live one."""

from pathlib import Path

import numpy as np
import pytest

from ingestor.sources.bars import BarColumns
from predictor.training.dataset import dataset_from_bars
from predictor.training.history import bars_before_start
from predictor.training.settings import TrainingSettings
from schemas.errors import StopAndSayError
from schemas.times import to_rfc3339
from tests.predictor_models.examples import DAY_NS, HORIZONS, random_walk


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


def test_a_file_of_bars_trains_as_the_same_bars_do(tmp_path: Path) -> None:
    bars = {"AAA": random_walk(1, 120, 10), "BBB": random_walk(2, 100, 15)}
    path = write_bars(tmp_path / "bars.csv", bars)
    start_ns = 100 * DAY_NS
    settings = TrainingSettings(_env_file=None, source=f"file:{path}", start=to_rfc3339(start_ns))
    history = bars_before_start(settings)
    assert max(int(columns.start_ns.max()) + DAY_NS for columns in history.values()) == start_ns
    known = {ticker: columns.between(None, start_ns - DAY_NS + 1) for ticker, columns in bars.items()}
    one, other = dataset_from_bars(history, "1d", HORIZONS), dataset_from_bars(known, "1d", HORIZONS)
    assert np.array_equal(one.batch.model_inputs, other.batch.model_inputs)
    assert np.array_equal(one.log_returns, other.log_returns)


def test_only_the_wanted_tickers_of_a_file_are_loaded(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "bars.csv", {"AAA": random_walk(1, 30), "BBB": random_walk(2, 30)})
    settings = TrainingSettings(_env_file=None, source=f"file:{path}", tickers="bbb")
    assert list(bars_before_start(settings)) == ["BBB"]


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StopAndSayError, match=r"missing\.csv"):
        bars_before_start(TrainingSettings(_env_file=None, source=f"file:{tmp_path / 'missing.csv'}"))


def test_replay_has_daily_bars_only() -> None:
    with pytest.raises(StopAndSayError, match="TICKCAST_INTERVAL: replay has daily bars"):
        bars_before_start(TrainingSettings(_env_file=None, interval="1h"))


def test_simulated_prices_teach_nothing() -> None:
    with pytest.raises(StopAndSayError, match="teach nothing"):
        bars_before_start(TrainingSettings(_env_file=None, source="simulated"))
