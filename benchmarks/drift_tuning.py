"""`python -m benchmarks.drift_tuning`: alarms and delays of the drift tests, on prices before 2010.

Forecasts are out of fold: no fit has seen the date that it is judged on. With `--replay` instead the chosen settings
on 2010 to 2013, by a pair fitted before: nothing may be chosen there, and `docs/scores.md` counts the looks.
"""

import argparse
from collections.abc import Sequence
from itertools import product

import numpy as np

from benchmarks.drift_alarms import VALUES, WITHIN_BARS, BoolArray, FloatArray, alarms, begun, delays
from benchmarks.drift_series import (
    Bars,
    Forecaster,
    Series,
    as_trained,
    one_bar_ahead,
    out_of_fold,
    series_of,
)
from benchmarks.wild_returns import returns_times
from feature_stream.drift import ERROR_TEST, LEAST_TRAILING_DATES, LOSS_TEST, RETRAIN_AFTER_DATES, PageHinkley
from feature_stream.stability import NEWEST_DATES, inputs_of, stability_index
from ingestor.sources.daily_prices import load_daily_bars
from predictor.training.dataset import Dataset
from schemas.times import from_rfc3339, to_rfc3339

_ALLOWANCES = {"error": (0.5, 0.75, 1.0, 1.25, 1.5), "loss": (0.01, 0.02, 0.05, 0.1)}
_THRESHOLDS = {"error": (10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0), "loss": (1.0, 2.0, 3.0, 5.0, 7.0, 10.0)}
_CHOSEN = {"error": ERROR_TEST, "loss": LOSS_TEST}
_INJECTIONS = 20
_FACTOR = 3.0
#: Bars before an injection that features are made from again; the recursive averages have forgotten what was before.
_FEATURE_BARS = 250
#: Of a ticker that a board looks back on for the stability index.
_OUTCOMES = 500
_FIRST_INJECTION = LEAST_TRAILING_DATES + 60


def grids() -> dict[str, list[PageHinkley]]:
    """Give the settings that are tried, the chosen ones first."""
    tried = {}
    for name, chosen in _CHOSEN.items():
        pairs = product(_ALLOWANCES[name], _THRESHOLDS[name])
        others = [PageHinkley(allowance=allowance, threshold=threshold) for allowance, threshold in pairs]
        tried[name] = [chosen, *(test for test in others if test != chosen)]
    return tried


def of_series(series: Series, name: str) -> FloatArray:
    """Give what a test of this name looks at."""
    return series.squared_errors if name == "error" else series.losses


def injection_dates(dates: int) -> list[int]:
    """Give twenty dates, evenly spread, with enough before the first and after the last."""
    spread: list[int] = np.linspace(_FIRST_INJECTION, dates - WITHIN_BARS, _INJECTIONS).astype(int).tolist()
    return spread


def injected(bars: Bars, forecaster: Forecaster, series: Series, at: int) -> Series:
    """Give the series from a date on, had the returns been three times as large from it on."""
    start_ns = int(series.dates_ns[at]) - 86_400_000_000_000  # of the bar that ends there
    end_ns = int(series.dates_ns[min(at + WITHIN_BARS, len(series.dates_ns) - 1)])
    near = {ticker: columns.between(None, end_ns) for ticker, columns in bars.items()}
    wild = returns_times(near, _FACTOR, start_ns)
    cut = {
        ticker: columns.between(int(columns.start_ns[max(0, len(columns) - _FEATURE_BARS - WITHIN_BARS)]), None)
        for ticker, columns in wild.items()
        if len(columns)
    }
    samples = one_bar_ahead(cut)
    samples = samples.rows(samples.label_end_ns >= series.dates_ns[at])
    return series_of(samples, forecaster.scaled(samples))


def broken(samples: Dataset, scaled_forecasts: FloatArray) -> Series:
    """Give the series of forecasts as large as the returns, which is what a lost scaler makes of them."""
    size = float(np.sqrt(np.nanmean(np.square(scaled_forecasts))))
    return series_of(samples, scaled_forecasts / size)


def table(name: str, tests: Sequence[PageHinkley], series: Series, wild: Sequence[Series], bad: Series) -> list[str]:
    """Lay out, a line a setting: alarms per 1,000 bars, and how soon what was injected is raised."""
    values, own = VALUES[name], of_series(series, name)
    said = alarms(own, values, tests, range(len(own)))
    dates = injection_dates(len(own))
    of_wild = [delays(own, of_series(one, name), at, values, tests) for at, one in zip(dates, wild, strict=True)]
    of_bad = [delays(own, of_series(bad, name)[at:], at, values, tests) for at in dates]
    starts, shares = begun(said), said.mean(axis=1)
    lines = [f"{name}: allowance threshold  alarms/1,000  in alarm   x3 raised, median bars   broken raised, median"]
    for row, test in enumerate(tests):
        per_thousand = 1_000 * starts[row].sum() / len(own)
        found = f"{per_thousand:12.2f}  {shares[row]:8.1%}   {_raised(of_wild, row)}   {_raised(of_bad, row)}"
        lines.append(f"{test.allowance:16.2f} {test.threshold:9.1f}  {found}{'   chosen' if row == 0 else ''}")
    began = ", ".join(to_rfc3339(int(series.dates_ns[date]))[:10] for date in np.flatnonzero(starts[0]))
    lines.append(f"alarms of the chosen one began on: {began or 'no date'}")
    if name == "error":
        lines.append(f"it lasted {RETRAIN_AFTER_DATES} dates: {_lasted(said[0])} times")
    return lines


def _raised(found: Sequence[FloatArray], row: int) -> str:
    bars = np.array([each[row] for each in found])
    raised = np.isfinite(bars)
    middle = f"{np.median(bars[raised]):4.0f}" if raised.any() else "   -"
    return f"{int(raised.sum()):3} of {len(bars)} {middle}"


def _lasted(alarmed: BoolArray) -> int:
    lengths, run = [], 0
    for one in [*alarmed.tolist(), False]:
        if not one and run:
            lengths.append(run)
        run = run + 1 if one else 0
    return sum(length >= RETRAIN_AFTER_DATES for length in lengths)


def stability(samples: Dataset, scaled_forecasts: FloatArray) -> list[str]:
    """Give the usual size of the stability index of each input, as of every fifth date."""
    known = np.isfinite(scaled_forecasts)
    samples, scaled = samples.rows(known), scaled_forecasts[known]
    volatility = np.asarray(samples.batch.volatility, np.float64)
    inputs = inputs_of(samples.log_returns[:, 0], scaled * volatility, volatility)
    dates, place = np.unique(samples.as_of_ns, return_inverse=True)
    found: dict[str, list[float]] = {name: [] for name in inputs}
    for last in range(_OUTCOMES - 1, len(dates), 5):
        newest = (place > last - NEWEST_DATES) & (place <= last)
        older = (place > last - _OUTCOMES) & (place <= last - NEWEST_DATES)
        for name, values in inputs.items():
            found[name].append(stability_index(values[older], values[newest]))
    return [
        f"stability index of {name}: median {np.median(values):.2f}, 95 % {np.quantile(values, 0.95):.2f}"
        for name, values in found.items()
    ]


def report(bars: Bars, forecaster: Forecaster, tests: dict[str, list[PageHinkley]]) -> None:
    """Print the tables of both tests."""
    samples = one_bar_ahead(bars)
    scaled = forecaster.scaled(samples)
    series, bad = series_of(samples, scaled), broken(samples, scaled)
    first, last = (to_rfc3339(int(series.dates_ns[place]))[:10] for place in (0, -1))
    print(f"{len(series.dates_ns)} dates, {first} to {last}, slope {forecaster.slope:.3f}")
    print(f"forecasts over the volatility, root mean square: {np.sqrt(np.nanmean(np.square(scaled))):.4f}")
    print(f"loss a date: mean {series.losses.mean():.5f}, standard deviation {series.losses.std():.5f}")
    wild = [injected(bars, forecaster, series, at) for at in injection_dates(len(series.dates_ns))]
    for name, tried in tests.items():
        print("\n" + "\n".join(table(name, tried, series, wild, bad)))
    print("\n" + "\n".join(stability(samples, scaled)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift_tuning", description=__doc__)
    parser.add_argument("--replay", action="store_true", help="the chosen settings after --before; a look is counted")
    parser.add_argument("--before", default="2010-01-04", help="what lies before is what may be chosen on")
    parser.add_argument("--until", default="", help="the end of the replay; empty: all")
    options = parser.parse_args()
    before_ns = from_rfc3339(options.before)
    past = load_daily_bars(end_ns=before_ns)
    if not options.replay:
        report(past, out_of_fold(past), grids())
        return
    bars = load_daily_bars(end_ns=from_rfc3339(options.until) if options.until else None)
    report(bars, as_trained(past), {name: [test] for name, test in _CHOSEN.items()})


if __name__ == "__main__":
    main()
