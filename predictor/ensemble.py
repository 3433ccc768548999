"""Several members' predictions made into one: weighted returns, and the least sure member's confidence."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from predictor.artifacts import LoadedMember
from predictor.intervals import LARGEST_LOG_RETURN
from predictor.models.base import Batch, FloatArray, Forecast, Forecaster
from predictor.probabilities import ProbabilityUp, calibrated, normal_probability_up
from predictor.weights import renormalised

#: Of so many rows, members answer two at a time: trees on one core while the LSTM leaves it idle. For fewer, handing
#: over costs more.
_ROWS_ASKED_BESIDE = 100
_BESIDE = ThreadPoolExecutor(2, "member")


@dataclass(frozen=True, slots=True)
class Answer:
    """One member's prediction for n rows.

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
    """The prediction of m members for n rows, from the current price on.

    The direction is that of the forecast from the last close, which is what the probabilities were calibrated on. Once
    the price has reached the target or passed it, what is left to go points nowhere or back. No calibration speaks of
    that, so there is no direction then, and every confidence is 0.5.

    Attributes:
        weights: (m, n, horizons); for each row and horizon they add up to 1, or are all 0 where no member with a prior
            weight answered.
        log_returns: (n, horizons).
        confidences: (n, horizons), the smallest of the members that count.
        own_log_returns: (m, n, horizons).
        own_confidences: (m, n, horizons), that the ensemble's direction is right, as of the last close.
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
    ask = partial(_ask, batch=batch, horizons=horizons)
    said = _BESIDE.map(ask, members) if len(batch) >= _ROWS_ASKED_BESIDE else map(ask, members)
    answers, failures = [], {}
    for member, answer in zip(members, said, strict=True):
        name = member.forecaster.name
        if isinstance(answer, str):
            failures[name] = answer
            continue
        answers.append(answer)
        if not answer.answered.all():
            failures[name] = f"numbers that are not finite for {(~answer.answered).sum()} of {len(batch)}"
    return answers, failures


def _ask(member: LoadedMember, batch: Batch, horizons: Sequence[int]) -> Answer | str:
    """Ask a member; where it fails, give the reason."""
    forecaster = member.forecaster
    try:
        forecast = _checked(forecaster.predict(batch), (len(batch), len(horizons)))
        return _answer(forecaster, forecast, member.prior_weight, calibrated(member.calibration, horizons))
    except Exception as error:  # whatever a model's library raises: it is left out, and `degraded` says so
        return f"{type(error).__name__}: {error}"


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


def combine(
    answers: Sequence[Answer], travelled: FloatArray, shares: FloatArray | None = None, slopes: FloatArray | None = None
) -> Ensemble:
    """Weigh the members that answered, row by row and horizon by horizon.

    Args:
        answers: One or more.
        travelled: (n,) log return since the last close, which is no longer to be forecast.
        shares: (m, n, horizons) what each member counts if all answer, up to a factor; None: the prior weights.
        slopes: (horizons,) by how much the forecast is multiplied; None: 1.
    """
    weights = _weights(answers, shares)
    forecasts = np.stack([answer.log_returns for answer in answers])
    from_close = (weights * forecasts).sum(axis=0)
    if slopes is not None:
        from_close = from_close * slopes
    left = from_close - travelled[:, None]
    direction = np.where(np.sign(left) == np.sign(from_close), np.sign(left), 0.0)
    right = np.stack([_right(answer, direction) for answer in answers])
    confidences = np.where(weights > 0, right, 1.0).min(axis=0)
    return Ensemble(answers, weights, left, confidences, forecasts - travelled[:, None], right)


def _right(answer: Answer, direction: FloatArray) -> FloatArray:
    """Give a member's probability that a direction (1, -1, or 0 for none) is right, as of the last close."""
    up = answer.probability_up(answer.log_returns, answer.spreads)
    return np.where(direction > 0, up, np.where(direction < 0, 1.0 - up, 0.5))


def _weights(answers: Sequence[Answer], shares: FloatArray | None) -> FloatArray:
    answered = np.stack([answer.answered for answer in answers])[:, :, None]
    priors = np.array([answer.prior_weight for answer in answers])[:, None, None]
    count, horizons = answers[0].log_returns.shape
    wanted = np.broadcast_to(priors, (len(answers), count, horizons)) if shares is None else shares
    return renormalised(wanted, priors, answered)
