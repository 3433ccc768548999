"""Is the confidence what it says? Bins of equal count, and Brier's score."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from feature_stream.uncertainty import date_means, mean_by_date
from predictor.training.backtest.tables import Table

BINS = 5


class ConfidenceBin(Struct, frozen=True, kw_only=True):
    """Trials of about one confidence.

    Attributes:
        hit_rate: With its interval at 95 %, by date; the bounds are null with too few dates to tell.
        difference_high: Upper bound of the hit rate less the confidence: below 0, the bin is overconfident.
    """

    trials: int
    mean_confidence: float
    hit_rate: float
    hit_rate_low: float | None
    hit_rate_high: float | None
    difference_high: float | None


class Confidence(Struct, frozen=True, kw_only=True):
    """Confidence against hits, on the trials of one horizon.

    Attributes:
        overconfident: In some bin the hit rate is below the mean confidence by more than its interval; null with no
            bin that can be told.
        brier_score: Mean square of confidence less hit; smaller is better. (Brier 1950.)
        brier_score_base_rate: Of always saying the hit rate of all these trials, which is known only afterwards.
        brier_score_coin: Of always saying 0.5.
    """

    trials: int
    bins: list[ConfidenceBin]
    overconfident: bool | None
    brier_score: float | None
    brier_score_base_rate: float | None
    brier_score_coin: float = 0.25


def confidence_of(table: Table) -> Confidence:
    """Hold the confidence against the hits."""
    trials = table.rows(np.isfinite(table.hit))
    if not len(trials):
        return Confidence(trials=0, bins=[], overconfident=None, brier_score=None, brier_score_base_rate=None)
    order = np.argsort(trials.confidence, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    bins = [_bin(trials.rows(_mask(part, len(trials)))) for part in parts]
    highs = [each.difference_high for each in bins if each.difference_high is not None]
    base_rate = float(trials.hit.mean())
    return Confidence(
        trials=len(trials),
        bins=bins,
        overconfident=any(high < 0 for high in highs) if highs else None,
        brier_score=float(np.mean(np.square(trials.confidence - trials.hit))),
        brier_score_base_rate=base_rate * (1.0 - base_rate),
    )


def _mask(places: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    mask = np.zeros(count, np.bool_)
    mask[places] = True
    return mask


def _bin(trials: Table) -> ConfidenceBin:
    _, hits = date_means(trials.matured_ns, trials.hit)
    _, beside = date_means(trials.matured_ns, trials.hit - trials.confidence)
    sure, difference = mean_by_date(hits, trials.horizon), mean_by_date(beside, trials.horizon)
    low, high = (None, None) if sure is None else sure.interval()
    return ConfidenceBin(
        trials=len(trials),
        mean_confidence=float(trials.confidence.mean()),
        hit_rate=float(hits.mean()),
        hit_rate_low=None if low is None else max(0.0, low),
        hit_rate_high=None if high is None else min(1.0, high),
        difference_high=None if difference is None else difference.interval()[1],
    )
