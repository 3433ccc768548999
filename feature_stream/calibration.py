"""What is adapted from outcomes: the members' weights, and how wide the intervals are.

Both are functions of the last outcomes, each time from the start, so they can be had again from the topic.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

#: Of weights that are the members' own prior ones, as the predictor names them.
PRIOR_WEIGHTS = "prior"
#: Of intervals that are the model set's own first ones, as the predictor names them.
FIRST_INTERVALS = "holdout"

#: Settled dates that the weights are made of, and the number of them that counts as much as the prior.
WEIGHT_DATES = 250
#: Outcomes of a ticker and horizon that the widths are made of. A window forgets: a width that has to stay away from 1
#: by x needs x over the step misses more or fewer in every window than it should have. Measured with a step of 0.05
#: and 250 outcomes, a first quantile that is 20 % too small costs 1.3 points of coverage at one bar and 2.8 at 21; with
#: 1,000, 0.4 and 0.6. Smaller steps, as at 21 bars, need a longer memory.
WIDTH_OUTCOMES = 2_000

#: A miss at one bar lifts the width by (1 - share_outside) over these: a step of 0.05.
_STEPS_AT_ONE_BAR = 20
_LEAST_WIDTH = 0.05
_START_WIDTH = 1.0
_SMALLEST_RATIO, _LARGEST_RATIO = 1e-6, 1e6
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class MemberErrors:
    """Squared errors of one member, in units of the volatility over the horizon.

    The forecast is of log returns, but a mean square in log return is made by the most volatile tickers and weeks: a
    ticker that moves five times as much counts 25 times. In units of their volatility all outcomes count alike, which
    is how the models are fitted too, and the ratio of two members' errors is known better from as many dates.

    Attributes:
        dates: Settled dates with outcomes of this member.
        mean_square: Of its errors.
        unchanged_mean_square: Of the errors of no change, on the very same outcomes.
    """

    dates: int
    mean_square: float
    unchanged_mean_square: float


def adapted_weights(priors: Mapping[str, float], errors: Mapping[str, MemberErrors]) -> dict[str, float]:
    """Weigh members by prior / mean squared error, shrunk to the prior by n / (n + 250), n their settled dates.

    A member that was not there for some outcomes is measured beside no change on those that it has; for members with
    the same outcomes the ratios are those of the mean squared errors themselves.

    Returns:
        In millionths, adding up to 1; a prior of 0 gives 0. Empty where no prior is above 0.
    """
    total = math.fsum(prior for prior in priors.values() if prior > 0)
    if not total > 0:
        return {}
    shares = {name: max(prior, 0.0) / total for name, prior in sorted(priors.items())}
    earned = {name: share / _ratio(errors.get(name)) for name, share in shares.items()}
    sum_earned = math.fsum(earned.values())
    mixed = {}
    for name, share in shares.items():
        dates = errors[name].dates if name in errors else 0
        trust = dates / (dates + WEIGHT_DATES)
        mixed[name] = (1.0 - trust) * share + trust * earned[name] / sum_earned
    return _in_millionths(mixed)


def _ratio(errors: MemberErrors | None) -> float:
    """Give the error as a share of that of no change; 1 where nothing is known."""
    if errors is None or not errors.unchanged_mean_square > 0:
        return 1.0
    return min(max(errors.mean_square / errors.unchanged_mean_square, _SMALLEST_RATIO), _LARGEST_RATIO)


def _in_millionths(weights: Mapping[str, float]) -> dict[str, float]:
    """Round, so that predictions that differ in their last digits lead to the same version; the largest takes the rest.

    Adding up to 1 is exact in millionths.
    """
    total = math.fsum(weights.values())
    counts = {name: round(weight / total * _MILLION) for name, weight in weights.items()}
    largest = max(counts, key=lambda name: (counts[name], name))
    counts[largest] += _MILLION - sum(counts.values())
    return {name: count / _MILLION for name, count in counts.items()}


def width_steps(horizon: int) -> int:
    """Give the steps from 0 to 1, 20 * horizon ** (1/4) rounded down: a miss lifts by 1 - share_outside of one.

    Outcomes over many bars overlap, so their misses come in runs, and each run would take the width far past what it
    should be. A step that is too small does not mend a wrong first quantile. Chosen before 2010 by
    `benchmarks.width_tuning`; by whole numbers, so that no rounding decides.
    """
    return math.isqrt(math.isqrt(_STEPS_AT_ONE_BAR**4 * horizon))


def width_after(misses: NDArray[np.bool_], share_outside: float, steps: int) -> float:
    """Give the width of an interval, as a multiple of the set's own first quantile, after outcomes in order.

    Starting from 1, once per outcome: width = max(width + (miss - share_outside) / steps, 0.05).
    Source: Gibbs and Candes (2021), equation 2, on the quantile itself as by Angelopoulos, Candes and Tibshirani
    (2023). In units of share_outside / steps a miss is so many up and a hit one down, whole numbers, so the result
    does not depend on rounding; the bound below makes it a reflected walk (Skorokhod's map).

    Args:
        misses: (n,) of those outcomes that had an interval.
        share_outside: 0.05 or 0.01, or another that divides 0.05.
        steps: As of `width_steps`.
    """
    if not len(misses):
        return _START_WIDTH
    up = round(1.0 / share_outside) - 1
    start, least = round(_START_WIDTH / share_outside) * steps, round(_LEAST_WIDTH / share_outside) * steps
    walk = start + np.cumsum(np.where(misses, up, -1))
    lifted = max(0, least - int(walk.min()))
    return round((int(walk[-1]) + lifted) / start, 9)


def conformal_quantile(scores: NDArray[np.float64], share_outside: float) -> float | None:
    """Give the (n + 1)-corrected quantile of scores; None where there are too few for it to be finite.

    Source: Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), the k-th smallest, k = ceil((n + 1)(1 - alpha)).
    """
    n = len(scores)
    place = math.ceil((n + 1) * (1.0 - share_outside) - 1e-9)
    return None if place > n else float(np.partition(scores, place - 1)[place - 1])


def version_of(numbers: object) -> str:
    """Name numbers by a digest: the same ones have the same name, others another."""
    return hashlib.blake2b(msgspec.json.encode(numbers, order="sorted"), digest_size=6).hexdigest()
