"""How sure a mean is, where outcomes overlap and tickers share their shocks: the unit is a date.

Values are averaged over the tickers of a date first. Overlapping horizons tie the dates together, so the variance of
their mean is Bartlett's (Newey and West 1987) with max(10, 2h) lags, corrected as by Harvey, Leybourne and Newbold
(1997), with Student's t of n - 1 degrees of freedom.

Two forecasts without skill then differ "significantly" (two-sided, at 5 %) in 6 to 7 of 100 tests at one bar with 200
dates and in 5 with 750; at 21 bars in 6 to 8 with 500 dates, and their hit rates in 8 to 11. With fewer dates it is
more (hit rates at 21 bars with 250 dates: 12 to 14), so nothing is said then.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from feature_stream import student_t

FloatArray = NDArray[np.float64]

#: Dates without which nothing is said: so many, and so many times the horizon.
LEAST_DATES = 200
LEAST_HORIZONS = 23
_LEAST_LAGS = 10
#: What varies by less than this share of its size is constant but for rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class MeanByDate:
    """A mean over dates, and how sure it is.

    Attributes:
        standard_error: Corrected as by Harvey, Leybourne and Newbold; above 0.
        dates: So many.
    """

    mean: float
    standard_error: float
    dates: int

    @property
    def statistic(self) -> float:
        """Give the mean over its standard error; t-distributed with `dates` - 1 degrees where the true mean is 0."""
        return self.mean / self.standard_error

    @property
    def p_two_sided(self) -> float:
        """Give the probability of a mean at least as far from 0, were the true one 0."""
        return min(1.0, 2.0 * student_t.survival(abs(self.statistic), self.dates - 1))

    @property
    def p_above(self) -> float:
        """Give the probability of a mean at least as high, were the true one 0: small where it is above 0."""
        return student_t.survival(self.statistic, self.dates - 1)

    @property
    def p_below(self) -> float:
        """Give the probability of a mean at least as low, were the true one 0: small where it is below 0."""
        return student_t.survival(-self.statistic, self.dates - 1)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Give the confidence interval of the mean."""
        half_width = student_t.quantile(0.5 + 0.5 * level, self.dates - 1) * self.standard_error
        return self.mean - half_width, self.mean + half_width


def lags_of(horizon: int) -> int:
    """Give the number of lags for outcomes over a horizon in bars."""
    return max(_LEAST_LAGS, 2 * horizon)


def least_dates(horizon: int) -> int:
    """Give the number of dates from which the tests keep near to their level."""
    return max(LEAST_DATES, LEAST_HORIZONS * horizon)


def date_means(dates: ArrayLike, values: ArrayLike) -> tuple[NDArray[np.int64], FloatArray]:
    """Average values over the tickers of each date.

    Args:
        dates: (n,) the ends of the horizons, in any order.
        values: (n,).

    Returns:
        The different dates, ascending, and the mean at each, (d,).
    """
    different, places = np.unique(np.asarray(dates, np.int64), return_inverse=True)
    count = len(different)
    sums = np.bincount(places, np.asarray(values, np.float64), count)
    return different, sums / np.bincount(places, minlength=count)


def long_run_variances(series: FloatArray, lags: int) -> FloatArray:
    """Give the long-run variance of each series, (s, n) to (s,), with Bartlett's weights; never below 0.

    Source: Newey and West (1987), with autocovariances over n: the sum of w_j * autocovariance_j over |j| <= lags,
    w_j = 1 - |j| / (lags + 1). The same is the mean square of all sums of lags + 1 neighbours (of zeros beyond the
    ends) over lags + 1, in a time that does not depend on the lags.
    """
    count, n = series.shape
    span = lags + 1
    sums = np.zeros((count, n + 2 * span))
    np.cumsum(series - series.mean(axis=1, keepdims=True), axis=1, out=sums[:, span : span + n])
    sums[:, span + n :] = sums[:, [span + n - 1]]
    neighbours = sums[:, span:-1] - sums[:, : -span - 1]
    variances: FloatArray = (neighbours * neighbours).sum(axis=1) / (n * span)
    return variances


def small_sample_factor(n: int, horizon: int) -> float:
    """Give the factor of the statistic for n dates, more than twice the horizon.

    Source: Harvey, Leybourne and Newbold (1997), the modified statistic S1*.
    """
    return math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)


def mean_by_date(values: ArrayLike, horizon: int, least: int | None = None) -> MeanByDate | None:
    """Give the mean of values by date, and how sure it is.

    Args:
        values: (n,) one a date, in the order of the dates.
        horizon: In bars, of the outcomes that the values are of.
        least: Dates without which nothing is said, for who knows what the test does with so few; None: `least_dates`.

    Returns:
        None with fewer dates, and where the values do not vary.
    """
    return means_by_date(np.asarray(values, np.float64)[None], horizon, least)[0]


def means_by_date(series: FloatArray, horizon: int, least: int | None = None) -> list[MeanByDate | None]:
    """Do so for series of the same dates, (s, n), at once; to the last bit as for each alone."""
    series = np.ascontiguousarray(series)  # the order of an addition must not depend on how many there are
    count, n = series.shape
    fewest = least_dates(horizon) if least is None else max(least, 2 * horizon + 1)
    if n < fewest or not count:
        return [None] * count
    low, high = series.min(axis=1), series.max(axis=1)
    with np.errstate(invalid="ignore"):  # where one is not finite
        varies = high - low > _ROUNDING * np.maximum(np.abs(low), np.abs(high))
        variances = long_run_variances(series, lags_of(horizon))
    errors = np.sqrt(variances / n) / small_sample_factor(n, horizon)
    known = varies & np.isfinite(errors) & (errors > 0.0)
    means = series.mean(axis=1)
    return [
        MeanByDate(mean, error, n) if sure else None
        for mean, error, sure in zip(means.tolist(), errors.tolist(), known.tolist(), strict=True)
    ]


def compare_losses(ours: ArrayLike, theirs: ArrayLike, horizon: int, least: int | None = None) -> MeanByDate | None:
    """Test whether two forecasts are equally good: a mean below 0 says that ours lose less.

    Source: Diebold and Mariano (1995); `p_two_sided` for a difference, `p_below` for ours being better, `p_above` for
    their being better.

    Args:
        ours: (n,) mean loss of each date, in the order of the dates.
        theirs: (n,) likewise, on the same outcomes.
        least: As in `mean_by_date`.
    """
    return mean_by_date(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64), horizon, least)


def compare_hits(dates: ArrayLike, hits: ArrayLike, usual_hits: ArrayLike, horizon: int) -> MeanByDate | None:
    """Compare hit rates with those of the constant direction, paired by date: a mean above 0 says that ours hit more.

    Args:
        dates: (n,) the ends of the horizons, in any order; trials only, neither neutral nor of a price at rest.
        hits: (n,) 1 where the direction was right, else 0.
        usual_hits: (n,) likewise, of the direction that was more frequent before.
    """
    difference = np.asarray(hits, np.float64) - np.asarray(usual_hits, np.float64)
    return mean_by_date(date_means(dates, difference)[1], horizon)
