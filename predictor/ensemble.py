"""Several members' words made into one: weighted returns, and the least sure member's confidence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.artifacts import LoadedMember
from predictor.intervals import LARGEST_LOG_RETURN
from predictor.manifest import Calibration
from predictor.models.base import Batch, FloatArray, Forecast, Forecaster
from predictor.models.statistical import normal_confidence

#: Log returns and spreads, (n, horizons) each, to the probability that the return is above 0.
ProbabilityUp = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Answer:
    """One member's word on n rows.

    Attributes:
        log_returns: From the last close, (n, horizons); 0 where it did not answer.
        spreads: (n, horizons); NaN where unknown.
        answered: (n,); false where any of its numbers is unusable.
    """

    name: str
    version: str
    prior_weight: float
    log_returns: FloatArray
    spreads: FloatArray
    answered: NDArray[np.bool_]
    probability_up: ProbabilityUp


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The word of m members on n rows, from the current price on.

    Attributes:
        weights: (m, n); each row's add up to 1, or are all 0 where no member with weight answered.
        log_returns: (n, horizons).
        confidences: (n, horizons), the smallest of the members that count.
        own_log_returns: (m, n, horizons).
        own_confidences: (m, n, horizons), that the ensemble's direction is right.
    """

    answers: Sequence[Answer]
    weights: FloatArray
    log_returns: FloatArray
    confidences: FloatArray
    own_log_returns: FloatArray
    own_confidences: FloatArray


def ask_members(
    members: Sequence[LoadedMember], batch: Batch, horizons: Sequence[int]
) -> tuple[list[Answer], dict[str, str]]:
    """Ask every member about the whole batch, once.

    Returns:
        The answers, and by name why a member gave no usable numbers for some rows or for all.
    """
    answers, failures = [], {}
    for member in members:
        forecaster = member.forecaster
        try:
            forecast = _checked(forecaster.predict(batch), (len(batch), len(horizons)))
            answer = _answer(forecaster, forecast, member.prior_weight, logistic(member.calibration, horizons))
        except Exception as error:  # whatever a model's library raises: it is left out, and `degraded` says so
            failures[forecaster.name] = f"{type(error).__name__}: {error}"
            continue
        answers.append(answer)
        if not answer.answered.all():
            failures[forecaster.name] = f"numbers that are not finite for {(~answer.answered).sum()} of {len(batch)}"
    return answers, failures


def ask_statistical(forecaster: Forecaster, batch: Batch) -> Answer:
    """Ask the forecaster that always answers; a spread of 0 is taken for unknown."""
    forecast = forecaster.predict(batch)
    spreads = np.where(forecast.spreads > 0, forecast.spreads, np.nan)
    everywhere = np.ones(len(batch), np.bool_)
    log_returns = _bounded(np.nan_to_num(forecast.log_returns))
    return Answer(forecaster.name, forecaster.version, 1.0, log_returns, spreads, everywhere, normal_probability_up)


def _checked(forecast: Forecast, shape: tuple[int, int]) -> Forecast:
    for numbers in (forecast.log_returns, forecast.spreads):
        if numbers.shape != shape:
            raise ValueError(f"it gave numbers of shape {numbers.shape}, not {shape}")
    return forecast


def _answer(forecaster: Forecaster, forecast: Forecast, prior_weight: float, probability_up: ProbabilityUp) -> Answer:
    usable = np.isfinite(forecast.log_returns) & np.isfinite(forecast.spreads) & (forecast.spreads > 0)
    answered: NDArray[np.bool_] = np.asarray(usable.all(axis=1))
    log_returns = np.where(answered[:, None], forecast.log_returns, 0.0)
    return Answer(
        forecaster.name,
        forecaster.version,
        prior_weight,
        _bounded(log_returns),
        np.where(answered[:, None], forecast.spreads, 1.0),
        answered,
        probability_up,
    )


def _bounded(log_returns: FloatArray) -> FloatArray:
    return np.clip(log_returns, -LARGEST_LOG_RETURN, LARGEST_LOG_RETURN)


def logistic(calibration: Sequence[Calibration], horizons: Sequence[int]) -> ProbabilityUp:
    """Calibrate by the logistic function of intercept + slope * return / spread; 0.5 for a horizon without."""
    by_horizon = {each.horizon: (each.intercept, each.slope) for each in calibration}
    pairs = np.array([by_horizon.get(horizon, (0.0, 0.0)) for horizon in horizons])
    intercepts, slopes = pairs[:, 0], pairs[:, 1]

    def probability_up(log_returns: FloatArray, spreads: FloatArray) -> FloatArray:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * (intercepts + slopes * log_returns / spreads))))

    return probability_up


def normal_probability_up(log_returns: FloatArray, spreads: FloatArray) -> FloatArray:
    """Give P(up) under a normal error; 0.5 where the spread is unknown."""
    right = np.array(list(map(normal_confidence, log_returns.ravel().tolist(), spreads.ravel().tolist())))
    return np.where(log_returns >= 0, right.reshape(log_returns.shape), 1.0 - right.reshape(log_returns.shape))


def combine(answers: Sequence[Answer], travelled: FloatArray) -> Ensemble:
    """Weigh the members that answered, row by row.

    Args:
        answers: One or more.
        travelled: (n,) log return since the last close, which is no longer to be forecast.
    """
    weights = _weights(answers)
    own = np.stack([answer.log_returns - travelled[:, None] for answer in answers])
    log_returns = (weights[:, :, None] * own).sum(axis=0)
    up = np.stack([answer.probability_up(row, answer.spreads) for answer, row in zip(answers, own, strict=True)])
    right = np.where(log_returns > 0, up, np.where(log_returns < 0, 1.0 - up, 0.5))
    confidences = np.where(weights[:, :, None] > 0, right, 1.0).min(axis=0)
    return Ensemble(answers, weights, log_returns, confidences, own, right)


def _weights(answers: Sequence[Answer]) -> FloatArray:
    weights = np.stack([answer.prior_weight * answer.answered for answer in answers])
    total = weights.sum(axis=0)
    shares: FloatArray = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return shares
