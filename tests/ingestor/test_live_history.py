"""The past of a live market, for training."""

from pathlib import Path

import pytest

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.history import load_history
from ingestor.sources.live.live_history import span_ns
from predictor.training.history import bars_before_start
from predictor.training.settings import TrainingSettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from schemas.times import INTERVALS, Interval, from_rfc3339, interval_ns
from tests.ingestor.providers.in_thread import AlpacaInThread

_DAY_NS = interval_ns("1d")
_FIRST_NS = from_rfc3339("2020-01-06")


@pytest.fixture
def alpaca(alpaca: AlpacaInThread, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AlpacaInThread:
    alpaca.be_asked_for_the_past(monkeypatch, tmp_path)
    alpaca.fake.history["AAPL"] = {
        _FIRST_NS + day * _DAY_NS: PlayedBar("AAPL", 1.0 + day, 2.0 + day, 0.5 + day, 1.5 + day, 9.0)
        for day in range(40)
    }
    return alpaca


def test_the_past_of_a_live_market_is_what_training_reads(
    alpaca: AlpacaInThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKCAST_SOURCE_HISTORY_BARS", "30")
    starts_ns = [_FIRST_NS + day * _DAY_NS for day in range(40)]
    whole = load_history("alpaca", "1d", ["AAPL"], starts_ns[0], starts_ns[20])
    assert whole["AAPL"].start_ns.tolist() == starts_ns[:20]
    last = load_history("alpaca", "1d", ["AAPL"], end_ns=starts_ns[35])
    assert last["AAPL"].start_ns.tolist() == starts_ns[5:35]
    monkeypatch.setenv("TICKCAST_SOURCE_HISTORY_BARS", "5000")
    trained = bars_before_start(load_settings(TrainingSettings, source="alpaca", tickers=("AAPL",)))
    assert trained["AAPL"].start_ns.tolist() == starts_ns


def test_a_market_is_not_asked_for_all_of_its_tickers(alpaca: AlpacaInThread) -> None:
    with pytest.raises(StopAndSayError, match="TICKCAST_TICKERS"):
        load_history("alpaca", "1d")


@pytest.mark.parametrize("interval", INTERVALS)
def test_the_span_holds_so_many_bars(interval: Interval) -> None:
    session_ns = int(6.5 * 3_600 * 10**9)
    sessions = 5 * (span_ns(interval, 2_000) // (7 * _DAY_NS))
    bars = sessions if interval == "1d" else sessions * session_ns // interval_ns(interval)
    assert bars >= 2_000
