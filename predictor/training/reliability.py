"""Whether a confidence of 0.6 is right in six of ten cases: bins of equal count, and Brier's score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from feature_stream.uncertainty import date_means, mean_by_date
from predictor.models.base import FloatArray

BINS = 5


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of about the same confidence.

    Attributes:
        mean_confidence: Averaged over the tickers of each date, then over the dates, like the hit rate.
        hit_rate: Share of the trials whose direction was right.
        low: Of the 95 % interval of the hit rate, by date; 0 where there are too few dates for one.
        high: Likewise; 1 where there are too few.
        trials: So many.
    """

    mean_confidence: float
    hit_rate: float
    low: float
    high: float
    trials: int

    @property
    def overconfident(self) -> bool:
        """Tell whether the hit rate is below the mean confidence by more than its interval."""
        return self.high < self.mean_confidence


@dataclass(frozen=True, slots=True)
class BrierScore:
    """Mean squared difference between what was said and what happened; smaller is better.

    Attributes:
        score: Of the confidences.
        base_rate_score: Of saying the hit rate of all trials each time, which nobody knows beforehand.
    """

    score: float
    base_rate: float
    base_rate_score: float
    trials: int


def reliability_bins(
    confidence: ArrayLike, hit: ArrayLike, dates: ArrayLike, bins: int = BINS, horizon: int = 1
) -> list[Bin]:
    """Cut predictions into bins of equal count by confidence, lowest first.

    Args:
        confidence: (n,) that the direction is right.
        hit: (n,) whether it was: true or 1, false or 0; None or NaN is no trial and left out.
        dates: (n,) the end of each horizon: all tickers of a date are one observation.
        bins: So many; fewer where there are not even as many trials.
        horizon: In bars; neighbouring dates share that much, and the interval allows for it.
    """
    trials, hits, ends = _trials(confidence, hit, dates)
    order = np.argsort(trials, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [_bin(trials[part], hits[part], ends[part], horizon) for part in parts]


def overconfident(bins: list[Bin]) -> bool:
    """Tell whether the hit rate of any bin is below its mean confidence by more than its interval."""
    return any(each.overconfident for each in bins)


def brier_score(confidence: ArrayLike, hit: ArrayLike) -> BrierScore | None:
    """Give Brier's score beside that of the base rate; None where there is no trial.

    Source: Brier (1950), Verification of forecasts expressed in terms of probability, halved as is usual for two cases.
    """
    trials, hits, _ = _trials(confidence, hit, np.zeros(np.shape(confidence), np.int64))
    if not len(trials):
        return None
    base_rate = float(hits.mean())
    return BrierScore(
        score=float(np.mean(np.square(trials - hits))),
        base_rate=base_rate,
        base_rate_score=base_rate * (1.0 - base_rate),
        trials=len(trials),
    )


def _trials(
    confidence: ArrayLike, hit: ArrayLike, dates: ArrayLike
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    hits = np.asarray(hit, np.float64)  # None becomes NaN
    known = np.isfinite(hits)
    return np.asarray(confidence, np.float64)[known], hits[known], np.asarray(dates, np.int64)[known]


def _bin(confidence: FloatArray, hits: FloatArray, dates: NDArray[np.int64], horizon: int) -> Bin:
    _, rates = date_means(dates, hits)
    _, confidences = date_means(dates, confidence)
    mean = mean_by_date(rates, horizon)
    low, high = (0.0, 1.0) if mean is None else mean.interval()
    return Bin(float(confidences.mean()), float(rates.mean()), max(0.0, low), min(1.0, high), len(hits))
