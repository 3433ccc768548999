"""A live market of which no model set was trained: the first one is trained on its provider's history."""

import time
from pathlib import Path

import pytest

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.daily_prices import load_daily_bars
from predictor.artifacts import load_model_set
from predictor.training import pipeline, tasks
from predictor.training.recipes import recipes
from predictor.training.settings import TrainingSettings
from schemas.events import ModelEvent
from schemas.times import bar_start_ns, interval_ns
from tests.ingestor.providers.in_thread import AlpacaInThread

pytestmark = pytest.mark.slow

_DAY_NS = interval_ns("1d")
_TICKERS = ("AAPL", "IBM", "MSFT")
_DAYS = 600


def test_where_no_set_fits_one_is_trained_on_the_history_of_the_provider(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alpaca, announced = AlpacaInThread(), list[ModelEvent]()
    today_ns = bar_start_ns(time.time_ns(), _DAY_NS)
    alpaca.fake.page_bars = 10_000
    for ticker, bars in load_daily_bars(_TICKERS).items():
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
        rows = zip(*(column[-_DAYS:].tolist() for column in columns), strict=True)
        alpaca.fake.history[ticker] = {
            today_ns - (_DAYS - day) * _DAY_NS: PlayedBar(ticker, *row) for day, row in enumerate(rows)
        }
    monkeypatch.chdir(tmp_path)
    for name, value in alpaca.settings(tmp_path).items():
        monkeypatch.setenv(f"TICKCAST_{name.upper()}", str(value))
    monkeypatch.setattr(tasks, "require_models_topic", lambda _: None)
    monkeypatch.setattr(tasks, "newest_decision", lambda _: None)
    monkeypatch.setattr(tasks, "announce", lambda _, event: announced.append(event))
    monkeypatch.setattr(pipeline, "recipes", lambda parameters: {"forest": recipes(parameters)["forest"]})
    settings = TrainingSettings(
        _env_file=None, tickers=_TICKERS, interval="1d", models_directory=tmp_path / "models", horizons=(1, 5)
    )
    try:
        tasks.ensure(settings)
    finally:
        alpaca.end()
    [event] = announced
    manifest = load_model_set(Path(event.location), interval="1d", horizons=(1, 5)).manifest
    assert (manifest.options.source, event.tickers) == ("alpaca", list(_TICKERS))
    assert manifest.train_end_ns == today_ns, "up to yesterday's close"
