"""The stationary bootstrap of dates: intervals of any statistic of a series whose neighbours hang together."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from feature_stream.uncertainty import FloatArray, lags_of, least_dates

#: Of (resamples, n) values the statistic of each row.
Statistic = Callable[[FloatArray], FloatArray]


def stationary_indices(n: int, block_dates: float, resamples: int, seed: int) -> NDArray[np.int64]:
    """Draw series of dates in blocks of geometric length, which go round from the last date to the first.

    Source: Politis and Romano (1994), section 2.

    Args:
        n: Dates.
        block_dates: Mean length of a block, 1 or more.
        resamples: Series.

    Returns:
        (resamples, n) places of dates, 0 to n - 1.
    """
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, n, (resamples, n))
    begins = rng.random((resamples, n)) < 1.0 / block_dates
    begins[:, 0] = True
    steps = np.arange(n)
    begun_at = np.maximum.accumulate(np.where(begins, steps, 0), axis=1)
    places: NDArray[np.int64] = (np.take_along_axis(starts, begun_at, axis=1) + steps - begun_at) % n
    return places


def mean_of_each(series: FloatArray) -> FloatArray:
    """Give the mean of each row."""
    means: FloatArray = series.mean(axis=1)
    return means


def bootstrap_interval(
    values: ArrayLike,
    horizon: int,
    *,
    seed: int,
    level: float = 0.95,
    resamples: int = 2_000,
    statistic: Statistic = mean_of_each,
) -> tuple[float, float] | None:
    """Give the percentile interval of a statistic of values by date, with blocks of max(10, 2h) dates on average.

    Args:
        values: (n,) one a date, in the order of the dates.
        horizon: In bars, of the outcomes that the values are of.
        statistic: Takes (resamples, n) values.

    Returns:
        None with fewer dates than `least_dates`, and where the statistic does not vary or is not a number.
    """
    series = np.asarray(values, np.float64)
    n = len(series)
    if n < least_dates(horizon):
        return None
    drawn = statistic(series[stationary_indices(n, lags_of(horizon), resamples, seed)])
    if not (np.isfinite(drawn).all() and np.ptp(drawn) > 0.0):
        return None
    low, high = np.quantile(drawn, [0.5 - 0.5 * level, 0.5 + 0.5 * level])
    return float(low), float(high)
