"""When boards would raise an alarm: as of each date, on the dates that they look back on, for many settings at once.

The same as `feature_stream.drift.page_hinkley` on every window, which a test holds it to.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from feature_stream.drift import PageHinkley, errors_beside_their_past

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: A board of all tickers looks back on so many dates.
KEPT_DATES = 1_000
#: Returns three times as large have to be raised within so many bars.
WITHIN_BARS = 30

#: A window of the series to the values that are tested.
Values = Callable[[FloatArray], FloatArray]


def as_they_are(losses: FloatArray) -> FloatArray:
    """Give losses: they need no trailing mean."""
    return losses


VALUES: dict[str, Values] = {"error": errors_beside_their_past, "loss": as_they_are}


def excesses(values: FloatArray, allowance: float) -> FloatArray:
    """Give the sum since its lowest point after each value."""
    counts = np.arange(1, len(values) + 1)
    totals = np.cumsum(values - np.cumsum(values) / counts) - allowance * counts
    above: FloatArray = totals - np.minimum.accumulate(np.minimum(totals, 0.0))
    return above


def in_alarm(sums: FloatArray, test: PageHinkley) -> bool:
    """Tell whether the last value lies in an alarm: it began above the threshold, and half of it is still there."""
    began = np.flatnonzero(sums[test.least_dates - 1 :] > test.threshold)
    if not len(began):
        return False
    last = int(began[-1]) + test.least_dates - 1
    return bool((sums[last:] > 0.5 * test.threshold).all())


def alarms(series: FloatArray, values: Values, tests: Sequence[PageHinkley], dates: Sequence[int]) -> BoolArray:
    """Tell of each test and date whether a board as of the date is in alarm, (tests, dates)."""
    found = np.zeros((len(tests), len(dates)), np.bool_)
    for column, date in enumerate(dates):
        window = values(series[max(0, date + 1 - KEPT_DATES) : date + 1])
        sums = {allowance: excesses(window, allowance) for allowance in {test.allowance for test in tests}}
        found[:, column] = [in_alarm(sums[test.allowance], test) for test in tests]
    return found


def begun(alarmed: BoolArray) -> BoolArray:
    """Tell where an alarm begins, (tests, dates)."""
    before = np.concatenate([np.zeros((len(alarmed), 1), np.bool_), alarmed[:, :-1]], axis=1)
    found: BoolArray = alarmed & ~before
    return found


def delays(
    series: FloatArray, injected: FloatArray, at: int, values: Values, tests: Sequence[PageHinkley]
) -> FloatArray:
    """Give each test's delay in bars (1: at the first of them) until an alarm begins; infinite where none does in time.

    Args:
        series: As it was.
        injected: As it would have been, from the date `at` on.
    """
    changed = np.concatenate([series[:at], injected[:WITHIN_BARS]])
    dates = range(at - 1, len(changed))
    first = begun(alarms(changed, values, tests, dates))[:, 1:]  # who is in alarm already, raises nothing
    return np.where(first.any(axis=1), first.argmax(axis=1) + 1.0, np.inf)
