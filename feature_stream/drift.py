"""Drift: has what the forecasts are worth changed? One value a date, and Page and Hinkley's test.

Source: Page (1954) for the sum, Hinkley (1971) for a mean that is not known: a running mean is taken off each value,
and so is an allowance; what has been added since the lowest point is compared with a threshold.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Dates of the trailing mean that a squared error is held against, and the fewest that make one.
TRAILING_DATES = 250
LEAST_TRAILING_DATES = 60
#: A squared error counts as no more than so many times its trailing mean.
MOST_TIMES = 9.0
#: Larger errors than usual ask for a retrain only when they have lasted.
RETRAIN_AFTER_DATES = 60


@dataclass(frozen=True, slots=True)
class PageHinkley:
    """The test's settings.

    Attributes:
        allowance: A rise of the mean by less is none.
        threshold: Of the sum since its lowest point; an alarm ends when half of it is left.
        least_dates: Before so many there is no alarm.
    """

    allowance: float
    threshold: float
    least_dates: int = 30


@dataclass(frozen=True, slots=True)
class DriftState:
    """What the test says as of the last date.

    Attributes:
        dates_in_alarm: So many dates in a row, the last included; 0 without alarm.
        excess: The sum, as a share of the threshold.
    """

    dates_in_alarm: int
    excess: float


#: Of squared errors over their trailing mean. Both are chosen on out-of-fold forecasts before 2010 (`docs/scores.md`).
ERROR_TEST = PageHinkley(allowance=1.0, threshold=30.0)
#: Of the loss against no change, in units of the volatility squared.
LOSS_TEST = PageHinkley(allowance=0.05, threshold=5.0)


def errors_beside_their_past(squared_errors: FloatArray) -> FloatArray:
    """Give each date's squared error over the mean of up to 250 dates before it, at most 9; (n,) to (n - 60,)."""
    sums = np.concatenate([[0.0], np.cumsum(squared_errors)])
    dates = np.arange(LEAST_TRAILING_DATES, len(squared_errors))
    first = np.maximum(0, dates - TRAILING_DATES)
    means = (sums[dates] - sums[first]) / (dates - first)
    today = squared_errors[LEAST_TRAILING_DATES:]
    ratios: FloatArray = np.divide(today, means, out=np.where(today > 0, MOST_TIMES, 1.0), where=means > 0)
    return np.minimum(ratios, MOST_TIMES)


def page_hinkley(values: Iterable[float], test: PageHinkley) -> DriftState:
    """Run the test over values, from the first."""
    mean = total = lowest = 0.0
    dates_in_alarm = 0
    for count, value in enumerate(values, 1):
        mean += (value - mean) / count
        total += value - mean - test.allowance
        lowest = min(lowest, total)
        bound = 0.5 * test.threshold if dates_in_alarm else test.threshold
        alarm = count >= test.least_dates and total - lowest > bound
        dates_in_alarm = dates_in_alarm + 1 if alarm else 0
    return DriftState(dates_in_alarm, (total - lowest) / test.threshold)


def drift_of(squared_errors: FloatArray, losses: FloatArray) -> dict[str, str]:
    """Say whether the errors, or the loss against no change, have risen; for `Scoreboard.drift`.

    Args:
        squared_errors: (dates,) of the ensemble at one bar, in log return, in the order of the dates.
        losses: (dates,) its squared error less that of no change, in units of the volatility squared.

    Returns:
        Of `error` and `loss` each whether `stable` or in `alarm`, for how many dates and how far, and whether a
        retrain is asked for: by the loss, or by errors that have been larger for 60 dates.
    """
    error = page_hinkley(errors_beside_their_past(squared_errors).tolist(), ERROR_TEST)
    loss = page_hinkley(losses.tolist(), LOSS_TEST)
    asked = loss.dates_in_alarm > 0 or error.dates_in_alarm >= RETRAIN_AFTER_DATES
    dates = {"dates": str(len(squared_errors))}
    return {**dates, **_words("error", error), **_words("loss", loss), "retrain": "asked" if asked else "no"}


def _words(name: str, state: DriftState) -> dict[str, str]:
    return {
        name: "alarm" if state.dates_in_alarm else "stable",
        f"{name}_dates": str(state.dates_in_alarm),
        f"{name}_excess": f"{state.excess:.3f}",
    }
