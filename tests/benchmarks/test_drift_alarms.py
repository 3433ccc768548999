"""What the drift tests are tuned with is what boards do, and what is injected is what it is called."""

from random import Random

import numpy as np
import pytest

from benchmarks.drift_alarms import KEPT_DATES, VALUES, alarms, begun, delays
from benchmarks.wild_returns import returns_times
from feature_stream.drift import PageHinkley, errors_beside_their_past, page_hinkley
from ingestor.sources.bars import BarColumns


def a_series(rng: Random, dates: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    random = np.random.default_rng(rng.randrange(2**31))
    squares = random.standard_t(4, dates) ** 2
    squares[150:220] *= 6.0
    return squares


@pytest.mark.parametrize("name", ["error", "loss"])
def test_many_settings_at_once_say_what_each_board_would_say(name: str, rng: Random) -> None:
    series = a_series(rng, 400)
    tests = [PageHinkley(allowance=allowance, threshold=10.0) for allowance in (0.5, 1.0)]
    said = alarms(series, VALUES[name], tests, range(400))
    for date in range(400):
        window = series[max(0, date + 1 - KEPT_DATES) : date + 1]
        values = errors_beside_their_past(window) if name == "error" else window
        expected = [page_hinkley(values.tolist(), test).dates_in_alarm > 0 for test in tests]
        assert said[:, date].tolist() == expected, date
    assert said.any()


def test_alarms_begin_once_and_delays_count_from_the_first_bar() -> None:
    assert begun(np.array([[True, True, False, True]])).tolist() == [[True, False, False, True]]
    calm = np.full(300, 1.0)
    [delay] = delays(calm, np.full(40, 20.0), 200, VALUES["error"], [PageHinkley(allowance=1.0, threshold=10.0)])
    assert delay == 2.0  # 9 - 1.05 - 1 at each bar: above 10 at the second
    [never] = delays(calm, np.full(40, 1.0), 200, VALUES["error"], [PageHinkley(allowance=1.0, threshold=10.0)])
    assert never == np.inf


def test_returns_are_multiplied_from_a_bar_on_within_bars_too() -> None:
    close = np.array([10.0, 11.0, 10.5, 12.0])
    bars = BarColumns(np.arange(4), close * 0.99, close * 1.02, close * 0.97, close, np.ones(4))
    wild = returns_times({"A": bars}, 3.0, 2)["A"]
    assert wild.close[:2].tolist() == [10.0, 11.0]
    assert np.diff(np.log(wild.close))[1:] == pytest.approx(3.0 * np.diff(np.log(close))[1:])
    assert np.log(wild.high[2:] / wild.close[1:-1]) == pytest.approx(3.0 * np.log(bars.high[2:] / close[1:-1]))
    assert (wild.high >= np.maximum(wild.open, wild.close)).all()
    assert (wild.low <= np.minimum(wild.open, wild.close)).all()
    assert returns_times({"A": bars}, 3.0, 99)["A"] is bars
