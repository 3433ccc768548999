"""Two sets' losses on the same outcomes: which is smaller, and how sure that is. Pure."""

import math
from dataclasses import dataclass, field

import numpy as np

from feature_stream.uncertainty import compare_losses, date_means
from predictor.training.pairs import FloatArray, Pairs

#: Dates on which two sets are compared: half a year of daily bars.
COMPARED_DATES = 126
#: A ratio of errors beyond this says no more than this; an event cannot carry infinity.
_LARGEST_RATIO = 1e9


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a candidate did beside the champion.

    Attributes:
        p_worse: Probability of losses at least as far above the champion's, were both equally good.
        p_better: Likewise below.
        error_ratios: By horizon, the candidate's root mean squared error over the champion's.
        numbers: All of it by name, for `ModelEvent.numbers`.
    """

    p_worse: float
    p_better: float
    error_ratios: dict[int, float]
    numbers: dict[str, float] = field(repr=False)

    def text(self) -> str:
        """Say it for people."""
        number = self.numbers
        low, high = number["loss_difference_low"], number["loss_difference_high"]
        ratios = " / ".join(f"{ratio:.3f}" for ratio in self.error_ratios.values())
        horizons = " / ".join(map(str, self.error_ratios))
        return (
            f"over {number['dates']:.0f} dates its loss differs by {number['loss_difference']:+.4f} "
            f"({low:+.4f} to {high:+.4f}), error ratio {ratios} at {horizons} bars"
        )


@dataclass(frozen=True, slots=True)
class _Losses:
    """Mean squared errors at one horizon, (dates,) each, in units of volatility squared times the horizon."""

    candidate: FloatArray
    champion: FloatArray
    no_change: FloatArray

    def __len__(self) -> int:
        return len(self.candidate)


def compare(pairs: Pairs) -> Comparison:
    """Hold a candidate beside the champion; pairs of at least `COMPARED_DATES` dates.

    The test is Diebold and Mariano's on the shortest horizon, one value a date (`feature_stream.uncertainty`). Where
    both say the same on every date there is no difference to be tested: both probabilities are 1.
    """
    shortest = pairs.horizons[0]
    losses = {horizon: each for horizon in pairs.horizons if len(each := _losses(pairs, horizon))}
    tested = losses[shortest]
    ratios = {horizon: _ratio(each.candidate, each.champion) for horizon, each in losses.items()}
    test = compare_losses(tested.candidate, tested.champion, shortest, least=COMPARED_DATES)
    mean = float(np.mean(tested.candidate - tested.champion))
    low, high = (mean, mean) if test is None else test.interval()
    numbers = {
        "dates": float(len(tested)),
        "outcomes": float(np.sum(pairs.horizon == shortest)),
        "loss_difference": mean,
        "loss_difference_low": low,
        "loss_difference_high": high,
        "error_ratio": ratios[shortest],
        "champion_error_ratio_no_change": _ratio(tested.champion, tested.no_change),
        "candidate_error_ratio_no_change": _ratio(tested.candidate, tested.no_change),
    }
    numbers |= {f"error_ratio_{horizon}": ratio for horizon, ratio in ratios.items()}
    numbers |= {f"dates_{horizon}": float(len(each)) for horizon, each in losses.items()}
    p_worse, p_better = (1.0, 1.0) if test is None else (test.p_above, test.p_below)
    return Comparison(p_worse, p_better, ratios, numbers)


def _losses(pairs: Pairs, horizon: int) -> _Losses:
    rows = pairs.horizon == horizon
    dates = pairs.matured_ns[rows]
    said = (pairs.candidate, pairs.champion, np.zeros_like(pairs.actual))
    return _Losses(*(date_means(dates, pairs.squared_errors(each)[rows])[1] for each in said))


def _ratio(losses: FloatArray, others: FloatArray) -> float:
    """Give the ratio of root mean squared errors; 1 where both are 0."""
    mean, other = float(np.mean(losses)), float(np.mean(others))
    if other == 0.0:
        return 1.0 if mean == 0.0 else _LARGEST_RATIO
    return min(math.sqrt(mean / other), _LARGEST_RATIO)
